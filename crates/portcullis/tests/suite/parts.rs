//! Bodies of several parts: fields judged like every value, files by their declared types, all of it written again.
//! Start reading at `parts_go_through_written_again`.

use demo::{Call, CallResponse};
use testkit::{Gate, Key, RecordingUpstream, Server};

use crate::{call, serve};

const CONTRACT: &str = r##"
openapi: 3.1.0
info: { title: Claims, version: "1.0.0" }
paths:
  /claims:
    post:
      operationId: createClaim
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema:
              type: object
              required: [title]
              properties:
                title: { type: string, maxLength: 80 }
                amount: { type: integer, minimum: 1 }
                internal: { type: boolean }
                tags: { type: array, maxItems: 3, items: { type: string } }
                person: { type: object, required: [name], properties: { name: { type: string } } }
                photo: { type: string, format: binary, maxLength: 300 }
                letters: { type: array, maxItems: 2, items: { type: string, format: binary } }
            encoding:
              photo: { contentType: "image/png, image/jpeg" }
              letters: { contentType: application/pdf }
      responses:
        "201": { description: Done, content: { application/json: { schema: { type: object, properties: { id: { type: string } } } } } }
"##;

const API: &str = r#"
owner: platform@brightline.example
versions:
  v1:
    contract: claims.v1.openapi.yaml
    state: active
    base_path: /c
    upstream: { targets: ["http://@UPSTREAM@"], timeout: 5s }
    expose: { public: [createClaim] }
"#;

const INTEGRATION: &str = "owner: a@b.example\npurpose: A trial\nreview_by: 2099-12-31\ncredentials: { api_key: {} }\ngrants:\n  - { api: claims/v1, operations: [createClaim], writes: [title, amount, tags, person.name, photo, letters], fields: [id] }\n";

fn gate(upstream: &RecordingUpstream) -> Gate {
    let gate = Gate::small(upstream.address());
    gate.write("apis/claims.v1.openapi.yaml", CONTRACT);
    gate.write(
        "apis/claims.yaml",
        API.replace("@UPSTREAM@", &upstream.address().to_string()),
    );
    gate.write("integrations/claims.yaml", INTEGRATION);
    gate
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\xff--b";

/// A part: what stands behind `form-data; `, its type, its bytes.
type Part<'a> = (&'a str, &'a str, &'a [u8]);

