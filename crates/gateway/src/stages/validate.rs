//! Stage `validate`: parameters, headers and body against the contract; sent fields against the grant.
//! Exports `request` and the proof `Validated`. The body is read here, after the caller was accepted: strangers do not get
//! our memory.
//! Used by the pipeline.
//! Start reading at `request`.

use std::ops::Deref;

use contract::{Place, ValidRequest};
use identity::Caller;
use model::{CanonicalRequest, Json, Mode, Refusal, Stage};
use policy::{Permit, Released, RequestFacts};

use crate::context::RequestContext;
use crate::stages::authz::Granted;
use crate::stages::{cursors, parameters};
use crate::{RequestState, Stop, request_fields};

/// A granted request that keeps its contract and sends no more than its grants let be sent. Private fields, made here only.
pub struct Validated<'r>(Box<Parts<'r>>);

struct Parts<'r> {
    granted: Granted<'r>,
    asked: CanonicalRequest,
    valid: ValidRequest,
}

impl Validated<'_> {
    /// The canonical request.
    pub fn asked(&self) -> &CanonicalRequest {
        &self.0.asked
    }

    /// Its judged parts.
    pub fn valid(&self) -> &ValidRequest {
        &self.0.valid
    }

    /// What policy needs to know of the request.
    pub fn facts(&self) -> RequestFacts<'_> {
        RequestFacts {
            path: self.0.granted.path_values(),
            query: self.0.asked.query(),
            body: self.0.valid.body(),
        }
    }

    /// The permit to be moved on, with the facts of its own request.
    pub(super) fn split(&mut self) -> (&mut Permit<Caller>, RequestFacts<'_>) {
        let parts = &mut *self.0;
        let (permit, path) = parts.granted.split();
        let facts = RequestFacts {
            path,
            query: parts.asked.query(),
            body: parts.valid.body(),
        };
        (permit, facts)
    }

    /// Uses the permit up: lets out of the answer to this request what may leave.
    pub(super) fn release(self, response: Option<&Json>) -> Result<Released, Box<Refusal>> {
        let parts = *self.0;
        let (permit, path) = parts.granted.into_parts();
        let facts = RequestFacts {
            path: &path,
            query: parts.asked.query(),
            body: parts.valid.body(),
        };
        permit.release(&facts, response)
    }
}

impl<'r> Deref for Validated<'r> {
    type Target = Granted<'r>;

    fn deref(&self) -> &Granted<'r> {
        &self.0.granted
    }
}

/// Judges the request against its operation.
pub async fn request<'r>(
    x: &mut RequestState<'_, '_>,
    mut granted: Granted<'r>,
    mut asked: CanonicalRequest,
    r: &RequestContext<'_>,
) -> Result<Validated<'r>, Stop> {
    x.enter(Stage::Validate);
    cursors::open(x, &mut asked, &granted, r)?;
    let op = *granted.op();
    // Neither depends on the body, and nothing was sent yet.
    request_fields::judge(op.operation, op.plan.is_read, &asked)?;
    let media = &op.operation.media;
    x.accept = Some(match media.agree(asked.headers().all("accept")) {
        Err(refusal) if op.plan.request == Mode::Enforce => return Err(refusal.into()),
        // A contract that is not enforced is not what the caller's `Accept` is held against.
        agreed => agreed.unwrap_or_else(|_| media.accept().clone()),
    });
    let body = read(x, r).await?;
    let fixed = parameters::fix_body(&body, granted.permit().fixed(), op.operation.bounds)
        .map_err(|stop| authorized(x, stop))?;
    let body = fixed.as_deref().unwrap_or(&body);
    let opened = cursors::open_body(x, body, &granted, r)?;
    let valid = judge(x, &asked, &granted, opened.as_deref().unwrap_or(body))?;
    // Which parameters may be used is authorization too.
    let (permit, _) = granted.split();
    parameters::admit(permit, &valid, &x.resume).map_err(|stop| authorized(x, stop))?;
    // What may be sent is authorization, not contract: enforced in every mode.
    if let Some(sent) = valid.body() {
        contract::check_writes(op.operation, sent, permit.writes())?;
    }
    // A cursor goes on with its own question only.
    cursors::ask(x, &valid, &asked, &granted)?;
    Ok(Validated(Box::new(Parts {
        granted,
        asked,
        valid,
    })))
}

/// What is refused here by the grants is on the record with the stage that the caller is told: `authz`.
fn authorized(x: &mut RequestState<'_, '_>, stop: Stop) -> Stop {
    if stop.refusal().reason.stage == Stage::Authz {
        x.enter(Stage::Authz);
    }
    stop
}

/// The whole body, as far as the listener takes one.
async fn read(x: &mut RequestState<'_, '_>, r: &RequestContext<'_>) -> Result<Vec<u8>, Stop> {
    let most = r.listener.map_or(0, |listener| listener.body_bytes_max);
    let body = x
        .body
        .read(most)
        .await
        .map_err(net::BodyFault::into_refusal)?;
    x.event.bytes_in = u64::try_from(body.len()).ok();
    Ok(body)
}

/// A caller that sent an unknown parameter is told of those that it may use, not of others.
fn advised(mut refusal: Box<Refusal>, granted: &Granted<'_>) -> Box<Refusal> {
    if refusal.reason == &contract::QUERY {
        let declared = granted.op().operation.parameters.iter();
        let usable = declared.filter(|parameter| {
            parameter.place == Place::Query && granted.permit().may_ask(&parameter.name)
        });
        let usable: Vec<&str> = usable.map(|parameter| &*parameter.name).collect();
        let unknown = refusal.errors.iter_mut();
        for error in unknown.filter(|error| error.keyword == contract::UNDECLARED) {
            error.fix = contract::fix_undeclared(&error.pointer, &usable);
        }
    }
    refusal
}

/// Holds the request against its contract, as strictly as the operation's mode says.
fn judge(
    x: &mut RequestState<'_, '_>,
    asked: &CanonicalRequest,
    granted: &Granted<'_>,
    body: &[u8],
) -> Result<ValidRequest, Stop> {
    let (op, path_values) = (granted.op(), granted.path_values());
    let valid = contract::check_request(op.operation, asked, path_values, body, op.plan.request);
    let mut valid = valid.map_err(|refusal| advised(refusal, granted))?;
    let noted = std::mem::take(&mut valid.noted);
    x.event.errors = noted.iter().map(Into::into).collect();
    Ok(valid)
}
