//! Connections that never became a request, counted until somebody writes them down.
//! Exports `Dropped`, `Origin`, `Drops`. Touched only when a connection is dropped; bounded whatever happens.
//! Counted by the listener and the connections; handed to the service once a second by workers.
//! Start reading at `Drops::count`.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use model::{Peer, Reason};

use crate::network::network;

/// Addresses that are told apart between two reports, with their reasons. Later ones are counted together, one sum
/// per listener and reason: a flood from everywhere costs what sixty-four addresses cost.
const ORIGINS_MAX: usize = 64;

/// Connections of one origin that ended for one reason without becoming a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Listener.
    pub listener: Arc<str>,
    /// Where they came from.
    pub origin: Origin,
    /// Why they ended.
    pub reason: &'static Reason,
    /// How many since the last report, about a second.
    pub count: u64,
    /// What was wrong with the first of them. For the record only.
    pub detail: String,
}

/// Where dropped connections came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// One address.
    Address(IpAddr),
    /// Several addresses of one /64, which is what one subscriber gets.
    Network(Ipv6Addr),
    /// Addresses beyond those that are told apart.
    Others,
}

impl Origin {
    /// One address that stands for the origin, where there is one.
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Origin::Address(address) => Some(address),
            Origin::Network(network) => Some(IpAddr::V6(network)),
            Origin::Others => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Address(address) => write!(f, "{address}"),
            Origin::Network(network) => write!(f, "{network}/64"),
            Origin::Others => f.write_str("others"),
        }
    }
}

/// What was dropped since the last report, over all workers. Its lock is taken for connections that end badly and for
/// the report, never for one that becomes a request.
#[derive(Debug, Default)]
pub(crate) struct Drops {
    tallies: Mutex<HashMap<Key, Tally>>,
}

/// Listener, network (`None` for others) and code.
type Key = (Arc<str>, Option<IpAddr>, &'static str);

#[derive(Debug)]
struct Tally {
    origin: Origin,
    reason: &'static Reason,
    count: u64,
    detail: String,
}

impl Drops {
    /// Counts `count` connections, or streams of a connection; `detail` is asked for the first of them only.
    pub(crate) fn count(
        &self,
        (listener, address): (&Arc<str>, IpAddr),
        reason: &'static Reason,
        count: u64,
        detail: impl FnOnce() -> String,
    ) {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (Arc::clone(listener), Some(network(address)), reason.code);
        if let Some(tally) = tallies.get_mut(&key) {
            tally.count = tally.count.saturating_add(count);
            tally.origin = tally.origin.with(address);
            return;
        }
        let mut origin = Origin::Address(address);
        if tallies.len() >= ORIGINS_MAX {
            (key.1, origin) = (None, Origin::Others);
        }
        let tally = tallies.entry(key).or_insert_with(|| Tally {
            origin,
            reason,
            count: 0,
            detail: detail(),
        });
        tally.count = tally.count.saturating_add(count);
    }

    /// Counts one connection of this peer.
    pub(crate) fn one(
        &self,
        peer: &Peer,
        reason: &'static Reason,
        detail: impl FnOnce() -> String,
    ) {
        self.count((&peer.listener, peer.address), reason, 1, detail);
    }

    /// Everything since the last call.
    pub(crate) fn take(&self) -> Vec<Dropped> {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let dropped = |((listener, ..), tally): (Key, Tally)| Dropped {
            listener,
            origin: tally.origin,
            reason: tally.reason,
            count: tally.count,
            detail: tally.detail,
        };
        tallies.drain().map(dropped).collect()
    }
}

impl Origin {
    /// The origin, now that this address of the same network was seen as well.
    fn with(self, address: IpAddr) -> Origin {
        match (self, network(address)) {
            (Origin::Address(seen), IpAddr::V6(network)) if seen != address => {
                Origin::Network(network)
            }
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reasons::{TIMEOUT, TLS_HANDSHAKE};

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_origin_and_reason_is_one_sum_with_the_first_detail() {
        let (drops, public) = (Drops::default(), Arc::from("public"));
        for n in 0..5 {
            let from = (&public, address("192.0.2.7"));
            drops.count(from, &TLS_HANDSHAKE, 1, || format!("detail {n}"));
        }
        drops.count((&public, address("192.0.2.7")), &TIMEOUT, 2, String::new);
        let mut dropped = drops.take();
        dropped.sort_by_key(|one| one.count);
        assert_eq!(dropped.len(), 2);
        assert_eq!((dropped[0].count, dropped[0].reason), (2, &TIMEOUT));
        assert_eq!((dropped[1].count, &*dropped[1].detail), (5, "detail 0"));
        assert_eq!(dropped[1].origin.to_string(), "192.0.2.7");
        assert!(drops.take().is_empty(), "each is handed over once");
    }

    #[test]
    fn a_flood_from_everywhere_is_bounded_and_nothing_is_lost_from_the_sum() {
        let (drops, public) = (Drops::default(), Arc::from("public"));
        for n in 0..10_000u32 {
            let from = (&public, IpAddr::V4(n.into()));
            drops.count(from, &TIMEOUT, 1, String::new);
        }
        let dropped = drops.take();
        assert_eq!(dropped.len(), ORIGINS_MAX + 1);
        assert_eq!(dropped.iter().map(|one| one.count).sum::<u64>(), 10_000);
        let others = dropped.iter().find(|one| one.origin == Origin::Others);
        assert_eq!(others.unwrap().count, 10_000 - ORIGINS_MAX as u64);
    }

    #[test]
    fn addresses_of_one_subscriber_count_together() {
        let (drops, public) = (Drops::default(), Arc::from("public"));
        drops.count((&public, address("2001:db8::1")), &TIMEOUT, 1, String::new);
        drops.count((&public, address("2001:db8::1")), &TIMEOUT, 1, String::new);
        assert_eq!(drops.take()[0].origin.to_string(), "2001:db8::1");
        drops.count((&public, address("2001:db8::1")), &TIMEOUT, 1, String::new);
        drops.count((&public, address("2001:db8::2")), &TIMEOUT, 1, String::new);
        let dropped = drops.take();
        assert_eq!((dropped.len(), dropped[0].count), (1, 2));
        assert_eq!(dropped[0].origin.to_string(), "2001:db8::/64");
    }
}
