//! Active health checks: one task asks every target of every upstream in its own rhythm.
//! Exports `watch_health`. What a check means for a target is decided in `condition`.
//! Used by the binary or the gateway, once per process.
//! Start reading at `watch_health`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Headers, Method};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};

use super::condition::Event;
use super::connect::DialFaultKind;
use super::listening::hears_nothing;
use super::target::now_us;
use super::{Target, Upstream, UpstreamRequest, dial, exchange};
use crate::spec::HealthSpec;
use crate::wire::Wire;

/// How often the list of upstreams is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// More is not read of the answer to a check.
const RESPONSE_BYTES_MAX: usize = 64 * 1024;

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
    // A check that could not be made says nothing.
    if let Some(is_good) = is_healthy(upstream, target, health).await {
        let event = Event::Checked {
            is_good,
            unhealthy_after: health.unhealthy_after,
            healthy_after: health.healthy_after,
        };
        target.note(event, now_us());
    }
}

/// A connection of its own each time: a check that rides on a pooled one would not notice a full accept queue. `None`
/// when this machine could not make one.
async fn is_healthy(upstream: &Upstream, target: &Target, health: &HealthSpec) -> Option<bool> {
    let began = Instant::now();
    let deadline = began + health.timeout;
    let began_us = now_us();
    let stream = match dial(&target.origin, upstream.tls.as_ref(), deadline).await {
        Ok(stream) => stream,
        Err(fault) if fault.kind == DialFaultKind::OutOfResources => return None,
        Err(_) => {
            target.note(Event::NotConnected { began_us }, now_us());
            return Some(false);
        }
    };
    let mut headers = Headers::new();
    headers.push("user-agent", "portcullis-health");
    headers.push("accept", "*/*");
    let call = UpstreamRequest {
        method: Method::Get,
        path_and_query: &health.path,
        authority: &target.origin.authority,
        headers: &headers,
        body: &[],
        answer_bytes_max: RESPONSE_BYTES_MAX,
        room: None,
        deadline,
    };
    let mut wire = Wire::new(stream);
    // Nobody waits for a check, so each of them listens whether the target waits to be asked.
    let quiet = hears_nothing(&mut wire, target, began.elapsed(), deadline).await;
    if quiet.is_err() {
        return Some(false);
    }
    let answered = exchange(&mut wire, &call).await;
    Some(answered.is_ok_and(|answered| (200..300).contains(&answered.head.status)))
}
