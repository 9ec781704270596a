//! The limits of an integration: rates, bursts and concurrency, and which of them never refuse a call.
//! Exports `compile` and `Known`.
//! Used by `integrations`.
//! Start reading at `compile`; which limits are idle is decided in `counts_no_other`.

use std::collections::BTreeSet;

use policy::limit::Limit;

use super::bounds::{filled, names_some};
use super::draft::Apis;
use super::server::per_second;
use crate::compiled::LimitSettings;
use crate::integration::{Integration, Limit as WrittenLimit, Per};
use crate::read::Named;
use crate::report::Report;
use crate::spanned::At;

const CONCURRENCY_RANGE: (u32, u32) = (1, 10_000);
const BURST_RANGE: (u32, u32) = (1, 1_000_000);

/// What of an integration could be read.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// It can name the person it calls for, or it is not known whether it can.
    pub has_person: bool,
    /// Rates.
    pub rates: bool,
}

/// Checks and completes the limits of an integration.
pub(super) fn compile(
    named: &Named<Integration>,
    known: Known,
    (apis, rules): (&Apis, Option<&policy::Rules>),
    report: &mut Report,
) -> Vec<LimitSettings> {
    let written = &named.value.limits;
    let limits: Vec<LimitSettings> = written
        .iter()
        .map(|at| limit(named, known, at, (apis, rules), report))
        .collect();
    for (index, (at, one)) in written.iter().zip(&limits).enumerate() {
        idle(
            named,
            at,
            one,
            limits.get(..index).unwrap_or_default(),
            report,
        );
    }
    limits
}

/// Warns of a limit that an earlier one never lets refuse a call.
fn idle(
    named: &Named<Integration>,
    at: &At<WrittenLimit>,
    one: &LimitSettings,
    earlier: &[LimitSettings],
    report: &mut Report,
) {
    let stricter: Vec<&LimitSettings> = earlier
        .iter()
        .filter(|other| counts_no_other(one, other))
        .collect();
    let by_rate = stricter.iter().find(|other| {
        let both = one.limit.as_ref().zip(other.limit.as_ref());
        both.is_some_and(|(one, other)| one.never_refuses_beside(other))
    });
    let by_concurrency = stricter.iter().find(|other| {
        let both = one.concurrency.zip(other.concurrency);
        both.is_some_and(|(one, other)| one >= other)
    });
    let mut warn = |what: String, place, other: &LimitSettings| {
        let line = other.place.rule_ref().line;
        let message = format!(
            "`{what}` never refuses a call: the limit in line {line} counts the same calls, is no looser, and is asked first"
        );
        let help = "Take it out, or make it stricter than the other one.";
        report.warn(&place, message, help);
    };
    if let (Some(rate), Some(other)) = (&at.rate, by_rate) {
        warn(
            format!("rate: {}", rate.value),
            rate.place(&named.file),
            other,
        );
    }
    if let (Some(most), Some(other)) = (&at.concurrency, by_concurrency) {
        warn(
            format!("concurrency: {}", most.value),
            most.place(&named.file),
            other,
        );
    }
}

/// Whether whatever is counted under one name of a limit is counted under one name of the other as well. A call that an
/// earlier limit refuses is not counted by a later one; the other way round it is, so that only earlier ones are compared.
fn counts_no_other(one: &LimitSettings, other: &LimitSettings) -> bool {
    let is_single = one.operations.as_ref().is_some_and(|all| all.len() == 1);
    let is_apart = match other.per {
        Per::Integration => true,
        Per::User => one.per == Per::User,
        Per::Operation => one.per == Per::Operation || is_single,
    };
    let is_inside = match (&one.operations, &other.operations) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(one), Some(other)) => one.is_subset(other),
    };
    is_apart && is_inside
}

fn limit(
    named: &Named<Integration>,
    known: Known,
    at: &At<WrittenLimit>,
    (apis, rules): (&Apis, Option<&policy::Rules>),
    report: &mut Report,
) -> LimitSettings {
    let file = &named.file;
    let place = at.place(file);
    if at.rate.is_none() && at.concurrency.is_none() {
        report.wrong(
            &place,
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
    if at.per.value == Per::User && !known.has_person {
        let help =
            "Set `credentials.api_key.user_header`, so that the integration can name the person.";
        report.wrong(
            &at.per.place(file),
            "a limit per user needs to know the user",
            help,
        );
    }
    let rate = at.rate.as_ref().map(|rate| rate.value);
    let burst = |rate| {
        filled(
            at.burst.as_ref(),
            per_second(rate).max(1),
            BURST_RANGE,
            file,
            report,
        )
    };
    let limit = rate.map(|rate| Limit::new(rate, { burst }(rate)));
    let concurrency = at.concurrency.as_ref();
    LimitSettings {
        per: at.per.value,
        limit,
        concurrency: concurrency.map(|_| filled(concurrency, 1, CONCURRENCY_RANGE, file, report)),
        operations: operations(named, at, (apis, rules), report),
        place,
    }
}

/// The operations a limit counts; none for all.
fn operations(
    named: &Named<Integration>,
    limit: &WrittenLimit,
    (apis, rules): (&Apis, Option<&policy::Rules>),
    report: &mut Report,
) -> Option<BTreeSet<policy::OperationRef>> {
    let listed = limit.operations.as_ref()?;
    names_some(
        listed,
        "the limit's `operations`",
        "no operation",
        "Leave `operations` out to count all, or list those that count.",
        &named.file,
        report,
    );
    let mut found = BTreeSet::new();
    for at in listed.iter() {
        let meant = match apis.named(at) {
            Ok(meant) => meant,
            Err((message, help)) => {
                if apis.broken.is_empty() {
                    report.unknown(&at.place(&named.file), message, help);
                }
                continue;
            }
        };
        let refs: Vec<_> = meant
            .iter()
            .filter_map(|one| rules?.operation(&one.version.name, &one.plan.id))
            .collect();
        let is_granted = |rules: &policy::Rules| {
            let mut refs = refs.iter();
            refs.any(|operation| rules.is_granted(&named.name, *operation))
        };
        if rules.is_some_and(|rules| !is_granted(rules)) {
            let message = format!(
                "`{}` is counted here, and `{}` is not granted it",
                at.value, named.name
            );
            let help = "Take it out, or grant it.";
            report.warn(&at.place(&named.file), message, help);
        }
        found.extend(refs);
    }
    Some(found)
}
