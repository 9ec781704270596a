//! Bodies and answers that are files: declared media types, granted as `$file`, objects judged by path and look-up.
//! Start reading at `a_file_goes_through_as_it_is`.

use demo::{Call, CallResponse};
use testkit::{Gate, Key, Play, RecordingUpstream, Server, answer, json_response};

use crate::{call, serve};

const CONTRACT: &str = r##"
openapi: 3.1.0
info: { title: Reports, version: "1.0.0" }
paths:
  /reports/{reportId}:
    parameters:
      - { name: reportId, in: path, required: true, schema: { type: string, pattern: "^[a-z0-9]{1,20}$" } }
    get:
      operationId: getReport
      responses:
        "200": { description: Done, content: { application/json: { schema: { $ref: "#/components/schemas/Report" } } } }
  /reports/{reportId}/document:
    parameters:
      - { name: reportId, in: path, required: true, schema: { type: string, pattern: "^[a-z0-9]{1,20}$" } }
    get:
      operationId: getDocument
      responses:
        "200":
          description: Done
          content:
            application/pdf: {}
            image/png: { schema: { type: string, format: binary } }
            text/csv: { schema: { type: string, maxLength: 200 } }
    put:
      operationId: setDocument
      requestBody:
        required: true
        content: { application/pdf: { schema: { maxLength: 64 } }, text/csv: {} }
      responses:
        "204": { description: Done }
  /seal:
    get:
      operationId: getSeal
      responses: { "200": { description: Done, content: { application/pdf: {} } } }
    post:
      operationId: setSeal
      requestBody: { required: true, content: { application/pdf: {} } }
      responses: { "204": { description: Done } }
  /counts:
    get:
      operationId: getCounts
      responses:
        "200": { description: Numbers, content: { application/json: { schema: { type: object, properties: { reports: { type: integer } } } } } }
  /letter:
    get:
      operationId: getLetter
      responses:
        "200": { description: Text, content: { text/plain: { schema: { type: string } } } }
components:
  schemas:
    Report: { type: object, required: [id, owner], properties: { id: { type: string }, owner: { type: string } } }
"##;

const API: &str = r#"
owner: platform@brightline.example
versions:
  v1:
    contract: reports.v1.openapi.yaml
    state: active
    base_path: /r
    upstream: { targets: ["http://@UPSTREAM@"], timeout: 5s }
    checks: { response: enforce }
    expose: { public: [getReport, getDocument, setDocument, getSeal, setSeal, getCounts, getLetter] }
    objects:
      Report: { id: path.reportId, resolve: getReport, attributes: { owner: body.owner } }
"#;

const HEAD: &str = "owner: a@b.example\npurpose: A trial\nreview_by: 2099-12-31\nattributes: { name: north }\ncredentials: { api_key: {} }\ngrants:\n";
const ALL: &str = r#"
  - { api: reports/v1, operations: [getReport], fields: [id, owner] }
  - { api: reports/v1, operations: [getDocument], fields: ["$file"] }
  - { api: reports/v1, operations: [setDocument], writes: ["$file"] }
  - { api: reports/v1, operations: [getSeal], fields: ["$file"] }
  - { api: reports/v1, operations: [setSeal], writes: ["$file"] }
"#;
const OWN: &str = r#"
  - { api: reports/v1, operations: [getReport], when: resource.owner == principal.name, fields: [id] }
  - { api: reports/v1, operations: [getDocument], when: resource.owner == principal.name, fields: ["$file"] }
  - { api: reports/v1, operations: [setDocument], when: resource.owner == principal.name, writes: ["$file"] }
"#;
const NONE: &str = "  - { api: reports/v1, operations: [getReport, getDocument, setDocument] }\n";

/// `all` sees and sends every file, `own` those of their own reports, `none` may use the operations and neither.
fn gate(upstream: &RecordingUpstream) -> Gate {
    let gate = Gate::small(upstream.address());
    gate.write("apis/reports.v1.openapi.yaml", CONTRACT);
    gate.write(
        "apis/reports.yaml",
        API.replace("@UPSTREAM@", &upstream.address().to_string()),
    );
    for (name, grants) in [("all", ALL), ("own", OWN), ("none", NONE)] {
        gate.write(
            &format!("integrations/{name}.yaml"),
            format!("{HEAD}{grants}"),
        );
    }
    gate
}

const PDF: &[u8] = b"%PDF-1.7\n\x00\xff\xfe INSIDE {\"a\": \"b\"}\r\n%%EOF";

