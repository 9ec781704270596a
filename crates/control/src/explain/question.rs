//! Asks policy and router again what was asked when it was decided, as far as the record tells: with today's configuration.
//! Exports `near_misses`, `grants`, `parameters`, `reached`.
//! Used by `Explanation::of`.
//! Start reading at `near_misses`.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use config::Compiled;
use config::api::State;
use contract::Found;
use model::canonical::CanonicalRequest;
use model::http::{BodyLength, Protocol};
use model::{Cause, Event, Head, Headers, Method};
use policy::{Evidence, Nearness, ObjectEvidence, Question};

use super::remedy::{Advice, By, NOT_GRANTED};

/// Most near misses shown.
const SHOWN_MAX: usize = 6;

/// One thing that was near to a yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// `integrations/crm.yaml:31`
    pub place: String,
    /// In which way.
    pub nearness: Nearness,
    /// One sentence.
    pub text: String,
}

/// What was nearest to a yes. Nothing where no grant or policy decided.
pub fn near_misses(event: &Event, compiled: &Compiled, is_changed: bool) -> Vec<Near> {
    let is_about_rights = matches!(
        event.code.as_deref(),
        Some(
            "authz.operation_not_granted"
                | "authz.condition_failed"
                | "object.denied"
                | "object.create_denied"
        )
    );
    if !is_about_rights {
        return Vec::new();
    }
    let cause = event.cause.as_ref().and_then(|cause| cause.known());
    // The record names the policy that decided; no condition has to be looked for.
    if let (Some(Cause::Policy), Some(rule)) = (cause, &event.rule) {
        return vec![Near {
            place: rule.to_string(),
            nearness: Nearness::Forbidden,
            text: "this policy forbade it, whatever is granted".to_owned(),
        }];
    }
    let is_asked_of_objects = event
        .code
        .as_deref()
        .is_some_and(|code| code.starts_with("object."));
    let object = match cause {
        // What other conditions would have said, nobody recorded.
        _ if is_changed => ObjectEvidence::NotEvaluated,
        Some(Cause::Condition) => ObjectEvidence::Unmet { is_parent: false },
        Some(Cause::ParentCondition) => ObjectEvidence::Unmet { is_parent: true },
        _ => ObjectEvidence::NotEvaluated,
    };
    if is_asked_of_objects && matches!(object, ObjectEvidence::NotEvaluated) {
        return Vec::new();
    }
    ask(event, compiled, object).unwrap_or_default()
}

