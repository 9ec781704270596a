//! Shares by address: of strangers there, and of each credential there; and what every limit that counts says when it refuses.
//! Exports `admit_stranger`, `charge_strangers`, `charge_at_address`, `wait_at_address`, `charged`, `refuse_exceeded`, `refuse_blocked`.
//! Used by stages `ip`, `authn` and `limit`, and by whoever records a refusal.
//! Start reading at `admit_stranger`.

use std::net::IpAddr;
use std::time::Duration;

use config::compiled::ListenerSettings;
use model::{KeyId, Monotonic};
use policy::limit::{Limit, Verdict};
use policy::{Counted, block, client_key, limit};

use crate::blocks::Block;
use crate::context::RequestContext;
use crate::counters::CounterKey;
use crate::{RequestState, SharedState, Stop};

/// Refuses a stranger while refusals of strangers at this address have used up its share. Each refusal is charged when it
/// is decided, so that accepted calls take nothing from it.
pub fn admit_stranger(
    x: &mut RequestState<'_, '_>,
    r: &RequestContext<'_>,
    listener: &ListenerSettings,
) -> Result<(), Stop> {
    let key = strangers(r.io, listener, x.address);
    let one = &listener.address_limit;
    let (_, verdict) = limit::take(r.io.counters.read(key), 1, one, x.moment);
    refuse_exceeded(x, &verdict, one, "address")
}

/// Charges a refusal to strangers at the address.
pub fn charge_strangers(x: &RequestState<'_, '_>, r: &RequestContext<'_>) {
    if let Some(listener) = r.listener {
        let key = strangers(r.io, listener, x.address);
        charged(r.io, key, &listener.address_limit, x.moment);
    }
}

fn strangers(io: &SharedState, listener: &ListenerSettings, address: IpAddr) -> CounterKey {
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
    let key = at_address(x, r.io, listener, credential);
    let verdict = charged(r.io, key, &listener.address_limit, x.moment);
    refuse_exceeded(x, &verdict, &listener.address_limit, "address")
}

/// What the share of the caller's credential at this address would say to one more call.
pub fn wait_at_address<'r>(
    x: &RequestState<'_, '_>,
    r: &RequestContext<'r>,
) -> Option<(Verdict, &'r Limit, &'static str)> {
    let (listener, caller) = (r.listener?, x.charged_to.as_ref()?);
    let key = at_address(x, r.io, listener, caller.credential);
    let one = &listener.address_limit;
    let (_, verdict) = limit::take(r.io.counters.read(key), 1, one, x.moment);
    Some((verdict, one, "address"))
}

fn at_address(
    x: &RequestState<'_, '_>,
    io: &SharedState,
    listener: &ListenerSettings,
    credential: KeyId,
) -> CounterKey {
    let client = client_key(x.address);
    io.counters
        .key(&Counted::CredentialAt(&listener.name, client, credential))
}

/// Takes one request from a limit. A refused one takes nothing, but a state out of reach comes back into it.
pub fn charged(io: &SharedState, key: CounterKey, one: &Limit, now: Monotonic) -> Verdict {
    io.counters.update(key, |state| {
        let (next, verdict) = limit::take(state, 1, one, now);
        ((Some(next) != state).then_some(next), verdict)
    })
}

/// Refuses where a limit says so, and notes the RateLimit fields of the answer.
pub fn refuse_exceeded(
    x: &mut RequestState<'_, '_>,
    verdict: &Verdict,
    one: &Limit,
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
