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
    /// Whether each of them is probably a person.
    pub is_person: bool,
}

/// Names of persons, in lower case. A schema may also end with one of them.
const PERSONS: [&str; 16] = [
    "applicant",
    "borrower",
    "client",
    "contact",
    "customer",
    "driver",
    "employee",
    "guest",
    "member",
    "passenger",
    "patient",
    "person",
    "student",
    "technician",
    "user",
    "worker",
];

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
            is_person: is_person(schema),
            resolve: operation.id.to_string(),
            attributes: attributes.take(6).collect(),
        });
    }
    found.into_values().collect()
}

/// `Customer`, `BusinessContact`, `crm_user`, `UserDto`: what a schema is called says it.
fn is_person(schema: &str) -> bool {
    let bare: String = schema.chars().filter(char::is_ascii_alphanumeric).collect();
    let bare = bare.to_ascii_lowercase();
    let endings = ["", "dto", "model", "entity", "resource", "response", "view"];
    let names = endings
        .iter()
        .filter_map(|ending| bare.strip_suffix(ending));
    names
        .into_iter()
        .any(|name| PERSONS.iter().any(|person| name.ends_with(person)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons_are_told_by_the_name_of_their_schema() {
        for person in [
            "Customer",
            "Technician",
            "User",
            "Contact",
            "Patient",
            "Employee",
            "BusinessContact",
            "crm_user",
            "UserDto",
        ] {
            assert!(is_person(person), "{person}");
        }
        for other in [
            "WorkOrder",
            "CustomerGroup",
            "Site",
            "Usage",
            "ContactReason",
            "Dto",
            "",
        ] {
            assert!(!is_person(other), "{other}");
        }
    }
}
