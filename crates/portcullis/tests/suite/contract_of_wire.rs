//! What callers program against: status line, fields and document of every refusal, byte for byte, in
//! `tests/golden/CODE.http`. What differs from call to call (dates, ids, seconds) is masked.
//! `UPDATE_GOLDEN=1` writes the files anew; read the difference as a caller would before committing it.
//! Start reading at `every_refusal_reads_as_it_always_did`.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use demo::{Call, Fieldworks};
use testkit::{
    Gate, Key, Latch, PATIENCE, Play, RecordingUpstream, Server, json_response, poll, wire,
};

use crate::{call, serve};

const NOTE: &str = r#"{"id":"1","title":"t","owner":"somebody"}"#;

/// Codes that no caller can bring about from outside on a healthy machine, and where they are tested instead.
const ELSEWHERE: [(&str, &str); 13] = [
    (
        "authn.too_many_persons",
        "a ledger that names as many persons as it can: persons",
    ),
    ("object.too_many", "many look-ups: objects"),
    ("object.id_differs", "another id in the body: objects"),
    (
        "object.patch_steps",
        "steps of a patch document: policy's own tests",
    ),
    ("object.too_deep", "deep bodies: policy's own tests"),
    ("object.changed", "a change in between: objects"),
    (
        "upstream.overloaded",
        "more calls under way than an upstream takes: net's own tests",
    ),
    ("http.internal", "a panic inside: net's own tests"),
    ("ledger.unavailable", "a full disk: bad_input"),
    ("ledger.unrecorded", "a full disk: bars::record"),
    ("upstream.cut", "nobody is answered with it: stopping"),
    ("http.cut", "nobody is answered with it: stopping"),
    (
        "http.timeout",
        "a slow client: here, but its connection has no request line to mask",
    ),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The bytes of an answer with what differs from call to call masked.
fn masked(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let mut out = String::new();
    for line in text.lines() {
        let name = line
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let line = match name.as_str() {
            "date" => "date: DATE".to_owned(),
            "etag" => "etag: SEALED".to_owned(),
            "retry-after" => "retry-after: SECONDS".to_owned(),
            "content-length" => "content-length: LENGTH".to_owned(),
            "ratelimit" => without_number(line, "t="),
            _ => without_number(line, "\"retry_after\":"),
        };
        out.push_str(&line);
        out.push('\n');
    }
    without_ids(&out)
}

/// The digits behind this mark, masked.
fn without_number(line: &str, mark: &str) -> String {
    let Some((before, after)) = line.split_once(mark) else {
        return line.to_owned();
    };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}{mark}N{rest}")
}

fn without_ids(text: &str) -> String {
    let mut parts = text.split("dec_");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        out.push_str("dec_ID");
        out.push_str(rest);
    }
    out
}

/// Every refusal that was brought about, by code; the first one counts.
#[derive(Default)]
struct Book(BTreeMap<String, String>);

impl Book {
    fn note(&mut self, bytes: &[u8], wanted: &str) {
        let responses = wire::answers(bytes);
        let code = responses.first().and_then(|response| response.code());
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(code.as_deref(), Some(wanted), "{text}");
        self.0
            .entry(wanted.to_owned())
            .or_insert_with(|| masked(bytes));
    }

    fn call(&mut self, server: &Server, call: &Call, key: Option<&Key>, wanted: &str) {
        let bytes = call.bytes("gate.test", key.map(|key| key.text.as_str()));
        let heard = wire::raw(server.address(call.listener.name()), &bytes);
        self.note(&heard.bytes, wanted);
    }

    /// Also counted under this name, where one code has several forms.
    fn also(&mut self, name: &str, bytes: &[u8]) {
        self.0.insert(name.to_owned(), masked(bytes));
    }
}

fn integration(rules: &str) -> String {
    format!(
        "owner: a@b.example\npurpose: A trial\nreview_by: 2099-12-31\ncredentials: {{ api_key: {{}} }}\n{rules}"
    )
}

