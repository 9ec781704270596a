//! The whole room on a small company: two partners, work orders, customers.
//! Exports the stage for the tests below it. Contracts are written as short trees.
//! Start reading at `company`.

mod blank;
mod changes;
mod conditions;
mod envelopes;
mod errors;
mod fields;
mod idle;
mod matrix;
mod nested;
mod objects;
mod permits;
mod reads;
mod roots;
mod speed;
mod writes;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::shape::{Class, Field, Node, NodeId, Scalar};
use model::{Cause, FieldPath, IntegrationId, Json, Principal, Refusal, RuleRef, Shape, Timestamp};

use crate::*;

/// A contract in short: `WorkOrder{id,status,lines[sku,price#]}`.
/// Suffixes: `#` integer, `?` boolean, `!` secret, `~` writeOnly, `^` readOnly, `>Kind` refers to.
pub(super) fn shape(text: &str) -> Arc<Shape> {
    let mut shape = Shape::default();
    if !text.is_empty() {
        let mut named = BTreeMap::new();
        read(&mut text.chars().peekable(), &mut shape, &mut named);
    }
    Arc::new(shape)
}

type Letters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Reads `Name{…}`, `[…]` or a leaf with suffixes; gives the node and the flags of the field that holds it.
fn read(
    text: &mut Letters<'_>,
    shape: &mut Shape,
    named: &mut BTreeMap<String, NodeId>,
) -> (NodeId, char) {
    let mut name = String::new();
    while text.peek().is_some_and(|c| c.is_alphanumeric()) {
        name.extend(text.next());
    }
    let id = shape.nodes.len();
    match text.peek() {
        Some('{') => {
            text.next();
            shape.nodes.push(Node::default());
            if let Some((own, base)) = name.split_once('X') {
                // `DetailXOrder`: composed of another schema.
                shape.nodes[id].also = base.split('X').map(Arc::from).collect();
                name = own.to_owned();
            }
            if !name.is_empty() {
                shape.nodes[id].schema = Some(name.as_str().into());
                named.insert(name, id);
            }
            while text.peek() != Some(&'}') {
                if text.peek() == Some(&',') {
                    text.next();
                }
                let mut key = String::new();
                while text.peek().is_some_and(|c| c.is_alphanumeric()) {
                    key.extend(text.next());
                }
                let (node, flag) = match text.peek() {
                    Some(':') => {
                        text.next();
                        read(text, shape, named)
                    }
                    _ => leaf(text, shape),
                };
                let field = Field {
                    node,
                    is_required: false,
                    is_read_only: flag == '^',
                    is_write_only: flag == '~',
                    clue: None,
                };
                match key.as_str() {
                    "any" => shape.nodes[id].values = Some(node),
                    key => drop(shape.nodes[id].fields.insert(key.into(), field)),
                }
            }
            text.next();
            (id, ' ')
        }
        Some('[') => {
            text.next();
            shape.nodes.push(Node::default());
            let (item, _) = read(text, shape, named);
            shape.nodes[id].items = Some(item);
            text.next();
            (id, ' ')
        }
        // A name alone is a schema met before: shapes may contain themselves.
        _ if named.contains_key(&name) => (named[&name], ' '),
        _ => leaf(text, shape),
    }
}

fn leaf(text: &mut Letters<'_>, shape: &mut Shape) -> (NodeId, char) {
    let mut node = Node {
        is_leaf: true,
        ..Node::default()
    };
    let mut flag = ' ';
    match text.peek() {
        Some('#') => node.scalar = Scalar::Integer,
        Some('?') => node.scalar = Scalar::Boolean,
        Some('!') => node.class = Class::Secret,
        Some('~' | '^') => flag = *text.peek().unwrap(),
        Some('>') => {
            text.next();
            let mut name = String::new();
            while text.peek().is_some_and(|c| c.is_alphanumeric()) {
                name.extend(text.next());
            }
            node.refers_to = Some(name.as_str().into());
            shape.nodes.push(node);
            return (shape.nodes.len() - 1, flag);
        }
        _ => {
            shape.nodes.push(node);
            return (shape.nodes.len() - 1, flag);
        }
    }
    text.next();
    shape.nodes.push(node);
    (shape.nodes.len() - 1, flag)
}

