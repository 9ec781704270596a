//! Active health checks: one task asks every target of every upstream in its own rhythm.
//! Gives `watch_health`. Passive ejection lives in `target`.
//! Used by the binary or the gateway, once per process.
//! Start reading at `watch_health`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Headers, Method};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};

use super::{Exchange, Target, Upstream, dial, exchange};
use crate::spec::HealthSpec;
use crate::wire::Wire;

/// How often the list of upstreams is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// More is not read of the answer to a check.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Runs the active checks of whatever `current` names, for as long as the future is polled. One task is enough
/// for the process; `current` is asked again every quarter of a second, so a reload is followed by itself.
/// Needs a `LocalSet`.
pub async fn watch_health(current: impl Fn() -> Vec<Arc<Upstream>>) {
    let mut due: HashMap<(u64, usize), Instant> = HashMap::new();
    loop {
        let now = Instant::now();
        let upstreams = current();
        let mut next = HashMap::with_capacity(due.len());
        for upstream in &upstreams {
            let Some(health) = &upstream.spec.health else {
                continue;
            };
            for index in 0..upstream.targets.len() {
                let key = (upstream.id, index);
                let at = due.get(&key).copied().unwrap_or(now);
                if at <= now {
                    let upstream = Arc::clone(upstream);
                    spawn_local(async move { check(&upstream, index).await });
                    next.insert(key, now + health.interval.max(health.timeout));
                } else {
                    next.insert(key, at);
                }
            }
        }
        due = next;
        sleep(LOOK).await;
    }
}

async fn check(upstream: &Upstream, index: usize) {
    let (Some(health), Some(target)) = (&upstream.spec.health, upstream.targets.get(index)) else {
        return;
    };
    let is_good = is_healthy(upstream, target, health).await;
    target.checked(is_good, health.unhealthy_after, health.healthy_after);
}

/// A connection of its own each time: a check that rides on a pooled one would not notice a full accept queue.
async fn is_healthy(upstream: &Upstream, target: &Target, health: &HealthSpec) -> bool {
    let deadline = Instant::now() + health.timeout;
    let Ok(stream) = dial(&target.origin, upstream.tls.as_ref(), deadline).await else {
        return false;
    };
    let mut headers = Headers::new();
    headers.push("user-agent", "portcullis-health");
    headers.push("accept", "*/*");
    let call = Exchange {
        method: Method::Get,
        path_and_query: &health.path,
        authority: &target.origin.authority,
        headers: &headers,
        body: &[],
        answer_bytes_max: ANSWER_BYTES_MAX,
        deadline,
    };
    exchange(&mut Wire::new(stream), &call)
        .await
        .is_ok_and(|answered| (200..300).contains(&answered.head.status))
}
