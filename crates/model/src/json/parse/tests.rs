use proptest::prelude::*;

use super::*;
use crate::json::write;

fn kind(text: &str) -> Option<ProblemKind> {
    parse(text.as_bytes(), Bounds::default())
        .err()
        .map(|p| p.kind)
}

/// Documents that RFC 8259 allows and we refuse on purpose: duplicate keys.
const REFUSED_BY_POLICY: [&str; 2] = [
    "y_object_duplicated_key.json",
    "y_object_duplicated_key_and_value.json",
];

#[test]
fn the_public_suite_is_read_as_it_demands() {
    let root = std::env::var("PORTCULLIS_CORPORA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora").into());
    let folder = std::path::Path::new(&root).join("json-test-suite/test_parsing");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("SKIP: no JSON test suite at {}", folder.display());
        return;
    };
    let (mut accepted, mut refused) = (0, 0);
    for file in files {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let is_ok = parse(&std::fs::read(file.path()).unwrap(), Bounds::default()).is_ok();
        if name.starts_with("y_") && !REFUSED_BY_POLICY.contains(&name.as_str()) {
            assert!(is_ok, "{name} must be accepted");
            accepted += 1;
        } else if name.starts_with("n_") || name.starts_with("y_") {
            assert!(!is_ok, "{name} must be refused");
            refused += 1;
        }
    }
    println!("{accepted} accepted, {refused} refused");
    assert!(accepted > 90 && refused > 180);
}

#[test]
fn a_key_occurs_once_however_it_is_written() {
    assert_eq!(
        kind(r#"{"a":1,"\u0061":2}"#),
        Some(ProblemKind::DuplicateKey)
    );
    let wide: Vec<String> = (0..200).map(|n| format!("\"k{n}\":{n}")).collect();
    let wide = wide.join(",");
    assert_eq!(kind(&format!("{{{wide}}}")), None);
    for again in ["k3", "k17", "k199", r"\u006b42"] {
        let text = format!("{{{wide},\"{again}\":0}}");
        assert_eq!(kind(&text), Some(ProblemKind::DuplicateKey), "{again}");
    }
}

#[test]
fn every_kind_of_problem_is_named() {
    for (text, wanted) in [
        ("", ProblemKind::Syntax),
        ("{} {}", ProblemKind::Syntax),
        ("[1,]", ProblemKind::Syntax),
        ("// a\n1", ProblemKind::Syntax),
        ("NaN", ProblemKind::Syntax),
        ("01", ProblemKind::Syntax),
        ("\"\u{1}\"", ProblemKind::Syntax),
        ("\u{feff}1", ProblemKind::Encoding),
        (r#""\ud800""#, ProblemKind::Encoding),
        (r#""\ud800\u0041""#, ProblemKind::Encoding),
        (r#""\udc00""#, ProblemKind::Encoding),
        ("1e400", ProblemKind::Number),
        ("1e99999999999", ProblemKind::Number),
        ("1e-401", ProblemKind::Number),
    ] {
        assert_eq!(kind(text), Some(wanted), "{text}");
    }
    assert_eq!(kind(&"1".repeat(129)), Some(ProblemKind::Number));
    assert_eq!(kind(&"[".repeat(65)), Some(ProblemKind::TooDeep));
    assert_eq!(kind(&format!("{}{}", "[".repeat(64), "]".repeat(64))), None);
    let many = format!("[{}1]", "1,".repeat(100_000));
    assert_eq!(kind(&many), Some(ProblemKind::TooLarge));
    assert_eq!(
        parse(b"\"\xc0\x80\"", Bounds::default()).unwrap_err().kind,
        ProblemKind::Encoding
    );
}

#[test]
fn a_problem_names_its_place() {
    let at = |text: &str| parse(text.as_bytes(), Bounds::default()).unwrap_err();
    assert_eq!(at(r#"{"a/b":[1,{"c":nul}]}"#).pointer, "/a~1b/1/c");
    assert_eq!(at(r#"{"a":{"b":1,"b":2}}"#).pointer, "/a/b");
    assert_eq!(at("[1 2]").offset, 3);
}

#[test]
fn digits_are_kept() {
    for text in ["9007199254740993", "1.50", "-0", "1E+2"] {
        let value = parse(text.as_bytes(), Bounds::default()).unwrap();
        assert_eq!(value, Json::Number(text.into()));
    }
}

fn value() -> impl Strategy<Value = Json> {
    let number = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?"
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        number.prop_map(|n| Json::Number(n.into())),
        any::<String>().prop_map(|text| Json::Text(text.into())),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Json::List),
            prop::collection::btree_map(any::<String>(), inner, 0..24)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.into(), value)))
                .prop_map(|members| Json::Object(members.collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(value in value()) {
        let mut text = Vec::new();
        write(&value, &mut text);
        prop_assert_eq!(parse(&text, Bounds::default()).unwrap(), value);
    }

    #[test]
    fn arbitrary_bytes_never_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&text, Bounds::default());
    }

    #[test]
    fn what_is_accepted_is_what_another_reader_reads(text in "[\\[\\]{}:,\"\\\\a0-9eE.+ -]{0,12}") {
        if let Ok(value) = parse(text.as_bytes(), Bounds::default()) {
            let other: serde_json::Value = serde_json::from_str(&text).unwrap();
            let mut written = Vec::new();
            write(&value, &mut written);
            prop_assert_eq!(serde_json::from_slice::<serde_json::Value>(&written).unwrap(), other);
        }
    }
}
