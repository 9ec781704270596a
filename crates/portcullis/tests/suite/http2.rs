//! Requests over HTTP/2 that no honest client sends, and their innocent twins: by hand-written frames over real TLS against the real binary.
//! What is refused never reaches the upstream, and is on the record; what is taken arrives with one reading. Start reading at `REFUSED`.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use testkit::frames::{
    END_HEADERS, END_STREAM, Hostile, block, coded, frame, indexed, kind, literal, remembered,
};
use testkit::{Gate, Key, Received, RecordingUpstream, Server};

use crate::serve;

const NOTE: &str = r#"{"id":"1","title":"t"}"#;
const BODY: &[u8] = br#"{"title":"t"}"#;

/// Fields of a request that is taken: a write, so that whatever got through would have been carried out.
const USUAL: [(&str, &str); 5] = [
    (":method", "PUT"),
    (":scheme", "https"),
    (":authority", "localhost"),
    (":path", "/v1/notes/1"),
    ("content-type", "application/json"),
];

struct Stage {
    upstream: RecordingUpstream,
    server: Server,
    key: Key,
}

/// What came of a request.
#[derive(Debug)]
enum Came {
    /// An answer: its status, by its body.
    Answer(u64, Value),
    /// The stream was reset, or the connection ended.
    Reset(u32),
}

impl Stage {
    fn open() -> Stage {
        let upstream = RecordingUpstream::always(NOTE);
        let server = serve(Gate::small(upstream.address()).secured());
        let key = server.quick_key("alpha", &[]);
        Stage {
            upstream,
            server,
            key,
        }
    }

    fn connection(&self) -> Hostile {
        let ca = std::fs::read(self.server.gate.home().join("ca.pem")).unwrap();
        Hostile::open(Ipv4Addr::LOCALHOST, self.server.address("secure"), &ca)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.key.text)
    }

    /// Sends a header block and this body on a connection of its own.
    fn sent(&self, block: &[u8], body: &[u8]) -> (Came, Option<Received>) {
        self.upstream.forget();
        let mut connection = self.connection();
        let bytes = [
            frame(kind::HEADERS, END_HEADERS, 1, block),
            frame(kind::DATA, END_STREAM, 1, body),
        ]
        .concat();
        connection.send(&bytes);
        (heard(&mut connection, 1), self.upstream.requests().pop())
    }

    /// The usual fields with some of them changed, and others behind them.
    fn with(&self, changed: &[(&str, Option<&str>)], more: &[(&str, &str)]) -> Vec<u8> {
        let bearer = self.bearer();
        let mut fields = Vec::new();
        for (name, value) in USUAL {
            match changed.iter().find(|(known, _)| *known == name) {
                Some((_, None)) => {}
                Some((_, Some(value))) => fields.push((name, *value)),
                None => fields.push((name, value)),
            }
        }
        fields.push(("authorization", &bearer));
        fields.extend(more);
        block(&fields)
    }
}

/// What came of a stream.
fn heard(connection: &mut Hostile, stream: u32) -> Came {
    let ended = connection.wait_for(testkit::PATIENCE, |seen| {
        let is_end = match seen.kind {
            kind::DATA => seen.flags & END_STREAM != 0,
            other => other == kind::RST_STREAM,
        };
        let is_gone = seen.kind == kind::GOAWAY && seen.error() != 0;
        is_gone || (is_end && seen.stream == stream)
    });
    let ended = ended.unwrap_or_else(|| panic!("nothing came: {:?}", connection.seen()));
    if ended.kind != kind::DATA {
        return Came::Reset(ended.error());
    }
    let seen = connection.seen();
    let data = seen
        .iter()
        .filter(|s| s.kind == kind::DATA && s.stream == stream);
    let body: Vec<u8> = data.flat_map(|s| s.payload.clone()).collect();
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    Came::Answer(body["status"].as_u64().unwrap_or(200), body)
}

/// A change of the usual fields, and others behind them.
type Change = (
    &'static str,
    &'static [(&'static str, Option<&'static str>)],
    &'static [(&'static str, &'static str)],
);

