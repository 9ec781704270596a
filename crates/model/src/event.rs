//! One entry of the ledger: who, what, when, how, and why it was decided so.
//! Gives `Event`. Serialised once; the exact bytes are what the ledger chains and shows.
//! Made by the gateway (requests) and control (changes); read by audit and `explain`.
//! Start reading at `Event`.

mod line;

use serde::{Deserialize, Serialize};

use crate::{DecisionId, Text, Timestamp};

/// One entry of the ledger. Holds no body, no header value, no credential.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Microseconds since 1970, UTC.
    pub at: Timestamp,
    /// The latest moment recorded so far, only where the clock has been set back behind it. Written by the ledger: the order
    /// of records is their number, and this says how far times before this record may reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<Timestamp>,
    /// What happened: `request`, `intent` (a write is about to be forwarded), `connection` (some ended without a request), `key.create`, `key.revoke`, `configuration.applied`, `start`, `stop`, …
    pub kind: Text,
    /// The decision, for requests and connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<DecisionId>,
    /// `allow`, `refuse`, `fault` for requests; `pending` for intents; `refuse` for connections; `done`, `failed` for changes.
    pub outcome: Text,
    /// Stable code of a refusal or fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Text>,
    /// Stage that decided (the last one passed, when allowed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Text>,
    /// Status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Integration, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<Text>,
    /// Credential id, where known. Never the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Text>,
    /// Person behind the call as the integration states it; for changes, who made the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Text>,
    /// Client address (the first untrusted hop); for connections the other end, or its /64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Text>,
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
    /// Names of objects judged, `WorkOrder:4711`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<String>,
    /// The rule that decided, `integrations/accounting.yaml:18`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Text>,
    /// Private detail of a refusal, or what was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Text>,
    /// Field errors as told to the caller, `body /email type`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// What inspection saw, `inspect.sqli body:/note 942100 score=5 paranoia=1 via=percent what=counted`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// Contract drift seen in the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
    /// Fields let out of fields the upstream sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<(u32, u32)>,
    /// List items and nested objects withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<u32>,
    /// Upstream target that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Text>,
    /// Status the upstream gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
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
}
