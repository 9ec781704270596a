//! Every text of one transaction, transformed at most once per transformation.
//! Exports `Texts`: ids for texts, derived texts, and which patterns may match them.
//! Used by `run`. A text that a transformation leaves unchanged stays the same text.
//! Start reading at `Texts::reach`.

use super::program::RuleSet;
use crate::bytes::ByteSet;
use crate::transform::Transform;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

/// A text of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TextId(u32);

/// Texts and what is known about them.
#[derive(Debug)]
pub(super) struct Texts<'r> {
    rules: &'r RuleSet,
    pub(super) buffers: Buffers,
    stride: usize,
    /// Bytes read by transformations and the literal automaton.
    pub(super) work: u64,
}

/// The memory behind texts.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    items: Vec<Item>,
    /// The bytes of all texts, one after the other.
    bytes: Vec<u8>,
    /// Texts that were added, by their bytes: equal texts are one text.
    known: HashMap<u64, TextId, Plain>,
    /// Rows of `stride` words: literal marks and candidate marks of texts that were scanned.
    marks: Vec<u64>,
    scratch: Vec<u64>,
}

/// Up to so many bytes a pattern's own engine is as quick as the automaton.
const SHORT: u32 = 64;

/// Larger memory is given back instead of kept.
const KEPT_MAX: usize = 256 << 10;

impl Buffers {
    pub(super) fn is_large(&self) -> bool {
        self.bytes.capacity() > KEPT_MAX
            || self.marks.capacity() * 8 > KEPT_MAX
            || self.items.capacity() > KEPT_MAX / 64
            || self.known.capacity() > KEPT_MAX / 64
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.bytes.clear();
        self.known.clear();
        self.marks.clear();
    }
}

#[derive(Debug)]
struct Item {
    from: u32,
    to: u32,
    present: ByteSet,
    /// The transformations that may change it, one bit each.
    active: u32,
    /// Where its literal marks and its candidate marks begin, once known: 0 unknown, else the place plus one.
    literals: u32,
    marks: u32,
    /// Whether the crowd of patterns was asked about it.
    settled: bool,
    /// The text this one is in lower case, plus one. The automaton finds the same in both.
    twin: u32,
    /// What each transformation makes of it: 0 unknown, else the id plus one.
    steps: [u32; Transform::COUNT],
}

