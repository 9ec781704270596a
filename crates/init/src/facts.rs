//! What can be told, or guessed, from a contract: names, operations, objects, classes of data.
//! Exports `Facts`.
//! Used by `texts`. Guesses are written where a person reads them, and open nothing.
//! Start reading at `Facts::of`.

use std::collections::BTreeMap;
use std::path::Path;

use contract::{Contract, Operation, Place, TemplateSegment};
use model::Method;
use model::shape::Scalar;
use serde_json::Value;

use crate::NameError;
use crate::classes::{class, classes};
use crate::questions::questions;
use crate::references::references;

/// Names of the files that say nothing about the api.
const PLAIN_NAMES: [&str; 8] = [
    "openapi",
    "swagger",
    "api",
    "spec",
    "schema",
    "contract",
    "openapi-json",
    "index",
];

/// What is known of the api.
pub struct Facts {
    /// `field-service`
    pub name: String,
    /// `v2`
    pub version: String,
    /// Title of the contract.
    pub title: String,
    /// `/v2`, or `/`.
    pub base_path: String,
    /// Whether the contract is JSON.
    pub is_json: bool,
    /// Where it is served.
    pub upstream: Option<String>,
    /// The first absolute server of the contract.
    pub server: Option<String>,
    /// Operations in the order of the document.
    pub operations: Vec<Line>,
    /// Kinds of objects, guessed.
    pub objects: Vec<Object>,
    /// Target in the contract and class, guessed.
    pub classes: Vec<(String, &'static str)>,
    /// Target in the contract, and what its parameters and pages probably ask and tell.
    pub questions: Vec<(String, String)>,
    /// Target in the contract, and the kind of object that is probably named there.
    pub references: Vec<(String, String)>,
}

/// One operation for people.
pub struct Line {
    /// `operationId`
    pub id: String,
    /// `GET /work-orders/{workOrderId}`
    pub route: String,
    /// Whether it reads one object by its id.
    pub is_single: bool,
    /// First line of its summary.
    pub summary: String,
    /// A few fields of its answer.
    pub fields: Vec<String>,
}

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

impl Facts {
    /// Whether anything was guessed that belongs into an overlay.
    pub fn has_overlay(&self) -> bool {
        !self.classes.is_empty() || !self.questions.is_empty() || !self.references.is_empty()
    }

    /// Of a contract that compiled.
    ///
    /// # Errors
    /// When no name can be made, or the given one is none.
    pub fn of(
        source: &Path,
        name: Option<&str>,
        upstream: Option<String>,
        contract: &Contract,
        text: &str,
    ) -> Result<Facts, NameError> {
        let document = contract::to_value(text).unwrap_or_default();
        let server = document
            .pointer("/servers/0/url")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let name = match name {
            Some(given) => given.to_owned(),
            None => api_name(source, &contract.title),
        };
        if !model::ids::is_name(&name) {
            return Err(NameError { name });
        }
        let objects = objects(contract);
        Ok(Facts {
            name,
            version: version_name(&contract.version),
            title: plain(&contract.title),
            base_path: base_path(server),
            is_json: text.trim_start().starts_with('{'),
            upstream,
            server: server.starts_with("http").then(|| plain(server)),
            operations: contract.operations.iter().map(line).collect(),
            references: references(contract, &objects),
            objects,
            classes: classes(&document),
            questions: questions(&document, contract),
        })
    }
}

/// One line without anything that could end a comment.
fn plain(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| !model::printable::is_active(*c))
        .take(100)
        .collect()
}

fn api_name(source: &Path, title: &str) -> String {
    let stem = source.file_name().unwrap_or_default().to_string_lossy();
    let of_file = slug(stem.split('.').next().unwrap_or_default());
    if of_file.is_empty() || PLAIN_NAMES.contains(&of_file.as_str()) {
        slug(title)
    } else {
        of_file
    }
}

/// Letters, digits and single hyphens, beginning with a letter.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' => out.push(c),
            '0'..='9' if !out.is_empty() => out.push(c),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    out.chars()
        .take(63)
        .collect::<String>()
        .trim_end_matches('-')
        .to_owned()
}

/// `2.6.0` is `v2`.
fn version_name(version: &str) -> String {
    let digits: String = version
        .trim_start_matches(['v', 'V'])
        .chars()
        .take_while(char::is_ascii_digit)
        .take(4)
        .collect();
    match digits.as_str() {
        "" | "0" => "v1".to_owned(),
        digits => format!("v{digits}"),
    }
}

/// The path of the contract's server: what the upstream expects in front of the contract's paths.
fn base_path(server: &str) -> String {
    let path = match server.split_once("://") {
        Some((_, rest)) => rest
            .find('/')
            .and_then(|at| rest.get(at..))
            .unwrap_or_default(),
        None => server,
    };
    let path = path.trim_end_matches('/');
    let is_plain = path.starts_with('/')
        && path
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/-_.".contains(c))
        && !path.contains("//")
        && !path.contains("/.");
    if is_plain {
        path.to_owned()
    } else {
        "/".to_owned()
    }
}

fn line(operation: &Operation) -> Line {
    let shape = operation.answer_shape();
    let leaves = shape
        .map(|shape| config::field_paths::leaves(shape, 0))
        .unwrap_or_default();
    let mut fields: Vec<String> = leaves
        .into_iter()
        .filter(|path| !path.contains(['.', '*']) && is_plain(path))
        .collect();
    fields.sort_by_key(|name| {
        !matches!(name.as_str(), "id" | "number" | "name" | "status" | "state")
    });
    fields.truncate(4);
    Line {
        id: operation.id.to_string(),
        route: format!("{} {}", operation.method, operation.template),
        is_single: operation.method == Method::Get
            && matches!(
                operation.segments.last(),
                Some(TemplateSegment::Parameter(_))
            ),
        summary: plain(operation.summary.as_deref().unwrap_or_default()),
        fields,
    }
}

/// A schema that a GET answers with, whose path ends with a parameter, is an object.
fn objects(contract: &Contract) -> Vec<Object> {
    let mut found: BTreeMap<String, Object> = BTreeMap::new();
    for operation in contract
        .operations
        .iter()
        .filter(|operation| operation.method == Method::Get)
    {
        let (Some(TemplateSegment::Parameter(parameter)), Some(root)) = (
            operation.segments.last(),
            operation.answer_shape().and_then(|shape| shape.root()),
        ) else {
            continue;
        };
        let Some(schema) = root.schema.as_deref() else {
            continue;
        };
        let leaf = |node| {
            operation
                .answer_shape()
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

/// Letters, digits and `_`: needs no quotes anywhere.
pub fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
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
    fn names_come_from_the_file_or_else_from_the_title() {
        assert_eq!(
            api_name(Path::new("x/field-service.v2.openapi.yaml"), "T"),
            "field-service"
        );
        assert_eq!(
            api_name(Path::new("openapi.json"), "Über Pets & Co (2)"),
            "ber-pets-co-2"
        );
        assert_eq!(api_name(Path::new("3scale_API.yaml"), "T"), "scale-api");
    }

    #[test]
    fn versions_and_base_paths_are_read_where_they_stand() {
        assert_eq!(
            ["2.6.0", "v3", "0.9", "beta"].map(version_name),
            ["v2", "v3", "v1", "v1"]
        );
        assert_eq!(base_path("https://api.example/v2/"), "/v2");
        assert_eq!(base_path("/v3"), "/v3");
        assert_eq!(base_path("https://api.example"), "/");
        assert_eq!(base_path("https://{host}/{stage}/v1"), "/");
    }
}
