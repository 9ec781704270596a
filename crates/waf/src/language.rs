//! The texts of a field as a small automaton, or as the closed list they are.
//! Exports `FieldLanguage`, which a contract states, and `Language`, its automaton. At load rules are tried against it; per message a text is checked to be in it.
//! Used by `prove` and `image`. A language too large to build counts as free.
//! Start reading at `Language::of`.

use crate::bytes::ByteSet;
use crate::syntax::parse;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Dot, Hir, Look, Repetition};
use std::collections::HashMap;

const INTEGER: &str = "-?[0-9]+";
const NUMBER: &str = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?";
const UUID: &str = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";
const DATE: &str = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
const DATE_TIME: &str = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})";

/// A larger automaton proves little and costs much.
const STATES_MAX: usize = 600;
/// A longer list is checked by nobody.
const VALUES_MAX: usize = 2000;
const DFA_BYTES: usize = 4 << 20;
/// In a shorter text many rules have no room, whatever stands in it.
const OPEN_LENGTH_MIN: usize = 64;
/// How many texts could be tried while one automaton is walked through.
const TABLE_WEIGHT: usize = 50;

/// What a contract says about the texts of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldLanguage {
    /// Anything.
    Free,
    /// `true` or `false`.
    Boolean,
    /// One of these texts and no other. Every rule is tried on every one of them.
    Values(Vec<String>),
    /// Texts in which a pattern of the contract matches, as JSON Schema reads `pattern`: anchors are the pattern's own.
    Pattern {
        /// The pattern as the contract writes it.
        source: String,
        /// The greatest length in characters, where the contract sets one.
        length_max: Option<usize>,
    },
    /// An integer in decimal notation.
    Integer,
    /// A number of JSON.
    Number,
    /// A UUID of RFC 9562.
    Uuid,
    /// A date of RFC 3339.
    Date,
    /// A date with time of RFC 3339.
    DateTime,
    /// Texts of these bytes, no longer than this.
    Bytes {
        /// The bytes that may occur.
        alphabet: ByteSet,
        /// The greatest length in bytes.
        length_max: usize,
    },
}

/// Texts a field admits.
#[derive(Debug)]
pub(crate) struct Language {
    texts: Texts,
    alphabet: ByteSet,
    length_max: usize,
}

#[derive(Debug)]
enum Texts {
    Values(Vec<Vec<u8>>),
    Table(Table),
}

/// A complete automaton. State 0 is dead; from every other state an accepted text can be reached.
#[derive(Debug, Default)]
struct Table {
    class_of: Vec<u16>,
    classes: usize,
    next: Vec<u16>,
    accepts: Vec<bool>,
    start: u16,
}

impl Language {
    /// `None`: anything, or more than can be looked through.
    pub(crate) fn of(language: &FieldLanguage) -> Option<Language> {
        let fixed = |pattern: &str| Language::matching(parse(pattern).ok()?, None);
        match language {
            FieldLanguage::Free => None,
            FieldLanguage::Boolean => Language::listed(["true", "false"].into_iter()),
            FieldLanguage::Values(values) => Language::listed(values.iter().map(String::as_str)),
            FieldLanguage::Integer => fixed(INTEGER),
            FieldLanguage::Number => fixed(NUMBER),
            FieldLanguage::Uuid => fixed(UUID),
            FieldLanguage::Date => fixed(DATE),
            FieldLanguage::DateTime => fixed(DATE_TIME),
            FieldLanguage::Pattern { source, length_max } => {
                let any = || many(Hir::dot(Dot::AnyByte));
                let inner = parse(source).ok()?;
                // Without an anchor a pattern may match anywhere in the text.
                let whole = Hir::concat(vec![any(), inner, any()]);
                let language = Language::matching(whole, None)?.no_longer_than(*length_max)?;
                (!language.is_open()).then_some(language)
            }
            FieldLanguage::Bytes {
                alphabet,
                length_max,
            } => {
                let bytes = alphabet.iter().map(|byte| ClassBytesRange::new(byte, byte));
                let class = Class::Bytes(ClassBytes::new(bytes));
                Language::matching(many(Hir::class(class)), Some(*length_max))
            }
        }
    }

