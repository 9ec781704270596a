//! Stage `limit`: the rates and the concurrency of an integration, by whatever its limits count together.
//! Exports `take` (before the body is read), `take_by_value` (once the request is valid) and `settle`, which gives back what did
//! not count in the end. Shares of addresses are taken in `address_limit`, blocks are asked for in `blocked`.
//! Used by the pipeline.
//! Start reading at `take_all`.

use std::borrow::Cow;

use config::compiled::{FailedOutcome, IntegrationSettings, LimitSettings};
use config::per::PerPart;
use contract::ValidRequest;
use model::json;
use model::{Json, Stage};
use net::UpstreamResponse;
use policy::limit::{Limit, Verdict};
use policy::{Counted, CountedPart, OfLimit, client_key, limit, object_in_path};

use crate::bounds::RESPONSE_BOUNDS;
use crate::context::RequestContext;
use crate::counters::CounterKey;
use crate::reasons::CONCURRENCY;
use crate::reserved::Reserved;
use crate::stages::address_limit::{charged, refuse_exceeded, wait_at_address};
use crate::stages::authz::Granted;
use crate::stages::calls::Came;
use crate::stages::validate::Validated;
use crate::{RequestState, SharedState, Stop};

/// Takes from every limit that does not depend on what the request says.
pub fn take(
    x: &mut RequestState<'_, '_>,
    granted: &Granted<'_>,
    r: &RequestContext<'_>,
) -> Result<(), Stop> {
    take_all(x, &Request::of(granted, None, r)?)
}

/// Takes from the limits that count values of the request, now that there is one reading of them. It counts as stage `limit`.
pub fn take_by_value(
    x: &mut RequestState<'_, '_>,
    validated: &Validated<'_>,
    r: &RequestContext<'_>,
) -> Result<(), Stop> {
    let request = Request::of(validated, Some(validated.valid()), r)?;
    if request.limits().any(|(_, one)| one.is_by_value) {
        take_all(x, &request)?;
    }
    Ok(())
}

/// Takes one call from each limit of this step and a place in each that counts calls under way. A call that one of them refuses
/// is taken from none, also of the step before: otherwise a caller who is too fast by one limit would use up the others.
fn take_all(x: &mut RequestState<'_, '_>, request: &Request<'_>) -> Result<(), Stop> {
    x.enter(Stage::Limit);
    for (index, one) in request.limits_of_step() {
        let Some(key) = request.key(x, index, one) else {
            continue;
        };
        if let Some(rate) = &one.limit {
            if !charged(request.io(), key, rate, x.moment).is_allowed {
                return Err(exceeded(x, request, index));
            }
            if one.failed.is_some() {
                x.reserved.push(Reserved {
                    key,
                    limit: *rate,
                    index,
                    has_failed: false,
                });
            }
        }
        if let Some(most) = one.concurrency {
            let Some(turn) = request.io().turns.take(key.number(), most) else {
                give_back(x, request, index.saturating_add(1));
                let what = format!("{most} at once per {}", one.label);
                return Err(CONCURRENCY.because(what).retry_after(1).into());
            };
            x.turns.push(turn);
        }
    }
    Ok(())
}

/// The refusal by the limit with this index, or by another one that lasts longer: whoever waits as long as they are told
/// is not refused again by the next limit.
fn exceeded(x: &mut RequestState<'_, '_>, request: &Request<'_>, index: usize) -> Stop {
    give_back(x, request, index);
    let mut longest: Option<(Verdict, &Limit, &str)> = None;
    let at_address = wait_at_address(x, request.r);
    let refusing = request.limits_so_far().filter_map(|(index, one)| {
        let (key, rate) = (request.key(x, index, one)?, one.limit.as_ref()?);
        let (_, verdict) = limit::take(request.io().counters.read(key), 1, rate, x.moment);
        Some((verdict, rate, &*one.label))
    });
    for one in refusing.chain(at_address) {
        let is_longer = longest.is_none_or(|(known, ..)| known.retry_after < one.0.retry_after);
        if !one.0.is_allowed && is_longer {
            longest = Some(one);
        }
    }
    let refused = longest.map(|(verdict, rate, what)| refuse_exceeded(x, &verdict, rate, what));
    match refused {
        Some(Err(stop)) => stop,
        // Its share came back in this instant, because another call gave it back.
        _ => limit::EXCEEDED
            .because("a limit was exceeded for an instant")
            .retry_after(1)
            .into(),
    }
}

