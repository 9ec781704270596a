//! Asks policy again what was asked on the road, as far as the record tells.
//! Gives `near_misses`, `grants`, `exposed_elsewhere`.
//! Used by `Explanation::of`.
//! Start reading at `near_misses`.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use config::Compiled;
use contract::{Found, TemplateSegment};
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
    match declared(event, compiled) {
        Some(name) => Some(format!(
            "the contract has {name}, but no listener's `expose` names it"
        )),
        None => Some("no contract has such a path".to_owned()),
    }
}

/// The operation of a contract that has this path and method, exposed or not: `field-service/v2 getSite`.
fn declared(event: &Event, compiled: &Compiled) -> Option<String> {
    let method = Method::parse(event.method.as_deref()?)?;
    let path = event.path.as_deref()?;
    compiled.versions.iter().find_map(|version| {
        let below = path.strip_prefix(&*version.base_path)?;
        let segments: Vec<&str> = below.split('/').skip(1).collect();
        let contract = version.contract.as_ref()?;
        let operation = contract
            .operations
            .iter()
            .find(|operation| operation.method == method && fits(&operation.segments, &segments))?;
        Some(format!("{} {}", version.name, operation.id))
    })
}

fn fits(template: &[TemplateSegment], segments: &[&str]) -> bool {
    let fit = |(template, segment): (&TemplateSegment, &&str)| match template {
        TemplateSegment::Static(text) => **text == **segment,
        TemplateSegment::Parameter(_) | TemplateSegment::Mixed { .. } => !segment.is_empty(),
    };
    template.len() == segments.len() && template.iter().zip(segments).all(fit)
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
