//! What every match of a pattern must contain: one of some literals, a byte of some classes.
//! Exports `Needs::of`. Errs on the side of needing nothing.
//! Used by `PatternSet::compile`; the property test beside `scan` holds it to its promise.
//! Start reading at `Needs::of`.

use crate::bytes::ByteSet;
use regex_syntax::hir::{Class, Hir, HirKind};
use std::collections::BTreeSet;

const EXACT_MAX: usize = 96;
const ALTERNATIVES_MAX: usize = 4000;
const LENGTH_MAX: usize = 24;
const LENGTH_MIN: usize = 2;
const CLASSES_MAX: usize = 4;

type Strings = BTreeSet<Vec<u8>>;

/// The needs of one pattern.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Every match contains one of these, letter case aside.
    pub literals: Option<Vec<Vec<u8>>>,
    /// Every match contains a byte of each of these.
    pub classes: Vec<ByteSet>,
}

impl Needs {
    /// Reads the needs off a parsed pattern.
    pub fn of(hir: &Hir) -> Needs {
        let literals = best_of(&read(hir)).map(|set| set.into_iter().collect());
        let mut classes = classes(hir);
        classes.sort_by_key(ByteSet::len);
        classes.dedup();
        classes.truncate(CLASSES_MAX);
        classes.retain(|class| class.len() < 200);
        Needs { literals, classes }
    }
}

/// What is known about the strings of one expression.
struct Known {
    /// The complete set of strings it matches, lower case, when small.
    exact: Option<Strings>,
    /// Every match contains one of these.
    inner: Option<Strings>,
}

impl Known {
    fn nothing() -> Known {
        Known {
            exact: None,
            inner: None,
        }
    }

    fn only(text: Vec<u8>) -> Known {
        Known {
            exact: Some(Strings::from([text])),
            inner: None,
        }
    }
}

fn read(hir: &Hir) -> Known {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Known::only(Vec::new()),
        HirKind::Literal(literal) => literal_known(&literal.0),
        HirKind::Class(class) => class_known(class),
        HirKind::Capture(capture) => read(&capture.sub),
        HirKind::Repetition(repeat) => repeated(repeat.min, repeat.max, read(&repeat.sub)),
        HirKind::Concat(parts) => concat(parts),
        HirKind::Alternation(parts) => alternation(parts),
    }
}

fn literal_known(bytes: &[u8]) -> Known {
    let text = bytes.to_ascii_lowercase();
    if text.len() <= LENGTH_MAX {
        return Known::only(text);
    }
    Known {
        exact: None,
        inner: text
            .get(..LENGTH_MAX)
            .map(|head| Strings::from([head.to_vec()])),
    }
}

fn class_known(class: &Class) -> Known {
    let set = class_bytes(class);
    let mut folded = Strings::new();
    for byte in 0u8..=255 {
        if set.has(byte) {
            folded.insert(vec![byte.to_ascii_lowercase()]);
        }
        if folded.len() > 8 {
            return Known::nothing();
        }
    }
    if folded.is_empty() {
        return Known::nothing();
    }
    Known {
        exact: Some(folded),
        inner: None,
    }
}

fn repeated(min: u32, max: Option<u32>, sub: Known) -> Known {
    if min == 0 {
        let exact = match (max, sub.exact) {
            (Some(1), Some(mut set)) => {
                set.insert(Vec::new());
                Some(set)
            }
            _ => None,
        };
        return Known { exact, inner: None };
    }
    if max == Some(min) && min <= 4 {
        let once = sub.exact.clone();
        let mut product = once.clone();
        for _ in 1..min {
            product = match (product, &once) {
                (Some(left), Some(right)) => cross(&left, right),
                _ => None,
            };
        }
        if product.is_some() {
            return Known {
                exact: product,
                inner: sub.inner,
            };
        }
    }
    Known {
        exact: None,
        inner: best_of(&sub),
    }
}

fn concat(parts: &[Hir]) -> Known {
    let mut run = Strings::from([Vec::new()]);
    let mut whole = true;
    let mut best: Option<Strings> = None;
    for part in parts {
        let known = read(part);
        let grown = known.exact.as_ref().and_then(|exact| cross(&run, exact));
        if let Some(grown) = grown {
            run = grown;
            continue;
        }
        whole = false;
        best = better(best, usable(&run));
        best = better(best, best_of(&known));
        run = match known.exact {
            Some(exact) => exact,
            None => Strings::from([Vec::new()]),
        };
    }
    if whole {
        return Known {
            exact: Some(run),
            inner: None,
        };
    }
    Known {
        exact: None,
        inner: better(best, usable(&run)),
    }
}

