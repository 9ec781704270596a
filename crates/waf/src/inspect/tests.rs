use super::*;
use crate::finding::Class;
use crate::part::Place;
use crate::settings::{Exclusion, RuleFiles, Settings};

fn plan() -> Plan {
    crate::compile(&Settings::default(), &RuleFiles::none()).unwrap()
}

fn look(text: &str) -> Findings {
    let parts = [Part::value(Place::Body, "/note", text.as_bytes())];
    inspect(&parts, &RequestFacts::default(), &plan(), 0)
}

#[test]
fn ordinary_text_with_quote_and_keywords_passes() {
    let found = look("O'Brien; select seats from the union");
    assert!(!found.refuse, "{found:?}");
}

#[test]
fn classic_sql_injection_is_refused() {
    for text in ["' OR 1=1--", "1 UNION SELECT password FROM users"] {
        let found = look(text);
        assert!(found.refuse, "{text}: {found:?}");
        assert_eq!(
            found.worst().map(|worst| worst.class),
            Some(Class::Sqli),
            "{text}"
        );
    }
}

#[test]
fn an_operator_key_is_refused_and_named() {
    let parts = [Part::name(Place::Body, "/filter/$where", b"$where")];
    let found = inspect(&parts, &RequestFacts::default(), &plan(), 0);
    assert_eq!(
        found.worst().map(|worst| worst.class),
        Some(Class::Nosqli),
        "{found:?}"
    );
    assert!(found.refuse);
}

#[test]
fn an_exclusion_silences_until_it_expires() {
    let settings = Settings {
        exclusions: vec![Exclusion {
            operation: Some("createOrder".to_owned()),
            pointer: "/note".to_owned(),
            rules: vec!["sqli".to_owned()],
            owner: "orders".to_owned(),
            expires: "2026-12-01".to_owned(),
            reason: "the field holds report queries".to_owned(),
        }],
        ..Settings::default()
    };
    let plan = crate::compile(&settings, &RuleFiles::none()).unwrap();
    let facts = RequestFacts {
        operation: "createOrder",
        ..RequestFacts::default()
    };
    let parts = [Part::value(Place::Body, "/note", b"' OR 1=1--")];
    let before = inspect(&parts, &facts, &plan, 1_795_392_000);
    assert!(!before.refuse && !before.excluded.is_empty(), "{before:?}");
    let after = inspect(&parts, &facts, &plan, 1_796_083_200);
    assert!(after.refuse, "{after:?}");
}

#[test]
fn too_much_work_is_refused_with_its_own_class() {
    let settings = Settings {
        work_max: 10,
        ..Settings::default()
    };
    let plan = crate::compile(&settings, &RuleFiles::none()).unwrap();
    let text = "ordinary words ".repeat(50);
    let parts = [Part::value(Place::Body, "/note", text.as_bytes())];
    let found = inspect(&parts, &RequestFacts::default(), &plan, 0);
    assert!(found.refuse);
    assert_eq!(
        found.worst().map(|worst| worst.class),
        Some(Class::Deadline)
    );
}
