//! Bodies and answers that are one text: `text/plain` with a schema of type `string`, granted as `$`.
//! Start reading at `a_text_goes_through_as_it_is`.

use demo::{Call, CallResponse};
use testkit::{Gate, Key, Play, RecordingUpstream, Server, answer};

use crate::{call, serve};

const CONTRACT: &str = r#"
openapi: 3.1.0
info: { title: Notes, version: "1.0.0" }
paths:
  /notes/{noteId}:
    parameters:
      - { name: noteId, in: path, required: true, schema: { type: string, pattern: "^[a-z0-9]{1,20}$" } }
    get:
      operationId: getNote
      responses:
        "200": { description: The note, content: { text/plain: { schema: { type: string, maxLength: 400 } } } }
    put:
      operationId: setNote
      requestBody:
        required: true
        content: { text/plain: { schema: { type: string, maxLength: 60 } } }
      responses:
        "200": { description: The note, content: { text/plain: { schema: { type: string } } } }
  /counts:
    get:
      operationId: getCounts
      responses:
        "200": { description: Numbers, content: { application/json: { schema: { type: object, properties: { notes: { type: integer } } } } } }
"#;

const API: &str = r#"
owner: platform@brightline.example
versions:
  v1:
    contract: letters.v1.openapi.yaml
    state: active
    base_path: /l
    upstream: { targets: ["http://@UPSTREAM@"], timeout: 2s }
    checks: { response: enforce }
    expose: { public: [getNote, setNote, getCounts] }
"#;

const HEAD: &str = "owner: a@b.example\npurpose: A trial\nreview_by: 2099-12-31\ncredentials: { api_key: {} }\ngrants:\n";
const ALL: &str = "  - { api: letters/v1, operations: [getNote], fields: [\"$\"] }\n  - { api: letters/v1, operations: [setNote], fields: [\"$\"], writes: [\"$\"] }\n";
const NONE: &str = "  - { api: letters/v1, operations: [getNote, setNote] }\n";

/// `all` sees and sends the text, `none` may use the operations and neither.
fn gate(upstream: &RecordingUpstream) -> Gate {
    let gate = Gate::small(upstream.address());
    gate.write("apis/letters.v1.openapi.yaml", CONTRACT);
    gate.write(
        "apis/letters.yaml",
        API.replace("@UPSTREAM@", &upstream.address().to_string()),
    );
    for (name, grants) in [("all", ALL), ("none", NONE)] {
        gate.write(
            &format!("integrations/{name}.yaml"),
            format!("{HEAD}{grants}"),
        );
    }
    gate
}

