//! Where a version stands in its life: dates and successor, and what goes with which state.
//! Exports `of` (one version) and `check` (all of them together).
//! Used by apis and by `compile` of the whole.
//! Start reading at `of`.

use std::sync::Arc;

use model::Timestamp;

use super::draft::{Apis, BasePath, base_path_problem};
use crate::api::{Api, State, Version};
use crate::compiled::Successor;
use crate::de::{listed, nearest};
use crate::read::Named;
use crate::report::Report;
use crate::spanned::{At, Place};

/// Dates and successor of one version.
#[derive(Default)]
pub(super) struct Life {
    pub deprecated_since: Option<Timestamp>,
    pub sunset: Option<Timestamp>,
    pub successor: Option<Successor>,
}

/// Checks what is written about the life of a version.
pub(super) fn of(
    api: &Named<Api>,
    name: &At<String>,
    written: &Version,
    now: Timestamp,
    report: &mut Report,
) -> Life {
    let file = &api.file;
    let state = written.state.value;
    let mut idle = |key: &str, place: &Place| {
        let message = format!(
            "`{key}` says nothing about a version that is {}",
            state.name()
        );
        report.wrong(place, message, "Take it out, or write `state: deprecated`.");
    };
    if let Some(at) = &written.deprecated_since
        && state != State::Deprecated
    {
        idle("deprecated_since", &at.place(file));
    }
    if let Some(at) = &written.sunset
        && !matches!(state, State::Deprecated | State::Retired)
    {
        idle("sunset", &at.place(file));
    }
    if state == State::Deprecated {
        warn_of_end(name, written, file, now, report);
    }
    let since = written
        .deprecated_since
        .as_ref()
        .map_or(now, |day| day.value.0);
    Life {
        deprecated_since: (state == State::Deprecated).then_some(since),
        sunset: written.sunset.as_ref().map(|day| day.value.0),
        successor: successor(api, name, written, report),
    }
}

fn warn_of_end(
    name: &At<String>,
    written: &Version,
    file: &Arc<str>,
    now: Timestamp,
    report: &mut Report,
) {
    match &written.sunset {
        None => report.warn(
            &name.place(file),
            format!("`{}` is deprecated without a `sunset`", name.value),
            "Callers plan by the date; write `sunset: YEAR-MONTH-DAY`.",
        ),
        Some(day) if day.value.0 < now => report.warn(
            &day.place(file),
            format!(
                "the sunset {} has passed and `{}` still works",
                day.value, name.value
            ),
            "Retire the version (`state: retired`) or move the date.",
        ),
        Some(_) => {}
    }
}

fn successor(
    api: &Named<Api>,
    name: &At<String>,
    written: &Version,
    report: &mut Report,
) -> Option<Successor> {
    let at = written.successor.as_ref()?;
    let place = at.place(&api.file);
    if at.value == name.value {
        report.wrong(
            &place,
            "a version cannot succeed itself",
            "Name another version of this file.",
        );
        return None;
    }
    let Some(next) = api.value.versions.get(at) else {
        let known: Vec<&str> = api
            .value
            .versions
            .names()
            .filter(|n| *n != name.value)
            .collect();
        let help = nearest(at, &known)
            .unwrap_or_else(|| format!("Its other versions are: {}.", listed(&known)));
        report.unknown(
            &place,
            format!("`{}` has no version `{}`", api.name, at.value),
            help,
        );
        return None;
    };
    if next.state.value == State::Retired {
        report.warn(
            &place,
            format!("the successor `{}` is retired itself", at.value),
            "Name a version that works.",
        );
    }
    let base_path = match &next.base_path {
        None => format!("/{}", at.value),
        Some(path) if path.as_str() == "/" || base_path_problem(path).is_some() => String::new(),
        Some(path) => path.value.clone(),
    };
    Some(Successor {
        name: format!("{}/{}", api.name, at.value).into(),
        base_path: base_path.into(),
    })
}

/// Two versions must not share a base path, and a version in use should be reachable.
pub(super) fn check(apis: &Apis, report: &mut Report) {
    shared_paths(&apis.paths, report);
    for version in &apis.versions {
        let is_exposed = version.operations.iter().any(|o| !o.listeners.is_empty());
        match version.state {
            State::Design if is_exposed => report.warn(
                &version.place,
                format!(
                    "`{}` is exposed but in design, so nobody can reach it",
                    version.name
                ),
                "Write `state: active` when it may be called.",
            ),
            State::Active | State::Deprecated if !is_exposed => report.warn(
                &version.place,
                format!(
                    "no operation of `{}` is exposed, so nobody can reach it",
                    version.name
                ),
                "List operations by listener under `expose`.",
            ),
            _ => {}
        }
    }
}

fn shared_paths(all: &[BasePath], report: &mut Report) {
    let served: Vec<&BasePath> = all.iter().filter(|one| !one.is_design).collect();
    for (index, one) in served.iter().enumerate() {
        let mut before = served.iter().take(index);
        let Some(other) = before.find(|other| other.path == one.path) else {
            continue;
        };
        let path = if one.path.is_empty() { "/" } else { &one.path };
        let message = format!(
            "`{}` and `{}` share the base path `{path}`",
            other.name, one.name
        );
        let help = format!("Give each its own, for example `base_path: /{}`.", one.name);
        report.wrong(&one.place, message, help);
    }
}
