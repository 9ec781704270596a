//! Many patterns over one text, at the price of the few that can match.
//! Exports `PatternSet`: one literal automaton, byte-class masks, then each candidate's own engine.
//! Used by the default pack and by rules from directories.
//! Start reading at `PatternSet::candidates`.

mod combined;
mod literals;
mod words;

pub use literals::Needs;

use crate::bytes::ByteSet;
use crate::image::{Automaton, Image};
use crate::language::Language;
use crate::syntax::parse;
use combined::CombinedDfa;
use regex_automata::{Input, meta};
use regex_syntax::hir::Hir;
use std::collections::BTreeMap;
use words::Words;

/// One entry of a set.
#[derive(Clone, Debug)]
pub enum Source<'s> {
    /// A regular expression.
    Pattern(&'s str),
    /// The same, already parsed.
    Parsed(&'s Hir),
    /// A list of phrases, letter case aside. One of them is a match by itself.
    Phrases(Vec<Vec<u8>>),
}

/// Patterns compiled together.
#[derive(Debug)]
pub struct PatternSet {
    patterns: Vec<Pattern>,
    words: Option<Words>,
    /// Literal number → patterns that need it.
    owners: Vec<Box<[u32]>>,
    /// Patterns without a useful literal: every text is a candidate.
    always: Vec<u64>,
    /// The first, second and third byte set of every pattern.
    masks: MaskTable,
    /// Patterns that the filter seldom removes, asked together.
    crowd: Option<CombinedDfa>,
}

/// Which patterns a byte lets through: those of whose byte sets one holds it.
#[derive(Debug, Default)]
struct MaskTable {
    /// Patterns without such a set pass always; `MASKS` rows of marks.
    free: Vec<u64>,
    /// The same rows for each byte value.
    by_byte: Vec<u64>,
}

impl MaskTable {
    fn new(words: usize) -> MaskTable {
        MaskTable {
            free: vec![0; words * MASKS],
            by_byte: vec![0; words * MASKS * 256],
        }
    }

    fn add(&mut self, id: usize, words: usize, masks: &[ByteSet]) {
        let row = words * MASKS;
        for number in 0..MASKS {
            let (word, bit) = (number * words + id / 64, 1u64 << (id % 64));
            let Some(mask) = masks.get(number) else {
                if let Some(free) = self.free.get_mut(word) {
                    *free |= bit;
                }
                continue;
            };
            for byte in mask.iter() {
                if let Some(place) = self.by_byte.get_mut(usize::from(byte) * row + word) {
                    *place |= bit;
                }
            }
        }
    }

    /// Takes away the marks of patterns that need a byte the text has not.
    fn narrow(&self, present: &ByteSet, marks: &mut [u64], scratch: &mut Vec<u64>) {
        let row = self.free.len();
        scratch.clear();
        scratch.extend_from_slice(&self.free);
        for byte in present.iter() {
            let from = usize::from(byte) * row;
            let more = self.by_byte.get(from..from + row).unwrap_or_default();
            for (all, one) in scratch.iter_mut().zip(more) {
                *all |= one;
            }
        }
        for passed in scratch.chunks_exact(marks.len().max(1)) {
            for (mark, passed) in marks.iter_mut().zip(passed) {
                *mark &= passed;
            }
        }
    }
}

/// How many byte sets of a pattern are used.
const MASKS: usize = 3;
/// So many patterns are asked one by one what bytes they need.
const FEW: u32 = 4;

#[derive(Debug)]
struct Pattern {
    engine: Engine,
    /// Kept for proofs at load, as is the parsed pattern; not read per message.
    needs: Needs,
    parsed: Hir,
}

#[derive(Debug)]
enum Engine {
    Regex(meta::Regex),
    /// Lower case.
    Phrases(Box<[Vec<u8>]>),
}

/// Patterns that may match, found without running them. Reused between texts.
#[derive(Debug, Default)]
pub struct Candidates {
    marks: Vec<u64>,
    scratch: Vec<u64>,
}

impl Candidates {
    /// Whether pattern `id` may match the text last looked at.
    pub fn has(&self, id: u32) -> bool {
        let word = usize::try_from(id / 64).unwrap_or(usize::MAX);
        self.marks
            .get(word)
            .is_some_and(|bits| bits >> (id % 64) & 1 == 1)
    }

    /// Whether no pattern may match.
    pub fn is_empty(&self) -> bool {
        self.marks.iter().all(|word| *word == 0)
    }

    /// The candidates in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let words = self.marks.iter().zip((0u32..).step_by(64));
        words.flat_map(|(word, base)| each_bit(*word).map(move |bit| base + bit))
    }
}

