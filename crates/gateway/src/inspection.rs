//! One request shown to detection: its texts cut into parts, and the facts that rules ask for.
//! Exports `look` (the findings), `Facts` and `deciding` (the finding to refuse for). Pure.
//! Used by stage `inspect`, and by `replay`, so that both say the same.
//! Start reading at `look`.

use std::borrow::Cow;
use std::net::IpAddr;

use config::Compiled;
use config::compiled::{ApiVersion, OperationPlan};
use contract::{Forwarded, Leaf, Operation, ValidRequest};
use identity::methods::is_credential;
use model::http::Protocol;
use model::{CanonicalRequest, Timestamp};
use waf::{Finding, Findings, Part, Place, RequestFacts};

/// What rules from directories ask of a request besides its texts.
#[derive(Debug, Default)]
pub struct Facts<'a> {
    /// Method in upper case.
    pub method: &'a str,
    /// Path as it is forwarded.
    pub path: &'a str,
    /// Query as it is forwarded, without `?`.
    pub query: &'a str,
    /// `HTTP/1.1` or `HTTP/2.0`.
    pub protocol: &'a str,
    /// Address of the client.
    pub client: String,
    /// Fields as received, in order. Never those that carry a credential: it was judged, and a rule that matched a piece
    /// of it would say nothing but its place.
    pub headers: Vec<(&'a str, Cow<'a, [u8]>)>,
    /// Length of the body.
    pub body_bytes: usize,
    /// Fields that travel on although the contract does not declare them.
    pub forwarded: Forwarded<'a>,
}

impl<'a> Facts<'a> {
    /// What every plan is told: it costs nothing.
    pub fn few(
        asked: &'a CanonicalRequest,
        valid: &'a ValidRequest,
        operation: &Operation,
    ) -> Facts<'a> {
        Facts {
            method: asked.method().name(),
            path: asked.path(),
            body_bytes: valid.body_bytes.len(),
            forwarded: Forwarded::of(asked.headers(), operation),
            ..Facts::default()
        }
    }

    /// What rules from directories, and recordings, are told.
    pub fn all(
        asked: &'a CanonicalRequest,
        valid: &'a ValidRequest,
        operation: &Operation,
        client: IpAddr,
    ) -> Facts<'a> {
        Facts {
            query: &valid.query,
            protocol: match asked.protocol() {
                Protocol::Http10 => "HTTP/1.0",
                Protocol::Http11 => "HTTP/1.1",
                Protocol::Http2 => "HTTP/2.0",
            },
            client: client.to_string(),
            headers: headers(asked, valid.body_bytes.len()),
            ..Facts::few(asked, valid, operation)
        }
    }
}

/// The fields as received; host and length also where the protocol carries them elsewhere.
fn headers(asked: &CanonicalRequest, body_bytes: usize) -> Vec<(&str, Cow<'_, [u8]>)> {
    let sent = asked.headers();
    let mut out = Vec::with_capacity(sent.len() + 2);
    if sent.get("host").is_none() {
        out.push(("host", Cow::Borrowed(asked.authority().as_bytes())));
    }
    let shown = sent.iter().filter(|(name, _)| is_shown(name));
    out.extend(shown.map(|(name, value)| (name, Cow::Borrowed(value))));
    let is_told = sent.get("content-length").is_some() || asked.protocol() == Protocol::Http2;
    if !is_told && (body_bytes > 0 || !asked.method().is_safe()) {
        out.push((
            "content-length",
            Cow::Owned(body_bytes.to_string().into_bytes()),
        ));
    }
    out
}

fn is_shown(name: &str) -> bool {
    !is_credential(name) && name != "cookie"
}

/// What detection has to say about the texts of one request.
pub fn look(
    leaves: &[Leaf<'_>],
    facts: &Facts<'_>,
    (version, operation): (&ApiVersion, &OperationPlan),
    compiled: &Compiled,
    now: Timestamp,
) -> Findings {
    let plan = &compiled.inspection;
    // Without rules from directories only texts are looked at.
    if leaves.is_empty() && facts.forwarded.is_closed() && !plan.wants_headers() {
        return Findings::default();
    }
    let declared = leaves.iter().map(|leaf| Part {
        field: version.fields.get(leaf.language),
        ..part(leaf, operation, now)
    });
    let inspected = facts
        .forwarded
        .iter()
        .filter(|(_, field, _)| field.is_inspected());
    let undeclared = inspected.map(|(place, field, value)| Part {
        field: compiled.forwarded.get(place),
        paranoia: operation.inspected.paranoia_of(field.name, now),
        recurs: field.recurs(),
        ..Part::value(Place::Header, field.name, value)
    });
    let parts: Vec<Part<'_>> = declared.chain(undeclared).collect();
    let headers: Vec<(&str, &[u8])> = facts
        .headers
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    let facts = RequestFacts {
        operation: &operation.inspected.scope,
        method: facts.method,
        path: facts.path,
        query: facts.query,
        protocol: facts.protocol,
        client: &facts.client,
        headers: &headers,
        body_bytes: facts.body_bytes,
    };
    waf::inspect(&parts, &facts, plan, now.seconds())
}

fn part<'a>(leaf: &'a Leaf<'a>, operation: &OperationPlan, now: Timestamp) -> Part<'a> {
    let place = match leaf.place {
        "path" => Place::Path,
        "query" => Place::Query,
        "header" => Place::Header,
        "cookie" => Place::Cookie,
        _ => Place::Body,
    };
    let part = if leaf.is_name {
        Part::name(place, &leaf.pointer, leaf.text.as_bytes())
    } else {
        Part::value(place, &leaf.pointer, leaf.text.as_bytes())
    };
    Part {
        paranoia: operation.inspected.paranoia_of(&leaf.pointer, now),
        url: leaf.language == contract::language::ADDRESS,
        ..part
    }
}

/// The finding to refuse for, where the findings reach the threshold.
pub fn deciding(found: &Findings) -> Option<&Finding> {
    found.worst().filter(|_| found.refuse)
}

#[cfg(test)]
mod tests;
