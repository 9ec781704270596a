//! Operations that anybody may call, and pages of browsers.
//! Start reading at `what_is_public_needs_no_credential_and_everything_else_does`.

use demo::Call;
use testkit::{Gate, RecordingUpstream, Server};

use crate::{call, serve};

const NOTE: &str = r#"{"id":"1","title":"t","text":"x"}"#;

const ANONYMOUS: &str = "owner: platform@brightline.example
purpose: What anybody may read
review_by: 2099-12-31
credentials: { none: true }
limits: [ { per: address, rate: 1/h, burst: 20 }, { per: integration, rate: 1000/h } ]
grants:
  - { api: notes/v1, operations: [getNote], fields: [id, title] }
";

fn public(upstream: &RecordingUpstream) -> Gate {
    let gate = Gate::small(upstream.address());
    gate.write("integrations/anonymous.yaml", ANONYMOUS);
    gate
}

fn read() -> Call {
    call("GET", "/v1/notes/1")
}

fn code(server: &Server, call: &Call) -> (u16, Option<String>) {
    let response = server.send(call, None);
    (response.status, response.code())
}

fn missing() -> (u16, Option<String>) {
    (401, Some("authn.missing".to_owned()))
}

#[test]
fn what_is_public_needs_no_credential_and_everything_else_does() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(public(&upstream));
    let response = server.send(&read(), None);
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.body, br#"{"id":"1","title":"t"}"#);
    let event = server.event(response.decision().unwrap());
    assert_eq!(event["integration"], "anonymous");
    assert!(
        event
            .get("credential")
            .is_none_or(serde_json::Value::is_null),
        "{event}"
    );
    assert!(
        upstream.requests()[0]
            .header("portcullis-identity")
            .is_some()
    );
    // Not granted, not there, not with this method: told to nobody.
    for other in [
        call("GET", "/v1/notes"),
        call("DELETE", "/v1/notes/1"),
        call("PATCH", "/v1/notes/1"),
        call("GET", "/v1/nothing"),
    ] {
        assert_eq!(
            code(&server, &other),
            missing(),
            "{} {}",
            other.method,
            other.target
        );
    }
    // A credential that is shown and bad is refused, whatever is asked for.
    for shown in ["Bearer nonsense", "Bearer ", "Basic YTpi", ""] {
        let (status, code) = code(&server, &read().with("Authorization", shown));
        assert_eq!(
            (status, code.as_deref()),
            (401, Some("authn.invalid")),
            "{shown:?}"
        );
    }
    assert_eq!(upstream.requests().len(), 1);
    // Whoever proves who they are is who they are.
    let key = server.quick_key("alpha", &[]);
    let own = server.send(&read(), Some(&key)).json().unwrap();
    assert_eq!(own.get("text").unwrap().as_text(), Some("x"));
}

#[test]
fn without_the_integration_nothing_is_public_and_a_pause_ends_it() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    assert_eq!(code(&server, &read()), missing());
    let server = serve(public(&upstream));
    assert_eq!(code(&server, &read()).0, 200);
    let ended = server.cli(&["integration", "pause", "anonymous"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(code(&server, &read()), missing());
    let ended = server.cli(&["key", "create", "--integration", "anonymous"]);
    assert!(
        ended.code != Some(0) && ended.stderr.contains("anonymous"),
        "{ended:?}"
    );
    let shown = server.cli(&["access", "anonymous"]);
    assert!(shown.stdout.contains("PUBLIC: anybody"), "{shown:?}");
    let shown = server.cli(&["access", "alpha"]);
    assert!(!shown.stdout.contains("PUBLIC"), "{shown:?}");
}

#[test]
fn each_address_has_its_share_of_what_is_public_and_its_refusals_are_its_own() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = public(&upstream);
    gate.edit(
        "portcullis.yaml",
        "blocks: off",
        "blocks: { after: 5 refusals/min, for: 1h, escalate: 1 }",
    );
    let server = serve(gate);
    let from = |call: Call, last: u8| code(&server, &call.from([127, 0, 5, last]));
    let codes: Vec<u16> = (0..22).map(|_| from(read(), 1).0).collect();
    assert_eq!(codes[..20], [200; 20]);
    assert_eq!(codes[20..], [429; 2]);
    assert_eq!(from(read(), 2).0, 200);
    // Wrong calls block strangers at their address, and nobody elsewhere.
    let wrong: Vec<_> = (0..8)
        .map(|_| from(call("GET", "/v1/notes/!"), 3).1.unwrap())
        .collect();
    assert_eq!(wrong[..4], ["validate.path"; 4]);
    assert_eq!(wrong[7], "limit.blocked");
    assert_eq!(from(read(), 3).1.as_deref(), Some("limit.blocked"));
    assert_eq!(from(read(), 2).0, 200);
    let key = server.quick_key("alpha", &[]);
    assert_eq!(
        server.send(&read().from([127, 0, 5, 3]), Some(&key)).status,
        200
    );
}

