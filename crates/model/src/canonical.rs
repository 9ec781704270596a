//! The one canonical request: what routing, policy, limits, inspection, ledger and upstream all read.
//! Exports `CanonicalRequest::of`. What cannot be canonical is refused, never repaired.
//! Made in stage `http`; private fields, one maker.
//! Start reading at `CanonicalRequest::of`; the refusals are hostile cases fp01-fp06, hd01-hd07.

mod headers;
mod path;
mod query;

use crate::http::Protocol;
use crate::{Head, Headers, Method, Reason, Refusal, Stage};

pub use headers::is_dropped_from_clients;
pub use path::{encode_segment, is_encodable_segment, is_plain_segment};
pub use query::encode_component;

/// The request could be read in more than one way.
pub const MALFORMED: Reason = Reason::new(
    Stage::Http,
    "http.malformed",
    400,
    "The request is not well-formed or could be read in more than one way.",
    "Send one plain spelling: no dot segments, no empty segments, no encoded slashes, no repeated single-value headers, no header that names another method.",
    "The request was ambiguous or broke the grammar of HTTP. Such requests are refused, never repaired, because the \
     gateway and the upstream could read them differently. The detail names the part; the client has to send the plain form.",
);

/// A request of which there is only one reading. Only this is judged, recorded and forwarded.
#[derive(Clone, Debug)]
pub struct CanonicalRequest {
    protocol: Protocol,
    method: Method,
    authority: String,
    path: String,
    segments: Vec<String>,
    encoded: u64,
    query: Vec<(String, String)>,
    headers: Headers,
}

impl CanonicalRequest {
    /// Most path segments.
    pub const SEGMENTS_MAX: usize = 64;
    /// Most query pairs.
    pub const QUERY_MAX: usize = 128;

    /// Judges a head and keeps the one reading it has.
    ///
    /// # Errors
    /// [`MALFORMED`] for anything ambiguous.
    pub fn of(head: Head) -> Result<CanonicalRequest, Box<Refusal>> {
        let request = CanonicalRequest::of_encoded(head)?;
        if request.encoded == 0 {
            Ok(request)
        } else {
            Err(request.encoded_refusal())
        }
    }

    /// The same for a path that may have escaped characters which end or divide one: `/ \ % ? # ;`. Whether they may stand where they
    /// stand is asked of the contract, by [`CanonicalRequest::encoded`].
    ///
    /// # Errors
    /// [`MALFORMED`] for anything else that is ambiguous.
    pub fn of_encoded(head: Head) -> Result<CanonicalRequest, Box<Refusal>> {
        let (raw_path, raw_query) = match head.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (head.target.as_str(), None),
        };
        let (segments, encoded) = path::segments(raw_path)?;
        let query = query::pairs(raw_query.unwrap_or_default())?;
        headers::of_one_method(&head.headers, head.method)?;
        let headers = headers::cleaned(head.headers)?;
        Ok(CanonicalRequest {
            protocol: head.protocol,
            method: head.method,
            authority: head.authority,
            path: path::join(&segments),
            segments,
            encoded,
            query,
            headers,
        })
    }

    /// Protocol it arrived with.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Host and port as asked for, lower case.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path, percent-encoded in the one canonical way, e.g. `/v2/sites/Z%C3%BCrich`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Decoded path segments; `/a/` has the segments `a` and an empty one.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// The segments that have an escaped `/ \ % ? #` or `;`, as bits by their places.
    pub fn encoded(&self) -> u64 {
        self.encoded
    }

    /// What to refuse such a request with where the contract does not let these characters stand.
    pub fn encoded_refusal(&self) -> Box<Refusal> {
        let mut found = self
            .segments
            .iter()
            .filter_map(|segment| path::reserved(segment));
        let found = found.next().unwrap_or('%');
        MALFORMED.because(format!("the path has an escaped `{found}`"))
    }

    /// Decoded query pairs in the order sent. Repeated names are judged against the contract.
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// Header fields, without the clients' copies of identity and forwarding fields and without hop-by-hop fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Replaces a field by what it stands for, e.g. a sealed entity tag by the upstream's own.
    pub fn set_header(&mut self, name: &str, value: &str) {
        self.headers.set(name, value);
    }

    /// Replaces a query parameter by what it stands for: a value that is fixed, or a sealed cursor's own.
    pub fn set_query(&mut self, name: &str, value: &str) {
        self.drop_query(name);
        self.query.push((name.to_owned(), value.to_owned()));
    }

    /// Takes a query parameter out.
    pub fn drop_query(&mut self, name: &str) {
        self.query.retain(|(known, _)| known != name);
    }

    /// Takes the credential out, so that no later stage can see or forward it.
    pub fn drop_header(&mut self, name: &str) {
        self.headers.remove(name);
    }
}

#[cfg(test)]
mod tests;