    fn listed<'v>(values: impl Iterator<Item = &'v str>) -> Option<Language> {
        let values: Vec<Vec<u8>> = values.map(|value| value.as_bytes().to_vec()).collect();
        if values.len() > VALUES_MAX {
            return None;
        }
        let alphabet = values.iter().fold(ByteSet::default(), |all, value| {
            all.with(&ByteSet::of(value))
        });
        Some(Language {
            length_max: values.iter().map(Vec::len).max().unwrap_or(0),
            texts: Texts::Values(values),
            alphabet,
        })
    }

    fn matching(whole: Hir, length_max: Option<usize>) -> Option<Language> {
        let table = Table::of(whole)?;
        Some(Language {
            alphabet: table.alphabet(),
            texts: Texts::Table(table),
            length_max: length_max.unwrap_or(usize::MAX),
        })
    }

    /// A contract counts characters; one takes up to four bytes.
    fn no_longer_than(self, characters: Option<usize>) -> Option<Language> {
        let width = if self.alphabet.iter().all(|byte| byte.is_ascii()) {
            1
        } else {
            4
        };
        let length_max = characters.map_or(usize::MAX, |count| count.saturating_mul(width));
        Some(Language { length_max, ..self })
    }

    /// Whether anything may stand somewhere in its texts, as after `^https://`. Then nearly every rule is live, and it
    /// takes longest to find that out: such a language is worth no proof.
    fn is_open(&self) -> bool {
        let Texts::Table(table) = &self.texts else {
            return false;
        };
        self.length_max > OPEN_LENGTH_MIN && table.is_open()
    }

    /// Whether a text is of the language.
    pub(crate) fn holds(&self, text: &[u8]) -> bool {
        match &self.texts {
            Texts::Values(values) => values.iter().any(|value| value == text),
            Texts::Table(table) => text.len() <= self.length_max && table.accepts(text),
        }
    }

    /// The texts themselves when they are few.
    pub(crate) fn values(&self) -> Option<&[Vec<u8>]> {
        match &self.texts {
            Texts::Values(values) => Some(values),
            Texts::Table(_) => None,
        }
    }

    /// What proving costs, in tries of one text against all rules.
    pub(crate) fn weight(&self) -> usize {
        match &self.texts {
            Texts::Values(values) => values.len(),
            Texts::Table(_) => TABLE_WEIGHT,
        }
    }

    /// The bytes that occur in any text.
    pub(crate) fn alphabet(&self) -> &ByteSet {
        &self.alphabet
    }

    pub(crate) fn length_max(&self) -> usize {
        self.length_max
    }

    /// Where reading begins. A list has no states.
    pub(crate) fn start(&self) -> u16 {
        match &self.texts {
            Texts::Values(_) => 0,
            Texts::Table(table) => table.start,
        }
    }

    /// The state after one more byte; 0 when no text goes on like that.
    pub(crate) fn next(&self, state: u16, byte: u8) -> u16 {
        match &self.texts {
            Texts::Values(_) => 0,
            Texts::Table(table) => table.next(state, byte),
        }
    }

    /// Bytes of one class lead from every state to the same one.
    pub(crate) fn class(&self, byte: u8) -> u16 {
        match &self.texts {
            Texts::Values(_) => u16::from(byte),
            Texts::Table(table) => table.class(byte),
        }
    }

    /// Whether a text may end here.
    pub(crate) fn may_end(&self, state: u16) -> bool {
        match &self.texts {
            Texts::Values(_) => false,
            Texts::Table(table) => table.may_end(state),
        }
    }

    /// All states but the dead one.
    pub(crate) fn states(&self) -> std::ops::Range<u16> {
        match &self.texts {
            Texts::Values(_) => 0..0,
            Texts::Table(table) => 1..u16::try_from(table.accepts.len()).unwrap_or(u16::MAX),
        }
    }
}

fn many(sub: Hir) -> Hir {
    Hir::repetition(Repetition {
        min: 0,
        max: None,
        greedy: true,
        sub: Box::new(sub),
    })
}

