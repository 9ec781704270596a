//! Resolve, connect, TLS: one connection to one origin within one deadline.
//! Gives `dial`. The certificate is always verified against the origin's host.
//! Used by the pools, the health checks and the small client.
//! Start reading at `dial`.

use std::io;
use std::net::{IpAddr, SocketAddr};
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
pub(crate) struct DialFault(pub(crate) String);

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
            return Err(DialFault(format!("no TLS name for `{}`", origin.host)));
        };
        match TlsConnector::from(Arc::clone(tls))
            .connect(name, stream)
            .await
        {
            Ok(stream) => Ok(Stream::ToUpstream(Box::new(stream))),
            Err(e) => Err(DialFault(format!(
                "TLS with {} failed: {e}",
                origin.authority
            ))),
        }
    };
    match timeout_at(deadline, work).await {
        Ok(done) => done,
        Err(_) => Err(DialFault(format!(
            "connecting to {} took too long",
            origin.authority
        ))),
    }
}

async fn tcp(origin: &Origin) -> Result<TcpStream, DialFault> {
    let fault = |e: io::Error| DialFault(format!("{}: {e}", origin.authority));
    if let Ok(address) = origin.host.parse::<IpAddr>() {
        let address = SocketAddr::new(address, origin.port);
        return quick(TcpStream::connect(address).await).map_err(fault);
    }
    let found = tokio::net::lookup_host((origin.host.as_str(), origin.port)).await;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in found.map_err(fault)? {
        match quick(TcpStream::connect(address).await) {
            Ok(stream) => return Ok(stream),
            Err(e) => last = e,
        }
    }
    Err(fault(last))
}

/// Whole messages are written at once; waiting for more would only delay them.
fn quick(stream: io::Result<TcpStream>) -> io::Result<TcpStream> {
    let stream = stream?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
