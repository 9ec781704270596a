//! Hostile request heads and framings over a real socket: one answer, the connection closed, the upstream never
//! reached, one entry in the ledger. Each case has an id of the catalogue of hostile cases.
//! Start reading at `refused`, the table; `the_innocent_twins_pass` proves that it is the hostile part that is refused.

use std::net::Ipv4Addr;

use serde_json::json;
use testkit::{Gate, RecordingUpstream, wire};

use crate::{call, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

/// A case: catalogue id and what it is, the bytes (`@KEY@` stands for the key), status and code.
type Case = (&'static str, String, u16, &'static str);

/// A GET with these further lines, ended by the client.
fn get(target: &str, lines: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: gate.test\r\nAuthorization: Bearer @KEY@\r\nConnection: close\r\n{lines}\r\n"
    )
}

/// A POST of a note with these further lines and everything behind the head as it stands.
fn post(lines: &str, rest: &str) -> String {
    format!(
        "POST /v1/notes HTTP/1.1\r\nHost: gate.test\r\nAuthorization: Bearer @KEY@\r\nContent-Type: application/json\r\n{lines}\r\n{rest}"
    )
}

/// A head without any of our own lines.
fn bare(text: &str) -> String {
    text.to_owned()
}

fn paths() -> Vec<Case> {
    let odd = |id, target: &str| (id, get(target, ""), 400, "http.malformed");
    vec![
        odd("fp01 dot segments", "/v1/x/../notes"),
        odd("fp01 encoded", "/v1/x/%2e%2e/notes"),
        odd("fp01 mixed", "/v1/x/.%2E/notes"),
        odd("fp02 out of the base path", "/v1/notes/../../v2/notes"),
        odd("fp03 slash", "/v1/notes/a%2Fb"),
        odd("fp03 backslash", "/v1/notes/a%5Cb"),
        odd("fp03 NUL", "/v1/notes/a%00"),
        odd("fp03 semicolon", "/v1/notes/a%3Bb"),
        odd("fp03 percent", "/v1/notes/a%25b"),
        odd("fp03 question mark", "/v1/notes/a%3Fb"),
        odd("fp03 hash", "/v1/notes/a%23b"),
        odd("fp04 dots in a parameter", "/v1/notes/.."),
        odd("fp05 fragment", "/v1/notes#x"),
        odd("fp05 fragment in the query", "/v1/notes?a=1#x"),
        odd("fp06 empty segment", "/v1//notes"),
        odd("fp06 leading empty segment", "//v1/notes"),
        odd("fp06 dot", "/v1/./notes"),
        (
            "fp06 trailing slash",
            get("/v1/notes/1/", ""),
            404,
            "route.not_found",
        ),
        (
            "fp06 trailing dot",
            get("/v1./notes", ""),
            404,
            "route.not_found",
        ),
        (
            "fp07 deeper",
            get("/v1/notes/1/other", ""),
            404,
            "route.not_found",
        ),
        (
            "fp07 empty parameter",
            get("/v1/notes/", ""),
            404,
            "route.not_found",
        ),
        ("fp09 case", get("/V1/notes", ""), 404, "route.not_found"),
        (
            "fp11 other name",
            get("/v1/Notes", ""),
            404,
            "route.not_found",
        ),
    ]
}

