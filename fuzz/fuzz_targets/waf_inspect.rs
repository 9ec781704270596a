//! Inspection with the default pack: nothing panics, and the same text gives the same findings.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use waf::{Part, Place, Plan, RequestFacts, RuleFiles, Settings, compile, inspect};

static PLAN: LazyLock<Plan> =
    LazyLock::new(|| compile(&Settings::default(), &RuleFiles::none()).expect("the default pack compiles"));

fuzz_target!(|text: &[u8]| {
    let parts = [Part::value(Place::Body, "/a", text), Part::name(Place::Body, "/a", text)];
    let first = inspect(&parts, &RequestFacts::default(), &PLAN, 0);
    assert_eq!(first, inspect(&parts, &RequestFacts::default(), &PLAN, 0));
});
