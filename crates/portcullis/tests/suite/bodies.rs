//! Bodies that two readers could read in two ways, or that cost more than they are worth: refused before the upstream.
//! Start reading at `refused`, the table; what passes keeps its bytes.

use demo::Call;
use serde_json::json;
use testkit::{Gate, RecordingUpstream, wire};

use crate::{call, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// What it is, content type, further fields, body, status and code.
type Case = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    Vec<u8>,
    u16,
    &'static str,
);

fn posted(target: &str, kind: &str, fields: &[(&str, &str)], body: Vec<u8>) -> Call {
    let mut call = call("POST", target).with("Content-Type", kind);
    for (name, value) in fields {
        call = call.with(name, value);
    }
    call.body = body;
    call
}

fn types() -> Vec<Case> {
    let good = || br#"{"title":"t"}"#.to_vec();
    let odd = |what, kind| (what, kind, &[][..], good(), 415, "validate.content_type");
    vec![
        odd("bp01 text", "text/plain"),
        odd("bp01 XML", "application/xml"),
        odd("bp01 a form", FORM),
        odd("bp01 multipart", "multipart/form-data; boundary=x"),
        odd("bp01 another charset", "application/json; charset=utf-16"),
        odd(
            "bp01 a second parameter",
            "application/json; charset=utf-8; charset=utf-16",
        ),
        odd("bp01 an unknown parameter", "application/json; profile=x"),
        odd("bp01 two types", "application/json, text/plain"),
        odd("bp01 a suffix", "application/vnd.api+json"),
        odd("bp01 a wildcard", "*/*"),
        odd("bp01 nonsense", "json"),
        (
            "bp07 gzip",
            JSON,
            &[("Content-Encoding", "gzip")],
            bomb(),
            415,
            "validate.content_type",
        ),
        (
            "bp07 deflate",
            JSON,
            &[("Content-Encoding", "deflate")],
            good(),
            415,
            "validate.content_type",
        ),
        (
            "bp07 br",
            JSON,
            &[("Content-Encoding", "br")],
            good(),
            415,
            "validate.content_type",
        ),
        (
            "bp07 stacked",
            JSON,
            &[("Content-Encoding", "gzip, gzip")],
            bomb(),
            415,
            "validate.content_type",
        ),
    ]
}

/// The head of a gzip stream; it is refused by its label, never unpacked.
fn bomb() -> Vec<u8> {
    [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &[0; 1000]].concat()
}