/// The small gate with somebody for every refusal.
// LONG: one integration for each refusal, in one place to be read as a list.
fn gate(upstream: &RecordingUpstream) -> Gate {
    let gate = Gate::small(upstream.address());
    let grant = |when: &str, deny: &str| {
        format!(
            "grants:\n  - {{ api: notes/v1, operations: [getNote, listNotes], when: '{when}', fields: [id], deny_as: {deny} }}\n"
        )
    };
    let mine = r#"resource.owner == "me""#;
    let yours = r#"resource.owner == "somebody""#;
    gate.write(
        "integrations/hidden.yaml",
        integration(&grant(mine, "not_found")),
    );
    gate.write(
        "integrations/shown.yaml",
        integration(&grant(mine, "forbidden")),
    );
    gate.write(
        "integrations/context.yaml",
        integration(&grant("context.query.limit == 7", "forbidden").replace("getNote, ", "")),
    );
    gate.write(
        "integrations/placed.yaml",
        integration("allow_from: [10.9.9.9/32]\n"),
    );
    gate.write("integrations/paused.yaml", integration(""));
    gate.write(
        "integrations/few.yaml",
        integration(&format!(
            "limits: [{{ per: integration, rate: 1/min, burst: 1 }}]\n{}",
            grant(yours, "forbidden")
        )),
    );
    gate.write(
        "integrations/one.yaml",
        integration(&format!(
            "limits: [{{ per: integration, concurrency: 1 }}]\n{}",
            grant(yours, "forbidden")
        )),
    );
    gate.write(
        "integrations/creator.yaml",
        integration(&format!(
            "grants:\n  - {{ api: notes/v1, operations: [createNote], when: '{mine}', writes: [title, owner] }}\n"
        )),
    );
    gate.edit(
        "apis/notes.v1.openapi.yaml",
        "        tree: {}\n",
        "        tree: {}\n        owner: { type: string, maxLength: 20 }\n",
    );
    gate.edit(
        "apis/notes.yaml",
        "versions:\n",
        "versions:\n  v0: { state: retired, base_path: /v0, successor: v1 }\n",
    );
    gate.edit("apis/notes.yaml", "timeout: 5s", "timeout: 3s");
    gate.edit(
        "apis/notes.yaml",
        "      public: [",
        "      partners: [getNote]\n      public: [",
    );
    gate.edit(
        "apis/notes.v1.openapi.yaml",
        "      operationId: listNotes\n      parameters:\n",
        "      operationId: listNotes\n      parameters:\n        - { name: X-Page, in: header, schema: { type: integer } }\n",
    );
    gate.write(
        "integrations/fixed.yaml",
        gate.text("integrations/beta.yaml")
            + "  - api: notes/v1\n    operations: [createNote]\n    set: { body.title: '\"t\"' }\n",
    );
    gate.edit(
        "portcullis.yaml",
        "  admin:\n",
        "  partners: { address: \"127.0.0.1:0\", plain: true, allow: [10.0.0.0/8] }\n  admin:\n",
    );
    gate.edit(
        "portcullis.yaml",
        "defaults:\n",
        "trusted_proxies: [127.0.0.5/32]\ndefaults:\n",
    );
    gate.edit(
        "portcullis.yaml",
        "blocks: off",
        "blocks: { after: 30 refusals/min, for: 15m, escalate: 1 }",
    );
    gate.edit("portcullis.yaml", "head: 10s", "head: 2s");
    gate
}