pub(super) fn json(text: &str) -> Json {
    fn of(value: &serde_json::Value) -> Json {
        match value {
            serde_json::Value::Null => Json::Null,
            serde_json::Value::Bool(value) => Json::Bool(*value),
            serde_json::Value::Number(number) => Json::Number(number.to_string().into()),
            serde_json::Value::String(text) => Json::Text(text.into()),
            serde_json::Value::Array(items) => Json::List(items.iter().map(of).collect()),
            serde_json::Value::Object(members) => {
                Json::Object(members.iter().map(|(k, v)| (k.into(), of(v))).collect())
            }
        }
    }
    of(&serde_json::from_str(text).unwrap())
}

const ORDER: &str = "WorkOrder{id,number,status,notes,priority#,assignment:{partnerId},customer:Customer{id,legalName,iban,partner},lines:[{sku,price#,cost#}],token!,pin~,parent:WorkOrder}";

pub(super) fn operation(
    id: &str,
    response: &str,
    request: &str,
    parameters: &[&str],
) -> OperationShape {
    let parsed = parameters
        .iter()
        .map(|text| {
            let text = text.trim_end_matches('/');
            let (text, refers_to) = text
                .split_once('>')
                .map_or((text, None), |(t, k)| (t, Some(k.into())));
            let (place, name) = text.split_once(' ').unwrap();
            ParameterShape {
                name: name.trim_end_matches('#').into(),
                place: match place {
                    "path" => ParameterPlace::Path,
                    _ => ParameterPlace::Query,
                },
                scalar: if name.ends_with('#') {
                    Scalar::Integer
                } else {
                    Scalar::Text
                },
                domain: None,
                refers_to,
                at: None,
                reveals: None,
                stated: Vec::new(),
                page: None,
            }
        })
        .collect();
    // `path jobId/`: the path goes on behind it.
    let mut in_path = parameters.iter().filter_map(|p| p.strip_prefix("path "));
    let ends_in = in_path.next_back().filter(|name| !name.ends_with('/'));
    let ends_in = ends_in.and_then(|name| name.split('>').next());
    OperationShape {
        id: id.into(),
        is_write: !["get", "list", "head"]
            .iter()
            .any(|verb| id.starts_with(verb)),
        response: shape(response),
        request: shape(request),
        takes_forms: false,
        body_kind: model::MessageKind::Fields,
        response_kind: model::MessageKind::Fields,
        lost_body: None,
        errors: vec![ErrorShape {
            response: 1,
            shape: shape("{code,message,trace,key!,order:WorkOrder{id,assignment:{partnerId}}}"),
        }],
        parameters: parsed,
        ends_in: ends_in.map(Arc::from),
        body: match id {
            id if id.starts_with("update") => BodyMeaning::Change,
            id if id.starts_with("put") => BodyMeaning::Replacement,
            _ => BodyMeaning::Action,
        },
        takes_steps: false,
    }
}

pub(super) fn rule(line: u32) -> RuleRef {
    RuleRef {
        file: "integrations/test.yaml".into(),
        line,
    }
}