fn body(parts: &[Part<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for (names, kind, bytes) in parts {
        out.extend_from_slice(b"--b\r\n");
        if !kind.is_empty() {
            out.extend_from_slice(format!("Content-Type: {kind}\r\n").as_bytes());
        }
        out.extend_from_slice(
            format!("Content-Disposition: form-data; {names}\r\n\r\n").as_bytes(),
        );
        out.extend_from_slice(bytes);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"--b--\r\n");
    out
}

fn post(parts: &[Part<'_>]) -> Call {
    let mut call =
        call("POST", "/c/claims").with("Content-Type", "multipart/form-data; boundary=b");
    call.body = body(parts);
    call
}

const TITLE: Part<'_> = ("name=\"title\"", "", "Pump ü".as_bytes());

fn sent(server: &Server, key: &Key, parts: &[Part<'_>]) -> CallResponse {
    server.send(&post(parts), Some(key))
}

#[test]
fn parts_go_through_written_again() {
    let upstream = RecordingUpstream::start(|_| {
        testkit::Play::Response(testkit::json_response(201, r#"{"id":"c1"}"#))
    });
    let server = serve(gate(&upstream));
    let key = server.quick_key("claims", &[]);
    let response = sent(
        &server,
        &key,
        &[
            TITLE,
            ("name=\"amount\"", "text/plain; charset=utf-8", b"12"),
            ("name=\"tags\"", "", b"a"),
            ("name=\"tags\"", "", b"b"),
            (
                "name=\"person\"",
                "application/json",
                br#"{ "name" : "Ann" }"#,
            ),
            ("name=\"photo\"; filename=\"a b.png\"", "image/png", PNG),
            (
                "name=\"letters\"; filename=\"1.pdf\"",
                "application/pdf",
                b"%PDF-1",
            ),
            ("name=\"letters\"", "application/pdf", b"%PDF-2"),
        ],
    );
    assert_eq!(
        (response.status, response.text().as_str()),
        (201, r#"{"id":"c1"}"#)
    );
    let forwarded = upstream.requests().remove(0);
    assert_eq!(
        forwarded.header("content-type"),
        Some("multipart/form-data; boundary=portcullis-part-000000000000")
    );
    let expected = [
        "--portcullis-part-000000000000\r\ncontent-disposition: form-data; name=\"title\"\r\n\r\nPump ü\r\n",
        "--portcullis-part-000000000000\r\ncontent-disposition: form-data; name=\"amount\"\r\ncontent-type: text/plain\r\n\r\n12\r\n",
        "--portcullis-part-000000000000\r\ncontent-disposition: form-data; name=\"tags\"\r\n\r\na\r\n",
        "--portcullis-part-000000000000\r\ncontent-disposition: form-data; name=\"tags\"\r\n\r\nb\r\n",
        "--portcullis-part-000000000000\r\ncontent-disposition: form-data; name=\"person\"\r\ncontent-type: application/json\r\n\r\n{\"name\":\"Ann\"}\r\n",
        "--portcullis-part-000000000000\r\ncontent-disposition: form-data; name=\"photo\"; filename=\"a b.png\"\r\ncontent-type: image/png\r\n\r\n",
    ]
    .concat();
    let rest = "\r\n--portcullis-part-000000000000\r\ncontent-disposition: form-data; name=\"letters\"; filename=\"1.pdf\"\r\ncontent-type: application/pdf\r\n\r\n%PDF-1\r\n--portcullis-part-000000000000\r\ncontent-disposition: form-data; name=\"letters\"; filename=\"file\"\r\ncontent-type: application/pdf\r\n\r\n%PDF-2\r\n--portcullis-part-000000000000--\r\n";
    let expected = [expected.as_bytes(), PNG, rest.as_bytes()].concat();
    assert_eq!(
        String::from_utf8_lossy(&forwarded.body),
        String::from_utf8_lossy(&expected)
    );
    assert_eq!(forwarded.body, expected);
}

// LONG: a table of cases, to be read as a list.
#[test]
fn each_part_is_held_against_contract_grants_and_inspection() {
    let upstream = RecordingUpstream::always("{}");
    let server = serve(gate(&upstream));
    let key = server.quick_key("claims", &[]);
    let photo = "name=\"photo\"; filename=\"a.png\"";
    let long = [PNG, &[b'x'; 300]].concat();
    let cases: Vec<(Vec<Part<'_>>, u16, &str)> = vec![
        (vec![("name=\"amount\"", "", b"1")], 400, "required"),
        (vec![TITLE, TITLE], 400, "repeated"),
        (
            vec![TITLE, ("name=\"amount\"", "", b"none")],
            400,
            "/amount",
        ),
        (vec![TITLE, ("name=\"amount\"", "", b"0")], 400, "minimum"),
        (
            vec![TITLE, ("name=\"role\"", "", b"admin")],
            400,
            "additionalProperties",
        ),
        (
            vec![TITLE, ("name=\"internal\"", "", b"true")],
            400,
            "notGranted",
        ),
        (
            vec![
                TITLE,
                (
                    "name=\"person\"",
                    "application/json",
                    br#"{"name":"a","age":1}"#,
                ),
            ],
            400,
            "/person/age",
        ),
        (
            vec![
                TITLE,
                (
                    "name=\"person\"",
                    "application/json",
                    br#"{"name":"a","name":"b"}"#,
                ),
            ],
            400,
            "json",
        ),
        (
            vec![TITLE, ("name=\"person\"", "", b"{}")],
            400,
            "contentType",
        ),
        (
            vec![TITLE, (photo, "image/gif", b"GIF89a")],
            400,
            "contentType",
        ),
        (vec![TITLE, (photo, "", PNG)], 400, "contentType"),
        (
            vec![TITLE, (photo, "image/png", b"<script>")],
            400,
            "contentMediaType",
        ),
        (vec![TITLE, (photo, "image/png", &long)], 400, "maxLength"),
        (
            vec![
                TITLE,
                ("name=\"photo\"; filename=\"../a.png\"", "image/png", PNG),
            ],
            400,
            "multipart",
        ),
        (
            vec![
                TITLE,
                (
                    "name=\"photo\"; filename=\"a; name=title; x=.png\"",
                    "image/png",
                    PNG,
                ),
            ],
            400,
            "multipart",
        ),
        (
            vec![
                TITLE,
                (
                    "name=\"photo\"; filename=\"a%0d%0ax: y.png\"",
                    "image/png",
                    PNG,
                ),
            ],
            400,
            "multipart",
        ),
        (
            vec![
                TITLE,
                (
                    "name=\"photo\"; filename=\"\u{202e}gnp.exe\"",
                    "image/png",
                    PNG,
                ),
            ],
            400,
            "multipart",
        ),
        (
            vec![("name=\"title\"; filename=\"a\"", "", b"x")],
            400,
            "contentType",
        ),
        (vec![("name=\"title\"", "", b"\xff")], 400, "encoding"),
        (
            vec![(
                "name=\"title\"",
                "",
                b"1' union select password from users --",
            )],
            403,
            "inspect.sqli",
        ),
        (
            vec![
                TITLE,
                (
                    "name=\"photo\"; filename=\"<script>alert(1)<script>\"",
                    "image/png",
                    PNG,
                ),
            ],
            403,
            "inspect.xss",
        ),
    ];
    for (parts, status, word) in cases {
        let refused = sent(&server, &key, &parts);
        assert_eq!(refused.status, status, "{parts:?} {}", refused.text());
        assert!(
            refused.text().contains(word),
            "{parts:?} {}",
            refused.text()
        );
    }
    for kind in [
        "multipart/form-data",
        "multipart/form-data; boundary=b; charset=utf-8",
        "multipart/form-data; boundary=\"b",
        "multipart/mixed; boundary=b",
        "application/json",
    ] {
        let mut asked = call("POST", "/c/claims").with("Content-Type", kind);
        asked.body = body(&[TITLE]);
        let refused = server.send(&asked, Some(&key));
        assert_eq!(refused.status, 415, "{kind} {}", refused.text());
    }
    upstream.assert_untouched("parts that were refused");
}

/// Readers of parts differ in what ends a line and in where a boundary may stand. One that finds the caller's boundary
/// inside a file would see a part that nobody judged, so that boundary never reaches it.
#[test]
fn no_boundary_that_a_caller_can_choose_reaches_the_upstream() {
    let upstream = RecordingUpstream::start(|_| {
        testkit::Play::Response(testkit::json_response(201, r#"{"id":"c1"}"#))
    });
    let server = serve(gate(&upstream));
    let key = server.quick_key("claims", &[]);
    let photo = "name=\"photo\"; filename=\"a.png\"";
    for inner in [
        "\r--b\rContent-Disposition: form-data; name=\"secret\"\r\rx",
        "\r--b\r\nContent-Disposition: form-data; name=\"secret\"\r\n\r\nx",
        " --b\r\nContent-Disposition: form-data; name=\"secret\"\r\n\r\nx",
        "\r\n--portcullis-part-000000000000\r\nContent-Disposition: form-data; name=\"secret\"\r\n\r\nx",
    ] {
        let bytes = [PNG, inner.as_bytes()].concat();
        let response = sent(&server, &key, &[TITLE, (photo, "image/png", &bytes)]);
        assert_eq!(response.status, 201, "{inner:?} {}", response.text());
        let forwarded = upstream.requests().pop().unwrap();
        let kind = forwarded.header("content-type").unwrap();
        let boundary = kind.split_once("boundary=").unwrap().1;
        // Two parts and the end, wherever a reader looks for it.
        let found = forwarded
            .body
            .windows(boundary.len())
            .filter(|at| *at == boundary.as_bytes())
            .count();
        assert_eq!(found, 3, "{inner:?}");
    }
}
