//! One question to the enforcing rules, on the way that a request would take: reachable, granted, object, fields.
//! Exports `ask`.
//! Used by `can`.
//! Start reading at `ask`.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use config::api::State;
use config::{Compiled, field_paths};
use contract::{Operation, Place, TemplateSegment};
use model::json::Bounds;
use model::{Cause, FieldError, Json, Refusal, Stage};
use policy::{
    AccessRow, By, Evidence, How, Lookup, NearMiss, ObjectEvidence, OperationRef, Permit, Question,
    Released, RequestFacts,
};

use super::question::{AccessQuestion, Context, Evaluation, UNKNOWN, Verdict, id_text};
use super::{query, request};
use crate::access;

/// Asks the rules.
pub fn ask(asked: &AccessQuestion<'_>, compiled: &Compiled) -> Evaluation {
    decided(asked, compiled).unwrap_or_else(|no| *no)
}

fn decided(asked: &AccessQuestion<'_>, compiled: &Compiled) -> Result<Evaluation, Box<Evaluation>> {
    let context = reach(asked, compiled)?;
    let principal = asked.integration.facts.principal(None);
    let question = Question {
        caller: &principal,
        operation: context.operation,
        listener: context.listener,
        // The operator is told the truth, whatever the caller would be told.
        deny_as: policy::DenyAs::Forbidden,
        address: asked.address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        path: &context.path,
        query: &context.query,
        now: asked.now,
    };
    let refused = |refusal: Box<Refusal>| refused(&refusal, &question, asked, compiled);
    if let Some(missing) = unasked(&context) {
        return Ok(missing);
    }
    request::route(&context)?;
    let mut permit = policy::decide(&question, &compiled.rules).map_err(refused)?;
    query::known(asked, context.contract)?;
    if let Some(name) = request::cursor(asked, &permit) {
        let why = format!("`{name}` is good as an answer gave it, for the question of that answer");
        return Ok(Evaluation::undecided(why, Vec::new()));
    }
    let read = request::read(&context, &permit).map_err(refused)?;
    request::admit(&mut permit, &read).map_err(refused)?;
    if let Some(body) = &read.body {
        contract::check_writes(context.contract, body, permit.writes()).map_err(refused)?;
    }
    if let (Some(name), true) = (read.missing.first(), asked.is_specific()) {
        let why = format!("the contract demands the query parameter `{name}` (--query {name}=…)");
        return Ok(Evaluation::undecided(why, Vec::new()));
    }
    let rule = permit.rule().map(ToString::to_string);
    if asked.object.is_some() || asked.body.is_some() {
        with_object(&context, permit, read.body.as_ref(), &refused, rule)
    } else {
        in_general(&context, &permit)
    }
}

/// Whether a call gets as far as the rules.
fn reach<'a>(
    asked: &'a AccessQuestion<'a>,
    compiled: &'a Compiled,
) -> Result<Context<'a>, Box<Evaluation>> {
    let (version, plan) = (asked.version, asked.plan);
    if !matches!(version.state, State::Active | State::Deprecated) {
        return Err(Evaluation::no(format!(
            "{} is in state {}: none of its operations can be reached",
            version.name,
            version.state.name()
        )));
    }
    let listener = listener(asked)?;
    admit_address(asked, compiled, listener)?;
    let contract = version
        .contract
        .as_ref()
        .and_then(|contract| contract.operation(&plan.id));
    let (Some((_, contract)), Some(operation)) = (contract, plan.policy) else {
        return Err(Evaluation::no(format!(
            "{} has no contract for {}",
            version.name, plan.id
        )));
    };
    Ok(Context {
        asked,
        compiled,
        contract,
        operation,
        listener,
        path: path(asked, contract),
        query: query::query(asked, operation, compiled)?,
        is_create: is_create(asked, operation, contract, compiled),
    })
}

