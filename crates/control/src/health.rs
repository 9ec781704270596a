//! The admin listener: `/livez`, `/readyz`, `/metrics`, and nothing else.
//! Exports `Health`, a `net::Service`. It says states, never details.
//! Started by the binary on the admin listener only.
//! Start reading at `Health::page`.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gateway::{SharedState, connections};
use model::{Head, Method, Peer, Reason, Response};
use net::{Body, Dropped, Service, Unreadable};

/// Names the admin listener may be called by. Others are DNS rebinding (a page in a browser that resolves its
/// own name to loopback).
const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The admin listener's service.
pub struct Health {
    io: Arc<SharedState>,
}

impl Health {
    /// For this gateway.
    pub fn new(io: Arc<SharedState>) -> Self {
        Health { io }
    }

    fn page(&self, head: &Head) -> Response {
        if !matches!(head.method, Method::Get | Method::Head) {
            // RFC 9110 §15.5.6.
            return plain(405, "only GET and HEAD are offered here\n").with("allow", "GET, HEAD");
        }
        let path = head.target.split('?').next().unwrap_or_default();
        match path {
            "/livez" => plain(200, "ok\n"),
            "/readyz" if self.io.is_ledger_down.load(Ordering::Acquire) => {
                plain(503, "not ready: ledger\n")
            }
            "/readyz" if self.io.is_stopping.load(Ordering::Acquire) => {
                plain(503, "not ready: stopping\n")
            }
            "/readyz" => plain(200, "ok\n"),
            "/metrics" => self.metrics(),
            _ => plain(404, "there is /livez, /readyz and /metrics\n"),
        }
    }

    fn metrics(&self) -> Response {
        let records = self.io.recorder.status().records;
        self.io
            .metrics
            .ledger_records
            .set(i64::try_from(records).unwrap_or(i64::MAX));
        let (metrics, recorder) = (&self.io.metrics, &self.io.recorder);
        metrics.count_records(&self.io.record_counts, recorder);
        let snapshot = self.io.snapshot.load();
        let upstreams = snapshot.versions.iter().filter_map(|v| v.upstream.as_ref());
        upstreams.for_each(|upstream| metrics.count_surplus(upstream));
        Response::new(200, self.io.metrics.print().into_bytes())
            .with(
                "content-type",
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )
            .with("cache-control", "no-store")
    }
}

fn plain(status: u16, text: &str) -> Response {
    Response::new(status, text.as_bytes().to_vec())
        .with("content-type", "text/plain; charset=utf-8")
        .with("cache-control", "no-store")
        .with("x-content-type-options", "nosniff")
}

fn is_known_host(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    HOSTS.contains(&host)
}

impl Service for Health {
    fn admit(&self, address: IpAddr, _listener: &str) -> Result<(), &'static Reason> {
        if address.is_loopback() {
            Ok(())
        } else {
            Err(&policy::address::DENIED)
        }
    }

    async fn answer(&self, _peer: &Arc<Peer>, head: Head, _body: &mut Body<'_>) -> Response {
        if is_known_host(&head.authority) {
            self.page(&head)
        } else {
            plain(403, "call this listener as localhost\n")
        }
    }

    async fn refuse(&self, _peer: &Arc<Peer>, what: Unreadable) -> Response {
        plain(what.status, "the request is not well-formed\n")
    }

    async fn dropped(&self, dropped: Vec<Dropped>) {
        connections::record(&self.io, dropped).await;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_foreign_name_is_no_way_in() {
        assert!(super::is_known_host("localhost:8081") && super::is_known_host("[::1]:8081"));
        assert!(
            !super::is_known_host("evil.example:8081")
                && !super::is_known_host("localhost.evil.example")
        );
    }
}
