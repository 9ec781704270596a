//! Hostile heads, every splitting of them, and a second naive reader that must never be stricter than the codec.

use proptest::prelude::*;

use super::chunked::{ChunkFault, Chunked, Fed, Side};
use super::request::{Reader, Request};
use super::response::{self, ResponseBody};
use crate::Unreadable;
use crate::spec::Bounds;

type Verdict = Result<Option<Request>, Box<Unreadable>>;

fn read(bytes: &[u8]) -> Verdict {
    Reader::default().read(bytes, &Bounds::default())
}

/// The verdict as a line, for comparing splittings.
fn told(verdict: &Verdict) -> String {
    match verdict {
        Ok(None) => String::from("more"),
        Ok(Some(r)) => format!(
            "{:?} {} {} {:?}",
            r.head.method, r.head.target, r.consumed, r.head.body
        ),
        Err(what) => format!("{} {} {}", what.reason.code, what.status, what.detail),
    }
}

/// Feeds the bytes one more at a time from `from` on, with one reader, as a slow client would.
fn read_in_pieces(bytes: &[u8], from: usize) -> Verdict {
    let mut reader = Reader::default();
    for end in from..=bytes.len() {
        match reader.read(&bytes[..end], &Bounds::default()) {
            Ok(None) => {}
            done => return done,
        }
    }
    Ok(None)
}

