//! `apis/*.yaml`: every version with its contract, its exposure and its checks.
//! Exports `compile`, which makes the `Apis` that the later steps look operations up in.
//! Used by `compile` of the whole.
//! Start reading at `compile`, then at `version`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contract::Contract;
use model::{Mode, Timestamp};

use super::bounds::not_empty;
use super::draft::{Apis, BasePath, Scene, base_path_problem, operation};
use super::{browsers, carried, foreign, lifecycle, lookups, objects, persons, reading, upstream};
use crate::Files;
use crate::api::{Api, Checks, State, Version};
use crate::compiled::{
    ApiVersion, FieldPlans, Inspected, OperationPersons, OperationPlan, UpstreamSettings,
};
use crate::de::{listed, nearest};
use crate::files::SERVER_FILE;
use crate::read::{Named, Written};
use crate::report::Report;
use crate::server::Listener;
use crate::spanned::{At, Map, Place};

/// Compiles every version of every api.
pub(super) fn compile(
    written: &Written,
    files: &Files,
    listeners: Option<&Map<Listener>>,
    now: Timestamp,
    report: &mut Report,
) -> Apis {
    let mut apis = Apis {
        versions: Vec::new(),
        objects: Vec::new(),
        broken: BTreeSet::new(),
        paths: Vec::new(),
        used: BTreeSet::new(),
    };
    for path in &written.broken {
        let name = path
            .strip_prefix("apis/")
            .and_then(|rest| rest.strip_suffix(".yaml"));
        apis.broken.extend(name.map(str::to_owned));
    }
    let scene = Scene {
        files,
        written,
        listeners,
        now,
    };
    for named in &written.apis {
        api(&mut apis, named, &scene, report);
    }
    apis
}

fn api(apis: &mut Apis, named: &Named<Api>, scene: &Scene<'_>, report: &mut Report) {
    let file = &named.file;
    not_empty(&named.value.owner, "owner", file, report);
    if named.value.versions.is_empty() && !scene.written.has_lost(file, &["versions"]) {
        let help = "Write at least one version, or take the file out.";
        report.wrong(
            &named.value.owner.place(file),
            format!("the api `{}` has no versions", named.name),
            help,
        );
    }
    for (name, written) in named.value.versions.iter() {
        version(apis, named, name, written, scene, report);
    }
}

fn version(
    apis: &mut Apis,
    api: &Named<Api>,
    name: &At<String>,
    written: &At<Version>,
    scene: &Scene<'_>,
    report: &mut Report,
) {
    let file = &api.file;
    let place = name.place(file);
    if !model::ids::is_name(name) {
        let help =
            "Names of versions are 1 to 63 of `a-z`, `0-9` and `-`, beginning with a letter: `v2`.";
        report.wrong(
            &place,
            format!("`{}` is not a valid name", name.value),
            help,
        );
    }
    let full: Arc<str> = format!("{}/{}", api.name, name.value).into();
    let is_lost = |key: &str| is_lost(scene, file, name, key);
    // Where its state could not be read, it may be one that needs no contract.
    let is_unknown = ["contract", "overlay", "unknown_fields"]
        .into_iter()
        .any(is_lost)
        || (is_lost("state") && written.contract.is_none());
    let contract = if is_unknown {
        Err(foreign::Broken)
    } else {
        foreign::contract(written, &place, scene.files, &mut apis.used, report)
    };
    let is_broken = contract.is_err();
    let contract = contract.unwrap_or_default().map(Arc::new);
    if !is_lost("state") {
        check_retired(&full, written, &place, report);
    }
    // What conditions ask of objects that could not be read may be there.
    let mut unsure = if ["objects", "operations"].into_iter().any(is_lost) {
        BTreeSet::from([Arc::from(policy::UNSURE_OBJECTS)])
    } else {
        BTreeSet::new()
    };
    let said = (full.clone(), contract.as_deref(), &mut unsure);
    let frame = frame(apis, (api, name, written), said, scene, report);
    if is_broken {
        apis.broken.insert(full.to_string());
        return;
    }
    let (version, known) = ((api, name, written), (full, contract, unsure));
    add(apis, version, known, frame, report);
}

/// Whether a part of a version could not be read.
fn is_lost(scene: &Scene<'_>, file: &str, version: &At<String>, key: &str) -> bool {
    scene
        .written
        .has_lost(file, &["versions", version.value.as_str(), key])
}

/// What is known of a version beside its contract.
struct Frame {
    life: lifecycle::Life,
    base_path: Arc<str>,
    /// Operations that only read.
    reading: BTreeSet<Arc<str>>,
    listeners: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    upstream: Option<UpstreamSettings>,
}