/// Answers with what the report's id stands for; those that begin with `s` are south's.
fn reports(asked: &testkit::Received) -> Play {
    let mut steps = asked.target.split('/').skip(3);
    let (id, part) = (steps.next().unwrap_or_default(), steps.next());
    if asked.target == "/r/seal" && asked.method == "GET" {
        let kind = ("content-type".to_owned(), "application/pdf".to_owned());
        return Play::Response(answer(200, &[kind], PDF));
    }
    if asked.method != "GET" {
        return Play::Response(answer(204, &[], b""));
    }
    if part.is_none() {
        let owner = if id.starts_with('s') {
            "south"
        } else {
            "north"
        };
        let report = format!(r#"{{"id":"{id}","owner":"{owner}"}}"#);
        return Play::Response(json_response(200, &report));
    }
    let (kind, body): (&str, Vec<u8>) = match id {
        "table" => ("text/csv; charset=utf-8", b"name;card\nAnn;4111111111111111\n".to_vec()),
        "long" => ("text/csv", vec![b'x'; 201]),
        "program" => ("application/pdf", b"MZ\x90\x00INSIDE".to_vec()),
        "page" => ("text/html", b"<p>INSIDE</p>".to_vec()),
        "json" => ("application/json", br#"{"text":"INSIDE"}"#.to_vec()),
        "key" => (
            "text/csv",
            b"INSIDE\n-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----".to_vec(),
        ),
        "twice" | "same" => {
            let other = if id == "same" { "application/pdf" } else { "text/html" };
            let fields = ["application/pdf", other].map(|kind| ("content-type".to_owned(), kind.to_owned()));
            return Play::Response(answer(200, &fields, b"%PDF-INSIDE"));
        }
        "twicepacked" => {
            let fields = [
                ("content-type".to_owned(), "text/csv".to_owned()),
                ("content-encoding".to_owned(), "identity".to_owned()),
                ("content-encoding".to_owned(), "gzip".to_owned()),
            ];
            return Play::Response(answer(200, &fields, b"INSIDE"));
        }
        "trace" => ("text/csv", b"a;b\nTraceback (most recent call last):\nINSIDE\n".to_vec()),
        "packed" => {
            let fields = [
                ("content-type".to_owned(), "text/csv".to_owned()),
                ("content-encoding".to_owned(), "gzip".to_owned()),
            ];
            return Play::Response(answer(200, &fields, b"INSIDE"));
        }
        _ => ("application/pdf", PDF.to_vec()),
    };
    let fields = [("content-type".to_owned(), kind.to_owned())];
    Play::Response(answer(200, &fields, &body))
}

fn get(id: &str) -> Call {
    call("GET", &format!("/r/reports/{id}/document"))
}

fn put(id: &str, kind: &str, bytes: &[u8]) -> Call {
    let mut call = call("PUT", &format!("/r/reports/{id}/document")).with("Content-Type", kind);
    call.body = bytes.to_vec();
    call
}

/// Sends a call of whose answer nothing may leave.
fn refused(server: &Server, key: &Key, call: &Call) -> CallResponse {
    let response = server.send(call, Some(key));
    assert!(!response.text().contains("INSIDE"), "{}", response.text());
    response
}

#[test]
fn a_file_goes_through_as_it_is() {
    let upstream = RecordingUpstream::start(reports);
    let server = serve(gate(&upstream));
    let key = server.quick_key("all", &[]);
    let read = server.send(&get("n1"), Some(&key));
    assert_eq!((read.status, read.body.as_slice()), (200, PDF));
    for (name, value) in [
        ("content-type", "application/pdf"),
        ("content-disposition", "attachment"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(read.header(name), Some(value), "{name}");
    }
    let accept = upstream.requests()[0].header("accept").map(str::to_owned);
    assert_eq!(
        accept.as_deref(),
        Some("application/pdf, image/png, text/csv")
    );
    let narrow = get("n1").with("Accept", "image/*");
    server.send(&narrow, Some(&key));
    assert_eq!(upstream.requests()[1].header("accept"), Some("image/png"));

    upstream.forget();
    let written = server.send(&put("n1", "application/pdf", PDF), Some(&key));
    assert_eq!(written.status, 204, "{}", written.text());
    let forwarded = upstream.requests();
    assert_eq!(forwarded[0].body, PDF);
    assert_eq!(forwarded[0].header("content-type"), Some("application/pdf"));
}

#[test]
fn a_file_of_which_the_contract_says_nothing_but_its_type_goes_through() {
    let upstream = RecordingUpstream::start(reports);
    let server = serve(gate(&upstream));
    let key = server.quick_key("all", &[]);
    let read = server.send(&call("GET", "/r/seal"), Some(&key));
    assert_eq!((read.status, read.body.as_slice()), (200, PDF));
    let mut write = call("POST", "/r/seal").with("Content-Type", "application/pdf");
    write.body = PDF.to_vec();
    assert_eq!(server.send(&write, Some(&key)).status, 204);
    assert_eq!(upstream.requests()[1].body, PDF);
}

#[test]
fn a_file_that_is_not_granted_neither_leaves_nor_is_sent() {
    let upstream = RecordingUpstream::start(reports);
    let server = serve(gate(&upstream));
    let key = server.quick_key("none", &[]);
    let read = refused(&server, &key, &get("n1"));
    assert_eq!((read.status, read.body.len()), (200, 0));
    upstream.forget();
    let sent = refused(&server, &key, &put("n1", "application/pdf", PDF));
    assert_eq!(sent.status, 400, "{}", sent.text());
    assert!(sent.text().contains("notGranted"), "{}", sent.text());
    upstream.assert_untouched("a file that may not be sent");
}

#[test]
fn whose_file_it_is_is_found_out_by_the_path_before_a_byte_leaves_or_arrives() {
    let upstream = RecordingUpstream::start(reports);
    let server = serve(gate(&upstream));
    let key = server.quick_key("own", &[]);
    let own = server.send(&get("n1"), Some(&key));
    assert_eq!((own.status, own.body.as_slice()), (200, PDF));
    let written = server.send(&put("n1", "text/csv", b"a;b"), Some(&key));
    assert_eq!(written.status, 204, "{}", written.text());
    let other = refused(&server, &key, &get("s1"));
    assert_eq!(other.status, 404, "{}", other.text());
    upstream.forget();
    let other = refused(&server, &key, &put("s1", "text/csv", b"a;b"));
    assert_eq!(other.status, 404, "{}", other.text());
    let asked = upstream.requests();
    assert!(asked.iter().all(|asked| asked.method == "GET"), "{asked:?}");
}

#[test]
fn a_file_is_held_against_its_type_its_length_and_what_must_not_leave() {
    let upstream = RecordingUpstream::start(reports);
    let server = serve(gate(&upstream));
    let key = server.quick_key("all", &[]);
    let long = [b"%PDF-".as_slice(), &[b'x'; 60]].concat();
    let twice = put("n1", "application/pdf", PDF).with("Content-Type", "text/csv");
    assert_eq!(
        refused(&server, &key, &twice).code().as_deref(),
        Some("http.malformed")
    );
    for (kind, bytes, status, word) in [
        (
            "application/pdf",
            &b"MZ\x90\x00"[..],
            400,
            "contentMediaType",
        ),
        ("application/pdf", &long, 400, "maxLength"),
        ("application/pdf", b"", 400, "required"),
        ("image/png", b"\x89PNG\r\n\x1a\n", 415, "contentType"),
        ("application/json", b"{}", 415, "contentType"),
        (
            "multipart/form-data; boundary=b",
            b"--b--",
            415,
            "contentType",
        ),
    ] {
        let refused = refused(&server, &key, &put("n1", kind, bytes));
        assert_eq!(refused.status, status, "{kind} {}", refused.text());
        assert!(refused.text().contains(word), "{kind} {}", refused.text());
    }
    let secret = format!("key;{}", key.text);
    let wide = |order: [usize; 2]| -> Vec<u8> {
        let pair = |byte: u8| order.map(|at| [byte, 0][at]);
        secret.bytes().flat_map(pair).collect()
    };
    for file in [secret.clone().into_bytes(), wide([0, 1]), wide([1, 0])] {
        let disclosed = refused(&server, &key, &put("n1", "text/csv", &file));
        assert_eq!(disclosed.code().as_deref(), Some("inspect.secret"));
    }
    upstream.assert_untouched("files that were refused");
    for (id, code) in [
        ("long", "response.contract"),
        ("program", "response.contract"),
        ("page", "response.contract"),
        ("json", "response.contract"),
        ("packed", "response.contract"),
        ("twicepacked", "response.contract"),
        ("twice", "response.contract"),
        ("same", "response.contract"),
        ("key", "response.leak"),
    ] {
        let refused = refused(&server, &key, &get(id));
        assert_eq!(refused.status, 502, "{id} {}", refused.text());
        assert!(refused.text().contains(code), "{id} {}", refused.text());
    }
    let trace = refused(&server, &key, &get("trace"));
    assert_eq!((trace.status, trace.text().as_str()), (200, "***"));
    let table = server.send(&get("table"), Some(&key));
    assert_eq!(table.status, 200, "{}", table.text());
    assert!(
        table.text().starts_with("name;card\nAnn;"),
        "{}",
        table.text()
    );
    assert!(!table.text().contains("411111111111"), "{}", table.text());
}

#[test]
fn only_files_can_be_granted_as_files_and_only_so() {
    let upstream = RecordingUpstream::start(reports);
    for (grant, word) in [
        (
            "operations: [getCounts], fields: [\"$file\"]",
            "List the fields one by one",
        ),
        (
            "operations: [getLetter], fields: [\"$file\"]",
            "It is one text; write `$`",
        ),
        (
            "operations: [getDocument], fields: [\"$\"]",
            "It is a file; write `$file`",
        ),
        (
            "operations: [setDocument], writes: [\"$\"]",
            "It is a file; write `$file`",
        ),
        (
            "operations: [getDocument], fields: [\"$file\"], errors: [\"$file\"]",
            "`$file` stands for",
        ),
        (
            "operations: [getDocument], writes: [\"$file\"]",
            "no body is taken by `getDocument`",
        ),
    ] {
        let gate = gate(&upstream);
        let grant = format!("{HEAD}  - {{ api: reports/v1, {grant} }}\n");
        gate.write("integrations/all.yaml", &grant);
        let dir = gate.dir();
        let ended = testkit::run(crate::program(), &gate, &["check", dir.to_str().unwrap()]);
        assert_eq!(ended.code, Some(78), "{grant} {ended:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(word), "{grant} {said}");
    }
}

/// A file that begins otherwise is of another type than the one that was granted. How long it may be is the contract's alone.
#[test]
fn a_file_that_begins_otherwise_passes_in_no_mode() {
    let upstream = RecordingUpstream::start(reports);
    for mode in ["observe", "\"off\""] {
        let gate = gate(&upstream);
        let checks = format!("checks: {{ request: {mode}, response: {mode} }}");
        gate.edit(
            "apis/reports.yaml",
            "checks: { response: enforce }",
            &checks,
        );
        let server = serve(gate);
        let key = server.quick_key("all", &[]);
        let read = refused(&server, &key, &get("program"));
        assert_eq!(read.code().as_deref(), Some("response.contract"), "{mode}");
        let long = server.send(&get("long"), Some(&key));
        assert_eq!((long.status, long.body.len()), (200, 201), "{mode}");
        upstream.forget();
        let sent = refused(&server, &key, &put("n1", "application/pdf", b"MZ\x90"));
        assert_eq!(sent.status, 400, "{mode} {}", sent.text());
        assert!(
            sent.text().contains("contentMediaType"),
            "{mode} {}",
            sent.text()
        );
        upstream.assert_untouched("a file of another type than it states");
        let long = [b"%PDF-".as_slice(), &[b'x'; 60]].concat();
        let sent = server.send(&put("n1", "application/pdf", &long), Some(&key));
        assert_eq!(sent.status, 204, "{mode} {}", sent.text());
    }
}

#[test]
fn a_policy_lets_a_file_out_and_be_sent_as_a_grant_does() {
    let upstream = RecordingUpstream::start(reports);
    let gate = gate(&upstream);
    gate.write(
        "policies/reports.cedar",
        "@id(\"documents\") @fields(\"$file\")\n\
         permit (principal == Portcullis::Integration::\"none\", action == reports::v1::Action::\"getDocument\", resource);\n\
         @id(\"uploads\") @writes(\"$file\")\n\
         permit (principal == Portcullis::Integration::\"none\", action == reports::v1::Action::\"setDocument\", resource);\n",
    );
    let server = serve(gate);
    let key = server.quick_key("none", &[]);
    let read = server.send(&get("n1"), Some(&key));
    assert_eq!((read.status, read.body.as_slice()), (200, PDF));
    let written = server.send(&put("n1", "application/pdf", PDF), Some(&key));
    assert_eq!(written.status, 204, "{}", written.text());
}
