//! Request fields that change what a request means, and what becomes of each of them: one table.
//! Exports `TABLE`, `judge`, `preferences`.
//! Used by stages `validate` (`judge`) and `upstream`, and by `cargo xtask gen` for `docs/request-fields.md`.
//! Start reading at `TABLE`.
//!
//! A field that asks for a condition, a part, another method or another state of the object must not be lost on its way
//! while the call is carried out. It is forwarded, answered here or refused. What a server may disregard by its own
//! standard is dropped. A field that the contract declares as a header parameter is forwarded as declared.

use contract::{Operation, Place};
use model::{CanonicalRequest, FieldError, Headers, Refusal};

use crate::idempotency;

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// The upstream gets it as it was sent.
    Forwarded,
    /// The upstream gets a value of the gateway in its place.
    Rewritten,
    /// The gateway does what it asks for.
    Answered,
    /// The request is refused with this status.
    Refused(u16),
    /// It ends here, and the request goes on.
    Dropped,
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub struct RequestField {
    /// Name in lower case.
    pub name: &'static str,
    /// With operations that only read: GET, HEAD, OPTIONS, TRACE, and a POST of which the api says so.
    pub reads: Treatment,
    /// With every other one.
    pub writes: Treatment,
    /// Where it is defined.
    pub law: &'static str,
    /// Why it is treated like this.
    pub why: &'static str,
    /// A value to try it with.
    pub example: &'static str,
}

use Treatment::{Answered, Dropped, Forwarded, Refused, Rewritten};

const fn field(
    name: &'static str,
    (reads, writes): (Treatment, Treatment),
    law: &'static str,
    why: &'static str,
    example: &'static str,
) -> RequestField {
    RequestField {
        name,
        reads,
        writes,
        law,
        why,
        example,
    }
}

const FORWARDED: (Treatment, Treatment) = (Forwarded, Forwarded);
const REWRITTEN: (Treatment, Treatment) = (Rewritten, Rewritten);
const DROPPED: (Treatment, Treatment) = (Dropped, Dropped);
const REFUSED: (Treatment, Treatment) = (Refused(400), Refused(400));
const WRITES_REFUSED: (Treatment, Treatment) = (Dropped, Refused(400));

const OTHER_METHOD: &str = "Asks for another method than the one that is judged. One that names the request's own method is dropped.";
const DAV: &str = "Conditions and reach of WebDAV: a write that loses them does something else.";
const OURS: &str = "The upstream learns who is calling from the gateway alone.";
const REPRESENTATION: &str =
    "Says something of the body, which is written again; a server may disregard it.";

