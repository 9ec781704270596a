//! Everything an integration may call, ask, see and send, and who can see a field.
//! Exports `of_integration`, `of_field`; `integration`, `check_field` for names; `parameters`, `field_of`, `steps_of` for rows.
//! Used by `portcullis access`, and by `can`.
//! Start reading at `of_integration`; `matrix` counts and groups the rows, `text` makes them readable.

pub mod matrix;
pub mod questions;
pub mod text;

use std::collections::BTreeSet;
use std::sync::Arc;

use config::compiled::IntegrationSettings;
use config::{Compiled, field_paths};
use policy::{AccessRow, Enforcement, How, ParameterAccess};
use schemars::JsonSchema;
use serde::Serialize;

use crate::NameError;
use matrix::Summary;

/// What one integration may do, as tools read it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct IntegrationAccess {
    /// Its name.
    pub integration: String,
    /// Who answers for it.
    pub owner: String,
    /// What it is for.
    pub purpose: String,
    /// When somebody has to look at it again, UTC.
    pub review_by: String,
    /// Anybody may do all of this: it is the integration of whoever shows no credential.
    pub is_public: bool,
    /// How many fields of each kind of object.
    pub summary: Vec<Summary>,
    /// What is judged besides caller and operation.
    pub judged: Vec<OperationEnforcement>,
    /// What its parameters may ask.
    pub parameters: Vec<OperationParameter>,
    /// One for each field of each operation under each grant.
    pub rows: Vec<AccessRow>,
}

/// What is judged before one operation is answered.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OperationEnforcement {
    /// `field-service/v2`
    pub api: Arc<str>,
    /// Operation id.
    pub operation: Arc<str>,
    /// What is judged.
    pub enforcement: Enforcement,
}

/// One parameter of one operation.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OperationParameter {
    /// `field-service/v2`
    pub api: Arc<str>,
    /// Operation id.
    pub operation: Arc<str>,
    /// What it may ask.
    #[serde(flatten)]
    pub parameter: ParameterAccess,
}

/// Who can see or send a field, as tools read it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FieldAccess {
    /// The field.
    pub field: String,
    /// One for each way to it.
    pub rows: Vec<FieldRow>,
}

/// One integration's way to a field.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FieldRow {
    /// The integration.
    pub integration: Arc<str>,
    /// By which operation and grant.
    pub access: AccessRow,
}

/// Everything the integration of this name may do.
///
/// # Errors
/// When there is none, with the name that was probably meant.
pub fn of_integration(compiled: &Compiled, who: &str) -> Result<IntegrationAccess, NameError> {
    let settings = integration(compiled, who)?;
    let rows = rows(compiled, who);
    let operations: BTreeSet<_> = matrix::grants(&rows)
        .into_iter()
        .map(|row| (row.api.clone(), row.operation.clone()))
        .collect();
    let judged = operations.iter().filter_map(|(api, operation)| {
        let reference = compiled.rules.operation(api, operation)?;
        Some(OperationEnforcement {
            api: api.clone(),
            operation: operation.clone(),
            enforcement: compiled.rules.enforcement(who, reference)?,
        })
    });
    let of_operation = |(api, operation): &(Arc<str>, Arc<str>)| {
        let (api, operation) = (api.clone(), operation.clone());
        let all = parameters(compiled, who, &api, &operation).into_iter();
        all.map(move |parameter| OperationParameter {
            api: api.clone(),
            operation: operation.clone(),
            parameter,
        })
    };
    Ok(IntegrationAccess {
        integration: who.to_owned(),
        owner: settings.owner.to_string(),
        purpose: settings.purpose.to_string(),
        review_by: settings.review_by.to_string(),
        is_public: settings.facts.credentials.none,
        summary: matrix::summaries(&rows, compiled),
        judged: judged.collect(),
        parameters: operations.iter().flat_map(of_operation).collect(),
        rows,
    })
}

/// Who can see or send a field: one integration, or each of them.
///
/// # Errors
/// When there is no such integration, or no contract declares such a field.
pub fn of_field(
    compiled: &Compiled,
    who: Option<&str>,
    field: &str,
) -> Result<FieldAccess, NameError> {
    let names: Vec<&Arc<str>> = match who {
        None => compiled.integrations.keys().collect(),
        Some(who) => vec![&integration(compiled, who)?.name],
    };
    let of_one = |name: &Arc<str>| {
        let integration = name.clone();
        let all = rows(compiled, name).into_iter();
        let fitting =
            all.filter(|row| row.how != How::Call && matrix::is_about(row, field, compiled));
        let fitting = fitting.map(move |access| FieldRow {
            integration: integration.clone(),
            access,
        });
        fitting.collect::<Vec<_>>()
    };
    let rows: Vec<FieldRow> = names.into_iter().flat_map(of_one).collect();
    if rows.is_empty() {
        check_field(field, compiled)?;
    }
    Ok(FieldAccess {
        field: field.to_owned(),
        rows,
    })
}

fn rows(compiled: &Compiled, who: &str) -> Vec<AccessRow> {
    let matrix = policy::access(&compiled.rules, who);
    matrix.unwrap_or_default().rows
}

/// The integration with this name.
///
/// # Errors
/// When there is none, with the name that was probably meant.
pub fn integration<'a>(
    compiled: &'a Compiled,
    who: &str,
) -> Result<&'a Arc<IntegrationSettings>, NameError> {
    compiled.integrations.get(who).ok_or_else(|| {
        let known: Vec<&str> = compiled.integrations.keys().map(|name| &**name).collect();
        let message = format!("there is no integration `{who}`");
        NameError::among(message, who, &known, "Integrations")
    })
}

/// Whether any contract declares a field.
///
/// # Errors
/// When none does, with the field that was probably meant.
pub fn check_field(field: &str, compiled: &Compiled) -> Result<(), NameError> {
    if matrix::is_declared(field, compiled) {
        return Ok(());
    }
    let known = matrix::declared(compiled);
    let all: Vec<&String> = known.iter().collect();
    let help = config::nearest(field, &all).unwrap_or_else(|| {
        "Write it as grants do: `id`, `customer.taxId`, `lines.*.price`.".to_owned()
    });
    let message = format!("no contract declares a field `{field}`");
    Err(NameError::unknown(message, help))
}

/// The parameters of one operation for an integration, empty where it has no grant.
pub fn parameters(
    compiled: &Compiled,
    who: &str,
    api: &str,
    operation: &str,
) -> Vec<ParameterAccess> {
    let reference = compiled.rules.operation(api, operation);
    reference
        .map(|reference| compiled.rules.parameters(who, reference))
        .unwrap_or_default()
}

/// Steps to the object in the answers of a row's operation.
pub fn steps_of(row: &AccessRow, compiled: &Compiled) -> Vec<Arc<str>> {
    let operation = compiled.rules.operation(&row.api, &row.operation);
    operation
        .map(|operation| compiled.rules.object_steps(operation))
        .unwrap_or_default()
}

/// A row's field as grants write it.
pub fn field_of(row: &AccessRow, compiled: &Compiled) -> String {
    match row.how {
        How::Write | How::Error | How::Call => row.field.clone(),
        How::Full | How::Masked(_) => field_paths::relative(&row.field, &steps_of(row, compiled)),
    }
}
