//! Whether any text of a language, after some transformations, matches a rule.
//! Exports `Image`: the language as a rule sees it, and the questions about it.
//! Used by the proofs of the pack and of rule directories. What takes too long to decide counts as possible.
//! Start reading at `Image::may_match`.

mod narrow;

use crate::bytes::ByteSet;
use crate::detector::SQL_SIGNS;
use crate::language::{FieldLanguage, Language};
use crate::transform::Transform;
use narrow::{narrowed, weight};
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::{Input, MatchKind};
use regex_syntax::hir::Hir;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// Steps one question may take.
const STEPS_MAX: usize = 60_000;
const CACHE_BYTES: usize = 8 << 20;
/// Longer runs of digits count as unbounded.
const DIGITS_MAX: usize = 64;

/// A language whose bytes were replaced one by one. That is all that transformations do to the languages worth proving.
#[derive(Debug)]
pub(crate) struct Image<'l> {
    original: &'l Language,
    /// What a decoder made of it, when that has other bytes or lengths.
    decoded: Option<Box<Language>>,
    map: [u8; 256],
    alphabet: ByteSet,
}

impl<'l> Image<'l> {
    /// The language as it is.
    pub(crate) fn plain(language: &'l Language) -> Image<'l> {
        let mut map = [0u8; 256];
        for (place, byte) in map.iter_mut().zip(0u8..=255) {
            *place = byte;
        }
        Image {
            original: language,
            decoded: None,
            map,
            alphabet: *language.alphabet(),
        }
    }

    fn language(&self) -> &Language {
        self.decoded.as_deref().unwrap_or(self.original)
    }

    /// The bytes that occur.
    pub(crate) fn alphabet(&self) -> &ByteSet {
        &self.alphabet
    }

    pub(crate) fn length_max(&self) -> usize {
        self.language().length_max()
    }

    /// The image after one more transformation; `None` when it may do more than replace bytes.
    pub(crate) fn after(mut self, transform: Transform) -> Option<Image<'l>> {
        if transform == Transform::Base64Decode {
            return self.decoded_base64();
        }
        if !transform.triggers()?.meets(&self.alphabet) {
            return Some(self);
        }
        let has = |byte: u8| self.alphabet.has(byte);
        match transform {
            Transform::Lowercase => {}
            // Quotes do more to a command line than letters do; a blank by itself stays.
            Transform::CmdLine => {
                let marks = b"\"'\\^,;\t\r\n".iter().any(|byte| has(*byte));
                let blanks: [&[u8]; 3] = [b"  ", b" /", b" ("];
                if marks || blanks.iter().any(|blank| self.may_contain(blank)) {
                    return None;
                }
            }
            Transform::CompressWhitespace => {
                let others = b"\t\n\x0B\x0C\r\xA0".iter().any(|byte| has(*byte));
                return (!others && !self.may_contain(b"  ")).then_some(self);
            }
            Transform::UrlDecodeUni => {
                if has(b'%') {
                    return None;
                }
                self.replace(|byte| if byte == b'+' { b' ' } else { byte });
                return Some(self);
            }
            Transform::RemoveCommentsChar => {
                let marks: [&[u8]; 4] = [b"--", b"/*", b"*/", b"#"];
                let found = marks.iter().any(|mark| self.may_contain(mark));
                return (!found).then_some(self);
            }
            Transform::ReplaceComments => return (!self.may_contain(b"/*")).then_some(self),
            // One segment stays as it is unless it is a dot.
            Transform::NormalizePath | Transform::NormalizePathWin => {
                let slashes = has(b'/') || has(b'\\');
                return (!slashes && !self.language().holds(b".")).then_some(self);
            }
            _ => return None,
        }
        self.replace(|byte| byte.to_ascii_lowercase());
        Some(self)
    }

