//! One target of an upstream: where it is and how it has been doing.
//! Gives `Origin`, `Target`. State is atomic: all threads see and change it without a lock.
//! Used by upstream and client.
//! Start reading at `Target`.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crate::h1::authority;

/// Failed calls in a row after which a target is left alone for a while.
const FAILURES_MAX: u32 = 5;
/// First pause in milliseconds; doubled with every further failure.
const PAUSE_MS: u64 = 1_000;
/// Longest pause.
const PAUSE_MS_MAX: u64 = 60_000;

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

/// Milliseconds since this process first asked.
pub(crate) fn now_ms() -> u64 {
    ms_at(Instant::now())
}

/// The same for a moment that is known already.
pub(crate) fn ms_at(moment: Instant) -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = *START.get_or_init(|| moment);
    u64::try_from(moment.saturating_duration_since(start).as_millis()).unwrap_or(u64::MAX)
}

/// One target.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) origin: Origin,
    pub(crate) name: Arc<str>,
    pub(crate) calls: AtomicU32,
    failures: AtomicU32,
    paused_until: AtomicU64,
    is_down: AtomicBool,
    checks: AtomicU32,
}

impl Target {
    pub(crate) fn new(origin: Origin, name: &str) -> Self {
        Target {
            origin,
            name: Arc::from(name),
            calls: AtomicU32::new(0),
            failures: AtomicU32::new(0),
            paused_until: AtomicU64::new(0),
            is_down: AtomicBool::new(false),
            checks: AtomicU32::new(0),
        }
    }

    /// Neither taken out by checks nor paused after failures.
    pub(crate) fn is_available(&self, now: u64) -> bool {
        !self.is_down.load(Ordering::Relaxed) && self.paused_until.load(Ordering::Relaxed) <= now
    }

    /// Whether this call may go there. After a pause one call goes as a probe; the others wait for its outcome.
    pub(crate) fn admits(&self, now: u64) -> bool {
        if !self.is_available(now) {
            return false;
        }
        let until = self.paused_until.load(Ordering::Relaxed);
        until == 0
            || self
                .paused_until
                .compare_exchange(until, now + PAUSE_MS, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// A whole answer arrived.
    pub(crate) fn succeeded(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
            self.paused_until.store(0, Ordering::Relaxed);
        }
    }

    /// No connection, no answer, or none that makes sense.
    pub(crate) fn failed(&self, now: u64) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures >= FAILURES_MAX {
            let doublings = (failures - FAILURES_MAX).min(6);
            let pause = (PAUSE_MS << doublings).min(PAUSE_MS_MAX);
            self.paused_until.store(now + pause, Ordering::Relaxed);
        }
    }

    /// Outcome of an active check. Only one task checks, so plain loads and stores do.
    pub(crate) fn checked(&self, is_good: bool, unhealthy_after: u32, healthy_after: u32) {
        let is_down = self.is_down.load(Ordering::Relaxed);
        if is_good != is_down {
            self.checks.store(0, Ordering::Relaxed);
            return;
        }
        let streak = self.checks.load(Ordering::Relaxed) + 1;
        let needed = if is_down {
            healthy_after
        } else {
            unhealthy_after
        };
        if streak < needed {
            self.checks.store(streak, Ordering::Relaxed);
            return;
        }
        self.checks.store(0, Ordering::Relaxed);
        self.is_down.store(!is_down, Ordering::Relaxed);
        if is_down {
            self.failures.store(0, Ordering::Relaxed);
            self.paused_until.store(0, Ordering::Relaxed);
        }
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
    fn a_failing_target_is_paused_longer_and_longer_and_probed_by_one_call() {
        let target = target();
        for _ in 0..4 {
            target.failed(1_000);
        }
        assert!(target.admits(1_000));
        target.failed(1_000);
        assert!(!target.admits(1_999));
        assert!(target.admits(2_000), "one probe");
        assert!(!target.admits(2_000), "only one");
        target.failed(2_000);
        assert!(!target.is_available(3_999));
        assert!(target.admits(4_000));
        target.succeeded();
        assert!(target.admits(4_000) && target.admits(4_000));
    }

    #[test]
    fn checks_take_out_and_bring_back_after_their_streaks() {
        let target = target();
        let check = |is_good| target.checked(is_good, 3, 2);
        check(false);
        check(false);
        check(true);
        check(false);
        check(false);
        assert!(target.admits(0), "the streak was broken");
        check(false);
        assert!(!target.admits(0));
        check(true);
        assert!(!target.admits(0));
        check(true);
        assert!(target.admits(0));
    }
}
