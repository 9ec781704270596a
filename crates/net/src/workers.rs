//! One thread and one single-threaded runtime per core; each has its own sockets and its own `Service`.
//! Exports `Workers`.
//! Used by the binary and by tests.
//! Start reading at `Workers::start`.

use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::LocalSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::dropped::Drops;
use crate::guard::guarded;
use crate::listener::{ConnectionSet, Counts, ListenerContext, accept, bind, listen};
use crate::{ListenFault, ListenerSpec, Service};

/// How often dropped connections are handed to the service.
const REPORT: Duration = Duration::from_secs(1);

/// Running worker threads.
#[derive(Debug)]
pub struct Workers {
    addresses: Vec<(Arc<str>, SocketAddr)>,
    counts: Vec<Arc<Counts>>,
    stop: watch::Sender<Option<Duration>>,
    threads: Vec<JoinHandle<()>>,
}

/// What one worker listens on.
type Sockets = Vec<(ListenerSpec, Arc<Counts>, TcpSocket)>;

/// The same, listening.
type Listeners = Vec<(ListenerSpec, Arc<Counts>, TcpListener)>;

impl Workers {
    /// Binds every listener for every worker, then starts the threads. `make` is called on each thread inside its
    /// runtime (`tokio::task::spawn_local` works there). All listeners are bound before the first one accepts.
    ///
    /// # Errors
    /// [`ListenFault`] names listener and port; then nothing is listening.
    pub fn start<S: Service>(
        count: usize,
        listeners: Vec<ListenerSpec>,
        make: impl Fn(usize) -> S + Clone + Send + 'static,
    ) -> Result<Workers, ListenFault> {
        let count = count.max(1);
        let mut shares: Vec<Sockets> = (0..count).map(|_| Vec::new()).collect();
        let mut addresses = Vec::new();
        let mut counts = Vec::new();
        for (place, mut spec) in listeners.into_iter().enumerate() {
            spec.place = place;
            let sockets = bind(&spec, count)?;
            let address = sockets.first().and_then(|s| s.local_addr().ok());
            addresses.push((Arc::clone(&spec.name), address.unwrap_or(spec.address)));
            let count = Counts::new(
                spec.connections_max,
                spec.per_address_connections_max,
                Arc::clone(&spec.descriptors),
            );
            counts.push(Arc::clone(&count));
            for (share, socket) in shares.iter_mut().zip(sockets) {
                share.push((spec.clone(), Arc::clone(&count), socket));
            }
        }
        let drops = Arc::new(Drops::default());
        let (stop, stopped) = watch::channel(None);
        let mut workers = Workers {
            addresses,
            counts,
            stop,
            threads: Vec::new(),
        };
        for (index, sockets) in shares.into_iter().enumerate() {
            let runtime = runtime()?;
            let sockets = listening(&runtime, sockets)?;
            let (make, stopped, drops) = (make.clone(), stopped.clone(), Arc::clone(&drops));
            let thread = thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn(move || {
                    work(&runtime, sockets, (drops, index == 0), stopped, || {
                        make(index)
                    })
                })
                .map_err(|e| ListenFault::Worker(e.to_string()))?;
            workers.threads.push(thread);
        }
        Ok(workers)
    }

    /// Where each listener truly listens (port 0 resolved), in the order given.
    pub fn addresses(&self) -> &[(Arc<str>, SocketAddr)] {
        &self.addresses
    }

    /// The address of one listener; an unspecified host is given as loopback, so that it can be called.
    pub fn address(&self, name: &str) -> Option<SocketAddr> {
        let (_, mut address) = self.addresses.iter().find(|(n, _)| &**n == name)?.clone();
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        Some(address)
    }

    /// Connections open now, over all listeners.
    pub fn connections(&self) -> usize {
        self.counts.iter().map(|c| c.total()).sum()
    }

    /// Ends the wait of a [`Workers::stop`] that another thread is in: what is still under way is cut at once.
    pub fn hurry(&self) -> impl Fn() + Send + 'static {
        let stop = self.stop.clone();
        move || {
            // Workers that have ended need not hurry.
            let _ = stop.send(Some(Duration::ZERO));
        }
    }

    /// Stops accepting, closes idle connections, lets requests under way finish for at most `grace`, then ends the
    /// threads. Blocks; call it from a thread of its own or from `main`.
    pub fn stop(self, grace: Duration) {
        let _ = self.stop.send(Some(grace));
        for thread in self.threads {
            // A worker that panicked outside a request has nothing left to finish.
            let _ = thread.join();
        }
    }
}

fn listening(runtime: &Runtime, sockets: Sockets) -> Result<Listeners, ListenFault> {
    let _entered = runtime.enter();
    sockets
        .into_iter()
        .map(|(spec, counts, socket)| {
            let listener = listen(&spec, socket)?;
            Ok((spec, counts, listener))
        })
        .collect()
}

fn runtime() -> Result<Runtime, ListenFault> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| ListenFault::Worker(e.to_string()))
}

/// The life of one worker thread.
fn work<S: Service>(
    runtime: &Runtime,
    sockets: Listeners,
    (drops, is_reporter): (Arc<Drops>, bool),
    mut stopped: watch::Receiver<Option<Duration>>,
    make: impl FnOnce() -> S,
) {
    let local = LocalSet::new();
    local.block_on(runtime, async move {
        let service = Rc::new(make());
        let floor = Rc::new(ConnectionSet::default());
        let mut doors = Vec::new();
        if is_reporter {
            let (service, drops) = (Rc::clone(&service), Arc::clone(&drops));
            doors.push(tokio::task::spawn_local(reports(service, drops)));
        }
        for (spec, counts, socket) in sockets {
            let door = ListenerContext {
                spec,
                counts,
                drops: Arc::clone(&drops),
                service: Rc::clone(&service),
                floor: Rc::clone(&floor),
            };
            doors.push(tokio::task::spawn_local(accept(socket, door)));
        }
        // The sender lives in `Workers`; when that is dropped without `stop`, workers end without grace.
        let grace = match stopped.wait_for(Option::is_some).await {
            Ok(grace) => grace.unwrap_or_default(),
            Err(_) => Duration::ZERO,
        };
        doors.iter().for_each(tokio::task::JoinHandle::abort);
        floor.drain(grace, &stopped).await;
        // Whatever was dropped last, by whichever worker: taken once, so it is recorded once.
        report(&*service, &drops).await;
    });
}

/// Hands dropped connections to the service, until it is aborted.
async fn reports<S: Service>(service: Rc<S>, drops: Arc<Drops>) {
    let mut due = interval(REPORT);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        report(&*service, &drops).await;
    }
}

async fn report<S: Service>(service: &S, drops: &Drops) {
    let dropped = drops.take();
    if !dropped.is_empty() {
        // A panic costs this report and not the worker.
        let _ = guarded(Box::pin(service.dropped(dropped))).await;
    }
}
