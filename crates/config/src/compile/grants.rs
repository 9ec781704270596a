//! The grants of integrations and roles: do the api, the operations and the field paths exist?
//! Gives `collect` and `Grants`, which hold only what is right; policy judges conditions and fields.
//! Used by `compile` of the whole.
//! Start reading at `collect`.

mod parameters;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::FieldPath;
use policy::{Condition, IntegrationGrants, Listed};

use super::apis::{Apis, operation};
use crate::de::{listed, nearest};
use crate::integration::{Grant, Integration};
use crate::read::{Named, Written};
use crate::report::Report;
use crate::spanned::At;

/// What policy is given.
pub(super) struct Grants {
    /// Integrations with their grants, those of their roles included.
    pub integrations: Vec<IntegrationGrants>,
}

/// Checks every grant once and hands those that are right to the integrations that have them.
pub(super) fn collect(written: &Written, apis: &Apis, report: &mut Report) -> Grants {
    let mut roles: BTreeMap<Arc<str>, Vec<policy::Grant>> = BTreeMap::new();
    for role in &written.roles {
        if role.value.grants.is_empty() {
            let mistake = model::Mistake::new(
                "the role grants nothing",
                "Write at least one grant, or take the file out.",
            );
            report.add(mistake.in_file(&*role.file));
        }
        let read = |at: &At<Grant>, report: &mut Report| {
            grant(at, Some(&role.name), &role.file, apis, report)
        };
        let grants = role
            .value
            .grants
            .iter()
            .filter_map(|at| read(at, report))
            .collect();
        roles.insert(role.name.clone(), grants);
    }
    let integrations = written.integrations.iter();
    let integrations = integrations
        .map(|named| one(named, &roles, written, apis, report))
        .collect();
    Grants { integrations }
}

fn one(
    named: &Named<Integration>,
    roles: &BTreeMap<Arc<str>, Vec<policy::Grant>>,
    written: &Written,
    apis: &Apis,
    report: &mut Report,
) -> IntegrationGrants {
    let file = &named.file;
    let own = named.value.grants.iter();
    let mut grants: Vec<policy::Grant> = own
        .filter_map(|at| grant(at, None, file, apis, report))
        .collect();
    let mut names: Vec<Arc<str>> = Vec::new();
    for at in &named.value.roles {
        if names.iter().any(|name| **name == *at.value) {
            report.wrong(
                &at.place(file),
                format!("`{}` is listed twice", at.value),
                "Keep one of the two.",
            );
            continue;
        }
        match roles.get(at.as_str()) {
            Some(of_role) => grants.extend(of_role.iter().cloned()),
            None if written.broken.contains(&format!("roles/{}.yaml", at.value)) => {}
            None => unknown_role(at, roles, file, report),
        }
        names.push(at.value.as_str().into());
    }
    let attributes = named.value.attributes.iter();
    IntegrationGrants {
        name: named.name.clone(),
        attributes: attributes
            .map(|(name, at)| (name.value.clone(), at.value.clone()))
            .collect(),
        roles: names,
        grants,
    }
}

fn unknown_role(
    at: &At<String>,
    roles: &BTreeMap<Arc<str>, Vec<policy::Grant>>,
    file: &Arc<str>,
    report: &mut Report,
) {
    let known: Vec<&str> = roles.keys().map(|name| &**name).collect();
    let help = match nearest(at, &known) {
        Some(help) => help,
        None if known.is_empty() => format!("Write `roles/{}.yaml` with its grants.", at.value),
        None => format!("Roles are: {}.", listed(&known)),
    };
    report.wrong(
        &at.place(file),
        format!("there is no role `{}`", at.value),
        help,
    );
}

/// One grant as policy wants it; none where its api is not known.
fn grant(
    at: &At<Grant>,
    role: Option<&Arc<str>>,
    file: &Arc<str>,
    apis: &Apis,
    report: &mut Report,
) -> Option<policy::Grant> {
    let operations = operations(at, file, apis, report);
    let fields = paths(&at.fields, file, report);
    let writes = paths(&at.writes, file, report);
    let errors = paths(&at.errors, file, report);
    let masks = masks(at, file, report);
    let query = parameters::query(at, file, apis, report);
    let set = parameters::set(at, file, apis, report);
    let operations = operations.filter(|list| !list.is_empty())?;
    tells_of_objects(at, &operations, file, apis, report);
    Some(policy::Grant {
        rule: at.place(file).rule_ref(),
        role: role.cloned(),
        api: at.api.value.as_str().into(),
        operations,
        when: at.when.as_ref().map(|when| Condition {
            text: when.value.as_str().into(),
            rule: when.place(file).rule_ref(),
        }),
        fields,
        masks,
        errors,
        writes,
        deny_as: at.deny_as,
        query,
        set,
    })
}

