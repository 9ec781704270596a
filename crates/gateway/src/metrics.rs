//! Numbers for Prometheus: decisions by stage, code and integration, and how long they took.
//! Exports `Metrics`, `RecordCounts`. Label values come from configuration and fixed lists only, so their number is bounded.
//! Counted by the service; printed by the admin listener.
//! Start reading at `Metrics::count`.

mod durations;

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use audit::{Recorder, Subscription};
use model::Outcome;
use model::event::Named;
use net::Upstream;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use durations::Durations;

/// A shared name as a label value.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct Name(Arc<str>);

impl EncodeLabelValue for Name {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        (&*self.0).encode(encoder)
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Decision {
    outcome: &'static str,
    stage: &'static str,
    code: &'static str,
    integration: Name,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Connection {
    listener: Name,
    code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Record {
    kind: String,
    outcome: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct UpstreamTarget {
    upstream: Name,
    target: Name,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Follower {
    subscriber: Name,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DestinationName {
    destination: Name,
}

/// The metrics' own place in the stream of records.
pub struct RecordCounts(Mutex<Subscription>);

impl RecordCounts {
    /// Counts from here on.
    pub fn new(recorder: &Recorder) -> Self {
        RecordCounts(Mutex::new(recorder.subscribe("metrics")))
    }
}

/// What one decision adds to the counters.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Allowed, refused or failed.
    pub outcome: Outcome,
    /// Stage that decided.
    pub stage: &'static str,
    /// Stable code; empty when allowed.
    pub code: &'static str,
    /// Integration; empty when unknown.
    pub integration: Arc<str>,
    /// Whole time in microseconds.
    pub took_us: u64,
    /// Time spent waiting for the upstream, in microseconds.
    pub upstream_us: Option<u64>,
}

/// Counters of allowed requests that a thread has met: nearly all are of few integrations, and to find a counter by its
/// labels costs more than to count.
#[derive(Debug, Default)]
pub struct CounterCache(RefCell<Vec<(Arc<str>, Counter)>>);

impl CounterCache {
    /// Most kept; a new configuration has new names, so the list is begun anew when it is full.
    const KEPT_MAX: usize = 32;

    fn allowed(&self, integration: Arc<str>, find: impl FnOnce(Arc<str>) -> Counter) -> Counter {
        let mut known = self.0.borrow_mut();
        let same = |(name, _): &&(Arc<str>, Counter)| Arc::ptr_eq(name, &integration);
        if let Some((_, counter)) = known.iter().find(same) {
            return counter.clone();
        }
        if known.len() >= Self::KEPT_MAX {
            known.clear();
        }
        let counter = find(Arc::clone(&integration));
        known.push((integration, counter.clone()));
        counter
    }
}

/// What the process counts.
pub struct Metrics {
    registry: Registry,
    decisions: Family<Decision, Counter>,
    seconds: Durations,
    upstream_seconds: Durations,
    connections_dropped: Family<Connection, Counter>,
    upstream_surplus: Family<UpstreamTarget, Counter>,
    /// Dropped connections whose record the ledger could not take.
    pub connections_unrecorded: Counter,
    /// Requests whose work was given up before it was done; each has a record.
    pub calls_cut: Counter,
    /// Configurations taken into force since the start.
    pub swaps: Counter,
    /// Configurations refused since the start; the last good one went on serving.
    pub swaps_refused: Counter,
    /// Records in the ledger.
    pub ledger_records: Gauge,
    events: Family<Record, Counter>,
    events_missed: Family<Follower, Gauge>,
    destination_waiting: Family<DestinationName, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("portcullis"),
            decisions: Family::default(),
            seconds: Durations::default(),
            upstream_seconds: Durations::default(),
            connections_dropped: Family::default(),
            upstream_surplus: Family::default(),
            connections_unrecorded: Counter::default(),
            calls_cut: Counter::default(),
            swaps: Counter::default(),
            swaps_refused: Counter::default(),
            ledger_records: Gauge::default(),
            events: Family::default(),
            events_missed: Family::default(),
            destination_waiting: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "decisions",
            "Requests decided, by outcome, stage, code and integration",
            self.decisions.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "From the first byte to the decision's end",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register_with_unit(
            "upstream_duration",
            "Waiting for the upstream",
            Unit::Seconds,
            self.upstream_seconds.clone(),
        );
        registry.register(
            "connections_dropped",
            "Connections that ended without a request, by listener and code",
            self.connections_dropped.clone(),
        );
        registry.register(
            "upstream_surplus",
            "Connections to a target that were closed because it sent what nobody had asked for",
            self.upstream_surplus.clone(),
        );
        registry.register(
            "connections_unrecorded",
            "Dropped connections whose record the ledger could not take",
            self.connections_unrecorded.clone(),
        );
        registry.register(
            "calls_cut",
            "Requests cut before they were done: the caller went away, or the server stopped",
            self.calls_cut.clone(),
        );
        registry.register(
            "configuration_swaps",
            "Configurations taken into force",
            self.swaps.clone(),
        );
        registry.register(
            "configuration_swaps_refused",
            "Configurations refused; the last good one went on serving",
            self.swaps_refused.clone(),
        );
        registry.register(
            "ledger_records",
            "Records in the ledger",
            self.ledger_records.clone(),
        );
        registry.register(
            "events",
            "Records that became durable since the start, by kind and outcome",
            self.events.clone(),
        );
        registry.register(
            "events_missed",
            "Records that a subscriber was too slow for; they are in the ledger",
            self.events_missed.clone(),
        );
        registry.register(
            "destination_waiting",
            "Records of the ledger that a destination has yet to get",
            self.destination_waiting.clone(),
        );
    }

    /// Counts what became durable since the last call. Kinds and outcomes are words of this program, so their number is
    /// bounded.
    pub fn count_records(&self, counts: &RecordCounts, recorder: &Recorder) {
        let mut records = counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.take_labels(|label| {
            let labels = Record {
                kind: label.kind.name().to_owned(),
                outcome: label.outcome.name().to_owned(),
            };
            self.events.get_or_create_owned(&labels).inc();
        });
        for one in recorder.followed() {
            let missed = i64::try_from(one.missed).unwrap_or(i64::MAX);
            let follower = Follower {
                subscriber: Name(one.name),
            };
            self.events_missed.get_or_create(&follower).set(missed);
        }
    }

    /// Says how many records a destination has yet to get. Names are those of the configuration.
    pub fn note_waiting(&self, destination: &Arc<str>, records: u64) {
        let labels = DestinationName {
            destination: Name(Arc::clone(destination)),
        };
        let records = i64::try_from(records).unwrap_or(i64::MAX);
        self.destination_waiting.get_or_create(&labels).set(records);
    }

    /// Counts what targets sent unasked since the last call. Their names are those of the configuration.
    pub fn count_surplus(&self, upstream: &Upstream) {
        for (target, count) in upstream.take_surplus() {
            let labels = UpstreamTarget {
                upstream: Name(Arc::clone(upstream.name())),
                target: Name(target),
            };
            self.upstream_surplus.get_or_create(&labels).inc_by(count);
        }
    }

    /// Adds one decision.
    pub fn count(&self, counted: Counted, lately: &CounterCache) {
        self.seconds.observe(counted.took_us);
        if let Some(upstream_us) = counted.upstream_us {
            self.upstream_seconds.observe(upstream_us);
        }
        match counted.outcome {
            Outcome::Allow => lately.allowed(counted.integration, |who| {
                self.decided(Outcome::Allow.name(), counted.stage, "", who)
            }),
            outcome => self.decided(
                outcome.name(),
                counted.stage,
                counted.code,
                counted.integration,
            ),
        }
        .inc();
    }

    fn decided(
        &self,
        outcome: &'static str,
        stage: &'static str,
        code: &'static str,
        integration: Arc<str>,
    ) -> Counter {
        let labels = Decision {
            outcome,
            stage,
            code,
            integration: Name(integration),
        };
        self.decisions.get_or_create_owned(&labels)
    }

    /// Adds connections that ended without a request.
    pub fn count_dropped(&self, listener: &Arc<str>, code: &'static str, count: u64) {
        let labels = Connection {
            listener: Name(Arc::clone(listener)),
            code,
        };
        self.connections_dropped
            .get_or_create(&labels)
            .inc_by(count);
    }

    /// The OpenMetrics text.
    pub fn print(&self) -> String {
        let mut out = String::new();
        match prometheus_client::encoding::text::encode(&mut out, &self.registry) {
            Ok(()) => out,
            Err(_) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(outcome: Outcome, code: &'static str, integration: &Arc<str>) -> Counted {
        Counted {
            outcome,
            stage: "authn",
            code,
            integration: Arc::clone(integration),
            took_us: 120,
            upstream_us: None,
        }
    }

    #[test]
    fn decisions_show_with_their_labels() {
        let (metrics, lately) = (Metrics::new(), CounterCache::default());
        let nobody: Arc<str> = "".into();
        let many: Vec<Arc<str>> = (0..100).map(|n| format!("i{n}").into()).collect();
        metrics.count(counted(Outcome::Refuse, "authn.missing", &nobody), &lately);
        for _ in 0..3 {
            for who in &many {
                metrics.count(counted(Outcome::Allow, "", who), &lately);
            }
            metrics.count(counted(Outcome::Refuse, "authn.revoked", &many[0]), &lately);
        }
        let text = metrics.print();
        for line in [
            r#"{outcome="refuse",stage="authn",code="authn.missing",integration=""} 1"#,
            r#"{outcome="refuse",stage="authn",code="authn.revoked",integration="i0"} 3"#,
            r#"{outcome="allow",stage="authn",code="",integration="i0"} 3"#,
            r#"{outcome="allow",stage="authn",code="",integration="i99"} 3"#,
        ] {
            assert!(
                text.contains(&format!("portcullis_decisions_total{line}\n")),
                "{text}"
            );
        }
        assert!(text.contains("portcullis_request_duration_seconds_count 304"));
        assert!(lately.0.borrow().len() <= CounterCache::KEPT_MAX);
    }
}