pub(super) fn api() -> ApiShape {
    let list = format!("{{items:[{ORDER}],nextCursor,total#}}");
    let body = "{status,assignment:{partnerId},notes,customerId>Customer,number^}";
    ApiShape {
        name: "field-service/v2".into(),
        lookups_max: LOOKUPS_DEFAULT,
        unsure: Default::default(),
        operations: vec![
            operation(
                "listOrders",
                &list,
                "",
                &["query status", "query limit#", "query customer>Customer"],
            ),
            operation("getOrder", ORDER, "", &["path orderId"]),
            operation("updateOrder", ORDER, body, &["path orderId"]),
            operation("deleteOrder", "", "", &["path orderId"]),
            operation("createOrder", ORDER, body, &[]),
            operation(
                "getCustomer",
                "Customer{id,legalName,iban,partner}",
                "",
                &["path customerId"],
            ),
            operation("getHealth", "{status,detail:{version,host!}}", "", &[]),
            operation("listTags", "[{name,color}]", "", &[]),
            operation(
                "getReport",
                "{title,rows:{any:{sku,amount#}},order:WorkOrder{id,status}}",
                "",
                &[],
            ),
            operation("importOrders", "{accepted#}", &format!("[{ORDER}]"), &[]),
        ],
        objects: vec![
            ObjectKind {
                rule: RuleRef {
                    file: "apis/field-service.yaml".into(),
                    line: 20,
                },
                schema: "WorkOrder".into(),
                is_person: false,
                id: Source::parse("path.orderId").unwrap(),
                resolve: Some("getOrder".into()),
                attributes: vec![
                    ("status".into(), Source::parse("body.status").unwrap()),
                    (
                        "partner".into(),
                        Source::parse("body.assignment.partnerId").unwrap(),
                    ),
                    ("priority".into(), Source::parse("body.priority").unwrap()),
                ],
            },
            ObjectKind {
                rule: RuleRef {
                    file: "apis/field-service.yaml".into(),
                    line: 22,
                },
                schema: "Customer".into(),
                is_person: false,
                id: Source::parse("path.customerId").unwrap(),
                resolve: Some("getCustomer".into()),
                attributes: vec![("partner".into(), Source::parse("body.partner").unwrap())],
            },
        ],
    }
}

/// An entry of which only the line is known.
pub(super) fn listed<T>(value: T, line: u32) -> Listed<T> {
    Listed {
        value,
        spot: crate::input::Spot::line(line),
    }
}

/// A grant in short: operations, condition, fields, writes.
pub(super) fn grant(line: u32, operations: &str, when: &str, fields: &str, writes: &str) -> Grant {
    let list = |text: &str| -> Vec<Listed<FieldPath>> {
        text.split_whitespace()
            .flat_map(|entry| FieldPath::parse(entry).unwrap())
            .map(|value| listed(value, line))
            .collect()
    };
    Grant {
        rule: rule(line),
        span: None,
        role: None,
        api: "field-service/v2".into(),
        operations: operations
            .split(' ')
            .map(|id| listed(id.into(), line))
            .collect(),
        when: (!when.is_empty()).then(|| Condition {
            text: when.into(),
            rule: rule(line + 1),
            span: None,
        }),
        fields: list(fields),
        masks: Vec::new(),
        writes: list(writes),
        errors: Vec::new(),
        deny_as: None,
        query: None,
        set: Vec::new(),
    }
}

pub(super) fn integration(name: &str, grants: Vec<Grant>) -> IntegrationGrants {
    IntegrationGrants {
        name: name.into(),
        attributes: BTreeMap::from([("partner".into(), name.into())]),
        roles: vec!["partner".into()],
        grants,
        is_partial: false,
    }
}

pub(super) fn input(grants: Vec<Grant>) -> PolicyInput {
    PolicyInput {
        apis: vec![api()],
        integrations: vec![integration("north", grants)],
        cedar: Vec::new(),
        names: Names::default(),
        is_partial: false,
    }
}

pub(super) fn rules(grants: Vec<Grant>) -> Arc<Rules> {
    Arc::new(compile(input(grants)).unwrap())
}

pub(super) fn with_policies(grants: Vec<Grant>, text: &str) -> Arc<Rules> {
    let mut input = input(grants);
    input.cedar.push(CedarFile {
        file: "policies/extra.cedar".into(),
        text: text.into(),
    });
    Arc::new(compile(input).unwrap())
}

