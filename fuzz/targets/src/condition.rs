//! Conditions of grants: nothing panics, whatever the text, and a mistake names its line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::shape::{Field, Node, Scalar};
use model::{RuleRef, Shape};
use policy::{
    ApiShape, Condition, Grant, IntegrationGrants, ObjectKind, OperationShape, PolicyInput, Source,
};

fn order() -> Shape {
    let field = |node| Field {
        node,
        is_required: false,
        is_read_only: false,
        is_write_only: false,
        clue: None,
    };
    let leaf = |scalar| Node {
        is_leaf: true,
        scalar,
        ..Node::default()
    };
    let fields = BTreeMap::from([
        (Arc::from("status"), field(1)),
        (Arc::from("priority"), field(2)),
    ]);
    Shape {
        nodes: vec![
            Node {
                schema: Some("Order".into()),
                fields,
                ..Node::default()
            },
            leaf(Scalar::Text),
            leaf(Scalar::Integer),
        ],
    }
}

/// One input.
pub fn run(text: &str) {
    let rule = |line| RuleRef {
        file: "integrations/a.yaml".into(),
        line,
    };
    let input = PolicyInput {
        apis: vec![ApiShape {
            name: "a/v1".into(),
            lookups_max: policy::LOOKUPS_DEFAULT,
            unsure: BTreeSet::new(),
            operations: vec![OperationShape {
                id: "getOrder".into(),
                is_write: false,
                response: Arc::new(order()),
                request: Arc::new(Shape::default()),
                takes_forms: false,
                body_kind: model::MessageKind::default(),
                response_kind: model::MessageKind::default(),
                lost_body: None,
                errors: Vec::new(),
                parameters: Vec::new(),
                ends_in: None,
                body: policy::BodyMeaning::default(),
                takes_steps: false,
            }],
            objects: vec![ObjectKind {
                is_person: false,
                rule: rule(1),
                schema: "Order".into(),
                id: Source::parse("body.status").expect("a source"),
                resolve: None,
                attributes: ["status", "priority"]
                    .into_iter()
                    .filter_map(|n| Some((n.into(), Source::parse(&format!("body.{n}")).ok()?)))
                    .collect(),
            }],
        }],
        integrations: vec![IntegrationGrants {
            name: "a".into(),
            attributes: BTreeMap::new(),
            roles: Vec::new(),
            grants: vec![Grant {
                rule: rule(3),
                span: None,
                role: None,
                api: "a/v1".into(),
                operations: vec![policy::Listed {
                    value: "getOrder".into(),
                    spot: policy::Spot::line(3),
                }],
                when: Some(Condition {
                    text: text.into(),
                    rule: rule(4),
                    span: None,
                }),
                fields: Vec::new(),
                masks: Vec::new(),
                errors: Vec::new(),
                writes: Vec::new(),
                deny_as: None,
                query: None,
                set: Vec::new(),
            }],
            is_partial: false,
        }],
        cedar: Vec::new(),
        names: policy::Names::default(),
        is_partial: false,
    };
    if let Err(mistakes) = policy::compile(input) {
        assert!(mistakes.iter().all(|m| m.line.is_some()), "{mistakes:?}");
    }
}
