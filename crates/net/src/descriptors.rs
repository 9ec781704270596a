//! How many file descriptors connections may take, so that some are left for everything else a server opens.
//! Exports `DescriptorShare`. One is of callers' connections, over all listeners; one of connections to upstreams, over all workers.
//! Used by the listeners and the pools; made by whoever starts the server and knows the limit of the process.
//! Start reading at `DescriptorShare::take`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many descriptors, and how many of them are taken.
#[derive(Debug)]
pub struct DescriptorShare {
    max: usize,
    taken: AtomicUsize,
}

/// One descriptor; given back when dropped.
#[derive(Debug)]
pub(crate) struct Descriptor(Arc<DescriptorShare>);

impl Default for DescriptorShare {
    /// Without a bound, for programs that are no gateway.
    fn default() -> Self {
        DescriptorShare::new(usize::MAX)
    }
}

impl DescriptorShare {
    /// `max` of them.
    pub fn new(max: usize) -> Self {
        DescriptorShare {
            max,
            taken: AtomicUsize::new(0),
        }
    }

    /// How many there are.
    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// One of them, as long as there is one.
    pub(crate) fn take(share: &Arc<DescriptorShare>) -> Option<Descriptor> {
        let more = |taken| (taken < share.max).then_some(taken + 1);
        let taken = share
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.ok().map(|_| Descriptor(Arc::clone(share)))
    }

    /// Takes one whether there is one or not: whoever asked [`DescriptorShare::is_full`] before.
    pub(crate) fn add(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives back one that was added.
    pub(crate) fn remove(&self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether none is left.
    pub(crate) fn is_full(&self) -> bool {
        self.taken.load(Ordering::Relaxed) >= self.max
    }

    /// Whether more than half of them are taken: then none is kept for later use.
    pub(crate) fn is_short(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > self.max / 2
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        self.0.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_taken_than_there_are_and_all_come_back() {
        let share = Arc::new(DescriptorShare::new(4));
        let mut taken: Vec<_> = (0..9)
            .map_while(|_| DescriptorShare::take(&share))
            .collect();
        assert_eq!((taken.len(), share.is_full()), (4, true));
        taken.truncate(2);
        assert!(!share.is_full() && !share.is_short());
        share.add();
        assert!(share.is_short());
        share.remove();
        drop(taken);
        assert_eq!(share.taken.load(Ordering::Relaxed), 0);
        assert!(!DescriptorShare::default().is_short());
    }
}
