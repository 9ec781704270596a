//! What the server listens on, and whom it calls.
//! Exports `listeners`, `upstreams`. Ports are tried by binding them for a moment, upstreams by connecting.
//! Used by `doctor`.
//! Start reading at `listeners`.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use config::compiled::{ApiVersion, UpstreamSettings};
use config::values::Origin;
use model::Method;
use net::client::{self, Call, ClientFault};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use super::{About, Examined, Finding, sockets};
use crate::descriptors::{self, Descriptors};
use crate::{Severity, bounded};

/// How long an upstream may take.
const TIMEOUT: Duration = Duration::from_secs(2);
const RESPONSE_BYTES_MAX: usize = 64 * 1024;

/// Every listener's port: held by the running server, or free for the next start.
pub(super) fn listeners(examined: &Examined<'_>) -> Vec<Finding> {
    let listeners = examined.compiled.server.listeners.iter();
    let server = examined.server.as_ref().map(|server| server.process);
    listeners
        .map(|listener| port(About("listener", &listener.name), listener.address, server))
        .collect()
}

fn port(about: About<'_>, address: SocketAddr, server: Option<Option<u32>>) -> Finding {
    if address.port() == 0 {
        return about.ok(format!("{}, any free port", address.ip()));
    }
    let is_ours = server.map(|process| sockets::listens(process?, address));
    if let (Some(Some(true)), Some(Some(process))) = (is_ours, server) {
        return about.ok(format!("{address}, held by the server, process {process}"));
    }
    let Err(error) = TcpListener::bind(address) else {
        return match server {
            None => about.ok(format!("{address} is free")),
            Some(_) => about.warn(
                format!("{address} is free: the running server does not listen there"),
                "Listeners are made at the start: restart the server to have this one.",
            ),
        };
    };
    let what = format!("{address}: {error}");
    match (error.kind(), is_ours) {
        (ErrorKind::AddrInUse, Some(None)) => about.warn(
            format!("{what}; whether by our server cannot be seen from here"),
            "Run doctor as the server's user, on the server's machine.",
        ),
        (ErrorKind::AddrInUse, _) => about.fail(
            Severity::Failed,
            format!("{what}, by another program"),
            format!(
                "`ss -ltnp 'sport = :{}'` names it. Stop it, or change the listener's `address`.",
                address.port()
            ),
        ),
        (ErrorKind::PermissionDenied, _) => about.fail(
            Severity::Failed,
            what,
            "Ports below 1024 need a right: `AmbientCapabilities=CAP_NET_BIND_SERVICE` in the unit. Or choose another port.",
        ),
        _ => about.fail(
            Severity::Failed,
            what,
            "This machine must have the address: fix the listener's `address`, or bring the interface up.",
        ),
    }
}

/// Files that may be open: enough for the connections that the configuration allows, and for everything else.
pub(super) fn open_files(examined: &Examined<'_>) -> Finding {
    let about = About("open files", "");
    let server = examined.server.as_ref().map(|server| server.process);
    let Some(limit) = descriptors::limit_of(server.flatten()) else {
        return about.ok("the system does not say how many may be open");
    };
    let whose = match server {
        Some(Some(process)) => format!("by the server, process {process}: "),
        _ => String::from("from this shell: "),
    };
    match Descriptors::of(limit, examined.compiled, descriptors::workers()) {
        Ok(files) if files.is_short() => {
            about.warn(format!("{whose}{}", files.said()), files.advice())
        }
        Ok(files) => about.ok(format!("{whose}{}", files.said())),
        Err(few) => about.fail(
            Severity::Failed,
            format!("{whose}{}", few.said()),
            few.advice(),
        ),
    }
}

/// One target of one version.
struct Target<'c> {
    version: &'c ApiVersion,
    settings: &'c UpstreamSettings,
    origin: &'c Origin,
}

