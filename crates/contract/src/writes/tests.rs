use super::*;
use crate::compile::tests::contract;
use model::FieldPath;

fn verdict(entries: &[&str], body: &str) -> Vec<String> {
    let contract =
        contract("openapi: 3.1.0\npaths: {/a: {post: {operationId: a, responses: {}}}}\n");
    let paths: Vec<_> = entries
        .iter()
        .flat_map(|e| FieldPath::parse(e).unwrap())
        .collect();
    let body = model::json::parse(body.as_bytes(), model::json::Bounds::default()).unwrap();
    match check_writes(&contract.operations[0], &body, &FieldSet::of(&paths)) {
        Ok(()) => Vec::new(),
        Err(refusal) => refusal.errors.into_iter().map(|e| e.pointer).collect(),
    }
}

#[test]
fn only_granted_fields_may_be_sent() {
    let grant = ["externalRefs.accounting", "lines.*.{sku,note}"];
    for (body, refused) in [
        (r#"{"externalRefs":{"accounting":"x"}}"#, vec![]),
        (r#"{"externalRefs":{"accounting":{"deep":1}}}"#, vec![]),
        (r#"{}"#, vec![]),
        (r#"{"status":"x"}"#, vec!["/status"]),
        (
            r#"{"externalRefs":{"accounting":1,"crm":2}}"#,
            vec!["/externalRefs/crm"],
        ),
        (r#"{"externalRefs":null}"#, vec!["/externalRefs"]),
        (r#"{"externalRefs":{}}"#, vec![]),
        (r#"{"status":{}}"#, vec!["/status"]),
        (
            r#"{"lines":[{"sku":"a"},{"price":1}]}"#,
            vec!["/lines/1/price"],
        ),
        (r#"{"lines":[]}"#, vec![]),
        (r#"{"lines":[{}]}"#, vec![]),
        (r#"[{"externalRefs":{"accounting":1}}]"#, vec!["/0"]),
        (r#""text""#, vec![""]),
    ] {
        assert_eq!(verdict(&grant, body), refused, "{body}");
    }
    assert_eq!(verdict(&[], r#"{"a":1}"#), ["/a"]);
    // A body that is a list: what holds for each item is written as for any other list.
    let items = ["*.sku"];
    assert_eq!(
        verdict(&items, r#"[{"sku":"a"},{"sku":"b","price":1}]"#),
        ["/1/price"]
    );
    assert!(verdict(&items, "[]").is_empty());
}
