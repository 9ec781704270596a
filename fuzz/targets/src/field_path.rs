//! Field paths: nothing panics, and what is printed reads back as the same path.

use model::FieldPath;

/// One input.
pub fn run(text: &str) {
    let Ok(paths) = FieldPath::parse(text) else {
        return;
    };
    for path in paths {
        assert_eq!(FieldPath::parse(&path.to_string()), Ok(vec![path]));
    }
}