// LONG: a table of cases, one line of thought each.
fn lines() -> Vec<Case> {
    let odd = |id, text: String| (id, text, 400, "http.malformed");
    vec![
        odd(
            "fp10 host with a trailing dot",
            bare(
                "GET /v1/notes HTTP/1.1\r\nHost: gate.test.\r\nAuthorization: Bearer @KEY@\r\n\r\n",
            ),
        ),
        odd(
            "fp10 absolute form of another host",
            bare(
                "GET http://other.test/v1/notes HTTP/1.1\r\nHost: gate.test\r\nAuthorization: Bearer @KEY@\r\n\r\n",
            ),
        ),
        odd("fp10 two hosts", get("/v1/notes", "Host: other.test\r\n")),
        odd(
            "fp10 user in host",
            bare(
                "GET /v1/notes HTTP/1.1\r\nHost: a@gate.test\r\nAuthorization: Bearer @KEY@\r\n\r\n",
            ),
        ),
        odd(
            "fp16 no host",
            bare("GET /v1/notes HTTP/1.1\r\nAuthorization: Bearer @KEY@\r\n\r\n"),
        ),
        odd(
            "fp13 Connection names Content-Length",
            get("/v1/notes", "Connection: Content-Length\r\n"),
        ),
        odd(
            "hd01 Connection names a header",
            get("/v1/notes", "Connection: X-Real-Ip\r\n"),
        ),
        odd(
            "hd01 in another case",
            get("/v1/notes", "Connection: keep-alive, x-ReAl-iP\r\n"),
        ),
        odd("fp15 empty header name", get("/v1/notes", ": x\r\n")),
        odd(
            "fp15 space in a header name",
            get("/v1/notes", "X Y: z\r\n"),
        ),
        odd(
            "fp15 space before the colon",
            get("/v1/notes", "X-Y : z\r\n"),
        ),
        odd("fp15 folded line", get("/v1/notes", "X-Y: a\r\n b\r\n")),
        odd("fp16 NUL in a value", get("/v1/notes", "X-Y: a\0b\r\n")),
        odd("fp16 bare CR in a value", get("/v1/notes", "X-Y: a\rb\r\n")),
        odd(
            "hd11 control byte in a value",
            get("/v1/notes", "X-Y: a\x01b\r\n"),
        ),
        odd("hd11 DEL in a value", get("/v1/notes", "X-Y: a\x7fb\r\n")),
        odd(
            "fp17 pseudo header",
            get("/v1/notes", ":path: /v1/notes/2\r\n"),
        ),
        odd(
            "fp17 bare LF",
            bare("GET /v1/notes HTTP/1.1\nHost: gate.test\nAuthorization: Bearer @KEY@\n\n"),
        ),
        odd(
            "fp17 two spaces",
            bare(
                "GET  /v1/notes HTTP/1.1\r\nHost: gate.test\r\nAuthorization: Bearer @KEY@\r\n\r\n",
            ),
        ),
        odd(
            "fp17 tab",
            bare(
                "GET\t/v1/notes HTTP/1.1\r\nHost: gate.test\r\nAuthorization: Bearer @KEY@\r\n\r\n",
            ),
        ),
        odd(
            "fp17 no version",
            bare("GET /v1/notes\r\nHost: gate.test\r\n\r\n"),
        ),
        (
            "fp17 other version",
            get("/v1/notes", "").replace("HTTP/1.1", "HTTP/2.0"),
            505,
            "http.version",
        ),
        (
            "fp17 the server as a whole",
            bare("OPTIONS * HTTP/1.1\r\nHost: gate.test\r\nAuthorization: Bearer @KEY@\r\n\r\n"),
            405,
            "route.method_not_allowed",
        ),
        odd(
            "fp17 no HTTP",
            bare("\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n"),
        ),
        odd(
            "fp10 absolute form of another port",
            get("http://gate.test:81/v1/notes", ""),
        ),
        odd(
            "fp17 two empty lines",
            String::from("\r\n\r\n") + &get("/v1/notes", ""),
        ),
        odd(
            "hd07 authorization twice",
            get("/v1/notes", "Authorization: Bearer @KEY@\r\n"),
        ),
        odd(
            "hd07 content type twice",
            post(
                "Content-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n",
                "{}",
            ),
        ),
        (
            "fp15 long header",
            get("/v1/notes", &format!("X-Y: {}\r\n", "a".repeat(64 * 1024))),
            431,
            "http.too_large",
        ),
        (
            "fp15 many headers",
            get("/v1/notes", &"X-Y: a\r\n".repeat(500)),
            431,
            "http.too_large",
        ),
        (
            "fp15 long target",
            get(&format!("/v1/notes?q={}", "a".repeat(16 * 1024)), ""),
            414,
            "http.too_large",
        ),
        (
            "fp21 CONNECT",
            bare(
                "CONNECT gate.test:443 HTTP/1.1\r\nHost: gate.test:443\r\nAuthorization: Bearer @KEY@\r\n\r\n",
            ),
            405,
            "route.method_not_allowed",
        ),
        odd(
            "fp17 a method that is no token",
            get("/v1/notes", "").replacen("GET", "G\u{e9}T", 1),
        ),
    ]
}

