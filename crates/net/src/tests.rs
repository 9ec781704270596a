//! The room on real sockets: a small service, raw clients that break every rule, scripted upstreams.
//! Exports `Gate`, `raw`. Tests only.
//! Used by the modules below.
//! Start reading at `Probe`.

mod dropping;
mod http2;
mod serving;
mod surplus;
mod tls;
mod upstreams;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use model::{Head, Peer, Reason, Response};

use crate::{Body, Bounds, Dropped, ListenerSpec, Service, TlsSlot, Unreadable, Workers};

/// How long a busy machine may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the service saw, in order.
type Log = Arc<Mutex<Vec<String>>>;

/// Answers by path; writes down what it saw, and what was dropped.
struct Probe(Log, Log);

/// Says so when it is dropped.
struct GivenBack(Log);

impl Drop for GivenBack {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(String::from("given back"));
    }
}

impl Service for Probe {
    fn admit(&self, _: IpAddr, listener: &str) -> Result<(), &'static Reason> {
        assert!(listener != "panicking", "a fault while admitting");
        if listener == "closed" {
            return Err(&crate::reasons::CONNECTIONS);
        }
        Ok(())
    }

    async fn answer(&self, peer: &Arc<Peer>, head: Head, body: &mut Body<'_>) -> Response {
        let version = peer.tls.as_ref().map_or("", |t| t.version);
        let line = format!(
            "{} {} {} {version}",
            head.protocol.as_str(),
            head.method,
            head.target
        );
        self.0.lock().unwrap().push(line.trim().to_owned());
        match head.target.as_str() {
            "/ignore" => Response::new(200, b"ignored".to_vec()),
            "/panic" => panic!("on purpose"),
            "/slow" => {
                tokio::time::sleep(Duration::from_millis(300)).await;
                Response::new(200, b"slow".to_vec())
            }
            "/stuck" => std::future::pending().await,
            "/big" => Response::new(200, vec![b'x'; 3_000_000]),
            "/held" | "/held-piece" | "/held-small" => {
                let length = match head.target.as_str() {
                    "/held" => 3_000_000,
                    "/held-piece" => 60_000,
                    _ => 300,
                };
                let mut response =
                    Response::new(200, [vec![b'x'; length], b"END".to_vec()].concat());
                response.held = model::http::Held::of(GivenBack(Arc::clone(&self.0)));
                response
            }
            "/none" => Response::new(204, Vec::new()),
            "/store" => match body.read(1000).await {
                Ok(bytes) => {
                    let stored = format!("stored {}", bytes.len());
                    self.0.lock().unwrap().push(stored);
                    Response::new(201, Vec::new())
                }
                Err(fault) => Response::new(fault.reason().status, Vec::new()),
            },
            "/peer" => {
                let text = format!("{:?} {:?}", head.authority, peer.tls);
                Response::new(200, text.into_bytes())
            }
            _ => match body.read(1000).await {
                Ok(bytes) => Response::new(200, bytes)
                    .with("x-echo", "yes")
                    .with("connection", "upgrade"),
                Err(fault) => {
                    self.0
                        .lock()
                        .unwrap()
                        .push(format!("body {}", fault.reason().code));
                    Response::new(fault.reason().status, fault.to_string().into_bytes())
                }
            },
        }
    }

    async fn refuse(&self, _: &Arc<Peer>, what: Unreadable) -> Response {
        let seen = what.head_seen.as_ref().map_or("-", |(m, _)| m.as_str());
        self.0
            .lock()
            .unwrap()
            .push(format!("refused {} {seen}", what.reason.code));
        Response::new(what.status, what.reason.code.as_bytes().to_vec())
    }

    async fn dropped(&self, dropped: Vec<Dropped>) {
        for one in dropped {
            let line = format!("{} {} {}", one.count, one.reason.code, one.origin);
            self.1.lock().unwrap().push(line);
        }
    }
}

/// A running gate.
struct Gate {
    workers: Workers,
    log: Log,
    dropped: Log,
}

impl Gate {
    fn plain(bounds: Bounds) -> Gate {
        Gate::with("public", None, bounds)
    }

    fn with(name: &str, tls: Option<Arc<TlsSlot>>, bounds: Bounds) -> Gate {
        let mut spec = ListenerSpec::new(name, "127.0.0.1:0".parse().unwrap());
        spec.tls = tls;
        spec.bounds = bounds;
        spec.per_address_connections_max = 20;
        let (log, dropped) = (Log::default(), Log::default());
        let shared = (Arc::clone(&log), Arc::clone(&dropped));
        let make = move |_| Probe(Arc::clone(&shared.0), Arc::clone(&shared.1));
        let workers = Workers::start(2, vec![spec], make).unwrap();
        Gate {
            workers,
            log,
            dropped,
        }
    }

    fn address(&self) -> SocketAddr {
        self.workers.addresses()[0].1
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends and reads until the gate closes.
    fn talk(&self, bytes: &str) -> String {
        let mut stream = self.connect();
        let _ = stream.write_all(bytes.as_bytes());
        rest(&mut stream)
    }

    /// Waits until so many connections are taken in.
    fn wait_for_connections(&self, count: usize) {
        wait_until("connections", || self.workers.connections() == count);
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    fn stop(self) {
        self.workers.stop(Duration::from_secs(2));
    }

    /// Stops, and gives what was dropped until then, with equal lines summed up.
    fn dropped(self) -> BTreeMap<String, u64> {
        let dropped = Arc::clone(&self.dropped);
        self.stop();
        let mut sums = BTreeMap::new();
        for line in std::mem::take(&mut *dropped.lock().unwrap()) {
            let (count, what) = line.split_once(' ').unwrap();
            *sums.entry(what.to_owned()).or_default() += count.parse::<u64>().unwrap();
        }
        sums
    }
}

/// Waits until it holds. Panics when it never does.
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}: never");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn rest(stream: &mut impl Read) -> String {
    let mut all = Vec::new();
    stream
        .read_to_end(&mut all)
        .expect("the gate closes in order");
    String::from_utf8_lossy(&all).into_owned()
}

/// Short bounds, so that tests of slowness are quick. The handshake, in which a client has to act in time, keeps its own.
fn impatient() -> Bounds {
    Bounds {
        head_read: Duration::from_millis(300),
        body_grace: Duration::from_millis(300),
        write_grace: Duration::from_millis(300),
        idle: Duration::from_millis(300),
        rate_min: 1_000_000,
        ..Bounds::default()
    }
}

fn on_a_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, work)
}
