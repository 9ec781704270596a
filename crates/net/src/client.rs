//! A small HTTP/1.1 client for our own tools: `demo tour`, CLI calls to a server, checks in tests.
//! Exports `Call`, `ClientResponse`, `send`, `get`, `post`. One connection per call, certificates always verified.
//! Used by the binary, the demo and tests; the road uses `upstream`.
//! Start reading at `send`.

use std::time::Duration;

use model::{Headers, Method};
use tokio::time::Instant;

use crate::tls::client_config;
use crate::upstream::{ExchangeFault, Origin, UpstreamRequest, dial, exchange, is_plain_path};
use crate::wire::Wire;

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Method.
    pub method: Method,
    /// `http://host[:port]/path?query` or `https://…`.
    pub url: String,
    /// Fields; framing ones and `host` are written by the client (a `host` given here wins).
    pub headers: Headers,
    /// Body.
    pub body: Vec<u8>,
    /// Authorities to trust (PEM); the system's when absent.
    pub ca_pem: Option<Vec<u8>>,
    /// Time for everything.
    pub timeout: Duration,
    /// Largest answer body.
    pub answer_bytes_max: usize,
}

impl Call {
    /// A call with usual bounds: ten seconds, 64 MiB.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Call {
            method,
            url: url.into(),
            headers: Headers::new(),
            body: Vec::new(),
            ca_pem: None,
            timeout: Duration::from_secs(10),
            answer_bytes_max: 64 * 1024 * 1024,
        }
    }

    /// Adds a field.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Trusts these authorities only.
    #[must_use]
    pub fn trusting(mut self, ca_pem: impl Into<Vec<u8>>) -> Self {
        self.ca_pem = Some(ca_pem.into());
        self
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct ClientResponse {
    /// Status.
    pub status: u16,
    /// Fields without framing ones.
    pub headers: Headers,
    /// Whole body.
    pub body: Vec<u8>,
}

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientFault {
    /// The address is not an http or https URL.
    #[error("`{0}` is not an http:// or https:// address")]
    Url(String),
    /// Nobody answers there, or the TLS handshake failed.
    #[error("cannot reach {0}")]
    Unreachable(String),
    /// No whole answer in time.
    #[error("no answer in time from {0}")]
    Timeout(String),
    /// The answer is not acceptable HTTP.
    #[error("unusable answer: {0}")]
    Response(String),
}

/// Makes one call on a connection of its own.
///
/// # Errors
/// [`ClientFault`] with a sentence for the person who typed the command.
pub async fn send(call: &Call) -> Result<ClientResponse, ClientFault> {
    let (origin, path) = split(&call.url).ok_or_else(|| ClientFault::Url(call.url.clone()))?;
    let tls = if origin.is_tls {
        let config = client_config(call.ca_pem.as_deref());
        Some(config.map_err(|e| ClientFault::Unreachable(e.to_string()))?)
    } else {
        None
    };
    let deadline = Instant::now() + call.timeout;
    let stream = dial(&origin, tls.as_ref(), deadline)
        .await
        .map_err(|e| ClientFault::Unreachable(e.detail))?;
    let exchanged = exchange(
        &mut Wire::new(stream),
        &UpstreamRequest {
            method: call.method,
            path_and_query: path,
            authority: call.headers.text("host").unwrap_or(&origin.authority),
            headers: &call.headers,
            body: &call.body,
            answer_bytes_max: call.answer_bytes_max,
            room: None,
            deadline,
        },
    )
    .await;
    match exchanged {
        Ok(answered) => Ok(ClientResponse {
            status: answered.head.status,
            headers: answered.head.headers,
            body: answered.body,
        }),
        Err(ExchangeFault::Timeout) => Err(ClientFault::Timeout(origin.authority)),
        Err(ExchangeFault::ClosedBeforeResponse | ExchangeFault::NothingSent) => Err(
            ClientFault::Response(String::from("the connection was closed without an answer")),
        ),
        Err(ExchangeFault::SpokeFirst) => Err(ClientFault::Response(String::from(
            "it answers before it is asked",
        ))),
        Err(ExchangeFault::TooLarge | ExchangeFault::NoRoom) => Err(ClientFault::Response(
            String::from("it is larger than allowed"),
        )),
        Err(ExchangeFault::Broken(what)) => Err(ClientFault::Response(what.to_owned())),
    }
}

/// Origin and path with query.
fn split(url: &str) -> Option<(Origin, &str)> {
    let after_scheme = url.find("://")? + 3;
    let path_at = url
        .get(after_scheme..)?
        .find('/')
        .map_or(url.len(), |at| after_scheme + at);
    let (origin, path) = url.split_at_checked(path_at)?;
    let path = if path.is_empty() { "/" } else { path };
    let origin = Origin::parse(origin).ok()?;
    is_plain_path(path).then_some((origin, path))
}

/// GET with usual bounds.
///
/// # Errors
/// As [`send`].
pub async fn get(url: &str, ca_pem: Option<&[u8]>) -> Result<ClientResponse, ClientFault> {
    let mut call = Call::new(Method::Get, url);
    call.ca_pem = ca_pem.map(<[u8]>::to_vec);
    send(&call).await
}

/// POST with usual bounds.
///
/// # Errors
/// As [`send`].
pub async fn post(
    url: &str,
    content_type: &str,
    body: &[u8],
    ca_pem: Option<&[u8]>,
) -> Result<ClientResponse, ClientFault> {
    let mut call = Call::new(Method::Post, url)
        .header("content-type", content_type)
        .body(body);
    call.ca_pem = ca_pem.map(<[u8]>::to_vec);
    send(&call).await
}
