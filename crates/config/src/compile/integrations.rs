//! `integrations/*.yaml`: who answers for it, where it may call from, what credentials and how much.
//! Exports `compile`. Its grants are checked in `grants`.
//! Used by `compile` of the whole.
//! Start reading at `compile`.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Timestamp;

use super::anonymous;
use super::bounds::not_empty;
use super::draft::Apis;
use super::limits::{self, Surroundings};
use super::server::named_addresses;
use crate::compiled::{IntegrationSettings, ListenerSettings};
use crate::integration::Integration;
use crate::read::{Named, Written};
use crate::report::Report;
use crate::spanned::At;

/// Checks and completes every integration.
pub(super) fn compile(
    written: &Written,
    apis: &Apis,
    rules: Option<&policy::Rules>,
    (listeners, now): (Option<&[ListenerSettings]>, Timestamp),
    report: &mut Report,
) -> BTreeMap<Arc<str>, Arc<IntegrationSettings>> {
    let one = |named: &Named<Integration>, report: &mut Report| {
        let is_lost = |part: &[&str]| written.has_lost(&named.file, part);
        let known = Known {
            credentials: !is_lost(&["credentials"]),
            rates: !is_lost(&["limits", "*", "rate"]),
        };
        let around = Surroundings {
            apis,
            rules,
            listeners,
        };
        let compiled = integration(named, known, around, now, report);
        if known.credentials {
            let limits = compiled.limits.as_slice();
            anonymous::check(named, (limits, &written.roles), around, report);
        }
        compiled
    };
    let integrations = written.integrations.iter();
    integrations
        .map(|named| (named.name.clone(), Arc::new(one(named, report))))
        .collect()
}

/// What of an integration could be read.
#[derive(Clone, Copy)]
struct Known {
    credentials: bool,
    rates: bool,
}

fn integration(
    named: &Named<Integration>,
    known: Known,
    around: Surroundings<'_>,
    now: Timestamp,
    report: &mut Report,
) -> IntegrationSettings {
    let (file, written) = (&named.file, &named.value);
    let place = written.owner.place(file);
    not_empty(&written.owner, "owner", file, report);
    not_empty(&written.purpose, "purpose", file, report);
    if written.review_by.value.0 < now {
        let message = format!(
            "the review of `{}` was due on {}",
            named.name, written.review_by.value
        );
        let help = "Look through its grants and credentials, then move `review_by`.";
        report.warn(&written.review_by.place(file), message, help);
    }
    if written.grants.is_empty() && written.roles.is_empty() {
        let help = "Write `grants` or `roles`, or take the file out.";
        report.warn(&place, format!("`{}` may do nothing", named.name), help);
    }
    for (name, _) in written.attributes.iter() {
        attribute_name(name, file, report);
    }
    let user_header = user_header(&written.credentials.value);
    let known_of_limits = limits::Known {
        has_person: user_header.is_some() || !known.credentials,
        user_header,
        rates: known.rates,
    };
    IntegrationSettings {
        name: named.name.clone(),
        owner: written.owner.value.as_str().into(),
        purpose: written.purpose.value.as_str().into(),
        review_by: written.review_by.value.0,
        allow_from: named_addresses(written.allow_from.as_ref(), "allow_from", file, report),
        facts: facts(named, known, around.rules, report),
        roles: written
            .roles
            .iter()
            .map(|at| at.value.as_str().into())
            .collect(),
        limits: limits::compile(named, known_of_limits, around, report),
        place,
    }
}

fn attribute_name(name: &At<String>, file: &Arc<str>, report: &mut Report) {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if !name.bytes().all(is_word)
        || !name.starts_with(|c: char| c.is_ascii_alphabetic())
        || name.len() > 63
    {
        let help = "Names of attributes are letters, digits and `_`, beginning with a letter.";
        report.wrong(
            &name.place(file),
            format!("`{}` is not a valid name", name.value),
            help,
        );
    }
}

/// What `identity` needs.
fn facts(
    named: &Named<Integration>,
    known: Known,
    rules: Option<&policy::Rules>,
    report: &mut Report,
) -> identity::IntegrationFacts {
    let (file, written) = (&named.file, &named.value);
    let credentials = &written.credentials.value;
    let mistakes = identity::check(credentials).into_iter();
    for mistake in mistakes.filter(|_| known.credentials) {
        report.add(written.credentials.place(mistake, file));
    }
    let attributes = written.attributes.iter();
    // Without rules there is a mistake, and nothing of this is ever used.
    let id = rules.and_then(|rules| rules.integration_id(&named.name));
    identity::IntegrationFacts {
        id: id.unwrap_or_default(),
        name: named.name.clone(),
        attributes: Arc::new(
            attributes
                .map(|(name, at)| (name.value.clone(), at.value.clone()))
                .collect(),
        ),
        is_paused: false,
        credentials: credentials.clone(),
        user_header: user_header(credentials).map(str::to_ascii_lowercase),
    }
}

/// The header in which one of the accepted methods lets the integration name a person.
fn user_header(credentials: &identity::Settings) -> Option<&str> {
    let mut methods = identity::methods::METHODS.iter();
    methods.find_map(|method| (method.user_header)(credentials))
}