/// RFC 9113 §8.1.1, §8.2 and §8.3: each is refused, by us with an answer or by a reset of its stream.
const REFUSED: &[Change] = &[
    ("a name in capital letters", &[], &[("X-Colour", "red")]),
    ("a name with a blank", &[], &[("x colour", "red")]),
    ("an empty name", &[], &[("", "red")]),
    ("a name with a colon", &[], &[("x:colour", "red")]),
    ("a name with a byte of none", &[], &[("x-\u{0}", "red")]),
    ("a value with CR", &[], &[("x-colour", "red\r")]),
    ("a value with LF", &[], &[("x-colour", "red\nx: y")]),
    ("a value with NUL", &[], &[("x-colour", "r\u{0}d")]),
    (
        "a value that begins with a blank",
        &[],
        &[("x-colour", " red")],
    ),
    (
        "a cookie that ends with a blank",
        &[],
        &[("cookie", "a=b ")],
    ),
    (
        "a value that ends with a tab",
        &[],
        &[("x-colour", "red\t")],
    ),
    ("a field of a connection", &[], &[("connection", "close")]),
    ("keep-alive", &[], &[("keep-alive", "timeout=5")]),
    ("proxy-connection", &[], &[("proxy-connection", "close")]),
    (
        "a coding of transfer",
        &[],
        &[("transfer-encoding", "chunked")],
    ),
    (
        "an offer of another protocol",
        &[],
        &[("upgrade", "websocket")],
    ),
    ("te that is not trailers", &[], &[("te", "gzip")]),
    (
        "te with more than trailers",
        &[],
        &[("te", "trailers, gzip")],
    ),
    ("no authority", &[(":authority", None)], &[]),
    (
        "no authority, and a host",
        &[(":authority", None)],
        &[("host", "localhost")],
    ),
    ("a host that differs", &[], &[("host", "other.test")]),
    ("a host with another port", &[], &[("host", "localhost:1")]),
    (
        "two hosts",
        &[],
        &[("host", "localhost"), ("host", "localhost")],
    ),
    (
        "an authority with a user",
        &[(":authority", Some("me@localhost"))],
        &[],
    ),
    ("two authorities", &[], &[(":authority", "localhost")]),
    (
        "a pseudo-field behind others",
        &[(":path", None)],
        &[(":path", "/v1/notes/1")],
    ),
    (
        "two paths",
        &[(":scheme", None)],
        &[(":path", "/v1/notes/2")],
    ),
    ("an unknown pseudo-field", &[], &[(":colour", "red")]),
    (
        "a pseudo-field of answers",
        &[(":path", None)],
        &[(":status", "200")],
    ),
    ("no method", &[(":method", None)], &[]),
    ("no scheme", &[(":scheme", None)], &[]),
    ("another scheme", &[(":scheme", Some("ftp"))], &[]),
    ("no path", &[(":path", None)], &[]),
    ("an empty path", &[(":path", Some(""))], &[]),
    ("a path that is none", &[(":path", Some("v1/notes/1"))], &[]),
    (
        "a whole address as the path",
        &[(":path", Some("https://localhost/v1/notes/1"))],
        &[],
    ),
    (
        "a path with a blank",
        &[(":path", Some("/v1/notes/1 x"))],
        &[],
    ),
    (
        "a path with a fragment",
        &[(":path", Some("/v1/notes/1#x"))],
        &[],
    ),
    (
        "a path with an empty fragment",
        &[(":path", Some("/v1/notes/1#"))],
        &[],
    ),
    (
        "a query with a fragment",
        &[(":path", Some("/v1/notes/1?a=b#c?d"))],
        &[],
    ),
    (
        "a fragment that holds the path",
        &[(":path", Some("/#/v1/notes/1"))],
        &[],
    ),
    ("a fragment alone", &[(":path", Some("#/v1/notes/1"))], &[]),
    (
        "a length that is too small",
        &[],
        &[("content-length", "5")],
    ),
    (
        "a length that is too large",
        &[],
        &[("content-length", "14")],
    ),
    ("a length of nothing", &[], &[("content-length", "0")]),
    ("a length with a sign", &[], &[("content-length", "+13")]),
    ("a length with a zero", &[], &[("content-length", "013")]),
    (
        "two lengths",
        &[],
        &[("content-length", "13"), ("content-length", "13")],
    ),
    ("a list of lengths", &[], &[("content-length", "13, 13")]),
    (
        "two idempotency keys",
        &[],
        &[("idempotency-key", "a"), ("idempotency-key", "a")],
    ),
    ("two types", &[], &[("content-type", "application/json")]),
    ("two credentials", &[], &[("authorization", "Bearer x")]),
    (
        "an expectation of something else",
        &[],
        &[("expect", "200-ok")],
    ),
];

