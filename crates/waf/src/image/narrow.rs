//! A pattern cut down to the bytes of a language: whatever needs another byte falls away.
//! Exports `narrowed` and `weight`. Over texts of those bytes the cut pattern matches exactly what the whole one matches.
//! Used by `image`, for which a small pattern is a small automaton.
//! Start reading at `narrowed`.

use crate::bytes::ByteSet;
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind, Repetition};

/// The pattern over these bytes alone; `None` when no text of them can match it.
pub(super) fn narrowed(pattern: &Hir, bytes: &ByteSet) -> Option<Hir> {
    let ranges = bytes.iter().map(|byte| ClassBytesRange::new(byte, byte));
    cut(pattern, &ClassBytes::new(ranges), bytes)
}

fn cut(pattern: &Hir, class: &ClassBytes, bytes: &ByteSet) -> Option<Hir> {
    let cut = |sub: &Hir| cut(sub, class, bytes);
    match pattern.kind() {
        // What a look asks of the bytes around it stays the same.
        HirKind::Empty | HirKind::Look(_) => Some(pattern.clone()),
        HirKind::Literal(text) => {
            let is_of_bytes = text.0.iter().all(|byte| bytes.has(*byte));
            is_of_bytes.then(|| pattern.clone())
        }
        HirKind::Class(all) => {
            // Single letters side by side are read as a class of characters; others than ASCII stay as they are.
            let Some(mut kept) = of_bytes(all) else {
                return Some(pattern.clone());
            };
            kept.intersect(class);
            (!kept.ranges().is_empty()).then(|| Hir::class(Class::Bytes(kept)))
        }
        HirKind::Repetition(repeated) => match cut(&repeated.sub) {
            Some(sub) => Some(Hir::repetition(Repetition {
                sub: Box::new(sub),
                ..repeated.clone()
            })),
            None => (repeated.min == 0).then(Hir::empty),
        },
        HirKind::Capture(group) => cut(&group.sub),
        HirKind::Concat(parts) => {
            let parts = parts.iter().map(cut).collect::<Option<_>>()?;
            Some(Hir::concat(parts))
        }
        HirKind::Alternation(choices) => {
            let left: Vec<Hir> = choices.iter().filter_map(cut).collect();
            (!left.is_empty()).then(|| Hir::alternation(left))
        }
    }
}

fn of_bytes(class: &Class) -> Option<ClassBytes> {
    match class {
        Class::Bytes(class) => Some(class.clone()),
        Class::Unicode(class) => class.to_byte_class(),
    }
}

/// About how many states an automaton of the pattern has.
pub(super) fn weight(pattern: &Hir) -> usize {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) => 1,
        HirKind::Literal(text) => text.0.len(),
        HirKind::Repetition(repeated) => {
            let times = repeated.max.unwrap_or(repeated.min).max(1);
            let times = usize::try_from(times).unwrap_or(usize::MAX);
            weight(&repeated.sub).saturating_mul(times)
        }
        HirKind::Capture(group) => weight(&group.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            let weights = parts.iter().map(weight);
            weights.fold(0, usize::saturating_add)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex_automata::meta;

    fn read(pattern: &str) -> Hir {
        crate::syntax::parse(pattern).unwrap()
    }

    fn matches(pattern: &Hir, text: &[u8]) -> bool {
        meta::Builder::new()
            .build_from_hir(pattern)
            .unwrap()
            .is_match(text)
    }

    #[test]
    fn what_needs_another_byte_falls_away() {
        let digits = ByteSet::of(b"0123456789-");
        let left = |pattern: &str| narrowed(&read(pattern), &digits).map(|left| weight(&left));
        assert_eq!(left("union|select"), None);
        assert_eq!(left("[0-9]+(?:a|b)"), None);
        assert_eq!(left("union.{0,300}|--"), Some(2));
        assert_eq!(left("[0-9a-z]x?"), Some(1));
        assert_eq!(left("^$"), Some(2));
    }

    proptest! {
        /// Over the bytes that it was cut down to a pattern means what it meant before.
        #[test]
        fn a_cut_pattern_matches_what_the_whole_one_matches(
            pattern in r"(\^|\\b)?(\(?[a-d.]{1,3}(\||\?|\*|\{0,2\})?\)?|\[b-d\]\{1,3\}|(ab\|cd)|\[\^a\]){1,4}\$?",
            text in "[abc-]{0,8}",
        ) {
            let Ok(pattern) = crate::syntax::parse(&pattern) else { return Ok(()) };
            let cut = narrowed(&pattern, &ByteSet::of(b"abc-"));
            let left = cut.is_some_and(|cut| matches(&cut, text.as_bytes()));
            prop_assert_eq!(left, matches(&pattern, text.as_bytes()), "{}", text);
        }
    }
}