fn ask(event: &Event, compiled: &Compiled, object: ObjectEvidence<'_>) -> Option<Vec<Near>> {
    let settings = compiled.integrations.get(event.integration.as_deref()?)?;
    let operation = compiled
        .rules
        .operation(event.api.as_deref()?, event.operation.as_deref()?)?;
    let user = event.user.as_deref().map(Arc::from);
    let principal = settings.facts.principal(user);
    let path = match found(event, compiled, event.listener.as_deref()?)? {
        Found::Operation { path_values, .. } => path_values,
        _ => Vec::new(),
    };
    let question = Question {
        caller: &principal,
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
    let evidence = Evidence {
        is_query_known: false,
        object,
    };
    let misses = policy::near_misses(&question, evidence, &compiled.rules);
    let near = misses.into_iter().take(SHOWN_MAX).map(|miss| Near {
        place: miss.rule.to_string(),
        nearness: miss.nearness,
        text: miss.text,
    });
    Some(near.collect())
}

/// Why parameters of the request may not be used today: "`tag`: it asks about … (integrations/crm.yaml:9)".
pub fn parameters(event: &Event, compiled: &Compiled) -> Vec<String> {
    let who = event.integration.as_deref().unwrap_or_default();
    let operation = event.api.as_deref().zip(event.operation.as_deref());
    let operation = operation.and_then(|(api, id)| compiled.rules.operation(api, id));
    let Some(operation) = operation else {
        return Vec::new();
    };
    let errors = event.errors.iter();
    let refused: Vec<&str> = errors
        .filter(|error| error.keyword == NOT_GRANTED)
        .map(|error| error.pointer.as_str())
        .collect();
    let known = compiled.rules.parameters(who, operation).into_iter();
    let mut out: Vec<String> = known
        .filter(|parameter| refused.contains(&&*parameter.name))
        .flat_map(|parameter| {
            let name = parameter.name;
            let all = parameter.refused.into_iter();
            all.map(move |refusal| format!("`{name}`: {} ({})", refusal.why, refusal.rule))
        })
        .take(SHOWN_MAX)
        .collect();
    out.dedup();
    out
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

/// Where a path leads today whose caller was told that it leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// To an operation of this listener: the configuration has changed since.
    Here(String),
    /// To an operation that another listener exposes.
    Elsewhere {
        /// `field-service/v2`
        version: String,
        /// Its id.
        operation: String,
        /// The listener that exposes it.
        listener: String,
        /// The listener that was called.
        here: String,
    },
    /// To an operation that no listener exposes, or whose version is in design.
    Unexposed {
        /// `field-service/v2`
        version: String,
        /// Its id.
        operation: String,
        /// The listener that was called.
        here: String,
        /// The version is in design.
        is_design: bool,
    },
    /// To a declared path without this method.
    NoMethod(String),
    /// An upstream could read the path as another one: this one, or a shorter one.
    Ambiguous(Option<String>),
    /// Nowhere.
    Nowhere,
}

impl Reached {
    /// As part of why.
    pub fn why(&self) -> String {
        match self {
            Reached::Here(operation) => {
                format!("with today's configuration the path leads to {operation}")
            }
            Reached::Elsewhere { listener, here, .. } => {
                format!("the operation exists on listener `{listener}`, not on `{here}`")
            }
            Reached::Unexposed {
                version,
                operation,
                is_design: true,
                ..
            } => format!("the contract has {version} {operation}, and the version is in design"),
            Reached::Unexposed {
                version, operation, ..
            } => format!(
                "the contract has {version} {operation}, but no listener's `expose` names it"
            ),
            Reached::NoMethod(version) => {
                format!("the contract of {version} declares the path without this method")
            }
            Reached::Ambiguous(Some(rival)) => format!(
                "with this value an upstream could read the path as `{rival}`, so it is not sent there"
            ),
            Reached::Ambiguous(None) => {
                "a blank value would let an upstream read a shorter path".to_owned()
            }
            Reached::Nowhere => "no contract has such a path".to_owned(),
        }
    }

    /// What would let the request through.
    pub fn advice(&self) -> Advice {
        let expose = |version: &str, operation: &str, here: &str| {
            let api = version.split('/').next().unwrap_or(version);
            format!(
                "add `{operation}` to `expose: {{ {here}: […] }}` of {version} in apis/{api}.yaml"
            )
        };
        match self {
            Reached::Here(_) => Advice::new(By::Caller, "the caller sends the request again"),
            Reached::Elsewhere {
                version,
                operation,
                listener,
                here,
            } => Advice::new(
                By::Configuration,
                format!(
                    "no grant decides this: the caller uses listener `{listener}`, or {}; then it needs a grant",
                    expose(version, operation, here)
                ),
            ),
            Reached::Unexposed {
                version,
                operation,
                here,
                is_design,
            } => {
                let first = if *is_design {
                    "set its `state` to active and "
                } else {
                    ""
                };
                let expose = expose(version, operation, here);
                let text = format!("no grant decides this: {first}{expose}; then it needs a grant");
                Advice::new(By::Configuration, text)
            }
            Reached::NoMethod(_) | Reached::Nowhere => Advice::new(
                By::Caller,
                "no grant decides this: the caller corrects host, path and method, or a contract declares them and `expose` lists the operation",
            ),
            Reached::Ambiguous(_) => Advice::new(
                By::Nothing,
                "nothing should allow it: the caller sends another value, or the contract names the two paths so that no value of one reads as the other",
            ),
        }
    }
}

/// Routes the request again, for a caller who was told that its path leads nowhere.
pub fn reached(event: &Event, compiled: &Compiled) -> Option<Reached> {
    if event.code.as_deref() != Some("route.not_found") {
        return None;
    }
    let here = event.listener.as_deref().unwrap_or_default();
    let names = |api: usize, operation: usize| {
        let version = compiled.versions.get(api)?;
        let plan = version.operations.get(operation)?;
        Some((version.name.to_string(), plan.id.to_string()))
    };
    let listeners = compiled.server.listeners.iter();
    for listener in listeners.filter(|listener| &*listener.name != here) {
        if let Some(Found::Operation { api, operation, .. }) =
            found(event, compiled, &listener.name)
            && let Some((version, operation)) = names(api, operation)
        {
            return Some(Reached::Elsewhere {
                version,
                operation,
                listener: listener.name.to_string(),
                here: here.to_owned(),
            });
        }
    }
    Some(match found(event, compiled, here)? {
        Found::Operation { api, operation, .. } => {
            let (version, operation) = names(api, operation)?;
            Reached::Here(format!("{version} {operation}"))
        }
        Found::NotExposed { api, operation } => not_exposed(api, operation, here, compiled),
        Found::Ambiguous { rival, .. } => Reached::Ambiguous(rival.map(|rival| rival.to_string())),
        _ => Reached::Nowhere,
    })
}

/// Why nobody can reach a declared path.
fn not_exposed(api: usize, operation: Option<usize>, here: &str, compiled: &Compiled) -> Reached {
    let Some(version) = compiled.versions.get(api) else {
        return Reached::Nowhere;
    };
    match operation.and_then(|index| version.operations.get(index)) {
        Some(plan) => Reached::Unexposed {
            version: version.name.to_string(),
            operation: plan.id.to_string(),
            here: here.to_owned(),
            is_design: version.state == State::Design,
        },
        None => Reached::NoMethod(version.name.to_string()),
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
    let asked = CanonicalRequest::of_encoded(head).ok()?;
    let router = &compiled.router;
    let listener = router.listener(listener);
    Some(router.find_encoded(listener, method, asked.segments(), asked.encoded()))
}
