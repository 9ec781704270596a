//! API keys: `Authorization: Bearer pk_live_…` (RFC 6750 §2.1) or `X-API-Key: pk_live_…`.
//! Gives `METHOD`. A key is found by its keyed digest; the text itself is kept nowhere.
//! Used through `methods::METHODS`.
//! Start reading at `verify`.

use std::sync::Arc;

use model::{Headers, Refusal, Timestamp};

use crate::api_key::{self, Reading};
use crate::{EXPIRED, Entry, INVALID, MISSING, Method, Presented, REVOKED, State, World};

/// The line of the registry.
pub const METHOD: Method = Method {
    name: "api_key",
    about: "A random key in `Authorization: Bearer` or `X-API-Key`, stored only as a keyed digest.",
    headers: &["authorization", "x-api-key"],
    reasons: &[&MISSING, &INVALID, &EXPIRED, &REVOKED],
    is_accepted: |settings| settings.api_key.is_some(),
    sees,
    verify,
};

fn sees(headers: &Headers) -> bool {
    headers.count("x-api-key") > 0
        || headers
            .all("authorization")
            .any(|value| bearer(value).is_some())
}

fn verify(
    presented: &Presented<'_>,
    world: &World<'_>,
    now: Timestamp,
) -> Result<Arc<Entry>, Box<Refusal>> {
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
    judge(entry, world, now)?;
    Ok(Arc::clone(entry))
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

/// Whether the key may still be used.
fn judge(entry: &Entry, world: &World<'_>, now: Timestamp) -> Result<(), Box<Refusal>> {
    let record = entry.record();
    // A shorter max_age in the configuration reaches keys made before it.
    let rules = world
        .integrations
        .get(record.integration.as_str())
        .and_then(|facts| facts.credentials.api_key);
    match record.state(rules.map(|rules| rules.max_age), now) {
        State::Active | State::Replaced { .. } => Ok(()),
        State::Revoked { at } => Err(REVOKED.because(format!("{} was revoked at {at}", record.id))),
        State::Expired { at } => Err(EXPIRED.because(format!("{} ended at {at}", record.id))),
    }
}

#[cfg(test)]
mod tests;
