//! One question to the enforcing rules, on the road a request would take: reachable, granted, object, fields.
//! Gives `Asked`, `Verdict`, `ask`.
//! Used by `can`.
//! Start reading at `ask`.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use config::Compiled;
use config::api::State;
use config::compiled::{ApiVersion, IntegrationSettings, OperationPlan};
use contract::{Operation, Place};
use model::json::Bounds;
use model::{FieldError, Json, Principal, Refusal, Timestamp};
use policy::{
    AccessRow, How, Lookup, NearMiss, OperationRef, Permit, Question, Released, RequestFacts,
};

use crate::fields;
use crate::verbs::access;

/// What is asked.
pub struct Asked<'a> {
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

/// The answer.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Whether it may.
    pub is_yes: bool,
    /// In one sentence.
    pub why: String,
    /// Code of the refusal a caller would get.
    pub code: Option<&'static str>,
    /// Rules that decided: `integrations/accounting.yaml:9`.
    pub rules: Vec<String>,
    /// Conditions that were not judged for want of an object.
    pub conditions: Vec<String>,
    /// What was nearest to a yes.
    pub nearest: Vec<NearMiss>,
}

impl Verdict {
    fn no(why: impl Into<String>) -> Box<Verdict> {
        Box::new(Verdict {
            why: why.into(),
            ..Verdict::default()
        })
    }
}

/// Everything that is known of the question before policy is asked.
struct Road<'a> {
    asked: &'a Asked<'a>,
    compiled: &'a Compiled,
    contract: &'a Operation,
    operation: OperationRef,
    listener: &'a str,
    path: Vec<(Arc<str>, String)>,
}

/// Asks the rules.
pub fn ask(asked: &Asked<'_>, compiled: &Compiled) -> Verdict {
    decided(asked, compiled).unwrap_or_else(|no| *no)
}

fn decided(asked: &Asked<'_>, compiled: &Compiled) -> Result<Verdict, Box<Verdict>> {
    let road = reach(asked, compiled)?;
    let principal = Principal {
        integration: asked.integration.name.clone(),
        attributes: asked.integration.facts.attributes.clone(),
        user: None,
    };
    let question = Question {
        principal: &principal,
        operation: road.operation,
        listener: road.listener,
        // The operator is told the truth, whatever the caller would be told.
        deny_as: policy::DenyAs::Forbidden,
        address: asked.address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        path: &road.path,
        query: &asked.query,
        now: asked.now,
    };
    let refused = |refusal: Box<Refusal>| refused(&refusal, &question, asked, compiled);
    let permit = policy::decide(&question, &compiled.rules).map_err(refused)?;
    let rule = permit.rule().map(ToString::to_string);
    match asked.object.is_some() || asked.body.is_some() {
        true => with_object(&road, permit, &refused, rule),
        false => in_general(&road),
    }
}

/// Whether a call gets as far as the rules.
fn reach<'a>(asked: &'a Asked<'a>, compiled: &'a Compiled) -> Result<Road<'a>, Box<Verdict>> {
    let (version, plan) = (asked.version, asked.plan);
    if !matches!(version.state, State::Active | State::Deprecated) {
        return Err(Verdict::no(format!(
            "{} is in state {}: none of its operations can be reached",
            version.name,
            version.state.name()
        )));
    }
    let listener = match asked.listener {
        Some(listener) if !plan.listeners.iter().any(|name| **name == *listener) => {
            return Err(Verdict::no(format!(
                "{} is not exposed on listener {listener}",
                plan.id
            )));
        }
        Some(listener) => listener,
        None => plan.listeners.first().ok_or_else(|| {
            Verdict::no(format!(
                "{} is exposed on no listener: add it to `expose` in apis/{}.yaml",
                plan.id, version.api
            ))
        })?,
    };
    if let (Some(address), Some(allowed)) = (asked.address, &asked.integration.allow_from)
        && !allowed.contains(address)
    {
        return Err(Verdict::no(format!(
            "{} may not call from {address}: its `allow_from` does not hold it",
            asked.integration.name
        )));
    }
    let contract = version
        .contract
        .as_ref()
        .and_then(|contract| contract.operation(&plan.id));
    let (Some((_, contract)), Some(operation)) = (contract, plan.policy) else {
        return Err(Verdict::no(format!(
            "{} has no contract for {}",
            version.name, plan.id
        )));
    };
    Ok(Road {
        asked,
        compiled,
        contract,
        operation,
        listener,
        path: path(asked, contract),
    })
}