/// Every target of every upstream: reachable, with a certificate that holds, and healthy where it can be asked.
pub(super) fn upstreams(examined: &Examined<'_>) -> Vec<Finding> {
    let versions = examined.compiled.versions.iter();
    let with_upstream = versions.filter_map(|version| Some((version, version.upstream.as_ref()?)));
    let targets: Vec<Target<'_>> = with_upstream
        .flat_map(|(version, settings)| {
            let targets = settings.targets.iter();
            targets.map(move |origin| Target {
                version,
                settings,
                origin,
            })
        })
        .collect();
    let reached = all_reached(&targets, examined);
    let is_served = |version: &ApiVersion| {
        let asked = targets.iter().zip(&reached);
        asked
            .filter(|(target, _)| Arc::ptr_eq(&target.version.name, &version.name))
            .any(|(_, reached)| reached.is_ok())
    };
    let findings = targets.iter().zip(&reached).map(|(target, reached)| {
        let name = format!("{} {}", target.version.name, target.origin);
        let about = About("upstream", &name);
        let advice =
            "Ask whoever runs it, or fix `targets`. Calls to it are answered with 502 or 504.";
        match reached {
            Ok(what) => about.ok(*what),
            Err(what) if is_served(target.version) => about.warn(
                what,
                format!("{advice} Other targets of this version answer."),
            ),
            Err(what) => about.fail(Severity::Failed, what, advice),
        }
    });
    findings.collect()
}

type Reached = Result<&'static str, String>;

/// Asks all at once: together they take no longer than the slowest.
fn all_reached(targets: &[Target<'_>], examined: &Examined<'_>) -> Vec<Reached> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return targets.iter().map(|_| Err(error.to_string())).collect(),
    };
    let reached = LocalSet::new().block_on(&runtime, async {
        let asked: Vec<_> = targets
            .iter()
            .map(|target| tokio::task::spawn_local(reach(question(target, examined))))
            .collect();
        let mut reached = Vec::with_capacity(asked.len());
        for answer in asked {
            reached.push(answer.await.unwrap_or_else(|error| Err(error.to_string())));
        }
        reached
    });
    // A name that is still being looked up is not waited for.
    runtime.shutdown_background();
    reached
}

/// What is asked of a target.
enum Question {
    Connect(String, u16),
    /// A request, and whether its answer tells about health.
    Request(Box<Call>, bool),
    Impossible(String),
}

fn question(target: &Target<'_>, examined: &Examined<'_>) -> Question {
    let (origin, settings) = (target.origin, target.settings);
    let health = settings.health.as_ref();
    if health.is_none() && !origin.is_tls {
        return Question::Connect(origin.host.clone(), origin.port);
    }
    // HEAD is safe by RFC 9110 §9.2.1; the handshake before it is what counts.
    let (method, path) = health.map_or((Method::Head, "/"), |health| (Method::Get, &*health.path));
    let mut call = Call::new(method, format!("{origin}{path}"))
        .header("user-agent", "portcullis-doctor")
        .header("accept", "*/*");
    call.timeout = TIMEOUT;
    call.answer_bytes_max = RESPONSE_BYTES_MAX;
    if let Some(ca) = &settings.ca {
        match bounded::read(
            &examined.dir.join(&ca.value),
            bounded::CERTIFICATES_BYTES_MAX,
        ) {
            Ok(pem) => call = call.trusting(pem),
            Err(error) => return Question::Impossible(format!("{}: {error}", ca.value)),
        }
    }
    Question::Request(Box::new(call), health.is_some())
}

async fn reach(question: Question) -> Reached {
    match question {
        Question::Impossible(why) => Err(why),
        Question::Connect(host, port) => {
            let connecting = TcpStream::connect((&*host, port));
            match tokio::time::timeout(TIMEOUT, connecting).await {
                Ok(Ok(_)) => Ok("accepts connections"),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("no connection within {} s", TIMEOUT.as_secs())),
            }
        }
        Question::Request(call, true) => match client::send(&call).await {
            Ok(answer) if (200..300).contains(&answer.status) => Ok("healthy"),
            Ok(answer) => Err(format!("its health check answers {}", answer.status)),
            Err(fault) => Err(fault.to_string()),
        },
        Question::Request(call, false) => match client::send(&call).await {
            // Whoever answers a HEAD badly, or not in time, has completed the handshake before.
            Ok(_) | Err(ClientFault::Response(_) | ClientFault::Timeout(_)) => {
                Ok("accepts connections, its certificate holds")
            }
            Err(fault) => Err(fault.to_string()),
        },
    }
}
