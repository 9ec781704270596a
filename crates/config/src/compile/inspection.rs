//! How free text is inspected: rules, suspicion, findings known to be wrong, fields with a suspicion of their own.
//! Exports `compile`.
//! Used by `compile` of the whole.
//! Start reading at `compile`.

mod pointers;
mod proofs;
mod rules;

use std::sync::Arc;

use model::{Mistake, Timestamp};
use waf::hosts::HOSTS_MAX;
use waf::{Class, HostPattern, Plan, Settings};

use super::Proofs;
use super::bounds::filled;
use super::draft::Apis;
use crate::Files;
use crate::compiled::{Compiled, FieldLevel, FieldPattern, Proven};
use crate::de::{listed, nearest};
use crate::files::SERVER_FILE;
use crate::leaks::ResponseRules;
use crate::report::Report;
use crate::server::{Exclusion, FieldParanoia, Server};
use crate::spanned::At;

/// The compiled plan of detection.
pub(super) struct Inspection {
    pub plan: Arc<Plan>,
    /// Names the files of rules it was made from.
    pub rules_digest: [u8; 32],
}

/// Compiles the plan of detection, and tells the operations what is special about their fields.
pub(super) fn compile(
    server: &Server,
    files: &Files,
    apis: &mut Apis,
    (now, before): (Timestamp, Option<&Compiled>),
    report: &mut Report,
) -> Option<Inspection> {
    let file: Arc<str> = SERVER_FILE.into();
    let written = &server.inspection;
    let paranoia = filled(written.paranoia.as_ref(), 1, (1, 4), &file, report);
    let threshold = filled(written.threshold.as_ref(), 5, (1, 1_000), &file, report);
    let directories = rules::read(&written.rules, files, &file, report);
    let exclusions = written.exclusions.iter();
    let settings = Settings {
        paranoia: u8::try_from(paranoia).unwrap_or(1).clamp(1, 4),
        threshold: threshold.max(1),
        exclusions: exclusions
            .flat_map(|at| exclusion(at, apis, now, &file, report))
            .collect(),
        internal_hosts: hosts(&written.internal_hosts, &file, report),
        ..Settings::default()
    };
    for at in &written.fields {
        field(at, (paranoia, now), apis, &file, report);
    }
    let is_read = directories.is_some();
    let directories = directories.unwrap_or_default();
    let rules_digest = rules::digest(&directories);
    let before = before.filter(|before| before.rules_digest == rules_digest);
    let made = match before {
        Some(before) => waf::compile_again(&settings, &before.inspection),
        None => waf::compile(&settings, &directories),
    };
    let plan = match made {
        Ok(plan) => Arc::new(plan),
        Err(errors) => {
            for error in errors {
                report.add(rules::placed(error, files));
            }
            return None;
        }
    };
    // With a directory missing it is not known which rules there would be.
    if is_read {
        for at in &written.exclusions {
            known_rules(at, &plan, &file, report);
        }
    }
    Some(Inspection { plan, rules_digest })
}

/// Works out which rules cannot match in which fields, last of all: a configuration with mistakes is not worth it. Gives what
/// is proven, and what of it is about the fields that are forwarded undeclared.
pub(super) fn prove(
    inspection: &Inspection,
    apis: &mut Apis,
    before: Option<&Compiled>,
    proofs: Proofs,
) -> (Proven, Vec<waf::FieldPlan>) {
    let plan = &inspection.plan;
    let known = before.filter(|before| {
        before.rules_digest == inspection.rules_digest
            && before.inspection.paranoia() == plan.paranoia()
    });
    let proven = match proofs {
        Proofs::Made => proofs::prove(plan, apis, known.map(|before| &before.proven)),
        Proofs::LeftOut => Proven::default(),
    };
    let forwarded = proofs::of_forwarded(&proven);
    (proven, forwarded)
}

/// Compiles the rules about answers.
pub(super) fn answers(server: &Server, report: &mut Report) -> Option<Arc<ResponseRules>> {
    match ResponseRules::compile(&server.inspection.answers) {
        Ok(rules) => Some(Arc::new(rules)),
        Err(error) => {
            report.add(Mistake::new(error.message, error.help).in_file(SERVER_FILE));
            None
        }
    }
}

