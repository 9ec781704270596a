//! The integration of whoever shows no credential: only one, only by its name, and only within limits.
//! Exports `check`.
//! Used by `integrations`.
//! Start reading at `check`.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::limits::Surroundings;
use crate::compiled::LimitSettings;
use crate::de::listed;
use crate::integration::{Grant, Integration, Role};
use crate::per::PerPart;
use crate::read::Named;
use crate::report::Report;
use crate::spanned::At;

/// The only integration that may accept calls without a credential.
pub(super) const ANONYMOUS: &str = "anonymous";

/// Says what has to be right where nobody is known, and names what becomes public.
pub(super) fn check(
    named: &Named<Integration>,
    (limits, roles): (&[LimitSettings], &[Named<Role>]),
    around: Surroundings<'_>,
    report: &mut Report,
) {
    let (file, credentials) = (&named.file, &named.value.credentials);
    let at = |message: &str, help: &str| {
        let mistake = model::Mistake::new(message, help).at_pointer("/none");
        credentials.place(mistake, file)
    };
    match (&*named.name == ANONYMOUS, credentials.value.none) {
        (false, false) => return,
        (true, true) => {}
        (true, false) => {
            return report.add(at(
                "the name `anonymous` is kept for whoever shows no credential",
                "Write `credentials: { none: true }`, or give the file another name.",
            ));
        }
        (false, true) => {
            return report.add(at(
                "only the integration `anonymous` is for whoever shows no credential",
                "Take `none` out, or move the grants to `integrations/anonymous.yaml`.",
            ));
        }
    }
    if !limits.iter().any(holds_everybody) {
        let message = "whoever calls without a credential calls as often as they like";
        let help = "Add a limit that counts all calls, such as `limits: [{ per: address, rate: 60/min }, { per: integration, rate: 600/min }]`.";
        report.wrong(&named.value.owner.place(file), message, help);
    }
    about_persons(named, roles, report);
    let public = public(named, around);
    if !public.is_empty() {
        let names: Vec<&str> = public.iter().map(|name| &**name).collect();
        let message = format!("anybody may call {} without a credential", listed(&names));
        let help = "This is what an integration named `anonymous` is for. Take the grants out if it is not meant.";
        let warning = model::Mistake::new(message, help).at_pointer("/none");
        report.note(credentials.place(warning, file));
    }
}

/// Whether a limit bounds how often calls come, whatever is called and whatever names are sent.
fn holds_everybody(limit: &LimitSettings) -> bool {
    limit.limit.is_some()
        && limit.operations.is_none()
        && limit.failed.is_none()
        && !limit.per.iter().any(PerPart::is_made_up)
}

/// Conditions over the caller say nothing where there is none.
fn about_persons(named: &Named<Integration>, roles: &[Named<Role>], report: &mut Report) {
    let asks = |grant: &&At<Grant>| {
        let when = grant.when.as_ref();
        when.is_some_and(|when| when.contains("principal"))
    };
    let help = "Write a condition over `resource` or `context`, or grant it to an integration with credentials.";
    for grant in named.value.grants.iter().filter(asks) {
        let place = grant
            .when
            .as_ref()
            .map_or_else(|| grant.place(&named.file), |when| when.place(&named.file));
        let message = "nobody is known here whom a condition over `principal` could be about";
        report.wrong(&place, message, help);
    }
    for at in &named.value.roles {
        let role = roles.iter().find(|role| *role.name == *at.value);
        if role.is_some_and(|role| role.value.grants.iter().any(|grant| asks(&grant))) {
            let message = format!(
                "nobody is known here whom a condition over `principal` of the role `{}` could be about",
                at.value
            );
            report.wrong(&at.place(&named.file), message, help);
        }
    }
}

/// The operations that become public.
fn public(named: &Named<Integration>, around: Surroundings<'_>) -> BTreeSet<Arc<str>> {
    let Some(rules) = around.rules else {
        return BTreeSet::new();
    };
    let is_public = |one: &super::draft::Meant<'_>| {
        let operation = rules.operation(&one.version.name, &one.plan.id);
        !one.plan.listeners.is_empty()
            && operation.is_some_and(|operation| rules.is_granted(&named.name, operation))
    };
    let all = around.apis.operations().filter(is_public);
    all.map(|one| one.plan.inspected.scope.clone()).collect()
}
