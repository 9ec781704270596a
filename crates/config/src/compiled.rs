//! A configuration that was compiled whole: what the gateway runs.
//! Exports `Compiled` and its parts. Immutable; made by `compile` only, swapped whole.
//! Used by gateway, admin and the binary.
//! Start reading at `Compiled`.

mod inspected;
mod persons;
mod proofs;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::{Json, Mode, Timestamp};
use policy::AddressSet;
use policy::block::BlockSettings;
use policy::limit::Limit;

use crate::Files;
use crate::api::{Balance, State};
use crate::leaks::ResponseRules;
use crate::per::PerPart;
use crate::secret_ref::SecretRef;
use crate::server::{Durability, Intent, ListenerKind};
use crate::spanned::{Located, Place};
use crate::values::Origin;

pub use inspected::{FieldLevel, FieldPattern, Inspected};
pub use persons::{OperationPersons, PersonPath};
pub(crate) use proofs::Proven;
pub use proofs::{FieldPlans, Irrelevant};

/// A whole configuration, ready to run.
#[derive(Debug)]
pub struct Compiled {
    /// SHA-256 over all files, names and lengths included. Names the configuration in the ledger.
    pub hash: [u8; 32],
    /// The server's own settings, defaults filled in.
    pub server: ServerSettings,
    /// Every version of every api, in the order of names. A route's `api` is an index into this list.
    pub versions: Vec<ApiVersion>,
    /// Every declared path of every version. Exposed are the operations of versions that are active or deprecated.
    pub router: contract::Router,
    /// The integrations by name.
    pub integrations: BTreeMap<Arc<str>, Arc<IntegrationSettings>>,
    /// Grants, roles and policies.
    pub rules: Arc<policy::Rules>,
    /// Attack detection.
    pub inspection: Arc<waf::Plan>,
    /// SHA-256 over the files of rules in the order they load, so that unchanged ones are not read again.
    pub(crate) rules_digest: [u8; 32],
    /// What these rules cannot find in which languages, so that it is not proven again.
    pub(crate) proven: Proven,
    /// What remains to ask of each field in `contract::forwarded::FIELDS`; empty where that was not worked out.
    pub forwarded: Vec<waf::FieldPlan>,
    /// Data that must not leave.
    pub responses: Arc<ResponseRules>,
    /// The files this was compiled from, for `explain` and `plan`.
    pub sources: Arc<Files>,
}

impl Compiled {
    /// The version with this name, `field-service/v2`, with its index.
    pub fn version(&self, name: &str) -> Option<(usize, &ApiVersion)> {
        self.versions
            .iter()
            .enumerate()
            .find(|(_, version)| &*version.name == name)
    }

    /// The listener with this name.
    pub fn listener(&self, name: &str) -> Option<&ListenerSettings> {
        self.server
            .listeners
            .iter()
            .find(|listener| &*listener.name == name)
    }

    /// How many operations are exposed somewhere, and how many the contracts have.
    pub fn operation_counts(&self) -> (usize, usize) {
        let operations = || self.versions.iter().flat_map(|version| &version.operations);
        (
            operations().filter(|o| !o.listeners.is_empty()).count(),
            operations().count(),
        )
    }

    /// What the contracts prove about the rules, for each operation that is exposed and inspected.
    pub fn irrelevant(&self) -> Vec<Irrelevant> {
        let versions = self.versions.iter();
        versions.flat_map(ApiVersion::irrelevant).collect()
    }

    /// Every secret that has to be resolved before this can run, with the place it is referred to.
    pub fn secrets(&self) -> Vec<&Located<SecretRef>> {
        let keys = self
            .server
            .listeners
            .iter()
            .filter_map(|l| l.tls.as_ref())
            .map(|tls| &tls.key);
        std::iter::once(&self.server.kek).chain(keys).collect()
    }

    /// Every file besides the configuration itself that has to be readable, with the place it is referred to.
    /// Paths are relative to the configuration directory.
    pub fn certificate_files(&self) -> Vec<&Located<String>> {
        let tls = self
            .server
            .listeners
            .iter()
            .filter_map(|listener| listener.tls.as_ref());
        let of_listeners = tls.flat_map(|tls| std::iter::once(&tls.cert).chain(&tls.client_ca));
        let upstreams = self
            .versions
            .iter()
            .filter_map(|version| version.upstream.as_ref());
        of_listeners
            .chain(upstreams.filter_map(|upstream| upstream.ca.as_ref()))
            .collect()
    }
}

