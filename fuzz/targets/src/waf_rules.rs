//! The rule language: nothing panics, and every mistake names the file.

use waf::seclang::RuleSet;
use waf::{RuleFile, RuleFiles};

/// One input.
pub fn run(text: &[u8]) {
    let files = RuleFiles {
        rules: vec![RuleFile {
            name: "fuzz.conf".to_owned(),
            text: text.to_vec(),
        }],
        ..RuleFiles::default()
    };
    if let Err(errors) = RuleSet::load(&files) {
        assert!(errors.iter().all(|error| !error.file.is_empty()));
    }
}