impl PatternSet {
    /// Compiles patterns in byte mode: Unicode off, the dot matches a newline.
    /// The error carries the number of the pattern that failed.
    pub fn compile<'p>(
        patterns: impl IntoIterator<Item = &'p str>,
    ) -> Result<PatternSet, (usize, String)> {
        PatternSet::compile_sources(patterns.into_iter().map(Source::Pattern))
    }

    /// Compiles patterns and phrase lists into one set, numbered in order.
    pub fn compile_sources<'p>(
        sources: impl IntoIterator<Item = Source<'p>>,
    ) -> Result<PatternSet, (usize, String)> {
        let mut set = PatternSet {
            patterns: Vec::new(),
            words: None,
            owners: Vec::new(),
            always: Vec::new(),
            masks: MaskTable::default(),
            crowd: None,
        };
        let mut without = Vec::new();
        let mut masks: Vec<Vec<ByteSet>> = Vec::new();
        let mut literals: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
        for (number, source) in sources.into_iter().enumerate() {
            let id = u32::try_from(number).unwrap_or(u32::MAX);
            let pattern = match source {
                Source::Pattern(text) => parse(text)
                    .and_then(|hir| Pattern::regex(&hir))
                    .map_err(|error| (number, error))?,
                Source::Parsed(hir) => Pattern::regex(hir).map_err(|error| (number, error))?,
                Source::Phrases(phrases) => Pattern::phrases(phrases),
            };
            masks.push(pattern.needs.classes.clone());
            match pattern.needs.literals.clone() {
                Some(found) => {
                    for literal in found {
                        let owners = literals.entry(literal).or_default();
                        if owners.last() != Some(&id) {
                            owners.push(id);
                        }
                    }
                }
                None => without.push(id),
            }
            set.patterns.push(pattern);
        }
        let words = set.patterns.len().div_ceil(64);
        set.always = bits(&without, words);
        set.masks = MaskTable::new(words);
        for (id, masks) in masks.iter().enumerate() {
            set.masks.add(id, words, masks);
        }
        set.build_words(literals)?;
        Ok(set)
    }

    /// Puts the marked patterns that plain texts seldom rule out together, for `settle`.
    pub(crate) fn gather(&mut self, among: &[u64]) {
        self.crowd = CombinedDfa::of(self.crowded(among), among.len());
    }

    /// The patterns that stay candidates of plain texts most often, though they do not match.
    fn crowded(&self, among: &[u64]) -> Vec<(u32, &Hir)> {
        let mut seen = vec![0usize; self.patterns.len()];
        let mut found = Candidates::default();
        for text in combined::PLAIN {
            self.candidates(text.as_bytes(), &mut found);
            for (mark, among) in found.marks.iter_mut().zip(among) {
                *mark &= among;
            }
            for id in found.iter() {
                let count = usize::try_from(id).ok().and_then(|id| seen.get_mut(id));
                if let Some(count) = count.filter(|_| !self.is_match(id, text.as_bytes())) {
                    *count += 1;
                }
            }
        }
        let regexes = self.patterns.iter().zip(0u32..).zip(seen);
        let mut often: Vec<_> = regexes
            .filter(|((pattern, _), seen)| {
                *seen >= combined::OFTEN && matches!(pattern.engine, Engine::Regex(_))
            })
            .collect();
        often.sort_by_key(|(_, seen)| std::cmp::Reverse(*seen));
        often
            .into_iter()
            .map(|((pattern, id), _)| (id, &pattern.parsed))
            .collect()
    }

    fn build_words(
        &mut self,
        literals: BTreeMap<Vec<u8>, Vec<u32>>,
    ) -> Result<(), (usize, String)> {
        if literals.is_empty() {
            return Ok(());
        }
        let words = Words::new(literals.keys());
        self.words = Some(words.map_err(|error| (0, error.to_string()))?);
        self.owners = literals.into_values().map(Vec::into_boxed_slice).collect();
        Ok(())
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// How many patterns have no literal and are tried on every text.
    pub fn unfiltered(&self) -> usize {
        self.always
            .iter()
            .map(|word| usize::try_from(word.count_ones()).unwrap_or(0))
            .sum()
    }

    /// Marks the patterns that may match `text`. A pattern left out cannot match.
    pub fn candidates(&self, text: &[u8], found: &mut Candidates) {
        found.marks.clear();
        self.literals(text, &mut found.marks);
        if found.is_empty() {
            return;
        }
        self.narrow(&ByteSet::of(text), &mut found.marks, &mut found.scratch);
    }

    /// The first half: appends the marks of patterns whose literals occur, letter case aside.
    pub(crate) fn literals(&self, text: &[u8], marks: &mut Vec<u64>) {
        let begin = marks.len();
        marks.extend_from_slice(&self.always);
        let Some(words) = &self.words else {
            return;
        };
        let marks = marks.get_mut(begin..).unwrap_or_default();
        words.each(text, |number| {
            let owners = self.owners.get(number);
            for id in owners.into_iter().flat_map(|owners| owners.iter()) {
                let word = usize::try_from(id / 64).unwrap_or(usize::MAX);
                if let Some(bits) = marks.get_mut(word) {
                    *bits |= 1 << (id % 64);
                }
            }
        });
    }

    /// The second half: takes away the marks of patterns that need a byte the text has not.
    pub(crate) fn narrow(&self, present: &ByteSet, marks: &mut [u64], scratch: &mut Vec<u64>) {
        self.masks.narrow(present, marks, scratch);
    }

    /// Whether the bytes of a text already rule all marked patterns out. Only asked about few of them: the
    /// automaton answers for many at once.
    pub(crate) fn lacks_bytes(
        &self,
        marked: impl Iterator<Item = u64> + Clone,
        present: &ByteSet,
    ) -> bool {
        let count: u32 = marked.clone().map(u64::count_ones).sum();
        if count > FEW {
            return false;
        }
        let mut words = marked.zip((0u32..).step_by(64));
        words.all(|(word, base)| {
            each_bit(word).all(|bit| self.needs_other_bytes(base + bit, present))
        })
    }

    /// Whether pattern `id` needs a byte that a text does not hold.
    pub(crate) fn needs_other_bytes(&self, id: u32, present: &ByteSet) -> bool {
        let pattern = self.get(id).into_iter();
        let mut classes = pattern.flat_map(|pattern| &pattern.needs.classes);
        classes.any(|class| !class.meets(present))
    }

    /// The third part: takes away the marks of patterns that only looked like candidates, as far as they are
    /// asked. Whether the text was read for it.
    pub(crate) fn settle(
        &self,
        text: &[u8],
        marks: &mut [u64],
        asked: impl Iterator<Item = u64>,
    ) -> bool {
        let crowd = self.crowd.as_ref();
        crowd.is_some_and(|crowd| crowd.settle(text, marks, asked))
    }

    fn get(&self, id: u32) -> Option<&Pattern> {
        self.patterns.get(usize::try_from(id).ok()?)
    }

    /// Whether pattern `id` matches.
    pub fn is_match(&self, id: u32, text: &[u8]) -> bool {
        match self.get(id).map(|pattern| &pattern.engine) {
            Some(Engine::Regex(regex)) => regex.is_match(text),
            Some(Engine::Phrases(phrases)) => first_phrase(phrases, text).is_some(),
            None => false,
        }
    }

    /// Whether no text of the language can match pattern `id`.
    pub(crate) fn cannot_match(
        &self,
        id: u32,
        language: &Language,
        automaton: &mut Automaton,
    ) -> bool {
        match language.values() {
            Some(values) => !values.iter().any(|text| self.is_match(id, text)),
            None => self.cannot_match_image(id, &Image::plain(language), automaton),
        }
    }

    /// The same after transformations. First the bytes and literals are asked, they settle most; then the automata.
    pub(crate) fn cannot_match_image(
        &self,
        id: u32,
        image: &Image<'_>,
        automaton: &mut Automaton,
    ) -> bool {
        let Some(pattern) = self.get(id) else {
            return true;
        };
        let mut classes = pattern.needs.classes.iter();
        if classes.any(|class| !class.meets(image.alphabet())) {
            return true;
        }
        let literals = pattern.needs.literals.as_deref();
        if literals.is_some_and(|all| !all.iter().any(|literal| image.may_contain(literal))) {
            return true;
        }
        match &pattern.engine {
            // One of its phrases may occur.
            Engine::Phrases(_) => false,
            Engine::Regex(_) => !image.may_match(&pattern.parsed, automaton),
        }
    }

    /// Whether a candidate needs no further check.
    pub fn is_certain(&self, id: u32) -> bool {
        matches!(
            self.get(id).map(|pattern| &pattern.engine),
            Some(Engine::Phrases(_))
        )
    }

    /// The spans of the groups when pattern `id` matches; group 0 is the whole match.
    pub fn groups(&self, id: u32, text: &[u8]) -> Option<Vec<Option<(usize, usize)>>> {
        self.groups_from(id, text, 0)
    }

    /// The same for the first match that begins at `from` or behind it. What stands before is still there for anchors.
    pub(crate) fn groups_from(
        &self,
        id: u32,
        text: &[u8],
        from: usize,
    ) -> Option<Vec<Option<(usize, usize)>>> {
        let rest = text.get(from..)?;
        match &self.get(id)?.engine {
            Engine::Phrases(phrases) => first_phrase(phrases, rest)
                .map(|(start, end)| vec![Some((start + from, end + from))]),
            Engine::Regex(regex) => {
                let mut captures = regex.create_captures();
                regex.captures(Input::new(text).range(from..), &mut captures);
                if !captures.is_match() {
                    return None;
                }
                Some(
                    captures
                        .iter()
                        .map(|span| span.map(|span| (span.start, span.end)))
                        .collect(),
                )
            }
        }
    }
}

