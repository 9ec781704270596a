//! Which schemas of a contract are objects that are asked for one by one, guessed from its paths. Proposals: a person reads and
//! corrects them.
//! Exports `objects`, `Object`.
//! Used by `facts` and `references`.
//! Start reading at `objects`.

use std::collections::BTreeMap;

use contract::{Contract, Place, TemplateSegment};
use model::Method;
use model::shape::Scalar;
use serde_json::Value;

use crate::classes::class;
use crate::names::is_plain;

/// One kind of object.
pub struct Object {
    /// Name of the schema.
    pub schema: String,
    /// Path parameter that names it.
    pub parameter: String,
    /// Type of that parameter.
    pub scalar: Scalar,
    /// Operation that reads it.
    pub resolve: String,
    /// Fields that conditions will probably ask for.
    pub attributes: Vec<String>,
}

/// A schema that a GET answers with, whose path ends with a parameter, is an object.
pub fn objects(contract: &Contract) -> Vec<Object> {
    let mut found: BTreeMap<String, Object> = BTreeMap::new();
    for operation in contract
        .operations
        .iter()
        .filter(|operation| operation.method == Method::Get)
    {
        let (Some(TemplateSegment::Parameter(parameter)), Some(root)) = (
            operation.segments.last(),
            operation.response_shape().and_then(|shape| shape.root()),
        ) else {
            continue;
        };
        let Some(schema) = root.schema.as_deref() else {
            continue;
        };
        let leaf = |node| {
            operation
                .response_shape()
                .and_then(|shape| shape.node(node))
                .is_some_and(|node| node.is_leaf)
        };
        let attributes = root
            .fields
            .iter()
            .filter(|(name, field)| is_attribute(name, parameter) && leaf(field.node))
            .map(|(name, _)| name.to_string());
        found.entry(schema.to_owned()).or_insert_with(|| Object {
            schema: schema.to_owned(),
            parameter: parameter.to_string(),
            scalar: operation
                .parameter(Place::Path, parameter)
                .and_then(|parameter| parameter.shape.root())
                .map(|root| root.scalar)
                .unwrap_or_default(),
            resolve: operation.id.to_string(),
            attributes: attributes.take(6).collect(),
        });
    }
    found.into_values().collect()
}

/// States, and the names of whom it belongs to.
fn is_attribute(name: &str, parameter: &str) -> bool {
    let is_owner = name.ends_with("Id") || name.ends_with("_id");
    is_plain(name)
        && name != parameter
        && class(name, &Value::Null).is_none()
        && (is_owner
            || matches!(
                name,
                "status"
                    | "state"
                    | "type"
                    | "kind"
                    | "region"
                    | "owner"
                    | "tenant"
                    | "partner"
                    | "visibility"
            ))
}