// LONG: a table of cases, one line of thought each.
fn texts() -> Vec<Case> {
    let odd = |what, body: &str| {
        (
            what,
            JSON,
            &[][..],
            body.as_bytes().to_vec(),
            400,
            "validate.body",
        )
    };
    let bytes = |what, body: &[u8]| (what, JSON, &[][..], body.to_vec(), 400, "validate.body");
    let deep = format!(
        r#"{{"title":"t","tree":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let wide = format!(r#"{{"title":"t","tree":[{}0]}}"#, "0,".repeat(120_000));
    vec![
        odd("bp02 a member twice", r#"{"title":"a","title":"b"}"#),
        odd(
            "bp02 twice, once escaped",
            r#"{"title":"a","\u0074itle":"b"}"#,
        ),
        odd(
            "bp02 twice, deep",
            r#"{"title":"a","tree":{"x":1,"\u0078":2}}"#,
        ),
        odd("bp04 depth", &deep),
        odd("bp04 width", &wide),
        odd("bp04 1e400", r#"{"title":"t","amount":1e400}"#),
        odd(
            "bp04 many digits",
            &format!(r#"{{"title":"t","amount":{}}}"#, "9".repeat(5_000)),
        ),
        odd("bp04 leading zero", r#"{"title":"t","amount":01}"#),
        odd("bp04 plus", r#"{"title":"t","amount":+1}"#),
        odd("bp04 NaN", r#"{"title":"t","amount":NaN}"#),
        odd("bp04 hexadecimal", r#"{"title":"t","amount":0x10}"#),
        odd("bp04 lone high surrogate", r#"{"title":"\ud800"}"#),
        odd("bp04 lone low surrogate", r#"{"title":"\udc00x"}"#),
        odd("bp04 BOM", "\u{feff}{\"title\":\"t\"}"),
        odd("bp04 comment", "{\"title\":\"t\"/* x */}"),
        odd("bp04 trailing comma", r#"{"title":"t",}"#),
        odd("bp04 single quotes", "{'title':'t'}"),
        odd("bp04 something behind", r#"{"title":"t"}{"title":"u"}"#),
        odd("bp04 NUL behind", "{\"title\":\"t\"}\0"),
        odd("bp04 raw control character", "{\"title\":\"a\nb\"}"),
        bytes("bp04 overlong UTF-8", b"{\"title\":\"\xc0\xaf\"}"),
        bytes("bp04 broken UTF-8", b"{\"title\":\"\xff\"}"),
        bytes("bp04 UTF-16", b"\xff\xfe{\0}\0"),
        odd("bp04 half", r#"{"title":"t""#),
        odd("bp04 empty", " "),
        odd("an undeclared member", r#"{"title":"t","role":"admin"}"#),
        odd(
            "a member reaching for the prototype",
            r#"{"title":"t","__proto__":{"x":1}}"#,
        ),
        odd("a number for a text", r#"{"title":7}"#),
        odd("nothing for a text", r#"{"title":null}"#),
        odd("a missing member", "{}"),
        odd("a list", "[]"),
        (
            "too large",
            JSON,
            &[],
            format!(r#"{{"title":"{}"}}"#, "a".repeat(300_000)).into_bytes(),
            413,
            "http.too_large",
        ),
    ]
}

#[test]
fn hostile_bodies_never_reach_the_upstream() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let mut wrong = Vec::new();
    let all = [types(), texts()].concat();
    let count = all.len();
    for (what, kind, fields, body, status, code) in all {
        let response = server.send(&posted("/v1/notes", kind, fields, body), Some(&key));
        if (response.status, response.code().as_deref()) != (status, Some(code)) {
            wrong.push(format!("{what}: {} {}", response.status, response.text()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    upstream.assert_untouched("no hostile body");
    let events = server.ledger_of(&json!({ "kind": "request" }));
    assert_eq!(events.len(), count, "one entry each");
}

#[test]
fn repeated_names_in_forms_and_queries_are_refused() {
    let upstream = RecordingUpstream::always("[]");
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    for body in [
        "text=a&text=b",
        "text=a&limit=1&limit=2",
        "text=a&t%65xt=b",
        "text=a&role=admin",
        "text=%ff",
        "text=%zz",
        "limit=1",
        "text=a&limit=x",
    ] {
        let response = server.send(
            &posted("/v1/searches", FORM, &[], body.as_bytes().to_vec()),
            Some(&key),
        );
        assert_eq!(
            (response.status, response.code().as_deref()),
            (400, Some("validate.body")),
            "{body}: {}",
            response.text()
        );
    }
    for (query, code) in [
        ("limit=1&limit=2", "validate.query"),
        ("limit=1&lim%69t=2", "http.malformed"),
        ("limit=x", "validate.query"),
        ("limit=0", "validate.query"),
        ("limit=1&other=2", "validate.query"),
        ("tag=a&tag=b&tag=c&tag=d", "validate.query"),
    ] {
        let response = server.send(&call("GET", &format!("/v1/notes?{query}")), Some(&key));
        assert_eq!(response.status, 400, "{query}: {}", response.text());
        let got = response.code().unwrap();
        assert!(got == code || got == "validate.query", "{query}: {got}");
    }
    upstream.assert_untouched("no repeated name");
    let twin = server.send(
        &posted("/v1/searches", FORM, &[], b"text=a+b&limit=2".to_vec()),
        Some(&key),
    );
    assert_eq!(twin.status, 200, "{}", twin.text());
    let list = server.send(&call("GET", "/v1/notes?tag=a&tag=b&limit=2"), Some(&key));
    assert_eq!(list.status, 200, "{}", list.text());
    assert_eq!(
        upstream.requests()[1].target,
        "/v1/notes?tag=a&tag=b&limit=2"
    );
}

#[test]
fn accepted_numbers_and_texts_keep_their_spelling() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    for amount in [
        "9007199254740993",
        "-0",
        "1.50",
        "1.000",
        "1e2",
        "123456789012345678901234567890.5",
    ] {
        upstream.forget();
        let body = format!(r#"{{"title":"Zoë \u20ac","amount":{amount}}}"#);
        let response = server.send(
            &posted(
                "/v1/notes",
                "application/json; charset=utf-8",
                &[],
                body.clone().into_bytes(),
            ),
            Some(&key),
        );
        assert_eq!(response.status, 200, "{amount}: {}", response.text());
        let seen = upstream.requests().remove(0);
        let text = String::from_utf8(seen.body).unwrap();
        assert!(
            text.contains(&format!(r#""amount":{amount}"#)),
            "{amount}: {text}"
        );
    }
}

#[test]
fn a_chunked_body_is_bounded_while_it_arrives() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let mut bytes = format!(
        "POST /v1/notes HTTP/1.1\r\nHost: gate.test\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        key.text
    )
    .into_bytes();
    for _ in 0..100 {
        bytes.extend_from_slice(b"2000\r\n");
        bytes.extend_from_slice(&vec![b'['; 0x2000]);
        bytes.extend_from_slice(b"\r\n");
    }
    let heard = wire::raw(server.address("public"), &bytes);
    let responses = heard.answers();
    assert_eq!(responses.len(), 1);
    assert_eq!(
        (responses[0].status, responses[0].code().as_deref()),
        (413, Some("http.too_large"))
    );
    upstream.assert_untouched("no endless body");
}
