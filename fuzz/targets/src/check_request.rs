//! Requests against a contract: nothing panics, and what enforcing accepts, observing accepts without a note.

use std::sync::{Arc, LazyLock};

use contract::{Contract, Source, UnknownFields};
use model::http::{BodyLength, Head, Protocol};
use model::json::Bounds;
use model::{CanonicalRequest, Headers, Mode};

const API: &str = include_str!("api.yaml");

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    let source = Source {
        file: "api.yaml",
        text: API,
        overlay: None,
        load: &|_| None,
        unknown_fields: UnknownFields::Refuse,
        bounds: Bounds::default(),
    };
    contract::compile(&source).expect("the contract is right")
});

/// One input.
pub fn run(input: (u8, &str, &str, &str, &[u8])) {
    let (which, query, id, header, body) = input;
    let operations = &CONTRACT.operations;
    let Some(operation) = operations.get(usize::from(which) % operations.len()) else {
        return;
    };
    let mut headers = Headers::new();
    let kind = if which > 127 {
        "application/x-www-form-urlencoded"
    } else {
        "application/json"
    };
    headers.push("content-type", kind);
    headers.push("x-list", header);
    headers.push("cookie", header);
    let head = Head {
        protocol: Protocol::Http11,
        method: operation.method,
        target: format!("/customers/1?{query}"),
        authority: "gate.test".into(),
        headers,
        body: BodyLength::None,
    };
    let Ok(request) = CanonicalRequest::of(head) else {
        return;
    };
    let values = [(Arc::from("id"), id.to_owned())];
    let judge = |mode| contract::check_request(operation, &request, &values, body, mode);
    let (enforced, observed) = (judge(Mode::Enforce), judge(Mode::Observe));
    match (&enforced, &observed) {
        (Ok(enforced), Ok(observed)) => {
            assert!(observed.noted.is_empty() && !observed.is_unproven);
            assert_eq!(enforced.body_bytes, observed.body_bytes);
        }
        (Ok(_), Err(refusal)) => panic!("{refusal:?}"),
        (Err(_), Ok(observed)) => assert!(!observed.noted.is_empty() && observed.is_unproven),
        (Err(_), Err(_)) => {}
    }
    if let Ok(valid) = &observed {
        let _ = contract::leaves(operation, valid, &[]);
    }
}