/// The listener that is called: the named one, or the first that exposes the operation.
fn listener<'a>(asked: &AccessQuestion<'a>) -> Result<&'a str, Box<Evaluation>> {
    let (version, plan) = (asked.version, asked.plan);
    match asked.listener {
        Some(listener) if !plan.listeners.iter().any(|name| **name == *listener) => Err(
            Evaluation::no(format!("{} is not exposed on listener {listener}", plan.id)),
        ),
        Some(listener) => Ok(listener),
        None => plan.listeners.first().map(|name| &**name).ok_or_else(|| {
            Evaluation::no(format!(
                "{} is exposed on no listener: add it to `expose` in apis/{}.yaml",
                plan.id, version.api
            ))
        }),
    }
}

/// Whether listener and integration accept calls from the address.
fn admit_address(
    asked: &AccessQuestion<'_>,
    compiled: &Compiled,
    listener: &str,
) -> Result<(), Box<Evaluation>> {
    if let (Some(address), Some(settings)) = (asked.address, compiled.listener(listener))
        && (settings.deny.contains(address)
            || settings
                .allow
                .as_ref()
                .is_some_and(|allow| !allow.contains(address)))
    {
        return Err(Box::new(Evaluation {
            code: Some(policy::address::DENIED.code),
            ..*Evaluation::no(format!(
                "listener {listener} accepts no calls from {address}"
            ))
        }));
    }
    if let (Some(address), Some(allowed)) = (asked.address, &asked.integration.allow_from)
        && !allowed.contains(address)
    {
        return Err(Evaluation::no(format!(
            "{} may not call from {address}: its `allow_from` does not hold it",
            asked.integration.name
        )));
    }
    Ok(())
}

/// Whether the request's body is judged as the object that it describes.
fn is_create(
    asked: &AccessQuestion<'_>,
    operation: OperationRef,
    contract: &Operation,
    compiled: &Compiled,
) -> bool {
    let is_static = |segment: &TemplateSegment| matches!(segment, TemplateSegment::Static(_));
    let enforcement = compiled
        .rules
        .enforcement(&asked.integration.name, operation);
    let judged = enforcement.map(|enforcement| enforcement.judged);
    let is_by_body = judged.is_some_and(|all| all.iter().any(|judged| judged.by == By::Body));
    compiled.rules.is_write(operation) && (is_by_body || contract.segments.iter().all(is_static))
}

/// Values of the path parameters: as given, else the object's id, which is what most paths end with.
fn path(asked: &AccessQuestion<'_>, contract: &Operation) -> Vec<(Arc<str>, String)> {
    let object = asked.object.as_ref();
    let id = object.and_then(|object| object.get("id")).and_then(id_text);
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
    asked: &AccessQuestion<'_>,
    compiled: &Compiled,
) -> Box<Evaluation> {
    let errors: Vec<String> = refusal.errors.iter().map(shown).collect();
    let why = if errors.is_empty() {
        refusal.detail.clone()
    } else {
        errors.join("; ")
    };
    Box::new(Evaluation {
        verdict: Verdict::No,
        why,
        code: Some(refusal.reason.code),
        rules: refusal.rule.iter().map(ToString::to_string).collect(),
        conditions: Vec::new(),
        nearest: nearest(refusal, question, asked, compiled),
    })
}

/// What was near, where a grant or a policy refused.
fn nearest(
    refusal: &Refusal,
    question: &Question<'_>,
    asked: &AccessQuestion<'_>,
    compiled: &Compiled,
) -> Vec<NearMiss> {
    let is_new = refusal.reason == &policy::CREATE_DENIED;
    let sent = asked.body.as_ref().filter(|_| is_new);
    // Without an object the path alone was evaluated.
    let nothing = Json::Object(Vec::new());
    let object = match (refusal.reason.stage, refusal.why) {
        (Stage::Authz, _) if refusal.reason != &policy::PARAMETER_NOT_GRANTED => {
            ObjectEvidence::NotEvaluated
        }
        (Stage::Object, Some(Cause::Policy | Cause::Condition)) => {
            ObjectEvidence::Given(sent.or(asked.object.as_ref()).unwrap_or(&nothing))
        }
        (Stage::Object, Some(Cause::ParentCondition)) => ObjectEvidence::Unmet { is_parent: true },
        _ => return Vec::new(),
    };
    let evidence = Evidence {
        is_query_known: true,
        object,
    };
    policy::near_misses(question, evidence, &compiled.rules)
}

