//! Requests judged again by another configuration, before it is applied.
//! Exports `recorded` (texts that were recorded) and `written` (whole requests from a file). Pure: nothing is sent.
//! Used by `portcullis inspect replay`.
//! Start reading at `recorded`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use config::Compiled;
use config::compiled::{ApiVersion, OperationPlan};
use contract::{Forwarded, Found, Leaf, Operation};
use model::event::{Finding, Treatment};
use model::http::{BodyLength, Protocol};
use model::{CanonicalRequest, Head, Headers, Method, Mode, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::finding;
use crate::inspection::{self, Facts};
use crate::recording::{Recorded, Text};

/// What a configuration does with a request, as far as contract and inspection go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Code of the refusal; `None` when the request goes on.
    pub refused: Option<String>,
    /// What inspection saw.
    pub seen: Vec<Finding>,
}

impl Verdict {
    /// What was decided when the request was recorded.
    pub fn then(recorded: &Recorded) -> Verdict {
        // A line of an older recording that counts further findings has no class.
        let seen = recorded.findings.iter().filter(|one| !one.class.is_empty());
        let seen: Vec<Finding> = seen.cloned().collect();
        let class = || {
            let worst = seen.iter().filter(|one| one.what == Treatment::Counted);
            worst
                .max_by_key(|one| one.score)
                .map_or("inspect", |one| one.class.as_str())
                .to_owned()
        };
        Verdict {
            refused: recorded.is_refused.then(class),
            seen,
        }
    }
}

/// Judges recorded texts. `None` when the configuration has no such operation.
pub fn recorded(request: &Recorded, compiled: &Compiled, now: Timestamp) -> Option<Verdict> {
    let mut all = compiled.versions.iter().flat_map(|version| {
        let declared = version
            .contract
            .iter()
            .flat_map(|contract| &contract.operations);
        let operations = version.operations.iter().zip(declared);
        operations.map(move |(plan, operation)| (version, plan, operation))
    });
    let (version, plan, operation) =
        all.find(|(_, plan, _)| *plan.inspected.scope == *request.operation)?;
    let mut headers = Headers::new();
    for (name, value) in &request.headers {
        headers.push(name, value);
    }
    let leaves: Vec<Leaf<'_>> = request.texts.iter().map(leaf).collect();
    let facts = Facts {
        method: &request.method,
        path: &request.path,
        query: &request.query,
        protocol: &request.protocol,
        client: request.client.clone(),
        headers: request
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_bytes())))
            .collect(),
        body_bytes: request.body_bytes,
        forwarded: Forwarded::of(&headers, operation),
    };
    Some(inspected(&leaves, &facts, (version, plan), compiled, now))
}

fn leaf(text: &Text) -> Leaf<'_> {
    Leaf {
        place: match text.place.as_str() {
            "path" => "path",
            "query" => "query",
            "header" => "header",
            "cookie" => "cookie",
            _ => "body",
        },
        pointer: text.pointer.clone(),
        text: text.text.as_str().into(),
        is_name: text.is_name,
        // Today's contract may promise more of the field than the text keeps: nothing is proven about it.
        language: if text.is_address {
            contract::language::ADDRESS
        } else {
            contract::language::FREE
        },
    }
}

fn inspected(
    leaves: &[Leaf<'_>],
    facts: &Facts<'_>,
    (version, plan): (&ApiVersion, &OperationPlan),
    compiled: &Compiled,
    now: Timestamp,
) -> Verdict {
    if plan.inspect == Mode::Off {
        return Verdict::default();
    }
    let found = inspection::look(leaves, facts, (version, plan), compiled, now);
    let decided = inspection::deciding(&found).filter(|_| plan.inspect == Mode::Enforce);
    Verdict {
        refused: decided.map(|finding| finding.class.code().to_owned()),
        seen: finding::all(&found).collect(),
    }
}

/// A request as a person writes it down, one JSON object to a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// Method.
    pub method: String,
    /// Path with the query.
    pub path: String,
    /// Header fields.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body: a JSON value, or a text for a form.
    #[serde(default)]
    pub body: Option<Value>,
    /// The listener it comes in by; left out, the first that exposes the operation.
    #[serde(default)]
    pub listener: Option<String>,
}

/// A written request judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// `field-service/v2:createWorkOrder`
    pub operation: String,
    /// What the configuration does with it.
    pub verdict: Verdict,
}

/// Judges a request by contract and inspection. Who would be calling is not asked.
///
/// # Errors
/// When it is no request, or no exposed operation.
pub fn written(request: &Written, compiled: &Compiled, now: Timestamp) -> Result<Judged, String> {
    let (asked, body) = canonical(request)?;
    let (version, plan, operation, values) =
        found(&asked, request.listener.as_deref(), compiled)
            .ok_or("the configuration exposes no such operation")?;
    let verdict = match contract::check_request(operation, &asked, &values, &body, plan.request) {
        Err(refusal) => Verdict {
            refused: Some(refusal.reason.code.to_owned()),
            seen: Vec::new(),
        },
        Ok(valid) => {
            let leaves = contract::leaves(operation, &valid, &version.fields.skipped);
            let facts = Facts::all(
                &asked,
                &valid,
                operation,
                std::net::Ipv4Addr::LOCALHOST.into(),
            );
            inspected(&leaves, &facts, (version, plan), compiled, now)
        }
    };
    Ok(Judged {
        operation: plan.inspected.scope.to_string(),
        verdict,
    })
}

fn canonical(request: &Written) -> Result<(CanonicalRequest, Vec<u8>), String> {
    let method = Method::parse(&request.method)
        .ok_or_else(|| format!("`{}` is no method", request.method.escape_debug()))?;
    let mut headers = Headers::new();
    for (name, value) in &request.headers {
        headers.push(name, value);
    }
    let body = match &request.body {
        None => Vec::new(),
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(value) => serde_json::to_vec(value).map_err(|error| error.to_string())?,
    };
    if !body.is_empty() && headers.get("content-type").is_none() {
        headers.push("content-type", "application/json");
    }
    let head = Head {
        protocol: Protocol::Http11,
        method,
        target: request.path.clone(),
        authority: headers.text("host").unwrap_or("localhost").to_owned(),
        headers,
        body: BodyLength::None,
    };
    let asked = CanonicalRequest::of_encoded(head).map_err(|refusal| refusal.detail)?;
    Ok((asked, body))
}

type Target<'c> = (
    &'c ApiVersion,
    &'c OperationPlan,
    &'c Operation,
    Vec<(Arc<str>, String)>,
);

fn found<'c>(
    asked: &CanonicalRequest,
    listener: Option<&str>,
    compiled: &'c Compiled,
) -> Option<Target<'c>> {
    let names = compiled.server.listeners.iter().map(|one| &*one.name);
    names
        .filter(|name| listener.is_none_or(|wanted| wanted == *name))
        .find_map(|name| {
            match compiled.router.find_encoded(
                compiled.router.listener(name),
                asked.method(),
                asked.segments(),
                asked.encoded(),
            ) {
                Found::Operation {
                    api,
                    operation,
                    path_values,
                } => {
                    let version = compiled.versions.get(api)?;
                    let declared = version.contract.as_ref()?.operations.get(operation)?;
                    let plan = version.operations.get(operation)?;
                    Some((version, plan, declared, path_values))
                }
                _ => None,
            }
        })
}

#[cfg(test)]
mod tests;
