//! The connections of one worker: which rest, which are busy, and how all of them end.
//! Exports `ConnectionSet`, `ConnectionHandle`, `RequestUnderWay`.
//! Used by the listener, the connections and workers.
//! Start reading at `ConnectionSet::drain`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::counts::ConnectionSlot;

/// What a connection tells its worker, and by its slot all others.
#[derive(Debug)]
pub(crate) struct ConnectionHandle {
    is_busy: Cell<bool>,
    slot: ConnectionSlot,
    floor: Rc<ConnectionSet>,
}

/// A request that is being answered. Until it is dropped the connection is not ended to make room for another one.
#[derive(Debug)]
pub(crate) struct RequestUnderWay(Rc<ConnectionHandle>);

impl Drop for RequestUnderWay {
    fn drop(&mut self) {
        self.0.slot.end_request();
    }
}

impl ConnectionHandle {
    /// A request has begun: it may finish even while the worker stops.
    pub(crate) fn begin(&self) {
        self.is_busy.set(true);
    }

    /// Nothing under way.
    pub(crate) fn rest(&self) {
        self.is_busy.set(false);
    }

    /// A whole request is there. `None` when the connection has just been ended to make room for another one.
    pub(crate) fn request(self: &Rc<Self>) -> Option<RequestUnderWay> {
        let begins = self.slot.begin_request();
        begins.then(|| RequestUnderWay(Rc::clone(self)))
    }

    /// A request was decided; `caller` is whose credential it proved. An answer to a stranger is waited for as long as the
    /// connection's place is not needed, so only requests of connections that are proven stay under way until it is taken.
    pub(crate) fn decided(
        &self,
        request: RequestUnderWay,
        caller: Option<u128>,
    ) -> Option<RequestUnderWay> {
        if let Some(caller) = caller {
            self.slot.prove(caller);
        }
        self.slot.is_proven().then_some(request)
    }

    /// Whether the worker is stopping: the answer under way is the last one.
    pub(crate) fn is_draining(&self) -> bool {
        self.floor.is_draining.get()
    }
}

/// All connections of one worker.
#[derive(Debug, Default)]
pub(crate) struct ConnectionSet {
    is_draining: Cell<bool>,
    next: Cell<u64>,
    connections: RefCell<HashMap<u64, (Rc<ConnectionHandle>, AbortHandle)>>,
}

impl ConnectionSet {
    /// Starts a connection's task.
    pub(crate) fn start(
        floor: &Rc<ConnectionSet>,
        slot: ConnectionSlot,
        work: impl AsyncFnOnce(Rc<ConnectionHandle>) + 'static,
    ) {
        let id = floor.next.get();
        floor.next.set(id + 1);
        let life = Rc::new(ConnectionHandle {
            is_busy: Cell::new(false),
            slot,
            floor: Rc::clone(floor),
        });
        let place = Place {
            floor: Rc::clone(floor),
            id,
        };
        let mine = Rc::clone(&life);
        let task = tokio::task::spawn_local(async move {
            let _place = place;
            work(mine).await;
        });
        life.slot.served_by(task.abort_handle());
        floor
            .connections
            .borrow_mut()
            .insert(id, (life, task.abort_handle()));
    }

    /// Ends resting connections at once and busy ones when they are done, at the latest after `grace`, or when `grace` is
    /// said again and is nothing.
    pub(crate) async fn drain(&self, grace: Duration, said: &Receiver<Option<Duration>>) {
        const LOOK: Duration = Duration::from_millis(5);
        self.is_draining.set(true);
        let deadline = Instant::now() + grace;
        while !self.connections.borrow().is_empty() {
            let is_hurried = *said.borrow() == Some(Duration::ZERO);
            let is_over = is_hurried || Instant::now() >= deadline;
            for (life, task) in self.connections.borrow().values() {
                if is_over || !life.is_busy.get() {
                    task.abort();
                }
            }
            if is_over {
                return;
            }
            sleep(LOOK).await;
        }
    }
}

/// Leaves the floor when the task ends, however it ends.
struct Place {
    floor: Rc<ConnectionSet>,
    id: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.floor.connections.borrow_mut().remove(&self.id);
    }
}