impl Pattern {
    fn regex(hir: &Hir) -> Result<Pattern, String> {
        let engine = meta::Builder::new()
            .configure(
                meta::Config::new()
                    .utf8_empty(false)
                    .nfa_size_limit(Some(32 << 20))
                    .hybrid_cache_capacity(1 << 20),
            )
            .build_from_hir(hir)
            .map_err(|error| error.to_string())?;
        let needs = Needs::of(hir);
        Ok(Pattern {
            engine: Engine::Regex(engine),
            needs,
            parsed: hir.clone(),
        })
    }

    fn phrases(phrases: Vec<Vec<u8>>) -> Pattern {
        let lower: Vec<Vec<u8>> = phrases
            .iter()
            .map(|phrase| phrase.to_ascii_lowercase())
            .collect();
        Pattern {
            engine: Engine::Phrases(lower.clone().into_boxed_slice()),
            needs: Needs {
                literals: Some(lower),
                classes: Vec::new(),
            },
            parsed: Hir::empty(),
        }
    }
}

/// The numbers of the bits that are set, in ascending order.
fn each_bit(word: u64) -> impl Iterator<Item = u32> {
    let mut left = word;
    std::iter::from_fn(move || {
        let bit = (left != 0).then(|| left.trailing_zeros())?;
        left &= left - 1;
        Some(bit)
    })
}

fn bits(ids: &[u32], words: usize) -> Vec<u64> {
    let mut out = vec![0u64; words];
    for id in ids {
        if let Some(word) = usize::try_from(id / 64)
            .ok()
            .and_then(|word| out.get_mut(word))
        {
            *word |= 1 << (id % 64);
        }
    }
    out
}

/// The phrase that occurs first. Only asked once a phrase is known to occur.
fn first_phrase(phrases: &[Vec<u8>], text: &[u8]) -> Option<(usize, usize)> {
    let lower = text.to_ascii_lowercase();
    phrases
        .iter()
        .filter_map(|phrase| memchr::memmem::find(&lower, phrase).map(|at| (at, at + phrase.len())))
        .min()
}

#[cfg(test)]
mod tests;