fn upstream(late: &Latch) -> RecordingUpstream {
    let late = late.clone();
    RecordingUpstream::start(move |asked| {
        match asked.target.rsplit('/').next().unwrap_or_default() {
            "hang" => Play::Hang(Vec::new()),
            "cut" => Play::Close(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{".to_vec()),
            "fails" => Play::Response(json_response(500, "{}")),
            "rejects" => Play::Response(json_response(409, "{}")),
            "busy" => Play::Response(json_response(429, "{}")),
            "denies" => Play::Response(json_response(401, "{}")),
            "notes" if asked.body.ends_with(b"\"unknown\"}") => {
                Play::Response(json_response(500, "{}"))
            }
            "drifts" => Play::Response(json_response(200, r#"{"id":"1","id":"2"}"#)),
            "leaks" => Play::Response(json_response(200, &leaking())),
            "late" => Play::Held(late.clone(), json_response(200, NOTE)),
            _ => Play::Response(json_response(200, NOTE)),
        }
    })
}

/// A note with a private key in its text; put together here, so that no scanner takes this file for a leak.
fn leaking() -> String {
    let text = format!("-----BEGIN {0} KEY-----", "PRIVATE");
    serde_json::json!({ "id": "1", "title": "t", "text": text }).to_string()
}

fn strangers(book: &mut Book, server: &Server) {
    let read = call("GET", "/v1/notes/1");
    book.call(server, &read, None, "authn.missing");
    let wrong = Key {
        id: String::new(),
        text: "pk_live_wrong".to_owned(),
    };
    book.call(server, &read, Some(&wrong), "authn.invalid");
    let revoked = server.quick_key("alpha", &[]);
    server.admin("key.revoke", &serde_json::json!({ "id": revoked.id }));
    book.call(server, &read, Some(&revoked), "authn.revoked");
    let short = server.quick_key("beta", &[("expires_in", "1s")]);
    let ended = poll(PATIENCE, || {
        (server.send(&read, Some(&short)).status == 401).then_some(())
    });
    assert!(ended.is_some());
    book.call(server, &read, Some(&short), "authn.expired");
    book.call(
        server,
        &read,
        Some(&server.quick_key("placed", &[])),
        "authn.address_not_allowed",
    );
    server.admin(
        "integration.pause",
        &serde_json::json!({ "integration": "paused" }),
    );
    book.call(
        server,
        &read,
        Some(&server.quick_key("paused", &[])),
        "authn.integration_paused",
    );
}

// LONG: one call for each refusal, in one place to be read as a list.
fn requests(book: &mut Book, server: &Server, alpha: &Key) {
    let key = Some(alpha);
    let post = |body: &str| call("POST", "/v1/notes").json(body);
    book.call(
        server,
        &call("GET", "/v1/notes/1").with("X-Person", &"x".repeat(5_000)),
        key,
        "authn.user_malformed",
    );
    book.call(server, &call("GET", "/v1/../notes"), key, "http.malformed");
    let long = Call::get(&format!("/v1/notes?q={}", "a".repeat(20_000))).at(demo::Listener::Public);
    for (name, call) in [
        ("http.too_large.target", long),
        (
            "http.too_large.head",
            call("GET", "/v1/notes").with("X-Y", &"a".repeat(60_000)),
        ),
        (
            "http.too_large.body",
            post(&format!("\"{}\"", "a".repeat(300_000))),
        ),
    ] {
        let heard = wire::raw(
            server.address("public"),
            &call.bytes("gate.test", Some(&alpha.text)),
        );
        book.note(&heard.bytes, "http.too_large");
        book.also(name, &heard.bytes);
    }
    let newer = wire::raw(server.address("public"), b"GET /v1/notes HTTP/2.0\r\n\r\n");
    book.note(&newer.bytes, "http.version");
    book.call(server, &call("GET", "/v1/nothing"), key, "route.not_found");
    book.call(
        server,
        &call("PUT", "/v1/notes"),
        key,
        "route.method_not_allowed",
    );
    book.call(server, &call("GET", "/v0/notes"), key, "lifecycle.retired");
    book.call(server, &call("GET", "/v1/notes/a_b"), key, "validate.path");
    book.call(
        server,
        &call("GET", "/v1/notes?limit=many"),
        key,
        "validate.query",
    );
    book.call(
        server,
        &call("GET", "/v1/notes").with("X-Page", "two"),
        key,
        "validate.header",
    );
    book.call(
        server,
        &post(r#"{"title":7,"role":"admin"}"#),
        key,
        "validate.body",
    );
    let mut text = call("POST", "/v1/notes").with("Content-Type", "text/plain");
    text.body = b"t".to_vec();
    book.call(server, &text, key, "validate.content_type");
    book.call(
        server,
        &call("GET", "/v1/notes/1").with("Accept", "text/csv"),
        key,
        "validate.accept",
    );
    book.call(
        server,
        &post(r#"{"title":"unknown"}"#),
        key,
        "upstream.outcome_unknown",
    );
    let attack = r#"{"title":"t","text":"x' UNION SELECT password FROM users WHERE '1'='1"}"#;
    book.call(server, &post(attack), key, "inspect.sqli");
    book.call(
        server,
        &post(r#"{"title":"t","text":"<script>alert(document.cookie)</script>"}"#),
        key,
        "inspect.xss",
    );
}

fn returned(book: &mut Book, server: &Server, upstream: &RecordingUpstream, alpha: &Key) {
    server.send(&call("GET", "/v1/notes/1"), Some(alpha));
    let sent = upstream.requests().pop().unwrap();
    let again = call("GET", "/v1/notes/1").with("Via", sent.header("via").unwrap());
    book.call(server, &again, Some(alpha), "http.loop");
}

fn upstreams(book: &mut Book, server: &Server, alpha: &Key) {
    for (name, code) in [
        ("fails", "upstream.failed"),
        ("rejects", "upstream.rejected"),
        ("busy", "upstream.busy"),
        ("denies", "upstream.denied"),
        ("drifts", "response.contract"),
        ("leaks", "response.leak"),
        ("cut", "upstream.protocol"),
        ("hang", "upstream.timeout"),
    ] {
        let asked = call("GET", &format!("/v1/notes/{name}"));
        // A target that failed rests for a moment, and is then unreachable.
        let came = poll(PATIENCE, || {
            (server.send(&asked, Some(alpha)).code()? == code).then_some(())
        });
        assert!(came.is_some(), "{name}");
        let heard = poll(PATIENCE, || {
            let heard = wire::raw(
                server.address("public"),
                &asked.bytes("gate.test", Some(&alpha.text)),
            );
            (heard.only().code()? == code).then_some(heard)
        });
        book.note(&heard.unwrap().bytes, code);
    }
}

fn rules(book: &mut Book, server: &Server, upstream: &RecordingUpstream, held: &Latch) {
    let read = call("GET", "/v1/notes/1");
    let key = |name: &str| server.quick_key(name, &[]);
    book.call(
        server,
        &call("DELETE", "/v1/notes/1"),
        Some(&key("beta")),
        "authz.operation_not_granted",
    );
    book.call(
        server,
        &call("GET", "/v1/notes?limit=8"),
        Some(&key("context")),
        "authz.condition_failed",
    );
    book.call(
        server,
        &call("GET", "/v1/notes?tag=a"),
        Some(&key("beta")),
        "authz.parameter_not_granted",
    );
    book.call(
        server,
        &call("POST", "/v1/notes").json(r#"{"title":"other"}"#),
        Some(&key("fixed")),
        "authz.value_fixed",
    );
    book.call(server, &read, Some(&key("hidden")), "object.absent");
    book.call(server, &read, Some(&key("shown")), "object.denied");
    book.call(
        server,
        &call("POST", "/v1/notes").json(r#"{"title":"t","owner":"you"}"#),
        Some(&key("creator")),
        "object.create_denied",
    );
    let few = key("few");
    assert_eq!(server.send(&read, Some(&few)).status, 200);
    book.call(server, &read, Some(&few), "limit.exceeded");
    let (one, address) = (key("one"), server.address("public"));
    let text = one.text.clone();
    let late = std::thread::spawn(move || {
        wire::send(address, &call("GET", "/v1/notes/late"), Some(&text))
    });
    let is_there = || {
        upstream
            .requests()
            .iter()
            .any(|seen| seen.target.ends_with("/late"))
    };
    assert!(poll(PATIENCE, || is_there().then_some(())).is_some());
    book.call(server, &read, Some(&one), "limit.concurrency");
    held.open();
    late.join().unwrap();
}

fn places(book: &mut Book, server: &Server) {
    let at = |listener: &str, call: &Call| {
        let bytes = call.bytes("gate.test", None);
        wire::raw(server.address(listener), &bytes).bytes
    };
    book.note(&at("partners", &call("GET", "/v1/notes/1")), "ip.denied");
    let public = server.address("public");
    let knock = call("GET", "/v1/notes/1").bytes("gate.test", None);
    let forged = call("GET", "/v1/notes/1").with("X-Forwarded-For", "somewhere");
    let forged = forged.bytes("gate.test", None);
    let heard = wire::raw_from(Ipv4Addr::new(127, 0, 0, 5), public, &forged);
    book.note(&heard.bytes, "ip.forwarded");
    let blocked = poll(PATIENCE, || {
        let heard = wire::raw_from(Ipv4Addr::new(127, 0, 3, 3), public, &knock);
        (heard.only().code()? == "limit.blocked").then_some(heard)
    });
    book.note(&blocked.unwrap().bytes, "limit.blocked");
}

#[test]
fn every_refusal_reads_as_it_always_did() {
    let mut book = Book::default();
    let late = Latch::default();
    let upstream = upstream(&late);
    let server = serve(gate(&upstream));
    let alpha = server.quick_key("alpha", &[]);
    rules(&mut book, &server, &upstream, &late);
    requests(&mut book, &server, &alpha);
    returned(&mut book, &server, &upstream, &alpha);
    upstreams(&mut book, &server, &alpha);
    strangers(&mut book, &server);
    places(&mut book, &server);
    let dead = RecordingUpstream::always("{}").address();
    let careless = serve(Gate::demo(dead));
    let bytes = call("GET", "/v2/parts").bytes("localhost", None);
    book.note(
        &wire::raw(careless.address("public"), &bytes).bytes,
        "tls.required",
    );
    let key = careless.quick_key("inventory", &[]);
    book.call(
        &careless,
        &Call::get("/v2/parts"),
        Some(&key),
        "upstream.unreachable",
    );
    compare(&book);
    complete(&book);
}

fn compare(book: &Book) {
    let mut wrong = Vec::new();
    for (name, text) in &book.0 {
        let path = folder().join(format!("{name}.http"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, text).unwrap();
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        if golden != *text {
            wrong.push(format!("{name}\n--- was\n{golden}\n--- is\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Every code that is answered has a golden answer, or a written reason why not.
fn complete(book: &Book) {
    let all = gateway::reasons::reasons();
    let missing: Vec<&str> = all
        .iter()
        .filter(|reason| reason.status != 0)
        .map(|reason| reason.code)
        .filter(|code| !book.0.contains_key(*code))
        .filter(|code| !ELSEWHERE.iter().any(|(elsewhere, _)| elsewhere == code))
        // One form for all classes; which text is of which class is inspection's own matter.
        .filter(|code| !code.starts_with("inspect."))
        .collect();
    assert!(missing.is_empty(), "no golden answer for {missing:?}");
}

#[test]
fn the_deprecated_version_and_a_good_answer_have_their_fields() {
    let upstream = RecordingUpstream::fieldworks(&Fieldworks::new(7));
    let server = serve(Gate::demo(upstream.address()));
    let key = server.quick_key("accounting", &[]);
    let mut book = Book::default();
    for (name, target) in [
        ("ok", "/v2/work-orders/4711"),
        ("ok.deprecated", "/v1/work-orders/4711"),
    ] {
        let heard = wire::raw(
            server.address("local"),
            &Call::get(target).bytes("localhost", Some(&key.text)),
        );
        assert_eq!(heard.only().status, 200);
        book.also(name, &heard.bytes);
    }
    compare(&book);
}