// LONG: a table of cases, one line of thought each.
fn lengths() -> Vec<Case> {
    let body = r#"{"title":"t"}"#;
    let odd = |id, lines: &str, rest: &str| (id, post(lines, rest), 400, "http.malformed");
    let chunked = "Transfer-Encoding: chunked\r\n";
    vec![
        odd(
            "fp14 length and coding",
            "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\nX",
        ),
        odd(
            "fp14 coding and length",
            "Transfer-Encoding: chunked\r\nContent-Length: 13\r\n",
            body,
        ),
        odd(
            "fp14 two lengths",
            "Content-Length: 13\r\nContent-Length: 13\r\n",
            body,
        ),
        odd("fp14 a list of lengths", "Content-Length: 13, 13\r\n", body),
        odd(
            "fp14 two codings",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\n",
        ),
        odd(
            "fp14 gzip and chunked",
            "Transfer-Encoding: gzip, chunked\r\n",
            "0\r\n\r\n",
        ),
        odd(
            "fp14 chunked twice",
            "Transfer-Encoding: chunked, chunked\r\n",
            "0\r\n\r\n",
        ),
        odd("fp14 identity", "Transfer-Encoding: identity\r\n", body),
        odd(
            "fp14 odd coding",
            "Transfer-Encoding: xchunked\r\n",
            "0\r\n\r\n",
        ),
        odd(
            "fp14 vertical tab",
            "Transfer-Encoding: \x0bchunked\r\n",
            "0\r\n\r\n",
        ),
        (
            "fp14 coding on HTTP/1.0",
            post(chunked, "0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0"),
            400,
            "http.malformed",
        ),
        odd("fp15 empty length", "Content-Length:\r\n", ""),
        odd("fp16 leading zero", "Content-Length: 013\r\n", body),
        odd("fp16 sign", "Content-Length: +13\r\n", body),
        odd("fp16 negative", "Content-Length: -1\r\n", body),
        odd("fp16 hexadecimal", "Content-Length: 0xd\r\n", body),
        odd("fp16 fraction", "Content-Length: 13.0\r\n", body),
        odd(
            "fp16 huge",
            "Content-Length: 99999999999999999999999\r\n",
            body,
        ),
        odd(
            "fp17 chunk size with a sign",
            chunked,
            "+d\r\n{\"title\":\"t\"}\r\n0\r\n\r\n",
        ),
        odd(
            "fp17 chunk size with 0x",
            chunked,
            "0xd\r\n{\"title\":\"t\"}\r\n0\r\n\r\n",
        ),
        odd(
            "fp17 chunk size with a space",
            chunked,
            "d \r\n{\"title\":\"t\"}\r\n0\r\n\r\n",
        ),
        odd(
            "fp17 chunk size overflow",
            chunked,
            "fffffffffffffffff\r\n{\"title\":\"t\"}\r\n0\r\n\r\n",
        ),
        odd(
            "fp17 no line end behind a chunk",
            chunked,
            "d\r\n{\"title\":\"t\"}0\r\n\r\n",
        ),
        odd(
            "fp17 a quoted extension over the end of its line",
            chunked,
            "d;a=\"\r\n{\"title\":\"t\"}\r\n0\r\n\r\n",
        ),
        odd(
            "fp17 bare LF in an extension",
            chunked,
            "d;a\nb\r\n{\"title\":\"t\"}\r\n0\r\n\r\n",
        ),
        odd(
            "fp17 a request in place of trailers",
            chunked,
            "d\r\n{\"title\":\"t\"}\r\n0\r\nGET /v1/notes HTTP/1.1\r\n\r\n",
        ),
        odd(
            "fp17 bare LF behind a size",
            chunked,
            "d\n{\"title\":\"t\"}\r\n0\r\n\r\n",
        ),
        odd(
            "fp17 empty size",
            chunked,
            "\r\n{\"title\":\"t\"}\r\n0\r\n\r\n",
        ),
        odd(
            "fp17 chunk too long for its size",
            chunked,
            "5\r\n{\"title\":\"t\"}\r\n0\r\n\r\n",
        ),
    ]
}

fn refused() -> Vec<Case> {
    [paths(), lines(), lengths()].concat()
}

