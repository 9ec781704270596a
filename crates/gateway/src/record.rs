//! What the ledger will say of a request, filled in as the road learns it.
//! Exports `note_head`, `allowed`, `stopped`, `finish`, `charge`; `intent` before a write, `cut` for work that is given up.
//! Used by the service, in one place, so that every path ends in the ledger.
//! Start reading at `finish`.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use config::compiled::OperationPersons;
use identity::api_key::redacted;
use model::text::{shared, shown};
use model::{
    DecisionId, Event, Head, Kind, Method, ObjectRef, Outcome, Refusal, Response, Stage, Text,
};
use policy::block::BlockSettings;
use policy::client_key;

use crate::blocks::{Block, ChargedTo};
use crate::bounds::{DETAIL_BYTES_MAX, OBJECTS_MAX, PATH_BYTES_MAX, USER_AGENT_BYTES_MAX, bounded};
use crate::clock::micros_since;
use crate::context::RequestContext;
use crate::metrics::Counted;
use crate::reasons::{CUT, UNDECIDED, UNRECORDED};
use crate::request_state::Sent;
use crate::stages::{address_limit, limit};
use crate::{RequestState, SharedState, Snapshot, Stop};

/// Notes what the head says.
pub fn note_head(event: &mut Event, head: &Head) {
    let path = path_of(&head.target);
    event.protocol = Some(head.protocol.as_str().into());
    event.method = Some(match head.method {
        Method::Other(token) => token.as_str().to_owned().into(),
        declarable => declarable.name().into(),
    });
    event.path = Some(bounded(&path, PATH_BYTES_MAX));
    event.user_agent = head.headers.get("user-agent").map(|sent| {
        let sent = String::from_utf8_lossy(sent);
        bounded(&sent, USER_AGENT_BYTES_MAX)
    });
}

/// Notes whose credential was presented, although it was not accepted. A caller that is proven is named already.
pub fn note_presented(event: &mut Event, refusal: &Refusal) {
    if let Some(presented) = refusal
        .presented
        .as_ref()
        .filter(|_| event.integration.is_none())
    {
        event.integration = Some(presented.integration.clone());
        event.credential = Some(presented.credential.text());
    }
}

/// Notes objects that the request names, that were evaluated, or that were let out.
pub fn note_objects(event: &mut Event, objects: &[ObjectRef]) {
    for object in objects {
        note_object(event, object);
    }
}

fn note_object(event: &mut Event, object: &ObjectRef) {
    let has_room = event.objects.len() < OBJECTS_MAX;
    let mut known = event.objects.iter_mut();
    let known = known.find(|known| known.is_same(object));
    match known {
        // A person stays one, whoever names them first.
        Some(known) => known.is_person |= object.is_person,
        None if has_room => event.objects.push(object.clone()),
        None => {}
    }
}

/// Notes the persons whom the path of an operation names.
pub fn note_persons(
    event: &mut Event,
    persons: &OperationPersons,
    path_values: &[(Arc<str>, String)],
) {
    event.may_name_persons = persons.may_be_named;
    for (name, kind) in &persons.in_path {
        let value = path_values.iter().find(|(known, _)| known == name);
        if let Some((_, id)) = value {
            note_object(event, &person(kind, id));
        }
    }
}

fn person(kind: &Arc<str>, id: &str) -> ObjectRef {
    ObjectRef {
        kind: shared(kind),
        id: bounded(id, PATH_BYTES_MAX),
        is_person: true,
    }
}

/// Notes the persons whom a path names that no operation was found for, or was not looked for: it was mistyped, or the request
/// was refused before.
fn note_persons_of_any(event: &mut Event, snapshot: &Snapshot) {
    let Some(path) = event.path.clone() else {
        return;
    };
    for version in &snapshot.compiled.versions {
        let paths = version.person_paths.iter();
        for (kind, id) in paths.flat_map(|known| known.named_in(&path)) {
            // Whose customer it is, the name of the api says.
            event.api.get_or_insert_with(|| shared(&version.name));
            note_object(event, &person(&kind, &id));
        }
    }
}

/// Notes what could be seen of a head that never became one.
pub fn note_seen(event: &mut Event, seen: Option<&(String, String)>) {
    if let Some((method, target)) = seen {
        event.method = Some(bounded(method, 32));
        event.path = Some(bounded(&path_of(target), PATH_BYTES_MAX));
    }
}

/// The path of a target, as it is recorded. A target that is no path may name a user and a password in front of a host
/// (`http://ann:secret@host/`, RFC 3986 §3.2.1), which nobody reads here: what stands in front of the last `@` is left out.
fn path_of(target: &str) -> Cow<'_, str> {
    let path = target.split('?').next().unwrap_or_default();
    match path.rsplit_once('@') {
        Some((_, rest)) if !path.starts_with('/') || path.starts_with("//") => {
            Cow::Owned(format!("***@{rest}"))
        }
        _ => Cow::Borrowed(path),
    }
}

