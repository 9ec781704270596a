//! Header fields in one block of bytes: names lower-cased, values as received, order kept.
//! Gives `Headers`. Two allocations for a whole head; look-up is a scan, heads are short.
//! Used by net, the canonical request, identity, contract and the gateway.
//! Start reading at `Headers`.

use std::fmt;

#[derive(Clone, Copy, Debug)]
struct Slot {
    name: (u32, u32),
    value: (u32, u32),
}

/// Header fields in the order received. Names are ASCII lower case.
#[derive(Clone, Default)]
pub struct Headers {
    block: Vec<u8>,
    slots: Vec<Slot>,
}

impl Headers {
    /// No fields.
    pub fn new() -> Self {
        Headers::default()
    }

    /// No fields, with room for a usual head.
    pub fn with_room(fields: usize, bytes: usize) -> Self {
        Headers {
            block: Vec::with_capacity(bytes),
            slots: Vec::with_capacity(fields),
        }
    }

    /// Appends a field; the name is folded to lower case. Bytes that could end a line are turned into
    /// spaces, so that nothing appended here can split a head.
    pub fn push(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let name = self.append(name.bytes().map(|b| b.to_ascii_lowercase()));
        let value = self.append(value.as_ref().iter().map(|b| {
            if matches!(b, 0 | b'\r' | b'\n') {
                b' '
            } else {
                *b
            }
        }));
        self.slots.push(Slot { name, value });
    }

    fn append(&mut self, bytes: impl Iterator<Item = u8>) -> (u32, u32) {
        let start = self.block.len();
        self.block.extend(bytes);
        let as_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        (as_u32(start), as_u32(self.block.len()))
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

    /// Keeps the fields for which `keep(name, value)` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &[u8]) -> bool) {
        let block = &self.block;
        self.slots
            .retain(|slot| keep(text(block, slot.name), piece(block, slot.value)));
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
            .map(|s| (text(&self.block, s.name), piece(&self.block, s.value)))
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

fn piece(block: &[u8], (start, end): (u32, u32)) -> &[u8] {
    block.get(start as usize..end as usize).unwrap_or_default()
}

fn text(block: &[u8], range: (u32, u32)) -> &str {
    std::str::from_utf8(piece(block, range)).unwrap_or_default()
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