/// The small gate for pages of one origin.
fn paged(upstream: &RecordingUpstream, more: &str) -> Gate {
    let gate = public(upstream);
    let browsers = format!(
        "    browsers: {{ origins: [\"https://app.example\"]{more} }}\n    state: active\n"
    );
    gate.edit("apis/notes.yaml", "    state: active\n", &browsers);
    gate
}

fn question(target: &str, origin: &str) -> Call {
    let asked = call("OPTIONS", target).with("Origin", origin);
    asked.with("Access-Control-Request-Method", "PUT")
}

#[test]
fn a_listed_page_is_told_what_it_may_call_and_others_are_not() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(paged(&upstream, ""));
    let told = server.send(&question("/v1/notes/1", "https://app.example"), None);
    assert_eq!(told.status, 204, "{told:?}");
    assert_eq!(
        told.header("access-control-allow-origin"),
        Some("https://app.example")
    );
    assert_eq!(
        told.header("access-control-allow-methods"),
        Some("DELETE, GET, POST, PUT")
    );
    assert_eq!(told.header("access-control-max-age"), Some("600"));
    assert_eq!(told.header("vary"), Some("origin"));
    assert_eq!(told.header("access-control-allow-credentials"), None);
    let headers = told.header("access-control-allow-headers").unwrap();
    for name in [
        "authorization",
        "content-type",
        "if-match",
        "idempotency-key",
    ] {
        assert!(
            headers.split(", ").any(|one| one == name),
            "{name}: {headers}"
        );
    }
    assert!(!headers.contains('*'));
    assert_eq!(server.event(told.decision().unwrap())["outcome"], "allow");
    // Which paths there are it is not told.
    let nowhere = server.send(&question("/v1/nothing", "https://app.example"), None);
    for name in [
        "access-control-allow-methods",
        "access-control-allow-headers",
    ] {
        assert_eq!(
            (nowhere.status, nowhere.header(name)),
            (204, told.header(name))
        );
    }
    for (target, origin) in [
        ("/v1/notes/1", "https://evil.example"),
        ("/v1/notes/1", "https://app.example.evil.example"),
        ("/v1/notes/1", "http://app.example"),
        ("/v1/notes/1", "https://APP.example"),
        ("/v1/notes/1", "null"),
        ("/v2/notes/1", "https://app.example"),
        ("/v11/notes", "https://app.example"),
    ] {
        let told = server.send(&question(target, origin), None);
        assert_eq!(
            (told.status, told.code().as_deref()),
            (401, Some("authn.missing")),
            "{origin}"
        );
        assert_eq!(told.header("access-control-allow-origin"), None, "{origin}");
    }
    let twice =
        question("/v1/notes/1", "https://app.example").with("Origin", "https://evil.example");
    assert_eq!(
        server
            .send(&twice, None)
            .header("access-control-allow-origin"),
        None
    );
    upstream.assert_untouched("a question before a call is answered by the gateway");
}

#[test]
fn a_listed_page_reads_answers_and_refusals() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(paged(&upstream, ", credentials: true, max_age: 1h"));
    let key = server.quick_key("alpha", &[]);
    let of = |origin: &str| read().with("Origin", origin);
    for (response, status) in [
        (server.send(&of("https://app.example"), Some(&key)), 200),
        (server.send(&of("https://app.example"), None), 200),
        (
            server.send(
                &of("https://app.example").with("Authorization", "Bearer no"),
                None,
            ),
            401,
        ),
        (
            server.send(&question("/v1/notes", "https://app.example"), None),
            204,
        ),
    ] {
        assert_eq!(response.status, status);
        assert_eq!(
            response.header("access-control-allow-origin"),
            Some("https://app.example")
        );
        assert_eq!(
            response.header("access-control-allow-credentials"),
            Some("true")
        );
        assert!(
            response
                .header("access-control-expose-headers")
                .unwrap()
                .contains("portcullis-decision")
        );
    }
    let other = server.send(&of("https://evil.example"), Some(&key));
    assert_eq!(
        (other.status, other.header("access-control-allow-origin")),
        (200, None)
    );
    assert_eq!(other.header("access-control-allow-credentials"), None);
    assert_eq!(other.header("vary"), Some("origin"));
}

#[test]
fn questions_of_browsers_are_limited_by_address_apart_from_strangers_refusals() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = paged(&upstream, "");
    gate.edit(
        "portcullis.yaml",
        "address_limit: { rate: 100000/s, burst: 100000 }",
        "address_limit: { rate: 1/h, burst: 3 }",
    );
    let server = serve(gate);
    let ask = |last: u8| {
        let asked = question("/v1/notes", "https://app.example");
        code(&server, &asked.from([127, 0, 6, last]))
    };
    // A neighbour guesses.
    for _ in 0..2 {
        let guess = read()
            .with("Authorization", "Bearer no")
            .from([127, 0, 6, 1]);
        assert_eq!(code(&server, &guess).0, 401);
    }
    let statuses: Vec<u16> = (0..5).map(|_| ask(1).0).collect();
    assert_eq!(statuses, [204, 204, 204, 429, 429]);
    assert_eq!(ask(1).1.as_deref(), Some("limit.exceeded"));
    assert_eq!(ask(2).0, 204);
}
