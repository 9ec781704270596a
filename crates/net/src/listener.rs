//! Sockets that accept: one per worker with SO_REUSEPORT, counted, handed to the connections.
//! Exports `bind`, `accept`, `ListenFault`.
//! Used by workers.
//! Start reading at `accept`.

mod counts;
mod holder;
pub(crate) mod life;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use model::text::shown;
use model::{Peer, Reason};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::connection::Context;
use crate::dropped::Drops;
use crate::h1_connection;
use crate::reasons::{CONNECTIONS, INTERNAL, TLS_HANDSHAKE, TLS_REQUIRED, TLS_TIMEOUT};
use crate::service::Service;
use crate::tls::facts;
use crate::unreadable::Unreadable;
use crate::wire::Stream;
use crate::{ListenerSpec, h2_connection};

pub(crate) use counts::Counts;
pub use counts::KEPT_CONNECTIONS;
pub(crate) use life::{ConnectionHandle, ConnectionSet, RequestUnderWay};

/// First byte of every TLS connection: a handshake record.
const HANDSHAKE_RECORD: u8 = 0x16;
/// Connections the kernel keeps ready for accept.
const BACKLOG: u32 = 1024;
/// Pause after the system refused an accept (out of descriptors), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a listener cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ListenFault {
    /// Somebody else has the port.
    #[error(
        "listener `{name}`: {address} is in use{holder}; stop that process or give the listener another port"
    )]
    Busy {
        /// Listener.
        name: Arc<str>,
        /// Address and port.
        address: SocketAddr,
        /// ` by NAME (pid N)` where that can be found out, else ` by another process`.
        holder: String,
    },
    /// Ports below 1024 need a privilege.
    #[error(
        "listener `{name}`: no permission to listen on {address}; use a port above 1023 or grant CAP_NET_BIND_SERVICE"
    )]
    NotPermitted {
        /// Listener.
        name: Arc<str>,
        /// Address and port.
        address: SocketAddr,
    },
    /// Anything else the system said.
    #[error("listener `{name}`: cannot listen on {address}: {cause}")]
    Other {
        /// Listener, or `worker`.
        name: Arc<str>,
        /// Address and port.
        address: SocketAddr,
        /// The system's words.
        cause: String,
    },
    /// A worker thread could not start.
    #[error("cannot start a worker thread: {0}")]
    Worker(String),
}

/// Binds one socket per worker. The first bind is made without SO_REUSEPORT, so that a foreign process on the
/// same port is noticed instead of shared with.
pub(crate) fn bind(spec: &ListenerSpec, workers: usize) -> Result<Vec<TcpSocket>, ListenFault> {
    let mut address = spec.address;
    if address.port() != 0 {
        std::net::TcpListener::bind(address).map_err(|e| fault(spec, address, &e))?;
    }
    let mut sockets = Vec::with_capacity(workers);
    for _ in 0..workers {
        let socket = bind_one(address).map_err(|e| fault(spec, address, &e))?;
        address = socket.local_addr().map_err(|e| fault(spec, address, &e))?;
        sockets.push(socket);
    }
    Ok(sockets)
}