fn alternation(parts: &[Hir]) -> Known {
    let mut exact = Some(Strings::new());
    let mut inner = Some(Strings::new());
    for part in parts {
        let known = read(part);
        let best = best_of(&known);
        exact = match (exact, known.exact) {
            (Some(mut all), Some(more)) if all.len() + more.len() <= ALTERNATIVES_MAX => {
                all.extend(more);
                Some(all)
            }
            _ => None,
        };
        inner = match (inner, best) {
            (Some(mut all), Some(more)) if all.len() + more.len() <= ALTERNATIVES_MAX => {
                all.extend(more);
                Some(all)
            }
            _ => None,
        };
    }
    Known { exact, inner }
}

/// Every string of the left followed by every string of the right, when that stays small.
fn cross(left: &Strings, right: &Strings) -> Option<Strings> {
    let limit = if left.len() == 1 || right.len() == 1 {
        ALTERNATIVES_MAX
    } else {
        EXACT_MAX
    };
    if left.len() * right.len() > limit {
        return None;
    }
    let mut out = Strings::new();
    for head in left {
        for tail in right {
            if head.len() + tail.len() > LENGTH_MAX {
                return None;
            }
            out.insert([head.as_slice(), tail.as_slice()].concat());
        }
    }
    Some(out)
}

fn best_of(known: &Known) -> Option<Strings> {
    better(known.exact.as_ref().and_then(usable), known.inner.clone())
}

fn usable(set: &Strings) -> Option<Strings> {
    let short = set.iter().any(|text| text.len() < LENGTH_MIN);
    (!set.is_empty() && !short && set.len() <= ALTERNATIVES_MAX).then(|| set.clone())
}

fn better(left: Option<Strings>, right: Option<Strings>) -> Option<Strings> {
    match (left, right) {
        (Some(left), Some(right)) => {
            let worth = |set: &Strings| {
                let shortest = set.iter().map(Vec::len).min().unwrap_or(0);
                (shortest.min(4), usize::MAX - set.len())
            };
            Some(if worth(&right) > worth(&left) {
                right
            } else {
                left
            })
        }
        (left, right) => left.or(right),
    }
}

fn class_bytes(class: &Class) -> ByteSet {
    let mut set = ByteSet::default();
    match class {
        Class::Bytes(class) => {
            for range in class.ranges() {
                set.add_range(range.start(), range.end());
            }
        }
        // Unicode is off; a class that still is one needs nothing from the filter.
        Class::Unicode(_) => set.add_range(0, 255),
    }
    set
}

/// Byte sets of which every match holds at least one byte each.
fn classes(hir: &Hir) -> Vec<ByteSet> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Vec::new(),
        HirKind::Literal(literal) => {
            let mut sets: Vec<ByteSet> = literal.0.iter().map(|byte| single(*byte)).collect();
            // Punctuation is rarer than letters in ordinary texts.
            sets.sort_by_key(|set| {
                (32u8..127).any(|byte| byte.is_ascii_alphanumeric() && set.has(byte))
            });
            sets.truncate(CLASSES_MAX);
            sets
        }
        HirKind::Class(class) => vec![class_bytes(class)],
        HirKind::Capture(capture) => classes(&capture.sub),
        HirKind::Repetition(repeat) if repeat.min > 0 => classes(&repeat.sub),
        HirKind::Repetition(_) => Vec::new(),
        HirKind::Concat(parts) => {
            let mut all: Vec<ByteSet> = parts.iter().flat_map(classes).collect();
            all.sort_by_key(ByteSet::len);
            all.dedup();
            all.truncate(CLASSES_MAX * 2);
            all
        }
        HirKind::Alternation(parts) => {
            let mut union = ByteSet::default();
            for part in parts {
                let Some(smallest) = classes(part).into_iter().min_by_key(ByteSet::len) else {
                    return Vec::new();
                };
                union = union.with(&smallest);
            }
            vec![union]
        }
    }
}

fn single(byte: u8) -> ByteSet {
    let mut set = ByteSet::default();
    set.add(byte);
    set
}
