//! May this caller use this operation? The answer is a `Permit`, and only `decide` makes one.
//! Exports `Question` and `decide`.
//! Used by gateway::pipeline through `Permit`.
//! Start reading at `decide`.

use std::net::IpAddr;
use std::sync::Arc;

use model::{Cause, Principal, Refusal, Timestamp};

use crate::cedar::{self, CedarContext, EvalInput, ResourceEntity};
use crate::fast::{Found, PrincipalFacts};
use crate::input::{DenyAs, ParameterPlace};
use crate::permit::Permit;
use crate::reasons::{CONDITION_FAILED, OPERATION_NOT_GRANTED};
use crate::rules::{Entry, Integration, Operation, OperationRef, Rules, parameter_scalar};
use crate::standing::Standing;

/// What is asked at stage `authz`.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a, C = Principal> {
    /// Who asks: the proof of a caller, or mere facts where somebody only wants to know.
    pub caller: &'a C,
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

/// Decides whether the caller may use the operation at all. The permit is this caller's, for this operation.
///
/// # Errors
/// [`OPERATION_NOT_GRANTED`] or [`CONDITION_FAILED`].
pub fn decide<C: AsRef<Principal> + Clone>(
    question: &Question<'_, C>,
    rules: &Arc<Rules>,
) -> Result<Permit<C>, Box<Refusal>> {
    let standing = stand(&question.of_facts(), rules)?;
    Ok(Permit::new(question.caller.clone(), standing))
}

impl Rules {
    /// Whether a grant of this caller names the operation, whatever its conditions say of a single request.
    pub fn grants(&self, caller: &Principal, operation: OperationRef) -> bool {
        let integration = self.integration_of(caller);
        integration.is_some_and(|i| i.entries.get(&operation).is_some())
    }
}

impl<'a, C: AsRef<Principal>> Question<'a, C> {
    /// The same question, asked of the facts alone.
    fn of_facts(&self) -> Question<'a> {
        Question {
            caller: self.caller.as_ref(),
            operation: self.operation,
            listener: self.listener,
            deny_as: self.deny_as,
            address: self.address,
            path: self.path,
            query: self.query,
            now: self.now,
        }
    }
}

fn stand(question: &Question<'_>, rules: &Arc<Rules>) -> Result<Standing, Box<Refusal>> {
    let Some(operation) = rules.op(question.operation) else {
        return Err(OPERATION_NOT_GRANTED.because("the operation is not of these rules"));
    };
    let integration = rules.integration_of(question.caller);
    let Some((integration, entry)) =
        integration.and_then(|i| Some((i, i.entries.get(&question.operation)?)))
    else {
        return Err(not_granted(question, operation));
    };
    let context = integration
        .is_on_context
        .then(|| context(question, operation));
    let live = live(entry, integration, operation, question, context.as_ref())?;
    Ok(Standing {
        rules: rules.clone(),
        integration: integration.clone(),
        operation: question.operation,
        live,
        decided: live,
        proven: live,
        writes: (entry.writes_differ(live)).then(|| entry.writes_of(live)),
        deny_as: question.deny_as,
        context,
        listener: integration.is_on_listener.then(|| question.listener.into()),
        is_asked: !owes(operation, entry),
        is_judged: false,
        roots_closed: 0,
        lookups: 0,
        pending: Vec::new(),
        objects: Vec::new(),
    })
}

fn not_granted(question: &Question<'_>, operation: &Operation) -> Box<Refusal> {
    let scope = format!("{}:{}", operation.api, operation.id);
    let mut refusal = OPERATION_NOT_GRANTED.because(format!(
        "no grant of `{}` covers `{scope}`",
        question.caller.integration
    ));
    refusal.scope = Some(scope);
    refusal
}

/// The grants that hold as far as the request alone can tell.
fn live(
    entry: &Entry,
    integration: &Integration,
    operation: &Operation,
    question: &Question<'_>,
    context: Option<&CedarContext>,
) -> Result<u64, Box<Refusal>> {
    let open = entry.always | (entry.waits() & !entry.on_request);
    let Some(set) = &entry.at_request else {
        return Ok(open);
    };
    let empty = CedarContext::empty();
    let scene = EvalInput {
        principal: &integration.being,
        who: PrincipalFacts {
            attributes: &integration.attributes,
            listener: Some(question.listener),
        },
        action: &operation.action,
        context: context.unwrap_or(&empty),
    };
    let held = set
        .judge_plain(&scene, |_| Found::Other)
        .unwrap_or_else(|| set.judge(&scene, ResourceEntity::none()));
    let live = open | held.grants;
    if held.forbidden.is_none() && live != 0 {
        return Ok(live);
    }
    let rule = held.forbidden.clone();
    let first = || entry.grants.first().map(|g| g.rule.clone());
    let detail = match &rule {
        Some(rule) => format!("{rule} forbids"),
        None => "no grant's condition holds for this request".to_owned(),
    };
    let cause = rule.as_ref().map(|_| Cause::Policy);
    Err(CONDITION_FAILED
        .because(detail)
        .with_cause(cause)
        .with_rule(rule.or_else(first)))
}

/// The facts of the request that conditions may ask for, typed as the contract declares them.
pub(crate) fn context(question: &Question<'_>, operation: &Operation) -> CedarContext {
    let typed = |name: &str, text: &str| {
        let scalar = parameter_scalar(&operation.parameters, name)?;
        Some((name.to_owned(), cedar::text_expression(text, scalar)?))
    };
    let path = question
        .path
        .iter()
        .filter_map(|(name, text)| typed(name, text))
        .collect();
    let is_query = |name: &str| {
        let mut query = operation.parameters.iter();
        query.any(|p| p.place == ParameterPlace::Query && &*p.name == name)
    };
    let count = |name: &str| question.query.iter().filter(|(n, _)| n == name).count();
    // A parameter sent twice has no one value; it satisfies nothing.
    let query = question
        .query
        .iter()
        .filter(|(name, _)| is_query(name) && count(name) == 1)
        .filter_map(|(name, text)| typed(name, text))
        .collect();
    cedar::context(
        path,
        query,
        question.address,
        question.listener,
        question.now,
    )
}

/// Whether anything has to be judged before the request may be forwarded.
fn owes(operation: &Operation, entry: &Entry) -> bool {
    let is_told_later = !operation.is_write && operation.is_told_by_answer();
    (entry.at_object.is_some() && !is_told_later)
        || !operation.named.is_empty()
        || operation.has_body_references
}
