//! Limits that never refuse a call, or that hold nobody back.
//! Exports `warn`.
//! Used by `limits`.
//! Start reading at `warn`; which calls two limits count is decided in `counts_no_other`.

use std::fmt::Display;

use model::http::STREAMS_MAX;

use super::{Known, Surroundings};
use crate::compiled::{LimitSettings, ListenerSettings};
use crate::integration::{Integration, Limit as WrittenLimit};
use crate::per::PerPart;
use crate::read::Named;
use crate::report::Report;
use crate::server::ListenerKind;
use crate::spanned::At;

/// Warns of each limit that never refuses a call, and of each that its own caller gets around.
pub(super) fn warn(
    named: &Named<Integration>,
    limits: &[LimitSettings],
    known: Known<'_>,
    around: Surroundings<'_>,
    report: &mut Report,
) {
    for (index, (at, one)) in named.value.limits.iter().zip(limits).enumerate() {
        let others = limits
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index);
        let stricter: Vec<&LimitSettings> = others
            .filter(|(place, other)| {
                // Of two that are the same the earlier one is kept.
                counts_no_other(one, other) && (*place < index || !is_same(one, other))
            })
            .map(|(_, other)| other)
            .collect();
        beside_others(named, at, one, &stricter, report);
        let beyond = around.listeners.and_then(|all| let_in(one, all));
        if let (Some(concurrency), Some(most)) = (&at.concurrency, beyond)
            && concurrency.value >= most
        {
            let message = format!(
                "`concurrency: {}` never refuses a call: the listeners let no more than {most} in at once",
                concurrency.value
            );
            let help = "Make it smaller than that, or take it out.";
            report.warn(&concurrency.place(&named.file), message, help);
        }
        if let Some(header) = known.user_header {
            made_up(named, (at, one), limits, header, report);
        }
    }
}

/// Warns of a limit that another one never lets refuse a call. A call that one limit refuses is counted by none, so that of two
/// that count the same calls the looser one always lets pass what the stricter one does, whichever is written first.
fn beside_others(
    named: &Named<Integration>,
    at: &At<WrittenLimit>,
    one: &LimitSettings,
    stricter: &[&LimitSettings],
    report: &mut Report,
) {
    let by_rate = stricter.iter().find(|other| {
        let both = one.limit.as_ref().zip(other.limit.as_ref());
        both.is_some_and(|(one, other)| one.never_refuses_beside(other))
    });
    let by_concurrency = stricter.iter().find(|other| {
        let both = one.concurrency.zip(other.concurrency);
        both.is_some_and(|(one, other)| one >= other)
    });
    let mut warn = |what: &dyn Display, place, other: &LimitSettings| {
        let line = other.place.rule_ref().line;
        let message = format!(
            "`{what}` never refuses a call: the limit in line {line} counts the same calls, and is no looser"
        );
        let help = "Take it out, or make it stricter than the other one.";
        report.warn(&place, message, help);
    };
    if let (Some(rate), Some(other)) = (&at.rate, by_rate) {
        let what = format!("rate: {}", rate.value);
        warn(&what, rate.place(&named.file), other);
    }
    if let (Some(most), Some(other)) = (&at.concurrency, by_concurrency) {
        let what = format!("concurrency: {}", most.value);
        warn(&what, most.place(&named.file), other);
    }
}

/// Warns of a limit per user that nothing stands beside: the name is whatever whoever calls has written, or nobody's.
fn made_up(
    named: &Named<Integration>,
    (at, one): (&At<WrittenLimit>, &LimitSettings),
    limits: &[LimitSettings],
    header: &str,
    report: &mut Report,
) {
    if !one.per.contains(&PerPart::User) {
        return;
    }
    let holds = |other: &LimitSettings| {
        let is_of_kind = one.limit.is_none() || other.limit.is_some();
        let is_of_kind = is_of_kind && (one.concurrency.is_none() || other.concurrency.is_some());
        let is_fixed = !other.per.iter().any(PerPart::is_made_up);
        is_of_kind && is_fixed && counts_no_other(one, other)
    };
    if limits.iter().any(holds) {
        return;
    }
    let message = format!(
        "this limits nobody: whoever holds a credential of `{}` writes into `{header}` whom they like, and is not counted without it",
        named.name
    );
    let help = "Add a limit `per: integration` for the same calls beside it; it holds whatever names are sent.";
    report.warn(&at.per.place(&named.file), message, help);
}

/// How many calls the listeners let in at once, of those that a limit counts under one name. HTTP/2 is spoken over TLS only.
fn let_in(one: &LimitSettings, listeners: &[ListenerSettings]) -> Option<u32> {
    let is_of_address = one.per.contains(&PerPart::Address);
    let of_listener = |listener: &ListenerSettings| {
        let connections = if is_of_address {
            let of_one = listener.connections_per_address_max;
            of_one.min(listener.connections_max)
        } else {
            listener.connections_max
        };
        let each = listener.tls.as_ref().map_or(1, |_| STREAMS_MAX);
        connections.saturating_mul(each)
    };
    let serving = listeners
        .iter()
        .filter(|listener| listener.kind != ListenerKind::Admin);
    let most = serving.map(of_listener).fold(0u32, u32::saturating_add);
    Some(most).filter(|most| *most > 0)
}

fn is_same(one: &LimitSettings, other: &LimitSettings) -> bool {
    counts_no_other(other, one) && one.limit == other.limit && one.concurrency == other.concurrency
}

/// Whether whatever is counted under one name of a limit is counted under one name of the other as well.
fn counts_no_other(one: &LimitSettings, other: &LimitSettings) -> bool {
    let is_single = one.operations.as_ref().is_some_and(|all| all.len() == 1);
    let is_apart = |part: &PerPart| match part {
        PerPart::Integration => true,
        PerPart::Operation => is_single || one.per.contains(part),
        part => one.per.contains(part),
    };
    let is_inside = match (&one.operations, &other.operations) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(one), Some(other)) => one.is_subset(other),
    };
    let is_counted = other.failed.is_none() || other.failed == one.failed;
    other.per.iter().all(is_apart) && is_inside && is_counted
}