/// Gives back what was taken from every limit before the one with this index of this step, and from those of the step before.
fn give_back(x: &mut RequestState<'_, '_>, request: &Request<'_>, index: usize) {
    for (before, one) in request.limits_so_far() {
        let is_of_step = one.is_by_value == request.valid.is_some();
        if is_of_step && before >= index {
            continue;
        }
        if let (Some(key), Some(rate)) = (request.key(x, before, one), &one.limit) {
            returned(request.io(), key, rate, x);
        }
    }
    x.reserved.clear();
    x.turns.clear();
}

fn returned(io: &SharedState, key: CounterKey, rate: &Limit, x: &RequestState<'_, '_>) {
    io.counters.update(key, |state| {
        (
            state.map(|state| limit::give_back(state, 1, rate, x.moment)),
            (),
        )
    });
}

/// Notes which of the limits that count failures alone this answer counts for. An answer that did not come tells nobody
/// anything, and counts for none.
pub fn note_outcome(x: &mut RequestState<'_, '_>, came: &Came, r: &RequestContext<'_>) {
    if x.reserved.is_empty() {
        return;
    }
    let settings = x.charged_to.as_ref();
    let settings =
        settings.and_then(|caller| r.snapshot.compiled.integrations.get(&caller.integration));
    let body = match came {
        Came::Whole(response) => Body::Unread(response),
        Came::Carried { .. } => Body::Read(None),
    };
    let status = match came {
        Came::Whole(response) => response.status,
        Came::Carried { status, .. } => *status,
    };
    let mut body = body;
    for reserved in &mut x.reserved {
        let limit = settings.and_then(|settings| settings.limits.get(reserved.index));
        let failed = limit.and_then(|limit| limit.failed.as_ref());
        reserved.has_failed = failed.is_some_and(|failed| has_failed(failed, status, &mut body));
    }
}

/// An answer's body, parsed at most once.
enum Body<'a> {
    Unread(&'a UpstreamResponse),
    Read(Option<Json>),
}

fn has_failed(failed: &FailedOutcome, status: u16, body: &mut Body<'_>) -> bool {
    if failed.has_status(status) || failed.fields.is_empty() {
        return failed.has_status(status);
    }
    if let Body::Unread(response) = body {
        *body = Body::Read(json::parse(&response.body, RESPONSE_BOUNDS).ok());
    }
    match body {
        Body::Read(body) => failed.has_body(body.as_ref()),
        Body::Unread(_) => true,
    }
}

/// Gives back the shares of calls that did not fail. Whoever gives a request up does so too: without an answer nobody has learnt
/// whether it failed.
pub fn settle(x: &mut RequestState<'_, '_>, io: &SharedState) {
    for reserved in std::mem::take(&mut x.reserved) {
        if !reserved.has_failed {
            returned(io, reserved.key, &reserved.limit, x);
        }
    }
}

/// A request as limits count it.
struct Request<'a> {
    granted: &'a Granted<'a>,
    /// None before it is validated.
    valid: Option<&'a ValidRequest>,
    settings: &'a IntegrationSettings,
    r: &'a RequestContext<'a>,
}

