//! How Portcullis says no: stages, stable reasons, refusals with a private detail.
//! Exports `Stage`, `Reason`, `Refusal`. Reasons are `const`s beside the check that uses them.
//! Used by every judge and by the gateway, which renders a refusal as RFC 9457.
//! Start reading at `Reason`.

use std::fmt;
use std::sync::Arc;

use crate::event::{Blocked, Cause};
use crate::{KeyId, Text};

/// The thirteen stages of the road, in order. Fixed in code, never reordered by configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// TLS handshake facts and client certificates.
    Tls,
    /// Address lists, blocks, limits per address.
    Ip,
    /// Strict framing and the one canonical request.
    Http,
    /// Operation found and exposed on this listener.
    Route,
    /// Active, deprecated, retired.
    Lifecycle,
    /// Who is calling.
    Authn,
    /// May this caller use this operation.
    Authz,
    /// Rate, burst and concurrency per integration, user, operation.
    Limit,
    /// Parameters, headers, body against the contract.
    Validate,
    /// Attack detection on what the contract leaves free.
    Inspect,
    /// May this caller touch this object.
    Object,
    /// Balance, retry, time out.
    Upstream,
    /// Drift, foreign objects, field filter, masks, scrubbing.
    Response,
}

impl Stage {
    /// All stages in road order.
    pub const ALL: [Stage; 13] = [
        Stage::Tls,
        Stage::Ip,
        Stage::Http,
        Stage::Route,
        Stage::Lifecycle,
        Stage::Authn,
        Stage::Authz,
        Stage::Limit,
        Stage::Validate,
        Stage::Inspect,
        Stage::Object,
        Stage::Upstream,
        Stage::Response,
    ];

    /// The name used in answers, ledger, metrics and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Tls => "tls",
            Stage::Ip => "ip",
            Stage::Http => "http",
            Stage::Route => "route",
            Stage::Lifecycle => "lifecycle",
            Stage::Authn => "authn",
            Stage::Authz => "authz",
            Stage::Limit => "limit",
            Stage::Validate => "validate",
            Stage::Inspect => "inspect",
            Stage::Object => "object",
            Stage::Upstream => "upstream",
            Stage::Response => "response",
        }
    }

    /// The stage with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|s| s.name() == name)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One way to be refused: a stable code with its stage, status and helpful sentences.
///
/// `say` is for the caller; `remedy` is what the caller can do about it. Neither may disclose rule
/// texts, versions, upstream addresses or other integrations. `explain` is the page of the manual:
/// the cause and the remedy as the operator reads them in the reference of problem codes.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable code such as `authn.expired`: the stage (or its family) and what is wrong.
    pub code: &'static str,
    /// The stage it belongs to.
    pub stage: Stage,
    /// HTTP status of the answer; 0 where the connection is closed without one.
    pub status: u16,
    /// Title of the problem document: one sentence.
    pub say: &'static str,
    /// What the caller can do.
    pub remedy: &'static str,
    /// Cause and remedy for the operator, printed in the reference of problem codes.
    pub explain: &'static str,
}

impl Reason {
    /// A reason; used in `const` items only.
    pub const fn new(
        stage: Stage,
        code: &'static str,
        status: u16,
        say: &'static str,
        remedy: &'static str,
        explain: &'static str,
    ) -> Self {
        Reason {
            code,
            stage,
            status,
            say,
            remedy,
            explain,
        }
    }

    /// A reason to close a connection that cannot be given an answer. The sentences are for whoever looks the code up.
    pub const fn silent(
        stage: Stage,
        code: &'static str,
        say: &'static str,
        remedy: &'static str,
        explain: &'static str,
    ) -> Self {
        Reason::new(stage, code, 0, say, remedy, explain)
    }