#[test]
fn hostile_heads_and_framings_are_refused_closed_and_recorded_once() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    let address = server.address("public");
    let key = server.key("alpha");
    let mut wrong = Vec::new();
    let mut decisions = Vec::new();
    for (id, text, status, code) in refused() {
        let bytes = text.replace("@KEY@", &key.text);
        let heard = wire::raw(address, bytes.as_bytes());
        let responses = heard.answers();
        let got: Vec<_> = responses.iter().map(|a| (a.status, a.code())).collect();
        if got != [(status, Some(code.to_owned()))] || !heard.is_closed {
            wrong.push(format!("{id}: {got:?}, closed {}", heard.is_closed));
            continue;
        }
        decisions.push((id, code, responses[0].decision().unwrap().to_owned()));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    upstream.assert_untouched("no hostile head");
    assert_eq!(upstream.connections(), 0);
    let events = server.ledger_of(&json!({ "kind": "request" }));
    assert_eq!(events.len(), decisions.len(), "one entry per request");
    for ((id, code, decision), event) in decisions.iter().zip(&events) {
        assert_eq!(event["id"], **decision, "{id}: {event}");
        assert_eq!(event["code"], *code, "{id}: {event}");
        assert_eq!(event["outcome"], "refuse", "{id}: {event}");
    }
}

#[test]
fn the_innocent_twins_pass() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let body = r#"{"title":"t"}"#;
    let length = "Content-Length: 13\r\nConnection: close\r\n";
    let twins = [
        get("/v1/notes/1", ""),
        get("/v1/notes/1", "X-Y: a\r\nX-Y: b\r\n"),
        get("/v1/notes/1", "TE: trailers\r\n"),
        get("/v1/notes?limit=5", "").replace("gate.test", "GATE.test:8443"),
        get("/v1/notes/1", "").replace("HTTP/1.1", "HTTP/1.2"),
        get("http://gate.test/v1/notes/1", ""),
        get("https://GATE.test:443/v1/notes/1", ""),
        String::from("\r\n") + &get("/v1/notes/1", ""),
        // What `curl --http2` and Java's HttpClient send on a plain connection.
        get(
            "/v1/notes/1",
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
        ),
        get(
            "/v1/notes/1",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
        ),
        post(length, body),
        post(
            "Transfer-Encoding: chunked\r\nConnection: close\r\n",
            "d\r\n{\"title\":\"t\"}\r\n0\r\n\r\n",
        ),
        post(
            "Transfer-Encoding: chunked\r\nConnection: close\r\n",
            "6\r\n{\"titl\r\n7\r\ne\":\"t\"}\r\n0\r\n\r\n",
        ),
        post(
            "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\nConnection: close\r\n",
            "d;name=\"a value\"\r\n{\"title\":\"t\"}\r\n0\r\nX-Sum: 13\r\n\r\n",
        ),
        post(length, body).replace("application/json", "application/json;"),
        post(length, body).replace("application/json", "application/json; charset=utf-8 ; "),
    ];
    for twin in twins {
        let heard = wire::raw(
            server.address("public"),
            twin.replace("@KEY@", &key.text).as_bytes(),
        );
        let response = heard.only();
        // The list operation answers something that is no list: released as what it is worth, nothing.
        assert_eq!(response.status, 200, "{twin}\n{}", response.text());
        assert!(heard.is_closed);
    }
    for seen in upstream
        .requests()
        .iter()
        .filter(|seen| seen.method == "POST")
    {
        assert_eq!(seen.header("content-length"), Some("13"), "our own length");
        assert_eq!(seen.header("transfer-encoding"), None);
        assert_eq!(seen.header("x-sum"), None);
        assert_eq!(seen.header("content-type"), Some("application/json"));
        assert_eq!(seen.body, body.as_bytes());
    }
}

