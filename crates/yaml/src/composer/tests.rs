use super::*;

fn refused(text: &str, rules: Rules) -> String {
    let mistakes = read(text, rules).unwrap_err();
    let lines: Vec<String> = mistakes
        .iter()
        .map(|m| format!("{}: {}", m.line.unwrap_or(0), m.message))
        .collect();
    lines.join("\n")
}

#[test]
fn what_readers_disagree_about_is_refused_everywhere() {
    for rules in [Rules::OWN_FILE, Rules::DOCUMENT] {
        for (text, message) in [
            ("a: 1\nb: 2\na: 3\n", "3: the key `a` is written twice"),
            ("a: 1\n'a': 3\n", "2: the key `a` is written twice"),
            ("a: {<<: 1}\n", "1: merge keys (`<<`) are not accepted"),
            ("a: 1\n---\nb: 2\n", "2: a second document begins here"),
            ("? [a, b]\n: 1\n", "1: a key has to be a word"),
        ] {
            assert_eq!(refused(text, rules), message);
        }
    }
}

#[test]
fn our_own_files_are_read_without_looking_elsewhere() {
    for (text, message) in [
        (
            "a: &x 1\nb: *x\n",
            "1: anchors are not accepted\n2: aliases are not accepted",
        ),
        ("a: !!int 1\n", "1: tags are not accepted"),
        ("a: ${HOME}\n", "1: `${…}` is not expanded here"),
        (
            "%YAML 1.2\n---\na: 1\n",
            "1: this is not YAML: YAML directives are disallowed",
        ),
    ] {
        assert_eq!(refused(text, Rules::OWN_FILE), message);
    }
}

#[test]
fn documents_of_others_may_use_what_yaml_has() {
    let text = "%YAML 1.2\n---\na: &x {b: '${c}'}\nd: *x\ne: !!str 1\nf: !!int 2\n";
    let value = read(text, Rules::DOCUMENT).unwrap().to_json();
    assert_eq!(
        value,
        serde_json::json!({"a": {"b": "${c}"}, "d": {"b": "${c}"}, "e": "1", "f": 2})
    );
    assert_eq!(
        refused("a: !mine x\n", Rules::DOCUMENT),
        "1: this tag is not known here"
    );
}

#[test]
fn reading_goes_on_after_single_refused_values() {
    let (root, mistakes) = read_on("a: ${b}\nc: {d: 1, d: 2}\ne: 3\n", Rules::OWN_FILE);
    assert_eq!(mistakes.len(), 2);
    assert_eq!(
        root.unwrap().to_json(),
        serde_json::json!({"a": null, "c": {"d": 1}, "e": 3})
    );
}

#[test]
fn spans_are_the_bytes_as_written() {
    let text = "a: \"ü\"\nb: [x, yy ]  # comment\n";
    let Value::Map(entries) = read(text, Rules::OWN_FILE).unwrap().value else {
        panic!("a map")
    };
    let written: Vec<&str> = entries.pairs.iter().map(|(_, v)| v.span.of(text)).collect();
    assert_eq!(written, ["\"ü\"", "[x, yy ]"]);
    assert_eq!(entries.pairs[1].0.span.line, 2);
}

#[test]
fn depth_is_bounded() {
    for rules in [Rules::OWN_FILE, Rules::DOCUMENT] {
        let deep = rules.depth_max + 10;
        let nested = format!("a: {}{}", "[".repeat(deep), "]".repeat(deep));
        assert!(read(&nested, rules).is_err());
        assert!(read(&"- ".repeat(deep), rules).is_err());
    }
    // An alias at the deepest level is as deep as what it names.
    let levels = 3 * Rules::DOCUMENT.depth_max / 4;
    let text = format!("a: &x {}1{}\n", "[".repeat(levels), "]".repeat(levels));
    let text = format!("{text}b: {}*x{}\n", "[".repeat(levels), "]".repeat(levels));
    assert!(read(&text, Rules::DOCUMENT).is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[-a-z:{}\\[\\],&*!|>'\"#%@ \t\nü$<]{0,80}") {
        let own = read(&text, Rules::OWN_FILE);
        let document = read(&text, Rules::DOCUMENT);
        // What our own files may hold, a document may hold, and it means the same but for numbers.
        if let Ok(own) = own {
            let document = document.unwrap();
            proptest::prop_assert_eq!(own.to_json(), document.to_json());
        }
    }
}