/// The server's own settings, defaults filled in.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Listeners in the order of their names; the admin listener is among them where there is one.
    pub listeners: Vec<ListenerSettings>,
    /// Directory of the embedded store and the ledger, relative to the configuration directory or absolute.
    pub store_dir: Located<String>,
    /// Where the key-encryption key is found.
    pub kek: Located<SecretRef>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: AddressSet,
    /// Temporary blocks; `None` where they are off.
    pub blocks: Option<BlockSettings>,
    /// Most bytes of upstreams' answers in memory at once.
    pub answers_bytes_max: u64,
    /// How long things may take.
    pub timeouts: TimeoutSettings,
    /// When an answer may leave.
    pub durability: Durability,
    /// Size at which a segment of the ledger is closed.
    pub segment_bytes: u64,
    /// What is recorded before it is forwarded.
    pub intent: Intent,
    /// Where records are delivered to, checked.
    pub destinations: destinations::Destinations,
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeoutSettings {
    /// A TLS handshake.
    pub handshake: Duration,
    /// A whole request head.
    pub head: Duration,
    /// A request body, on top of its size divided by 8 KiB/s.
    pub body: Duration,
    /// How long the reader of a reply may pause; in the long run it has to take 8 KiB/s.
    pub reply: Duration,
    /// A connection resting between requests.
    pub idle: Duration,
    /// Requests under way when the server stops; `None` where it follows the upstreams' timeouts.
    pub drain: Option<Duration>,
}

/// One listener, defaults filled in.
#[derive(Clone, Debug)]
pub struct ListenerSettings {
    /// Name.
    pub name: Arc<str>,
    /// Address and port.
    pub address: SocketAddr,
    /// What it is for.
    pub kind: ListenerKind,
    /// Certificate and key; `None` on a plain listener.
    pub tls: Option<TlsSettings>,
    /// Addresses that may connect; `None` for everybody.
    pub allow: Option<AddressSet>,
    /// Addresses that may not.
    pub deny: AddressSet,
    /// Requests of strangers at one address, and of each credential at one address.
    pub address_limit: Limit,
    /// Most connections at once.
    pub connections_max: u32,
    /// Most connections of one address at once.
    pub connections_per_address_max: u32,
    /// Largest request body.
    pub body_bytes_max: usize,
    /// Where it is written.
    pub place: Place,
}

impl ListenerSettings {
    /// How a refused object reads on this listener where its grant does not say.
    pub fn deny_as(&self) -> policy::DenyAs {
        match self.kind {
            ListenerKind::Public => policy::DenyAs::NotFound,
            ListenerKind::Internal | ListenerKind::Admin => policy::DenyAs::Forbidden,
        }
    }
}

/// Certificate and key of a listener. Paths are relative to the configuration directory or absolute.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// PEM file with the certificate chain.
    pub cert: Located<String>,
    /// Where the private key is found.
    pub key: Located<SecretRef>,
    /// PEM file with the authorities for client certificates.
    pub client_ca: Option<Located<String>>,
}

/// One version of an api.
#[derive(Clone, Debug)]
pub struct ApiVersion {
    /// `field-service/v2`
    pub name: Arc<str>,
    /// `field-service`
    pub api: Arc<str>,
    /// `v2`
    pub version: Arc<str>,
    /// Who answers for the api.
    pub owner: Arc<str>,
    /// Where it stands in its life.
    pub state: State,
    /// For `Deprecation`; set on deprecated versions only.
    pub deprecated_since: Option<Timestamp>,
    /// For `Sunset`.
    pub sunset: Option<Timestamp>,
    /// For `Link: rel="successor-version"`.
    pub successor: Option<Successor>,
    /// Path in front of the contract's paths: `/v2`, or empty for none.
    pub base_path: Arc<str>,
    /// What it promises; `None` on retired versions without a contract.
    pub contract: Option<Arc<contract::Contract>>,
    /// The company's system behind it. Present wherever an operation can be reached.
    pub upstream: Option<UpstreamSettings>,
    /// Pages of browsers that may call it.
    pub browsers: Option<BrowserSettings>,
    /// Most objects that one request may have looked up.
    pub lookups_max: usize,
    /// Plans of the operations, with the indices of the contract's own list.
    pub operations: Vec<OperationPlan>,
    /// Paths that name persons, for what is recorded of requests for which no operation was found.
    pub person_paths: Vec<PersonPath>,
    /// What inspection has to ask of its fields, by the languages of the contract.
    pub fields: FieldPlans,
    /// Where it is written.
    pub place: Place,
}

impl ApiVersion {
    fn irrelevant(&self) -> Vec<Irrelevant> {
        let contract = self.contract.iter();
        let operations = contract.flat_map(|contract| contract.operations.iter());
        let inspected = operations
            .zip(&self.operations)
            .filter(|(_, plan)| plan.inspect != Mode::Off && !plan.listeners.is_empty());
        inspected
            .map(|(operation, plan)| {
                let fields = contract::fields(operation);
                let mut counted = Irrelevant {
                    scope: plan.inspected.scope.clone(),
                    fields: fields.len(),
                    closed: 0,
                    rules: 0,
                    dead: 0,
                };
                let known = fields
                    .iter()
                    .filter_map(|field| self.fields.get(field.language));
                for field in known {
                    let proof = field.proof();
                    counted.closed = counted
                        .closed
                        .saturating_add(usize::from(field.is_closed()));
                    counted.rules = counted.rules.saturating_add(proof.rules);
                    counted.dead = counted.dead.saturating_add(proof.dead);
                }
                counted
            })
            .collect()
    }
}

