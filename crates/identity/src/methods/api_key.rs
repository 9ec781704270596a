//! API keys: `Authorization: Bearer pk_live_…` (RFC 6750 §2.1) or `X-API-Key: pk_live_…`.
//! Exports `METHOD` and `ApiKeySettings`. A key is found by its keyed digest; the text itself is kept nowhere.
//! Used through `methods::METHODS`.
//! Start reading at `verify`.

pub(crate) mod settings;

use std::sync::Arc;

use model::time::Span;
use model::{Headers, Mistake, Refusal, Timestamp};

use crate::api_key::{self, Reading};
use crate::settings::Settings;
use crate::verified::{Binding, Scopes};
pub use settings::ApiKeySettings;

use crate::{
    EXPIRED, Entry, INVALID, IntegrationFacts, MISSING, Method, Presented, REVOKED, State,
    Verified, VerifyContext,
};

/// The line of the registry.
pub const METHOD: Method = Method {
    name: "api_key",
    about: "A random key in `Authorization: Bearer` or `X-API-Key`, stored only as a keyed digest.",
    headers: &["authorization", "x-api-key"],
    reasons: &[&MISSING, &INVALID, &EXPIRED, &REVOKED],
    is_accepted: |settings| settings.api_key.is_some(),
    check,
    user_header: |settings| settings.api_key.as_ref()?.user_header.as_deref(),
    sees,
    verify,
};

fn check(settings: &Settings, found: &mut Vec<Mistake>) {
    let Some(rules) = &settings.api_key else {
        return;
    };
    let (max_age, min, max) = (rules.max_age, Span::from_secs(60), Span::from_days(730));
    if max_age < min || max_age > max {
        let help = format!("Write a value from {min} to {max}.");
        let mistake = Mistake::new(format!("{max_age} is out of range"), help);
        found.push(mistake.at_pointer("/api_key/max_age"));
    }
    if let Some(overlap) = rules.overlap.filter(|overlap| *overlap > max_age) {
        let message = format!("the overlap of {overlap} is longer than the keys live ({max_age})");
        let help = "Write a shorter overlap or a longer `max_age`.";
        found.push(Mistake::new(message, help).at_pointer("/api_key/overlap"));
    }
}

fn sees(presented: &Presented<'_>) -> bool {
    let headers = presented.headers;
    headers.count("x-api-key") > 0
        || headers
            .all("authorization")
            .any(|value| bearer(value).is_some())
}

fn verify<'w>(
    presented: &Presented<'_>,
    world: &VerifyContext<'w>,
    now: Timestamp,
) -> Result<(Verified, Option<&'w IntegrationFacts>), Box<Refusal>> {
    let key = the_one_key(presented.headers)?;
    // The form and checksum are public, so that telling a mistyped key apart quickly tells nobody anything.
    match api_key::read(key) {
        Reading::NotOurs => return Err(INVALID.because("not a Portcullis API key")),
        Reading::Mistyped => {
            return Err(INVALID.because("an API key with a wrong checksum: mistyped or cut off"));
        }
        Reading::Plausible => {}
    }
    // Every well-formed key costs one digest and one look-up, known or not. The look-up compares keyed digests,
    // which a caller cannot choose, so its timing says nothing about stored ones.
    let digest = api_key::digest(world.digest_key, key);
    let Some(entry) = world.table.find(&digest) else {
        return Err(INVALID.because("a well-formed API key that is not known here"));
    };
    let facts = world.integrations.of(entry.reference());
    let verified = Verified {
        credential: Arc::clone(entry.reference()),
        scopes: Scopes::All,
        binding: Binding::Bearer,
        person: None,
        expires_at: usable_until(entry, facts, now)
            .map_err(|refusal| entry.reference().refused(refusal))?,
    };
    Ok((verified, facts))
}

/// The key, if exactly one credential was sent.
fn the_one_key(headers: &Headers) -> Result<&str, Box<Refusal>> {
    let mut sent = headers.all("authorization").chain(headers.all("x-api-key"));
    let (Some(first), None) = (sent.next(), sent.next()) else {
        return Err(INVALID.because("more than one credential was sent"));
    };
    let value = bearer(first).unwrap_or(first);
    std::str::from_utf8(value).map_err(|_| INVALID.because("the credential is not text"))
}

/// The token after `Bearer`; the scheme's letter case does not matter (RFC 9110 §11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii_start())
}

/// Until when the key may be used.
fn usable_until(
    entry: &Entry,
    facts: Option<&IntegrationFacts>,
    now: Timestamp,
) -> Result<Timestamp, Box<Refusal>> {
    let record = entry.record();
    // A shorter max_age in the configuration reaches keys made before it.
    let rules = facts.and_then(|facts| facts.credentials.api_key.as_ref());
    let max_age = rules.map(|rules| rules.max_age);
    match record.state(max_age, now) {
        State::Active | State::Replaced { .. } => Ok(record.ends_at(max_age)),
        State::Revoked { at } => Err(REVOKED.because(format!("{} was revoked at {at}", record.id))),
        State::Expired { at } => Err(EXPIRED.because(format!("{} ended at {at}", record.id))),
    }
}

#[cfg(test)]
mod tests;
