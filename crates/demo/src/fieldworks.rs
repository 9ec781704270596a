//! The upstream of the demo company, deliberately careless: it returns every field, asks nobody who he is,
//! accepts members it never declared, tells its software in headers and its insides in errors.
//! Exports `Fieldworks` with `handle` (pure over its memory) and `host` (the same on a loopback port). What it saw is counted.
//! Used by the `demo` verb, testkit and the benches. Start reading at `Fieldworks::handle`.

mod actions;
mod host;
mod lists;
mod route;
mod routes;
mod v1;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::json::Bounds;
use model::{Json, Method, Response};

use crate::data::{WORK_ORDER_CURSED, World};
use crate::object;
use crate::record::put;

pub use host::{HostFault, Hosted};
pub use route::{Action, Route};
pub use routes::ROUTES;

/// What fieldworks was asked and sent, for tests that prove what did not reach it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Requests by method and path, e.g. `GET /v2/work-orders/4711`.
    pub requests: BTreeMap<String, u64>,
    /// Bytes of targets, header fields and bodies received.
    pub bytes_in: u64,
    /// Bytes of bodies answered.
    pub bytes_out: u64,
    /// Every header field received, `name: value`, of the last request.
    pub last_headers: Vec<(String, String)>,
}

impl Seen {
    /// Most different paths kept apart; further ones are counted under `other`.
    pub const PATHS_MAX: usize = 10_000;

    /// All requests together.
    pub fn total(&self) -> u64 {
        self.requests.values().sum()
    }
}

/// A request as fieldworks understands it.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    /// Values of the template's parameters, in order.
    pub params: Vec<String>,
    /// Query pairs, decoded.
    pub query: &'a [(String, String)],
    /// Body, `null` when there is none.
    pub body: Json,
}

impl Ask<'_> {
    /// The first parameter: the id of the object.
    pub fn id(&self) -> &str {
        self.params.first().map_or("", String::as_str)
    }

    /// The first value of this query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The careless upstream. Clones share one memory.
#[derive(Clone, Debug)]
pub struct Fieldworks {
    world: Arc<Mutex<World>>,
    seen: Arc<Mutex<Seen>>,
}

impl Fieldworks {
    /// A fresh one for this seed.
    pub fn new(seed: u64) -> Self {
        Fieldworks {
            world: Arc::new(Mutex::new(World::grow(seed))),
            seen: Arc::default(),
        }
    }

    /// Answers one request. `headers` are only counted: no credential is ever looked at.
    pub fn handle(
        &self,
        method: Method,
        target: &str,
        headers: &model::Headers,
        body: &[u8],
    ) -> Response {
        self.count(method, target, headers, body);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = pairs(query);
        let segments: Vec<String> = path.split('/').skip(1).map(decoded).collect();
        let mut world = held(&self.world);
        let response = match (first(&segments), method) {
            ("health", _) => json(200, object! { "status": "ok", "version": "0.9.3" }),
            ("v1", _) => v1::answer(
                &mut world,
                method,
                segments.get(1..).unwrap_or_default(),
                &query,
                body,
            ),
            ("v2", _) => answer(
                &mut world,
                method,
                segments.get(1..).unwrap_or_default(),
                &query,
                body,
            ),
            _ => answer(&mut world, method, &segments, &query, body),
        };
        drop(world);
        held(&self.seen).bytes_out += u64::try_from(response.body.len()).unwrap_or(0);
        response
            .with("server", "fieldworks/0.9.3 (Debian 11; bolt 2.1.7)")
            .with("x-powered-by", "Bolt/2.1.7")
            .with("x-backend", "fw-prod-3.internal:9101")
    }

    /// What it was asked so far.
    pub fn seen(&self) -> Seen {
        held(&self.seen).clone()
    }

    /// Forgets what it was asked.
    pub fn forget(&self) {
        *held(&self.seen) = Seen::default();
    }

    /// Looks at or changes the records, e.g. to plant canaries.
    pub fn with_world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut held(&self.world))
    }

    fn count(&self, method: Method, target: &str, headers: &model::Headers, body: &[u8]) {
        let mut seen = held(&self.seen);
        let fields = headers.iter().map(|(name, value)| name.len() + value.len());
        let bytes = target.len() + fields.sum::<usize>() + body.len();
        seen.bytes_in += u64::try_from(bytes).unwrap_or(0);
        let path = target.split('?').next().unwrap_or_default();
        let mut line = format!("{method} {path}");
        if seen.requests.len() >= Seen::PATHS_MAX && !seen.requests.contains_key(&line) {
            line = "other".to_owned();
        }
        *seen.requests.entry(line).or_default() += 1;
        seen.last_headers = headers
            .iter()
            .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()))
            .collect();
    }
}

/// Answers an operation of v2.
fn answer(
    world: &mut World,
    method: Method,
    segments: &[String],
    query: &[(String, String)],
    body: &[u8],
) -> Response {
    let Some((route, params)) = routes::find(method, segments) else {
        return lost(&format!("{method} /{}", segments.join("/")));
    };
    if params.first().is_some_and(|id| id == WORK_ORDER_CURSED)
        && segments.first().is_some_and(|s| s == "work-orders")
    {
        return crash();
    }
    let body = model::json::parse(body, Bounds::default()).unwrap_or(Json::Null);
    let ask = Ask {
        params,
        query,
        body,
    };
    actions::perform(world, route, &ask)
}

/// A JSON answer, with the debug members nobody declared.
pub(crate) fn json(status: u16, mut value: Json) -> Response {
    if matches!(value, Json::Object(_)) {
        put(
            &mut value,
            "_debug",
            object! {
                "host": "fw-prod-3.internal",
                "sql": "SELECT * FROM t WHERE id = $1",
                "cache": "miss",
            },
        );
    }
    let mut bytes = Vec::new();
    model::json::write(&value, &mut bytes);
    Response::new(status, bytes).with("content-type", "application/json")
}

/// A careless 404 that quotes its query.
pub(crate) fn lost(what: &str) -> Response {
    json(
        404,
        object! { "error": format!("no row for {what}"), "table": "public.records" },
    )
}

/// A careless 500 with a stack, an address and a password.
fn crash() -> Response {
    let text = "Unhandled fault: margin of work order is not a number\n\
        \x20 at fieldworks.orders.Pricing.margin (pricing.bolt:118)\n\
        \x20 at fieldworks.orders.Loader.load (loader.bolt:64)\n\
        \x20 at bolt.pool.Worker.run (worker.bolt:203)\n\
        db: postgres://fieldworks:winter-2019@10.3.0.17:5432/fieldworks\n";
    Response::new(500, text.as_bytes().to_vec()).with("content-type", "text/plain")
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere must not silence the stand-in for the rest of a test run.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn first(segments: &[String]) -> &str {
    segments.first().map_or("", String::as_str)
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(name), decoded(&value.replace('+', " ")))
        })
        .collect()
}

/// Percent-decoding that lets broken escapes stand.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match pair.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(value) if *byte == b'%' => {
                bytes.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
