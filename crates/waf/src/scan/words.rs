//! Which of many literals occur in a text, letter case aside: one pass, a few instructions for each byte.
//! Exports `Words`.
//! Used by `PatternSet`.
//! Start reading at `Words::each`. The library's own search for overlapping matches keeps places and order, too, which costs
//! more for each byte than learning which literals occur.

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::{Anchored, BuildError, MatchKind, dfa, nfa::contiguous};

/// So many literals are looked for with a table of all states, the fastest reader; for thousands it would not stay in the
/// caches.
const TABLE_MAX: usize = 128;

/// The compiled literals.
#[derive(Debug)]
pub(super) enum Words {
    Table(dfa::DFA),
    Compact(contiguous::NFA),
}

impl Words {
    /// Compiles literals; none of them is empty.
    pub(super) fn new<'l>(
        literals: impl ExactSizeIterator<Item = &'l Vec<u8>>,
    ) -> Result<Words, BuildError> {
        // Without a prefilter no state but those of matches is special.
        if literals.len() <= TABLE_MAX {
            let table = dfa::DFA::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .prefilter(false)
                .build(literals)?;
            return Ok(Words::Table(table));
        }
        let compact = contiguous::NFA::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(literals)?;
        Ok(Words::Compact(compact))
    }

    /// Calls `found` with the number of every literal that occurs, as often as it does.
    pub(super) fn each(&self, text: &[u8], found: impl FnMut(usize)) {
        match self {
            Words::Table(table) => each(table, text, found),
            Words::Compact(compact) => each(compact, text, found),
        }
    }
}

fn each(automaton: &impl Automaton, text: &[u8], mut found: impl FnMut(usize)) {
    // Both are built for searches that begin anywhere.
    let Ok(mut state) = automaton.start_state(Anchored::No) else {
        return;
    };
    for byte in text {
        state = automaton.next_state(Anchored::No, state, *byte);
        if automaton.is_special(state) {
            matches(automaton, state, &mut found);
        }
    }
}

/// Kept out of the loop: few bytes end a literal.
#[inline(never)]
fn matches(automaton: &impl Automaton, state: StateID, found: &mut impl FnMut(usize)) {
    if automaton.is_match(state) {
        let ended = 0..automaton.match_len(state);
        ended.for_each(|index| found(automaton.match_pattern(state, index).as_usize()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(count: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
        proptest::collection::vec(proptest::collection::vec(97..101u8, 1..5), count)
    }

    /// Both readers, whatever their size is for.
    fn found(literals: &[Vec<u8>], text: &[u8]) -> Vec<bool> {
        let mut marks = vec![false; literals.len()];
        let words = Words::new(literals.iter()).unwrap();
        words.each(text, |id| marks[id] = true);
        marks
    }

    proptest! {
        #[test]
        fn a_literal_is_found_where_the_text_holds_it_in_either_case(
            few in words(6), many in words(TABLE_MAX + 1), text in "[a-dA-D ]{0,40}",
        ) {
            let lower = text.to_ascii_lowercase();
            for literals in [few, many] {
                let holds = |literal: &Vec<u8>| memchr::memmem::find(lower.as_bytes(), literal).is_some();
                let expected: Vec<bool> = literals.iter().map(holds).collect();
                prop_assert_eq!(found(&literals, text.as_bytes()), expected);
            }
        }
    }
}
