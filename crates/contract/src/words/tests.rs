use model::json::Bounds;

use crate::compile::tests::tried;
use crate::{Source, UnknownFields, compile};

const API: &str = r"openapi: 3.1.0
paths:
  /orders/{id}:
    get:
      operationId: getOrder
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}, x-portcullis-refers-to: Order}
        - {name: X-Site, in: header, schema: {type: string, SITE}}
      responses: {200: {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}}
components:
  schemas:
    Order:
      type: object
      example: {x-portcullis-class: what an example says is data}
      properties:
        x-portcullis-class: {type: string}
        email: {type: string, FACT}
";

fn found(fact: &str, site: &str) -> Vec<String> {
    let text = API.replace("FACT", fact).replace("SITE", site);
    let mistakes = tried(&text, UnknownFields::Refuse)
        .err()
        .unwrap_or_default();
    mistakes
        .into_iter()
        .map(|m| {
            let (start, length) = m.span.unwrap();
            let place = text.get(start..start + length).unwrap();
            format!("{place} | {} | {}", m.message, m.help)
        })
        .collect()
}

#[test]
fn facts_are_known_words_at_their_place() {
    let plain = "minLength: 1";
    for (fact, wanted) in [
        ("x-portcullis-class: personal", ""),
        ("x-portcullis-refers-to: Order", ""),
        ("x-portcullis-class: personel", "did you mean `personal`?"),
        ("x-portcullis-class: 7", "write one of: public, internal"),
        ("x-portcullis-refers-to: Ordre", "did you mean `Order`?"),
        (
            "x-portcullis-refers-to: Zebra",
            "name a schema of this contract",
        ),
        (
            "x-portcullis-allow-encoded: true",
            "write it beside `in: path` of the parameter",
        ),
        (
            "x-portcullis-clas: personal",
            "did you mean `x-portcullis-class`?",
        ),
    ] {
        let mistakes = found(fact, plain);
        assert_eq!(
            mistakes.is_empty(),
            wanted.is_empty(),
            "{fact}: {mistakes:?}"
        );
        for mistake in mistakes {
            assert!(mistake.contains(wanted), "{fact}: {mistake}");
            let value = fact.split(": ").last().unwrap();
            assert!(mistake.contains(value), "{fact}: {mistake}");
        }
    }
}

#[test]
fn a_header_that_names_an_object_is_a_mistake() {
    let mistakes = found("minLength: 1", "x-portcullis-refers-to: Order");
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(
        mistakes[0].contains("names an object in a header"),
        "{mistakes:?}"
    );
}

#[test]
fn a_fact_of_an_overlay_is_shown_in_the_overlay() {
    let overlay = "overlay: 1.0.0\nactions:\n  - target: $.components.schemas.Order.properties.email\n    update: {x-portcullis-class: secrett}\n";
    let text = API
        .replace("FACT", "minLength: 1")
        .replace("SITE", "minLength: 1");
    let mistakes = compile(&Source {
        file: "api.yaml",
        text: &text,
        overlay: Some(("overlay.yaml", overlay)),
        load: &|_| None,
        unknown_fields: UnknownFields::Refuse,
        bounds: Bounds::default(),
    })
    .unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert_eq!(mistakes[0].file, "overlay.yaml");
    let (start, length) = mistakes[0].span.unwrap();
    assert!(
        overlay
            .get(start..start + length)
            .unwrap()
            .ends_with("secrett")
    );
    assert_eq!(mistakes[0].help, "did you mean `secret`?");
}

#[test]
fn a_schema_in_a_file_of_its_own_is_called_like_the_file() {
    let api = r"openapi: 3.1.0
paths:
  /orders/{id}:
    get:
      operationId: getOrder
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {200: {description: ok, content: {application/json: {schema: {$ref: ./models/WorkOrder.yml}}}}}
components: {schemas: {Client: {$ref: ./models/Customer.yml}}}
";
    let order = "type: object\nproperties:\n  customer: {$ref: ./Customer.yml}\n  site: {$ref: '../shared.yml#/Site'}\n  detail: {allOf: [{$ref: '../shared.yml#/Site'}, {$ref: './Customer.yml'}]}\n";
    let load = |path: &str| {
        match path {
        "apis/models/WorkOrder.yml" => Some(order.to_owned()),
        "apis/models/Customer.yml" => Some("{type: object, properties: {n: {type: integer}, q: {type: number}, b: {type: boolean}}}".into()),
        "apis/shared.yml" => Some("Site: {type: object, properties: {a: {type: string}}}".into()),
        _ => None,
    }
    };
    let contract = compile(&Source {
        file: "apis/api.yaml",
        text: api,
        overlay: None,
        load: &load,
        unknown_fields: UnknownFields::Refuse,
        bounds: Bounds::default(),
    })
    .unwrap();
    let names: Vec<&str> = contract.schemas.iter().map(|s| &**s).collect();
    assert_eq!(names, ["Client", "Site", "WorkOrder"]);
    let shape = contract.operations[0].response_shape().unwrap();
    let root = shape.root().unwrap();
    assert_eq!(root.schema.as_deref(), Some("WorkOrder"));
    let field = |name: &str| shape.node(root.fields[name].node).unwrap();
    assert_eq!(field("customer").schema.as_deref(), Some("Client"));
    assert_eq!(field("site").schema.as_deref(), Some("Site"));
    let detail = field("detail");
    assert_eq!(detail.schema, None);
    assert!(detail.may_be("Site") && detail.may_be("Client") && !detail.may_be("WorkOrder"));
    let scalar = |name: &str| {
        shape
            .node(field("customer").fields[name].node)
            .unwrap()
            .scalar
    };
    use model::shape::Scalar;
    assert_eq!(
        [scalar("n"), scalar("q"), scalar("b")],
        [Scalar::Integer, Scalar::Number, Scalar::Boolean]
    );
}
