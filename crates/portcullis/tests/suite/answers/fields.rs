//! Every request field that changes what a request means does what the table of the manual says.
//! Start reading at `every_line_of_the_table_holds`.

use gateway::request_fields::{RequestField, TABLE, Treatment};
use testkit::{Gate, Play, RecordingUpstream, Server, json_response, wire};

use super::code;
use crate::{call, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

/// A gate without judged objects, so that conditions of reads go along.
fn start(upstream: &RecordingUpstream) -> Server {
    let gate = Gate::small(upstream.address());
    let objects =
        "    objects:\n      Note: { id: path.noteId, attributes: { owner: body.owner } }\n";
    gate.edit("apis/notes.yaml", objects, "");
    serve(gate)
}

fn upstream() -> RecordingUpstream {
    RecordingUpstream::start(|asked| {
        let status = if asked.method == "DELETE" { 204 } else { 200 };
        Play::Response(match status {
            204 => testkit::answer(204, &[], b""),
            _ => json_response(200, NOTE),
        })
    })
}

fn holds(
    server: &Server,
    key: &str,
    upstream: &RecordingUpstream,
    field: &RequestField,
    method: &str,
) {
    let treatment = match method {
        "GET" | "HEAD" => field.reads,
        _ => field.writes,
    };
    // Without a body there is nothing to decode.
    if field.name == "content-encoding" && method == "DELETE" {
        return;
    }
    let asked = match method {
        "POST" => call(method, "/v1/notes").json(r#"{"title":"t"}"#),
        "PUT" => call(method, "/v1/notes/1").json(r#"{"title":"t"}"#),
        _ => call(method, "/v1/notes/1"),
    };
    let asked = asked.with(field.name, field.example);
    upstream.forget();
    let bytes = asked.bytes("gate.test", Some(key));
    let heard = wire::raw(server.address("public"), &bytes);
    let responses = heard.answers();
    let response = responses.last().unwrap();
    let what = format!(
        "{method} with {}: {} {}",
        field.name,
        response.status,
        response.text()
    );
    if let Treatment::Refused(status) = treatment {
        assert_eq!(response.status, status, "{what}");
        upstream.assert_untouched(&what);
        return;
    }
    assert!(response.status < 300, "{what}");
    let seen = upstream.requests();
    let arrived = seen[0].header(field.name);
    match treatment {
        Treatment::Forwarded => assert_eq!(arrived, Some(field.example), "{what}"),
        Treatment::Rewritten => {
            assert!(
                arrived.is_some() && arrived != Some(field.example),
                "{what}: {arrived:?}"
            );
        }
        // Whether the body is asked for first depends on whether it is there already; net's own tests see to that.
        Treatment::Answered | Treatment::Dropped => assert_eq!(arrived, None, "{what}"),
        Treatment::Refused(_) => unreachable!(),
    }
}

#[test]
fn every_line_of_the_table_holds() {
    let upstream = upstream();
    let server = start(&upstream);
    let key = server.quick_key("alpha", &[]);
    for field in TABLE {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            holds(&server, &key.text, &upstream, field, method);
        }
    }
}

#[test]
fn a_declared_field_is_forwarded_as_declared() {
    let upstream = upstream();
    let gate = Gate::small(upstream.address());
    gate.edit(
        "apis/notes.v1.openapi.yaml",
        "      operationId: replaceNote\n",
        "      operationId: replaceNote\n      parameters:\n        - { name: If-Unmodified-Since, in: header, schema: { type: string, maxLength: 29 } }\n        - { name: Prefer, in: header, schema: { type: string, maxLength: 40 } }\n",
    );
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let put = || call("PUT", "/v1/notes/1").json(r#"{"title":"t"}"#);
    let date = "Thu, 31 May 2007 20:35:00 GMT";
    let response = server.send(&put().with("If-Unmodified-Since", date), Some(&key));
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(
        upstream.requests()[0].header("if-unmodified-since"),
        Some(date)
    );
    upstream.forget();
    server.send(
        &put().with("Prefer", "resolution=merge-duplicates"),
        Some(&key),
    );
    assert_eq!(
        upstream.requests()[0].header("prefer"),
        Some("resolution=merge-duplicates")
    );
    upstream.forget();
    let long = server.send(
        &put().with("If-Unmodified-Since", &"x".repeat(30)),
        Some(&key),
    );
    assert_eq!(code(&long), "validate.header");
    upstream.assert_untouched("a declared field is judged");
}

#[test]
fn a_method_is_what_the_request_line_says() {
    let upstream = upstream();
    let server = start(&upstream);
    let key = server.quick_key("alpha", &[]);
    for name in [
        "X-HTTP-Method-Override",
        "x_http_method_override",
        "X-HTTP-Method",
        "X-Method-Override",
    ] {
        upstream.forget();
        let post = || call("POST", "/v1/notes").json(r#"{"title":"t"}"#);
        let other = server.send(&post().with(name, "DELETE"), Some(&key));
        assert_eq!(
            (other.status, code(&other).as_str()),
            (400, "http.malformed"),
            "{name}"
        );
        upstream.assert_untouched(name);
        let own = server.send(&post().with(name, "post"), Some(&key));
        assert_eq!(own.status, 200, "{name}: {}", own.text());
        assert_eq!(
            upstream.requests()[0].header(&name.to_ascii_lowercase()),
            None
        );
    }
}

#[test]
fn a_condition_of_a_write_reaches_the_upstream_also_for_judged_objects() {
    let upstream = upstream();
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    for (method, arrives) in [("PUT", Some("*")), ("DELETE", Some("*")), ("GET", None)] {
        upstream.forget();
        let asked = call(method, "/v1/notes/1").with("If-None-Match", "*");
        let asked = if method == "PUT" {
            asked.json(r#"{"title":"t"}"#)
        } else {
            asked
        };
        let response = server.send(&asked, Some(&key));
        assert!(response.status < 300, "{method}: {}", response.text());
        assert_eq!(
            upstream.requests()[0].header("if-none-match"),
            arrives,
            "{method}"
        );
    }
}