impl<'r> Texts<'r> {
    pub(super) fn new(rules: &'r RuleSet, buffers: Buffers) -> Texts<'r> {
        Texts {
            rules,
            buffers,
            stride: rules.stride(),
            work: 0,
        }
    }

    /// Adds a text; an equal text that was added before is given back.
    pub(super) fn add(&mut self, bytes: &[u8]) -> TextId {
        let hash = hash(bytes);
        if let Some(known) = self
            .buffers
            .known
            .get(&hash)
            .copied()
            .filter(|known| self.bytes(*known) == bytes)
        {
            return known;
        }
        let id = self.push(bytes);
        self.buffers.known.insert(hash, id);
        id
    }

    fn push(&mut self, bytes: &[u8]) -> TextId {
        let id = TextId(u32::try_from(self.buffers.items.len()).unwrap_or(u32::MAX));
        let from = u32::try_from(self.buffers.bytes.len()).unwrap_or(u32::MAX);
        self.buffers.bytes.extend_from_slice(bytes);
        let to = u32::try_from(self.buffers.bytes.len()).unwrap_or(u32::MAX);
        let (present, active) = self.rules.triggers.of(bytes);
        self.buffers.items.push(Item {
            from,
            to,
            present,
            active,
            literals: 0,
            marks: 0,
            settled: false,
            twin: 0,
            steps: [0; Transform::COUNT],
        });
        id
    }

    pub(super) fn bytes(&self, id: TextId) -> &[u8] {
        let range = self.item(id).map_or(0..0, range_of);
        self.buffers.bytes.get(range).unwrap_or_default()
    }

    /// The bytes that occur in a text.
    pub(super) fn present(&self, id: TextId) -> ByteSet {
        self.item(id).map(|item| item.present).unwrap_or_default()
    }

    fn item(&self, id: TextId) -> Option<&Item> {
        self.buffers.items.get(usize::try_from(id.0).ok()?)
    }

    fn item_mut(&mut self, id: TextId) -> Option<&mut Item> {
        self.buffers.items.get_mut(usize::try_from(id.0).ok()?)
    }

    /// The text at the end of a transformation chain.
    pub(super) fn derive(&mut self, id: TextId, chain: &[Transform]) -> TextId {
        chain
            .iter()
            .fold(id, |id, transform| self.step(id, *transform))
    }

    /// The text after one transformation.
    pub(super) fn step(&mut self, id: TextId, transform: Transform) -> TextId {
        let Some(item) = self.item(id) else { return id };
        if item.active & transform.bit() == 0 {
            return id;
        }
        let index = transform.index();
        let known = item.steps.get(index).copied().unwrap_or(0);
        if known != 0 {
            return TextId(known - 1);
        }
        let bytes = self.bytes(id);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let made = transform.apply(bytes);
        self.work = self.work.saturating_add(length);
        let next = match made {
            None => id,
            Some(bytes) => self.add(&bytes),
        };
        if transform == Transform::Lowercase
            && let Some(item) = self.item_mut(next).filter(|item| item.twin == 0)
        {
            item.twin = id.0 + 1;
        }
        if let Some(place) = self.item_mut(id).and_then(|item| item.steps.get_mut(index)) {
            *place = next.0 + 1;
        }
        next
    }

    /// Marks in `out` the patterns among `wanted` that may match what a chain makes of the text.
    pub(super) fn reach(&mut self, id: TextId, wanted: &[u64], out: &mut [u64]) {
        self.descend(0, id, wanted, out);
    }

    /// As deep as the longest chain of the rules.
    fn descend(&mut self, number: usize, id: TextId, wanted: &[u64], out: &mut [u64]) {
        let rules = self.rules;
        let Some(node) = rules.tree.nodes.get(number) else {
            return;
        };
        let active = self.item(id).map_or(0, |item| item.active);
        if active & node.below == 0 {
            // Nothing below changes the text.
            self.collect(id, &node.all, wanted, out);
            return;
        }
        self.collect(id, &node.here, wanted, out);
        let mut child = number + 1;
        while child < node.end {
            let Some(next) = rules.tree.nodes.get(child) else {
                return;
            };
            if meet(&next.all, wanted)
                && let Some(transform) = next.transform
            {
                let text = self.step(id, transform);
                self.descend(child, text, wanted, out);
            }
            child = next.end;
        }
    }

    fn collect(&mut self, id: TextId, asked: &[u64], wanted: &[u64], out: &mut [u64]) {
        if !meet(asked, wanted) || self.lacks_bytes(id, asked, wanted) {
            return;
        }
        self.scan(id);
        self.settle(id, asked, wanted);
        let marks = self.candidates(id).iter().zip(asked).zip(wanted);
        for (out, ((mark, asked), wanted)) in out.iter_mut().zip(marks) {
            *out |= mark & asked & wanted;
        }
    }

    /// Whether a text that was not scanned needs no scan for the few patterns asked.
    fn lacks_bytes(&self, id: TextId, asked: &[u64], wanted: &[u64]) -> bool {
        let both = asked.iter().zip(wanted);
        let both = both.map(|(asked, wanted)| asked & wanted);
        let item = self.item(id).filter(|item| item.marks == 0);
        item.is_some_and(|item| self.rules.patterns.lacks_bytes(both, &item.present))
    }

    /// Whether a pattern may match a text. A short text that was not scanned is not scanned for one pattern.
    pub(super) fn is_candidate(&mut self, id: TextId, pattern: u32) -> bool {
        let patterns = &self.rules.patterns;
        let short = self
            .item(id)
            .filter(|item| item.marks == 0 && item.to - item.from <= SHORT)
            .filter(|_| !patterns.is_certain(pattern));
        if let Some(item) = short {
            return !patterns.needs_other_bytes(pattern, &item.present);
        }
        self.scan(id);
        marked(self.candidates(id), pattern)
    }

    /// Makes sure the candidates of a text are known.
    fn scan(&mut self, id: TextId) {
        let Some(item) = self.item(id) else { return };
        if item.marks != 0 {
            return;
        }
        let present = item.present;
        let literals = self.find_literals(id);
        let from = place(literals);
        let begin = self.buffers.marks.len();
        self.buffers
            .marks
            .extend_from_within(from..from + self.stride);
        let buffers = &mut self.buffers;
        let marks = buffers.marks.get_mut(begin..).unwrap_or_default();
        self.rules
            .patterns
            .narrow(&present, marks, &mut buffers.scratch);
        if let Some(item) = self.item_mut(id) {
            item.marks = row(begin);
        }
    }

    /// Asks the patterns that are candidates of most texts together, once there are several.
    fn settle(&mut self, id: TextId, asked: &[u64], wanted: &[u64]) {
        let Some(item) = self
            .item(id)
            .filter(|item| !item.settled && item.marks != 0)
        else {
            return;
        };
        let from = place(item.marks);
        let range = range_of(item);
        let length = u64::try_from(range.len()).unwrap_or(u64::MAX);
        let buffers = &mut self.buffers;
        let text = buffers.bytes.get(range).unwrap_or_default();
        let marks = buffers.marks.get_mut(from..from + self.stride);
        let asked = asked
            .iter()
            .zip(wanted)
            .map(|(asked, wanted)| asked & wanted);
        let patterns = &self.rules.patterns;
        if !patterns.settle(text, marks.unwrap_or_default(), asked) {
            return;
        }
        self.work = self.work.saturating_add(length);
        if let Some(item) = self.item_mut(id) {
            item.settled = true;
        }
    }

    fn find_literals(&mut self, id: TextId) -> u32 {
        let Some(item) = self.item(id) else { return 0 };
        if item.literals != 0 {
            return item.literals;
        }
        let twin = TextId(item.twin.wrapping_sub(1));
        let found = if item.twin != 0 && twin != id {
            self.find_literals(twin)
        } else {
            self.run_automaton(id)
        };
        if let Some(item) = self.item_mut(id) {
            item.literals = found;
        }
        found
    }

    fn run_automaton(&mut self, id: TextId) -> u32 {
        let range = self.item(id).map_or(0..0, range_of);
        let begin = self.buffers.marks.len();
        let buffers = &mut self.buffers;
        let bytes = buffers.bytes.get(range).unwrap_or_default();
        self.work = self
            .work
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.rules.patterns.literals(bytes, &mut buffers.marks);
        row(begin)
    }

    /// The candidate marks of a scanned text.
    fn candidates(&self, id: TextId) -> &[u64] {
        let row = self.item(id).map_or(0, |item| item.marks);
        if row == 0 {
            return &[];
        }
        self.buffers
            .marks
            .get(place(row)..place(row) + self.stride)
            .unwrap_or_default()
    }
}

fn range_of(item: &Item) -> std::ops::Range<usize> {
    usize::try_from(item.from).unwrap_or(0)..usize::try_from(item.to).unwrap_or(0)
}

fn row(begin: usize) -> u32 {
    u32::try_from(begin + 1).unwrap_or(0)
}

fn place(row: u32) -> usize {
    usize::try_from(row).unwrap_or(0).saturating_sub(1)
}

fn meet(left: &[u64], right: &[u64]) -> bool {
    left.iter()
        .zip(right)
        .any(|(left, right)| left & right != 0)
}

/// Whether a pattern is marked.
fn marked(words: &[u64], pattern: u32) -> bool {
    usize::try_from(pattern / 64)
        .ok()
        .and_then(|word| words.get(word))
        .is_some_and(|bits| bits >> (pattern % 64) & 1 == 1)
}

/// A quick hash. Whoever makes texts collide gains nothing: they are compared, and kept apart.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |state: u64, word: u64| (state.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    let (words, rest) = bytes.as_chunks::<8>();
    let begin = u64::try_from(bytes.len()).unwrap_or(0).wrapping_mul(FACTOR);
    let state = words
        .iter()
        .fold(begin, |state, word| mix(state, u64::from_le_bytes(*word)));
    let last = rest
        .iter()
        .fold(0u64, |word, byte| (word << 8) | u64::from(*byte));
    let state = mix(state, last);
    state ^ (state >> 29)
}

/// Keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
struct Plain;

impl BuildHasher for Plain {
    type Hasher = PlainHasher;

    fn build_hasher(&self) -> PlainHasher {
        PlainHasher(0)
    }
}

struct PlainHasher(u64);

impl Hasher for PlainHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(bytes);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}
