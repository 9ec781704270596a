//! What the streams of one HTTP/2 connection share, and when such a connection has to end.
//! Exports `Shared`, `OnStream`.
//! Used by h2_connection.
//! Start reading at `OnStream`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::meter::{HeldUntilLast, Meter};
use crate::listener::{ConnectionHandle, RequestUnderWay};
use crate::spec::Bounds;
use crate::wire::{LINGER_BYTES, ReadRate};

/// Whoever waited this long for an answer may give up without being thought an attacker.
const LONG_WAIT: Duration = Duration::from_secs(1);

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Shared {
    life: Rc<ConnectionHandle>,
    meter: Rc<Meter>,
    served: Cell<u32>,
    /// Bytes of bodies that were thrown away.
    discarded: Cell<usize>,
    last_event: Cell<Instant>,
    is_ending: Cell<bool>,
    /// Streams under way; the moment by which the client must have taken the reply, once there is one.
    streams: RefCell<HashMap<u32, Option<Instant>>>,
}

impl Shared {
    pub(super) fn new(life: Rc<ConnectionHandle>, meter: Rc<Meter>) -> Self {
        Shared {
            life,
            meter,
            served: Cell::new(0),
            discarded: Cell::new(0),
            last_event: Cell::new(Instant::now()),
            is_ending: Cell::new(false),
            streams: RefCell::default(),
        }
    }

    pub(super) fn served(&self) -> u32 {
        self.served.get()
    }

    /// Whether a request of this path was sent with a fragment.
    pub(super) fn was_cut(&self, path: &str) -> bool {
        self.meter.was_cut(path)
    }

    /// The connection closes after what is under way.
    pub(super) fn end(&self) {
        self.is_ending.set(true);
    }

    pub(super) fn is_ending(&self) -> bool {
        self.is_ending.get()
    }

    /// Counts bytes of a body that are thrown away; `false` when the connection has sent enough of them.
    pub(super) fn discards(&self, bytes: usize) -> bool {
        self.discarded
            .set(self.discarded.get().saturating_add(bytes));
        self.discarded.get() < LINGER_BYTES
    }

    /// Nothing has happened for so long.
    pub(super) fn rests_since(&self, idle: Duration) -> bool {
        self.streams.borrow().is_empty() && self.last_event.get().elapsed() > idle
    }

    /// A reply waits for its reader longer than allowed.
    pub(super) fn has_stalled(&self) -> bool {
        let now = Instant::now();
        let streams = self.streams.borrow();
        streams.values().flatten().any(|deadline| *deadline < now)
    }
}

/// One stream under way; counted until its reply is taken or it is given up.
#[derive(Debug)]
pub(super) struct OnStream {
    shared: Rc<Shared>,
    id: u32,
    begun: Instant,
    /// Held where the reply keeps the connection's place.
    under_way: Option<RequestUnderWay>,
    /// How fast the client has to take the reply, once there is one.
    rate: Option<ReadRate>,
}

impl OnStream {
    pub(super) fn begin(shared: &Rc<Shared>) -> OnStream {
        let id = shared.served.get().wrapping_add(1);
        shared.served.set(id);
        let begun = Instant::now();
        shared.last_event.set(begun);
        shared.life.begin();
        shared.streams.borrow_mut().insert(id, None);
        OnStream {
            shared: Rc::clone(shared),
            id,
            begun,
            under_way: None,
            rate: None,
        }
    }

    /// From now on the client has to read.
    pub(super) fn wait_for_reader(&mut self, under_way: Option<RequestUnderWay>, bounds: &Bounds) {
        self.under_way = under_way;
        self.rate = Some(ReadRate {
            grace: bounds.write_grace,
            rate: bounds.rate_min,
        });
        let deadline = Instant::now() + bounds.write_grace;
        self.shared
            .streams
            .borrow_mut()
            .insert(self.id, Some(deadline));
    }

    /// A frame of this stream is next to be written; `held` is what its answer keeps, where the frame may be its last.
    pub(super) fn offers(&self, held: Option<&HeldUntilLast>) {
        self.shared.meter.offers(held);
    }

    /// The connection has taken so many bytes more of the answer.
    pub(super) fn took(&self, bytes: usize) {
        let mut streams = self.shared.streams.borrow_mut();
        if let (Some(rate), Some(Some(deadline))) = (self.rate, streams.get_mut(&self.id)) {
            *deadline = rate.after(*deadline, bytes);
        }
    }
}

impl Drop for OnStream {
    fn drop(&mut self) {
        let mut streams = self.shared.streams.borrow_mut();
        let is_unanswered = matches!(streams.remove(&self.id), Some(None));
        if is_unanswered && self.begun.elapsed() >= LONG_WAIT {
            self.shared.meter.waited();
        }
        self.shared.last_event.set(Instant::now());
        if streams.is_empty() {
            self.shared.life.rest();
        }
    }
}
