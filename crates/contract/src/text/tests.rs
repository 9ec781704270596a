use super::*;
use serde_json::json;

#[test]
fn yaml_is_read_by_the_core_schema() {
    let value = to_value(
        "a: 1\nb: '1'\nc: [yes, true, ~]\nd: 1.50\n200: x\ne: 2026-01-01\nf: &x {g: 0x10}\nh: *x\n",
    );
    assert_eq!(
        value.unwrap(),
        json!({"a":1,"b":"1","c":["yes",true,null],"d":1.5,"200":"x","e":"2026-01-01","f":{"g":16},"h":{"g":16}})
    );
    assert_eq!(
        to_value(r#"{"a":"\ud83d\ude00"}"#).unwrap(),
        json!({"a":"😀"})
    );
}

#[test]
fn what_readers_disagree_about_is_refused_at_its_place() {
    for (text, at) in [
        ("a: 1\na: 2\n", 5),
        ("a: 1\n---\nb: 2\n", 5),
        ("a: !mine x\n", 9),
        ("a: .inf\n", 3),
        ("a: &x [*x]\n", 7),
        ("{\"a\":1,\"a\":2}", 7),
        ("b: {<<: 1}\n", 4),
    ] {
        let mistake = to_value(text).unwrap_err();
        assert_eq!(mistake.span.unwrap().0, at, "{text}: {mistake:?}");
    }
    assert!(to_value("").is_err());
    assert!(to_value("a: [1\n").is_err());
}

#[test]
fn an_alias_bomb_ends_at_the_bound() {
    let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..12 {
        let p = n - 1;
        text.push_str(&format!(
            "a{n}: &a{n} [*a{p},*a{p},*a{p},*a{p},*a{p},*a{p},*a{p},*a{p}]\n"
        ));
    }
    let mistake = to_value(&text).unwrap_err();
    assert!(mistake.message.contains("too large"), "{mistake:?}");
}

#[test]
fn a_pointer_leads_to_its_place() {
    let text = "paths:\n  /ä/{id}:\n    get: {x: [a, bc]}\n";
    let slice = |pointer: &str| locate(text, pointer).map(|(s, l)| text.get(s..s + l).unwrap());
    assert_eq!(slice("/paths"), Some("paths"));
    assert_eq!(slice("/paths/~1ä~1{id}/get/x/1"), Some("bc"));
    assert_eq!(slice("/paths/~1ä~1{id}/get/nothing"), Some("get"));
}