/// Works out what can be known of a version whose contract may be broken.
fn frame(
    apis: &mut Apis,
    (api, name, written): (&Named<Api>, &At<String>, &At<Version>),
    (full, contract, unsure): (Arc<str>, Option<&Contract>, &mut BTreeSet<Arc<str>>),
    scene: &Scene<'_>,
    report: &mut Report,
) -> Frame {
    let (file, place) = (&api.file, name.place(&api.file));
    let is_lost = |key: &str| is_lost(scene, file, name, key);
    let life = if is_lost("state") {
        lifecycle::Life::default()
    } else {
        lifecycle::of(api, name, written, scene.now, report)
    };
    let base_path = base_path(name, written, file, report);
    if !is_lost("base_path") {
        apis.paths.push(BasePath {
            name: full.clone(),
            path: base_path.clone(),
            is_design: written.state.value == State::Design,
            place: place.clone(),
        });
    }
    let reading = reads(&full, written, contract, (file, unsure), report);
    let known = contract.map(|contract| (contract, &reading));
    let listeners = exposure(&full, written, known, scene, (file, unsure), report);
    let upstream = if is_lost("upstream") && written.upstream.is_none() {
        None
    } else {
        upstream::compile(&full, &place, written, scene, file, report)
    };
    Frame {
        life,
        base_path,
        reading,
        listeners,
        upstream,
    }
}

/// Operations that only read. What is wrongly said of them makes all of them unsure.
fn reads(
    full: &str,
    written: &Version,
    contract: Option<&Contract>,
    (file, unsure): (&Arc<str>, &mut BTreeSet<Arc<str>>),
    report: &mut Report,
) -> BTreeSet<Arc<str>> {
    let Some(contract) = contract else {
        return BTreeSet::new();
    };
    let known = report.len();
    let said = reading::compile(full, written, contract, file, report);
    if report.len() > known {
        unsure.insert("operations".into());
    }
    reading::all(contract, said)
}

/// Adds a version whose contract is known, with its operations and objects.
fn add(
    apis: &mut Apis,
    (api, name, written): (&Named<Api>, &At<String>, &At<Version>),
    (full, contract, mut unsure): (Arc<str>, Option<Arc<Contract>>, BTreeSet<Arc<str>>),
    frame: Frame,
    report: &mut Report,
) {
    let (file, place, declared) = (&api.file, name.place(&api.file), contract.as_deref());
    let read = declared.map(|contract| (contract, &frame.reading));
    let known = report.len();
    let mut operations = operations(&full, written, read, &frame.listeners, file, report);
    if report.len() > known {
        unsure.insert("operations".into());
    }
    let (mut kinds, wrong) = objects::compile(&full, written, declared, file, report);
    unsure.extend(wrong);
    let lookups_max = lookups::compile(written, &operations, declared, &kinds, &place, report);
    let mut person_paths = Vec::new();
    if let Some(contract) = declared {
        persons::mark(&mut kinds, contract, (&written.value, file), report);
        let found = persons::find(&kinds, contract, &frame.base_path);
        for (plan, persons) in operations.iter_mut().zip(found.0) {
            plan.persons = persons;
        }
        person_paths = found.1;
    }
    apis.objects.push((kinds, unsure));
    apis.versions.push(ApiVersion {
        name: full,
        api: api.name.clone(),
        version: name.value.as_str().into(),
        owner: api.value.owner.value.as_str().into(),
        state: written.state.value,
        deprecated_since: frame.life.deprecated_since,
        sunset: frame.life.sunset,
        successor: frame.life.successor,
        base_path: frame.base_path,
        contract,
        upstream: frame.upstream,
        browsers: browsers::compile(written, file, report),
        lookups_max,
        operations,
        person_paths,
        fields: FieldPlans::default(),
        place,
    });
}

/// A retired version answers every call with 410, so nothing of it can be exposed.
fn check_retired(full: &str, written: &Version, place: &Place, report: &mut Report) {
    if written.state.value != State::Retired || written.expose.is_empty() {
        return;
    }
    let first = written
        .expose
        .iter()
        .next()
        .map_or(place.clone(), |(key, _)| key.place(&place.file));
    let help = "Take `expose` out; a retired version answers every call with 410.";
    report.wrong(
        &first,
        format!("`{full}` is retired and still exposed"),
        help,
    );
}

/// `/v2`, or empty for none.
fn base_path(
    name: &At<String>,
    written: &Version,
    file: &Arc<str>,
    report: &mut Report,
) -> Arc<str> {
    let Some(at) = &written.base_path else {
        return format!("/{}", name.value).into();
    };
    if at.as_str() == "/" {
        return "".into();
    }
    if let Some(why) = base_path_problem(at) {
        report.wrong(
            &at.place(file),
            format!("the base path {why}"),
            "Write it like `/v2` or `/field-service/v2`, or `/` for none.",
        );
        // Reported; the default keeps the later steps quiet about it.
        return format!("/{}", name.value).into();
    }
    at.value.as_str().into()
}

