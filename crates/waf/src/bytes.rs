//! A set of byte values in four words.
//! Exports `ByteSet`. Used by the masks of `PatternSet` and by range checks.
//! Pure arithmetic.
//! Start reading at `ByteSet::of`.

/// Where two bytes first stand side by side. For a pair it is quicker than a searcher built for one text.
pub(crate) fn find_pair(text: &[u8], pair: [u8; 2]) -> Option<usize> {
    let [first, second] = pair;
    memchr::memchr_iter(first, text).find(|at| text.get(at + 1) == Some(&second))
}

/// From so many bytes on a table costs less than the arithmetic.
const FEW: usize = 64;

/// Which of the 256 byte values are in the set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    /// The bytes that occur in `text`.
    pub fn of(text: &[u8]) -> ByteSet {
        if text.len() < FEW {
            ByteSet::of_few(text)
        } else {
            ByteSet::of_many(text)
        }
    }

    /// One store for each byte, and one look at all the values in the end.
    fn of_many(text: &[u8]) -> ByteSet {
        let mut seen = [0u8; 256];
        for byte in text {
            if let Some(place) = seen.get_mut(usize::from(*byte)) {
                *place = 1;
            }
        }
        let mut set = ByteSet::default();
        let (eights, _) = seen.as_chunks::<8>();
        for (index, eight) in eights.iter().enumerate() {
            // Every byte is 0 or 1: the product gathers them in its highest byte, the first one lowest.
            let marks = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            if let Some(word) = set.0.get_mut(index / 8) {
                *word |= marks << (index % 8 * 8);
            }
        }
        set
    }

    fn of_few(text: &[u8]) -> ByteSet {
        // Without branches: the bytes of a text change words too often to be foreseen.
        let [mut first, mut second, mut third, mut fourth] = [0u64; 4];
        for byte in text {
            let bit = 1u64 << (byte & 63);
            let word = byte >> 6;
            first |= bit & 0u64.wrapping_sub(u64::from(word == 0));
            second |= bit & 0u64.wrapping_sub(u64::from(word == 1));
            third |= bit & 0u64.wrapping_sub(u64::from(word == 2));
            fourth |= bit & 0u64.wrapping_sub(u64::from(word == 3));
        }
        ByteSet([first, second, third, fourth])
    }

    /// Adds one value.
    pub fn add(&mut self, byte: u8) {
        let [first, second, third, fourth] = &mut self.0;
        let bit = 1u64 << (byte & 63);
        match byte >> 6 {
            0 => *first |= bit,
            1 => *second |= bit,
            2 => *third |= bit,
            _ => *fourth |= bit,
        }
    }

    /// Adds an inclusive range.
    pub fn add_range(&mut self, first: u8, last: u8) {
        for byte in first..=last {
            self.add(byte);
        }
    }

    /// Whether one of the bytes of `text` is in the set.
    pub fn occurs_in(&self, text: &[u8]) -> bool {
        text.iter().any(|byte| self.has(*byte))
    }

    /// Whether the value is in the set.
    pub fn has(&self, byte: u8) -> bool {
        self.0
            .get(usize::from(byte >> 6))
            .is_some_and(|word| word >> (byte & 63) & 1 == 1)
    }

    /// The values in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        self.0
            .iter()
            .zip([0u8, 64, 128, 192])
            .flat_map(|(word, base)| {
                let mut left = *word;
                std::iter::from_fn(move || {
                    if left == 0 {
                        return None;
                    }
                    let bit = u8::try_from(left.trailing_zeros()).unwrap_or(0);
                    left &= left - 1;
                    Some(base + bit)
                })
            })
    }

    /// Whether the two sets share a value.
    pub fn meets(&self, other: &ByteSet) -> bool {
        self.0
            .iter()
            .zip(other.0)
            .any(|(ours, theirs)| ours & theirs != 0)
    }

    /// Whether the other set holds every value of this one.
    pub fn is_within(&self, other: &ByteSet) -> bool {
        self.0
            .iter()
            .zip(other.0)
            .all(|(ours, theirs)| ours & !theirs == 0)
    }

    /// The union of both.
    pub fn with(&self, other: &ByteSet) -> ByteSet {
        let mut out = *self;
        for (ours, theirs) in out.0.iter_mut().zip(other.0) {
            *ours |= theirs;
        }
        out
    }

    /// How many values are in the set.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_set_holds_the_bytes_of_its_text_and_no_other(
            text in proptest::collection::vec(any::<u8>(), 0..FEW * 4),
        ) {
            let mut added = ByteSet::default();
            text.iter().for_each(|byte| added.add(*byte));
            prop_assert_eq!(ByteSet::of(&text), added);
            prop_assert_eq!(ByteSet::of_many(&text), added);
            prop_assert_eq!(ByteSet::of_few(&text), added);
        }
    }
}
