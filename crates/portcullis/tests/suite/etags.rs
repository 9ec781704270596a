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