/// Stands for an id that was not given; no rule takes it for one.
const UNKNOWN: &str = "?";

/// Values of the path parameters: as given, else the object's id, which is what most paths end with.
fn path(asked: &Asked<'_>, contract: &Operation) -> Vec<(Arc<str>, String)> {
    let id = asked
        .object
        .as_ref()
        .and_then(|object| object.get("id"))
        .and_then(|id| match id {
            Json::Text(text) => Some(text.to_string()),
            Json::Number(digits) => Some(digits.to_string()),
            _ => None,
        });
    let given = |name: &str| {
        asked
            .path
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.clone())
    };
    let parameters = contract
        .parameters
        .iter()
        .filter(|p| p.place == Place::Path);
    parameters
        .map(|p| {
            (
                p.name.clone(),
                given(&p.name)
                    .or_else(|| id.clone())
                    .unwrap_or_else(|| UNKNOWN.to_owned()),
            )
        })
        .collect()
}

fn refused(
    refusal: &Refusal,
    question: &Question<'_>,
    asked: &Asked<'_>,
    compiled: &Compiled,
) -> Box<Verdict> {
    let errors: Vec<String> = refusal.errors.iter().map(shown).collect();
    let why = match errors.is_empty() {
        true => refusal.detail.clone(),
        false => errors.join("; "),
    };
    Box::new(Verdict {
        is_yes: false,
        why,
        code: Some(refusal.reason.code),
        rules: refusal.rule.iter().map(ToString::to_string).collect(),
        conditions: Vec::new(),
        nearest: policy::near_misses(question, asked.object.as_ref(), &compiled.rules),
    })
}

fn shown(error: &FieldError) -> String {
    format!("{} {}: {}", error.place, error.pointer, error.detail)
}

/// Without an object: which grants there are, and under which conditions.
fn in_general(road: &Road<'_>) -> Result<Verdict, Box<Verdict>> {
    let asked = road.asked;
    let rows = policy::access(&road.compiled.rules, &asked.integration.name)
        .unwrap_or_default()
        .rows;
    let mut own: Vec<AccessRow> = rows
        .into_iter()
        .filter(|row| *row.api == *asked.version.name && *row.operation == *asked.plan.id)
        .collect();
    match asked.field {
        None => own.retain(|row| row.how == How::Call),
        Some(field) => own.retain(|row| row.how != How::Call && is_field(row, field, road)),
    }
    let Some(first) = own.first() else {
        let field = asked.field.unwrap_or_default();
        return Err(Verdict::no(format!(
            "{} may call {}, but no grant lets it see or send {field}",
            asked.integration.name, asked.plan.id
        )));
    };
    let why = match (asked.field, first.how) {
        (None, _) => format!("{} may call {}", asked.integration.name, asked.plan.id),
        (Some(field), How::Write) => format!("{} may send {field}", asked.integration.name),
        (Some(field), How::Error) => {
            format!("{} sees {field} in error answers", asked.integration.name)
        }
        (Some(field), How::Masked(mask)) => format!(
            "{} sees {field}, masked: {}",
            asked.integration.name,
            mask.name()
        ),
        (Some(field), _) => format!("{} sees {field}", asked.integration.name),
    };
    let is_free = own.iter().any(|row| row.condition.is_none());
    let mut conditions: Vec<String> = own
        .iter()
        .filter(|_| !is_free)
        .filter_map(|row| row.condition.as_deref().map(str::to_owned))
        .collect();
    let mut rules: Vec<String> = own.iter().map(|row| row.rule.clone()).collect();
    for list in [&mut conditions, &mut rules] {
        list.sort();
        list.dedup();
    }
    Ok(Verdict {
        is_yes: true,
        why,
        rules,
        conditions,
        ..Verdict::default()
    })
}