/// The version to use instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Successor {
    /// `field-service/v3`
    pub name: Arc<str>,
    /// Its base path, empty for none.
    pub base_path: Arc<str>,
}

/// One operation: where it is exposed and how it is checked.
#[derive(Clone, Debug)]
pub struct OperationPlan {
    /// `operationId`.
    pub id: Arc<str>,
    /// Listeners it is exposed on.
    pub listeners: Vec<Arc<str>>,
    /// Requests against the contract.
    pub request: Mode,
    /// Answers against the contract.
    pub response: Mode,
    /// Free text for attacks.
    pub inspect: Mode,
    /// What inspection knows of its fields.
    pub inspected: Inspected,
    /// It only reads: its method is safe, or the api says so of its POST. The one answer to that question.
    pub is_read: bool,
    /// The operation as policy knows it; present in every configuration that `compile` gave.
    pub policy: Option<policy::OperationRef>,
    /// Persons whom its requests and answers name.
    pub persons: OperationPersons,
}

/// Pages of browsers that may call a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserSettings {
    /// Their origins, as browsers write them.
    pub origins: Vec<Arc<str>>,
    /// Cookies and client certificates may be sent along.
    pub credentials: bool,
    /// How long a browser may remember what it was told.
    pub max_age: Duration,
}

/// The company's system behind a version.
#[derive(Clone, Debug)]
pub struct UpstreamSettings {
    /// Origins.
    pub targets: Vec<Origin>,
    /// How calls are spread.
    pub balance: Balance,
    /// Active checks.
    pub health: Option<HealthSettings>,
    /// How long a call may take in all.
    pub timeout: Duration,
    /// Largest answer body.
    pub answer_bytes_max: usize,
    /// Most calls under way at once.
    pub calls_max: u32,
    /// PEM file with the authorities that may vouch for the targets, relative to the configuration directory.
    pub ca: Option<Located<String>>,
    /// Forward the caller's own credential.
    pub pass_credential: bool,
}

/// Active checks of each target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthSettings {
    /// Path asked with GET.
    pub path: String,
    /// Time between two checks.
    pub interval: Duration,
}

/// One integration: who answers for it, what credentials it may have, how much it may call.
#[derive(Clone, Debug)]
pub struct IntegrationSettings {
    /// Name.
    pub name: Arc<str>,
    /// Who answers for it.
    pub owner: Arc<str>,
    /// What it is for.
    pub purpose: Arc<str>,
    /// The day by which somebody has to look at it again.
    pub review_by: Timestamp,
    /// Addresses it may call from; `None` for everywhere.
    pub allow_from: Option<AddressSet>,
    /// What `identity::verify` needs: attributes, rules for credentials, the header for the person. Never paused here.
    pub facts: identity::IntegrationFacts,
    /// Its roles.
    pub roles: Vec<Arc<str>>,
    /// How much it may call; every one that applies has to allow a request.
    pub limits: Vec<LimitSettings>,
    /// Where it is written.
    pub place: Place,
}

/// How much an integration may call.
#[derive(Clone, Debug)]
pub struct LimitSettings {
    /// What is counted together: at least one part.
    pub per: Vec<PerPart>,
    /// The same as a text, for whoever is refused.
    pub label: Arc<str>,
    /// Some of it is known only once a request has been validated.
    pub is_by_value: bool,
    /// Rate and burst.
    pub limit: Option<Limit>,
    /// Calls under way at the same time.
    pub concurrency: Option<u32>,
    /// Only these operations count; `None` for all.
    pub operations: Option<BTreeSet<policy::OperationRef>>,
    /// Only calls with this outcome count; `None` for all.
    pub failed: Option<FailedOutcome>,
    /// Where it is written.
    pub place: Place,
}

impl LimitSettings {
    /// Whether a request of this operation counts.
    pub fn applies_to(&self, operation: policy::OperationRef) -> bool {
        self.operations
            .as_ref()
            .is_none_or(|operations| operations.contains(&operation))
    }
}

/// What an upstream answers to a call that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedOutcome {
    /// One of these statuses.
    pub statuses: Vec<u16>,
    /// Or each of these fields, by its names from the root, with its value.
    pub fields: Vec<(String, Json)>,
}

impl FailedOutcome {
    /// Whether an answer with this status failed, without a look at its body.
    pub fn has_status(&self, status: u16) -> bool {
        self.statuses.contains(&status)
    }

    /// Whether an answer with this body failed. One that cannot be read did.
    pub fn has_body(&self, body: Option<&Json>) -> bool {
        let is_said = |body: &Json| {
            let mut fields = self.fields.iter();
            fields.all(|(path, value)| body.at(path).is_some_and(|said| is_same(said, value)))
        };
        !self.fields.is_empty() && body.is_none_or(is_said)
    }
}

/// Whether two values are the same; `5.0` is the number 5.
fn is_same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => {
            one == other || one.parse::<f64>().ok() == other.parse::<f64>().ok()
        }
        (one, other) => one == other,
    }
}