#[test]
fn what_has_no_place_in_a_stream_is_refused_and_recorded_and_goes_nowhere() {
    let stage = Stage::open();
    let (came, sent) = stage.sent(&stage.with(&[], &[]), BODY);
    assert!(matches!(came, Came::Answer(200, _)), "{came:?}");
    assert!(sent.is_some(), "the innocent twin");
    let (mut refused, mut reset) = (0, 0);
    for (name, changed, more) in REFUSED {
        let (came, sent) = stage.sent(&stage.with(changed, more), BODY);
        assert!(sent.is_none(), "{name}: {came:?} {sent:?}");
        match came {
            Came::Answer(400, body) if body["code"] == "http.malformed" => refused += 1,
            // PROTOCOL_ERROR, and of the whole connection COMPRESSION_ERROR for what is no field.
            Came::Reset(1 | 9) => reset += 1,
            other => panic!("{name}: {other:?}"),
        }
    }
    eprintln!("{refused} refused with an answer, {reset} reset");
    let malformed = stage.server.ledger_of(&json!({ "code": "http.malformed" }));
    let requests = malformed.iter().filter(|event| event["kind"] == "request");
    // A length that is not that of the body is found by us and by the library, each in its time.
    let requests = requests.count();
    assert!((refused..refused + 4).contains(&requests), "{requests}");
    let came = testkit::poll(testkit::PATIENCE, || {
        let events = stage.server.ledger_of(&json!({ "kind": "connection" }));
        let counted: u64 = events
            .iter()
            .filter_map(|event| event["count"].as_u64())
            .sum();
        (counted >= reset).then_some(())
    });
    assert!(came.is_some(), "every reset is on the record");
}

/// A path is written in many ways (RFC 7541 §6). Whatever stands behind `#` in it, the library drops before we see it.
#[test]
fn a_fragment_is_refused_however_its_path_is_written_and_costs_nobody_else() {
    let stage = Stage::open();
    let bearer = stage.bearer();
    let path = "/v1/notes/1#x";
    // `:path` by its place in the static table, by its name, coded and not, remembered and not.
    let paths: [(&str, Vec<u8>); 6] = [
        ("a place", literal(0x00, 4, path, false)),
        ("another place, coded", literal(0x10, 5, path, true)),
        ("a place, remembered", literal(0x40, 4, path, true)),
        ("a name", block(&[(":path", path)])),
        ("a name, remembered", remembered(":path", path)),
        (
            "a coded name",
            [&[0x00][..], &coded(":path"), &coded(path)].concat(),
        ),
    ];
    for (name, written) in &paths {
        let head = block(&[
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "localhost"),
        ]);
        let key = block(&[("authorization", &bearer), ("x-colour", "#fff")]);
        let head = [&head[..], written, &key].concat();
        stage.upstream.forget();
        let mut connection = stage.connection();
        let usual = head_of(&bearer, "/v1/notes/2");
        // Another request before it, cut into pieces, and one behind it.
        let (first, rest) = head.split_at(head.len() / 2);
        let bytes = [
            frame(kind::HEADERS, END_HEADERS | END_STREAM, 1, &usual),
            frame(kind::HEADERS, END_STREAM, 3, first),
            frame(kind::CONTINUATION, END_HEADERS, 3, rest),
            frame(kind::HEADERS, END_HEADERS | END_STREAM, 5, &usual),
        ]
        .concat();
        connection.send(&bytes);
        let came = [1, 3, 5].map(|id| match heard(&mut connection, id) {
            Came::Answer(status, body) => (status, body["code"].as_str().map(str::to_owned)),
            other => panic!("{name}, stream {id}: {other:?}"),
        });
        let refused = (400, Some(String::from("http.malformed")));
        assert_eq!(came, [(200, None), refused, (200, None)], "{name}");
        let targets: Vec<String> = stage
            .upstream
            .requests()
            .into_iter()
            .map(|r| r.target)
            .collect();
        assert_eq!(targets, ["/v1/notes/2"; 2], "{name}");
    }
    let events = stage.server.ledger_of(&json!({ "code": "http.malformed" }));
    assert_eq!(events.len(), paths.len());
    for event in events {
        assert_eq!(event["detail"], "the target holds a fragment", "{event}");
        assert_eq!(event["path"], "/v1/notes/1", "{event}");
    }
}

