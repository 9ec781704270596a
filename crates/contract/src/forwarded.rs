//! Request fields that travel to an upstream although no contract declares them, and what each of them may hold.
//! Exports `Forwarded` (the fields of one request) and `FIELDS`. Pure.
//! Used by config (what is proven about such texts), and by gateway's stages `inspect` and `upstream`: what is inspected
//! is what is written.
//! Start reading at `FIELDS`, then at `Forwarded::of`.

use std::borrow::Cow;

use model::Headers;

use crate::language::Language;
use crate::plan::{Operation, Place};

/// One field of this kind.
#[derive(Clone, Copy, Debug)]
pub struct ForwardedField {
    /// Its name, in lower case.
    pub name: &'static str,
    /// What it may hold.
    pub grammar: FieldGrammar,
}

/// What a field may hold.
#[derive(Clone, Copy, Debug)]
pub enum FieldGrammar {
    /// Any text, so that inspection has to look at it.
    Free,
    /// Entity tags. They were sealed for the caller and are the upstream's own again: nothing in them is the caller's.
    Tags,
    /// What its standard says, for fields that a server may disregard (RFC 9110 §12.1, RFC 7240 §2, Trace Context §3.2).
    /// What does not fit is dropped.
    /// The text is a pattern of what nearly every request has there: which rules can meet it is decided when a configuration loads.
    Fits(fn(&[u8]) -> bool, &'static str),
}

/// Every such field. A copy of the caller's field that is in no contract and not in this list ends at the gateway.
pub const FIELDS: [ForwardedField; COUNT] = [
    strict("accept-language", accept_language, LANGUAGES),
    free("idempotency-key"),
    tags("if-match"),
    tags("if-none-match"),
    strict("prefer", prefer, PREFERENCES),
    strict("traceparent", traceparent, TRACE),
    free("user-agent"),
];

const COUNT: usize = 7;

const LANGUAGES: &str =
    r"^[A-Za-z]{1,3}(?:-[A-Za-z0-9]{1,4})?(?:, ?[A-Za-z]{1,3}(?:-[A-Za-z0-9]{1,4})?)*$";
const PREFERENCES: &str =
    r"^(?:return=(?:minimal|representation)|respond-async|handling=(?:strict|lenient))$";
const TRACE: &str = r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$";

const fn free(name: &'static str) -> ForwardedField {
    ForwardedField {
        name,
        grammar: FieldGrammar::Free,
    }
}

const fn tags(name: &'static str) -> ForwardedField {
    ForwardedField {
        name,
        grammar: FieldGrammar::Tags,
    }
}

const fn strict(
    name: &'static str,
    fits: fn(&[u8]) -> bool,
    usual: &'static str,
) -> ForwardedField {
    ForwardedField {
        name,
        grammar: FieldGrammar::Fits(fits, usual),
    }
}

impl ForwardedField {
    /// The language of its usual texts; free where there are none.
    pub fn language(&self) -> Language {
        match self.grammar {
            FieldGrammar::Free | FieldGrammar::Tags => Language::Free,
            FieldGrammar::Fits(_, source) => Language::Pattern {
                source: source.into(),
                length_max: None,
            },
        }
    }

    /// Whether inspection has to look at it: the caller decides what stands there.
    pub fn is_inspected(&self) -> bool {
        !matches!(self.grammar, FieldGrammar::Tags)
    }

    /// Whether most requests of one client have the same text there, and it is no secret.
    pub fn recurs(&self) -> bool {
        self.name != "idempotency-key"
    }

    fn admits(&self, value: &[u8]) -> bool {
        match self.grammar {
            FieldGrammar::Free | FieldGrammar::Tags => true,
            FieldGrammar::Fits(fits, _) => fits(value),
        }
    }
}

/// The fields of one request that are written for the upstream. A field sent in several lines is one list
/// (RFC 9110 §5.3), and is written and inspected as one.
#[derive(Clone, Debug, Default)]
pub struct Forwarded<'h> {
    values: [Option<Cow<'h, [u8]>>; COUNT],
}

impl<'h> Forwarded<'h> {
    /// Those among these headers that the operation does not declare and that hold what they may.
    pub fn of(headers: &'h Headers, operation: &Operation) -> Forwarded<'h> {
        let mut forwarded = Forwarded::default();
        for (name, value) in headers.iter() {
            let Some(place) = FIELDS.iter().position(|field| field.name == name) else {
                continue;
            };
            if let Some(slot) = forwarded.values.get_mut(place) {
                match slot {
                    None => *slot = Some(Cow::Borrowed(value)),
                    Some(list) => {
                        let list = list.to_mut();
                        list.extend_from_slice(b", ");
                        list.extend_from_slice(value);
                    }
                }
            }
        }
        for (field, slot) in FIELDS.iter().zip(&mut forwarded.values) {
            let is_written = |value: &Cow<'_, [u8]>| {
                field.admits(value) && operation.parameter(Place::Header, field.name).is_none()
            };
            *slot = slot.take().filter(is_written);
        }
        forwarded
    }

    /// Each field with its place in [`FIELDS`] and its value.
    pub fn iter(
        &self,
    ) -> impl Iterator<Item = (usize, &'static ForwardedField, &[u8])> + use<'_, 'h> {
        let fields = FIELDS.iter().zip(&self.values).enumerate();
        fields.filter_map(|(place, (field, value))| Some((place, field, value.as_deref()?)))
    }