/// One exclusion for each operation that has the field; none where it is wrong or no longer applies.
fn exclusion(
    at: &At<Exclusion>,
    apis: &Apis,
    now: Timestamp,
    file: &Arc<str>,
    report: &mut Report,
) -> Vec<waf::Exclusion> {
    let place = at.place(file);
    let is_owned = owned(at, [&at.owner, &at.reason], "an exclusion", file, report);
    let having = pointers::having(at.operation.as_ref(), &at.pointer, apis, file, report);
    if at.rules.is_empty() {
        let help = "List rule ids or classes: `rules: [sqli]`.";
        report.wrong(&place, "the exclusion silences no rule", help);
        return Vec::new();
    }
    if at.expires.value.0 <= now {
        // A configuration that was good yesterday goes on serving; the finding counts again.
        let message = format!(
            "the exclusion ended on {} and silences nothing",
            at.expires.value
        );
        let help = "Take it out, or look at it again and move the day.";
        report.warn(&at.expires.place(file), message, help);
        return Vec::new();
    }
    if !is_owned {
        return Vec::new();
    }
    let having = having.unwrap_or_default().into_iter();
    having
        .map(|one| waf::Exclusion {
            operation: Some(one.scope.to_string()),
            pointer: one.pointer,
            rules: at.rules.iter().map(|rule| rule.value.clone()).collect(),
            owner: at.owner.clone(),
            expires: at.expires.value.to_string(),
            reason: at.reason.clone(),
        })
        .collect()
}

/// Notes the suspicion of one field with every operation that has it. Less of it than elsewhere is an exception, and
/// exceptions end.
fn field(
    at: &At<FieldParanoia>,
    (usual, now): (u32, Timestamp),
    apis: &mut Apis,
    file: &Arc<str>,
    report: &mut Report,
) {
    owned(
        at,
        [&at.owner, &at.reason],
        "a paranoia for one field",
        file,
        report,
    );
    let level = filled(Some(&at.paranoia), 1, (1, 4), file, report);
    let level = u8::try_from(level).unwrap_or(4).clamp(1, 4);
    let having = pointers::having(at.operation.as_ref(), &at.pointer, apis, file, report);
    let until = at.expires.as_ref().map(|day| day.value.0);
    match &at.expires {
        None if u32::from(level) < usual => report.wrong(
            &at.paranoia.place(file),
            "less suspicion than for all other fields needs a day on which it ends",
            "Add `expires: 2027-03-31`, at most a season away.",
        ),
        Some(day) if day.value.0 <= now => report.warn(
            &day.place(file),
            format!("this paranoia ended on {} and no longer applies", day.value),
            "Take it out, or look at it again and move the day.",
        ),
        _ => {}
    }
    for one in having.unwrap_or_default() {
        let version = apis.versions.get_mut(one.version);
        let plan = version.and_then(|version| version.operations.get_mut(one.operation));
        if let Some(plan) = plan {
            let field = FieldPattern::new(&one.pointer);
            plan.inspected.paranoia.push(FieldLevel {
                field,
                level,
                until,
            });
        }
    }
}

/// The internal hosts that addresses may lead to.
fn hosts(written: &[At<String>], file: &Arc<str>, report: &mut Report) -> Vec<HostPattern> {
    if let Some(at) = written.get(HOSTS_MAX) {
        let message = format!("more than {HOSTS_MAX} internal hosts");
        let help = "Write `*.plant.internal` for every host below a name.";
        report.wrong(&at.place(file), message, help);
    }
    let read = |at: &At<String>| match HostPattern::parse(at) {
        Ok(host) => Some(host),
        Err(why) => {
            let help = "Write `files.plant.internal`, `*.plant.internal` or `10.0.4.17`.";
            report.wrong(&at.place(file), format!("`{}` {why}", at.value), help);
            None
        }
    };
    written.iter().take(HOSTS_MAX).filter_map(read).collect()
}

/// Whether somebody answers for it and says why.
fn owned<T>(
    at: &At<T>,
    words: [&str; 2],
    what: &str,
    file: &Arc<str>,
    report: &mut Report,
) -> bool {
    let is_owned = words.iter().all(|word| !word.trim().is_empty());
    if !is_owned {
        report.wrong(
            &at.place(file),
            format!("{what} needs an owner and a reason"),
            "Say who answers for it and why it is right.",
        );
    }
    is_owned
}

/// Says which of the named rules do not exist.
fn known_rules(at: &At<Exclusion>, plan: &Plan, file: &Arc<str>, report: &mut Report) {
    for rule in &at.rules {
        if Class::named(rule).is_some() || plan.has_rule(rule) {
            continue;
        }
        let classes: Vec<&str> = Class::ALL
            .iter()
            .filter_map(|class| class.code().strip_prefix("inspect."))
            .collect();
        let ids = plan.rule_ids();
        let all: Vec<&str> = classes
            .iter()
            .copied()
            .chain(ids.iter().map(String::as_str))
            .collect();
        let is_number = rule.bytes().all(|b| b.is_ascii_digit());
        let help = match nearest(rule, &all).filter(|_| !is_number) {
            Some(help) => help,
            None if is_number => {
                "The number is that of no rule in the directories of `inspection.rules`.".into()
            }
            None => format!("Classes are: {}.", listed(&classes)),
        };
        report.wrong(
            &rule.place(file),
            format!("there is no rule or class `{}`", rule.value),
            help,
        );
    }
}