/// Notes that every stage was passed; where the body of a write's answer was withheld, the stage that withheld it.
pub fn allowed(x: &mut RequestState<'_, '_>) {
    let last = match x.event.code {
        Some(_) => x.stage,
        None => Stage::Response,
    };
    x.event.outcome = Outcome::Allow.into();
    x.event.stage = Some(last.into());
}

/// Notes where and why the road ended.
pub fn stopped(x: &mut RequestState<'_, '_>, stop: &Stop) {
    let refusal = stop.refusal();
    x.event.outcome = match stop {
        Stop::Refused(_) => Outcome::Refuse.into(),
        Stop::Failed(_) => Outcome::Fault.into(),
    };
    x.code = refusal.reason.code;
    x.event.code = Some(Text::new_static(x.code));
    x.event.stage = Some(x.stage.into());
    x.event.detail =
        Some(bounded(&refusal.detail, DETAIL_BYTES_MAX)).filter(|text| !text.is_empty());
    if refusal.rule.is_some() {
        x.event.rule.clone_from(&refusal.rule);
    }
    x.event.cause = refusal.why.map(Into::into);
    x.event.blocked.clone_from(&refusal.blocked);
    x.event.errors = refusal.errors.iter().map(Into::into).collect();
    note_presented(&mut x.event, refusal);
}

/// What the ledger says of a write before it is forwarded.
pub fn intent(x: &RequestState<'_, '_>) -> Event {
    let mut event = Event {
        at: x.now,
        kind: Kind::Intent.into(),
        id: Some(x.id),
        outcome: Outcome::Pending.into(),
        stage: Some(Stage::Upstream.into()),
        integration: x.event.integration.clone(),
        credential: x.event.credential.clone(),
        user: x.event.user.clone(),
        address: x.event.address.clone(),
        user_agent: x.event.user_agent.clone(),
        listener: x.event.listener.clone(),
        protocol: x.event.protocol.clone(),
        method: x.event.method.clone(),
        path: x.event.path.clone(),
        api: x.event.api.clone(),
        operation: x.event.operation.clone(),
        objects: x.event.objects.clone(),
        bytes_in: x.event.bytes_in,
        configuration: x.event.configuration.clone(),
        may_name_persons: x.event.may_name_persons,
        ..Event::default()
    };
    scrub(&mut event);
    event
}

impl Drop for RequestState<'_, '_> {
    /// The work was given up in the middle: the drain of a stopping server is over, the caller's stream or connection
    /// ended, or a stage panicked. Whatever it was, the request is on the record.
    fn drop(&mut self) {
        if let Some(io) = self.unrecorded.take() {
            limit::settle(self, io);
            cut(self, io);
        }
    }
}

/// Records a request whose work was given up. It is on its way into the ledger when this returns.
pub fn cut(x: &mut RequestState<'_, '_>, io: &SharedState) {
    let why = match (
        std::thread::panicking(),
        io.is_stopping.load(Ordering::Acquire),
    ) {
        (true, _) => "its handling panicked",
        (false, true) => "the server stopped before it was done",
        (false, false) => "the caller went away",
    };
    let (reason, what) = match (x.sent, x.answered) {
        (Sent::Nothing, _) => (&UNDECIDED, Cow::Borrowed("nothing was forwarded")),
        (Sent::LookUp, _) => (&UNDECIDED, Cow::Borrowed("only a look-up was sent")),
        (_, None) => (&CUT, Cow::Borrowed("forwarded; the outcome is unknown")),
        (_, Some(status)) => (
            &CUT,
            Cow::Owned(format!(
                "forwarded, and the upstream answered {status}; nobody was told"
            )),
        ),
    };
    x.event.outcome = Outcome::Fault.into();
    x.event.code = Some(Text::new_static(reason.code));
    x.event.stage = Some(x.stage.into());
    x.event.detail = Some(format!("{what}: {why}").into());
    complete(x, &io.snapshot.load());
    io.metrics.calls_cut.inc();
    // Recorded all the same when nobody waits for it. If the ledger takes nothing now, an intent is all there is.
    drop(io.recorder.record(&x.event));
}

/// The outcome of a write that the ledger could not take when the caller was told so; for when it can again.
pub fn late(x: &RequestState<'_, '_>) -> Event {
    let known = match x.answered {
        Some(status) => format!("the upstream answered {status}"),
        None => String::from("no answer of the upstream is known"),
    };
    Event {
        outcome: Outcome::Fault.into(),
        code: Some(Text::new_static(UNRECORDED.code)),
        status: Some(UNRECORDED.status),
        detail: Some(format!("recorded late, when the ledger could write again; {known}").into()),
        // The answer that was prepared did not leave.
        bytes_out: None,
        fields: None,
        ..x.event.clone()
    }
}

/// The outcome of a call whose intent was recorded by a process that was killed before it could record more.
pub fn lost(intent: Event) -> Event {
    Event {
        kind: Kind::Request.into(),
        latest: None,
        outcome: Outcome::Fault.into(),
        code: Some(Text::new_static(CUT.code)),
        detail: Some(Text::new_static("forwarded; outcome not recorded (crash)")),
        ..intent
    }
}

