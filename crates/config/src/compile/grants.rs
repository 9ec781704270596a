//! The grants of integrations and roles: do the api, the operations and the field paths exist?
//! Exports `collect` and `Grants`, which hold only what is right; policy judges conditions and fields.
//! Used by `compile` of the whole.
//! Start reading at `collect`.

mod parameters;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::FieldPath;
use policy::{Condition, IntegrationGrants, Listed, Spot};

use super::draft::{Apis, operation};
use crate::Files;
use crate::Span;
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
pub(super) fn collect(
    written: &Written,
    files: &Files,
    apis: &Apis,
    report: &mut Report,
) -> Grants {
    let mut roles = Roles::new();
    for role in &written.roles {
        if role.value.grants.is_empty() && !written.has_lost(&role.file, &["grants"]) {
            let mistake = model::Mistake::new(
                "the role grants nothing",
                "Write at least one grant, or take the file out.",
            );
            report.add(mistake.in_file(&*role.file));
        }
        let known = report.len();
        let read = |at: &At<Grant>, report: &mut Report| {
            let scene = (&role.file, files.text(&role.file));
            grant(at, Some(&role.name), scene, apis, report)
        };
        let grants: Vec<policy::Grant> = role
            .value
            .grants
            .iter()
            .filter_map(|at| read(at, report))
            .collect();
        let is_partial = grants.len() < role.value.grants.len()
            || report.len() > known
            || written.has_lost(&role.file, &["grants"]);
        roles.insert(role.name.clone(), (grants, is_partial));
    }
    let integrations = written.integrations.iter();
    let integrations = integrations
        .map(|named| one(named, &roles, (written, files), apis, report))
        .collect();
    Grants { integrations }
}

/// The grants of every role, and whether some of them are missing.
type Roles = BTreeMap<Arc<str>, (Vec<policy::Grant>, bool)>;

fn one(
    named: &Named<Integration>,
    roles: &Roles,
    (written, files): (&Written, &Files),
    apis: &Apis,
    report: &mut Report,
) -> IntegrationGrants {
    let file = &named.file;
    let known = report.len();
    let own = named.value.grants.iter();
    let mut grants: Vec<policy::Grant> = own
        .filter_map(|at| grant(at, None, (file, files.text(file)), apis, report))
        .collect();
    let lost = ["grants", "roles", "attributes"];
    let mut is_partial = grants.len() < named.value.grants.len()
        || lost.iter().any(|part| written.has_lost(file, &[part]));
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
            Some((of_role, is_role_partial)) => {
                grants.extend(of_role.iter().cloned());
                is_partial |= is_role_partial;
            }
            None if written.broken.contains(&format!("roles/{}.yaml", at.value)) => {
                is_partial = true;
            }
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
        is_partial: is_partial || report.len() > known,
    }
}

fn unknown_role(at: &At<String>, roles: &Roles, file: &Arc<str>, report: &mut Report) {
    let known: Vec<&str> = roles.keys().map(|name| &**name).collect();
    let help = match nearest(at, &known) {
        Some(help) => help,
        None if known.is_empty() => format!("Write `roles/{}.yaml` with its grants.", at.value),
        None => format!("Roles are: {}.", listed(&known)),
    };
    report.unknown(
        &at.place(file),
        format!("there is no role `{}`", at.value),
        help,
    );
}

/// One grant as policy wants it; none where its api is not known.
fn grant(
    at: &At<Grant>,
    role: Option<&Arc<str>>,
    (file, text): (&Arc<str>, Option<&str>),
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
        span: Some((at.span.start, at.span.len)),
        role: role.cloned(),
        api: at.api.value.as_str().into(),
        operations,
        when: at.when.as_ref().map(|when| Condition {
            text: when.value.as_str().into(),
            rule: when.place(file).rule_ref(),
            span: Some(verbatim(when, text)),
        }),
        fields,
        masks,
        errors,
        writes,
        deny_as: at.deny_as.as_ref().map(|at| at.value),
        query,
        set,
    })
}

/// The bytes of a text without its quotes, where it is written as it is; otherwise all that is written.
fn verbatim(at: &At<String>, text: Option<&str>) -> (usize, usize) {
    let Span { start, len, .. } = at.span;
    let raw = text.and_then(|text| text.get(start..start.saturating_add(len)));
    match raw.and_then(|raw| raw.find(at.as_str())) {
        Some(inside) => (start.saturating_add(inside), at.len()),
        None => (start, len),
    }
}

/// Where an entry of a list stands.
fn spot<T>(at: &At<T>) -> Spot {
    Spot {
        line: at.span.line,
        span: Some((at.span.start, at.span.len)),
    }
}

/// A refusal that says "forbidden" beside an absent object that says "not found" tells which objects exist.
fn tells_of_objects(
    grant: &At<Grant>,
    operations: &[Listed<Arc<str>>],
    file: &Arc<str>,
    apis: &Apis,
    report: &mut Report,
) {
    let is_about_objects = |when: &At<String>| when.contains("resource");
    let forbidden = grant.deny_as.as_ref();
    let Some(told) = forbidden.filter(|at| at.value == policy::DenyAs::Forbidden) else {
        return;
    };
    if !grant.when.as_ref().is_some_and(is_about_objects) {
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
        .map(|listed| &listed.value)
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
    report.warn(&told.place(file), message, help);
}

/// The operations that exist; none where the version does not, or is already known to be broken.
fn operations(
    grant: &At<Grant>,
    file: &Arc<str>,
    apis: &Apis,
    report: &mut Report,
) -> Option<Vec<Listed<Arc<str>>>> {
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
    let mut found: Vec<Listed<Arc<str>>> = Vec::new();
    for at in &grant.operations {
        let place = at.place(file);
        let Some(id) = operation(name, at, contract, &place, report) else {
            continue;
        };
        if found.iter().any(|listed| listed.value == id) {
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
        found.push(Listed {
            value: id,
            spot: spot(at),
        });
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
    report.unknown(
        &name.place(file),
        format!("there is no api version `{}`", name.value),
        help,
    );
}

/// Field paths with their lines, braces expanded.
fn paths(written: &[At<String>], file: &Arc<str>, report: &mut Report) -> Vec<Listed<FieldPath>> {
    let mut found = Vec::new();
    for at in written {
        let spot = spot(at);
        let values = parsed(at, FieldPath::parse_entry(at), file, report);
        found.extend(values.into_iter().map(|value| Listed { value, spot }));
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
        let spot = spot(path);
        // Only a value can be shown in part.
        let masked = parsed(path, FieldPath::parse(path), file, report).into_iter();
        found.extend(masked.map(|value| Listed {
            value: (value, mask.value),
            spot,
        }));
    }
    found
}

fn parsed(
    at: &At<String>,
    paths: Result<Vec<FieldPath>, String>,
    file: &Arc<str>,
    report: &mut Report,
) -> Vec<FieldPath> {
    paths.unwrap_or_else(|why| {
        let help = "Write a path like `id`, `customer.{id,legalName}` or `lines.*.sku`.";
        report.wrong(
            &at.place(file),
            format!("the field path `{}` {why}", at.value),
            help,
        );
        Vec::new()
    })
}
