//! Resolve, connect, TLS: one connection to one origin within one deadline.
//! Exports `dial`, and faults that say whose they are. The certificate is always verified against the origin's host.
//! Used by the pools, the health checks and the small client.
//! Start reading at `dial`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::Origin;
use crate::tls::server_name;
use crate::wire::Stream;

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DialFault {
    pub(crate) kind: DialFaultKind,
    pub(crate) detail: String,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DialFaultKind {
    /// The other end refused, or TLS with it failed.
    Refused,
    /// Not in time.
    Timeout,
    /// This machine had no descriptor, port or memory left: nothing was learned about the other end.
    OutOfResources,
}

impl DialFault {
    fn refused(detail: String) -> DialFault {
        DialFault {
            kind: DialFaultKind::Refused,
            detail,
        }
    }

    fn of(error: &io::Error, origin: &Origin) -> DialFault {
        if is_out_of_resources(error) {
            let detail = format!("this machine cannot open another connection: {error}");
            return DialFault {
                kind: DialFaultKind::OutOfResources,
                detail,
            };
        }
        DialFault::refused(format!("{}: {error}", origin.authority))
    }
}

/// Errors of this machine, by Linux's numbers: no descriptor (ENFILE, EMFILE), no memory (ENOMEM, ENOBUFS), no port
/// (EADDRINUSE, EADDRNOTAVAIL, and EAGAIN where the range of ports is used up).
fn is_out_of_resources(error: &io::Error) -> bool {
    const OURS: [i32; 7] = [11, 12, 23, 24, 98, 99, 105];
    error
        .raw_os_error()
        .is_some_and(|number| OURS.contains(&number))
}

/// Connects. Addresses are tried one after the other, the first that answers is taken.
pub(crate) async fn dial(
    origin: &Origin,
    tls: Option<&Arc<ClientConfig>>,
    deadline: Instant,
) -> Result<Stream, DialFault> {
    let work = async {
        let stream = tcp(origin).await?;
        if !origin.is_tls {
            return Ok(Stream::Plain(stream));
        }
        let (Some(tls), Some(name)) = (tls, server_name(&origin.host)) else {
            return Err(DialFault::refused(format!(
                "no TLS name for `{}`",
                origin.host
            )));
        };
        match TlsConnector::from(Arc::clone(tls))
            .connect(name, stream)
            .await
        {
            Ok(stream) => Ok(Stream::ToUpstream(Box::new(stream))),
            Err(e) => Err(DialFault::refused(format!(
                "TLS with {} failed: {e}",
                origin.authority
            ))),
        }
    };
    match timeout_at(deadline, work).await {
        Ok(done) => done,
        Err(_) => Err(DialFault {
            kind: DialFaultKind::Timeout,
            detail: format!("connecting to {} took too long", origin.authority),
        }),
    }
}

async fn tcp(origin: &Origin) -> Result<TcpStream, DialFault> {
    let fault = |e: io::Error| DialFault::of(&e, origin);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses(origin).await.map_err(fault)? {
        match quick(TcpStream::connect(address).await) {
            Ok(stream) => return Ok(stream),
            Err(e) => last = e,
        }
    }
    Err(fault(last))
}

async fn addresses(origin: &Origin) -> io::Result<Vec<SocketAddr>> {
    let (host, port) = (origin.host.as_str(), origin.port);
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    if is_this_machine(host) {
        let own = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        return Ok(own.map(|address| SocketAddr::new(address, port)).to_vec());
    }
    Ok(tokio::net::lookup_host((host, port)).await?.collect())
}

/// Such names always mean this machine (RFC 6761 §6.3). Not every system lists them, and no resolver may say otherwise.
fn is_this_machine(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    last.eq_ignore_ascii_case("localhost")
}

/// Whole messages are written at once; waiting for more would only delay them.
fn quick(stream: io::Result<TcpStream>) -> io::Result<TcpStream> {
    let stream = stream?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_machine_lacks_is_not_the_targets_fault() {
        let origin = Origin::parse("http://a.test").unwrap();
        let kind = |number| DialFault::of(&io::Error::from_raw_os_error(number), &origin).kind;
        for (number, name) in [
            (11, "EAGAIN"),
            (12, "ENOMEM"),
            (23, "ENFILE"),
            (24, "EMFILE"),
            (98, "EADDRINUSE"),
            (99, "EADDRNOTAVAIL"),
            (105, "ENOBUFS"),
        ] {
            assert_eq!(kind(number), DialFaultKind::OutOfResources, "{name}");
        }
        for (number, name) in [
            (101, "ENETUNREACH"),
            (104, "ECONNRESET"),
            (110, "ETIMEDOUT"),
            (111, "ECONNREFUSED"),
            (113, "EHOSTUNREACH"),
        ] {
            assert_eq!(kind(number), DialFaultKind::Refused, "{name}");
        }
    }

    #[test]
    fn localhost_is_this_machine_whatever_a_resolver_says() {
        for host in ["localhost", "LocalHost", "api.localhost"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["", "localhost.example.com", "mylocalhost", "example.com"] {
            assert!(!is_this_machine(host), "{host}");
        }
        let origin = Origin::parse("http://localhost:81").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let found = runtime.block_on(addresses(&origin)).unwrap();
        assert_eq!(
            found,
            ["127.0.0.1:81".parse().unwrap(), "[::1]:81".parse().unwrap()]
        );
    }
}