/// What each record of a request has.
fn complete(x: &mut RequestState<'_, '_>, snapshot: &Snapshot) -> u64 {
    let took_us = micros_since(x.started);
    x.event.id = Some(x.id);
    // Stage `ip` has noted it, unless the request ended before.
    if x.event.address.is_none() {
        x.event.address = Some(shown(&x.address));
    }
    x.event.took_us = Some(took_us);
    x.event.is_of_stranger = x.charged_to.is_none();
    if !x.has_operation {
        note_persons_of_any(&mut x.event, snapshot);
    }
    scrub(&mut x.event);
    took_us
}

/// Completes the record and says what to count.
pub fn finish(x: &mut RequestState<'_, '_>, response: &Response, snapshot: &Snapshot) -> Counted {
    x.event.status = Some(response.status);
    // A HEAD is answered with the length of a body that is not sent.
    x.event.bytes_out = match response.head_length {
        Some(_) => Some(0),
        None => u64::try_from(response.body.len()).ok(),
    };
    let took_us = complete(x, snapshot);
    Counted {
        outcome: x.event.outcome.known().unwrap_or(Outcome::Refuse),
        stage: x.stage.name(),
        code: x.code,
        integration: match &x.charged_to {
            Some(caller) => Arc::clone(&caller.integration),
            None => Arc::from(""),
        },
        took_us,
        upstream_us: x.event.upstream_us,
    }
}

/// Takes keys out of everything a stranger can write into: a key in a path, a field's name or a header is a mistake,
/// and the record of it is read by more people than may hold the key.
fn scrub(event: &mut Event) {
    let texts = [
        &mut event.method,
        &mut event.path,
        &mut event.user,
        &mut event.user_agent,
        &mut event.detail,
    ];
    let objects = event.objects.iter_mut().map(|one| &mut one.id);
    let errors = event.errors.iter_mut().map(|one| &mut one.pointer);
    let findings = event.findings.iter_mut().map(|one| &mut one.pointer);
    let drift = event.drift.iter_mut().map(|one| &mut one.pointer);
    let all = texts.into_iter().flatten().chain(objects);
    for text in all.chain(errors).chain(findings).chain(drift) {
        if let Cow::Owned(clean) = redacted(text) {
            *text = clean.into();
        }
    }
}

/// Charges a refusal to whoever caused it: the person a proven caller named, else its credential, and strangers at the
/// address while no caller is proven.
pub fn charge(x: &mut RequestState<'_, '_>, refusal: &Refusal, r: &RequestContext<'_>) {
    let shown = refusal.conceal.unwrap_or(refusal.reason);
    let is_by_limit = shown.stage == Stage::Limit;
    if x.proven().is_none() && !is_by_limit {
        address_limit::charge_strangers(x, r);
    }
    let Some(settings) = &r.snapshot.compiled.server.blocks else {
        return;
    };
    // While a block lasts, further knocking neither lengthens nor shortens it. Limits say by themselves how long to wait.
    if shown == &policy::block::BLOCKED || is_by_limit && !settings.count_limits {
        return;
    }
    // A hidden object must not count where an absent one does not: the block would tell them apart.
    if shown == &policy::ABSENT {
        return;
    }
    let why = (refusal.reason.code, x.id);
    if let Some(block) = counted(x, why, settings, r.io) {
        x.event.blocked = Some(block.blocked(x.now, x.moment));
    }
}

/// Counts a refusal, for a person and for all that their credential names; gives the widest block that begins with it.
fn counted(
    x: &RequestState<'_, '_>,
    why: (&'static str, DecisionId),
    settings: &BlockSettings,
    io: &SharedState,
) -> Option<Block> {
    let count = |who, settings: &_| io.blocks.count_refusal(who, why, settings, x.moment);
    let Some(caller) = x.proven() else {
        return count(ChargedTo::Address(client_key(x.address)), settings);
    };
    let Some(user) = &caller.user else {
        return count(ChargedTo::Credential(caller.credential), settings);
    };
    let of_person = count(ChargedTo::User(&caller.integration, user), settings);
    let people = ChargedTo::People(caller.credential);
    count(people, &settings.of_people()).or(of_person)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_a_password_in_front_of_a_host_are_not_recorded() {
        for (target, expected) in [
            ("/v1/notes/1?key=x", "/v1/notes/1"),
            ("/v1/persons/ann@example.org", "/v1/persons/ann@example.org"),
            ("http://gate.test/v1", "http://gate.test/v1"),
            ("http://ann:secret@gate.test/v1?x", "***@gate.test/v1"),
            ("ann:secret@gate.test:443", "***@gate.test:443"),
            ("http://ann:sec/ret@gate.test/v1", "***@gate.test/v1"),
            ("//ann:secret@gate.test/v1", "***@gate.test/v1"),
            ("http:ann:secret@gate.test", "***@gate.test"),
        ] {
            assert_eq!(path_of(target), expected, "{target}");
        }
    }
}