fn shown(error: &FieldError) -> String {
    format!("{} {}: {}", error.place, error.pointer, error.detail)
}

/// What a condition asks of the request and was not given.
fn unasked(context: &Context<'_>) -> Option<Evaluation> {
    let enforcement = context.enforcement()?;
    let is_unknown = |name: &str| {
        let mut path = context.path.iter();
        path.any(|(known, value)| **known == *name && value == UNKNOWN)
    };
    let mut missing: Vec<String> = Vec::new();
    for asked in &enforcement.asks {
        let (place, name) = asked.split_once('.').unwrap_or((asked, ""));
        match place {
            "network" if name != "listener" && context.asked.address.is_none() => {
                missing.push("the address (--from)".to_owned());
            }
            "path" if is_unknown(name) => missing.push(format!("`{name}` (--path {name}=…)")),
            _ => {}
        }
    }
    missing.dedup();
    if missing.is_empty() {
        return None;
    }
    let why = format!("it depends on {}", missing.join(" and "));
    Some(Evaluation::undecided(why, context.conditions(&enforcement)))
}

/// Without an object: which grants there are, and under which conditions.
fn in_general(context: &Context<'_>, permit: &Permit) -> Result<Evaluation, Box<Evaluation>> {
    let asked = context.asked;
    // A grant whose condition on the request fails lets nothing be seen.
    let held: Vec<(String, bool)> = permit
        .grants()
        .map(|(rule, waits)| (rule.to_string(), waits))
        .collect();
    let sure: Vec<&String> = held.iter().filter(|(_, w)| !w).map(|(r, _)| r).collect();
    let rows = policy::access(&context.compiled.rules, &asked.integration.name)
        .unwrap_or_default()
        .rows;
    let mut own: Vec<AccessRow> = rows
        .into_iter()
        .filter(|row| *row.api == *asked.version.name && *row.operation == *asked.plan.id)
        .filter(|row| held.iter().any(|(rule, _)| *rule == row.rule))
        .collect();
    match asked.field {
        None => own.retain(|row| row.how == How::Call),
        Some(field) => own.retain(|row| row.how != How::Call && is_field(row, field, context)),
    }
    let Some(first) = own.first() else {
        let field = asked.field.unwrap_or_default();
        return Err(Evaluation::no(format!(
            "{} may call {}, but no grant lets it see or send {field}",
            asked.integration.name, asked.plan.id
        )));
    };
    let is_sent_too = first.how != How::Write && own.iter().any(|row| row.how == How::Write);
    let why = may(asked, first.how, is_sent_too);
    let mut rules: Vec<String> = own.iter().map(|row| row.rule.clone()).collect();
    rules.sort();
    rules.dedup();
    let enforcement = context.enforcement().unwrap_or_default();
    let is_sure = own.iter().any(|row| sure.contains(&&row.rule));
    if is_sure && !enforcement.can_refuse {
        return Ok(Evaluation {
            verdict: Verdict::Yes,
            why,
            rules,
            ..Evaluation::default()
        });
    }
    let kinds: Vec<&str> = enforcement.judged.iter().map(|j| &*j.kind).collect();
    Ok(Evaluation {
        rules,
        ..Evaluation::undecided(
            format!("{why} where the {} allows it", kinds.join(" and the ")),
            context.conditions(&enforcement),
        )
    })
}

