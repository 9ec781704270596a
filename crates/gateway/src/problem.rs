//! Refusals on the wire: RFC 9457 problem documents, with nothing in them the caller may not know.
//! Exports `render`. Pure: bytes out of a refusal and a decision id.
//! Used by the service for every answer that Portcullis makes itself.
//! Start reading at `render`.

use identity::api_key::redacted;
use model::json::write_string;
use model::{DecisionId, FieldError, ProxyCause, Reason, Refusal, Response, Stage};

/// The answer for a refusal.
///
/// A concealed refusal is rendered wholly from the reason it hides behind, so that a foreign object and an
/// absent one differ in nothing but the decision id.
pub fn render(refusal: &Refusal, id: DecisionId, is_head: bool) -> Response {
    let shown = match refusal.conceal {
        Some(reason) => reason.because(""),
        None => Box::new(refusal.clone()),
    };
    let body = document(&shown, id);
    let mut response = Response::new(shown.status, body)
        .with("content-type", "application/problem+json")
        .with("cache-control", "no-store")
        .with("x-content-type-options", "nosniff")
        .with("proxy-status", proxy_status(&shown));
    if let Some(challenge) = identity::challenge(&shown) {
        response = response.with("www-authenticate", challenge);
    }
    if let Some(seconds) = shown.retry_after_s {
        response = response.with("retry-after", seconds.to_string());
    }
    if is_head {
        response.head_length = u64::try_from(response.body.len()).ok();
    }
    response
}

fn document(refusal: &Refusal, id: DecisionId) -> Vec<u8> {
    let reason = refusal.reason;
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(br#"{"type":"urn:portcullis:problem:"#);
    out.extend_from_slice(reason.code.as_bytes());
    out.extend_from_slice(br#"","title":"#);
    write_string(reason.say, &mut out);
    out.extend_from_slice(format!(r#","status":{},"detail":"#, refusal.status).as_bytes());
    write_string(reason.remedy, &mut out);
    out.extend_from_slice(
        format!(
            r#","code":"{}","stage":"{}","decision_id":"{id}""#,
            reason.code, reason.stage
        )
        .as_bytes(),
    );
    if !refusal.errors.is_empty() {
        out.extend_from_slice(br#","errors":["#);
        for (index, error) in refusal.errors.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            field_error(error, &mut out);
        }
        out.push(b']');
    }
    if let Some(seconds) = refusal.retry_after_s {
        out.extend_from_slice(format!(r#","retry_after":{seconds}"#).as_bytes());
    }
    out.push(b'}');
    out
}

fn field_error(error: &FieldError, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"in":"#);
    write_string(error.place, out);
    for (name, text) in [
        (&br#","pointer":"#[..], &error.pointer),
        (br#","keyword":"#, &error.keyword),
        (br#","detail":"#, &error.detail),
        (br#","fix":"#, &error.fix),
    ] {
        out.extend_from_slice(name);
        // A pointer repeats names that were sent, and answers are logged by callers too.
        write_string(&redacted(text), out);
    }
    out.push(b'}');
}

/// RFC 9209 §2.3: whose answer this is and what kind of thing happened. Where the upstream answered with an error, that
/// is not an error between us and it: its status is named instead (§2.1.5).
fn proxy_status(refusal: &Refusal) -> String {
    match refusal.cause {
        Some(ProxyCause::Error(kind)) => format!("portcullis; error={kind}"),
        Some(ProxyCause::Received(status)) => format!("portcullis; received-status={status}"),
        None => format!("portcullis; error={}", kind_of(refusal.reason)),
    }
}

/// The type of error by the reason alone.
fn kind_of(reason: &Reason) -> &'static str {
    match (reason.code, reason.stage) {
        ("http.internal" | "ledger.unavailable" | "ledger.unrecorded", _) => "proxy_internal_error",
        ("route.not_found", _) => "destination_not_found",
        (_, Stage::Upstream) => "destination_unavailable",
        (_, Stage::Response) => "http_protocol_error",
        // A 4xx on behalf of the origin. An object's absence is its statement, and a hidden one reads the same.
        (_, Stage::Http | Stage::Tls | Stage::Route | Stage::Validate | Stage::Object) => {
            "http_request_error"
        }
        _ => "http_request_denied",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: Reason = Reason::new(
        Stage::Authz,
        "authz.test",
        403,
        "Not \"yours\".",
        "Ask.",
        "",
    );
    const ABSENT: Reason = Reason::new(
        Stage::Object,
        "object.absent",
        404,
        "Not found.",
        "Check the id.",
        "",
    );

    fn text(response: &Response) -> String {
        String::from_utf8(response.body.clone()).unwrap()
    }

    #[test]
    fn the_caller_reads_code_stage_and_id_but_never_the_detail() {
        let refusal = LOST.because("rule integrations/x.yaml:3 says no");
        let response = render(&refusal, DecisionId::from_bits(1), false);
        let parsed: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(parsed["code"], "authz.test");
        assert_eq!(parsed["title"], "Not \"yours\".");
        assert!(!text(&response).contains("integrations"));
    }

    #[test]
    fn a_concealed_refusal_has_the_bytes_of_an_absent_object() {
        let mut hidden = LOST.because("partner b");
        hidden.conceal = Some(&ABSENT);
        hidden.scope = Some("x".into());
        let (a, b) = (
            render(&hidden, DecisionId::from_bits(1), false),
            render(
                &ABSENT.because("no such row"),
                DecisionId::from_bits(1),
                false,
            ),
        );
        assert_eq!(text(&a), text(&b));
        assert_eq!(a.status, b.status);
        let fields = |r: &Response| {
            r.headers
                .iter()
                .map(|(n, v)| (n.to_owned(), v.to_vec()))
                .collect::<Vec<_>>()
        };
        assert_eq!(fields(&a), fields(&b));
    }
}
