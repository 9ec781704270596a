//! The record of a credential and its life: created, rotated with overlap, revoked, ended by age.
//! Exports `Credential`, `create`, `rotate`, `revoke`, `used`. Each returns the records to put; nothing is stored here.
//! Used by admin, the command line and the demo, which write the records and replace the table.
//! Start reading at `create`; what a record allows at a moment is `Credential::state`.

use std::fmt;

use crypto::{MacKey, Secret, text};
use model::time::Span;
use model::{KeyId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::api_key::{self, ApiKey};
use crate::methods::api_key::settings::ApiKeySettings;

/// A credential as the store keeps it. Nothing in it opens a door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// Public name.
    pub id: KeyId,
    /// Integration it belongs to.
    pub integration: String,
    /// Method it is for (`api_key`).
    pub method: String,
    /// What its owner calls it.
    pub label: String,
    /// For real work (`pk_live_`), not for trials (`pk_test_`).
    pub is_live: bool,
    /// What may be shown of it.
    pub hint: String,
    /// Keyed digest of the text.
    pub digest: Digest,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Why it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The credential that replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<KeyId>,
    /// Until when it keeps working beside its replacement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_until: Option<Timestamp>,
    /// Last accepted use, written in batches: up to some minutes old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// A keyed digest; written as hex, printed as `***`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(***)")
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&text::hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let written = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        let bytes = text::unhex(&written).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes
            .map(Digest)
            .ok_or_else(|| serde::de::Error::custom("not a digest of 64 hex digits"))
    }
}

/// What a credential is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Usable.
    Active,
    /// Usable beside its replacement, until the overlap ends.
    Replaced {
        /// The end of the overlap.
        until: Timestamp,
    },
    /// Ended by age or after its overlap.
    Expired {
        /// When it ended.
        at: Timestamp,
    },
    /// Taken back.
    Revoked {
        /// When it was revoked.
        at: Timestamp,
    },
}

impl State {
    /// The word used in lists: `active`, `replaced`, `expired` or `revoked`.
    pub const fn name(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Replaced { .. } => "replaced",
            State::Expired { .. } => "expired",
            State::Revoked { .. } => "revoked",
        }
    }

    /// Whether a request with it is accepted.
    pub const fn is_usable(self) -> bool {
        matches!(self, State::Active | State::Replaced { .. })
    }
}

impl Credential {
    /// What it is at `now`, under the configured `max_age` where there is one.
    pub fn state(&self, max_age: Option<Span>, now: Timestamp) -> State {
        // A revocation holds at once, whatever clock wrote it.
        if let Some(at) = self.revoked_at {
            return State::Revoked { at };
        }
        let end = self.ends_at(max_age);
        match self.overlap_until {
            _ if now >= end => State::Expired { at: end },
            Some(until) => State::Replaced { until },
            None => State::Active,
        }
    }

    /// When it ends by itself: the earliest of its own end, the configured age and its overlap.
    pub fn ends_at(&self, max_age: Option<Span>) -> Timestamp {
        let by_age = max_age.map(|age| self.created_at.plus(age.duration()));
        [by_age, self.overlap_until]
            .into_iter()
            .flatten()
            .fold(self.expires_at, Ord::min)
    }
}

/// What is asked for when a key is made.
#[derive(Clone, Copy, Debug)]
pub struct CreateKeyRequest<'a> {
    /// Integration it is for.
    pub integration: &'a str,
    /// What its owner calls it.
    pub label: &'a str,
    /// For real work, not for trials.
    pub is_live: bool,
    /// An earlier end than the integration's `max_age`.
    pub lasts: Option<Span>,
}

/// Id and randomness of a new key, drawn by whoever makes it.
#[derive(Debug)]
pub struct Entropy {
    /// Public name, normally from a UUID version 7.
    pub id: KeyId,
    /// The secret part.
    pub random: Secret<[u8; 32]>,
}

/// A new key: its text, to be shown once, and the record to put.
#[derive(Debug)]
pub struct IssuedKey {
    /// The text of the key.
    pub key: Secret<String>,
    /// The record to put.
    pub record: Credential,
}

/// Makes a key.
pub fn create(
    request: &CreateKeyRequest<'_>,
    rules: &ApiKeySettings,
    entropy: &Entropy,
    digest_key: &MacKey,
    now: Timestamp,
) -> IssuedKey {
    let key = ApiKey::generate(*entropy.random.expose(), request.is_live);
    let lasts = request
        .lasts
        .map_or(rules.max_age, |asked| asked.min(rules.max_age));
    let record = Credential {
        id: entropy.id,
        integration: request.integration.to_owned(),
        method: String::from("api_key"),
        label: request.label.to_owned(),
        is_live: request.is_live,
        hint: api_key::hint(key.expose()),
        digest: Digest(api_key::digest(digest_key, key.expose())),
        created_at: now,
        expires_at: now.plus(lasts.duration()),
        revoked_at: None,
        reason: None,
        replaced_by: None,
        overlap_until: None,
        last_used_at: None,
    };
    IssuedKey { key, record }
}

/// A credential cannot be rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotRotate {
    /// It is expired or revoked: make a new one.
    NotUsable(State),
    /// It was rotated before: rotate its replacement.
    AlreadyReplaced(KeyId),
}

impl fmt::Display for CannotRotate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CannotRotate::NotUsable(state) => {
                write!(
                    f,
                    "the key is {} and cannot be rotated; make a new one with `portcullis key create`",
                    state.name()
                )
            }
            CannotRotate::AlreadyReplaced(by) => {
                write!(f, "the key was already replaced by {by}; rotate that one")
            }
        }
    }
}

impl std::error::Error for CannotRotate {}

/// Makes the key's replacement. The old one keeps working for the overlap, but never longer than it would have.
/// Put both records in one transaction.
///
/// # Errors
/// [`CannotRotate`] for a key that is not usable or was rotated before.
pub fn rotate(
    old: &Credential,
    rules: &ApiKeySettings,
    entropy: &Entropy,
    digest_key: &MacKey,
    now: Timestamp,
) -> Result<(IssuedKey, Credential), CannotRotate> {
    if let Some(by) = old.replaced_by {
        return Err(CannotRotate::AlreadyReplaced(by));
    }
    let state = old.state(Some(rules.max_age), now);
    if !state.is_usable() {
        return Err(CannotRotate::NotUsable(state));
    }
    let request = CreateKeyRequest {
        integration: &old.integration,
        label: &old.label,
        is_live: old.is_live,
        lasts: None,
    };
    let issued = create(&request, rules, entropy, digest_key, now);
    let replaced = Credential {
        replaced_by: Some(issued.record.id),
        overlap_until: Some(
            now.plus(rules.overlap().duration())
                .min(old.ends_at(Some(rules.max_age))),
        ),
        ..old.clone()
    };
    Ok((issued, replaced))
}

/// Takes a credential back. It holds as soon as the table is replaced; a second revocation changes nothing.
#[must_use]
pub fn revoke(old: &Credential, reason: &str, now: Timestamp) -> Credential {
    if old.revoked_at.is_some() {
        return old.clone();
    }
    Credential {
        revoked_at: Some(now),
        reason: Some(reason.to_owned()),
        ..old.clone()
    }
}

/// Notes a use. Put it with the version that was read, so that a revocation in between is never undone.
#[must_use]
pub fn used(old: &Credential, at: Timestamp) -> Credential {
    Credential {
        last_used_at: old.last_used_at.max(Some(at)),
        ..old.clone()
    }
}

#[cfg(test)]
mod tests;