/// Answers with what the path's last part stands for.
fn notes(asked: &testkit::Received) -> Play {
    let said = asked.target.rsplit('/').next().unwrap_or_default();
    let (kind, body): (&str, &[u8]) = match said {
        "json" => ("application/json", br#"{"text":"INSIDE"}"#),
        "page" => ("text/html", b"<p>INSIDE</p>"),
        "bytes" => ("text/plain", b"INSIDE \xff"),
        "key" => (
            "text/plain",
            b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----",
        ),
        "long" => ("text/plain; charset=utf-8", &[b'x'; 401]),
        _ => ("text/plain; charset=utf-8", NOTE.as_bytes()),
    };
    Play::Response(answer(
        200,
        &[("content-type".to_owned(), kind.to_owned())],
        body,
    ))
}

const NOTE: &str = "He said \"no\",\n\tand left: ü \\ €";

fn put(id: &str, text: &[u8]) -> Call {
    let mut call = call("PUT", &format!("/l/notes/{id}")).with("Content-Type", "text/plain");
    call.body = text.to_vec();
    call
}

fn send(server: &Server, key: &Key, call: &Call) -> CallResponse {
    let response = server.send(call, Some(key));
    assert!(!response.text().contains("INSIDE"), "{}", response.text());
    response
}

#[test]
fn a_text_goes_through_as_it_is() {
    let upstream = RecordingUpstream::start(notes);
    let server = serve(gate(&upstream));
    let key = server.quick_key("all", &[]);
    let read = send(&server, &key, &call("GET", "/l/notes/n1"));
    assert_eq!((read.status, read.text().as_str()), (200, NOTE));
    let kind = |response: &CallResponse| {
        response
            .header("content-type")
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(kind(&read), "text/plain; charset=utf-8");
    assert_eq!(upstream.requests()[0].header("accept"), Some("text/plain"));

    upstream.forget();
    let sent = "Call \"her\"\r\n\tbefore noon: ü \\ €";
    let written = send(&server, &key, &put("n1", sent.as_bytes()));
    assert_eq!((written.status, written.text().as_str()), (200, NOTE));
    let forwarded = upstream.requests();
    assert_eq!(forwarded[0].body, sent.as_bytes());
    assert_eq!(forwarded[0].header("content-type"), Some("text/plain"));
}

#[test]
fn a_text_that_is_not_granted_neither_leaves_nor_is_sent() {
    let upstream = RecordingUpstream::start(notes);
    let server = serve(gate(&upstream));
    let key = server.quick_key("none", &[]);
    let read = send(&server, &key, &call("GET", "/l/notes/n1"));
    assert_eq!((read.status, read.text().as_str()), (200, ""));
    upstream.forget();
    let refused = send(&server, &key, &put("n1", b"hello"));
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("notGranted"), "{}", refused.text());
    upstream.assert_untouched("a text that may not be sent");
}

#[test]
fn a_text_is_held_against_contract_and_inspection_like_every_value() {
    let upstream = RecordingUpstream::start(notes);
    let server = serve(gate(&upstream));
    let key = server.quick_key("all", &[]);
    for (text, status, code) in [
        (&[b'x'; 61][..], 400, "validate.body"),
        (b"nul \0", 400, "validate.body"),
        (b"\xef\xbb\xbfmark", 400, "validate.body"),
        (b"\xff", 400, "validate.body"),
        (b"", 400, "validate.body"),
        (
            b"1' union select password from users --",
            403,
            "inspect.sqli",
        ),
    ] {
        let refused = send(&server, &key, &put("n1", text));
        assert_eq!(refused.status, status, "{text:?} {}", refused.text());
        assert!(refused.text().contains(code), "{text:?} {}", refused.text());
    }
    let json = send(&server, &key, &call("PUT", "/l/notes/n1").json("\"text\""));
    assert_eq!(json.status, 415, "{}", json.text());
    upstream.assert_untouched("texts that were refused");
    for (id, code) in [
        ("json", "response.contract"),
        ("page", "response.contract"),
        ("bytes", "response.contract"),
        ("long", "response.contract"),
        ("key", "response.leak"),
    ] {
        let refused = send(&server, &key, &call("GET", &format!("/l/notes/{id}")));
        assert_eq!(refused.status, 502, "{id} {}", refused.text());
        assert!(refused.text().contains(code), "{id} {}", refused.text());
    }
}

#[test]
fn the_whole_of_a_message_with_fields_cannot_be_granted() {
    let upstream = RecordingUpstream::start(notes);
    let no_text = "`$` stands for a message that is one text";
    for (grant, word) in [
        ("operations: [getCounts], fields: [\"$\"]", no_text),
        (
            "operations: [getNote], fields: [\"$\"], errors: [\"$\"]",
            no_text,
        ),
        (
            "operations: [getNote], writes: [\"$\"]",
            "no body is taken by `getNote`",
        ),
    ] {
        let gate = gate(&upstream);
        let grant = format!("{HEAD}  - {{ api: letters/v1, {grant} }}\n");
        gate.write("integrations/all.yaml", &grant);
        let dir = gate.dir();
        let ended = testkit::run(crate::program(), &gate, &["check", dir.to_str().unwrap()]);
        assert_eq!(ended.code, Some(78), "{grant} {ended:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(word), "{grant} {said}");
    }
}
