//! Asks policy again what was asked on the road, as far as the record tells.
//! Gives `near_misses`, `grants`, `exposed_elsewhere`.
//! Used by `Explanation::of`.
//! Start reading at `near_misses`.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use config::Compiled;
use config::api::State;
use contract::Found;
use model::canonical::CanonicalRequest;
use model::http::{BodyLength, Protocol};
use model::{Event, Head, Headers, Method, Principal};
use policy::Question;

/// Most near misses shown.
const SHOWN_MAX: usize = 6;

/// What was nearest to a yes: `integrations/crm.yaml:31` and a sentence.
pub fn near_misses(event: &Event, compiled: &Compiled) -> Vec<(String, String)> {
    let is_about_rights = event
        .code
        .as_deref()
        .is_some_and(|code| code.starts_with("authz.") || code.starts_with("object."));
    if !is_about_rights {
        return Vec::new();
    }
    ask(event, compiled).unwrap_or_default()
}

fn ask(event: &Event, compiled: &Compiled) -> Option<Vec<(String, String)>> {
    let settings = compiled.integrations.get(event.integration.as_deref()?)?;
    let operation = compiled
        .rules
        .operation(event.api.as_deref()?, event.operation.as_deref()?)?;
    let principal = Principal {
        integration: Arc::clone(&settings.name),
        attributes: Arc::clone(&settings.facts.attributes),
        user: event.user.as_deref().map(Arc::from),
    };
    let path = match found(event, compiled, event.listener.as_deref()?)? {
        Found::Operation { path_values, .. } => path_values,
        _ => Vec::new(),
    };
    let question = Question {
        principal: &principal,
        operation,
        listener: event.listener.as_deref()?,
        deny_as: policy::DenyAs::Forbidden,
        address: event
            .address
            .as_deref()
            .and_then(|text| text.parse().ok())
            .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        path: &path,
        query: &[],
        now: event.at,
    };
    let misses = policy::near_misses(&question, None, &compiled.rules);
    Some(
        misses
            .into_iter()
            .take(SHOWN_MAX)
            .map(|miss| (miss.rule.to_string(), miss.text))
            .collect(),
    )
}

/// The integration's grants of the operation: `integrations/crm.yaml:31`.
pub fn grants(event: &Event, compiled: &Compiled) -> Vec<String> {
    let who = event.integration.as_deref().unwrap_or_default();
    let access = policy::access(&compiled.rules, who);
    let rows = access.map(|access| access.rows).unwrap_or_default();
    let mut places: Vec<String> = rows
        .into_iter()
        .filter(|row| {
            event.api.as_deref() == Some(&*row.api)
                && event.operation.as_deref() == Some(&*row.operation)
        })
        .map(|row| row.rule)
        .collect();
    places.sort();
    places.dedup();
    places
}

/// Where else the path exists, for a caller who was told that it does not.
pub fn exposed_elsewhere(event: &Event, compiled: &Compiled) -> Option<String> {
    if event.code.as_deref() != Some("route.not_found") {
        return None;
    }
    let here = event.listener.as_deref().unwrap_or_default();
    let elsewhere =
        |name: &str| matches!(found(event, compiled, name), Some(Found::Operation { .. }));
    let listener = compiled
        .server
        .listeners
        .iter()
        .find(|listener| &*listener.name != here && elsewhere(&listener.name));
    if let Some(listener) = listener {
        return Some(format!(
            "the operation exists on listener `{}`, not on `{here}`",
            listener.name
        ));
    }
    Some(match found(event, compiled, here)? {
        Found::NotExposed { api, operation } => not_exposed(api, operation, compiled),
        Found::Ambiguous {
            rival: Some(rival), ..
        } => {
            format!(
                "with this value an upstream could read the path as `{rival}`, so it is not sent there"
            )
        }
        Found::Ambiguous { rival: None, .. } => {
            "a blank value would let an upstream read a shorter path".to_owned()
        }
        _ => "no contract has such a path".to_owned(),
    })
}

/// Why nobody can reach a declared path.
fn not_exposed(api: usize, operation: Option<usize>, compiled: &Compiled) -> String {
    let Some(version) = compiled.versions.get(api) else {
        return "no contract has such a path".to_owned();
    };
    let plan = operation.and_then(|index| version.operations.get(index));
    match plan {
        Some(plan) if version.state == State::Design => {
            format!(
                "the contract has {} {}, and the version is in design",
                version.name, plan.id
            )
        }
        Some(plan) => format!(
            "the contract has {} {}, but no listener's `expose` names it",
            version.name, plan.id
        ),
        None => format!(
            "the contract of {} declares the path without this method",
            version.name
        ),
    }
}

/// Routes the recorded path again.
fn found(event: &Event, compiled: &Compiled, listener: &str) -> Option<Found> {
    let method = Method::read(event.method.as_deref()?)?;
    let head = Head {
        protocol: Protocol::Http11,
        method,
        target: event.path.as_deref()?.to_owned(),
        authority: String::new(),
        headers: Headers::new(),
        body: BodyLength::None,
    };
    let asked = CanonicalRequest::of(head).ok()?;
    Some(compiled.router.find(listener, method, asked.segments()))
}
