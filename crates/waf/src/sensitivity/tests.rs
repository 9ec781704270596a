use super::*;
use crate::settings::RuleFiles;

#[test]
fn days_are_counted_as_the_calendar_does() {
    assert_eq!(day("1970-01-01"), Some(0));
    assert_eq!(day("2000-03-01"), Some(951_868_800));
    assert_eq!(day("2026-11-23"), Some(1_795_392_000));
    assert_eq!(day("2026-13-01"), None);
    assert_eq!(day("soon"), None);
}

#[test]
fn an_exclusion_without_owner_refuses_the_load() {
    let settings = Settings {
        exclusions: vec![Exclusion {
            operation: None,
            pointer: "/note".to_owned(),
            rules: vec!["sqli".to_owned()],
            owner: " ".to_owned(),
            expires: "2027-01-01".to_owned(),
            reason: String::new(),
        }],
        ..Settings::default()
    };
    let errors = crate::compile(&settings, &RuleFiles::none()).unwrap_err();
    assert!(errors[0].message.contains("no owner"), "{errors:?}");
}

#[test]
fn a_star_stands_for_one_segment() {
    let exclusion = exclude(&Exclusion {
        operation: Some("createOrder".to_owned()),
        pointer: "/items/*/note".to_owned(),
        rules: vec!["sqli".to_owned()],
        owner: "team-orders".to_owned(),
        expires: "2027-01-01".to_owned(),
        reason: String::new(),
    })
    .unwrap();
    assert!(exclusion.covers_pointer("/items/17/note"));
    assert!(!exclusion.covers_pointer("/items/17/sub/note"));
    assert!(!exclusion.covers_pointer("/items/17"));
}
