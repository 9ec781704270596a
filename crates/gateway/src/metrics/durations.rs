//! How long things took, counted without a lock: every request on every core adds to the same numbers.
//! Exports `Durations`.
//! Used by `Metrics`; the histogram of the library takes a lock for each request, twice where it was forwarded.
//! Start reading at `Durations::observe`.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// Upper bounds of the buckets, in microseconds. What took longer than the last one has a bucket of its own.
const BOUNDS_US: [u64; 12] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_500_000, 10_000_000,
];

/// A histogram of durations.
#[derive(Clone, Debug, Default)]
pub(super) struct Durations(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Durations {
    /// Counts one.
    pub(super) fn observe(&self, micros: u64) {
        let at = BOUNDS_US.partition_point(|bound| *bound < micros);
        if let Some(bucket) = self.0.buckets.get(at) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.0.sum_us.fetch_add(micros, Ordering::Relaxed);
    }
}

impl EncodeMetric for Durations {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let bounds = BOUNDS_US.iter().map(|bound| seconds(*bound));
        let counts = self.0.buckets.iter();
        let counts = counts.map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.chain([f64::INFINITY]).zip(counts).collect();
        // From the buckets and no counter of its own, so that both always agree.
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = seconds(self.0.sum_us.load(Ordering::Relaxed));
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds far below 2^52")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::histogram::Histogram;
    use prometheus_client::registry::Registry;

    fn text(metric: impl prometheus_client::registry::Metric) -> String {
        let mut registry = Registry::default();
        registry.register("d", "d", metric);
        let mut out = String::new();
        encode(&mut out, &registry).unwrap();
        out
    }

    #[test]
    fn it_counts_as_the_histogram_of_the_library_does() {
        let ours = Durations::default();
        let theirs = Histogram::new(BOUNDS_US.map(seconds));
        let around = BOUNDS_US.iter().flat_map(|b| [b - 1, *b, b + 1]);
        // Sums that a double holds exactly, whatever the order of adding.
        for micros in around.chain([0, 60_000_000]) {
            ours.observe(micros);
            theirs.observe(seconds(micros));
        }
        let lines = |text: String| {
            let lines = text.lines().filter(|line| !line.starts_with("d_sum"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let (ours, theirs) = (text(ours), text(theirs));
        assert!(ours.contains("d_count 38\n"), "{ours}");
        assert_eq!(lines(ours), lines(theirs));
    }

    #[test]
    fn nothing_is_lost_when_many_count_at_once() {
        let durations = Durations::default();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let durations = durations.clone();
                scope.spawn(move || (0..10_000).for_each(|n| durations.observe(n * thread)));
            }
        });
        assert!(text(durations).contains("d_count 80000\n"));
    }
}