#[test]
fn client_copies_of_identity_and_forwarding_fields_never_arrive() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let fields = [
        "X-Forwarded-For: 6.6.6.6",
        "X_Forwarded_For: 6.6.6.6",
        "x-forwarded-for: 6.6.6.6",
        "X-Forwarded-Proto: forged",
        "X-Forwarded-Prefix: /forged",
        "X-Forwarded-Uri: /forged",
        "X-Forwarded-Host: forged",
        "Forwarded: for=6.6.6.6",
        "X-Real-IP: 6.6.6.6",
        "X_Real-Ip: 6.6.6.6",
        "True-Client-IP: 6.6.6.6",
        "Via: 1.1 forged",
        "Portcullis-Identity: forged",
        "PORTCULLIS_IDENTITY: forged",
        "Portcullis-Decision: forged",
        "X-Original-URL: /forged",
        "X-Rewrite-Url: /forged",
        "X-Envoy-Original-Path: /forged",
        "X-Auth-Request-User: forged",
        "Remote-User: forged",
        "Cookie: session=forged",
        "X-Undeclared: forged",
    ];
    for field in fields {
        upstream.forget();
        let bytes = get("/v1/notes/1", &format!("{field}\r\n")).replace("@KEY@", &key.text);
        let response = wire::raw(server.address("public"), bytes.as_bytes()).only();
        assert_eq!(response.status, 200, "{field}: {}", response.text());
        let seen = upstream.requests().remove(0);
        let text = String::from_utf8_lossy(&seen.bytes).to_ascii_lowercase();
        assert_eq!(seen.method, "GET", "{field}");
        for word in ["forged", "6.6.6.6", &key.text.to_ascii_lowercase()] {
            assert!(!text.contains(word), "{field}: {text}");
        }
        let ours: Vec<_> = seen
            .headers
            .iter()
            .filter(|(name, _)| name.replace('_', "-") == "portcullis-identity")
            .collect();
        assert_eq!(ours.len(), 1, "{field}: {text}");
        assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"), "{field}");
        assert_eq!(
            seen.header("portcullis-decision"),
            response.decision(),
            "{field}"
        );
    }
}

#[test]
fn what_follows_a_refused_request_is_never_read_as_another() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let hidden =
        "GET /v1/notes/SMUGGLED HTTP/1.1\r\nHost: gate.test\r\nAuthorization: Bearer @KEY@\r\n\r\n";
    let carriers = [
        post(
            "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
            &format!("0\r\n\r\n{hidden}"),
        ),
        post("Transfer-Encoding: xchunked\r\n", hidden),
        post("Content-Length: 0\r\nContent-Length: 90\r\n", hidden),
        post(
            "Transfer-Encoding: chunked\r\n",
            &format!("0 \r\n\r\n{hidden}"),
        ),
        post(
            "Transfer-Encoding: chunked\r\n",
            &format!("1\r\nZZ\r\n0\r\n\r\n{hidden}"),
        ),
        // Refused before its body is read: what is still to come of the body is never a request.
        format!(
            "POST /v1/notes HTTP/1.1\r\nHost: gate.test\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{hidden}"
        ),
    ];
    for carrier in carriers {
        let bytes = carrier.replace("@KEY@", &key.text);
        let heard = wire::raw(server.address("public"), bytes.as_bytes());
        assert_eq!(
            heard.answers().len(),
            1,
            "{carrier}\n{}",
            String::from_utf8_lossy(&heard.bytes)
        );
        assert!(heard.is_closed, "{carrier}");
    }
    upstream.assert_untouched("nothing smuggled");
}

#[test]
fn pipelined_requests_are_each_judged_and_answered_in_order() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let one = |target: &str, key: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: gate.test\r\nAuthorization: Bearer {key}\r\n\r\n")
    };
    let body = r#"{"title":"t"}"#;
    let bytes = one("/v1/notes/1", &key.text)
        + &one("/v1/notes/2", "pk_live_wrong")
        + &post(&format!("Content-Length: {}\r\n", body.len()), body).replace("@KEY@", &key.text)
        // An empty line behind a body, and an offer of another protocol that is not taken up.
        + "\r\n"
        + &one("/v1/notes/4", &key.text).replace("\r\n\r\n", "\r\nUpgrade: h2c\r\n\r\n")
        + &get("/v1/notes/3", "").replace("@KEY@", &key.text);
    let heard = wire::raw(server.address("public"), bytes.as_bytes());
    let statuses: Vec<u16> = heard.answers().iter().map(|a| a.status).collect();
    assert_eq!(statuses, [200, 401, 200, 200, 200]);
    let seen: Vec<String> = upstream
        .requests()
        .iter()
        .map(|r| format!("{} {}", r.method, r.target))
        .collect();
    assert_eq!(
        seen,
        [
            "GET /v1/notes/1",
            "POST /v1/notes",
            "GET /v1/notes/4",
            "GET /v1/notes/3"
        ]
    );
}

