//! Finds the rule set among the test material and reads its files.

use std::path::{Path, PathBuf};
use waf::{RuleFile, RuleFiles};

/// The folder of the rule set, or `None` with a visible SKIP.
pub fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("PORTCULLIS_CORPORA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"),
        PathBuf::from,
    );
    let path = root.join("crs");
    if path.join("rules").is_dir() {
        return Some(path);
    }
    println!("SKIP: no rule set at {}", path.display());
    None
}

pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Setup example, then `extra`, then the rules in name order; data files by name.
pub fn rule_files(corpus: &Path, extra: &str) -> RuleFiles {
    let mut files = RuleFiles::default();
    let mut add = |name: String, text: Vec<u8>| files.rules.push(RuleFile { name, text });
    add(
        "crs-setup.conf".to_owned(),
        read(&corpus.join("crs-setup.conf.example")),
    );
    add("test-setup.conf".to_owned(), extra.as_bytes().to_vec());
    let mut paths: Vec<PathBuf> = std::fs::read_dir(corpus.join("rules"))
        .expect("a rules folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in &paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.ends_with(".conf") {
            files.rules.push(RuleFile {
                name,
                text: read(path),
            });
        } else if name.ends_with(".data") {
            files.data.insert(name, read(path));
        }
    }
    files
}
