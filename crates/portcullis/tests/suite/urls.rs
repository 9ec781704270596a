//! URLs by which an upstream names itself: written as ours in what leaves, or withheld.
//! Start reading at `the_upstream_is_named_in_no_answer`.

use testkit::{Gate, Play, RecordingUpstream, json_response};

use crate::{call, serve};

/// Names itself in whatever it answers.
fn notes(asked: &testkit::Received) -> Play {
    let own = format!("http://{}", asked.header("host").unwrap_or_default());
    let title = match asked.target.rsplit('/').next() {
        Some("1") => format!("{own}/v1/notes/1?a=b"),
        Some("2") => format!("see {own}/v1/notes/2, or {own}/admin/2"),
        _ => format!("{own}@evil.example/ and http://other.example/v1/notes"),
    };
    Play::Response(json_response(
        200,
        &format!(r#"{{"id":"1","title":"{title}"}}"#),
    ))
}

#[test]
fn the_upstream_is_named_in_no_answer() {
    let upstream = RecordingUpstream::start(notes);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    for (id, title) in [("1", "/v1/notes/1?a=b"), ("2", "see /v1/notes/2, or ***")] {
        let read = server.send(&call("GET", &format!("/v1/notes/{id}")), Some(&key));
        assert_eq!(read.status, 200, "{}", read.text());
        let body = read.text();
        assert!(body.contains(&format!("\"title\":\"{title}\"")), "{body}");
        assert!(!body.contains(&upstream.address().to_string()), "{body}");
    }
    // Neither is a target's: its host is another one.
    let read = server.send(&call("GET", "/v1/notes/3"), Some(&key));
    assert!(
        read.text().contains("http://other.example/v1/notes"),
        "{}",
        read.text()
    );
}
