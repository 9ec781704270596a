//! Decision ids, one after another on one thread.
//! Exports `Ids`.
//! Used by the service and by `connections`.
//! Start reading at `Ids::next`.

use std::cell::RefCell;

use model::ids::RANDOM_BYTES;
use model::{DecisionId, Timestamp};

/// Ids whose randomness is drawn at once. A draw costs about as much for one id as for many, and each request needs one.
const DRAWN: usize = 64;

/// Makes decision ids. They are random below the millisecond: whoever holds two of them cannot tell from them how many
/// requests came in between.
#[derive(Default)]
pub(crate) struct Ids {
    drawn: RefCell<Vec<[u8; RANDOM_BYTES]>>,
}

impl Ids {
    pub(crate) fn next(&self, now: Timestamp) -> DecisionId {
        let mut drawn = self.drawn.borrow_mut();
        // What was given out is taken away: the bytes of an id are used once.
        let random = drawn.pop().unwrap_or_else(|| {
            let bytes = crypto::random::<{ DRAWN * RANDOM_BYTES }>();
            drawn.extend_from_slice(bytes.as_chunks::<RANDOM_BYTES>().0);
            drawn.pop().unwrap_or_else(crypto::random)
        });
        DecisionId::new(now, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_sort_by_their_millisecond_and_tell_no_count() {
        let (ids, others) = (Ids::default(), Ids::default());
        let at = Timestamp::from_micros;
        let all: Vec<DecisionId> = (0..1_000)
            .flat_map(|_| [ids.next(at(1_000_000)), others.next(at(1_000_000))])
            .collect();
        let mut distinct = all.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), all.len());
        assert!(distinct.iter().all(|id| *id < ids.next(at(1_001_000))));
        // A counter would give neighbours almost equal bits; chance gives about half of the 74.
        let common = |a: DecisionId, b: DecisionId| (a.bits() ^ b.bits()).count_ones();
        let pairs = all.iter().step_by(2).zip(all.iter().skip(2).step_by(2));
        let differing: u32 = pairs.map(|(a, b)| common(*a, *b)).sum();
        assert!((30..=44).contains(&(differing / 999)), "{differing}");
    }
}