fn bind_one(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Begins to listen; from now on the kernel takes connections. Needs the worker's runtime to be entered.
pub(crate) fn listen(spec: &ListenerSpec, socket: TcpSocket) -> Result<TcpListener, ListenFault> {
    socket
        .listen(BACKLOG)
        .map_err(|e| fault(spec, spec.address, &e))
}

fn fault(spec: &ListenerSpec, address: SocketAddr, error: &io::Error) -> ListenFault {
    let name = Arc::clone(&spec.name);
    match error.kind() {
        io::ErrorKind::AddrInUse => ListenFault::Busy {
            name,
            address,
            holder: holder::of(address.port()),
        },
        io::ErrorKind::PermissionDenied => ListenFault::NotPermitted { name, address },
        _ => ListenFault::Other {
            name,
            address,
            cause: error.to_string(),
        },
    }
}

/// One listener on one worker.
pub(crate) struct ListenerContext<S> {
    pub(crate) spec: ListenerSpec,
    pub(crate) counts: Arc<Counts>,
    pub(crate) drops: Arc<Drops>,
    pub(crate) service: Rc<S>,
    pub(crate) floor: Rc<ConnectionSet>,
}

/// Accepts until it is aborted.
pub(crate) async fn accept<S: Service>(listener: TcpListener, door: ListenerContext<S>) {
    let door = Rc::new(Admission {
        bounds: Rc::new(door.spec.bounds.clone()),
        handshakes: Semaphore::new(door.spec.bounds.handshakes_max.max(1)),
        door,
    });
    loop {
        match listener.accept().await {
            // A panic costs this connection and not the listener's share of this worker; the panic hook says it.
            Ok((stream, from)) => {
                drop(catch_unwind(AssertUnwindSafe(|| {
                    enter(&door, stream, from)
                })));
            }
            Err(e) if is_of_the_connection(&e) => {}
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Errors of a connection that was gone before it was accepted.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

struct Admission<S> {
    door: ListenerContext<S>,
    bounds: Rc<crate::Bounds>,
    handshakes: Semaphore,
}

/// Admits or drops one connection; dropping costs a client its connection and us a count.
fn enter<S: Service>(entrance: &Rc<Admission<S>>, stream: TcpStream, from: SocketAddr) {
    let door = &entrance.door;
    let address = from.ip().to_canonical();
    let from_here = (&door.spec.name, address);
    let Some((slot, evicted)) = Counts::take(&door.counts, address) else {
        let detail = || {
            String::from(
                "more connections at once than the listener's bounds or the limit of open files allow, and none that could give way was without a request",
            )
        };
        return door.drops.count(from_here, &CONNECTIONS, 1, detail);
    };
    if let Some(evicted) = evicted {
        let from = (&door.spec.name, evicted.address);
        let detail = || evicted.detail.to_owned();
        door.drops.count(from, &CONNECTIONS, 1, detail);
    }
    if let Err(reason) = admitted(&*door.service, from_here) {
        let detail = || String::from("refused when it was accepted");
        return door.drops.count(from_here, reason, 1, detail);
    }
    if stream.set_nodelay(true).is_err() || keep_little_unsent(&stream).is_err() {
        return;
    }
    let entrance = Rc::clone(entrance);
    let floor = Rc::clone(&door.floor);
    ConnectionSet::start(&floor, slot, async move |life| {
        connection(&entrance, stream, (address, from.port()), life).await;
    });
}

/// Lets the kernel keep no more than this of what a client has not yet been sent: a slow reader costs its own buffer, not ours, and what
/// it takes is seen in small steps.
#[cfg(target_os = "linux")]
fn keep_little_unsent(stream: &TcpStream) -> io::Result<()> {
    const UNSENT_BYTES: u32 = 128 * 1024;
    SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES)
}

#[cfg(not(target_os = "linux"))]
fn keep_little_unsent(_: &TcpStream) -> io::Result<()> {
    Ok(())
}

fn admitted<S: Service>(
    service: &S,
    (listener, address): (&Arc<str>, IpAddr),
) -> Result<(), &'static Reason> {
    // A fault while deciding is a no.
    catch_unwind(AssertUnwindSafe(|| service.admit(address, listener))).unwrap_or(Err(&INTERNAL))
}

async fn connection<S: Service>(
    entrance: &Admission<S>,
    stream: TcpStream,
    (address, port): (IpAddr, u16),
    life: Rc<ConnectionHandle>,
) {
    let spec = &entrance.door.spec;
    let context = |tls| Context {
        service: Rc::clone(&entrance.door.service),
        peer: Arc::new(Peer {
            address,
            address_text: shown(&address),
            port,
            listener: Arc::clone(&spec.name),
            listener_place: spec.place,
            tls,
        }),
        bounds: Rc::clone(&entrance.bounds),
        life: Rc::clone(&life),
        drops: Arc::clone(&entrance.door.drops),
    };
    if spec.tls.is_none() {
        return h1_connection::run(Stream::Plain(stream), context(None)).await;
    }
    match handshake(entrance, stream).await {
        Handshake::Done(tls) => {
            let (_, session) = tls.get_ref();
            let is_h2 = session.alpn_protocol() == Some(b"h2");
            let context = context(Some(facts(session)));
            let stream = Stream::FromCaller(tls);
            if is_h2 {
                h2_connection::run(stream, context).await;
            } else {
                h1_connection::run(stream, context).await;
            }
        }
        Handshake::NotTls(stream) => {
            let what = Unreadable::new(&TLS_REQUIRED, "plain bytes were sent to a TLS listener");
            h1_connection::refuse_and_close(Stream::Plain(stream), context(None), what).await;
        }
        Handshake::Failed(reason, detail) => {
            let drops = &entrance.door.drops;
            drops.count((&spec.name, address), reason, 1, || detail);
        }
        Handshake::Gone => {}
    }
}

enum Handshake {
    Done(Box<tokio_rustls::server::TlsStream<TcpStream>>),
    NotTls(TcpStream),
    Failed(&'static Reason, String),
    /// The other end left before it had said anything: a probe, which is no failure.
    Gone,
}

async fn handshake<S>(entrance: &Admission<S>, stream: TcpStream) -> Handshake {
    let Some(slot) = &entrance.door.spec.tls else {
        return Handshake::Gone;
    };
    let deadline = Instant::now() + entrance.bounds.handshake;
    let work = async {
        let mut first = [0u8; 1];
        match stream.peek(&mut first).await {
            Ok(1) if first == [HANDSHAKE_RECORD] => {}
            Ok(1) => return Handshake::NotTls(stream),
            _ => return Handshake::Gone,
        }
        // Bounded: a flood of handshakes must not take the time of the connections that are already open.
        let Ok(_permit) = entrance.handshakes.acquire().await else {
            return Handshake::Gone;
        };
        match TlsAcceptor::from(slot.config()).accept(stream).await {
            Ok(tls) => Handshake::Done(Box::new(tls)),
            Err(e) => Handshake::Failed(&TLS_HANDSHAKE, e.to_string()),
        }
    };
    timeout_at(deadline, work).await.unwrap_or_else(|_| {
        let detail = String::from("the handshake was not complete in time");
        Handshake::Failed(&TLS_TIMEOUT, detail)
    })
}
