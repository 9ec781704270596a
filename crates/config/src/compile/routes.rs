//! All declared paths of all versions, exposed or not: the whole contract decides which path a request means.
//! Exports `compile`. Two exposed operations that answer the same requests are refused.
//! Used by `compile` of the whole.
//! Start reading at `compile`.

use std::sync::Arc;

use contract::{Declared, Operation, Route, Router, TemplateSegment};

use super::draft::Apis;
use crate::api::State;
use crate::compiled::{ApiVersion, OperationPlan};
use crate::de::sentence;
use crate::report::Report;

/// Builds the router. Versions in design and retired ones are in it as well: what they declare is never reached through
/// a looser path of another version.
pub(super) fn compile(apis: &Apis, report: &mut Report) -> Option<Router> {
    let versions = apis.versions.iter().enumerate();
    let routes: Vec<Route> = versions
        .flat_map(|(index, version)| routes_of(index, version))
        .collect();
    let built = Router::build(routes);
    built
        .map_err(|mistakes| {
            for mistake in mistakes {
                // The room knows the templates, not the files; the version that comes second is ours to find.
                let second = apis
                    .versions
                    .iter()
                    .rfind(|version| is_named(version, &mistake.message));
                report.add(match second {
                    Some(version) => version
                        .place
                        .mistake(mistake.message, sentence(&mistake.help)),
                    None => mistake,
                });
            }
        })
        .ok()
}

/// Whether a message speaks of an operation of this version: `GET /v2/work-orders`.
fn is_named(version: &ApiVersion, message: &str) -> bool {
    let operations = version
        .contract
        .iter()
        .flat_map(|contract| &contract.operations);
    let written = operations.map(|o| format!("`{} {}{}`", o.method, version.base_path, o.template));
    written
        .into_iter()
        .any(|operation| message.contains(&operation))
}

fn routes_of(api: usize, version: &ApiVersion) -> Vec<Route> {
    let route = |segments: &[TemplateSegment], declared: Declared| Route {
        api,
        base_path: version.base_path.clone(),
        segments: segments.to_vec(),
        declared,
    };
    let is_retired = version.state == State::Retired;
    let mut routes = Vec::new();
    if is_retired {
        routes.push(route(&[], Declared::RetiredBelow));
    }
    let Some(contract) = &version.contract else {
        return routes;
    };
    let operations = contract.operations.iter().zip(&version.operations);
    for (number, (operation, plan)) in operations.enumerate() {
        let declared = if is_retired {
            Declared::Retired
        } else {
            Declared::Operation {
                method: operation.method,
                operation: number,
                listeners: listeners(version, plan),
                encoded: encoded(operation),
            }
        };
        routes.push(route(&operation.segments, declared));
    }
    for segments in &contract.idle_paths {
        let declared = if is_retired {
            Declared::Retired
        } else {
            Declared::Path
        };
        routes.push(route(segments, declared));
    }
    routes
}

/// Parameters whose values may hold escaped characters that end or divide a path.
fn encoded(operation: &Operation) -> Vec<Arc<str>> {
    let parameters = operation.parameters.iter();
    let encoded = parameters.filter(|parameter| parameter.may_be_encoded);
    encoded
        .map(|parameter| Arc::clone(&parameter.name))
        .collect()
}

/// Listeners on which the operation can be called.
fn listeners(version: &ApiVersion, plan: &OperationPlan) -> Vec<Arc<str>> {
    match version.state {
        State::Active | State::Deprecated => plan.listeners.clone(),
        State::Design | State::Retired => Vec::new(),
    }
}