    /// Base64 is decoded as far as its digits go. What comes out is bounded by the bytes the digits can
    /// make and by how many there can be.
    fn decoded_base64(self) -> Option<Image<'l>> {
        let digits: Vec<u8> = self.alphabet.iter().filter_map(base64_value).collect();
        let mut alphabet = ByteSet::default();
        for one in &digits {
            for two in &digits {
                alphabet.add((one << 2) | (two >> 4));
                alphabet.add((one << 4) | (two >> 2));
                alphabet.add((one << 6) | two);
            }
        }
        let length_max = self.digits_max().saturating_mul(3) / 4;
        let decoded = Language::of(&FieldLanguage::Bytes {
            alphabet,
            length_max,
        })?;
        Some(Image {
            decoded: Some(Box::new(decoded)),
            ..Image::plain(self.original)
        })
        .map(|image| Image { alphabet, ..image })
    }

    /// How many digits of base64 a text can begin with.
    fn digits_max(&self) -> usize {
        let language = self.language();
        let mut states = HashSet::from([language.start()]);
        for length in 0..DIGITS_MAX {
            let mut next = HashSet::new();
            for byte in language.alphabet().iter() {
                if base64_value(self.mapped(byte)).is_some() {
                    let after = states.iter().map(|state| language.next(*state, byte));
                    next.extend(after.filter(|state| *state != 0));
                }
            }
            if next.is_empty() {
                return length;
            }
            states = next;
        }
        self.length_max()
    }

    fn replace(&mut self, with: impl Fn(u8) -> u8) {
        for byte in &mut self.map {
            *byte = with(*byte);
        }
        let mut alphabet = ByteSet::default();
        for byte in self.alphabet.iter() {
            alphabet.add(with(byte));
        }
        self.alphabet = alphabet;
    }

    fn mapped(&self, byte: u8) -> u8 {
        self.map.get(usize::from(byte)).copied().unwrap_or(byte)
    }

    /// Whether a phrase may occur, letter case aside.
    pub(crate) fn may_contain(&self, phrase: &[u8]) -> bool {
        if phrase.len() > self.length_max() {
            return false;
        }
        let mut states: HashSet<u16> = self.language().states().collect();
        for wanted in phrase {
            let mut next = HashSet::new();
            for byte in self.language().alphabet().iter() {
                if self.mapped(byte).eq_ignore_ascii_case(wanted) {
                    let after = states
                        .iter()
                        .map(|state| self.language().next(*state, byte));
                    next.extend(after.filter(|state| *state != 0));
                }
            }
            states = next;
        }
        !states.is_empty()
    }

    /// Whether a text may be exactly this.
    pub(crate) fn may_be(&self, text: &[u8]) -> bool {
        let mut states = HashSet::from([self.language().start()]);
        for wanted in text {
            let mut next = HashSet::new();
            for byte in self.language().alphabet().iter() {
                if self.mapped(byte) == *wanted {
                    next.extend(
                        states
                            .iter()
                            .map(|state| self.language().next(*state, byte)),
                    );
                }
            }
            states = next;
        }
        let mut ends = states.iter();
        ends.any(|state| self.language().may_end(*state))
    }

    /// Without a sign of SQL the detector that reads sentences says no, whatever the words are.
    pub(crate) fn cannot_be_sql(&self) -> bool {
        let signs = self.alphabet.meets(&SQL_SIGNS);
        !signs && !self.may_contain(b"--") && !self.may_contain(b"union")
    }

    /// Without an element and without an assignment there is no script.
    pub(crate) fn cannot_be_script(&self) -> bool {
        !self.alphabet.has(b'<') && !self.alphabet.has(b'=')
    }

    /// Whether a pattern may match somewhere in a text: both automata walk side by side. Where little of the pattern is left
    /// over the bytes of the language, that little gets an automaton of its own, which is quickly built and walked.
    pub(crate) fn may_match(&self, pattern: &Hir, automaton: &mut Automaton) -> bool {
        let Some(left) = narrowed(pattern, &self.alphabet) else {
            return false;
        };
        let mut own = Automaton::default();
        let is_little = weight(&left) <= weight(pattern) / 2;
        let walked = if is_little {
            own.of(&left)
        } else {
            automaton.of(pattern)
        };
        walked
            .and_then(|(dfa, cache)| self.walk(dfa, cache))
            .unwrap_or(true)
    }

    /// `None`: not decided within the bounds.
    fn walk(&self, dfa: &DFA, cache: &mut Cache) -> Option<bool> {
        // Languages before this one have left their states behind; those are worth keeping while there is room.
        if cache.memory_usage() > CACHE_BYTES / 2 {
            cache.reset(dfa);
        }
        let clears = cache.clear_count();
        let start = dfa.start_state_forward(cache, &Input::new(b"")).ok()?;
        let bytes = self.distinct(dfa);
        let mut known: HashSet<(u16, LazyStateID), BuildHasherDefault<Quick>> = HashSet::default();
        let mut open = vec![(self.language().start(), start)];
        open.retain(|(state, _)| *state != 0);
        let mut left = STEPS_MAX;
        let mut length = 0;
        // One round per byte of length: a pair met first is met with the shortest text.
        while !open.is_empty() {
            let mut next = Vec::new();
            for (ours, theirs) in open {
                if self.language().may_end(ours) && ends(dfa, cache, theirs)? {
                    return Some(true);
                }
                still(cache, clears)?;
                if length >= self.length_max() {
                    continue;
                }
                for (byte, mapped) in &bytes {
                    let ours = self.language().next(ours, *byte);
                    if ours == 0 {
                        continue;
                    }
                    left = left.checked_sub(1)?;
                    let theirs = dfa.next_state(cache, theirs, *mapped).ok()?;
                    still(cache, clears)?;
                    if theirs.is_match() {
                        return Some(true);
                    }
                    if theirs.is_quit() {
                        return None;
                    }
                    if !theirs.is_dead() && known.insert((ours, theirs)) {
                        next.push((ours, theirs));
                    }
                }
            }
            open = next;
            length += 1;
        }
        Some(false)
    }

    /// One byte of each kind that neither automaton tells apart, and what the transformations make of it.
    fn distinct(&self, dfa: &DFA) -> Vec<(u8, u8)> {
        let mut kinds = HashSet::new();
        let all = self.language().alphabet().iter();
        all.map(|byte| (byte, self.mapped(byte)))
            .filter(|(byte, mapped)| {
                kinds.insert((
                    self.language().class(*byte),
                    dfa.byte_classes().get(*mapped),
                ))
            })
            .collect()
    }
}

