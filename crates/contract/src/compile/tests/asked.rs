//! What the fields of a request body ask about: declared at their schemas, however those are put together.

use super::*;
use model::{PageParameter, Reveals};

/// What a field of a body asks about: `status margin`, `by owner=owner`, `cursor`; none where that is undeclared.
fn asked(schema: &str, more: &str, pointer: &str) -> Option<String> {
    let text = format!(
        "openapi: 3.1.0\npaths: {{/a: {{post: {{operationId: a, requestBody: {{content: {{application/json: {{schema: {schema}}}{more}}}}}, \
         responses: {{200: {{description: ok}}}}}}}}}}\n\
         components: {{schemas: {{Owner: {{type: string, x-portcullis-filters: [owner]}}, Plain: {{type: string}}}}}}\n"
    );
    let contract = contract(&text);
    let node = crate::errors::node_at(&contract.operations[0].request_shape, pointer).unwrap();
    let asks = node.asks.as_ref()?;
    let reveals = asks.reveals.as_ref().map(|reveals| match reveals {
        Reveals::Fields(paths) => {
            let mut names: Vec<String> = paths.iter().map(ToString::to_string).collect();
            names.sort();
            names.join(" ")
        }
        Reveals::ByValue(values) => values
            .iter()
            .map(|(value, paths)| format!("{value}={} ", paths.len()))
            .collect::<String>(),
    });
    let page = asks.page.map(|page| match page {
        PageParameter::Cursor => "cursor".to_owned(),
        PageParameter::Size { usual, max } => format!("size {usual:?} {max:?}"),
    });
    let text = reveals.into_iter().chain(page).collect::<String>();
    Some(text.trim_end().to_owned())
}

fn field(schema: &str) -> Option<String> {
    asked(
        &format!("{{type: object, properties: {{x: {schema}}}}}"),
        "",
        "/x",
    )
}

#[test]
fn a_field_asks_about_what_its_schema_says() {
    let owner = "$ref: '#/components/schemas/Owner'";
    for (schema, wanted) in [
        ("{type: string}", None),
        (
            "{type: string, x-portcullis-filters: [status, totals.margin]}",
            Some("status totals.margin"),
        ),
        ("{type: string, x-portcullis-filters: []}", Some("")),
        (
            "{type: string, x-portcullis-filters: {name: [name], both: [a, b]}}",
            Some("both=2 name=1"),
        ),
        ("{type: string, x-portcullis-page: cursor}", Some("cursor")),
        (
            "{type: integer, default: 20, maximum: 90, x-portcullis-page: size}",
            Some("size Some(20) Some(90)"),
        ),
        ("{type: integer, x-portcullis-page: count}", None),
        (&format!("{{{owner}}}"), Some("owner")),
        (
            &format!("{{{owner}, x-portcullis-filters: [status]}}"),
            Some("owner status"),
        ),
        (
            &format!("{{allOf: [{{{owner}}}, {{maxLength: 9}}]}}"),
            Some("owner"),
        ),
    ] {
        assert_eq!(field(schema).as_deref(), wanted, "{schema}");
    }
}

#[test]
fn what_one_alternative_leaves_unsaid_is_not_said() {
    let (owner, plain) = (
        "{$ref: '#/components/schemas/Owner'}",
        "{$ref: '#/components/schemas/Plain'}",
    );
    assert_eq!(field(&format!("{{anyOf: [{owner}, {plain}]}}")), None);
    assert_eq!(
        field(&format!(
            "{{anyOf: [{owner}, {plain}], x-portcullis-filters: [status]}}"
        ))
        .as_deref(),
        Some("owner status")
    );
    let object = |schema: &str| format!("{{type: object, properties: {{x: {schema}}}}}");
    let either = |one: &str, other: &str| {
        let schema = format!("{{oneOf: [{}, {}]}}", object(one), object(other));
        asked(&schema, "", "/x")
    };
    assert_eq!(either(owner, plain), None);
    let status = "{type: string, x-portcullis-filters: [status]}";
    assert_eq!(either(owner, status).as_deref(), Some("owner status"));
    let by = |values: &str| format!("{{type: string, x-portcullis-filters: {{{values}}}}}");
    let both = either(&by("a: [a], b: [b]"), &by("b: [c], d: [d]"));
    assert_eq!(both.as_deref(), Some("b=2"), "only what both name");
    let pages =
        ["cursor", "size"].map(|word| format!("{{type: string, x-portcullis-page: {word}}}"));
    assert_eq!(either(&pages[0], &pages[1]), None);
    // Content types are alternatives too.
    let form = |schema: &str| {
        format!(
            ", application/x-www-form-urlencoded: {{schema: {}}}",
            object(schema)
        )
    };
    assert_eq!(asked(&object(owner), &form(plain), "/x"), None);
    assert_eq!(
        asked(&object(owner), &form(owner), "/x").as_deref(),
        Some("owner")
    );
}

#[test]
fn a_filter_that_holds_filters_of_its_own_kind_is_declared_once() {
    let text = "openapi: 3.1.0\npaths: {/a: {post: {operationId: a, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Filter'}}}}, \
        responses: {200: {description: ok}}}}}\ncomponents: {schemas: {Filter: {type: object, properties: \
        {owner: {type: string, x-portcullis-filters: [owner]}, and: {type: array, items: {$ref: '#/components/schemas/Filter'}}}}}}\n";
    let contract = contract(text);
    let shape = &contract.operations[0].request_shape;
    for pointer in ["/owner", "/and/0/owner", "/and/0/and/3/owner"] {
        let node = crate::errors::node_at(shape, pointer).unwrap();
        assert!(node.asks.is_some(), "{pointer}");
    }
}
