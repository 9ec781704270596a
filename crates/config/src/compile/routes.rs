//! All exposed operations on all listeners, and the base paths of retired versions.
//! Gives `compile` and `retired`. Two routes that answer the same requests are refused.
//! Used by `compile` of the whole.
//! Start reading at `compile`.

use std::sync::Arc;

use contract::{Route, Router};

use super::apis::Apis;
use crate::api::State;
use crate::compiled::{ApiVersion, RetiredPath};
use crate::de::sentence;
use crate::report::Report;

/// Builds the router from the versions that are served.
pub(super) fn compile(apis: &Apis, report: &mut Report) -> Option<Router> {
    let versions = apis.versions.iter().enumerate();
    let served = versions.filter(|(_, v)| matches!(v.state, State::Active | State::Deprecated));
    let routes: Vec<Route> = served
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

fn routes_of(index: usize, version: &ApiVersion) -> Vec<Route> {
    let Some(contract) = &version.contract else {
        return Vec::new();
    };
    let mut routes = Vec::new();
    for (number, (operation, plan)) in contract
        .operations
        .iter()
        .zip(&version.operations)
        .enumerate()
    {
        routes.extend(plan.listeners.iter().map(|listener| Route {
            listener: listener.clone(),
            base_path: version.base_path.clone(),
            method: operation.method,
            segments: operation.segments.clone(),
            api: index,
            operation: number,
        }));
    }
    routes
}

/// Base paths of retired versions, the longest first.
pub(super) fn retired(versions: &[ApiVersion]) -> Vec<RetiredPath> {
    let mut paths: Vec<RetiredPath> = versions
        .iter()
        .enumerate()
        .filter(|(_, version)| version.state == State::Retired)
        .map(|(index, version)| RetiredPath {
            segments: version
                .base_path
                .split('/')
                .skip(1)
                .map(Arc::from)
                .collect(),
            version: index,
        })
        .collect();
    paths.sort_by_key(|path| std::cmp::Reverse(path.segments.len()));
    paths
}
