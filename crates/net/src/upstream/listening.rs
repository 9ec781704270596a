//! Whether a target waits to be asked: what a fresh connection says before its first call is no answer to that call.
//! Exports `before_the_call` and `hears_nothing`. Why: docs/decisions/057.
//! Used by the pools and the health checks.
//! Start reading at `before_the_call`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::{ExchangeFault, Target};
use crate::wire::{Wire, WireFault};

/// How long a target is listened to at least: it has to be told of the connection by its kernel, and to be given a processor.
const LISTEN: Duration = Duration::from_millis(20);
/// And at most, however far away it is.
const LISTEN_MAX: Duration = Duration::from_millis(200);

impl Target {
    /// Notes bytes that the target sent and nobody had asked for. Whoever does that once may do it at the beginning of the
    /// next connection as well.
    pub(super) fn count_surplus(&self) {
        self.surplus.fetch_add(1, Ordering::Relaxed);
        self.is_quiet.store(false, Ordering::Relaxed);
    }
}

/// Lets the first call of a fresh connection go only where the target has said nothing. A target of which it is not known
/// that it waits to be asked is listened to first. `connected_in` is what making the connection took.
///
/// # Errors
/// `SpokeFirst`, or `NothingSent` where the connection was closed meanwhile.
pub(super) async fn before_the_call(
    wire: &mut Wire,
    target: &Target,
    connected_in: Duration,
    deadline: Instant,
) -> Result<(), ExchangeFault> {
    if !target.is_quiet.load(Ordering::Relaxed) {
        hears_nothing(wire, target, connected_in, deadline).await?;
    }
    // The last look, right before the call is written.
    if wire.has_spoken() {
        target.count_surplus();
        return Err(ExchangeFault::SpokeFirst);
    }
    Ok(())
}

/// Listens to a connection on which nothing was asked, and notes what that says about the target.
///
/// # Errors
/// As [`before_the_call`].
pub(super) async fn hears_nothing(
    wire: &mut Wire,
    target: &Target,
    connected_in: Duration,
    deadline: Instant,
) -> Result<(), ExchangeFault> {
    let now = Instant::now();
    // What is said at once arrives one way later, of which connecting took two or more. Half of a call's time is left for the call.
    let left = deadline.saturating_duration_since(now) / 2;
    let time = (LISTEN + connected_in * 2).min(LISTEN_MAX).min(left);
    match wire.fill(now + time).await {
        Err(WireFault::Timeout) => {
            target.is_quiet.store(true, Ordering::Relaxed);
            Ok(())
        }
        Ok(bytes) if bytes > 0 => {
            target.count_surplus();
            Err(ExchangeFault::SpokeFirst)
        }
        Ok(_) | Err(_) => Err(ExchangeFault::NothingSent),
    }
}