/// Spreads pairs of small numbers. What is met in a walk is the operator's own pattern: nobody chooses collisions.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u32(u32::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        self.0 = (self.0.rotate_left(29) ^ u64::from(number)).wrapping_mul(ODD);
    }

    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

/// The value of a digit, as `base64Decode` reads it.
fn base64_value(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// The automaton of one pattern, built when first asked for. Its states are found as they are met, so whoever asks about
/// several languages keeps it between them.
#[derive(Default)]
pub(crate) struct Automaton {
    asked: bool,
    built: Option<(DFA, Cache)>,
}

impl Automaton {
    fn of(&mut self, pattern: &Hir) -> Option<(&DFA, &mut Cache)> {
        if !std::mem::replace(&mut self.asked, true) {
            self.built = automaton(pattern).map(|dfa| {
                let cache = dfa.create_cache();
                (dfa, cache)
            });
        }
        self.built.as_mut().map(|(dfa, cache)| (&*dfa, cache))
    }
}

fn automaton(pattern: &Hir) -> Option<DFA> {
    let nfa = thompson::Compiler::new()
        .configure(
            thompson::Config::new()
                .utf8(false)
                .nfa_size_limit(Some(32 << 20))
                .which_captures(thompson::WhichCaptures::None),
        )
        .build_from_hir(pattern)
        .ok()?;
    DFA::builder()
        .configure(
            DFA::config()
                .match_kind(MatchKind::All)
                .cache_capacity(CACHE_BYTES)
                .skip_cache_capacity_check(true),
        )
        .build_from_nfa(nfa)
        .ok()
}

/// States are named by the cache: once it was cleared their names mean others.
fn still(cache: &Cache, clears: usize) -> Option<()> {
    (cache.clear_count() == clears).then_some(())
}

fn ends(dfa: &DFA, cache: &mut Cache, state: LazyStateID) -> Option<bool> {
    Some(dfa.next_eoi_state(cache, state).ok()?.is_match())
}
