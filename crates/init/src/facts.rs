//! What can be told, or guessed, from a contract: names, operations, objects, classes of data.
//! Exports `Facts`.
//! Used by `texts`. Guesses are written where a person reads them, and open nothing.
//! Start reading at `Facts::of`.

use std::path::Path;

use contract::{Contract, Operation, TemplateSegment};
use model::Method;
use serde_json::Value;

use crate::NameError;
use crate::classes::classes;
use crate::names::{api_name, base_path, is_plain, plain, version_name};
use crate::objects::{Object, objects};
use crate::questions::questions;
use crate::references::references;

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

fn line(operation: &Operation) -> Line {
    let shape = operation.response_shape();
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