#[test]
fn slow_clients_are_closed_and_others_are_not_slowed() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    gate.edit(
        "portcullis.yaml",
        "head: 10s, body: 10s, idle: 60s",
        "head: 2s, body: 2s, idle: 2s, reply: 2s",
    );
    let server = serve(gate);
    let address = server.address("public");
    let key = server.quick_key("alpha", &[]);
    let head = bare("GET /v1/notes HTTP/1.1\r\nHost: gate.test\r\nX-");
    let body = post("Content-Length: 200\r\n", "{\"title\":").replace("@KEY@", &key.text);
    let slow = [
        bare(""),
        head,
        body,
        get("/v1/notes/1", "")
            .replace("Connection: close\r\n", "")
            .replace("@KEY@", &key.text),
    ];
    let waiting: Vec<_> = slow
        .into_iter()
        .map(|bytes| std::thread::spawn(move || wire::raw(address, bytes.as_bytes())))
        .collect();
    for _ in 0..20 {
        assert_eq!(
            server.send(&call("GET", "/v1/notes/1"), Some(&key)).status,
            200
        );
    }
    let heard: Vec<_> = waiting
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    for one in &heard {
        assert!(one.is_closed, "{one:?}");
    }
    assert!(
        heard[0].bytes.is_empty(),
        "nothing was asked, nothing is answered"
    );
    assert_eq!(heard[1].only().code().as_deref(), Some("http.timeout"));
    assert_eq!(heard[2].only().code().as_deref(), Some("http.timeout"));
    assert_eq!(
        heard[3].only().status,
        200,
        "and then it rested for too long"
    );
    assert!(upstream.requests().iter().all(|seen| seen.method == "GET"));
}

#[test]
fn forwarded_addresses_are_believed_from_a_trusted_proxy_only_and_from_the_right() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    gate.edit(
        "portcullis.yaml",
        "  admin:\n",
        "  near: { address: \"127.0.0.1:0\", plain: true, kind: internal, allow: [10.1.0.0/16] }\n  admin:\n",
    );
    gate.edit(
        "portcullis.yaml",
        "defaults:\n",
        "trusted_proxies: [127.0.0.5/32, 10.2.0.0/16]\ndefaults:\n",
    );
    gate.edit(
        "apis/notes.yaml",
        "      public: [",
        "      near: [getNote]\n      public: [",
    );
    let server = serve(gate);
    let near = server.address("near");
    let (proxy, stranger) = (Ipv4Addr::new(127, 0, 0, 5), Ipv4Addr::new(127, 0, 0, 6));
    let from = |socket, forwarded: &str| {
        let lines = format!("X-Forwarded-For: {forwarded}\r\n");
        let text = get("/v1/notes/1", &lines).replace("Authorization: Bearer @KEY@\r\n", "");
        wire::raw_from(socket, near, text.as_bytes()).only()
    };
    let judged = |response: &demo::CallResponse| {
        let event = server.event(response.decision().unwrap());
        event["address"].as_str().unwrap().to_owned()
    };
    // Each case: who is connected, what he says, which address counts, what becomes of it.
    for (socket, says, address, code) in [
        (proxy, "10.1.0.7", "10.1.0.7", "authn.missing"),
        (proxy, "6.6.6.6, 10.1.0.7", "10.1.0.7", "authn.missing"),
        (proxy, "10.1.0.7, 10.2.0.1", "10.1.0.7", "authn.missing"),
        (proxy, "10.1.0.7, 6.6.6.6", "6.6.6.6", "ip.denied"),
        (proxy, "::ffff:10.1.0.7", "10.1.0.7", "authn.missing"),
        (proxy, "::ffff:6.6.6.6", "6.6.6.6", "ip.denied"),
        (stranger, "10.1.0.7", "127.0.0.6", "ip.denied"),
        (stranger, "10.1.0.7, 127.0.0.5", "127.0.0.6", "ip.denied"),
    ] {
        let response = from(socket, says);
        assert_eq!(response.code().as_deref(), Some(code), "{socket}: {says}");
        assert_eq!(judged(&response), address, "{socket}: {says}");
    }
    for says in [
        "somewhere",
        "10.1.0.7:80:90",
        "10.1.0.7, ,",
        "127.1",
        "0x7f.1",
    ] {
        let response = from(proxy, says);
        assert!(
            matches!(
                response.code().as_deref(),
                Some("ip.forwarded" | "ip.denied")
            ),
            "{says}: {}",
            response.text()
        );
    }
    upstream.assert_untouched("nothing by a forged address");
}
