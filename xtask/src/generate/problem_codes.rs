//! The reference of problem codes: every way to be refused, what the caller reads, and what to do about it.
//! Exports `page`. The examples are rendered by the gateway's own code.
//! Used by `generate::pages`.
//! Start reading at `page`.

use std::fmt::Write;

use model::{DecisionId, FieldError, Reason, Refusal, Response, Stage};

const HEAD: &str = "# Problem codes\n\n\
    Generated from the reasons in the code; `cargo xtask gen` writes it again.\n\n\
    Every answer that Portcullis makes itself is a problem document (RFC 9457) with a stable `code`. This page lists all of them in\n\
    the order of the road. The caller reads title, detail and, where fields are wrong, `errors`. The operator reads more:\n\
    `portcullis explain dec_…` with the id from the answer names the rule with file and line, what was nearest, and what would allow it.\n\n\
    Members of the document: `type` (`urn:portcullis:problem:CODE`), `title`, `status`, `detail`, `code`, `stage`, `decision_id`,\n\
    `errors[]` (`in`, `pointer`, `keyword`, `detail`, `fix`; at most 20) and `retry_after` (seconds). A refusal may hide behind another\n\
    code where the grant says `deny_as: not_found`: then the caller reads `object.absent`, and only the operator reads the true one.\n\n\
    Codes with the status `closed` give no answer: the connection ends, because there is no request yet or no way to answer it. They stand in\n\
    the ledger (`kind` is `connection`, one record per address, code and second, with a count) and in the metrics.\n";

/// An id as answers carry it.
const EXAMPLE_ID: u128 = 0x0199_4ae3_5f20_7a51_8c4d_0b6f_1e2d_3c4b;

/// The whole page.
pub fn page() -> String {
    let mut out = String::from(HEAD);
    let reasons = gateway::reasons::reasons();
    for stage in Stage::ALL {
        let of_stage: Vec<_> = reasons
            .iter()
            .filter(|reason| reason.stage == stage)
            .collect();
        if of_stage.is_empty() {
            continue;
        }
        let _ = write!(
            out,
            "\n## Stage `{stage}`\n\n| code | status | the caller reads |\n|---|---|---|\n"
        );
        for reason in &of_stage {
            let anchor = reason.code.replace('.', "");
            let _ = writeln!(
                out,
                "| [`{}`](#{anchor}) | {} | {} |",
                reason.code,
                status(reason),
                reason.say
            );
        }
        for reason in of_stage {
            section(reason, &mut out);
        }
    }
    out
}

fn status(reason: &Reason) -> String {
    match reason.status {
        0 => String::from("closed"),
        status => status.to_string(),
    }
}

fn section(reason: &'static Reason, out: &mut String) {
    let explain = reason
        .explain
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let _ = write!(
        out,
        "\n### `{}`\n\n**What the caller can do.** {}\n\n**Cause and remedy.** {explain}\n",
        reason.code, reason.remedy,
    );
    let _ = match reason.status {
        0 => write!(
            out,
            "\n**Answer.** None: the connection is closed. The ledger counts it, `portcullis ledger show --kind connection --code {}`.\n",
            reason.code
        ),
        _ => write!(out, "\n```http\n{}\n```\n", answer(&example(reason))),
    };
}

/// A refusal as it usually looks: with fields where fields are wrong, with a time where waiting helps.
fn example(reason: &'static Reason) -> Box<Refusal> {
    let mut refusal = reason.because("");
    match reason.stage {
        Stage::Validate => refusal = refusal.with_errors(wrong_field(reason.code)),
        Stage::Inspect if reason.code.starts_with("inspect.") => {
            let class = reason.code.trim_start_matches("inspect.");
            refusal = refusal.with_errors(vec![error(
                "body",
                "/description",
                class,
                "the text reads like an attack of this class",
                "send plain text, or ask the operator for an exception with the decision id",
            )]);
        }
        _ => {}
    }
    if reason.status == 429 || reason.status == 503 && reason.code.starts_with("upstream.") {
        refusal = refusal.retry_after(7);
    }
    if reason.code == "authz.operation_not_granted" {
        refusal.scope = Some("field-service/v2:listCustomers".into());
    }
    refusal
}

fn wrong_field(code: &str) -> Vec<FieldError> {
    let one = match code {
        "validate.path" => error(
            "path",
            "workOrderId",
            "pattern",
            "does not match ^[0-9]{1,9}$",
            "send an id as the contract describes it",
        ),
        "validate.query" => error(
            "query",
            "limit",
            "maximum",
            "more than 200",
            "send a number from 1 to 200",
        ),
        "validate.header" => error(
            "header",
            "x-request-source",
            "enum",
            "not one of the allowed values",
            "send one of: app, web",
        ),
        "validate.body" => error(
            "body",
            "/email",
            "type",
            "number, expected string",
            "send a string such as \"a@b.example\"",
        ),
        _ => return Vec::new(),
    };
    vec![one]
}

fn error(place: &'static str, pointer: &str, keyword: &str, detail: &str, fix: &str) -> FieldError {
    FieldError {
        place,
        pointer: pointer.into(),
        keyword: keyword.into(),
        detail: detail.into(),
        fix: fix.into(),
    }
}

/// The answer as it stands on the wire, with the body in readable lines.
fn answer(refusal: &Refusal) -> String {
    let id = DecisionId::from_bits(EXAMPLE_ID);
    let Response {
        status,
        headers,
        body,
        ..
    } = gateway::problem::render(refusal, id, false);
    let mut out = format!("HTTP/1.1 {status}\n");
    for (name, value) in headers.iter() {
        let _ = writeln!(out, "{name}: {}", String::from_utf8_lossy(value));
    }
    let _ = write!(out, "portcullis-decision: {id}\n\n");
    // One member per line, in the order the gateway writes them.
    let text = String::from_utf8_lossy(&body);
    let lines = text.replace(",\"", ",\n \"").replace("[{", "[\n {");
    out.push_str(&lines);
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_code_has_a_section_that_helps() {
        let page = super::page();
        for reason in gateway::reasons::reasons() {
            let heading = format!("\n### `{}`\n", reason.code);
            let (_, section) = page.split_once(&heading).unwrap_or_default();
            let section = section.split("\n### ").next().unwrap_or_default();
            assert!(
                section.len() >= 400,
                "{}: {} characters",
                reason.code,
                section.len()
            );
        }
    }

    #[test]
    fn examples_are_json() {
        let answered = |reason: &&'static model::Reason| reason.status != 0;
        for reason in gateway::reasons::reasons().into_iter().filter(answered) {
            let shown = super::answer(&super::example(reason));
            let (_, body) = shown.split_once("\n\n").unwrap_or_default();
            let read: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(read["code"], reason.code);
        }
    }
}