/// A call in short: `getOrder orderId=7 ?status=open`.
pub(super) struct Call {
    pub operation: String,
    pub path: Vec<(Arc<str>, String)>,
    pub query: Vec<(String, String)>,
    pub body: Option<Json>,
    pub deny_as: DenyAs,
}

pub(super) fn call(text: &str, body: &str) -> Call {
    let mut words = text.split(' ');
    let operation = words.next().unwrap().to_owned();
    let (mut path, mut query) = (Vec::new(), Vec::new());
    for word in words {
        let (name, value) = word.split_once('=').unwrap();
        match name.strip_prefix('?') {
            Some(name) => query.push((name.to_owned(), value.to_owned())),
            None => path.push((Arc::from(name), value.to_owned())),
        }
    }
    let body = (!body.is_empty()).then(|| json(body));
    Call {
        operation,
        path,
        query,
        body,
        deny_as: DenyAs::NotFound,
    }
}

/// An integration as a caller of these rules; by no place of theirs where they do not have it.
pub(super) fn caller(name: &str, rules: &Rules) -> Principal {
    Principal {
        id: rules.integration_id(name).unwrap_or_default(),
        integration: name.into(),
        ..Principal::default()
    }
}

impl Call {
    pub fn facts(&self) -> RequestFacts<'_> {
        RequestFacts {
            path: &self.path,
            query: &self.query,
            body: self.body.as_ref(),
        }
    }

    pub fn decide(&self, rules: &Arc<Rules>) -> Result<Permit, Box<Refusal>> {
        let principal = caller("north", rules);
        decide(&self.question(&principal, rules), rules)
    }

    pub fn question<'a, C>(&'a self, caller: &'a C, rules: &Rules) -> Question<'a, C> {
        Question {
            caller,
            operation: rules
                .operation("field-service/v2", &self.operation)
                .unwrap(),
            listener: "public",
            deny_as: self.deny_as,
            address: "192.0.2.7".parse().unwrap(),
            path: &self.path,
            query: &self.query,
            // A Tuesday, 14:30 UTC.
            now: Timestamp::parse("2026-11-24T14:30:00Z").unwrap(),
        }
    }

    /// Stage `object` with an upstream that knows these objects by id.
    pub fn before(
        &self,
        rules: &Arc<Rules>,
        known: &[(&str, &str)],
    ) -> Result<Permit, Box<Refusal>> {
        let mut permit = self.decide(rules)?;
        for lookup in permit.before(&self.facts())? {
            let found = known
                .iter()
                .find(|(id, _)| *id == lookup.id)
                .map(|(_, text)| json(text));
            permit.judge(&lookup, &self.facts(), found.as_ref())?;
        }
        assert!(permit.is_cleared());
        Ok(permit)
    }
}

/// What the caller gets: the released text, or the code (with `as absent` when it reads as absent).
pub(super) fn answer(rules: &Arc<Rules>, text: &str, upstream: &str) -> String {
    let call = call(text, "");
    let released = call
        .before(rules, &[])
        .and_then(|permit| permit.release(&call.facts(), Some(&json(upstream))));
    match released {
        Ok(released) => String::from_utf8(released.body).unwrap(),
        Err(refusal) => said(&refusal),
    }
}

pub(super) fn said(refusal: &Refusal) -> String {
    match refusal.conceal {
        Some(other) => format!(
            "{} as {} {}",
            refusal.reason.code, other.code, refusal.status
        ),
        None => format!("{} {}", refusal.reason.code, refusal.status),
    }
}

/// The mistakes of a configuration, one per line.
pub(super) fn mistakes(input: PolicyInput) -> Vec<String> {
    let found = compile(input).err().unwrap_or_default();
    found
        .iter()
        .map(|m| {
            format!(
                "{}:{} {} | {}",
                m.file,
                m.line.unwrap_or(0),
                m.message,
                m.help
            )
        })
        .collect()
}
