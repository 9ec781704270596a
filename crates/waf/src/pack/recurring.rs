//! Texts that come with nearly every message of a client, such as its name: what was harmless once is harmless again.
//! Exports `harmless` and `keep`. One table per thread, of a fixed size; a text is compared whole, so nothing is mistaken.
//! Used by the pack for parts that say they recur. Nothing is kept of other texts.
//! Start reading at `harmless`.

use std::cell::RefCell;

/// Longer texts are inspected every time.
const LENGTH_MAX: usize = 256;
/// Places for texts; a text that falls on a taken place takes it over.
const PLACES: usize = 64;

#[derive(Clone, Debug)]
struct Place {
    text: [u8; LENGTH_MAX],
    length: usize,
    /// 0: free.
    paranoia: u8,
    work: u64,
}

const FREE: Place = Place {
    text: [0; LENGTH_MAX],
    length: 0,
    paranoia: 0,
    work: 0,
};

thread_local! {
    static TABLE: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
}

/// The work it took to find nothing in this text at this level, if that is known.
pub(super) fn harmless(text: &[u8], paranoia: u8) -> Option<u64> {
    let number = number(text).filter(|_| paranoia > 0)?;
    TABLE.with_borrow(|table| {
        let place = table.get(number)?;
        let is_same = place.paranoia == paranoia && place.text.get(..place.length) == Some(text);
        is_same.then_some(place.work)
    })
}

/// Keeps that nothing was found in this text.
pub(super) fn keep(text: &[u8], paranoia: u8, work: u64) {
    let Some(number) = number(text) else { return };
    TABLE.with_borrow_mut(|table| {
        table.resize(PLACES, FREE);
        let Some(place) = table.get_mut(number) else {
            return;
        };
        if let Some(room) = place.text.get_mut(..text.len()) {
            room.copy_from_slice(text);
            (place.length, place.paranoia, place.work) = (text.len(), paranoia, work);
        }
    });
}

/// The place of a text; none for long ones.
fn number(text: &[u8]) -> Option<usize> {
    if text.len() > LENGTH_MAX {
        return None;
    }
    // FNV-1a.
    let hash = text.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash ^ (hash >> 32))
        .ok()
        .map(|hash| hash % PLACES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_whole_and_at_its_level_only() {
        keep(b"curl/8.9.1", 1, 20);
        assert_eq!(harmless(b"curl/8.9.1", 1), Some(20));
        assert_eq!(harmless(b"curl/8.9.1", 2), None);
        assert_eq!(harmless(b"curl/8.9.", 1), None);
        assert_eq!(harmless(b"curl/8.9.12", 1), None);
    }

    #[test]
    fn the_table_stays_as_small_as_it_is() {
        keep(&[b'a'; LENGTH_MAX + 1], 1, 1);
        assert_eq!(harmless(&[b'a'; LENGTH_MAX + 1], 1), None);
        for number in 0..10_000u32 {
            keep(&number.to_le_bytes(), 1, 4);
        }
        assert_eq!(TABLE.with_borrow(Vec::len), PLACES);
        assert_eq!(harmless(b"", 0), None, "a free place is no text");
    }
}
