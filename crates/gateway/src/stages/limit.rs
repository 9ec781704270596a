//! Stage `limit`: rate, burst and concurrency by integration, user and operation; blocks that end by themselves.
//! Gives `take`, and the pieces stage `ip` uses for addresses.
//! Used by the pipeline.
//! Start reading at `take`.

use std::time::Duration;

use config::integration::Per;
use identity::Caller;
use model::{Reason, Stage, Timestamp};
use policy::{block, limit};

use crate::service::Road;
use crate::stages::lifecycle::Op;
use crate::turns::Turn;
use crate::{Exchange, Stop};

/// Too many requests of one integration at once.
pub const CONCURRENCY: Reason = Reason::new(
    Stage::Limit,
    "limit.concurrency",
    429,
    "Too many requests at once.",
    "Wait for earlier requests to finish before sending more.",
    "The integration has more requests on the road than its `concurrency` allows. Raise it, or let the integration send fewer in parallel.",
);

/// Takes from every limit that applies; what comes back holds the places taken.
pub fn take(
    x: &mut Exchange<'_, '_>,
    caller: &Caller,
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<Vec<Turn>, Stop> {
    x.enter(Stage::Limit);
    let who = caller.integration();
    let Some(settings) = r.snapshot.integration(who) else {
        return Err(limit::EXCEEDED
            .because("the integration is no longer configured")
            .into());
    };
    let mut turns = Vec::new();
    for (index, one) in settings
        .limits
        .iter()
        .enumerate()
        .filter(|(_, one)| one.applies_to(op.policy))
    {
        let (key, what) = match (one.per, &caller.principal().user) {
            (Per::Integration, _) => (
                r.io.counters.key(("integration", who, index)),
                "integration",
            ),
            (Per::Operation, _) => (
                r.io.counters
                    .key(("operation", who, index, &op.version.name, &op.plan.id)),
                "operation",
            ),
            (Per::User, Some(user)) => (r.io.counters.key(("user", who, index, user)), "user"),
            // Nobody is named, so there is nobody to count; the integration's own limits hold.
            (Per::User, None) => continue,
        };
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
    x: &mut Exchange<'_, '_>,
    r: &Road<'_>,
    key: u64,
    one: &limit::Limit,
    what: &str,
) -> Result<(), Stop> {
    let verdict = r.io.counters.update(key, |word| {
        let state = (word != 0).then_some(limit::State(word));
        let (next, verdict) = limit::take(state, 1, one, x.now);
        (verdict.is_allowed.then_some(next.0), verdict)
    });
    if verdict.is_allowed {
        return Ok(());
    }
    let wait = verdict.retry_after.unwrap_or(Duration::from_secs(60));
    x.reply_headers.set(
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

/// Refuses while a block lasts.
pub fn refuse_blocked(until: Option<Timestamp>, now: Timestamp) -> Result<(), Stop> {
    let Some(until) = until else { return Ok(()) };
    let wait = until.since(now);
    Err(block::BLOCKED
        .because(format!("blocked until {until}"))
        .retry_after(whole_seconds(wait))
        .into())
}

/// Seconds to wait, rounded up, so that a caller who obeys is never refused for it.
fn whole_seconds(wait: Duration) -> u32 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
}
