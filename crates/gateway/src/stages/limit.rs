//! Stage `limit`: rate, burst and concurrency by integration, user and operation; blocks that end by themselves.
//! Exports `take`, and the pieces that stages `ip` and `authn` use for addresses and blocks.
//! Used by the pipeline.
//! Start reading at `take`.

use std::net::IpAddr;
use std::time::Duration;

use config::compiled::ListenerSettings;
use config::integration::Per;
use model::{KeyId, Monotonic, Stage};
use policy::{Counted, OfLimit, block, client_key, limit};

use crate::blocks::Block;
use crate::concurrency::ConcurrencyPermit;
use crate::context::RequestContext;
use crate::reasons::CONCURRENCY;
use crate::stages::authz::Granted;
use crate::{RequestState, SharedState, Stop};

/// Takes from every limit that applies; what comes back holds the places taken.
pub fn take(
    x: &mut RequestState<'_, '_>,
    granted: &Granted<'_>,
    r: &RequestContext<'_>,
) -> Result<Vec<ConcurrencyPermit>, Stop> {
    x.enter(Stage::Limit);
    let (principal, op) = (granted.caller().principal(), granted.op());
    let Some(settings) = r.snapshot.integration(principal.id) else {
        return Err(limit::EXCEEDED
            .because("the integration is no longer configured")
            .into());
    };
    let mut turns = Vec::new();
    for (limit, one) in settings
        .limits
        .iter()
        .enumerate()
        .filter(|(_, one)| one.applies_to(op.policy))
    {
        let of = OfLimit {
            integration: &principal.integration,
            limit,
        };
        let (counted, what) = match (one.per, &principal.user) {
            (Per::Integration, _) => (Counted::Integration(of), "integration"),
            (Per::Operation, _) => (
                Counted::Operation(of, &op.version.name, &op.plan.id),
                "operation",
            ),
            (Per::User, Some(user)) => (Counted::Person(of, user), "user"),
            // Nobody is named, so there is nobody to count; the integration's own limits hold.
            (Per::User, None) => continue,
        };
        let key = r.io.counters.key(&counted);
        if let Some(rate) = &one.limit {
            charge(x, r, key, rate, what)?;
        }
        if let Some(most) = one.concurrency {
            let turn = r.io.turns.take(key, most);
            turns.push(turn.ok_or_else(|| {
                CONCURRENCY
                    .because(format!("{most} at once per {what}"))
                    .retry_after(1)
            })?);
        }
    }
    Ok(turns)
}

/// Takes one request from one limit and notes the RateLimit fields of the answer.
pub fn charge(
    x: &mut RequestState<'_, '_>,
    r: &RequestContext<'_>,
    key: u64,
    one: &limit::Limit,
    what: &str,
) -> Result<(), Stop> {
    let verdict = charged(r.io, key, one, x.moment);
    refuse_exceeded(x, &verdict, one, what)
}

/// Takes one request from a limit. A refused one takes nothing, but a state out of reach comes back into it.
fn charged(io: &SharedState, key: u64, one: &limit::Limit, now: Monotonic) -> limit::Verdict {
    io.counters.update(key, |word| {
        let (next, verdict) = limit::take(state(word), 1, one, now);
        ((next.0 != word).then_some(next.0), verdict)
    })
}

fn state(word: u64) -> Option<limit::State> {
    (word != 0).then_some(limit::State(word))
}

fn refuse_exceeded(
    x: &mut RequestState<'_, '_>,
    verdict: &limit::Verdict,
    one: &limit::Limit,
    what: &str,
) -> Result<(), Stop> {
    if verdict.is_allowed {
        return Ok(());
    }
    let wait = verdict.retry_after.unwrap_or(Duration::from_secs(60));
    x.response_headers.set(
        "ratelimit",
        format!("\"{what}\";r=0;t={}", whole_seconds(wait)),
    );
    Err(limit::EXCEEDED
        .because(format!(
            "{what}: {} with a burst of {}",
            one.rate(),
            one.burst()
        ))
        .retry_after(whole_seconds(wait))
        .into())
}

/// Refuses a stranger while refusals of strangers at this address have used up its share. Each refusal is charged when it
/// is decided, so that accepted calls take nothing from it.
pub fn admit_stranger(
    x: &mut RequestState<'_, '_>,
    r: &RequestContext<'_>,
    listener: &ListenerSettings,
) -> Result<(), Stop> {
    let key = strangers(r.io, listener, x.address);
    let one = &listener.address_limit;
    let (_, verdict) = limit::take(state(r.io.counters.read(key)), 1, one, x.moment);
    refuse_exceeded(x, &verdict, one, "address")
}

/// Charges a refusal to strangers at the address.
pub fn charge_strangers(x: &RequestState<'_, '_>, r: &RequestContext<'_>) {
    if let Some(listener) = r.listener {
        let key = strangers(r.io, listener, x.address);
        charged(r.io, key, &listener.address_limit, x.moment);
    }
}

fn strangers(io: &SharedState, listener: &ListenerSettings, address: IpAddr) -> u64 {
    io.counters
        .key(&Counted::Strangers(&listener.name, client_key(address)))
}

/// Takes a call of a proven caller from the share that its credential has at this address: nobody else's calls count there.
/// Once for each request.
pub fn charge_at_address(
    x: &mut RequestState<'_, '_>,
    r: &RequestContext<'_>,
    credential: KeyId,
) -> Result<(), Stop> {
    if std::mem::replace(&mut x.is_charged_at_address, true) {
        return Ok(());
    }
    let Some(listener) = r.listener else {
        return Ok(());
    };
    let client = client_key(x.address);
    let counted = Counted::CredentialAt(&listener.name, client, credential);
    let key = r.io.counters.key(&counted);
    charge(x, r, key, &listener.address_limit, "address")
}

/// Refuses while a block lasts.
pub fn refuse_blocked(x: &RequestState<'_, '_>, block: Option<Block>) -> Result<(), Stop> {
    let Some(block) = block else { return Ok(()) };
    let mut refusal = block::BLOCKED
        .because(block.because())
        .retry_after(whole_seconds(block.left(x.moment)));
    refusal.blocked = Some(block.blocked(x.now, x.moment));
    Err(refusal.into())
}

/// Seconds to wait, rounded up, so that a caller who obeys is never refused for it.
fn whole_seconds(wait: Duration) -> u32 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
}
