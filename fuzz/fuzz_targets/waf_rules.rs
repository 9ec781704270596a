//! The rule language: nothing panics, and every mistake names the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waf::seclang::RuleSet;
use waf::{RuleFile, RuleFiles};

fuzz_target!(|text: &[u8]| {
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
});