/// What it may do, without any object.
fn may(asked: &AccessQuestion<'_>, how: How, is_sent_too: bool) -> String {
    let why = match (asked.field, how) {
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
    if is_sent_too {
        format!("{why} and may send it")
    } else {
        why
    }
}

fn is_field(row: &AccessRow, field: &str, context: &Context<'_>) -> bool {
    field_paths::is_below(&access::field_of(row, context.compiled), field)
}

/// With an object or a body: judged as a request would be, before and after the upstream.
fn with_object(
    context: &Context<'_>,
    mut permit: Permit,
    body: Option<&Json>,
    refused: &dyn Fn(Box<Refusal>) -> Box<Evaluation>,
    rule: Option<String>,
) -> Result<Evaluation, Box<Evaluation>> {
    let asked = context.asked;
    let rules = &context.compiled.rules;
    let facts = RequestFacts {
        path: &context.path,
        query: &context.query,
        body,
    };
    let lookups = permit.before(&facts).map_err(refused)?;
    look_up(context, &mut permit, &facts, &lookups, refused)?;
    // What was carried out is answered with its status, whatever may be shown of the answer.
    if rules.is_write(context.operation) {
        return sent(context, permit, &facts, rule);
    }
    let Some(object) = &asked.object else {
        return in_general(context, &permit);
    };
    let is_named = !lookups.is_empty() || context.names(object);
    if let Some(undecided) = left_to_answer(context, &permit, is_named) {
        return undecided;
    }
    let steps = rules.object_steps(context.operation);
    let answer = field_paths::nest(&steps, object.clone());
    let later = permit.after(&facts, Some(&answer)).map_err(refused)?;
    look_up(context, &mut permit, &facts, &later, refused)?;
    // What the answer holds besides the object that was looked up is not known here.
    if !lookups.is_empty() && asked.field.is_none() {
        return yes(asked, rule, "the object it names allows it");
    }
    let released = permit.release(&facts, Some(&answer)).map_err(refused)?;
    seen(context, &steps, &released, rule)
}

/// What the objects of the answer decide, where the one that was given is only named by the request.
fn left_to_answer(
    context: &Context<'_>,
    permit: &Permit,
    is_named: bool,
) -> Option<Result<Evaluation, Box<Evaluation>>> {
    let asked = context.asked;
    let kinds = permit.decided_by_answer();
    let is_seen_there = asked.field.is_some() && permit.answers_with_others();
    if !is_named || (kinds.is_empty() && !is_seen_there) {
        return None;
    }
    if let (Some(_), Err(no)) = (asked.field, in_general(context, permit)) {
        return Some(Err(no));
    }
    let what = match kinds.as_slice() {
        [] => "the objects of the answer decide what is seen of them".to_owned(),
        kinds => format!(
            "the {} that it answers with decides",
            kinds.join(" or the ")
        ),
    };
    let conditions = context.enforcement().map(|e| context.conditions(&e));
    let why = format!("the object it names allows it; {what}");
    Some(Ok(Evaluation::undecided(
        why,
        conditions.unwrap_or_default(),
    )))
}

/// A change that may be made; with a field, whether it may be sent or leaves with the answer.
fn sent(
    context: &Context<'_>,
    permit: Permit,
    facts: &RequestFacts<'_>,
    rule: Option<String>,
) -> Result<Evaluation, Box<Evaluation>> {
    let asked = context.asked;
    let Some(field) = asked.field else {
        let what = if context.is_create {
            "the object may be sent"
        } else {
            "the request may be sent"
        };
        return yes(asked, rule, what);
    };
    let proven: Vec<String> = permit.proven_grants().map(ToString::to_string).collect();
    let rows = policy::access(&context.compiled.rules, &asked.integration.name).unwrap_or_default();
    let may_send = rows.rows.iter().find(|row| {
        row.how == How::Write
            && *row.api == *asked.version.name
            && *row.operation == *asked.plan.id
            && proven.contains(&row.rule)
            && is_field(row, field, context)
    });
    if let Some(row) = may_send {
        let rule = Some(row.rule.clone());
        return yes(asked, rule, &format!("{field} may be sent"));
    }
    if permit.answers_with_others() && asked.object.is_some() && !context.is_create {
        in_general(context, &permit)?;
        let why =
            "the request may be sent; the object that it answers with decides what is seen of it";
        return Ok(Evaluation::undecided(why, Vec::new()));
    }
    let steps = context.compiled.rules.object_steps(context.operation);
    let answer = asked.object.clone();
    let answer = answer.map(|object| field_paths::nest(&steps, object));
    let released = permit.release(facts, answer.as_ref());
    match released {
        Ok(released) if answer.is_some() => seen(context, &steps, &released, rule),
        _ => Err(Evaluation::no(format!(
            "{} may call {}, but may not send {field}, and it does not leave with the answer",
            asked.integration.name, asked.plan.id
        ))),
    }
}

/// Shows the object to the permit, for the look-ups that are about it.
fn look_up(
    context: &Context<'_>,
    permit: &mut Permit,
    facts: &RequestFacts<'_>,
    lookups: &[Lookup],
    refused: &dyn Fn(Box<Refusal>) -> Box<Evaluation>,
) -> Result<(), Box<Evaluation>> {
    for lookup in lookups {
        if !request::leads(context.compiled, context.asked, lookup) {
            let why = format!(
                "{}:{} cannot be looked up: an upstream could read its path as another one",
                lookup.kind, lookup.id
            );
            return Err(refused(policy::ABSENT.because(why)));
        }
        let Some(object) = looked_up(context, permit, lookup) else {
            let why = format!(
                "it depends on {}:{}, which a running gateway would look up",
                lookup.kind, lookup.id
            );
            return Err(Box::new(Evaluation::undecided(why, Vec::new())));
        };
        let answer = field_paths::nest(
            &context.compiled.rules.object_steps(lookup.operation),
            object.clone(),
        );
        permit
            .judge(lookup, facts, Some(&answer))
            .map_err(refused)?;
    }
    Ok(())
}

/// The object that was given, where it is the one that is looked up: what the request is about, or what has this id.
fn looked_up<'a>(context: &Context<'a>, permit: &Permit, lookup: &Lookup) -> Option<&'a Json> {
    let asked = context.asked;
    // The object of a create is what is sent; another one was not given.
    let is_sent = context.is_create && asked.body.is_none();
    let object = asked.object.as_ref().filter(|_| !is_sent)?;
    let own = object.get("id").and_then(id_text);
    let is_it = match own {
        Some(own) => own == lookup.id,
        None => permit.is_subject(lookup),
    };
    is_it.then_some(object)
}