fn is_field(row: &AccessRow, field: &str, road: &Road<'_>) -> bool {
    fields::is_below(&access::field_of(row, road.compiled), field)
}

/// With an object: judged as a request would be, before and after the upstream.
fn with_object(
    road: &Road<'_>,
    mut permit: Permit,
    refused: &dyn Fn(Box<Refusal>) -> Box<Verdict>,
    rule: Option<String>,
) -> Result<Verdict, Box<Verdict>> {
    let asked = road.asked;
    let is_create = !road.contract.method.is_safe() && road.path.is_empty();
    let body = asked
        .body
        .as_ref()
        .or(asked.object.as_ref().filter(|_| is_create));
    let facts = RequestFacts {
        path: &road.path,
        query: &asked.query,
        body,
    };
    if let Some(body) = body {
        contract::check_writes(road.contract, body, permit.writes()).map_err(refused)?;
    }
    let lookups = permit.before(&facts).map_err(refused)?;
    look_up(road, &mut permit, &facts, &lookups, refused)?;
    let Some(object) = &asked.object else {
        return yes(asked, rule, "the request may be sent");
    };
    if is_create && asked.field.is_none() {
        return yes(asked, rule, "the object may be sent");
    }
    let steps = road.compiled.rules.object_steps(road.operation);
    let answer = fields::wrap(&steps, object.clone());
    let released = permit.release(&facts, Some(&answer)).map_err(refused)?;
    seen(road, &steps, &released, rule)
}

/// Shows the object to the permit, for the look-ups that are about it.
fn look_up(
    road: &Road<'_>,
    permit: &mut Permit,
    facts: &RequestFacts<'_>,
    lookups: &[Lookup],
    refused: &dyn Fn(Box<Refusal>) -> Box<Verdict>,
) -> Result<(), Box<Verdict>> {
    for (index, lookup) in lookups.iter().enumerate() {
        // What the request changes is looked up first; what it only names comes after.
        let object = road.asked.object.as_ref().filter(|_| index == 0);
        let Some(object) = object else {
            let why = format!(
                "it depends on {}:{}, which a running gateway would look up; give it with --object",
                lookup.kind, lookup.id
            );
            return Err(Verdict::no(why));
        };
        let answer = fields::wrap(
            &road.compiled.rules.object_steps(lookup.operation),
            object.clone(),
        );
        permit
            .judge(lookup, facts, Some(&answer))
            .map_err(refused)?;
    }
    Ok(())
}

/// What of the object would leave.
fn seen(
    road: &Road<'_>,
    steps: &[Arc<str>],
    released: &Released,
    rule: Option<String>,
) -> Result<Verdict, Box<Verdict>> {
    let asked = road.asked;
    let left = model::json::parse(&released.body, Bounds::default()).ok();
    let object = left
        .as_ref()
        .and_then(|answer| fields::unwrap(steps, answer));
    let Some(object) = object else {
        return Err(Verdict::no(
            "no grant's condition holds for the object: it is left out of the list",
        ));
    };
    match asked.field {
        None => yes(
            asked,
            rule,
            &format!(
                "{} of {} values of the object leave",
                released.fields_out, released.fields_seen
            ),
        ),
        Some(field) => match fields::holds(object, field) {
            true => yes(asked, rule, &format!("{field} of this object leaves")),
            false => Err(Box::new(Verdict {
                why: format!(
                    "{field} of this object does not leave: it is not granted for it, or the object given has no such value"
                ),
                rules: rule.into_iter().collect(),
                ..Verdict::default()
            })),
        },
    }
}

fn yes(asked: &Asked<'_>, rule: Option<String>, what: &str) -> Result<Verdict, Box<Verdict>> {
    Ok(Verdict {
        is_yes: true,
        why: format!(
            "{} may call {}; {what}",
            asked.integration.name, asked.plan.id
        ),
        rules: rule.into_iter().collect(),
        ..Verdict::default()
    })
}
