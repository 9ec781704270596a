//! Inspection with the default pack, and the scanner of answers: nothing panics, the same text gives
//! the same findings, the work stays bounded, and masking keeps the length.

use std::sync::LazyLock;

use waf::{
    LeakKind, LeakScanner, Part, Place, Plan, RequestFacts, RuleFiles, Settings, compile, inspect,
    masked,
};

static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    compile(&Settings::default(), &RuleFiles::none()).expect("the default pack compiles")
});
static SCANNER: LazyLock<LeakScanner> =
    LazyLock::new(|| LeakScanner::compile().expect("the leak rules compile"));

/// One input.
pub fn run(text: &[u8]) {
    let parts = [
        Part::value(Place::Body, "/a", text),
        Part::name(Place::Body, "/a", text),
        Part {
            url: true,
            ..Part::value(Place::Query, "a", text)
        },
    ];
    let first = inspect(&parts, &RequestFacts::default(), &PLAN, 0);
    assert_eq!(first, inspect(&parts, &RequestFacts::default(), &PLAN, 0));
    let found = SCANNER.find(text, &LeakKind::ALL);
    assert!(found.windows(2).all(|pair| pair[0].to <= pair[1].from));
    assert_eq!(masked(text, &found).len(), text.len());
}
