//! One question, what is known of it before policy is asked, and the verdict.
//! Exports `AccessQuestion`, `Context`, `Evaluation`, `Verdict`.
//! Used by `ask`, and by `query` and `request`, which read a part of a question.
//! Start reading at `AccessQuestion`.

use std::net::IpAddr;
use std::sync::Arc;

use config::Compiled;
use config::compiled::{ApiVersion, IntegrationSettings, OperationPlan};
use contract::Operation;
use model::{Json, Timestamp};
use policy::{Enforcement, NearMiss, OperationRef};

/// Stands for an id that was not given; no rule takes it for one.
pub const UNKNOWN: &str = "?";

/// What is asked.
pub struct AccessQuestion<'a> {
    /// Who.
    pub integration: &'a Arc<IntegrationSettings>,
    /// Which version.
    pub version: &'a ApiVersion,
    /// Which operation.
    pub plan: &'a OperationPlan,
    /// By which listener.
    pub listener: Option<&'a str>,
    /// From where.
    pub address: Option<IpAddr>,
    /// The object as the upstream has it; for creates, as it is sent.
    pub object: Option<Json>,
    /// What a change sends.
    pub body: Option<Json>,
    /// Which field.
    pub field: Option<&'a str>,
    /// Path parameters.
    pub path: Vec<(String, String)>,
    /// Query parameters.
    pub query: Vec<(String, String)>,
    /// When.
    pub now: Timestamp,
}

impl AccessQuestion<'_> {
    /// Whether it is about one request, not about what requests there may be.
    pub fn is_specific(&self) -> bool {
        let has_body = self.object.is_some() || self.body.is_some();
        has_body || !self.query.is_empty() || !self.path.is_empty()
    }
}

/// Yes, no, or neither for want of something that only a running gateway would know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Yes,
    /// It may not.
    #[default]
    No,
    /// It depends on what was not given.
    Undecided,
}

impl Verdict {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Yes => "yes",
            Verdict::No => "no",
            Verdict::Undecided => "undecided",
        }
    }
}

/// The answer.
#[derive(Debug, Default)]
pub struct Evaluation {
    /// Whether it may.
    pub verdict: Verdict,
    /// In one sentence.
    pub why: String,
    /// Code of the refusal a caller would get.
    pub code: Option<&'static str>,
    /// Rules that decided: `integrations/accounting.yaml:9`.
    pub rules: Vec<String>,
    /// Conditions and policies that were not judged for want of an object or of the request.
    pub conditions: Vec<String>,
    /// What was nearest to a yes.
    pub nearest: Vec<NearMiss>,
}

impl Evaluation {
    /// Neither, for want of what only a running gateway would know.
    pub fn undecided(why: impl Into<String>, conditions: Vec<String>) -> Evaluation {
        Evaluation {
            verdict: Verdict::Undecided,
            why: why.into(),
            conditions,
            ..Evaluation::default()
        }
    }

    /// No, for a reason that is no refusal.
    pub fn no(why: impl Into<String>) -> Box<Evaluation> {
        Box::new(Evaluation {
            why: why.into(),
            ..Evaluation::default()
        })
    }
}

/// Everything that is known of the question before policy is asked.
pub struct Context<'a> {
    /// The question.
    pub asked: &'a AccessQuestion<'a>,
    /// The configuration.
    pub compiled: &'a Compiled,
    /// The operation as the contract has it.
    pub contract: &'a Operation,
    /// The operation as policy knows it.
    pub operation: OperationRef,
    /// The listener that is called.
    pub listener: &'a str,
    /// Values of the path's parameters.
    pub path: Vec<(Arc<str>, String)>,
    /// The query with what the grants fix in it.
    pub query: Vec<(String, String)>,
    /// The request describes a new object.
    pub is_create: bool,
}

impl Context<'_> {
    /// What is sent.
    pub fn body(&self) -> Option<&Json> {
        let sent = self.asked.object.as_ref().filter(|_| self.is_create);
        self.asked.body.as_ref().or(sent)
    }

    /// Whether the path names this object, by its own id.
    pub fn names(&self, object: &Json) -> bool {
        let own = object.get("id").and_then(id_text);
        own.is_some_and(|own| self.path.iter().any(|(_, value)| *value == own))
    }

    /// What is judged besides caller and operation.
    pub fn enforcement(&self) -> Option<Enforcement> {
        let name = &self.asked.integration.name;
        self.compiled.rules.enforcement(name, self.operation)
    }

    /// The conditions of the grants that cover the operation, and the policies that may forbid it.
    pub fn conditions(&self, enforcement: &Enforcement) -> Vec<String> {
        let rows = policy::access(&self.compiled.rules, &self.asked.integration.name);
        let rows = rows.unwrap_or_default().rows.into_iter();
        let own = rows.filter(|row| {
            *row.api == *self.asked.version.name && *row.operation == *self.asked.plan.id
        });
        let conditions = own.filter_map(|row| row.condition.as_deref().map(str::to_owned));
        let policies = enforcement.policies.iter();
        let policies = policies.map(|rule| format!("unless {rule} forbids it"));
        let mut all: Vec<String> = conditions.chain(policies).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// An id as paths and look-ups have it.
pub fn id_text(id: &Json) -> Option<String> {
    match id {
        Json::Text(text) => Some(text.to_string()),
        Json::Number(digits) => Some(digits.to_string()),
        _ => None,
    }
}