/// A path that was remembered and is asked for again is judged and forwarded as it stands: nobody sees what was cut off.
#[test]
fn what_is_judged_of_a_path_is_what_is_forwarded() {
    let stage = Stage::open();
    let bearer = stage.bearer();
    let mut connection = stage.connection();
    let head = block(&[
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "localhost"),
    ]);
    let key = block(&[("authorization", &bearer)]);
    let cut = literal(0x40, 4, "/v1/notes/7#/../../admin", false);
    // Behind other fields nobody looks for a path: the block is malformed, and its fields are remembered all the same.
    let hidden = [&head[..], &key, &cut].concat();
    connection.send(&frame(kind::HEADERS, END_HEADERS | END_STREAM, 1, &hidden));
    assert!(matches!(heard(&mut connection, 1), Came::Reset(1)));
    let again = [&head[..], &indexed(62), &key].concat();
    connection.send(&frame(kind::HEADERS, END_HEADERS | END_STREAM, 3, &again));
    let Came::Answer(200, _) = heard(&mut connection, 3) else {
        panic!("{:?}", connection.seen());
    };
    let sent = stage.upstream.requests();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].target, "/v1/notes/7");
    let sent = String::from_utf8_lossy(&sent[0].bytes).into_owned();
    assert!(!sent.contains('#') && !sent.contains("admin"), "{sent}");
    let judged = stage.server.ledger_of(&json!({ "kind": "request" }));
    assert_eq!(judged.len(), 1);
    assert_eq!(judged[0]["path"], "/v1/notes/7", "{}", judged[0]);
}

fn head_of(bearer: &str, path: &str) -> Vec<u8> {
    block(&[
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", path),
        ("authorization", bearer),
    ])
}

#[test]
fn what_has_one_reading_in_a_stream_arrives_with_it() {
    let stage = Stage::open();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let arrives = |changed: &[(&str, Option<&str>)], more: &[(&str, &str)], name: &str| {
        let (came, sent) = stage.sent(&stage.with(changed, more), BODY);
        let sent = sent.unwrap_or_else(|| panic!("{more:?}: {came:?}"));
        assert_eq!(sent.body, BODY);
        let of_name = sent.headers.iter().filter(|(known, _)| known == name);
        of_name.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let nothing = Vec::<String>::new();
    assert_eq!(arrives(&[], &[("te", "trailers")], "te"), nothing);
    assert_eq!(
        arrives(&[], &[("expect", "100-continue")], "expect"),
        nothing
    );
    assert_eq!(
        arrives(&[], &[("host", "LOCALHOST")], "content-length"),
        ["13"]
    );
    assert_eq!(
        arrives(&[(":authority", Some("LocalHost"))], &[], "content-length"),
        ["13"]
    );
    assert_eq!(
        arrives(&[(":scheme", Some("http"))], &[], "content-length"),
        ["13"]
    );
    assert_eq!(
        arrives(&[], &[("content-length", "13")], "content-length"),
        ["13"]
    );
    assert_eq!(
        arrives(
            &[],
            &[("prefer", "return=minimal"), ("prefer", "wait=5")],
            "prefer"
        ),
        ["return=minimal, wait=5"]
    );
    let bound = arrives(&[], &[("idempotency-key", "a")], "idempotency-key");
    assert!(
        bound.len() == 1 && bound[0].len() > 10,
        "bound to its caller: {bound:?}"
    );
    assert_eq!(
        arrives(
            &[],
            &[("traceparent", trace), ("traceparent", trace)],
            "traceparent"
        ),
        nothing
    );
    assert_eq!(
        arrives(&[], &[("cookie", "a=b"), ("cookie", "c=d")], "cookie"),
        nothing,
        "none is declared"
    );
}
