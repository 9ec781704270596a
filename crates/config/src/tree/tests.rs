use super::*;

fn refused(text: &str) -> String {
    let mistakes = parse(text).unwrap_err();
    let lines: Vec<String> = mistakes
        .iter()
        .map(|m| format!("{}: {}", m.line.unwrap_or(0), m.message))
        .collect();
    lines.join("\n")
}

fn value(text: &str) -> Value {
    match parse(&format!("a: {text}")).unwrap().value {
        Value::Map(entries) => entries.pairs.into_iter().next().unwrap().1.value,
        other => other,
    }
}

#[test]
fn words_that_older_yaml_took_for_something_are_text() {
    for text in [
        "no",
        "yes",
        "on",
        "off",
        "y",
        "n",
        "2027-03-31",
        "0x1F",
        "1_000",
        "12:30",
        ".inf",
        "1/min",
    ] {
        assert!(matches!(value(text), Value::Text(t) if t == text), "{text}");
    }
    assert!(matches!(value("true"), Value::Bool(true)) && matches!(value("~"), Value::Null));
    assert!(matches!(value("-7"), Value::Int(-7)) && matches!(value("1.5"), Value::Float(_)));
    assert!(matches!(value("\"true\""), Value::Text(_)));
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    assert_eq!(
        refused("a: 1\nb: 2\na: 3\n"),
        "3: the key `a` is written twice"
    );
    assert_eq!(
        refused("a: &x 1\nb: *x\n"),
        "1: anchors are not accepted\n2: aliases are not accepted"
    );
    assert_eq!(refused("a: !!int 1\n"), "1: tags are not accepted");
    assert_eq!(refused("a: ${HOME}\n"), "1: `${…}` is not expanded here");
    assert_eq!(
        refused("a: 1\n---\nb: 2\n"),
        "2: a second document begins here"
    );
    assert_eq!(refused("? [a, b]\n: 1\n"), "1: a key has to be a word");
}

#[test]
fn spans_are_the_bytes_as_written() {
    let text = "a: \"ü\"\nb: [x, yy ]  # comment\n";
    let Value::Map(entries) = parse(text).unwrap().value else {
        panic!("a map")
    };
    let written: Vec<&str> = entries
        .pairs
        .iter()
        .map(|(_, v)| slice(text, v.span))
        .collect();
    assert_eq!(written, ["\"ü\"", "[x, yy ]"]);
    assert_eq!(entries.pairs[1].0.span.line, 2);
}

#[test]
fn depth_is_bounded() {
    let nested = format!("a: {}{}", "[".repeat(200), "]".repeat(200));
    assert!(parse(&nested).is_err());
    assert!(parse(&"- ".repeat(200)).is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[-a-z:{}\\[\\],&*!|>'\"#%@ \t\nü$]{0,80}") {
        let _ = parse(&text);
    }
}
