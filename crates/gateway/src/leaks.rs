//! Data that must not leave with an answer: found in the texts that were let out, masked or held back.
//! Exports `guard`, `guard_file`, and `is_passed` for texts of our own. Run behind the field filter, on the bytes the caller would get.
//! Used by stage `response`.
//! Start reading at `guard`.
//!
//! Most answers hold nothing that reads like such data. One pass over the whole body says so, and they leave as they
//! are. Only where something was found is the body taken apart to learn in which field it stands.

use config::leaks::{LeakAction, ResponseRules};
use contract::Operation;
use model::event::Finding;
use model::json::{self, write};
use model::shape::{Class, Node};
use model::{Json, Shape, Text};
use waf::{Leak, LeakKind, masked};

use crate::bounds::{RESPONSE_BOUNDS, bounded};
use crate::finding;

/// The class under which leaks stand in the record.
pub const CLASS: &str = "response.leak";

/// What was found in an answer.
#[derive(Debug, Default)]
pub struct Guarded {
    /// What was seen, in order.
    pub seen: Vec<Finding>,
    /// The body to send instead; `None` when it leaves as it is.
    pub body: Option<Vec<u8>>,
    /// Something may not leave at all.
    pub is_blocked: bool,
}

/// Looks at a released body.
pub fn guard(body: &[u8], operation: &Operation, status: u16, rules: &ResponseRules) -> Guarded {
    if rules.kinds.is_empty() || body.is_empty() || is_clean(body, rules) {
        return Guarded::default();
    }
    let Ok(mut value) = json::parse(body, RESPONSE_BOUNDS) else {
        // We wrote it; what cannot be read again cannot be judged.
        return Guarded {
            is_blocked: true,
            ..Guarded::default()
        };
    };
    let shape = operation
        .response(status)
        .map(|response| &response.shape)
        .filter(|shape| !shape.is_empty())
        .or_else(|| operation.response_shape());
    let mut walk = Walk {
        rules,
        shape,
        pointer: String::new(),
        is_changed: false,
        out: Guarded::default(),
    };
    walk.value(&mut value, shape.and_then(Shape::root));
    let mut out = walk.out;
    if walk.is_changed {
        let mut changed = Vec::with_capacity(body.len());
        write(&value, &mut changed);
        out.body = Some(changed);
    }
    out
}

/// Whether a text of our own leaves as it is. One that is random may read like a key or an account number, and would be
/// masked with the rest of the body: whoever makes one makes another then.
pub fn is_passed(text: &str, rules: &ResponseRules) -> bool {
    rules.scanner.find(text.as_bytes(), &rules.kinds).is_empty()
}

/// Looks at a file that was let out. In a text that is a file numbers and keys are masked where they stand. Other files would
/// be broken by that, and hold such numbers by chance: of those a finding is noted, and only what blocks keeps them here.
pub fn guard_file(bytes: &[u8], rules: &ResponseRules) -> Guarded {
    let mut out = Guarded::default();
    let wide = narrowed(bytes);
    let bytes = wide.as_deref().unwrap_or(bytes);
    let mut found = rules.scanner.find(bytes, &rules.kinds);
    let is_text = wide.is_none() && std::str::from_utf8(bytes).is_ok();
    let is_masked = |kind| rules.action(kind) == LeakAction::Mask && is_text && has_end(kind);
    for kind in kinds(&found) {
        let what = match rules.action(kind) {
            LeakAction::Mask if !is_masked(kind) => LeakAction::Observe,
            action => action,
        };
        out.is_blocked |= what == LeakAction::Block;
        out.seen.push(seen(kind, "", what));
    }
    found.retain(|leak| is_masked(leak.kind));
    out.body = (!found.is_empty()).then(|| masked(bytes, &found));
    out
}

/// The text of a file in UTF-16 or UTF-32 without the zero bytes that stand between its ASCII letters, which is where keys and
/// numbers are found. `None` for any other file.
fn narrowed(bytes: &[u8]) -> Option<Vec<u8>> {
    /// Enough to tell: half of a text of ASCII letters in UTF-16 are zero bytes.
    const LOOKED_AT: usize = 256;
    let start = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let has_mark = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff");
    let zeros = start.iter().filter(|byte| **byte == 0).count();
    let is_wide = has_mark || zeros >= start.len().div_ceil(3).max(2);
    is_wide.then(|| bytes.iter().copied().filter(|byte| *byte != 0).collect())
}

/// Each kind that was found, once.
fn kinds(found: &[Leak]) -> Vec<LeakKind> {
    let mut kinds: Vec<LeakKind> = Vec::new();
    for leak in found {
        if !kinds.contains(&leak.kind) {
            kinds.push(leak.kind);
        }
    }
    kinds
}