/// What of the object would leave.
fn seen(
    context: &Context<'_>,
    steps: &[Arc<str>],
    released: &Released,
    rule: Option<String>,
) -> Result<Evaluation, Box<Evaluation>> {
    let asked = context.asked;
    let left = model::json::parse(&released.body, Bounds::default()).ok();
    let object = left
        .as_ref()
        .and_then(|answer| field_paths::peel(steps, answer));
    let Some(object) = object else {
        return Err(Evaluation::no(
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
        Some(field) => {
            if field_paths::holds(object, field) {
                yes(asked, rule, &format!("{field} of this object leaves"))
            } else {
                Err(Box::new(Evaluation {
                    why: format!(
                        "{field} of this object does not leave: it is not granted for it, or the object given has no such value"
                    ),
                    rules: rule.into_iter().collect(),
                    ..Evaluation::default()
                }))
            }
        }
    }
}

fn yes(
    asked: &AccessQuestion<'_>,
    rule: Option<String>,
    what: &str,
) -> Result<Evaluation, Box<Evaluation>> {
    Ok(Evaluation {
        verdict: Verdict::Yes,
        why: format!(
            "{} may call {}; {what}",
            asked.integration.name, asked.plan.id
        ),
        rules: rule.into_iter().collect(),
        ..Evaluation::default()
    })
}
