//! May an integration do this, and by which rule? Asked of the rules that enforce it.
//! Exports `AccessQuestion` with `ask`, which is one question and its answer; `operation`, `listener` for names; `Answer` for tools.
//! Used by `portcullis can`.
//! Start reading at `ask::ask`.

mod ask;
mod query;
mod question;
mod request;
mod text;

use config::Compiled;
use config::compiled::{ApiVersion, OperationPlan};
use contract::Place;
use policy::ParameterAccess;
use schemars::JsonSchema;
use serde::Serialize;

pub use ask::ask;
pub use question::{AccessQuestion, Evaluation, Verdict};
pub use text::text;

use crate::NameError;

/// Many answers as tools read them.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answers {
    /// In the order of the questions.
    pub answers: Vec<Answer>,
}

/// An answer as tools read it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// Whether it may.
    pub can: bool,
    /// `yes`, `no`, or `undecided` without the object.
    pub verdict: &'static str,
    /// The integration.
    pub integration: String,
    /// The version, `field-service/v2`.
    pub api: String,
    /// The operation.
    pub operation: String,
    /// The field, where one was asked about.
    pub field: Option<String>,
    /// In one sentence.
    pub why: String,
    /// Code of the refusal a caller would get.
    pub code: Option<&'static str>,
    /// Rules that decided.
    pub rules: Vec<String>,
    /// Conditions and policies that were not looked at for want of an object or of the request.
    pub conditions: Vec<String>,
    /// What was nearest to a yes.
    pub nearest: Vec<Nearest>,
    /// What the operation's parameters may ask.
    pub parameters: Vec<ParameterAccess>,
}

/// A rule that was near to a yes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Nearest {
    /// Where it stands.
    pub rule: String,
    /// What was missing.
    pub text: String,
}

impl Answer {
    /// The answer to a question.
    pub fn new(
        asked: &AccessQuestion<'_>,
        evaluation: &Evaluation,
        parameters: &[ParameterAccess],
    ) -> Answer {
        let nearest = evaluation.nearest.iter().map(|miss| Nearest {
            rule: miss.rule.to_string(),
            text: miss.text.clone(),
        });
        Answer {
            can: evaluation.verdict == Verdict::Yes,
            verdict: evaluation.verdict.name(),
            integration: asked.integration.name.to_string(),
            api: asked.version.name.to_string(),
            operation: asked.plan.id.to_string(),
            field: asked.field.map(str::to_owned),
            why: evaluation.why.clone(),
            code: evaluation.code,
            rules: evaluation.rules.clone(),
            conditions: evaluation.conditions.clone(),
            nearest: nearest.collect(),
            parameters: parameters.to_vec(),
        }
    }
}

/// The listener with this name.
///
/// # Errors
/// When there is none, with the name that was probably meant.
pub fn listener<'a>(name: &'a str, compiled: &Compiled) -> Result<&'a str, NameError> {
    if compiled.listener(name).is_some() {
        return Ok(name);
    }
    let known: Vec<&str> = compiled.server.listeners.iter().map(|l| &*l.name).collect();
    let message = format!("there is no listener `{name}`");
    Err(NameError::among(message, name, &known, "Listeners"))
}

/// Whether the operation's path has every parameter that is given a value, and each is given one.
///
/// # Errors
/// The first that it does not have, with the name that was probably meant, or that is given twice.
pub fn check_path(
    version: &ApiVersion,
    plan: &OperationPlan,
    given: &[(String, String)],
) -> Result<(), NameError> {
    let contract = version.contract.as_ref();
    let operation = contract.and_then(|contract| contract.operation(&plan.id));
    let declared = operation
        .iter()
        .flat_map(|(_, operation)| &operation.parameters);
    let in_path = declared.filter(|parameter| parameter.place == Place::Path);
    let known: Vec<&str> = in_path.map(|parameter| &*parameter.name).collect();
    for (index, (name, _)) in given.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            let message = format!("the path of `{}` has no parameter `{name}`", plan.id);
            let all = "Its parameters";
            return Err(match known.as_slice() {
                [] => NameError::unknown(message, "Leave `--path` out: it has none.".to_owned()),
                known => NameError::among(message, name, known, all),
            });
        }
        if given.iter().take(index).any(|(other, _)| other == name) {
            let message = format!("the parameter `{name}` is given two values");
            return Err(NameError::unclear(message, "Give it one.".to_owned()));
        }
    }
    Ok(())
}

/// The operation with this name: its version has to be said where several have one.
///
/// # Errors
/// When there is none, with the name that was probably meant, or when several versions have it.
pub fn operation<'a>(
    name: &str,
    api: Option<&str>,
    compiled: &'a Compiled,
) -> Result<(&'a ApiVersion, &'a OperationPlan), NameError> {
    let (api, id) = match (name.split_once(':'), api) {
        (Some((named, _)), Some(api)) if named != api => {
            return Err(NameError::unclear(
                format!("`{name}` is of another version than `{api}`"),
                "Name the version once.".to_owned(),
            ));
        }
        (Some((named, id)), _) => (Some(named), id),
        (None, api) => (api, name),
    };
    if let Some(api) = api.filter(|api| compiled.version(api).is_none()) {
        let known: Vec<&str> = compiled.versions.iter().map(|v| &*v.name).collect();
        let message = format!("there is no api version `{api}`");
        return Err(NameError::among(message, api, &known, "Versions"));
    }
    let all = compiled.versions.iter();
    let all = all.filter(|version| api.is_none_or(|api| *version.name == *api));
    let all = all.flat_map(|version| version.operations.iter().map(move |plan| (version, plan)));
    let found: Vec<_> = all.clone().filter(|(_, plan)| *plan.id == *id).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let known: Vec<&str> = all.map(|(_, plan)| &*plan.id).collect();
            let message = format!("no contract has an operation `{id}`");
            Err(NameError::among(message, id, &known, "Operations"))
        }
        several => {
            let names = several.iter();
            let names: Vec<String> = names.map(|(v, _)| format!("{}:{id}", v.name)).collect();
            Err(NameError::unclear(
                format!("several versions have an operation `{id}`"),
                format!("Say which: {}.", config::listed(&names)),
            ))
        }
    }
}
