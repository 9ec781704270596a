//! A small deterministic source of variety for the demo's records and traffic. Not for secrets.
//! Exports `SplitMix64`. Pure: the same seed gives the same throws on every machine.
//! Used by data and traffic.
//! Start reading at `SplitMix64::throw` (the SplitMix64 step).

/// A seeded sequence of numbers.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// A sequence for this seed.
    pub const fn new(seed: u64) -> Self {
        SplitMix64(seed)
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high.saturating_sub(low).saturating_add(1)).unwrap_or(1);
        low.saturating_add(i64::try_from(self.below(span)).unwrap_or(0))
    }

    /// True in `percent` of 100 throws.
    pub fn is_lucky(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these; the default when there is none.
    pub fn pick<T: Copy + Default>(&mut self, from: &[T]) -> T {
        let at = self.below(u64::try_from(from.len()).unwrap_or(0));
        usize::try_from(at)
            .ok()
            .and_then(|at| from.get(at))
            .copied()
            .unwrap_or_default()
    }

    /// This many decimal digits, the first not zero.
    pub fn digits(&mut self, count: usize) -> String {
        let mut text = String::with_capacity(count);
        for at in 0..count {
            let low = i64::from(at == 0);
            text.push_str(&self.between(low, 9).to_string());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same() {
        let throws = |seed| {
            let mut random = SplitMix64::new(seed);
            (0..8).map(|_| random.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
    }

    #[test]
    fn bounds_hold_and_nothing_to_pick_is_no_panic() {
        let mut random = SplitMix64::new(1);
        assert!((0..500).all(|_| (-3..=4).contains(&random.between(-3, 4))));
        assert_eq!(random.pick::<u8>(&[]), 0);
        assert_eq!(random.digits(5).len(), 5);
        assert_eq!(random.below(0), 0);
    }
}
