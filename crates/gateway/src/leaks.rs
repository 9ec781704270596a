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
use crate::wide_text::{narrowed, widened};

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

/// Looks at a file that was let out. In a text that is a file numbers and keys are masked where they stand; where no end is known of
/// what was found, the whole text is. Other files would be broken by that, and hold such numbers by chance: of those a finding is
/// noted, and only what blocks keeps them here.
pub fn guard_file(bytes: &[u8], media_type: &str, rules: &ResponseRules) -> Guarded {
    let mut out = Guarded::default();
    let wide = narrowed(bytes);
    let text = wide.as_deref().unwrap_or(bytes);
    let is_text = match &wide {
        // Other files have zeros too.
        Some(_) => media_type.starts_with("text/"),
        None => std::str::from_utf8(bytes).is_ok(),
    };
    let Found { mut leaks, is_cut } = Found::of(text, rules);
    for kind in kinds(&leaks) {
        let what = match rules.action(kind) {
            LeakAction::Mask if !is_text => LeakAction::Observe,
            action => action,
        };
        out.is_blocked |= what == LeakAction::Block;
        out.seen.push(seen(kind.name(), "", what));
    }
    leaks.retain(|leak| is_text && rules.action(leak.kind) == LeakAction::Mask);
    if !leaks.is_empty() {
        out.body = Some(match &wide {
            _ if !have_ends(&leaks, is_cut) => HIDDEN.as_bytes().to_vec(),
            Some(text) => widened(bytes, &masked(text, &leaks)),
            None => masked(bytes, &leaks),
        });
    }
    out
}

/// What stands for a text that is masked as a whole.
const HIDDEN: &str = "***";

/// The places of one text.
struct Found {
    leaks: Vec<Leak>,
    /// There may be more of them than are told.
    is_cut: bool,
}

impl Found {
    fn of(text: &[u8], rules: &ResponseRules) -> Found {
        let (mut leaks, is_cut) = rules.scanner.find_some(text, &rules.kinds);
        // What blocks is not to be missed behind many that do not.
        let mut blocking: Vec<LeakKind> = rules.kinds.clone();
        blocking.retain(|kind| is_cut && rules.action(*kind) == LeakAction::Block);
        for kind in blocking {
            leaks.extend(rules.scanner.find(text, &[kind]).first().copied());
        }
        Found { leaks, is_cut }
    }
}

/// Whether it is known of each place where it ends, and of every place that it is among these: of numbers and service keys only.
fn have_ends(leaks: &[Leak], is_cut: bool) -> bool {
    !is_cut && leaks.iter().all(|leak| has_end(leak.kind))
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

/// The finding of a URL of the upstream that was withheld.
pub fn upstream_url() -> Finding {
    seen("upstream_url", "", LeakAction::Mask)
}

fn seen(rule: &'static str, pointer: &str, action: LeakAction) -> Finding {
    Finding {
        class: CLASS.into(),
        place: "answer".into(),
        pointer: bounded(pointer, finding::POINTER_BYTES_MAX),
        rule: rule.into(),
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
        let found = Found::of(text.as_bytes(), self.rules);
        let Found { mut leaks, is_cut } = found;
        leaks.retain(|leak| !is_expected(leak.kind, node));
        for kind in kinds(&leaks) {
            let action = self.rules.action(kind);
            self.out.is_blocked |= action == LeakAction::Block;
            self.out.seen.push(seen(kind.name(), &self.pointer, action));
        }
        leaks.retain(|leak| self.rules.action(leak.kind) == LeakAction::Mask);
        if leaks.is_empty() {
            return None;
        }
        if !have_ends(&leaks, is_cut) {
            return Some(HIDDEN.to_owned());
        }
        Some(String::from_utf8_lossy(&masked(text.as_bytes(), &leaks)).into_owned())
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
