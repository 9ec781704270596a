//! The reference requests, and payloads as requests.

use waf::seclang::{Message, Mode, RuleSet, Transaction};

/// A raw request; Content-Length is added for a body.
pub fn raw(method: &str, target: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let mut head = format!(
        "{method} {target} HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: partner-client/2.4\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\nX-Request-Id: 0193a2b4c5d6\r\n"
    );
    if !body.is_empty() {
        head.push_str(&format!(
            "Content-Type: {content_type}\r\nContent-Length: {}\r\n",
            body.len()
        ));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// Head and body of a raw request.
pub fn cut(raw: &[u8]) -> (Message, Vec<u8>) {
    let at = raw
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap_or(raw.len());
    let head = String::from_utf8_lossy(&raw[..at]).into_owned();
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let (method, rest) = first.split_once(' ').unwrap_or((first, ""));
    let (target, protocol) = rest.rsplit_once(' ').unwrap_or((rest, ""));
    let headers = lines.filter_map(|line| line.split_once(": "));
    let message = Message {
        method: method.as_bytes().to_vec(),
        target: target.as_bytes().to_vec(),
        protocol: protocol.as_bytes().to_vec(),
        headers: headers
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect(),
        client: "127.0.0.1".to_owned(),
        ..Message::default()
    };
    (message, raw.get(at + 4..).unwrap_or_default().to_vec())
}

/// All five phases in blocking mode; the rule that denied.
pub fn judge(rules: &RuleSet, message: &Message, body: &[u8]) -> (Option<u32>, Vec<u32>) {
    let mut transaction = Transaction::new(rules, message, Mode::On);
    transaction.phase(1);
    if transaction.denied().is_none() {
        transaction.body(body);
        transaction.phase(2);
    }
    if transaction.denied().is_none() {
        transaction.response(
            200,
            &[(b"Content-Type".to_vec(), b"application/json".to_vec())],
        );
        transaction.phase(3);
        transaction.response_body(b"");
        transaction.phase(4);
    }
    transaction.phase(5);
    let ids = transaction.events().iter().map(|event| event.id).collect();
    (transaction.denied().map(|(id, _)| id), ids)
}