impl Table {
    fn of(whole: Hir) -> Option<Table> {
        let whole = Hir::concat(vec![whole, Hir::look(Look::End)]);
        let nfa = thompson::Compiler::new()
            .configure(
                thompson::Config::new()
                    .utf8(false)
                    .nfa_size_limit(Some(DFA_BYTES))
                    .which_captures(thompson::WhichCaptures::None),
            )
            .build_from_hir(&whole)
            .ok()?;
        let dfa = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .start_kind(StartKind::Anchored)
                    .match_kind(MatchKind::All)
                    .dfa_size_limit(Some(DFA_BYTES))
                    .determinize_size_limit(Some(4 * DFA_BYTES)),
            )
            .build_from_nfa(&nfa)
            .ok()?;
        let (rows, accepts) = explore(&dfa)?;
        Some(Table::packed(&rows, accepts))
    }

    /// Dead ends become the dead state, bytes that act alike one class.
    fn packed(rows: &[[u16; 256]], accepts: Vec<bool>) -> Table {
        let alive = alive(rows, &accepts);
        let is_alive = |state: u16| alive.get(usize::from(state)).copied().unwrap_or(false);
        let mut known: HashMap<Vec<u16>, u16> = HashMap::new();
        let mut columns: Vec<Vec<u16>> = Vec::new();
        let mut class_of = Vec::new();
        for byte in 0..256usize {
            let column: Vec<u16> = rows
                .iter()
                .map(|row| {
                    row.get(byte)
                        .copied()
                        .filter(|to| is_alive(*to))
                        .unwrap_or(0)
                })
                .collect();
            let new = u16::try_from(known.len()).unwrap_or(u16::MAX);
            let class = *known.entry(column.clone()).or_insert(new);
            if class == new {
                columns.push(column);
            }
            class_of.push(class);
        }
        let states = accepts.len();
        let next = (0..states)
            .flat_map(|state| columns.iter().map(move |column| column.get(state).copied()))
            .map(Option::unwrap_or_default)
            .collect();
        Table {
            class_of,
            classes: columns.len(),
            next,
            accepts,
            start: if is_alive(1) { 1 } else { 0 },
        }
    }

    fn class(&self, byte: u8) -> u16 {
        self.class_of.get(usize::from(byte)).copied().unwrap_or(0)
    }

    fn next(&self, state: u16, byte: u8) -> u16 {
        let place = usize::from(state) * self.classes + usize::from(self.class(byte));
        self.next.get(place).copied().unwrap_or(0)
    }

    fn may_end(&self, state: u16) -> bool {
        self.accepts
            .get(usize::from(state))
            .copied()
            .unwrap_or(false)
    }

    /// Whether texts reach a state from which any bytes whatever go on for ever.
    fn is_open(&self) -> bool {
        let mut open: Vec<bool> = (0..self.accepts.len()).map(|state| state != 0).collect();
        loop {
            let leads_on = |state: usize| {
                let from = state * self.classes;
                let row = self.next.get(from..from + self.classes);
                let mut row = row.unwrap_or_default().iter();
                row.all(|to| open.get(usize::from(*to)).copied().unwrap_or(false))
            };
            let kept: Vec<bool> = (0..open.len())
                .map(|state| state != 0 && leads_on(state))
                .collect();
            if kept == open {
                return open.contains(&true);
            }
            open = kept;
        }
    }

    fn accepts(&self, text: &[u8]) -> bool {
        let mut state = self.start;
        for byte in text {
            state = self.next(state, *byte);
            if state == 0 {
                return false;
            }
        }
        self.may_end(state)
    }

    fn alphabet(&self) -> ByteSet {
        let mut set = ByteSet::default();
        for byte in 0..=255u8 {
            let states = 1..u16::try_from(self.accepts.len()).unwrap_or(u16::MAX);
            if states.into_iter().any(|state| self.next(state, byte) != 0) {
                set.add(byte);
            }
        }
        set
    }
}

type Rows = Vec<[u16; 256]>;

/// Walks the automaton of the library from its start. Row 0 is the dead state, row 1 the start.
fn explore(dfa: &dense::DFA<Vec<u32>>) -> Option<(Rows, Vec<bool>)> {
    let input = Input::new(b"").anchored(Anchored::Yes);
    let start = dfa.start_state_forward(&input).ok()?;
    let mut numbers: HashMap<StateID, u16> = HashMap::from([(start, 1)]);
    let mut order = vec![start];
    let mut rows: Rows = vec![[0; 256]];
    let mut accepts = vec![false];
    let mut at = 0;
    while let Some(state) = order.get(at).copied() {
        at += 1;
        let mut row = [0u16; 256];
        for (byte, place) in (0u8..=255).zip(row.iter_mut()) {
            let next = dfa.next_state(state, byte);
            if dfa.is_dead_state(next) {
                continue;
            }
            if dfa.is_quit_state(next) || numbers.len() > STATES_MAX {
                return None;
            }
            let new = u16::try_from(numbers.len() + 1).ok()?;
            *place = *numbers.entry(next).or_insert(new);
            if *place == new {
                order.push(next);
            }
        }
        rows.push(row);
        accepts.push(dfa.is_match_state(dfa.next_eoi_state(state)));
    }
    Some((rows, accepts))
}

/// The states from which an accepted text can be reached.
fn alive(rows: &[[u16; 256]], accepts: &[bool]) -> Vec<bool> {
    let mut alive = accepts.to_vec();
    loop {
        let mut changed = false;
        for (state, row) in rows.iter().enumerate() {
            let leads = |to: &u16| alive.get(usize::from(*to)).copied().unwrap_or(false);
            let now = alive.get(state).copied().unwrap_or(false) || row.iter().any(leads);
            if let Some(place) = alive.get_mut(state).filter(|place| **place != now) {
                *place = now;
                changed = true;
            }
        }
        if !changed {
            return alive;
        }
    }
}
