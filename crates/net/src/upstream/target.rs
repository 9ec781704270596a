//! One target of an upstream: where it is and how it has been doing.
//! Exports `Origin`, `Target`. Its condition is one atomic word: all threads see and change it without a lock.
//! Used by upstream and client.
//! Start reading at `Target`.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::condition::{Condition, Event};
use crate::h1::authority;

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) is_tls: bool,
    /// Host without brackets, for resolving and for the certificate.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Host and port as written in `host`; the default port is left out.
    pub(crate) authority: String,
}

impl Origin {
    /// Reads `http://host[:port]` or `https://host[:port]`.
    pub(crate) fn parse(text: &str) -> Result<Origin, &'static str> {
        let (is_tls, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err("the scheme is not http or https"),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err("a target has no path");
        }
        if rest.contains('@') {
            return Err("a target holds no user or password");
        }
        let authority =
            authority::canonical(rest.as_bytes()).ok_or("the host or port is not valid")?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
            _ => (authority.as_str(), None),
        };
        let default = if is_tls { 443 } else { 80 };
        Ok(Origin {
            is_tls,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: port.unwrap_or(default),
            authority: if port == Some(default) {
                host.to_owned()
            } else {
                authority
            },
        })
    }
}

/// Microseconds since this process first asked.
pub(crate) fn now_us() -> u64 {
    us_at(Instant::now())
}

/// The same for a moment that is known already.
pub(crate) fn us_at(moment: Instant) -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = *START.get_or_init(|| moment);
    // Never 0: that stands for "nothing is known yet".
    let passed = moment.saturating_duration_since(start).as_micros();
    u64::try_from(passed).unwrap_or(u64::MAX).saturating_add(1)
}

/// One target.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) origin: Origin,
    pub(crate) name: Arc<str>,
    pub(crate) calls: AtomicU32,
    /// Connections on which it said what nobody had asked for; taken by whoever counts them.
    pub(crate) surplus: AtomicU64,
    /// The last connection that was listened to before its first call said nothing, and no surplus was seen since.
    pub(super) is_quiet: AtomicBool,
    condition: AtomicU64,
}

impl Target {
    pub(crate) fn new(origin: Origin, name: &str) -> Self {
        Target {
            origin,
            name: Arc::from(name),
            calls: AtomicU32::new(0),
            surplus: AtomicU64::new(0),
            is_quiet: AtomicBool::new(false),
            condition: AtomicU64::new(Condition::default().pack()),
        }
    }

    /// What is known of it.
    pub(crate) fn condition(&self) -> Condition {
        Condition::unpack(self.condition.load(Ordering::Relaxed))
    }

    /// Learns from an event.
    pub(crate) fn note(&self, event: Event, now_us: u64) {
        let next = |word| Some(Condition::unpack(word).after(event, now_us).pack());
        // Always `Some`, so it never fails.
        let _ = self
            .condition
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// Whether a probe is due, and this caller of the function is the one to make it.
    pub(crate) fn takes_probe(&self, now_us: u64) -> bool {
        let word = self.condition.load(Ordering::Relaxed);
        let condition = Condition::unpack(word);
        let probed = condition.after(Event::Probed, now_us).pack();
        condition.is_probe_due(now_us)
            && self
                .condition
                .compare_exchange(word, probed, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target::new(Origin::parse("http://a.test").unwrap(), "http://a.test")
    }

    #[test]
    fn targets_are_origins_and_nothing_else() {
        let origin = Origin::parse("https://Field.Works:8443/").unwrap();
        assert_eq!((origin.host.as_str(), origin.port), ("field.works", 8443));
        assert_eq!(origin.authority, "field.works:8443");
        let origin = Origin::parse("http://[::1]:80").unwrap();
        assert_eq!((origin.host.as_str(), origin.port), ("::1", 80));
        assert_eq!(origin.authority, "[::1]");
        assert_eq!(Origin::parse("http://[::1]").unwrap().port, 80);
        for wrong in [
            "ftp://a",
            "a.test",
            "http://a/b",
            "http://u:p@a",
            "http://",
            "http://a:0",
        ] {
            assert!(Origin::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_probe_is_taken_by_one_only() {
        let target = target();
        assert!(!target.takes_probe(1), "nothing is wrong");
        target.note(Event::NotConnected { began_us: 5 }, 6);
        assert!(!target.takes_probe(7));
        assert!(target.takes_probe(200_000));
        assert!(!target.takes_probe(200_000));
        target.note(Event::Connected, 200_001);
        assert!(!target.condition().is_resting());
    }
}