const HOSTILE: &[(&str, &str, u16)] = &[
    (
        "fp13 connection names content-length",
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: Content-Length\r\nContent-Length: 5\r\n\r\n",
        400,
    ),
    (
        "fp13 connection names host",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, host\r\n\r\n",
        400,
    ),
    (
        "fp14 both lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    (
        "fp14 both lengths, other order",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n",
        400,
    ),
    (
        "fp14 two transfer codings",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        400,
    ),
    (
        "fp14 coding list",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        400,
    ),
    (
        "fp14 chunked twice",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
        400,
    ),
    (
        "fp14 identity",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
        400,
    ),
    (
        "fp14 empty coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n",
        400,
    ),
    (
        "fp14 quoted coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n",
        400,
    ),
    (
        "fp14 coding with parameter",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n",
        400,
    ),
    (
        "fp14 vertical tab in coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n",
        400,
    ),
    (
        "fp14 coding on HTTP/1.0",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    (
        "fp15 empty name",
        "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
        400,
    ),
    (
        "fp15 empty length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
        400,
    ),
    (
        "fp15 length overflow",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
        400,
    ),
    (
        "fp15 length wraps",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\n",
        400,
    ),
    (
        "fp16 leading zero",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 010\r\n\r\n",
        400,
    ),
    (
        "fp16 plus sign",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
        400,
    ),
    (
        "fp16 minus sign",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        400,
    ),
    (
        "fp16 hexadecimal",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x10\r\n\r\n",
        400,
    ),
    (
        "fp16 underscore digits",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\n",
        400,
    ),
    (
        "fp16 length list",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
        400,
    ),
    (
        "fp16 length twice",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        400,
    ),
    (
        "fp16 length conflict",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\ncontent-length: 6\r\n\r\n",
        400,
    ),
    (
        "fp16 inner blank in length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 2\r\n\r\n",
        400,
    ),
    (
        "fp16 missing host",
        "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n",
        400,
    ),
    ("fp16 missing host on 1.0", "GET / HTTP/1.0\r\n\r\n", 400),
    (
        "fp16 two hosts",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        400,
    ),
    ("fp16 empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
    (
        "fp16 host list",
        "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
        400,
    ),
    (
        "fp10 host with user part",
        "GET / HTTP/1.1\r\nHost: x@a\r\n\r\n",
        400,
    ),
    (
        "fp10 host with path",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        400,
    ),
    (
        "fp10 trailing dot",
        "GET / HTTP/1.1\r\nHost: a.test.\r\n\r\n",
        400,
    ),
    (
        "fp16 NUL in value",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
        400,
    ),
    (
        "fp16 control in value",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n",
        400,
    ),
    (
        "fp16 DEL in value",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\x7fb\r\n\r\n",
        400,
    ),
    (
        "fp16 NUL in name",
        "GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n",
        400,
    ),
    (
        "fp17 bare LF everywhere",
        "GET / HTTP/1.1\nHost: a\n\n",
        400,
    ),
    (
        "fp17 bare LF after a field",
        "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        400,
    ),
    (
        "fp17 bare LF at the end",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        400,
    ),
    (
        "fp17 bare CR as line end",
        "GET / HTTP/1.1\rHost: a\r\r",
        400,
    ),
    (
        "fp17 bare CR in value",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
        400,
    ),
    ("fp17 CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400),
    (
        "fp17 folded line",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
        400,
    ),
    (
        "fp17 folded with tab",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n",
        400,
    ),
    (
        "fp17 blank before the first field",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        400,
    ),
    (
        "fp17 blank before colon",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        400,
    ),
    (
        "fp17 tab before colon",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length\t: 5\r\n\r\n",
        400,
    ),
    (
        "fp17 blank in name",
        "GET / HTTP/1.1\r\nHost: a\r\nX Y: a\r\n\r\n",
        400,
    ),
    (
        "fp17 no colon",
        "GET / HTTP/1.1\r\nHost: a\r\nXY\r\n\r\n",
        400,
    ),
    (
        "fp17 unicode in name",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer\u{2010}Encoding: chunked\r\n\r\n",
        400,
    ),
    (
        "fp17 unicode in target",
        "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    ("fp17 two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (
        "fp17 tab in request line",
        "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp17 blank after version",
        "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp17 leading empty line",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp17 leading blank",
        " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp21 connect",
        "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
        405,
    ),
    ("fp17 version 1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 400),
    ("fp17 version 2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400),
    (
        "fp17 lower-case version",
        "GET / http/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp17 version 01.1",
        "GET / HTTP/01.1\r\nHost: a\r\n\r\n",
        400,
    ),
    ("fp17 HTTP/0.9", "GET /\r\n\r\n", 400),
    (
        "fp17 HTTP/2 preface",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        400,
    ),
    (
        "fp10 absolute form",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp10 absolute form, other host",
        "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp17 asterisk",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    ("fp05 fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (
        "fp17 pseudo-header",
        "GET / HTTP/1.1\r\nHost: a\r\n:path: /x\r\n\r\n",
        400,
    ),
    (
        "fp19 upgrade",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        400,
    ),
    (
        "fp19 upgrade alone",
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n",
        400,
    ),
    (
        "expect something else",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n",
        400,
    ),
    (
        "expect twice",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
        400,
    ),
    (
        "trace with body",
        "TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
        400,
    ),
    ("TLS on a plain port", "\x16\x03\x01\x02\x00", 400),
];

#[test]
fn a_method_nobody_declares_is_read_and_left_to_the_road() {
    for (token, kept) in [
        ("BREW", "BREW"),
        ("get", "get"),
        ("PROPFIND", "PROPFIND"),
        ("!#$%&'*+-.^_`|~", "!#$%&'*+-.^_`|~"),
        ("ABCDEFGHIJKLMNOPQRS", "ABCDEFGHIJKLMNOP"),
        ("CONNECT", "CONNECT"),
    ] {
        let head = format!("{token} /x HTTP/1.1\r\nHost: a\r\n\r\n");
        let request = read(head.as_bytes()).unwrap().unwrap();
        assert!(matches!(request.head.method, model::Method::Other(_)));
        assert_eq!(request.head.method.as_str(), kept);
    }
    for token in ["", "B\u{e9}", "B(", "B\tC", "B\"", "[", "{"] {
        let head = format!("{token} /x HTTP/1.1\r\nHost: a\r\n\r\n");
        let what = read(head.as_bytes()).unwrap_err();
        assert_eq!((what.status, what.reason.code), (400, "http.malformed"));
    }
}

#[test]
fn hostile_heads_are_refused_and_say_why() {
    for (name, head, status) in HOSTILE {
        let what = match read(head.as_bytes()) {
            Err(what) => what,
            other => panic!("{name}: {}", told(&other)),
        };
        let code = match status {
            405 => "route.method_not_allowed",
            _ => "http.malformed",
        };
        assert_eq!((what.status, what.reason.code), (*status, code), "{name}");
        assert!(!what.detail.is_empty(), "{name}");
    }
}

#[test]
fn the_verdict_does_not_depend_on_how_bytes_are_split() {
    let plain =
        "POST /a?b=c HTTP/1.1\r\nHost: A.test:80\r\nContent-Length: 3\r\nX:\t y \r\n\r\nabc";
    let heads = HOSTILE.iter().map(|(_, head, _)| *head).chain([plain]);
    for head in heads {
        let whole = told(&read(head.as_bytes()));
        for from in 0..=head.len() {
            let pieces = told(&read_in_pieces(head.as_bytes(), from));
            assert_eq!(pieces, whole, "{head:?} from {from}");
        }
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_complete() {
    let status = |text: String| match (read(text.as_bytes()), read_in_pieces(text.as_bytes(), 0)) {
        (Err(a), Err(b)) if a == b => (a.reason.code, a.status),
        other => panic!("{} / {}", told(&other.0), told(&other.1)),
    };
    let long = "a".repeat(8 * 1024 + 100);
    assert_eq!(status(format!("GET /{long}")), ("http.too_large", 414));
    assert_eq!(
        status(format!("GET /{long} HTTP/1.1\r\n")),
        ("http.too_large", 414)
    );
    let many = "x: y\r\n".repeat(101);
    assert_eq!(
        status(format!("GET / HTTP/1.1\r\n{many}")),
        ("http.too_large", 431)
    );
    let big = "x".repeat(33 * 1024);
    assert_eq!(
        status(format!("GET / HTTP/1.1\r\nx: {big}")),
        ("http.too_large", 431)
    );
    let fits = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "x: y\r\n".repeat(99));
    assert!(matches!(read(fits.as_bytes()), Ok(Some(_))));
}

#[test]
fn a_plain_head_becomes_what_it_says() {
    let head = "PUT /v2/a%20b?x=1 HTTP/1.1\r\nHOST: Gate.Test:8443\r\nAccept: a\r\ncontent-LENGTH: 12\r\n\
                Expect: 100-Continue\r\nConnection: keep-alive\r\nX-Odd: \u{e9}\r\n\r\nrest";
    let request = read(head.as_bytes()).unwrap().unwrap();
    assert_eq!(request.head.target, "/v2/a%20b?x=1");
    assert_eq!(request.head.authority, "gate.test:8443");
    assert_eq!(request.head.body, model::http::BodyLength::Known(12));
    assert_eq!(request.consumed, head.len() - 4);
    assert!(request.expects_continue && request.is_keep_alive);
    let names: Vec<_> = request.head.headers.iter().map(|(n, _)| n).collect();
    assert_eq!(names, ["accept", "connection", "x-odd"]);
    let old = read(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        .unwrap()
        .unwrap();
    assert!(!old.is_keep_alive, "HTTP/1.0 connections are not kept");
}

/// A second reader, written from the grammar without the codec's tools: it says only whether a head is beyond doubt.
fn naive_accepts(head: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(head) else {
        return false;
    };
    let Some(body) = text.strip_suffix("\r\n\r\n") else {
        return false;
    };
    let mut lines = body.split("\r\n");
    let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, version] = words.as_slice() else {
        return false;
    };
    let is_start = model::Method::read(method).is_some()
        && target.starts_with('/')
        && target.chars().all(|c| c.is_ascii_graphic() && c != '#')
        && matches!(*version, "HTTP/1.1" | "HTTP/1.0");
    let (mut hosts, mut lengths, mut codings) = (0, 0, 0);
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            return false;
        };
        let is_token = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c));
        let value = value.trim_matches([' ', '\t']);
        if !is_token || value.chars().any(|c| c != '\t' && c.is_ascii_control()) {
            return false;
        }
        match name.to_ascii_lowercase().as_str() {
            "host" => hosts += 1,
            "content-length" => {
                lengths += 1;
                if value.parse::<u64>().ok().map(|n| n.to_string()).as_deref() != Some(value) {
                    return false;
                }
            }
            "transfer-encoding" => {
                codings += 1;
                if !value.eq_ignore_ascii_case("chunked") || *version == "HTTP/1.0" {
                    return false;
                }
            }
            "upgrade" => return false,
            _ => {}
        }
    }
    is_start && hosts == 1 && lengths + codings <= 1
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "GET",
        "POST",
        " ",
        "/",
        "/a?b",
        "*",
        "http://a/",
        "#",
        "HTTP/1.1",
        "HTTP/1.0",
        "\r\n",
        "\r",
        "\n",
        ":",
        ": ",
        "Host: a\r\n",
        "Host",
        "Content-Length: 5\r\n",
        "content-length",
        "05",
        "+5",
        "5",
        "5,5",
        "Transfer-Encoding: chunked\r\n",
        "transfer-encoding",
        "chunked",
        "Connection: close\r\n",
        "Expect: 100-continue\r\n",
        "X: y\r\n",
        "\t",
        "\0",
        "\u{e9}",
        " HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\n",
        "\r\n\r\n",
        "Upgrade: x\r\n",
        "\x0b",
    ]);
    prop::collection::vec(words, 0..14).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn accepted_heads_are_accepted_by_the_naive_reader_too(bytes in pieces()) {
        if let Ok(Some(request)) = read(&bytes) {
            prop_assert!(naive_accepts(&bytes[..request.consumed]), "{:?}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn a_valid_start_with_random_fields_never_slips_through(bytes in pieces()) {
        let bytes = [b"POST /a HTTP/1.1\r\nHost: a\r\n", bytes.as_slice(), b"\r\n\r\n"].concat();
        let whole = read(&bytes);
        if let Ok(Some(request)) = &whole {
            prop_assert!(naive_accepts(&bytes[..request.consumed]), "{:?}", String::from_utf8_lossy(&bytes));
        }
        prop_assert_eq!(told(&read_in_pieces(&bytes, 0)), told(&whole));
    }

    #[test]
    fn any_bytes_at_all_are_judged_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
        let _ = response::Reader::default().read(&bytes, false);
        let mut out = Vec::new();
        let _ = Chunked::new(Side::Request).feed(&bytes, &mut out, 64);
        prop_assert!(out.len() <= 64);
    }

    #[test]
    fn chunked_bodies_come_out_as_they_went_in(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut coded = Vec::new();
        for chunk in &chunks {
            coded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            coded.extend_from_slice(chunk);
            coded.extend_from_slice(b"\r\n");
        }
        coded.extend_from_slice(b"0\r\n\r\nGET /next");
        let end = coded.len() - 9;
        let (first, second) = coded.split_at(cut.index(coded.len()));
        let mut decoder = Chunked::new(Side::Request);
        let mut out = Vec::new();
        let one = decoder.feed(first, &mut out, 4096).unwrap();
        let two = decoder.feed(second, &mut out, 4096).unwrap();
        prop_assert_eq!(one.consumed + two.consumed, end);
        prop_assert!(two.is_done);
        prop_assert_eq!(out, chunks.concat());
    }
}

fn chunked(side: Side, text: &str, max: usize) -> Result<(Fed, Vec<u8>), ChunkFault> {
    let mut out = Vec::new();
    let whole = Chunked::new(side).feed(text.as_bytes(), &mut out, max);
    // Byte by byte the verdict must be the same.
    let (mut decoder, mut slow) = (Chunked::new(side), Vec::new());
    let steps: Result<Vec<Fed>, ChunkFault> = text
        .as_bytes()
        .chunks(1)
        .map(|byte| decoder.feed(byte, &mut slow, max))
        .collect();
    assert_eq!(whole.is_ok(), steps.is_ok(), "{text:?}");
    whole.map(|fed| (fed, out))
}

#[test]
fn chunk_games_are_refused() {
    for text in [
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "-1\r\n",
        " 5\r\nhello\r\n",
        "5 \r\nhello\r\n",
        "\r\n",
        ";a\r\n",
        "5;a=b\r\nhello\r\n",
        "5\nhello\n0\n\n",
        "5\r\nhelloX\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "00000000000000005\r\nhello\r\n",
        "fffffffffffffffff\r\n",
        "0\r\nX: y\r\n\r\n",
        "0\r\n\rX",
        "0\r\nX",
        "5_0\r\n",
        "g\r\n",
        "5\r\r\nhello",
    ] {
        assert!(
            matches!(
                chunked(Side::Request, text, 100),
                Err(ChunkFault::Malformed(_))
            ),
            "{text:?}"
        );
    }
    assert_eq!(
        chunked(Side::Request, "ffffffffffffffff\r\n", 100),
        Err(ChunkFault::TooLarge)
    );
    assert_eq!(
        chunked(Side::Request, "65\r\n", 100),
        Err(ChunkFault::TooLarge)
    );
    let (fed, body) = chunked(Side::Request, "5\r\nhello\r\n0000\r\n\r\nrest", 5).unwrap();
    assert_eq!(
        (fed.consumed, fed.is_done, body.as_slice()),
        (18, true, &b"hello"[..])
    );
}

#[test]
fn trailers_and_extensions_of_answers_are_dropped_within_a_bound() {
    let (fed, body) = chunked(
        Side::Response,
        "5 ;a=b\r\nhello\r\n0\r\nX: y\r\nZ: z\r\n\r\n",
        100,
    )
    .unwrap();
    assert!(fed.is_done && body == b"hello");
    let long = format!("0\r\nX: {}\r\n\r\n", "y".repeat(9000));
    assert!(matches!(
        chunked(Side::Response, &long, 100),
        Err(ChunkFault::Malformed(_))
    ));
}

#[test]
fn answers_with_two_readings_are_no_answers() {
    let read = |text: &str| response::Reader::default().read(text.as_bytes(), false);
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 05\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 700 What\r\nContent-Length: 0\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "garbage\r\n\r\n",
    ] {
        assert!(read(text).is_err(), "{text:?}");
    }
    let body = |text: &str| read(text).unwrap().map(|h| (h.body, h.is_keep_alive));
    assert_eq!(
        body("HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n"),
        Some((ResponseBody::Known(5), true))
    );
    assert_eq!(
        body("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
        Some((ResponseBody::UntilClose, false))
    );
    assert_eq!(
        body("HTTP/1.0 200 OK\r\n\r\n"),
        Some((ResponseBody::UntilClose, false))
    );
    assert_eq!(
        body("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
        Some((ResponseBody::None, true))
    );
    let head =
        response::Reader::default().read(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true);
    let head = head.unwrap().unwrap();
    assert_eq!((head.body, head.length), (ResponseBody::None, Some(9)));
}
