//! What the steps of one compilation share: the versions as far as they are compiled, and how operations are named.
//! Exports `Apis`, `Meant`, `EvalInput`, `BasePath`, `operation`, `base_path_problem`.
//! Made by `apis`, which every later step reads.
//! Start reading at `Apis`.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::Contract;
use model::Timestamp;

use crate::Files;
use crate::compiled::{ApiVersion, OperationPlan};
use crate::de::{listed, nearest};
use crate::read::Written;
use crate::report::Report;
use crate::server::Listener;
use crate::spanned::{Map, Place};

/// All versions, and what the later steps need besides.
pub(super) struct Apis {
    /// In the order of names.
    pub versions: Vec<ApiVersion>,
    /// Object kinds by index of the version, with the names of what is declared and wrong.
    pub objects: Vec<(Vec<policy::ObjectKind>, BTreeSet<Arc<str>>)>,
    /// Versions that are written but could not be compiled. What refers to them is no second mistake.
    pub broken: BTreeSet<String>,
    /// Base paths in the order of names.
    pub paths: Vec<BasePath>,
    /// Files that contracts and overlays refer to.
    pub used: BTreeSet<String>,
}

/// The base path of a version, also of one that could not be compiled.
pub(super) struct BasePath {
    pub name: Arc<str>,
    pub path: Arc<str>,
    pub is_design: bool,
    pub place: Place,
}

/// One operation, with where it is found.
pub(super) struct Meant<'a> {
    pub version_index: usize,
    pub version: &'a ApiVersion,
    pub operation_index: usize,
    pub plan: &'a OperationPlan,
}

impl<'a> Meant<'a> {
    /// The operation as the contract has it.
    pub fn declared(&self) -> Option<&'a contract::Operation> {
        let contract = self.version.contract.as_deref()?;
        contract.operations.get(self.operation_index)
    }
}

impl Apis {
    /// The version with this name, `field-service/v2`.
    pub fn find(&self, name: &str) -> Option<&ApiVersion> {
        self.versions.iter().find(|version| &*version.name == name)
    }

    /// Every operation.
    pub fn operations(&self) -> impl Iterator<Item = Meant<'_>> {
        let versions = self.versions.iter().enumerate();
        versions.flat_map(|(version_index, version)| {
            let plans = version.operations.iter().enumerate();
            plans.map(move |(operation_index, plan)| Meant {
                version_index,
                version,
                operation_index,
                plan,
            })
        })
    }

    /// The operations a name means: `createWorkOrder` in every version, `field-service/v2:createWorkOrder` in one. Else
    /// what is wrong, and the nearest name.
    pub fn named(&self, name: &str) -> Result<Vec<Meant<'_>>, (String, String)> {
        let is_meant =
            |one: &Meant<'_>| *one.plan.id == *name || *one.plan.inspected.scope == *name;
        let meant: Vec<Meant<'_>> = self.operations().filter(is_meant).collect();
        if !meant.is_empty() {
            return Ok(meant);
        }
        let is_full = name.contains(':');
        let mut known: Vec<&str> = self
            .operations()
            .map(|one| {
                if is_full {
                    &*one.plan.inspected.scope
                } else {
                    &*one.plan.id
                }
            })
            .collect();
        known.sort_unstable();
        known.dedup();
        let help =
            nearest(name, &known).unwrap_or_else(|| format!("Operations are: {}.", listed(&known)));
        Err((format!("no api has an operation `{name}`"), help))
    }

    /// Gives every operation its number in the rules.
    pub fn link(&mut self, rules: Option<&policy::Rules>) {
        let Some(rules) = rules else { return };
        for version in &mut self.versions {
            let name = version.name.clone();
            for operation in &mut version.operations {
                operation.policy = rules.operation(&name, &operation.id);
            }
        }
    }
}

/// What every version is checked against.
pub(super) struct Scene<'a> {
    pub files: &'a Files,
    pub written: &'a Written,
    pub listeners: Option<&'a Map<Listener>>,
    pub now: Timestamp,
}

/// What keeps a path from being a plain fixed path.
pub(super) fn base_path_problem(path: &str) -> Option<&'static str> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let Some(rest) = path.strip_prefix('/') else {
        return Some("does not begin with `/`");
    };
    if rest.split('/').any(str::is_empty) {
        return Some("has an empty segment or ends with `/`");
    }
    if rest.split('/').any(|s| s == "." || s == "..") {
        return Some("has dot segments");
    }
    (!rest.split('/').all(|s| s.bytes().all(is_plain)))
        .then_some("has characters other than letters, digits, `-`, `.`, `_` and `~`")
}

/// The operation with this id, or a mistake that names the nearest one.
pub(super) fn operation(
    full: &str,
    id: &str,
    contract: &Contract,
    place: &Place,
    report: &mut Report,
) -> Option<Arc<str>> {
    if let Some((_, operation)) = contract.operation(id) {
        return Some(operation.id.clone());
    }
    let known: Vec<&str> = contract.operations.iter().map(|o| &*o.id).collect();
    let help =
        nearest(id, &known).unwrap_or_else(|| format!("Its operations are: {}.", listed(&known)));
    report.unknown(
        place,
        format!("the contract of `{full}` has no operation `{id}`"),
        help,
    );
    None
}