/// A refusal that says "forbidden" beside an absent object that says "not found" tells which objects exist.
fn tells_of_objects(
    grant: &At<Grant>,
    operations: &[Arc<str>],
    file: &Arc<str>,
    apis: &Apis,
    report: &mut Report,
) {
    let is_about_objects = |when: &At<String>| when.contains("resource");
    if grant.deny_as != Some(policy::DenyAs::Forbidden)
        || !grant.when.as_ref().is_some_and(is_about_objects)
    {
        return;
    }
    let contract = apis
        .find(&grant.api)
        .and_then(|version| version.contract.as_deref());
    let names_object = |id: &&Arc<str>| {
        let declared = contract.and_then(|contract| contract.operation(id));
        declared.is_some_and(|(_, operation)| operation.template.contains('{'))
    };
    let named: Vec<&str> = operations
        .iter()
        .filter(names_object)
        .map(|id| &**id)
        .collect();
    if named.is_empty() {
        return;
    }
    let message = format!(
        "`deny_as: forbidden` tells the caller of {} which objects exist: hidden ones answer 403, absent ones 404",
        listed(&named)
    );
    let help = "Write `deny_as: not_found`, or move operations whose path names no object into a grant of their own.";
    report.warn(&grant.place(file), message, help);
}

/// The operations that exist; none where the version does not, or is already known to be broken.
fn operations(
    grant: &At<Grant>,
    file: &Arc<str>,
    apis: &Apis,
    report: &mut Report,
) -> Option<Vec<Arc<str>>> {
    let name = &grant.api;
    if grant.operations.is_empty() {
        let help = "List at least one operation, or take the grant out.";
        report.wrong(&grant.place(file), "the grant names no operation", help);
    }
    let Some(version) = apis.find(name) else {
        let api = name.split('/').next().unwrap_or_default();
        if !apis.broken.contains(name.as_str()) && !apis.broken.contains(api) {
            unknown_version(name, file, apis, report);
        }
        return None;
    };
    let Some(contract) = version.contract.as_deref() else {
        let help = "Grant operations of a version that works.";
        report.wrong(
            &name.place(file),
            format!("`{}` is retired and has no operations", name.value),
            help,
        );
        return None;
    };
    let mut found: Vec<Arc<str>> = Vec::new();
    for at in &grant.operations {
        let place = at.place(file);
        let Some(id) = operation(name, at, contract, &place, report) else {
            continue;
        };
        if found.contains(&id) {
            report.wrong(
                &place,
                format!("`{id}` is listed twice"),
                "Keep one of the two.",
            );
            continue;
        }
        let is_exposed = version
            .operations
            .iter()
            .any(|o| o.id == id && !o.listeners.is_empty());
        if !is_exposed {
            let help = format!(
                "Add it to `expose` in `apis/{}.yaml`, or take it out here.",
                version.api
            );
            report.warn(
                &place,
                format!("`{id}` is granted but exposed on no listener"),
                help,
            );
        }
        found.push(id);
    }
    Some(found)
}

fn unknown_version(name: &At<String>, file: &Arc<str>, apis: &Apis, report: &mut Report) {
    let known: Vec<&str> = apis.versions.iter().map(|version| &*version.name).collect();
    let help = match nearest(name, &known) {
        Some(help) => help,
        None if known.is_empty() => "Write it as API/VERSION; there is no api yet.".into(),
        None => format!("Versions are: {}.", listed(&known)),
    };
    report.wrong(
        &name.place(file),
        format!("there is no api version `{}`", name.value),
        help,
    );
}

/// Field paths with their lines, braces expanded.
fn paths(written: &[At<String>], file: &Arc<str>, report: &mut Report) -> Vec<Listed<FieldPath>> {
    let mut found = Vec::new();
    for at in written {
        let line = at.span.line;
        found.extend(
            expanded(at, file, report)
                .into_iter()
                .map(|value| Listed { value, line }),
        );
    }
    found
}

fn masks(
    grant: &Grant,
    file: &Arc<str>,
    report: &mut Report,
) -> Vec<Listed<(FieldPath, policy::Mask)>> {
    let mut found = Vec::new();
    for (path, mask) in grant.masks.iter() {
        let line = path.span.line;
        let masked = expanded(path, file, report).into_iter();
        found.extend(masked.map(|value| Listed {
            value: (value, mask.value),
            line,
        }));
    }
    found
}

fn expanded(at: &At<String>, file: &Arc<str>, report: &mut Report) -> Vec<FieldPath> {
    FieldPath::parse(at).unwrap_or_else(|why| {
        let help = "Write a path like `id`, `customer.{id,legalName}` or `lines.*.sku`.";
        report.wrong(
            &at.place(file),
            format!("the field path `{}` {why}", at.value),
            help,
        );
        Vec::new()
    })
}
