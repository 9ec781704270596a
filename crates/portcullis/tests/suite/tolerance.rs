//! What usual clients and servers send although it is not what we would write: where it has one reading it is answered, and what is forwarded
//! has one spelling. The table is docs/http-strictness.md; what has two readings is refused in `framing`.
//! Start reading at `a_head_is_its_get_without_the_body`.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use demo::CallResponse;
use serde_json::json;
use testkit::{Gate, Key, Play, RecordingUpstream, Server, answer, json_response, wire};

use crate::{call, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

/// The small gate with what tests of parameters need.
fn stage() -> (RecordingUpstream, Server, Key) {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    gate.edit(
        "apis/notes.v1.openapi.yaml",
        "      operationId: getNote\n",
        "      operationId: getNote\n      parameters:\n        \
         - { name: X-Tags, in: header, x-portcullis-filters: [], schema: { type: array, items: { enum: [a, b] } } }\n        \
         - { name: page, in: query, x-portcullis-filters: [], schema: { type: integer } }\n        \
         - { name: extra, in: query, x-portcullis-filters: [], schema: { type: object, additionalProperties: { type: string, maxLength: 5 } } }\n        \
         - { name: tenant, in: cookie, x-portcullis-filters: [], schema: { type: string, maxLength: 5 } }\n",
    );
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    (upstream, server, key)
}

fn head(address: SocketAddr, target: &str, key: Option<&Key>) -> (CallResponse, usize) {
    let bytes = call("HEAD", target).bytes("localhost", key.map(|key| key.text.as_str()));
    let heard = wire::raw(address, &bytes);
    let end = heard.bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.expect("a head") + 4;
    let responses = wire::answers(&heard.bytes[..end]);
    (responses[0].clone(), heard.bytes.len() - end)
}

#[test]
fn a_head_is_its_get_without_the_body() {
    let (upstream, server, key) = stage();
    let address = server.address("public");
    for (target, key) in [
        ("/v1/notes/1", Some(&key)),
        ("/v1/notes/a_b", Some(&key)),
        ("/v1/nothing", Some(&key)),
        ("/v1/notes/1?page=x", Some(&key)),
        ("/v1/notes/1", None),
    ] {
        let get = server.send(&call("GET", target), key);
        upstream.forget();
        let (head, behind) = head(address, target, key);
        assert_eq!((head.status, behind), (get.status, 0), "{target}");
        for name in [
            "content-type",
            "content-length",
            "cache-control",
            "allow",
            "www-authenticate",
        ] {
            assert_eq!(head.header(name), get.header(name), "{target}: {name}");
        }
        let event = server.event(head.decision().unwrap());
        assert_eq!(event["method"], "HEAD");
        let asked = upstream.requests();
        assert!(asked.iter().all(|asked| asked.method == "GET"), "{target}");
    }
    // What has no GET has no HEAD.
    let (head, _) = head(address, "/v1/searches", Some(&key));
    assert_eq!((head.status, head.header("allow")), (405, Some("POST")));
}

#[test]
fn the_admin_listener_says_which_methods_it_has() {
    let (_upstream, server, _) = stage();
    let admin = server.address("admin");
    for method in ["POST", "DELETE", "OPTIONS", "BREW"] {
        let response = wire::send(admin, &call(method, "/livez"), None);
        assert_eq!(
            (response.status, response.header("allow")),
            (405, Some("GET, HEAD"))
        );
    }
    let (head, behind) = head(admin, "/livez", None);
    assert_eq!(
        (head.status, head.header("content-length"), behind),
        (200, Some("3"), 0)
    );
}

#[test]
fn lines_of_one_list_are_one_list_and_a_field_that_is_sent_once_is_refused_twice() {
    let (upstream, server, key) = stage();
    let two = |name: &str, first: &str, second: &str| {
        upstream.forget();
        let put = call("PUT", "/v1/notes/1").json(r#"{"title":"t"}"#);
        let response = server.send(&put.with(name, first).with(name, second), Some(&key));
        let sent = upstream.requests().pop();
        let arrived = sent.map(|sent| {
            let lines = sent
                .headers
                .iter()
                .filter(|(known, _)| known.eq_ignore_ascii_case(name));
            lines.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        });
        (response.status, arrived)
    };
    let one = |value: &str| (200, Some(vec![value.to_owned()]));
    assert_eq!(
        two("Prefer", "return=minimal", "wait=5"),
        one("return=minimal, wait=5")
    );
    assert_eq!(two("Accept-Language", "de", "en"), one("de, en"));
    let unknown = "\"portcullis-unknown\"";
    let both = format!("{unknown}, {unknown}");
    for name in ["If-Match", "If-None-Match"] {
        assert_eq!(two(name, "\"a\"", "\"b\""), one(&both), "{name}");
        assert_eq!(
            two(name, "*", "\"b\""),
            (400, None),
            "{name}: RFC 9110 §13.1.1"
        );
    }
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert_eq!(
        two("traceparent", trace, trace),
        (200, Some(Vec::new())),
        "neither of them"
    );
    for name in [
        "Idempotency-Key",
        "Content-Type",
        "If-Unmodified-Since",
        "Authorization",
    ] {
        assert_eq!(two(name, "a", "a"), (400, None), "{name}");
    }
}

#[test]
fn declared_parameters_arrive_as_they_were_judged() {
    let (upstream, server, key) = stage();
    let get = |query: &str, fields: &[(&str, &str)]| {
        upstream.forget();
        let mut call = call("GET", &format!("/v1/notes/1{query}"));
        for (name, value) in fields {
            call = call.with(name, value);
        }
        let response = server.send(&call, Some(&key));
        (response.status, response.code(), upstream.requests().pop())
    };
    let (status, _, sent) = get(
        "?page=4&colour=red",
        &[
            ("X-Tags", "a, b"),
            ("X-Tags", "a"),
            ("Cookie", "session=secret; tenant=acme"),
        ],
    );
    let sent = sent.unwrap_or_else(|| panic!("{status}"));
    assert_eq!(sent.target, "/v1/notes/1?page=4&colour=red");
    assert_eq!(sent.header("x-tags"), Some("a,b,a"));
    assert_eq!(sent.header("cookie"), Some("tenant=acme"));
    for (query, fields, code) in [
        ("?page=4.0", [("X-Y", "z")], "validate.query"),
        ("?page=4e0", [("X-Y", "z")], "validate.query"),
        ("?colour=orange", [("X-Y", "z")], "validate.query"),
        ("", [("X-Tags", "c")], "validate.header"),
        ("", [("Cookie", "tenant=toolong")], "validate.header"),
        ("", [("Cookie", "tenant=a%41")], "validate.header"),
    ] {
        let (_, told, sent) = get(query, &fields);
        assert_eq!(told.as_deref(), Some(code), "{query} {fields:?}");
        assert!(sent.is_none(), "{query} {fields:?}");
    }
}

/// A proxy before the upstream that sends what it gets to the gate again.
#[test]
fn a_call_that_comes_back_is_ended_at_its_first_return() {
    let gate: Arc<OnceLock<SocketAddr>> = Arc::default();
    let back = Arc::clone(&gate);
    let upstream = RecordingUpstream::start(move |asked| {
        let text = String::from_utf8(asked.bytes.clone()).unwrap();
        let last = text.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        Play::Close(wire::raw(*back.get().unwrap(), last.as_bytes()).bytes)
    });
    let files = Gate::small(upstream.address());
    files.edit(
        "apis/notes.yaml",
        "timeout: 5s",
        "timeout: 20s, pass_credential: true",
    );
    let server = serve(files);
    gate.set(server.address("public")).unwrap();
    let key = server.quick_key("alpha", &[]);
    let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
    assert_eq!(
        response.code().as_deref(),
        Some("upstream.failed"),
        "{}",
        response.text()
    );
    assert_eq!(upstream.requests().len(), 1, "one call is one call");
    let returned = server.ledger_of(&json!({ "code": "http.loop" }));
    assert_eq!(returned.len(), 1);
    let requests = server.ledger_of(&json!({ "kind": "request" }));
    assert_eq!(requests.len(), 2, "{requests:?}");
}

#[test]
fn the_upstream_reads_which_gateways_a_call_came_through_and_that_no_coding_is_wanted() {
    let (upstream, server, key) = stage();
    let other = "1.1 portcullis-00000000000000ff";
    let read = |via: &str| {
        upstream.forget();
        server.send(&call("GET", "/v1/notes/1").with("Via", via), Some(&key));
        let sent = upstream.requests().remove(0);
        assert_eq!(sent.header("accept-encoding"), Some("identity"));
        sent.header("via").unwrap().to_owned()
    };
    let own = read("1.1 proxy.elsewhere (forged)");
    assert!(
        own.starts_with("1.1 portcullis-") && own.len() == 31,
        "{own}"
    );
    assert_eq!(
        read(&format!("1.0 x, {other} (y)")),
        format!("{other}, {own}")
    );
    let again = server.send(&call("GET", "/v1/notes/1").with("Via", &own), Some(&key));
    assert_eq!(
        (again.status, again.code().as_deref()),
        (508, Some("http.loop"))
    );
}

#[test]
fn a_205_and_a_304_say_nothing_of_a_body() {
    let upstream = RecordingUpstream::start(|asked| {
        Play::Response(match asked.target.rsplit('/').next() {
            Some("reset") => json_response(205, NOTE),
            _ if asked.header("if-none-match").is_some() => answer(304, &[], b""),
            _ => json_response(200, NOTE),
        })
    });
    let gate = Gate::small(upstream.address());
    let objects =
        "    objects:\n      Note: { id: path.noteId, attributes: { owner: body.owner } }\n";
    gate.edit("apis/notes.yaml", objects, "");
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let raw = |method: &str, target: &str, field: (&str, &str)| {
        let call = call(method, target).with(field.0, field.1);
        let heard = wire::raw(
            server.address("public"),
            &call.bytes("gate.test", Some(&key.text)),
        );
        String::from_utf8(heard.bytes).unwrap()
    };
    let reset = raw("GET", "/v1/notes/reset", ("X-Y", "z"));
    assert!(
        reset.starts_with("HTTP/1.1 205 Reset Content\r\n"),
        "{reset}"
    );
    assert!(
        reset.contains("content-length: 0\r\n") && reset.ends_with("\r\n\r\n"),
        "{reset}"
    );
    for method in ["GET", "HEAD"] {
        let same = raw(method, "/v1/notes/1", ("If-None-Match", "\"x\""));
        assert!(same.starts_with("HTTP/1.1 304 "), "{same}");
        assert!(
            !same.contains("content-length") && same.ends_with("\r\n\r\n"),
            "{same}"
        );
    }
}

/// Files are named by paths of their own, and the overlay says so. Notes are not.
#[test]
fn escaped_slashes_stand_where_the_contract_lets_them_and_arrive_in_one_spelling() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    gate.edit(
        "apis/notes.v1.openapi.yaml",
        "  /searches:\n",
        "  /files/{fileId}:\n    parameters: [{ name: fileId, in: path, required: true, schema: { type: string, maxLength: 40 } }]\n    \
         get: { operationId: getFile, responses: { \"200\": { description: Done, content: { application/json: { schema: { $ref: \"#/components/schemas/Note\" } } } } } }\n  \
         /files/{fileId}/meta:\n    parameters: [{ name: fileId, in: path, required: true, schema: { type: string } }]\n    \
         get: { operationId: getMeta, responses: { \"204\": { description: Done } } }\n  /searches:\n",
    );
    gate.edit(
        "apis/notes.yaml",
        "    contract: notes.v1.openapi.yaml\n",
        "    contract: notes.v1.openapi.yaml\n    overlay: notes.overlay.yaml\n",
    );
    gate.edit("apis/notes.yaml", "public: [", "public: [getFile, ");
    gate.write(
        "apis/notes.overlay.yaml",
        "overlay: 1.0.0\ninfo: { title: Names of files, version: \"1\" }\nactions:\n  \
         - target: $.paths['/files/{fileId}'].parameters[0]\n    update: { x-portcullis-allow-encoded: true }\n",
    );
    gate.edit(
        "integrations/alpha.yaml",
        "[listNotes, getNote]",
        "[listNotes, getNote, getFile]",
    );
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let get = |target: &str| {
        upstream.forget();
        let response = server.send(&call("GET", target), Some(&key));
        let sent = upstream.requests().pop();
        (
            response.status,
            response.code(),
            sent.map(|sent| sent.target),
        )
    };
    for (asked, sent) in [
        (
            "/v1/files/2026%2finvoices%2F7.pdf",
            "/v1/files/2026%2Finvoices%2F7.pdf",
        ),
        (
            "/v1/files/a%3Bb%3fc%23d%25e%5Cf",
            "/v1/files/a%3Bb%3Fc%23d%25e%5Cf",
        ),
        ("/v1/files/plain", "/v1/files/plain"),
    ] {
        assert_eq!(get(asked), (200, None, Some(sent.to_owned())));
    }
    for (asked, status, code) in [
        ("/v1/files/a%2Fmeta", 404, "route.not_found"),
        ("/v1/files/a%252Fmeta", 404, "route.not_found"),
        ("/v1/files/..%2Fnotes", 404, "route.not_found"),
        ("/v1/files/a%2F%2Fb", 404, "route.not_found"),
        ("/v1/files/a/b", 404, "route.not_found"),
        ("/v1/files/a%00", 400, "http.malformed"),
        ("/v1/files/%2e%2e", 400, "http.malformed"),
        ("/v1/notes/a%2Fb", 400, "http.malformed"),
        ("/v1/nothing/a%2Fb", 400, "http.malformed"),
        ("/v1/files%2Fa", 400, "http.malformed"),
    ] {
        assert_eq!(get(asked), (status, Some(code.to_owned()), None), "{asked}");
    }
}
