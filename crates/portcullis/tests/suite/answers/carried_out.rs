//! Whatever a success looks like, a write that was carried out keeps its status.
//! Start reading at `no_success_of_a_write_becomes_a_failure`.

use std::sync::{Arc, Mutex};

use testkit::{Play, RecordingUpstream, Scale, answer, poll};

use super::concealed::SplitMix64;
use super::{ORDER, gate, is_ours, send};
use crate::{call, serve};

const INSIDE: &str = r#"{"id":"1","title":"t","owner":"you","margin":"INSIDE"}"#;

/// An answer of the 2xx class as it must not be.
fn odd_success(dice: &mut SplitMix64) -> (u16, Play) {
    let status = dice.one_of(&[200, 201, 202, 203, 204, 205, 207, 208, 299]);
    let kind = dice.one_of(&[
        "application/json",
        "text/html",
        "application/json;charset=latin1",
        "",
        "x",
    ]);
    let body = dice.one_of(&[
        ORDER,
        INSIDE,
        "",
        "{",
        "[]",
        "null",
        "\"INSIDE\"",
        "INSIDE",
        r#"{"id":{}}"#,
        "\u{feff}{}",
    ]);
    let body = if status == 204 { "" } else { body };
    let mut fields = vec![("x-inside".to_owned(), "INSIDE".to_owned())];
    if !kind.is_empty() {
        fields.push(("content-type".to_owned(), kind.to_owned()));
    }
    if dice.next(4) == 0 {
        fields.push(("content-encoding".to_owned(), "gzip".to_owned()));
    }
    let mut bytes = answer(status, &fields, body.as_bytes());
    // Now and then the connection ends before the body does.
    if body.len() > 1 && dice.next(4) == 0 {
        bytes.truncate(bytes.len() - 1);
        return (status, Play::Close(bytes));
    }
    (status, Play::Response(bytes))
}

#[test]
fn no_success_of_a_write_becomes_a_failure() {
    let now = Arc::new(Mutex::new(Play::Response(Vec::new())));
    let said = Arc::clone(&now);
    let upstream = RecordingUpstream::start(move |asked| match asked.method.as_str() {
        "GET" => Play::Response(testkit::json_response(200, ORDER)),
        _ => said.lock().unwrap().clone(),
    });
    let gate = gate(&upstream);
    gate.edit(
        "apis/orders.yaml",
        "base_path: /o",
        "base_path: /o\n    checks: { response: enforce }",
    );
    let server = serve(gate);
    let mine = server.quick_key("mine", &[]);
    let mut dice = SplitMix64(7);
    for _ in 0..Scale::pick(60, 600, 6_000) {
        let (status, play) = odd_success(&mut dice);
        *now.lock().unwrap() = play.clone();
        let body = r#"{"title":"t","owner":"me"}"#;
        let asked = match dice.next(4) {
            0 => call("POST", "/o/orders").json(body),
            1 => call("PUT", "/o/orders/1").json(body),
            2 => call("PATCH", "/o/orders/1").json(body),
            _ => call("DELETE", "/o/orders/1"),
        };
        let response = poll(testkit::PATIENCE, || {
            let response = send(&server, &mine, &asked);
            // A resting target was not asked at all.
            (response.code().as_deref() != Some("upstream.unreachable")).then_some(response)
        });
        let response = response.unwrap();
        let what = format!("{} {status} {play:?}: {}", asked.method, response.text());
        assert_eq!(response.status, status, "{what}");
        assert!(!is_ours(&response), "{what}");
    }
}
