//! Patterns that ordinary words keep alive, asked together: one pass over a text instead of one for each.
//! Exports `CombinedDfa`, chosen at load from what the filter leaves of plain texts.
//! Used by `PatternSet::settle`. Errs on the side of leaving a candidate one.
//! Start reading at `CombinedDfa::none_matches`.

use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::nfa::thompson::{Config as Compile, NFA, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_automata::{Input, MatchKind};
use regex_syntax::hir::Hir;

/// What people and devices write: a pattern that stays a candidate of many of these is worth a place.
pub(super) const PLAIN: [&str; 16] = [
    "Anna Lindqvist",
    "Mill Lane 7, 2nd floor",
    "Lakeside Office Park",
    "+44 20 7946 0018",
    "service@example.org",
    "Annual inspection of the lift in building C",
    "The radiator on the third floor stays cold - please bring a thermostat, size M30, and call the caretaker.",
    "Filter replaced, pressure 2.1 bar, no further action.",
    "invoice-0042.pdf",
    "Bosch CT-200/7",
    "urgent",
    "1071 XX",
    "Amsterdam",
    "Customer was not at home; come back on Monday after 9:30.",
    "Valve K12 (left) replaced & tested",
    "Zweiter Stock, Tür links, bitte klingeln",
];

/// In so many of the plain texts a pattern must stay a candidate without matching.
pub(super) const OFTEN: usize = 3;
/// Patterns in one automaton. More of them make more states than a cache holds.
const MEMBERS_MAX: usize = 12;
/// Bytes of states kept per thread; what needs more is asked pattern by pattern.
const CACHE_BYTES: usize = 2 << 20;

/// An automaton of several patterns.
#[derive(Debug)]
pub(super) struct CombinedDfa {
    /// Its patterns as marks.
    marks: Vec<u64>,
    automaton: DFA,
    caches: Pool<
        Cache,
        Box<dyn Fn() -> Cache + Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe>,
    >,
}

impl CombinedDfa {
    /// Puts patterns into one automaton. `None` with fewer than two of them, or when they are too large together.
    pub(super) fn of(mut members: Vec<(u32, &Hir)>, words: usize) -> Option<CombinedDfa> {
        members.truncate(MEMBERS_MAX);
        if members.len() < 2 {
            return None;
        }
        let mut marks = vec![0u64; words];
        for (id, _) in &members {
            let word = usize::try_from(id / 64).ok()?;
            *marks.get_mut(word)? |= 1 << (id % 64);
        }
        let parsed: Vec<&Hir> = members.iter().map(|(_, parsed)| *parsed).collect();
        let nfa = NFA::compiler()
            .configure(
                Compile::new()
                    .utf8(false)
                    .which_captures(WhichCaptures::None)
                    .nfa_size_limit(Some(8 << 20)),
            )
            .build_many_from_hir(&parsed)
            .ok()?;
        let automaton = DFA::builder()
            .configure(
                Config::new()
                    .match_kind(MatchKind::All)
                    .cache_capacity(CACHE_BYTES)
                    .minimum_cache_clear_count(Some(1))
                    .minimum_bytes_per_state(Some(32)),
            )
            .build_from_nfa(nfa)
            .ok()?;
        let of = automaton.clone();
        Some(CombinedDfa {
            marks,
            automaton,
            caches: Pool::new(Box::new(move || of.create_cache())),
        })
    }

    /// How many of the patterns marked both here and there belong to it.
    fn meets(&self, marks: &[u64], asked: impl Iterator<Item = u64>) -> u32 {
        let both = self.marks.iter().zip(marks).zip(asked);
        both.map(|((ours, marks), asked)| (ours & marks & asked).count_ones())
            .sum()
    }

    /// Takes away the marks of its patterns when two or more are asked and none of them matches.
    pub(super) fn settle(
        &self,
        text: &[u8],
        marks: &mut [u64],
        asked: impl Iterator<Item = u64>,
    ) -> bool {
        if self.meets(marks, asked) < 2 {
            return false;
        }
        if self.none_matches(text) {
            for (mark, ours) in marks.iter_mut().zip(&self.marks) {
                *mark &= !ours;
            }
        }
        true
    }

    /// Whether surely none of its patterns matches. A text that needs too many states is left open.
    fn none_matches(&self, text: &[u8]) -> bool {
        let mut cache = self.caches.get();
        let input = Input::new(text).earliest(true);
        matches!(self.automaton.try_search_fwd(&mut cache, &input), Ok(None))
    }
}
