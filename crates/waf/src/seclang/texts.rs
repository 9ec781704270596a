//! Every text of one transaction, transformed at most once per transformation.
//! Gives `Texts`: ids for texts, derived texts, and which patterns may match them.
//! Used by `run`. A text that a transformation leaves unchanged stays the same text.
//! Start reading at `Texts::derive`.

use super::program::RuleSet;
use super::transform::Transform;
use crate::scan::Candidates;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

/// A text of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TextId(u32);

/// Texts and what is known about them.
#[derive(Debug)]
pub(super) struct Texts<'r> {
    rules: &'r RuleSet,
    buffers: Buffers,
    scratch: Candidates,
    stride: usize,
    /// Bytes read by transformations and the literal automaton.
    pub(super) work: u64,
}

/// The memory of a transaction, handed on to the next one of the same thread.
#[derive(Debug, Default)]
struct Buffers {
    items: Vec<Item>,
    /// The bytes of all texts, one after the other.
    bytes: Vec<u8>,
    /// Texts that were added, by their bytes: equal texts are one text.
    known: HashMap<u64, TextId, Plain>,
    /// The candidate marks of scanned texts, `stride` words each.
    marks: Vec<u64>,
}

/// Larger memory is given back instead of kept.
const KEPT_MAX: usize = 256 << 10;
/// Transactions of one thread do not nest deeply.
const POOL_MAX: usize = 2;

thread_local! {
    static POOL: RefCell<Vec<Buffers>> = const { RefCell::new(Vec::new()) };
}

impl Drop for Texts<'_> {
    fn drop(&mut self) {
        let mut buffers = std::mem::take(&mut self.buffers);
        let small = buffers.bytes.capacity() <= KEPT_MAX
            && buffers.marks.capacity() * 8 <= KEPT_MAX
            && buffers.items.capacity() <= KEPT_MAX / 64;
        if !small {
            return;
        }
        // No text of one request stays readable for the next.
        buffers.items.clear();
        buffers.bytes.clear();
        buffers.known.clear();
        buffers.marks.clear();
        // While the thread ends the pool may be gone; then the memory simply goes too.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < POOL_MAX {
                pool.push(buffers);
            }
        });
    }
}

#[derive(Debug)]
struct Item {
    from: u32,
    to: u32,
    /// What each transformation makes of it: 0 unknown, else the id plus one.
    steps: [u32; Transform::COUNT],
    /// Where its marks begin, once scanned.
    marks: Option<u32>,
}

impl<'r> Texts<'r> {
    pub(super) fn new(rules: &'r RuleSet) -> Texts<'r> {
        let kept = POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
        Texts {
            rules,
            buffers: kept.unwrap_or_default(),
            scratch: Candidates::default(),
            stride: rules.patterns.len().div_ceil(64),
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
        self.buffers.items.push(Item {
            from,
            to,
            steps: [0; Transform::COUNT],
            marks: None,
        });
        id
    }

    pub(super) fn bytes(&self, id: TextId) -> &[u8] {
        let range = self.item(id).and_then(|item| {
            Some(usize::try_from(item.from).ok()?..usize::try_from(item.to).ok()?)
        });
        range
            .and_then(|range| self.buffers.bytes.get(range))
            .unwrap_or_default()
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
        let index = transform.index();
        let known = self
            .item(id)
            .and_then(|item| item.steps.get(index))
            .copied()
            .unwrap_or(0);
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
        if let Some(place) = self.item_mut(id).and_then(|item| item.steps.get_mut(index)) {
            *place = next.0 + 1;
        }
        next
    }

    /// Makes sure the candidates of a text are known.
    pub(super) fn scan(&mut self, id: TextId) {
        if self.item(id).is_none_or(|item| item.marks.is_some()) {
            return;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let bytes = self.bytes(id);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.rules.patterns.candidates(bytes, &mut scratch);
        self.work = self.work.saturating_add(length);
        let begin = u32::try_from(self.buffers.marks.len()).unwrap_or(u32::MAX);
        self.buffers.marks.extend_from_slice(scratch.words());
        if let Some(item) = self.item_mut(id) {
            item.marks = Some(begin);
        }
        self.scratch = scratch;
    }

    /// The candidate marks of a scanned text.
    pub(super) fn candidates(&self, id: TextId) -> &[u64] {
        let begin = self
            .item(id)
            .and_then(|item| item.marks)
            .and_then(|begin| usize::try_from(begin).ok());
        begin
            .and_then(|begin| self.buffers.marks.get(begin..begin + self.stride))
            .unwrap_or_default()
    }
}

/// Whether a pattern is marked.
pub(super) fn marked(words: &[u64], pattern: u32) -> bool {
    usize::try_from(pattern / 64)
        .ok()
        .and_then(|word| words.get(word))
        .is_some_and(|bits| bits >> (pattern % 64) & 1 == 1)
}

/// A quick hash. Whoever makes texts collide gains nothing: they are compared, and kept apart.
fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = u64::try_from(bytes.len()).unwrap_or(0).wrapping_mul(FACTOR);
    for chunk in bytes.chunks(8) {
        let word = chunk
            .iter()
            .fold(0u64, |word, byte| (word << 8) | u64::from(*byte));
        state = (state.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    }
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
