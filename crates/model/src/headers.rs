//! Header fields in two blocks, names lower-cased and values as received; order kept.
//! Exports `Headers`. Three allocations for a whole head; look-up is a scan, heads are short.
//! Used by net, the canonical request, identity, contract and the gateway.
//! Start reading at `Headers`.

use std::fmt;

/// Where a name and a value stand in their blocks.
#[derive(Clone, Copy, Debug)]
struct Slot {
    name: (u32, u32),
    value: (u32, u32),
}

/// Header fields in the order received. Names are ASCII lower case.
#[derive(Clone, Default)]
pub struct Headers {
    names: String,
    values: Vec<u8>,
    slots: Vec<Slot>,
}

impl Headers {
    /// No fields.
    pub fn new() -> Self {
        Headers::default()
    }

    /// No fields, with room for so many, and for so many bytes of values.
    pub fn with_room(fields: usize, bytes: usize) -> Self {
        const NAME_BYTES: usize = 16;
        Headers {
            names: String::with_capacity(fields * NAME_BYTES),
            values: Vec::with_capacity(bytes),
            slots: Vec::with_capacity(fields),
        }
    }

    /// Appends a field; the name is folded to lower case. Bytes that could end a line are turned into
    /// spaces, so that nothing appended here can split a head.
    pub fn push(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let (name_at, value_at) = (self.names.len(), self.values.len());
        self.names.push_str(name);
        if let Some(name) = self.names.get_mut(name_at..) {
            name.make_ascii_lowercase();
        }
        let value = value.as_ref();
        self.values.extend_from_slice(value);
        if may_split(value) {
            let copied = self.values.iter_mut().skip(value_at);
            copied
                .filter(|byte| splits(**byte))
                .for_each(|byte| *byte = b' ');
        }
        self.slots.push(Slot {
            name: (offset(name_at), offset(self.names.len())),
            value: (offset(value_at), offset(self.values.len())),
        });
    }

    /// Replaces every field of this name by one.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.remove(name);
        self.push(name, value);
    }

    /// Drops every field of this name (given in lower case).
    pub fn remove(&mut self, name: &str) {
        self.retain(|n, _| n != name);
    }

    /// Drops every field of one of these names (given in lower case).
    pub fn remove_all(&mut self, names: &[&str]) {
        self.retain(|n, _| !names.contains(&n));
    }

    /// Keeps the fields for which `keep(name, value)` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &[u8]) -> bool) {
        let (names, values) = (&self.names, &self.values);
        self.slots
            .retain(|slot| keep(text(names, slot.name), piece(values, slot.value)));
    }

    /// The first value of this name (given in lower case).
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// The first value of this name as text; `None` when absent or not UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|v| std::str::from_utf8(v).ok())
    }

    /// Every value of this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.iter().filter(move |(n, _)| *n == name).map(|(_, v)| v)
    }

    /// How often this name occurs.
    pub fn count(&self, name: &str) -> usize {
        self.all(name).count()
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> + use<'_> {
        self.slots
            .iter()
            .map(|s| (text(&self.names, s.name), piece(&self.values, s.value)))
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

/// Whether a byte could end a line of the head.
fn splits(byte: u8) -> bool {
    matches!(byte, 0 | b'\r' | b'\n')
}

/// Whether any byte could; nearly always none does.
fn may_split(value: &[u8]) -> bool {
    memchr::memchr3(0, b'\r', b'\n', value).is_some()
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn piece(values: &[u8], (start, end): (u32, u32)) -> &[u8] {
    values.get(start as usize..end as usize).unwrap_or_default()
}

fn text(names: &str, (start, end): (u32, u32)) -> &str {
    names.get(start as usize..end as usize).unwrap_or_default()
}

/// Prints names only: values may be credentials.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_and_order_stays() {
        let mut headers = Headers::new();
        headers.push("Accept", "a");
        headers.push("X-One", "1");
        headers.push("ACCEPT", "b");
        assert_eq!(headers.all("accept").collect::<Vec<_>>(), [b"a", b"b"]);
        headers.set("accept", "c");
        assert_eq!(
            headers.iter().map(|(n, _)| n).collect::<Vec<_>>(),
            ["x-one", "accept"]
        );
    }

    #[test]
    fn a_value_cannot_split_the_head() {
        let mut headers = Headers::new();
        headers.push("x", "a\r\nset-cookie: b\0");
        assert_eq!(headers.get("x"), Some(&b"a  set-cookie: b "[..]));
    }

    #[test]
    fn debug_never_prints_values() {
        let mut headers = Headers::new();
        headers.push("authorization", "Bearer secret");
        assert_eq!(format!("{headers:?}"), r#"["authorization"]"#);
    }
}