impl<'a> Request<'a> {
    fn of(
        granted: &'a Granted<'a>,
        valid: Option<&'a ValidRequest>,
        r: &'a RequestContext<'a>,
    ) -> Result<Request<'a>, Stop> {
        let settings = r.snapshot.integration(granted.caller().principal().id);
        let Some(settings) = settings else {
            return Err(limit::EXCEEDED
                .because("the integration is no longer configured")
                .into());
        };
        Ok(Request {
            granted,
            valid,
            settings,
            r,
        })
    }

    fn io(&self) -> &'a SharedState {
        self.r.io
    }

    /// Every limit that counts this operation, with its place in the file.
    fn limits(&self) -> impl Iterator<Item = (usize, &'a LimitSettings)> {
        let operation = self.granted.op().policy;
        let all = self.settings.limits.iter().enumerate();
        all.filter(move |(_, one)| one.applies_to(operation))
    }

    /// Those of this step.
    fn limits_of_step(&self) -> impl Iterator<Item = (usize, &'a LimitSettings)> {
        let is_valid = self.valid.is_some();
        self.limits()
            .filter(move |(_, one)| one.is_by_value == is_valid)
    }

    /// Those of this step and of the one before.
    fn limits_so_far(&self) -> impl Iterator<Item = (usize, &'a LimitSettings)> {
        let is_valid = self.valid.is_some();
        self.limits()
            .filter(move |(_, one)| is_valid || !one.is_by_value)
    }

    /// Where a limit counts this request; none where it does not, because no person or object is named.
    fn key(
        &self,
        x: &RequestState<'_, '_>,
        limit: usize,
        one: &LimitSettings,
    ) -> Option<CounterKey> {
        let (principal, op) = (self.granted.caller().principal(), self.granted.op());
        let of = OfLimit {
            integration: &principal.integration,
            limit,
        };
        let counters = &self.io().counters;
        let user = principal.user.as_deref();
        let key = match one.per.as_slice() {
            [PerPart::Integration] => counters.key(&Counted::Integration(of)),
            [PerPart::Operation] => {
                counters.key(&Counted::Operation(of, &op.version.name, &op.plan.id))
            }
            [PerPart::User] => counters.key(&Counted::Person(of, user?)),
            parts => {
                let parts = parts.iter().map(|part| self.part(x, part));
                let parts: Vec<CountedPart<'_>> = parts.collect::<Option<_>>()?;
                counters.key(&Counted::Joint(of, &parts))
            }
        };
        Some(key)
    }

    fn part<'p>(&'p self, x: &RequestState<'_, '_>, part: &PerPart) -> Option<CountedPart<'p>> {
        let (principal, op) = (self.granted.caller().principal(), self.granted.op());
        let value = |value: Option<&'p Json>| CountedPart::Value(value.map(folded));
        Some(match part {
            PerPart::Integration => return None,
            PerPart::Operation => CountedPart::Operation(&op.version.name, &op.plan.id),
            PerPart::User => CountedPart::Person(principal.user.as_deref()?),
            PerPart::Address => CountedPart::Address(client_key(x.address)),
            PerPart::Object => {
                let rules = &self.r.snapshot.compiled.rules;
                let object = object_in_path(rules, op.policy, self.granted.path_values())?;
                let id = folded_text(&object.id).into_owned();
                CountedPart::Object(object.kind.to_string().into(), id.into())
            }
            PerPart::Parameter(place, name) => value(self.valid?.parameter(*place, name)),
            PerPart::Body(steps) => value(at(self.valid?.body(), steps)),
        })
    }
}

fn at<'j>(body: Option<&'j Json>, steps: &[std::sync::Arc<str>]) -> Option<&'j Json> {
    steps.iter().try_fold(body?, |here, step| here.get(step))
}

/// A value as it is counted. What differs only in case or in blanks around it is most often the same to the upstream; where it is not,
/// two values share one count.
fn folded(value: &Json) -> Cow<'_, str> {
    match value {
        Json::Text(text) => folded_text(text),
        Json::Number(digits) => match digits.parse::<f64>() {
            // Whole numbers that a double holds exactly have one form there; longer ones are kept as they are written.
            Ok(number) if number.abs() < 9e15 => Cow::Owned(number.to_string()),
            _ => Cow::Borrowed(digits),
        },
        other => {
            let mut out = Vec::new();
            json::write(other, &mut out);
            Cow::Owned(String::from_utf8_lossy(&out).into_owned())
        }
    }
}

fn folded_text(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    let is_folded = trimmed
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_folded {
        Cow::Borrowed(trimmed)
    } else {
        Cow::Owned(trimmed.to_lowercase())
    }
}