/// Every request field that changes what a request means, sorted by name.
pub const TABLE: &[RequestField] = &[
    field(
        "a-im",
        DROPPED,
        "RFC 3229 §10.5.3",
        "A whole answer is always right.",
        "vcdiff",
    ),
    field(
        "accept",
        REWRITTEN,
        "RFC 9110 §12.5.1",
        "The gateway asks for the declared types that the caller accepts; none is 406 `validate.accept`.",
        "application/json, */*;q=0.1",
    ),
    field(
        "accept-charset",
        DROPPED,
        "RFC 9110 §12.5.2",
        "Answers are UTF-8; a server may disregard it.",
        "utf-8",
    ),
    field(
        "accept-datetime",
        DROPPED,
        "RFC 7089 §2.1.1",
        "A server without old versions disregards it.",
        "Thu, 31 May 2007 20:35:00 GMT",
    ),
    field(
        "accept-encoding",
        REWRITTEN,
        "RFC 9110 §12.5.3",
        "Answers are judged, so none is encoded: the upstream is asked for `identity`, and the caller gets it, which is always acceptable.",
        "gzip",
    ),
    field(
        "accept-language",
        FORWARDED,
        "RFC 9110 §12.5.4",
        "A preference.",
        "de, en;q=0.5",
    ),
    field(
        "cache-control",
        DROPPED,
        "RFC 9111 §5.2.1",
        "Nothing is cached here.",
        "no-cache",
    ),
    field(
        "content-encoding",
        (Dropped, Refused(415)),
        "RFC 9110 §8.4",
        "A body that cannot be read cannot be judged. Without a body it says nothing.",
        "gzip",
    ),
    field(
        "content-language",
        DROPPED,
        "RFC 9110 §8.5",
        REPRESENTATION,
        "de",
    ),
    field(
        "content-location",
        DROPPED,
        "RFC 9110 §8.7",
        REPRESENTATION,
        "/elsewhere",
    ),
    field(
        "content-range",
        REFUSED,
        "RFC 9110 §14.5",
        "A part that is taken for the whole overwrites it.",
        "bytes 0-1/9",
    ),
    field("depth", WRITES_REFUSED, "RFC 4918 §10.2", DAV, "0"),
    field(
        "digest",
        DROPPED,
        "RFC 9530 §1.3",
        REPRESENTATION,
        "sha-256=x",
    ),
    field(
        "early-data",
        (Dropped, Refused(425)),
        "RFC 8470 §5.1",
        "It may be a repetition of what was sent before; the caller sends it again when the handshake is complete.",
        "1",
    ),
    field(
        "expect",
        (Answered, Answered),
        "RFC 9110 §10.1.1",
        "`100-continue` is answered here, before the body is asked for. Anything else is 400 `http.malformed`.",
        "100-continue",
    ),
    field(
        "from",
        DROPPED,
        "RFC 9110 §10.1.2",
        OURS,
        "somebody@elsewhere.example",
    ),
    field(
        "idempotency-key",
        REWRITTEN,
        "draft-ietf-httpapi-idempotency-key-header §2",
        "Bound to integration and person, so that callers do not share their keys.",
        "k-4711",
    ),
    field(
        "if",
        WRITES_REFUSED,
        "RFC 4918 §10.4",
        DAV,
        "(<urn:uuid:1>)",
    ),
    field(
        "if-match",
        REWRITTEN,
        "RFC 9110 §13.1.1",
        "The caller's sealed tag becomes the upstream's own. A tag that was never given matches nothing. Not on reads of judged objects: a 412 would tell a hidden one from none.",
        "\"x\"",
    ),
    field(
        "if-modified-since",
        DROPPED,
        "RFC 9110 §13.1.3",
        "Only defined for GET and HEAD, where a whole answer is always right.",
        "Thu, 31 May 2007 20:35:00 GMT",
    ),
    field(
        "if-none-match",
        FORWARDED,
        "RFC 9110 §13.1.2",
        "Not on reads of judged objects: a 304 has no body to judge, and a whole answer is always right. Sealed tags become the upstream's own.",
        "*",
    ),
    field(
        "if-range",
        DROPPED,
        "RFC 9110 §13.1.5",
        "Says nothing without `Range`.",
        "\"x\"",
    ),
    field(
        "if-schedule-tag-match",
        WRITES_REFUSED,
        "RFC 6638 §3.2.10",
        DAV,
        "\"x\"",
    ),
    field(
        "if-unmodified-since",
        WRITES_REFUSED,
        "RFC 9110 §13.1.4",
        "Answers carry no `Last-Modified` to compare with; `If-Match` with the `ETag` is the condition that is offered.",
        "Thu, 31 May 2007 20:35:00 GMT",
    ),
    field(
        "pragma",
        DROPPED,
        "RFC 9111 §5.4",
        "Nothing is cached here.",
        "no-cache",
    ),
    field(
        "prefer",
        FORWARDED,
        "RFC 7240 §4",
        "The registered preferences `respond-async`, `return`, `wait` and `handling`. Others are dropped: some make another request of it, such as `resolution=merge-duplicates`.",
        "return=minimal",
    ),
    field("priority", DROPPED, "RFC 9218 §4", "A preference.", "u=1"),
    field(
        "range",
        WRITES_REFUSED,
        "RFC 9110 §14.2",
        "A server may answer a GET with the whole. Some take it as the place of a write.",
        "bytes=0-1",
    ),
    field(
        "referer",
        DROPPED,
        "RFC 9110 §10.1.3",
        "Says nothing of the request itself.",
        "https://elsewhere.example/",
    ),
    field(
        "repr-digest",
        DROPPED,
        "RFC 9530 §3",
        REPRESENTATION,
        "sha-256=:eA==:",
    ),
    field(
        "traceparent",
        FORWARDED,
        "Trace Context §3.2",
        "Names the call in the traces of both sides.",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
    field(
        "tracestate",
        DROPPED,
        "Trace Context §3.3",
        "May be left out anywhere.",
        "a=b",
    ),
    field(
        "upgrade",
        DROPPED,
        "RFC 9110 §7.8",
        "An offer of another protocol. It is not taken up: the answer comes in the protocol of the request.",
        "websocket",
    ),
    field(
        "user-agent",
        FORWARDED,
        "RFC 9110 §10.1.5",
        "For the upstream's own statistics.",
        "erp/7.1",
    ),
    field(
        "via",
        REWRITTEN,
        "RFC 9110 §7.6.3",
        "The upstream reads this gateway's name, and before it those of other gateways of this kind. A request that has been here before is 508 `http.loop`.",
        "1.1 elsewhere",
    ),
    field(
        "x-forwarded-for",
        REWRITTEN,
        "RFC 7239 §1",
        OURS,
        "192.0.2.7",
    ),
    field(
        "x-http-method",
        REFUSED,
        "no standard",
        OTHER_METHOD,
        "PATCH",
    ),
    field(
        "x-http-method-override",
        REFUSED,
        "no standard",
        OTHER_METHOD,
        "PATCH",
    ),
    field(
        "x-method-override",
        REFUSED,
        "no standard",
        OTHER_METHOD,
        "PATCH",
    ),
    field(
        "x-original-url",
        DROPPED,
        "no standard",
        "Belongs to proxies: the path that was judged is the one that is sent.",
        "/elsewhere",
    ),
];

/// Refuses what would change the meaning of the call and cannot be passed on.
///
/// # Errors
/// `validate.header` with the fields named; 400, or what the table says.
pub fn judge(
    operation: &Operation,
    is_read: bool,
    asked: &CanonicalRequest,
) -> Result<(), Box<Refusal>> {
    for (name, value) in asked.headers().iter() {
        let Some(known) = find(name) else { continue };
        let treatment = if is_read { known.reads } else { known.writes };
        let status = match treatment {
            // Judged with the body, where there is one.
            Refused(415) => continue,
            Refused(425) if value != b"1" => continue,
            Refused(status) => status,
            // It is rewritten whatever the contract says of it, so it has to be a key.
            Rewritten if name == "idempotency-key" && !is_key(asked.headers(), value) => {
                return Err(refusal(known, 400));
            }
            _ => continue,
        };
        if operation.parameter(Place::Header, name).is_none() {
            return Err(refusal(known, status));
        }
    }
    Ok(())
}

/// Refuses a condition on entity tags of which a part would be lost.
pub fn not_tags(name: &str) -> Box<Refusal> {
    let detail = "more tags than are passed on, or `*` beside a tag";
    contract::HEADER
        .because(format!("`{name}`: {detail}"))
        .with_errors(vec![FieldError {
            place: "header",
            pointer: name.to_owned(),
            keyword: "unsupported".to_owned(),
            detail: detail.to_owned(),
            fix: "send `*` alone, or at most 16 entity tags".to_owned(),
        }])
}

fn find(name: &str) -> Option<&'static RequestField> {
    let index = TABLE.binary_search_by(|field| field.name.cmp(name)).ok()?;
    TABLE.get(index)
}

