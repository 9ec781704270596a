//! Entity tags: locking works through the gate, and a tag tells nothing of the record behind it.

use demo::{Call, Fieldworks};
use testkit::{Gate, RecordingUpstream};

use crate::serve;

#[test]
fn a_tag_is_sealed_on_the_way_out_and_the_upstreams_own_on_the_way_in() {
    let upstream = RecordingUpstream::fieldworks(&Fieldworks::new(7));
    let server = serve(Gate::demo(upstream.address()).unlimited());
    let crm = server.quick_key("crm", &[]);
    let read = || server.send(&Call::get("/v2/customers/9"), Some(&crm));
    let (first, second) = (read(), read());
    let tag = first.header("etag").unwrap().to_owned();
    assert_ne!(
        Some(tag.as_str()),
        second.header("etag"),
        "equal tags could be compared"
    );
    assert!(tag.len() > 30, "{tag}");
    assert_eq!(first.header("last-modified"), None);

    let change = Call::new("PATCH", "/v2/customers/9").json(r#"{"name":"Fenwick Dairy"}"#);
    let changed = server.send(&change.clone().with("If-Match", &tag), Some(&crm));
    assert_eq!(changed.status, 200, "{}", changed.text());
    let seen = upstream.requests();
    let sent = seen
        .iter()
        .rfind(|request| request.method == "PATCH")
        .unwrap();
    let own = sent.header("if-match").unwrap();
    assert!(
        own.len() < 14 && own.starts_with('"'),
        "the upstream reads its own tag, not {own}"
    );

    let invented = server.send(&change.with("If-Match", "\"7\""), Some(&crm));
    assert_eq!(
        invented.code().as_deref(),
        Some("validate.header"),
        "{}",
        invented.text()
    );
}

#[test]
fn a_read_of_a_judged_object_asks_the_upstream_without_a_condition() {
    let upstream = RecordingUpstream::fieldworks(&Fieldworks::new(7));
    let server = serve(Gate::demo(upstream.address()).unlimited());
    let crm = server.quick_key("crm", &[]);
    // A 412 or 304 of the upstream would tell that there is such an object.
    for condition in ["If-Match", "If-None-Match"] {
        let read = Call::get("/v2/customers/9").with(condition, "\"7\"");
        let response = server.send(&read, Some(&crm));
        assert_eq!(response.status, 200, "{condition}: {}", response.text());
    }
    let heard = upstream.requests();
    let conditions = ["if-match", "if-none-match"].map(|name| {
        let sent = heard.iter().filter_map(|request| request.header(name));
        sent.count()
    });
    assert_eq!((heard.len(), conditions), (2, [0, 0]));
}
