//! What a configuration no longer has that the one before had, by name.
//! Exports `removed`. Pure: two compiled configurations in, words out.
//! Used by the reload, which says it in the log and in the ledger: a policy that vanished may have opened something.
//! Start reading at `removed`.

use std::collections::{BTreeMap, BTreeSet};

use crate::Compiled;
use crate::files::Files;

/// Most names that are listed; the rest is counted.
pub const REMOVED_MAX: usize = 24;
/// Longest text of one name, in characters.
const NAME_CHARS_MAX: usize = 120;

/// Policies first, then files, integrations, grants and exposed operations.
pub fn removed(before: &Compiled, after: &Compiled) -> Vec<String> {
    let mut gone = policies(&before.sources, &after.sources);
    let files = before
        .sources
        .paths()
        .filter(|path| after.sources.bytes(path).is_none());
    gone.extend(files.map(|path| format!("the file {path}")));
    let integrations = before
        .integrations
        .keys()
        .filter(|name| !after.integrations.contains_key(*name));
    gone.extend(integrations.map(|name| format!("the integration {name}")));
    gone.extend(
        less(granted(before), &granted(after))
            .map(|(name, operation)| format!("the grant of {operation} to {name}")),
    );
    gone.extend(
        less(exposed(before), &exposed(after))
            .map(|(listener, operation)| format!("{operation} on listener {listener}")),
    );
    let rest = gone.len().saturating_sub(REMOVED_MAX);
    gone.truncate(REMOVED_MAX);
    for name in &mut gone {
        if let Some((end, _)) = name.char_indices().nth(NAME_CHARS_MAX) {
            name.truncate(end);
            name.push('…');
        }
    }
    if rest > 0 {
        gone.push(format!("{rest} more"));
    }
    gone
}

/// Policies of files that are still there or not; those that merely moved are not gone.
fn policies(before: &Files, after: &Files) -> Vec<String> {
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    for (_, name) in policies_of(after) {
        let count = left.entry(name).or_default();
        *count = count.saturating_add(1);
    }
    let mut gone = Vec::new();
    for (file, name) in policies_of(before) {
        match left.get_mut(&name).filter(|count| **count > 0) {
            Some(count) => *count = count.saturating_sub(1),
            None => gone.push(format!("the policy {name} of {file}")),
        }
    }
    gone
}

fn policies_of(files: &Files) -> impl Iterator<Item = (&str, String)> {
    let of_kind = files
        .paths()
        .filter(|path| path.starts_with("policies/") && path.ends_with(".cedar"));
    of_kind.flat_map(|path| {
        let names = policy::policy_names(files.text(path).unwrap_or_default());
        names.into_iter().map(move |name| (path, name))
    })
}

fn less<T: Ord>(before: BTreeSet<T>, after: &BTreeSet<T>) -> impl Iterator<Item = T> {
    before.into_iter().filter(|one| !after.contains(one))
}

/// Integrations that are in both are compared grant by grant.
fn granted(compiled: &Compiled) -> BTreeSet<(String, String)> {
    let names = compiled.integrations.keys();
    let matrices = names.filter_map(|name| Some((name, policy::access(&compiled.rules, name)?)));
    let rows = matrices.flat_map(|(name, matrix)| {
        let rows = matrix.rows.into_iter();
        rows.map(|row| (name.to_string(), format!("{}:{}", row.api, row.operation)))
    });
    rows.collect()
}

/// Operations of versions that work, by the listeners that expose them.
fn exposed(compiled: &Compiled) -> BTreeSet<(String, String)> {
    use crate::api::State;
    let works = |state: State| matches!(state, State::Active | State::Deprecated);
    let versions = compiled
        .versions
        .iter()
        .filter(|version| works(version.state));
    let plans = versions.flat_map(|version| &version.operations);
    let pairs = plans.flat_map(|plan| {
        let listeners = plan.listeners.iter();
        listeners.map(|listener| (listener.to_string(), plan.inspected.scope.to_string()))
    });
    pairs.collect()
}
