//! Field paths: nothing panics, and what is printed reads back as the same path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::FieldPath;

fuzz_target!(|text: &str| {
    let Ok(paths) = FieldPath::parse(text) else {
        return;
    };
    for path in paths {
        assert_eq!(FieldPath::parse(&path.to_string()), Ok(vec![path]));
    }
});
