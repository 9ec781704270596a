//! Connections at rest, each kept for the caller whose calls it carried.
//! Exports `IdleConnections`, `Owner`. Why a connection has an owner: docs/decisions/043.
//! Used by the pools.
//! Start reading at `IdleConnections::take`.

use std::cell::RefCell;
use std::collections::HashMap;

use tokio::time::Instant;

use super::{Target, Upstream, UpstreamCall};
use crate::wire::{AtRest, Wire};

/// An upstream and the place of one of its targets.
pub(super) type TargetKey = (u64, usize);

/// Whose calls a connection carries. Whatever a connection still holds of an earlier call, nobody else can be given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner<'a> {
    caller: u128,
    user: Option<&'a str>,
}

impl<'a> Owner<'a> {
    pub(super) fn of(call: &UpstreamCall<'a>) -> Owner<'a> {
        Owner {
            caller: call.caller,
            user: call.user,
        }
    }
}

/// Idle connections of one worker thread.
#[derive(Default)]
pub(super) struct IdleConnections(RefCell<HashMap<TargetKey, Vec<Idle>>>);

/// A connection at rest.
struct Idle {
    wire: Wire,
    until: Instant,
    caller: u128,
    user: Option<Box<str>>,
}

impl Idle {
    fn is_of(&self, owner: Owner<'_>) -> bool {
        self.caller == owner.caller && self.user.as_deref() == owner.user
    }
}

impl IdleConnections {
    /// The owner's connection that was used last, if it is still open and has said nothing: it is the likeliest to be alive.
    pub(super) fn take(
        &self,
        key: TargetKey,
        target: &Target,
        owner: Owner<'_>,
        now: Instant,
    ) -> Option<Wire> {
        let mut idle = self.0.borrow_mut();
        let resting = idle.get_mut(&key)?;
        while let Some(at) = resting.iter().rposition(|one| one.is_of(owner)) {
            let mut connection = resting.remove(at);
            if connection.until <= now {
                continue;
            }
            match connection.wire.at_rest() {
                AtRest::Quiet => return Some(connection.wire),
                AtRest::Spoke => target.count_surplus(),
                AtRest::Ended => {}
            }
        }
        None
    }

    /// Its rest counts from the beginning of the call, which is known without asking the clock again. Where there is no
    /// room the connection that has rested longest makes it, whoever it belongs to.
    pub(super) fn put(
        &self,
        key: TargetKey,
        upstream: &Upstream,
        owner: Owner<'_>,
        mut wire: Wire,
        begun: Instant,
    ) {
        let room = upstream.spec.idle_max;
        if room == 0 {
            return;
        }
        wire.rest();
        let mut idle = self.0.borrow_mut();
        let resting = idle.entry(key).or_default();
        if resting.len() >= room {
            resting.retain(|connection| connection.until > begun);
            let surplus = (resting.len() + 1).saturating_sub(room);
            resting.drain(..surplus);
        }
        resting.push(Idle {
            wire,
            until: begun + upstream.spec.idle_timeout,
            caller: owner.caller,
            user: owner.user.map(Box::from),
        });
    }

    /// Closes the connection that has rested longest. `false` when none rests.
    pub(super) fn close_one(&self) -> bool {
        let mut idle = self.0.borrow_mut();
        let first = |one: &&mut Vec<Idle>| one.first().map(|first| first.until);
        let oldest = idle.values_mut().filter(|resting| !resting.is_empty());
        let Some(resting) = oldest.min_by_key(first) else {
            return false;
        };
        resting.remove(0);
        true
    }

    /// Drops what has rested too long, also of upstreams that no longer exist.
    pub(super) fn sweep(&self, now: Instant) {
        self.0.borrow_mut().retain(|_, resting| {
            resting.retain(|connection| connection.until > now);
            !resting.is_empty()
        });
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.borrow().values().map(Vec::len).sum()
    }
}