    /// Whether inspection has nothing to look at.
    pub fn is_closed(&self) -> bool {
        !self.iter().any(|(_, field, _)| field.is_inspected())
    }
}

/// `#( language-range [ weight ] )` (RFC 9110 §12.5.4, RFC 4647 §2.1). `en_US` is often sent for `en-US`.
fn accept_language(value: &[u8]) -> bool {
    const RANGE_MAX: usize = 35;
    list(value, |range| {
        let mut pieces = Pieces::of(range, b';');
        let is_range = |range: &[u8]| {
            let mut subtags = range.split(|byte| matches!(byte, b'-' | b'_'));
            range.len() <= RANGE_MAX
                && (range == b"*"
                    || subtags.all(|tag| {
                        (1..=8).contains(&tag.len()) && tag.iter().all(u8::is_ascii_alphanumeric)
                    }))
        };
        let is_weight = |weight: &[u8]| {
            let number = weight.strip_prefix(b"q=").unwrap_or_default();
            (1..=6).contains(&number.len())
                && number
                    .iter()
                    .all(|byte| byte.is_ascii_digit() || *byte == b'.')
        };
        pieces.next().is_some_and(is_range) && pieces.all(is_weight)
    })
}

/// `#( preference )` (RFC 7240 §2).
fn prefer(value: &[u8]) -> bool {
    list(value, |preference| {
        let mut pieces = Pieces::of(preference, b';');
        pieces.all(|piece| is_restricted(piece) || is_parameter(piece))
    })
}

/// Version 00 of Trace Context, §3.2: a later version is read by nobody yet.
fn traceparent(value: &[u8]) -> bool {
    const LENGTHS: [usize; 4] = [2, 32, 16, 2];
    let is_lower_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let mut parts = value.split(|byte| *byte == b'-');
    value.starts_with(b"00-")
        && LENGTHS.iter().all(|length| {
            let part = parts.next().unwrap_or_default();
            part.len() == *length && part.iter().all(is_lower_hex)
        })
        && parts.next().is_none()
}

/// Whether every element of a list (RFC 9110 §5.6.1) is one; empty elements are passed over.
fn list(value: &[u8], is_element: impl Fn(&[u8]) -> bool) -> bool {
    const ELEMENTS_MAX: usize = 64;
    let mut elements = Pieces::of(value, b',').filter(|element| !element.is_empty());
    elements.by_ref().take(ELEMENTS_MAX).all(is_element) && elements.next().is_none()
}

/// `name=token` or `name="text"`, with blanks around the sign at most in `Prefer`.
fn is_parameter(piece: &[u8]) -> bool {
    let mut sides = piece.splitn(2, |byte| *byte == b'=');
    let (Some(name), Some(value)) = (sides.next(), sides.next()) else {
        return false;
    };
    let value = value.trim_ascii();
    let quoted = || {
        value
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""))
    };
    is_restricted(name.trim_ascii())
        && (value.is_empty() || is_restricted(value) || quoted().is_some_and(is_quoted))
}

/// The names of RFC 6838 §4.2, and the star.
fn is_restricted(name: &[u8]) -> bool {
    (1..=127).contains(&name.len())
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+*".contains(byte))
}

/// What may stand between two quotes, escapes aside: they have no use in these fields.
fn is_quoted(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
}

/// The pieces of a text between separators that stand outside of quotes, without the blanks around them.
struct Pieces<'t> {
    rest: Option<&'t [u8]>,
    separator: u8,
}

impl<'t> Pieces<'t> {
    fn of(text: &'t [u8], separator: u8) -> Pieces<'t> {
        Pieces {
            rest: Some(text),
            separator,
        }
    }
}

impl<'t> Iterator for Pieces<'t> {
    type Item = &'t [u8];

    fn next(&mut self) -> Option<&'t [u8]> {
        let text = self.rest?;
        let mut is_quoted = false;
        let end = text.iter().position(|byte| {
            is_quoted ^= *byte == b'"';
            *byte == self.separator && !is_quoted
        });
        let (piece, rest) = match end {
            Some(end) => (text.get(..end), text.get(end + 1..)),
            None => (Some(text), None),
        };
        self.rest = rest;
        piece.map(<[u8]>::trim_ascii)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(name: &str, value: &str) -> bool {
        let field = FIELDS.iter().find(|field| field.name == name).unwrap();
        field.admits(value.as_bytes())
    }

    #[test]
    fn what_clients_send_fits() {
        for (name, value) in [
            ("accept-language", "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7"),
            ("accept-language", "*"),
            ("accept-language", "en_US"),
            ("accept-language", "zh-Hans-CN, sr-Latn-RS;q=0.7"),
            ("prefer", "return=minimal"),
            ("prefer", "respond-async, wait=10"),
            ("prefer", "return=representation; foo=\"some text\""),
            ("prefer", "odata.maxpagesize=50"),
            ("prefer", "outlook.timezone=\"Europe/Berlin\""),
            (
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ),
        ] {
            assert!(fits(name, value), "{name}: {value}");
        }
    }

    #[test]
    fn what_is_no_such_list_does_not_fit() {
        for (name, value) in [
            ("accept-language", "en; drop table x"),
            ("accept-language", "../../etc/passwd"),
            ("accept-language", "en;q=0.8x"),
            ("accept-language", "{{7*7}}"),
            ("prefer", "return=minimal; $(id)"),
            ("prefer", "a=\"b\\\""),
            ("prefer", "<x>"),
            (
                "traceparent",
                "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ),
            (
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            ),
            (
                "traceparent",
                "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            ),
            (
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            ),
            ("traceparent", ""),
        ] {
            assert!(!fits(name, value), "{name}: {value}");
        }
        assert!(!fits("accept-language", &"de,".repeat(65)));
    }
}
