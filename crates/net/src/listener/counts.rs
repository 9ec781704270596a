//! How many connections a listener and an address have, over all workers.
//! Exports `Counts`, `ConnectionSlot`. Touched at accept and close only, never per request.
//! Used by the listener.
//! Start reading at `Counts::take`.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Open connections of one listener.
#[derive(Debug)]
pub(crate) struct Counts {
    total_max: usize,
    per_address_max: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One open connection; gives its place back when dropped.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    counts: Arc<Counts>,
    key: IpAddr,
}

impl Counts {
    pub(crate) fn new(total_max: usize, per_address_max: usize) -> Arc<Counts> {
        Arc::new(Counts {
            total_max,
            per_address_max,
            open: Mutex::default(),
        })
    }

    /// A place for one more connection, or `None` when listener or address have enough.
    pub(crate) fn take(counts: &Arc<Counts>, address: IpAddr) -> Option<ConnectionSlot> {
        let key = network(address);
        let mut open = counts.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = open.by_address.get(&key).copied().unwrap_or_default();
        if open.total >= counts.total_max || mine >= counts.per_address_max {
            return None;
        }
        open.total += 1;
        open.by_address.insert(key, mine + 1);
        drop(open);
        Some(ConnectionSlot {
            counts: Arc::clone(counts),
            key,
        })
    }

    /// Connections open now.
    pub(crate) fn total(&self) -> usize {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .total
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut open = self
            .counts
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        open.total = open.total.saturating_sub(1);
        if let Some(mine) = open.by_address.get_mut(&self.key) {
            *mine -= 1;
            if *mine == 0 {
                open.by_address.remove(&self.key);
            }
        }
    }
}

/// A whole /64 counts as one address: that is what one subscriber gets.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_come_back() {
        let counts = Counts::new(3, 2);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = Counts::take(&counts, address("2001:db8::1"));
        let second = Counts::take(&counts, address("2001:db8::2"));
        assert!(first.is_some() && second.is_some());
        assert!(
            Counts::take(&counts, address("2001:db8::3")).is_none(),
            "one /64"
        );
        let third = Counts::take(&counts, address("10.0.0.1"));
        assert!(third.is_some());
        assert!(
            Counts::take(&counts, address("10.0.0.2")).is_none(),
            "listener full"
        );
        drop(first);
        assert!(Counts::take(&counts, address("2001:db8::3")).is_some());
        drop((second, third));
        assert_eq!(counts.total(), 0);
        assert!(counts.open.lock().unwrap().by_address.is_empty());
    }
}
