//! The readings of one text: as sent, and as it reads once decoded.
//! Exports `views`. Bounded in depth, number and bytes; decoding never loops.
//! Used by `inspect`, which shows every reading to the rules.
//! Start reading at `views`; one decoder per function below it.

use crate::part::PartKind;

mod base64;
mod blanks;
mod escapes;
mod forms;
mod nested;

pub(crate) use base64::decode as decode_base64;
pub(crate) use escapes::hex_run;

/// How deep decodings may follow each other.
pub const DEPTH_MAX: usize = 4;
/// How many readings one text may have.
pub const VIEWS_MAX: usize = 96;

/// One reading of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The decoded bytes.
    pub bytes: Vec<u8>,
    /// The decodings that led here, in order.
    pub chain: Vec<&'static str>,
    /// Nested JSON has names of its own.
    pub kind: PartKind,
}

struct Budget {
    bytes_left: usize,
    /// Something was not decoded for want of room.
    truncated: bool,
}

/// All readings of `text` beyond the text itself, in the order of discovery.
///
/// The bytes of all readings together stay below six times the text plus 64 KiB. The second value
/// says that something was left undecoded: the caller refuses such a text.
pub fn views(text: &[u8], kind: PartKind, decode: bool) -> (Vec<View>, bool) {
    let mut found = Vec::new();
    let signs = Signs::of(text);
    let worth_decoding = decode && base64::may_hold(text);
    if !signs.any() && !worth_decoding {
        return (found, false);
    }
    let mut budget = Budget {
        bytes_left: text.len().saturating_mul(6).saturating_add(64 << 10),
        truncated: false,
    };
    forms::add(text, &[], kind, &mut found, &mut budget);
    if decode {
        expand(text, &[], kind, &mut found, &mut budget);
        let mut next = 0;
        while let Some(view) = found.get(next).cloned() {
            next += 1;
            if view.chain.len() < DEPTH_MAX && !forms::is_final(&view) {
                forms::add(&view.bytes, &view.chain, view.kind, &mut found, &mut budget);
                expand(&view.bytes, &view.chain, view.kind, &mut found, &mut budget);
            }
        }
    }
    (found, budget.truncated)
}

fn expand(
    text: &[u8],
    chain: &[&'static str],
    kind: PartKind,
    found: &mut Vec<View>,
    budget: &mut Budget,
) {
    if let Some(bytes) = escapes::percent(text) {
        push(found, budget, bytes, chain, "percent", kind);
    }
    if let Some(bytes) = escapes::backslash(text) {
        push(found, budget, bytes, chain, "unicode_escape", kind);
    }
    if let Some(bytes) = escapes::entities(text) {
        push(found, budget, bytes, chain, "html_entity", kind);
    }
    base64::each(text, &mut |bytes, name| {
        push(found, budget, bytes, chain, name, kind);
    });
    nested::each(text, &mut |bytes, part| {
        push(found, budget, bytes, chain, "json", part);
    });
}

fn push(
    found: &mut Vec<View>,
    budget: &mut Budget,
    bytes: Vec<u8>,
    chain: &[&'static str],
    step: &'static str,
    kind: PartKind,
) {
    if bytes.is_empty()
        || found
            .iter()
            .any(|view| view.bytes == bytes && view.kind == kind)
    {
        return;
    }
    if found.len() >= VIEWS_MAX || bytes.len() > budget.bytes_left {
        budget.truncated = true;
        return;
    }
    budget.bytes_left -= bytes.len();
    let mut chain = chain.to_vec();
    chain.push(step);
    found.push(View { bytes, chain, kind });
}

/// Which bytes occur that could begin an encoding. One pass over the text.
#[derive(Clone, Copy, Debug, Default)]
struct Signs(bool);

impl Signs {
    fn of(text: &[u8]) -> Signs {
        Signs(
            text.iter().any(|byte| {
                matches!(
                    byte,
                    b'%' | b'\\'
                        | b'&'
                        | b'{'
                        | b'['
                        | b'"'
                        | b'\''
                        | b'^'
                        | b'`'
                        | b'$'
                        | b'*'
                        | b'+'
                        | b'\0'
                        | 0x1B
                ) || *byte == 0xEF
                    || *byte == 0xE0
                    || *byte == 0xE2
                    || *byte == 0xF0
                    || *byte == 0xCA
                    || *byte == 0xC0
                    || *byte == 0xC1
            }) || blanks::may_hold(text),
        )
    }

    fn any(self) -> bool {
        self.0
    }
}