/// Listeners by operation. An operation of which no answer could leave is noted as unsure.
fn exposure(
    full: &str,
    written: &Version,
    known: Option<(&Contract, &BTreeSet<Arc<str>>)>,
    scene: &Scene<'_>,
    (file, unsure): (&Arc<str>, &mut BTreeSet<Arc<str>>),
    report: &mut Report,
) -> BTreeMap<Arc<str>, Vec<Arc<str>>> {
    let mut found: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
    for (listener, operations) in written.expose.iter() {
        check_listener(listener, scene, file, report);
        for at in operations {
            let Some((contract, reading)) = known else {
                continue;
            };
            let Some(id) = operation(full, at, contract, &at.place(file), report) else {
                continue;
            };
            if let Some((_, operation)) =
                contract.operation(&id).filter(|_| !found.contains_key(&id))
            {
                let known = report.len();
                let why = carried::why_unjudged(operation, scene.files);
                let is_read = reading.contains(&id);
                answerable((operation, is_read), why, &at.place(file), report);
                carried::bodies(operation, scene.files, report);
                if report.len() > known {
                    unsure.insert(id.clone());
                }
            }
            let listeners = found.entry(id).or_default();
            if listeners.iter().any(|l| **l == *listener.value) {
                report.wrong(
                    &at.place(file),
                    format!("`{}` is listed twice", at.value),
                    "Keep one of the two.",
                );
                continue;
            }
            listeners.push(listener.value.as_str().into());
        }
    }
    found
}

/// Whether what the contract declares as a successful answer can ever be judged, and so leave.
fn answerable(
    (operation, is_read): (&contract::Operation, bool),
    why: Option<String>,
    place: &Place,
    report: &mut Report,
) {
    let media = &operation.media;
    if !media.has_unjudged_only() {
        return;
    }
    let kinds: Vec<&str> = media.unjudged().iter().map(|kind| &**kind).collect();
    let (id, kinds) = (&operation.id, listed(&kinds));
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    match (is_read, media.shown().is_empty()) {
        (true, true) => report.wrong(
            place,
            format!("`{id}` answers with {kinds}, which cannot be judged, so that none of its answers could leave{why}"),
            "Declare an answer in JSON in the contract, or take the operation out of `expose`.",
        ),
        (true, false) => report.warn(
            place,
            format!("one of the successful answers of `{id}` is {kinds} only, which cannot be judged{why}"),
            "Callers get 502 in its place; declare it in JSON in the contract.",
        ),
        (false, _) => report.warn(
            place,
            format!("a successful answer of `{id}` is {kinds}, which cannot be judged{why}"),
            "Callers get its status and no body; declare it in JSON, or without content, in the contract.",
        ),
    }
}

fn check_listener(name: &At<String>, scene: &Scene<'_>, file: &Arc<str>, report: &mut Report) {
    // Without any listener that is what has to be mended first.
    let Some(listeners) = scene.listeners.filter(|listeners| !listeners.is_empty()) else {
        return;
    };
    if name.as_str() == "admin" {
        let help = "Expose operations on another listener; `admin` serves health and metrics.";
        return report.wrong(
            &name.place(file),
            "apis are not exposed on the admin listener",
            help,
        );
    }
    let is_lost = scene.written.has_lost(SERVER_FILE, &["listeners", name]);
    if listeners.get(name).is_none() && !is_lost {
        let known: Vec<&str> = listeners.names().filter(|n| *n != "admin").collect();
        let help =
            nearest(name, &known).unwrap_or_else(|| format!("Listeners are: {}.", listed(&known)));
        report.unknown(
            &name.place(file),
            format!("there is no listener `{}`", name.value),
            help,
        );
    }
}

fn operations(
    full: &str,
    written: &Version,
    known: Option<(&Contract, &BTreeSet<Arc<str>>)>,
    listeners: &BTreeMap<Arc<str>, Vec<Arc<str>>>,
    file: &Arc<str>,
    report: &mut Report,
) -> Vec<OperationPlan> {
    let Some((contract, reading)) = known else {
        return Vec::new();
    };
    for (id, _) in written.checks.operations.iter() {
        operation(full, id, contract, &id.place(file), report);
    }
    let plan = |id: &Arc<str>| {
        let listeners = listeners.get(id).cloned().unwrap_or_default();
        OperationPlan {
            is_read: reading.contains(id),
            ..plan(full, id, &written.checks, listeners)
        }
    };
    contract
        .operations
        .iter()
        .map(|operation| plan(&operation.id))
        .collect()
}

fn plan(full: &str, id: &Arc<str>, checks: &Checks, listeners: Vec<Arc<str>>) -> OperationPlan {
    let own = checks.operations.get(id);
    let mode = |own: Option<Mode>, all: Option<Mode>, default| own.or(all).unwrap_or(default);
    OperationPlan {
        id: id.clone(),
        listeners,
        request: mode(own.and_then(|o| o.request), checks.request, Mode::Enforce),
        response: mode(own.and_then(|o| o.response), checks.response, Mode::Observe),
        inspect: mode(own.and_then(|o| o.inspect), checks.inspect, Mode::Enforce),
        inspected: Inspected {
            scope: format!("{full}:{id}").into(),
            ..Inspected::default()
        },
        is_read: false,
        policy: None,
        persons: OperationPersons::default(),
    }
}
