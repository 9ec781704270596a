//! A configuration directory compiled as a server would compile it, with the secrets and certificates it names. Changes nothing.
//! Exports `check`, `Checked`, `CheckReport`.
//! Used by `portcullis check`.
//! Start reading at `check`.

use std::path::Path;

use config::compiled::Irrelevant;
use config::{Compiled, Files};
use schemars::JsonSchema;
use serde::Serialize;

use crate::certificates::certificates;
use crate::{InstallationError, files, open, secrets};

/// What is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckOptions {
    /// Secrets and certificates are not resolved: a machine of a pipeline has none.
    pub is_offline: bool,
    /// What detection consists of, and what is ignored, is listed too.
    pub is_verbose: bool,
}

/// A configuration that is valid.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What it consists of.
    pub report: CheckReport,
    /// What to look at all the same, rendered with its places.
    pub warnings: Vec<String>,
}

/// What a valid configuration consists of.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckReport {
    /// Its hash, short.
    pub configuration: String,
    /// Versions of apis.
    pub apis: usize,
    /// Operations that the contracts declare.
    pub operations: usize,
    /// Those of them that can be called.
    pub exposed: usize,
    /// Integrations.
    pub integrations: usize,
    /// How many warnings there are.
    pub warnings: usize,
    /// What detection consists of; with `--verbose` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inspection: Option<InspectionReport>,
    /// Entries of the directory that are ignored; with `--verbose` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored: Option<Vec<IgnoredEntry>>,
}

/// What detection consists of, and what the contracts make irrelevant.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct InspectionReport {
    /// Rules in force.
    pub rules: usize,
    /// Origin and version of rules from files, where there are any.
    pub signature: Option<String>,
    /// One for each operation.
    pub operations: Vec<IrrelevantRules>,
    /// All of them together.
    pub total: IrrelevantRules,
}

/// Rules that no text of a field can match, as the contract admits it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IrrelevantRules {
    /// The operation, or `total`.
    pub operation: String,
    /// Fields that are inspected.
    pub fields: usize,
    /// Fields in which no rule can match.
    pub closed_fields: usize,
    /// Rules, counted once for each field.
    pub rules: usize,
    /// Those of them that cannot match.
    pub irrelevant: usize,
}

/// An entry of the directory that is ignored.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct IgnoredEntry {
    /// Where it lies.
    pub path: String,
    /// The pattern that it fits.
    pub pattern: String,
}

/// Compiles a directory.
///
/// # Errors
/// Everything that is wrong with it, and secrets and certificates that cannot be used.
pub fn check(dir: &Path, options: CheckOptions) -> Result<Checked, InstallationError> {
    let files = files::read(dir)?;
    let (compiled, warnings) = files::compile(&files, crate::now())?;
    if !options.is_offline {
        resolve(&compiled, dir, &files)?;
    }
    let (exposed, declared) = compiled.operation_counts();
    let ignored = files.ignored().map(|(path, pattern)| IgnoredEntry {
        path: path.to_owned(),
        pattern: pattern.to_owned(),
    });
    Ok(Checked {
        report: CheckReport {
            configuration: crypto::text::hex(&compiled.hash).chars().take(12).collect(),
            apis: compiled.versions.len(),
            operations: declared,
            exposed,
            integrations: compiled.integrations.len(),
            warnings: warnings.len(),
            inspection: options.is_verbose.then(|| inspection(&compiled)),
            ignored: options.is_verbose.then(|| ignored.collect()),
        },
        warnings: files::warned(&warnings, &files),
    })
}

/// Looks whether every secret and certificate is there and can be used.
fn resolve(compiled: &Compiled, dir: &Path, files: &Files) -> Result<(), InstallationError> {
    let secrets = compiled.secrets().into_iter();
    let unresolved = secrets.filter_map(|secret| secrets::resolve(secret, dir).err());
    let unresolved: Vec<_> = unresolved.collect();
    if !unresolved.is_empty() {
        return Err(InstallationError::mistaken(&unresolved, files));
    }
    open::kek(compiled, dir, files)?;
    certificates(compiled, dir, files).map(drop)
}

fn inspection(compiled: &Compiled) -> InspectionReport {
    let irrelevant = compiled.irrelevant();
    InspectionReport {
        rules: compiled.inspection.rules(),
        signature: compiled.inspection.signature().map(ToString::to_string),
        operations: irrelevant.iter().map(row).collect(),
        total: total(&irrelevant),
    }
}

fn row(one: &Irrelevant) -> IrrelevantRules {
    IrrelevantRules {
        operation: one.scope.to_string(),
        fields: one.fields,
        closed_fields: one.closed,
        rules: one.rules,
        irrelevant: one.dead,
    }
}

/// What the contracts prove, added up.
fn total(irrelevant: &[Irrelevant]) -> IrrelevantRules {
    let sum = |count: fn(&Irrelevant) -> usize| irrelevant.iter().map(count).sum();
    IrrelevantRules {
        operation: "total".to_owned(),
        fields: sum(|one| one.fields),
        closed_fields: sum(|one| one.closed),
        rules: sum(|one| one.rules),
        irrelevant: sum(|one| one.dead),
    }
}
