//! Hostile heads, every splitting of them, and a second naive reader that must never be stricter than the codec.

use proptest::prelude::*;

use super::chunked::{Chunked, Side};
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
        "fp17 leading blank",
        " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp21 connect",
        "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
        405,
    ),
    ("fp17 version 2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("fp17 version 0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
    (
        "fp17 version 1.10",
        "GET / HTTP/1.10\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp17 version 11.1",
        "GET / HTTP/11.1\r\nHost: a\r\n\r\n",
        400,
    ),
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
        505,
    ),
    (
        "fp10 absolute form, other host",
        "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp10 absolute form, other port",
        "GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp10 absolute form, port of the other scheme",
        "GET http://a:443/ HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp10 absolute form, longer host",
        "GET http://a.b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp10 absolute form, user part",
        "GET http://x@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp10 absolute form, no host",
        "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp10 absolute form, another scheme",
        "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp10 absolute form, fragment",
        "GET http://a/#b HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp10 absolute form without Host",
        "GET http://a/ HTTP/1.1\r\n\r\n",
        400,
    ),
    (
        "fp10 authority form",
        "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp17 asterisk",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        405,
    ),
    (
        "fp17 asterisk to read",
        "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp17 two empty lines",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp17 bare LF before a request",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    (
        "fp17 bare CR before a request",
        "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
    ),
    ("fp05 fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (
        "fp17 pseudo-header",
        "GET / HTTP/1.1\r\nHost: a\r\n:path: /x\r\n\r\n",
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
            505 => "http.version",
            _ => "http.malformed",
        };
        assert_eq!((what.status, what.reason.code), (*status, code), "{name}");
        assert!(!what.detail.is_empty(), "{name}");
    }
}

/// Each with the head that it is read like.
#[test]
fn what_has_only_one_reading_is_taken() {
    let plain = "GET /x?y HTTP/1.1\r\nHost: a\r\n\r\n";
    for (name, head) in [
        ("RFC 9112 §2.2", "\r\nGET /x?y HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("RFC 9110 §2.5", "GET /x?y HTTP/1.2\r\nHost: a\r\n\r\n"),
        (
            "RFC 9110 §2.5, the highest",
            "GET /x?y HTTP/1.9\r\nHost: a\r\n\r\n",
        ),
        (
            "RFC 9112 §3.2.2",
            "GET http://a/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
        ),
        (
            "RFC 9110 §4.2.1",
            "GET HTTP://A:80/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
        ),
        (
            "RFC 9110 §4.2.2",
            "GET https://a/x?y HTTP/1.1\r\nHost: A:443\r\n\r\n",
        ),
    ] {
        let (read, plain) = (read(head.as_bytes()), read(plain.as_bytes()));
        let (read, plain) = (read.unwrap().unwrap(), plain.unwrap().unwrap());
        assert_eq!(read.head.target, plain.head.target, "{name}");
        assert_eq!(read.head.method, plain.head.method, "{name}");
        assert_eq!(read.consumed, head.len(), "{name}");
        assert!(read.is_keep_alive, "{name}");
    }
    for (target, path) in [
        ("http://a", "/"),
        ("http://a?y", "/?y"),
        ("http://a/?y", "/?y"),
    ] {
        let head = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(read(head.as_bytes()).unwrap().unwrap().head.target, path);
    }
    for offer in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\n",
        "Upgrade: h2c\r\n",
    ] {
        let head = format!("GET /x HTTP/1.1\r\nHost: a\r\n{offer}\r\n");
        let read = read(head.as_bytes()).unwrap().unwrap();
        assert!(read.is_keep_alive, "RFC 9110 §7.8: {offer}");
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
    let text = text.strip_prefix("\r\n").unwrap_or(text);
    let Some(body) = text.strip_suffix("\r\n\r\n") else {
        return false;
    };
    let mut lines = body.split("\r\n");
    let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, version] = words.as_slice() else {
        return false;
    };
    let is_start = model::Method::read(method).is_some()
        && (target.starts_with('/') || target.starts_with("http://a/"))
        && target.chars().all(|c| c.is_ascii_graphic() && c != '#')
        && version.len() == 8
        && version.starts_with("HTTP/1.");
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
            "host" if target.starts_with('/') || value == "a" => hosts += 1,
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
        "HTTP/1.2",
        "HTTP/2.0",
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