fn seen(kind: LeakKind, pointer: &str, action: LeakAction) -> Finding {
    Finding {
        class: CLASS.into(),
        place: "answer".into(),
        pointer: bounded(pointer, finding::POINTER_BYTES_MAX),
        rule: kind.name().into(),
        score: 0,
        paranoia: 1,
        steps: Vec::new(),
        what: action.done().into(),
    }
}

/// Whether nothing in the whole body reads like a leak. What stands in one text also stands in the body, between
/// quotes: escapes are undone first, in place, so that none hides where a word begins.
fn is_clean(body: &[u8], rules: &ResponseRules) -> bool {
    let is_free = |text: &[u8]| rules.scanner.find(text, &rules.kinds).is_empty();
    if body.contains(&b'\\') {
        is_free(&unescaped(body))
    } else {
        is_free(body)
    }
}

/// JSON text with its escapes undone as far as bounds of words go. We wrote it, so only quotes, backslashes and control
/// characters are escaped.
fn unescaped(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let Some((escape, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        match escape {
            b'"' | b'\\' | b'/' => out.push(*escape),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                rest = rest.get(4..).unwrap_or_default();
                out.push(1);
            }
            _ => out.push(1),
        }
    }
    out
}

struct Walk<'r> {
    rules: &'r ResponseRules,
    shape: Option<&'r Shape>,
    pointer: String,
    is_changed: bool,
    out: Guarded,
}

impl<'r> Walk<'r> {
    /// `node` is `None` where the contract says nothing.
    fn value(&mut self, value: &mut Json, node: Option<&'r Node>) {
        match value {
            Json::Text(text) => {
                if let Some(changed) = self.text(text, node) {
                    *text = changed.into();
                    self.is_changed = true;
                }
            }
            Json::List(items) => {
                let item = self.node(node.and_then(|node| node.items));
                for (index, child) in items.iter_mut().enumerate() {
                    self.below(&index.to_string(), |walk| walk.value(child, item));
                }
            }
            Json::Object(members) => self.members(members, node),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn members(&mut self, members: &mut Vec<(Text, Json)>, node: Option<&'r Node>) {
        let mut dropped = Vec::new();
        for (index, (key, child)) in members.iter_mut().enumerate() {
            let declared = node.and_then(|node| node.fields.get(key.as_str()));
            let id = declared.map(|field| field.node);
            let id = id.or(node.and_then(|node| node.values));
            let inner = self.node(id);
            // A name that the contract does not spell out is data too. It cannot be masked, so its member goes.
            if declared.is_none() && self.text(key, None).is_some() {
                dropped.push(index);
                continue;
            }
            let step = key.clone();
            self.below(&step, |walk| walk.value(child, inner));
        }
        if !dropped.is_empty() {
            self.is_changed = true;
            let mut index = 0;
            members.retain(|_| {
                index += 1;
                !dropped.contains(&(index - 1))
            });
        }
    }

    fn node(&self, id: Option<usize>) -> Option<&'r Node> {
        self.shape.zip(id).and_then(|(shape, id)| shape.node(id))
    }

    /// What to send instead of a text; `None` when it may leave as it is.
    fn text(&mut self, text: &str, node: Option<&Node>) -> Option<String> {
        let mut found = self.rules.scanner.find(text.as_bytes(), &self.rules.kinds);
        found.retain(|leak| !is_expected(leak.kind, node));
        for kind in kinds(&found) {
            let action = self.rules.action(kind);
            self.out.is_blocked |= action == LeakAction::Block;
            self.out.seen.push(seen(kind, &self.pointer, action));
        }
        found.retain(|leak| self.rules.action(leak.kind) == LeakAction::Mask);
        if found.is_empty() {
            return None;
        }
        // Where such data ends is known of numbers and service keys only.
        if !found.iter().all(|leak| has_end(leak.kind)) {
            return Some("***".to_owned());
        }
        Some(String::from_utf8_lossy(&masked(text.as_bytes(), &found)).into_owned())
    }

    fn below(&mut self, step: &str, walk: impl FnOnce(&mut Self)) {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer
            .push_str(&step.replace('~', "~0").replace('/', "~1"));
        walk(self);
        self.pointer.truncate(length);
    }
}

/// Whether the contract tells us to expect a number there: the field is declared sensitive, and was granted as such, or
/// its texts are fixed by a pattern, a list or a format, where check digits come out right by chance.
fn is_expected(kind: LeakKind, node: Option<&Node>) -> bool {
    let is_number = matches!(kind, LeakKind::CardNumber | LeakKind::Iban);
    is_number
        && node.is_some_and(|node| {
            node.class >= Class::Sensitive || (node.is_leaf && !node.is_free_text)
        })
}

fn has_end(kind: LeakKind) -> bool {
    matches!(
        kind,
        LeakKind::CardNumber | LeakKind::Iban | LeakKind::ServiceKey
    )
}

#[cfg(test)]
mod tests;
