//! How the files that this process may have open are shared out: connections of callers, connections to upstreams, everything else.
//! Exports `Descriptors`, `workers`, `raise`, `limit_of`.
//! Used by the server when it starts and by `doctor`.
//! Start reading at `Descriptors::of`; docs/decisions/063 has the reasons.

use std::fs;

use config::Compiled;
use net::KEPT_CONNECTIONS;
use rustix::process::{Resource, Rlimit};

/// The store, the ledger, the local socket and its callers, files of the configuration, deliveries; and connections that are being closed.
const FIXED: usize = 64;
/// What a worker thread has open beside its listeners: the runtime's own.
const WORKER: usize = 4;
/// With fewer for connections nothing can be served in order.
const CONNECTIONS_MIN: usize = 32;

/// A limit, shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptors {
    /// Most files that the process may have open.
    pub(crate) limit: usize,
    /// Connections of callers, over all listeners.
    pub(crate) callers: usize,
    /// Connections to upstreams, over all worker threads.
    pub(crate) upstreams: usize,
    /// What the configuration allows of both.
    pub(crate) callers_wanted: usize,
    pub(crate) upstreams_wanted: usize,
    /// The limit with which all of that fits.
    pub(crate) enough: usize,
}

/// A limit that leaves too little for connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooFew {
    pub(crate) limit: usize,
    /// The least with which a server starts.
    pub(crate) least: usize,
    /// As in [`Descriptors`].
    pub(crate) enough: usize,
}

impl Descriptors {
    /// What a server of this configuration with so many worker threads makes of a limit. Callers get what they are allowed, as long as
    /// that leaves upstreams as much as they are allowed, or half.
    pub(crate) fn of(limit: usize, compiled: &Compiled, workers: usize) -> Result<Self, TooFew> {
        let listeners = &compiled.server.listeners;
        let whole = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let callers_wanted: usize = listeners
            .iter()
            .map(|listener| whole(listener.connections_max))
            .sum();
        let upstreams = || compiled.versions.iter().filter_map(|v| v.upstream.as_ref());
        let upstreams_wanted: usize = upstreams().map(|upstream| whole(upstream.calls_max)).sum();
        // One for each health check or probe.
        let targets: usize = upstreams().map(|upstream| upstream.targets.len()).sum();
        let sockets = workers * (WORKER + listeners.len());
        let fixed = FIXED + sockets + targets + KEPT_CONNECTIONS * listeners.len();
        Descriptors::shared_out(limit, fixed, callers_wanted, upstreams_wanted)
    }

    fn shared_out(
        limit: usize,
        fixed: usize,
        callers_wanted: usize,
        upstreams_wanted: usize,
    ) -> Result<Self, TooFew> {
        let enough = fixed + callers_wanted + upstreams_wanted;
        let rest = limit.saturating_sub(fixed);
        if rest < CONNECTIONS_MIN {
            let least = fixed + CONNECTIONS_MIN;
            return Err(TooFew {
                limit,
                least,
                enough,
            });
        }
        let left = rest.saturating_sub(upstreams_wanted).max(rest / 2);
        let callers = callers_wanted.min(left);
        Ok(Descriptors {
            limit,
            callers,
            upstreams: rest - callers,
            callers_wanted,
            upstreams_wanted,
            enough,
        })
    }

    /// Whether there are fewer than the configuration allows.
    pub(crate) fn is_short(&self) -> bool {
        self.callers < self.callers_wanted || self.upstreams < self.upstreams_wanted
    }

    /// What it comes to, for the operator.
    pub(crate) fn said(&self) -> String {
        if self.limit == usize::MAX {
            return String::from("any number may be open");
        }
        if !self.is_short() {
            return format!(
                "{} may be open, and {} are enough for every connection that the configuration allows",
                self.limit, self.enough
            );
        }
        format!(
            "{} may be open: at most {} connections of callers and {} to upstreams at once, where the configuration allows {} and {}",
            self.limit, self.callers, self.upstreams, self.callers_wanted, self.upstreams_wanted
        )
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> String {
        format!(
            "Set `LimitNOFILE={}` in the unit (`ulimit -n` in a shell), or lower `connections_max` and `calls_max`.",
            self.enough
        )
    }
}

impl TooFew {
    pub(crate) fn said(&self) -> String {
        format!(
            "{} may be open, which leaves too few for connections",
            self.limit
        )
    }

    pub(crate) fn advice(&self) -> String {
        format!(
            "Set `LimitNOFILE={}` in the unit (`ulimit -n` in a shell); with less than {} no server starts.",
            self.enough, self.least
        )
    }
}

/// How many worker threads a server has.
pub(crate) fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Lets this process open as many files as its hard limit says, and gives how many that is. Nothing here asks `select`, for whose sake
/// systems set a lower soft limit.
pub(crate) fn raise() -> usize {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let is_raised = rustix::process::setrlimit(Resource::Nofile, raised).is_ok();
    whole(if is_raised {
        limit.maximum
    } else {
        limit.current
    })
}

/// How many files a process may have open, or how many this one could. `None` where the system does not say.
pub(crate) fn limit_of(process: Option<u32>) -> Option<usize> {
    let Some(process) = process else {
        let limit = rustix::process::getrlimit(Resource::Nofile);
        return Some(whole(limit.maximum));
    };
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_ascii_whitespace().next()?;
    match soft {
        "unlimited" => Some(usize::MAX),
        number => number.parse().ok(),
    }
}

fn whole(limit: Option<u64>) -> usize {
    limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_leave_upstreams_half_or_all_they_may_have() {
        let of = |limit| {
            Descriptors::shared_out(limit, 100, 1_000, 300).map(|all| (all.callers, all.upstreams))
        };
        assert_eq!(of(131).map_err(|few| few.least), Err(132));
        assert_eq!(of(132), Ok((16, 16)));
        assert_eq!(of(500), Ok((200, 200)));
        assert_eq!(of(1_000), Ok((600, 300)));
        assert_eq!(of(1_400), Ok((1_000, 300)), "enough");
        assert_eq!(of(5_000), Ok((1_000, 3_900)), "what is left is theirs");
        for limit in 132..3_000 {
            let all = Descriptors::shared_out(limit, 100, 1_000, 300).unwrap();
            assert!(all.callers + all.upstreams + 100 <= limit, "{all:?}");
            assert_eq!(all.is_short(), limit < 1_400, "{all:?}");
            assert_eq!(all.enough, 1_400);
        }
        assert!(
            !Descriptors::shared_out(usize::MAX, 100, 1_000, 300)
                .unwrap()
                .is_short()
        );
    }

    #[test]
    fn the_limit_of_a_process_is_read_where_the_system_says_it() {
        let own = limit_of(Some(std::process::id())).unwrap();
        assert!(own >= 64 && own <= limit_of(None).unwrap(), "{own}");
        assert_eq!(limit_of(Some(u32::MAX)), None);
    }
}
