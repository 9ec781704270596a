//! The limits of an integration: rates, bursts and concurrency, what they count, and which of them never refuse a call.
//! Exports `compile` and `Known`.
//! Used by `integrations`.
//! Start reading at `compile`; what a limit counts is checked in `counted`, and which limits are idle is decided in `idle`.

mod counted;
mod idle;

use std::collections::BTreeSet;

use policy::limit::Limit;

use super::bounds::{filled, names_some};
use super::draft::{Apis, Meant};
use super::server::{BURST_MAX, comes_back, default_burst};
use crate::compiled::{LimitSettings, ListenerSettings};
use crate::integration::{Integration, Limit as WrittenLimit};
use crate::per::PerPart;
use crate::read::Named;
use crate::report::Report;
use crate::spanned::At;

const CONCURRENCY_RANGE: (u32, u32) = (1, 10_000);
const BURST_RANGE: (u32, u32) = (1, BURST_MAX);

/// What of an integration could be read.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// It can name the person it calls for, or it is not known whether it can.
    pub has_person: bool,
    /// The header in which it names that person.
    pub user_header: Option<&'a str>,
    /// Rates.
    pub rates: bool,
}

/// What limits are checked against.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub apis: &'a Apis,
    /// None where there is a mistake in them.
    pub rules: Option<&'a policy::Rules>,
    /// None where they could not be read.
    pub listeners: Option<&'a [ListenerSettings]>,
}

/// Checks and completes the limits of an integration.
pub(super) fn compile(
    named: &Named<Integration>,
    known: Known<'_>,
    around: Surroundings<'_>,
    report: &mut Report,
) -> Vec<LimitSettings> {
    let written = &named.value.limits;
    let limits: Vec<LimitSettings> = written
        .iter()
        .map(|at| limit(named, known, at, around, report))
        .collect();
    idle::warn(named, &limits, known, around, report);
    limits
}

fn limit(
    named: &Named<Integration>,
    known: Known<'_>,
    at: &At<WrittenLimit>,
    around: Surroundings<'_>,
    report: &mut Report,
) -> LimitSettings {
    let file = &named.file;
    let place = at.place(file);
    shape(named, known, at, report);
    let rate = at.rate.as_ref().map(|rate| rate.value);
    let burst = |rate| {
        let default = default_burst(rate);
        filled(at.burst.as_ref(), default, BURST_RANGE, file, report)
    };
    let limit = rate
        .map(burst)
        .zip(rate)
        .map(|(burst, rate)| Limit::new(rate, burst));
    if let Some(limit) = &limit {
        comes_back(limit, &place, report);
    }
    let concurrency = at.concurrency.as_ref();
    let listed = operations(named, at, around, report);
    let per = &at.per.value;
    LimitSettings {
        per: per.0.clone(),
        label: per.to_string().into(),
        is_by_value: per.0.iter().any(PerPart::is_value),
        limit,
        concurrency: concurrency.map(|_| filled(concurrency, 1, CONCURRENCY_RANGE, file, report)),
        failed: counted::outcome(named, at, listed.as_deref(), around, report),
        operations: counted::operations(named, at, listed, around, report),
        place,
    }
}

/// Says what does not belong together.
fn shape(named: &Named<Integration>, known: Known<'_>, at: &At<WrittenLimit>, report: &mut Report) {
    let file = &named.file;
    if at.rate.is_none() && at.concurrency.is_none() {
        report.wrong(
            &at.place(file),
            "the limit has neither `rate` nor `concurrency`",
            "Write `rate: 600/min`, `concurrency: 20`, or both.",
        );
    }
    if let Some(burst) = &at.burst
        && at.rate.is_none()
        && known.rates
    {
        report.wrong(
            &burst.place(file),
            "`burst` has no meaning without a rate",
            "Add `rate`, or take `burst` out.",
        );
    }
    if let (Some(_), Some(concurrency)) = (&at.failed, &at.concurrency) {
        report.wrong(
            &concurrency.place(file),
            "a call that is under way has not failed yet",
            "Write the concurrency as a limit of its own, without `failed`.",
        );
    }
    if at.per.0.contains(&PerPart::User) && !known.has_person {
        let help =
            "Set `credentials.api_key.user_header`, so that the integration can name the person.";
        report.wrong(
            &at.per.place(file),
            "a limit per user needs to know the user",
            help,
        );
    }
    counted::parts(&at.per, file, report);
}

/// The operations that are listed; none where all are meant.
fn operations<'a>(
    named: &Named<Integration>,
    limit: &WrittenLimit,
    around: Surroundings<'a>,
    report: &mut Report,
) -> Option<Vec<Meant<'a>>> {
    let listed = limit.operations.as_ref()?;
    names_some(
        listed,
        "the limit's `operations`",
        "no operation",
        "Leave `operations` out to count all, or list those that count.",
        &named.file,
        report,
    );
    let mut found = Vec::new();
    for at in listed.iter() {
        let meant = match around.apis.named(at) {
            Ok(meant) => meant,
            Err((message, help)) => {
                if around.apis.broken.is_empty() {
                    report.unknown(&at.place(&named.file), message, help);
                }
                continue;
            }
        };
        let is_granted = |rules: &policy::Rules| {
            let refs = meant
                .iter()
                .filter_map(|one| counted::reference(one, rules));
            refs.into_iter()
                .any(|operation| rules.is_granted(&named.name, operation))
        };
        if around.rules.is_some_and(|rules| !is_granted(rules)) {
            let message = format!(
                "`{}` is counted here, and `{}` is not granted it",
                at.value, named.name
            );
            let help = "Take it out, or grant it.";
            report.warn(&at.place(&named.file), message, help);
        }
        found.extend(meant);
    }
    Some(found)
}

/// The operations as the rules know them.
fn references(
    operations: &[Meant<'_>],
    around: Surroundings<'_>,
) -> BTreeSet<policy::OperationRef> {
    let known = around.rules.into_iter();
    known
        .flat_map(|rules| {
            operations
                .iter()
                .filter_map(|one| counted::reference(one, rules))
        })
        .collect()
}