    /// A refusal for this reason; `detail` goes to the ledger only, never to the caller.
    pub fn because(&'static self, detail: impl Into<String>) -> Box<Refusal> {
        Box::new(Refusal {
            reason: self,
            detail: detail.into(),
            errors: Vec::new(),
            rule: None,
            retry_after_s: None,
            status: self.status,
            scope: None,
            conceal: None,
            cause: None,
            why: None,
            presented: None,
            blocked: None,
        })
    }
}

/// A decision that says no. Travels as `Err(Box<Refusal>)` so that `?` reads well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why, with the stable code.
    pub reason: &'static Reason,
    /// Private detail: ledger and `explain` only.
    pub detail: String,
    /// What the caller may know about single fields (bounded to [`Refusal::ERRORS_MAX`]).
    pub errors: Vec<FieldError>,
    /// The rule that decided, where a configured rule did.
    pub rule: Option<RuleRef>,
    /// Seconds after which a retry can succeed.
    pub retry_after_s: Option<u32>,
    /// Status of the answer; starts as the reason's own.
    pub status: u16,
    /// The grant that would be needed, for `WWW-Authenticate: … scope=` (RFC 6750 §3.1).
    pub scope: Option<String>,
    /// Answer with this other reason's bytes instead (a hidden object reads as absent).
    pub conceal: Option<&'static Reason>,
    /// What happened between the gateway and the upstream, where that is what the answer is about (RFC 9209).
    pub cause: Option<ProxyCause>,
    /// Why a right was refused, where the code alone does not say it: ledger and `explain` only.
    pub why: Option<Cause>,
    /// Whose credential was presented, where it is one of ours and was not accepted: ledger only.
    pub presented: Option<PresentedCredential>,
    /// The block that refused the request: ledger and `explain` only.
    pub blocked: Option<Blocked>,
}

/// A credential that was presented and is known. Its caller was not accepted, so it proves nothing further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedCredential {
    /// The integration it belongs to.
    pub integration: Text,
    /// Its id.
    pub credential: KeyId,
}

/// What happened between the gateway and the upstream, as `Proxy-Status` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyCause {
    /// A type of error (RFC 9209 §2.3).
    Error(&'static str),
    /// The status the upstream answered with (RFC 9209 §2.1.5).
    Received(u16),
}

impl Refusal {
    /// At most this many field errors are reported.
    pub const ERRORS_MAX: usize = 20;

    /// Adds what the caller may know about single fields.
    #[must_use]
    pub fn with_errors(mut self: Box<Self>, mut errors: Vec<FieldError>) -> Box<Self> {
        errors.truncate(Self::ERRORS_MAX);
        self.errors = errors;
        self
    }

    /// Names the configured rule that decided.
    #[must_use]
    pub fn with_rule(mut self: Box<Self>, rule: Option<RuleRef>) -> Box<Self> {
        self.rule = rule;
        self
    }

    /// Says why a right was refused.
    #[must_use]
    pub fn with_cause(mut self: Box<Self>, cause: Option<Cause>) -> Box<Self> {
        self.why = cause;
        self
    }

    /// Says when a retry can succeed.
    #[must_use]
    pub fn retry_after(mut self: Box<Self>, seconds: u32) -> Box<Self> {
        self.retry_after_s = Some(seconds);
        self
    }
}

/// One thing wrong with one field, as the caller may read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// `path`, `query`, `header` or `body`.
    pub place: &'static str,
    /// JSON pointer in the body, or the parameter's name.
    pub pointer: String,
    /// The contract's keyword that failed (`type`, `required`, `additionalProperties`, …) or the attack class.
    pub keyword: String,
    /// What was found and what was expected. Never echoes the value.
    pub detail: String,
    /// What to send instead.
    pub fix: String,
}

/// Where a configured rule stands: `integrations/accounting.yaml:18`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(remote = "Self")]
pub struct RuleRef {
    /// File, relative to the configuration directory.
    pub file: Arc<str>,
    /// Line, counted from 1.
    pub line: u32,
}

crate::event::from_line::also_a_line!(RuleRef);

impl fmt::Display for RuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
