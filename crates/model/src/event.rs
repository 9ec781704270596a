//! One entry of the ledger: who, what, when, how, and why it was decided so.
//! Exports `Event` and its parts. Serialised once; the exact bytes are what the ledger chains and shows.
//! Made by the gateway (requests) and control (changes); read by audit and `explain`.
//! Start reading at `Event`. What was written stays readable: see docs/decisions/024.

pub(crate) mod from_line;
mod line;
mod parts;
mod read;
mod schema_1;
mod words;

use serde::{Deserialize, Serialize};

use crate::{DecisionId, RuleRef, Stage, Text, Timestamp};

pub use line::Sealed;
pub use parts::{ActorRef, Blocked, Drift, ErrorAt, Finding, ObjectRef, Personal};
pub use words::{AuthenticatedBy, Cause, Kind, Named, Outcome, Treatment, Word};

/// The form of entries that this program writes, of those that name no person.
pub const SCHEMA: u16 = 2;
/// The form of entries whose personal values are sealed.
pub const SCHEMA_SEALED: u16 = 3;
/// The form of those that hold persons among their objects, each sealed for itself.
pub const SCHEMA_PERSONS: u16 = 4;

/// The number of the form an entry was written in. Entries without one are of schema 1.
///
/// A form is another one only when a reader of the old one would misread it: a new field or a new word is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema(u16);

impl Schema {
    /// The number.
    pub const fn number(self) -> u16 {
        self.0
    }

    const fn first() -> Self {
        Schema(1)
    }
}

impl Default for Schema {
    fn default() -> Self {
        Schema(SCHEMA)
    }
}

/// One entry of the ledger. Holds no body, no credential, and of the headers only the user agent.
///
/// Fields that a newer program added are passed over; they stay in the record's bytes, which are shown and exported as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Event {
    /// The form of the entry; an entry of schema 1 is turned into one of today when it is read.
    #[serde(default = "Schema::first")]
    pub schema: Schema,
    /// Microseconds since 1970, UTC.
    pub at: Timestamp,
    /// The latest moment recorded so far, only where the clock has been set back behind it. Written by the ledger: the order
    /// of records is their number, and this says how far times before this record may reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<Timestamp>,
    /// What happened: `request`, `intent`, `connection`, `start`, `stop`, or a change by its name (`key.revoke`, `configuration.applied`).
    pub kind: Word<Kind>,
    /// The decision, for requests and connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<DecisionId>,
    /// `allow`, `refuse`, `fault` for requests; `pending` for intents; `refuse` for connections; `done`, `failed`, `refused`, `unknown` for changes.
    pub outcome: Word<Outcome>,
    /// Stable code of a refusal or fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Text>,
    /// Stage that decided (the last one passed, when allowed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Word<Stage>>,
    /// Status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Integration, where known: also of a request that was refused before its caller was accepted, if the credential that
    /// was presented is one of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<Text>,
    /// Credential id, where known, in the same sense. Never the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Text>,
    /// Person behind the call as the integration states it; for changes, who made the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Text>,
    /// For changes about a person whom an integration states: who that is. Never written but sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Text>,
    /// For changes: how it is known who made them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<ActorRef>,
    /// Client address (the first untrusted hop); for connections the other end, or its /64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Text>,
    /// `User-Agent` as sent (bounded). Anybody can write anything there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Text>,
    /// How many connections of this address ended for this reason within about a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<Text>,
    /// Protocol, e.g. `http/1.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Text>,
    /// Method as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Text>,
    /// Path as sent (bounded); no query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Text>,
    /// `api/version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<Text>,
    /// Operation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Text>,
    /// Objects named by the request, evaluated or let out (bounded). Those that are persons are never written but sealed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectRef>,
    /// The rule that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleRef>,
    /// Why a right was refused, where the code alone does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Word<Cause>>,
    /// The block that refused the request, or that began with this refusal; for changes of blocks, the one that was added or
    /// lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Blocked>,
    /// Of a `ledger.signer`: the change as both keys signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<Text>,
    /// Of a `ledger.erase`: whose values, as `personal` of other records names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erases: Option<Text>,
    /// Of a `ledger.destroy`: all records with a smaller number are made unreadable, where their segment has a key of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destroys: Option<u64>,
    /// Of a `key.rotate`: the key that was made; of a `root.rotate`: the public id of the new root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<Text>,
    /// Of a `key.rotate`: until when the old key works. Microseconds since 1970, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub works_until: Option<Timestamp>,
    /// Private detail of a refusal, or what was changed: a sentence for people, which no program reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Text>,
    /// Field errors as told to the caller (bounded).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorAt>,
    /// What inspection saw (bounded).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Findings beyond the bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings_more: Option<u32>,
    /// Contract drift seen in the response (bounded).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Drift>,
    /// Fields let out of fields the upstream sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<(u32, u32)>,
    /// List items and nested objects withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<u32>,
    /// Status of the last look-up of an object, which was made before the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup_status: Option<u16>,
    /// Upstream target that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Text>,
    /// Status the upstream gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
    /// What the upstream itself declares to have come of the call, as one word, where a contract says how to read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_outcome: Option<Text>,
    /// Bytes of the request body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_in: Option<u64>,
    /// Bytes of the answer's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_out: Option<u64>,
    /// Microseconds from the first byte to the decision's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_us: Option<u64>,
    /// Microseconds of that spent waiting for the upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_us: Option<u64>,
    /// Hash of the configuration in force, first 12 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Text>,
    /// What the record says of persons, sealed. Of an event that was opened: what could not be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub personal: Vec<Personal>,
    /// Of a record in the making: nobody proved who is calling, so that whoever is named in it may be made up. Never written.
    #[serde(skip)]
    pub is_of_stranger: bool,
    /// Of a record in the making: its sentences may name persons who are not among its objects. Never written.
    #[serde(skip)]
    pub may_name_persons: bool,
}

impl Event {
    /// The person an integration stated that the record is about: integration and name.
    pub fn stated_person(&self) -> Option<(&str, &str)> {
        let person = if self.is_call() {
            &self.user
        } else {
            &self.person
        };
        Some((self.integration.as_deref()?, person.as_deref()?))
    }

    /// Whether there are persons among the objects.
    pub fn has_persons(&self) -> bool {
        self.objects.iter().any(|object| object.is_person)
    }

    /// Whether there are sentences, or names that whoever wrote a message chose.
    pub fn has_sentences(&self) -> bool {
        self.detail.is_some()
            || !self.errors.is_empty()
            || !self.findings.is_empty()
            || self.findings_more.is_some()
            || !self.drift.is_empty()
    }

    /// The name of the api, without its version.
    pub fn api_name(&self) -> &str {
        let api = self.api.as_deref().unwrap_or_default();
        api.split('/').next().unwrap_or_default()
    }

    /// The objects as people read them: `Site:4711`. Persons whose ids cannot be read are told apart within the record, by
    /// numbers that say nothing outside of it: `Customer:person 1`.
    pub fn object_names(&self) -> Vec<String> {
        let mut unread = 0;
        let names = self.objects.iter().map(|object| {
            if !object.is_person || !object.id.is_empty() {
                return object.to_string();
            }
            unread += 1;
            format!("{}:person {unread}", object.kind)
        });
        names.collect()
    }

    /// Whether the record is about a request or a connection, and not about a change.
    pub fn is_call(&self) -> bool {
        // The intent of a call has a method, the intent of a change has none.
        self.kind == Kind::Request || self.kind == Kind::Connection || self.method.is_some()
    }
}
