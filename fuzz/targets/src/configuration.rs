//! Configuration files: nothing panics, and every answer is a configuration or at least one mistake.

use config::{Files, Options};
use model::Timestamp;

const FILES: [&str; 3] = [
    "portcullis.yaml",
    "apis/notes.yaml",
    "integrations/alpha.yaml",
];

/// One input.
pub fn run(input: (u8, &str)) {
    let (which, text) = input;
    let mut files = Files::new();
    let gate: [(&str, &str); 4] = [
        (
            "portcullis.yaml",
            include_str!("../../../testkit/gate/portcullis.yaml"),
        ),
        (
            "apis/notes.yaml",
            include_str!("../../../testkit/gate/apis/notes.yaml"),
        ),
        (
            "apis/notes.v1.openapi.yaml",
            include_str!("../../../testkit/gate/apis/notes.v1.openapi.yaml"),
        ),
        (
            "integrations/alpha.yaml",
            include_str!("../../../testkit/gate/integrations/alpha.yaml"),
        ),
    ];
    for (name, text) in gate {
        files.insert(name, text.as_bytes());
    }
    if let Some(name) = FILES.get(usize::from(which) % FILES.len()) {
        files.insert(*name, text.as_bytes());
    }
    let now = Timestamp::from_micros(1_780_000_000_000_000);
    if let Err(mistakes) = config::compile(&files, Options { now }) {
        assert!(!mistakes.is_empty());
    }
}
