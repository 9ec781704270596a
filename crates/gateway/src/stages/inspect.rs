//! Stage `inspect`: attack detection on what the contract leaves free.
//! Exports `request` and the proof `CheckedRequest`, without which no object is judged.
//! Used by the pipeline.
//! Start reading at `request`.

use std::ops::Deref;

use contract::{Leaf, ValidRequest};
use identity::methods::is_credential;
use identity::{Caller, api_key};
use model::{CanonicalRequest, FieldError, Json, Mode, Refusal, Stage};
use policy::{Permit, Released, RequestFacts};

use crate::context::RequestContext;
use crate::inspection::{self, Facts};
use crate::reasons::inspected::{self, SECRET};
use crate::recording::Recorded;
use crate::stages::validate::Validated;
use crate::wide_text::without_zeros;
use crate::{RequestState, Stop, finding};

/// A request that passed contract and inspection, with the permit it was granted by. Private field, made here only.
pub struct CheckedRequest<'r>(Validated<'r>);

impl CheckedRequest<'_> {
    /// The permit to be moved on, with the facts of its own request.
    pub(super) fn split(&mut self) -> (&mut Permit<Caller>, RequestFacts<'_>) {
        self.0.split()
    }

    /// Uses the permit up: lets out of the answer to this request what may leave.
    pub(super) fn release(self, response: Option<&Json>) -> Result<Released, Box<Refusal>> {
        self.0.release(response)
    }
}

impl<'r> Deref for CheckedRequest<'r> {
    type Target = Validated<'r>;

    fn deref(&self) -> &Validated<'r> {
        &self.0
    }
}

/// Inspects the texts the contract leaves free.
pub fn request<'r>(
    x: &mut RequestState<'_, '_>,
    validated: Validated<'r>,
    r: &RequestContext<'_>,
) -> Result<CheckedRequest<'r>, Stop> {
    x.enter(Stage::Inspect);
    let op = validated.op();
    let is_passed = op
        .version
        .upstream
        .as_ref()
        .is_some_and(|upstream| upstream.pass_credential);
    if let Some(error) = misplaced_key(validated.asked(), validated.valid(), is_passed) {
        return Err(SECRET
            .because("a key of Portcullis where none belongs; consider it disclosed and rotate it")
            .with_errors(vec![error])
            .into());
    }
    let mode = op.plan.inspect;
    if mode != Mode::Off {
        judge(x, &validated, mode, r)?;
    }
    Ok(CheckedRequest(validated))
}

/// One of our own keys among what would be forwarded. No setting turns this off: an upstream gets no credential.
fn misplaced_key(
    asked: &CanonicalRequest,
    valid: &ValidRequest,
    is_passed: bool,
) -> Option<FieldError> {
    let is_key = |text: &str| api_key::is_in(text.as_bytes());
    let error = |place: &'static str, pointer: &str| FieldError {
        place,
        pointer: pointer.to_owned(),
        keyword: "secret".to_owned(),
        detail: "a key stands where none belongs".to_owned(),
        fix: "send the key in the Authorization header only, and have it rotated".to_owned(),
    };
    if asked.segments().iter().any(|segment| is_key(segment)) {
        return Some(error("path", ""));
    }
    let mut query = asked.query().iter();
    if let Some((name, _)) = query.find(|(name, value)| is_key(name) || is_key(value)) {
        return Some(error("query", name));
    }
    let is_credential = |name: &str| is_passed && is_credential(name);
    let mut headers = asked.headers().iter();
    if let Some((name, _)) =
        headers.find(|(name, value)| !is_credential(name) && api_key::is_in(value))
    {
        return Some(error("header", name));
    }
    // The body was written again from what was parsed, so no escape hides a key in it, nor does a wide spelling in a file.
    api_key::is_in(&without_zeros(&valid.body_bytes)).then(|| error("body", ""))
}

fn judge(
    x: &mut RequestState<'_, '_>,
    validated: &Validated<'_>,
    mode: Mode,
    r: &RequestContext<'_>,
) -> Result<(), Stop> {
    let (asked, valid, op) = (validated.asked(), validated.valid(), validated.op());
    let compiled = &r.snapshot.compiled;
    let is_recorded = r.io.recordings.is_on();
    // Another configuration may want to see what this one proves harmless.
    let skipped: &[bool] = if is_recorded {
        &[]
    } else {
        &op.version.fields.skipped
    };
    let mut leaves = contract::leaves(op.operation, valid, skipped);
    leaves.extend(user(validated.caller(), r));
    let facts = if is_recorded || compiled.inspection.wants_headers() {
        Facts::all(asked, valid, op.operation, x.address)
    } else {
        Facts::few(asked, valid, op.operation)
    };
    let found = inspection::look(&leaves, &facts, (op.version, op.plan), compiled, x.now);
    finding::note(&mut x.event, finding::all(&found));
    let refusal = refusal(&found);
    let is_refused = mode == Mode::Enforce && refusal.is_some();
    if is_recorded {
        let scope = &op.plan.inspected.scope;
        r.io.recordings.offer(x.moment, || {
            Recorded::of(
                scope,
                x.id,
                x.now,
                &facts,
                &leaves,
                is_refused,
                &x.event.findings,
            )
        });
    }
    match refusal {
        Some(refusal) if is_refused => Err(refusal.into()),
        Some(refusal) => {
            let noted = format!("would have been refused: {}", refusal.detail);
            x.event.detail = Some(noted.into());
            Ok(())
        }
        None => Ok(()),
    }
}

/// The person an integration names: the name travels in the signed identity.
fn user<'c>(caller: &'c Caller, r: &RequestContext<'_>) -> Option<Leaf<'c>> {
    let principal = caller.principal();
    let name = principal.user.as_deref()?;
    let settings = r.snapshot.integration(principal.id)?;
    let header = settings.facts.user_header.as_deref()?;
    Some(Leaf {
        place: contract::Place::Header.name(),
        pointer: header.to_ascii_lowercase(),
        text: name.into(),
        is_name: false,
        language: contract::language::FREE,
    })
}

/// The refusal for findings that reach the threshold: the class and the fields, never rule or pattern.
fn refusal(found: &waf::Findings) -> Option<Box<Refusal>> {
    let worst = inspection::deciding(found)?;
    let mut errors: Vec<FieldError> = Vec::new();
    for f in &found.findings {
        let error = FieldError {
            place: f.place.name(),
            pointer: f.pointer.clone(),
            keyword: f.class.code().trim_start_matches("inspect.").to_owned(),
            detail: "the text reads like an attack of this class".to_owned(),
            fix: "send plain text, or ask the operator for an exception with the decision id"
                .to_owned(),
        };
        // Several rules may see one attack; how many did is not the caller's to learn.
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    let mut detail = format!("score {}: rule {}", found.score, worst.rule);
    // Rules of a directory may quote the text in their message; ours never do.
    if worst.rule.starts_with("pack.") {
        detail.push_str(", ");
        detail.push_str(&worst.why);
    }
    Some(
        inspected::reason(worst.class)
            .because(detail)
            .with_errors(errors),
    )
}
