//! May this caller use this operation? The answer is a `Permit`, and only this module makes one.
//! Gives `Question`, `decide`, `Permit`, `RequestFacts`, `Lookup`, `Released`.
//! Used by gateway::pipeline.
//! Start reading at `decide`.

use std::net::IpAddr;
use std::sync::Arc;

use model::{FieldSet, Json, Principal, Reason, Refusal, RuleRef, Stage, Timestamp};

use crate::input::DenyAs;
use crate::rules::{OperationRef, Rules};

/// No grant covers the operation.
pub const OPERATION_NOT_GRANTED: Reason = Reason::new(
    Stage::Authz,
    "authz.operation_not_granted",
    403,
    "This integration may not use this operation.",
    "Ask the operator of the gateway for the grant named in the scope, quoting the decision id.",
    "The operation is exposed, but no grant of the integration covers it. `portcullis explain` names the nearest grant. \
     Add the operation to a grant of the integration if the use is wanted.",
);

/// A grant covers the operation, but its condition does not hold for this request.
pub const CONDITION_FAILED: Reason = Reason::new(
    Stage::Authz,
    "authz.condition_failed",
    403,
    "This operation is granted under a condition that this request does not meet.",
    "Check the parameters, the network and the time of the call against what was agreed, or ask the operator, quoting the decision id.",
    "A grant covers the operation, but its condition over caller, network, time or parameters does not hold, or a policy forbids \
     the request. `portcullis explain` names the condition. Change the grant's condition or the policy if the use is wanted.",
);

/// The caller may not have this object.
pub const OBJECT_DENIED: Reason = Reason::new(
    Stage::Object,
    "object.denied",
    403,
    "This integration may not use this object.",
    "Use objects that belong to the integration, or ask the operator, quoting the decision id.",
    "The operation is granted, but no grant's condition holds for the object, or a policy forbids it. An object whose attributes \
     are missing in the answer never satisfies a condition. `portcullis explain` names the attribute that failed.",
);

/// There is no such object, or the caller may not know that there is. The gateway answers an upstream 404 of a
/// guarded operation with this same reason.
pub const ABSENT: Reason = Reason::new(
    Stage::Object,
    "object.absent",
    404,
    "There is no such object.",
    "Check the id. Objects that this integration may not see read the same as objects that do not exist.",
    "The upstream knows no such object, or the object is hidden from the integration (`deny_as: not_found`); the caller cannot tell \
     these apart. `portcullis explain` says which it was.",
);

/// What is asked at stage `authz`.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// What for; see [`Rules::operation`].
    pub operation: OperationRef,
    /// Listener the request came in by.
    pub listener: &'a str,
    /// How refused objects read on this listener where the grant does not say.
    pub deny_as: DenyAs,
    /// Client address (the first untrusted hop).
    pub address: IpAddr,
    /// Decoded values of the path template's parameters.
    pub path: &'a [(Arc<str>, String)],
    /// Decoded query pairs as sent.
    pub query: &'a [(String, String)],
    /// The moment of the request.
    pub now: Timestamp,
}

/// Decides whether the caller may use the operation at all.
///
/// # Errors
/// [`OPERATION_NOT_GRANTED`] or [`CONDITION_FAILED`].
pub fn decide(question: &Question<'_>, rules: &Arc<Rules>) -> Result<Permit, Box<Refusal>> {
    let _ = (question, rules);
    Err(OPERATION_NOT_GRANTED.because(""))
}

/// Leave to use one operation once, with what is owed for it. Only [`decide`] makes one.
#[derive(Debug)]
pub struct Permit {
    writes: FieldSet,
}

/// What stage `object` needs to know of the validated request.
#[derive(Clone, Copy, Debug)]
pub struct RequestFacts<'a> {
    /// Decoded values of the path template's parameters.
    pub path: &'a [(Arc<str>, String)],
    /// Decoded query pairs.
    pub query: &'a [(String, String)],
    /// The body, where it is JSON (or a form read as JSON).
    pub body: Option<&'a Json>,
}

/// One object the gateway has to fetch and show to [`Permit::judge`] before the request may be forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Kind, e.g. `WorkOrder`.
    pub kind: Arc<str>,
    /// Its id as the request names it.
    pub id: String,
    /// Operation that fetches it.
    pub operation: OperationRef,
    /// Values of that operation's path parameters.
    pub path: Vec<(Arc<str>, String)>,
}

/// What may leave of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// JSON text of the body; empty when the answer has none.
    pub body: Vec<u8>,
    /// Values let out.
    pub fields_out: u32,
    /// Values the upstream sent.
    pub fields_seen: u32,
    /// List items and nested objects held back.
    pub withheld: u32,
    /// Names of the objects let out or judged, `WorkOrder:4711`; at most [`Released::OBJECTS_MAX`].
    pub objects: Vec<String>,
}

impl Released {
    /// Most objects named.
    pub const OBJECTS_MAX: usize = 32;
}

impl Permit {
    /// What the request's body may hold; everything else in it is refused by stage `validate`.
    pub fn writes(&self) -> &FieldSet {
        &self.writes
    }

    /// The grant that carries the permit (the first one, when several do).
    pub fn rule(&self) -> Option<&RuleRef> {
        None
    }

    /// Stage `object`, before the upstream: judges what the request alone shows and says which objects have to be
    /// fetched first. A permit with open lookups is not cleared.
    ///
    /// # Errors
    /// [`OBJECT_DENIED`] or [`ABSENT`] (by `deny_as`).
    pub fn before(&mut self, facts: &RequestFacts<'_>) -> Result<Vec<Lookup>, Box<Refusal>> {
        let _ = facts;
        Ok(Vec::new())
    }

    /// Judges one fetched object. `answer` is the body of the lookup's successful answer; `None` when the upstream
    /// knows no such object.
    ///
    /// # Errors
    /// [`OBJECT_DENIED`] or [`ABSENT`] (by `deny_as`).
    pub fn judge(
        &mut self,
        lookup: &Lookup,
        facts: &RequestFacts<'_>,
        answer: Option<&Json>,
    ) -> Result<(), Box<Refusal>> {
        let _ = (lookup, facts, answer);
        Ok(())
    }

    /// Whether nothing is owed before the request may be forwarded.
    pub fn is_cleared(&self) -> bool {
        false
    }

    /// Names of the objects judged so far, for the ledger (also of refused requests).
    pub fn objects(&self) -> &[String] {
        &[]
    }

    /// Lets out of a successful answer what may leave. `answer` is `None` when the upstream sent no body.
    /// Consumes the permit: it is good for one answer.
    ///
    /// # Errors
    /// [`OBJECT_DENIED`] or [`ABSENT`] (by `deny_as`) when the answer is an object the caller may not have.
    pub fn release(
        self,
        facts: &RequestFacts<'_>,
        answer: Option<&Json>,
    ) -> Result<Released, Box<Refusal>> {
        let _ = (facts, answer);
        Ok(Released::default())
    }
}