fn is_key(headers: &Headers, value: &[u8]) -> bool {
    headers.count("idempotency-key") == 1 && idempotency::is_valid(value)
}

fn refusal(field: &RequestField, status: u16) -> Box<Refusal> {
    let fix = match (field.name, status) {
        ("idempotency-key", _) => {
            "send one key of 1 to 255 visible ASCII characters, blanks between them allowed"
        }
        (_, 425) => "send the request again when the handshake is complete",
        ("if-unmodified-since", _) => "send `If-Match` with the `ETag` of the last answer",
        _ => "send the request without it",
    };
    let mut refusal = contract::HEADER
        .because(format!("`{}` cannot be passed on", field.name))
        .with_errors(vec![FieldError {
            place: "header",
            pointer: field.name.to_owned(),
            keyword: "unsupported".to_owned(),
            detail: "it changes what the request means, and cannot be passed on here".to_owned(),
            fix: fix.to_owned(),
        }]);
    refusal.status = status;
    refusal
}

/// The registered preferences among those that were sent (RFC 7240 §4), as they were written. `None` when there is none.
pub fn preferences(sent: &str) -> Option<String> {
    const REGISTERED: [&str; 4] = ["handling", "respond-async", "return", "wait"];
    let is_registered = |preference: &&str| {
        let name = preference
            .split(['=', ';'])
            .next()
            .unwrap_or_default()
            .trim();
        REGISTERED
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    let kept: Vec<&str> = sent
        .split(',')
        .map(str::trim)
        .filter(is_registered)
        .collect();
    (!kept.is_empty()).then(|| kept.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_says_why() {
        assert!(TABLE.is_sorted_by(|a, b| a.name < b.name));
        for field in TABLE {
            assert!(field.name == field.name.to_ascii_lowercase() && !field.why.is_empty());
            assert!(find(field.name).is_some_and(|found| found.name == field.name));
        }
    }

    #[test]
    fn preferences_that_make_another_request_of_it_are_dropped() {
        for (sent, kept) in [
            ("return=minimal", Some("return=minimal")),
            (
                "resolution=merge-duplicates, return=representation",
                Some("return=representation"),
            ),
            (
                "Respond-Async, wait=10; x=y",
                Some("Respond-Async, wait=10; x=y"),
            ),
            ("count=exact", None),
            ("tx=rollback,returning=x", None),
            ("", None),
        ] {
            assert_eq!(preferences(sent).as_deref(), kept, "{sent}");
        }
    }
}
