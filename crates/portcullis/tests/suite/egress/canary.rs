//! An upstream that plants a canary in every field it answers: declared ones, undeclared ones, header fields, errors.
//! Exports `Aviary`. A canary names its operation, its field and its object, so that wherever it turns up, whoever finds
//! it knows whether it may be there.
//! Used by egress.
//! Start reading at `Aviary::reply`.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::{Head, Peer, Reason, Response};
use net::{Body, ListenerSpec, Service, Unreadable, Workers};
use serde_json::{Map, Value, json};

use super::written::{Attributes, Operation, Written, joined};

/// Every canary begins so.
pub const MARK: &str = "CANARY~";
/// Canaries that are numbers begin here, one for each field.
const NUMBERS: u64 = 77_000_000;

const STATUSES: [&str; 6] = [
    "open",
    "scheduled",
    "in_progress",
    "completed",
    "invoiced",
    "cancelled",
];
const PARTNERS: [&str; 4] = ["north-star", "blue-river", "hearth-and-pipe", "brightline"];
const LOCATIONS: [&str; 4] = ["central", "leeds", "bremen", "van-7"];
const SOURCES: [&str; 5] = ["portal", "phone", "crm", "mail", "thermo"];

/// Values that conditions ask for, by the schema of the resource object: attribute, field, value.
///
/// They follow from the id, so that whoever sees a canary knows everything about its object.
pub fn truths(schema: &str, id: &str) -> Vec<(&'static str, &'static str, String)> {
    let number = id.bytes().fold(0usize, |sum, byte| {
        if byte.is_ascii_digit() {
            (sum * 10 + usize::from(byte - b'0')) % 1_000_000
        } else {
            sum
        }
    });
    let of = |values: &[&str], at: usize| values[at % values.len()].to_owned();
    match schema {
        "WorkOrder" => vec![
            ("status", "status", of(&STATUSES, number)),
            ("status", "state", of(&STATUSES, number)),
            ("partner", "assignment.partnerId", of(&PARTNERS, number / 6)),
        ],
        "Customer" => vec![(
            "state",
            "state",
            of(&["active", "active", "erased", "merged"], number),
        )],
        "Asset" => vec![("telemetry", "telemetryRef", of(&["thermo", "none"], number))],
        "ServiceRequest" => vec![("source", "source", of(&SOURCES, number))],
        "VisitEta" => vec![("partner", "partnerId", of(&PARTNERS, number))],
        "StockLevel" => vec![(
            "location",
            "location",
            id.rsplitn(3, '-').last().unwrap_or("").to_owned(),
        )],
        _ => Vec::new(),
    }
}

/// The attributes of one object.
pub fn attributes(schema: &str, id: &str) -> Attributes {
    truths(schema, id)
        .into_iter()
        .map(|(name, _, value)| (name.to_owned(), value))
        .collect()
}

/// The canary of one field of one object.
pub fn canary(operation: &Operation, field: &str, id: &str) -> String {
    format!("{MARK}{}~{}~{field}~{id}~", operation.api, operation.id)
}

/// What a canary found somewhere says of itself: api, operation, field, object.
pub fn canaries(text: &str) -> Vec<(String, String, String, String)> {
    let found = text.split(MARK).skip(1);
    found
        .map(|rest| {
            let mut parts = rest.splitn(5, '~').map(str::to_owned);
            let mut next = || parts.next().unwrap_or_default();
            (next(), next(), next(), next())
        })
        .collect()
}

/// Number canaries by field: `operation field` → number.
#[derive(Debug, Default)]
pub struct Numbers {
    by_field: BTreeMap<String, u64>,
    fields: Vec<(String, String, String)>,
}

impl Numbers {
    pub fn of(written: &Written) -> Numbers {
        let mut numbers = Numbers::default();
        for operation in &written.operations {
            for (field, _) in operation
                .fields
                .iter()
                .filter(|(_, kind)| matches!(&**kind, "number" | "integer"))
            {
                numbers.by_field.insert(
                    format!("{} {} {field}", operation.api, operation.id),
                    NUMBERS + numbers.fields.len() as u64,
                );
                numbers
                    .fields
                    .push((operation.api.clone(), operation.id.clone(), field.clone()));
            }
        }
        numbers
    }

    pub fn get(&self, operation: &Operation, field: &str) -> u64 {
        self.by_field[&format!("{} {} {field}", operation.api, operation.id)]
    }

    /// The number canaries in a text: api, operation, field.
    pub fn find(&self, text: &str) -> Vec<&(String, String, String)> {
        let runs = text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|run| run.len() == 8);
        let numbers = runs.filter_map(|run| run.parse::<u64>().ok()?.checked_sub(NUMBERS));
        numbers
            .filter_map(|at| self.fields.get(usize::try_from(at).ok()?))
            .collect()
    }
}

/// The upstream. Clones share their counter.
#[derive(Clone)]
pub struct Aviary {
    written: Arc<Written>,
    numbers: Arc<Numbers>,
    asked: Arc<AtomicU64>,
    /// Out of a hundred answers, how many go wrong in some way.
    faults_percent: u64,
}

/// Ids on a page, from whatever was asked.
fn page(operation: &Operation, query: &str) -> Vec<String> {
    let limit = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("limit="))
        .and_then(|n| n.parse().ok())
        .unwrap_or(4usize);
    let start = query
        .bytes()
        .fold(17usize, |sum, byte| (sum * 31 + usize::from(byte)) % 8_000);
    let kind = operation.kind.as_str();
    (0..limit.min(12))
        .map(|at| id_of(kind, 1_000 + start + at * 7))
        .collect()
}

/// An id as this kind of object has them.
pub fn id_of(kind: &str, number: usize) -> String {
    match kind {
        "Part" => format!("PMP-{:04}", number % 10_000),
        "StockLevel" => format!(
            "{}-PMP-{:04}",
            LOCATIONS[number % LOCATIONS.len()],
            number % 10_000
        ),
        _ => number.to_string(),
    }
}

impl Aviary {
    pub fn new(written: &Arc<Written>, faults_percent: u64) -> Aviary {
        Aviary {
            written: Arc::clone(written),
            numbers: Arc::new(Numbers::of(written)),
            asked: Arc::default(),
            faults_percent,
        }
    }

    /// Listens on a free port, and says where.
    pub fn host(&self) -> (Workers, SocketAddr) {
        let own = self.clone();
        let wanted = SocketAddr::from(([127, 0, 0, 1], 0));
        let workers = Workers::start(1, vec![ListenerSpec::new("aviary", wanted)], move |_| {
            own.clone()
        })
        .unwrap();
        let address = workers.address("aviary").unwrap();
        (workers, address)
    }

    fn reply(&self, method: &str, target: &str, body: &[u8]) -> Response {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path == "/health" {
            return Response::new(200, b"{}".to_vec());
        }
        let turn = self.asked.fetch_add(1, Ordering::Relaxed);
        let response = match self.written.find(method, path) {
            // Spread over everything, and the same in every run of the same requests.
            Some(_) if turn.wrapping_mul(0x9e37_79b9) % 100 < self.faults_percent => fault(turn),
            Some((operation, values)) => self.good(operation, &values, query, body),
            None => trouble(404),
        };
        decorated(response)
    }

    fn good(&self, operation: &Operation, values: &[String], query: &str, body: &[u8]) -> Response {
        let Some(schema) = &operation.response else {
            return Response::new(operation.status, Vec::new());
        };
        let sent: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let ids = match operation
            .resource
            .as_ref()
            .filter(|(prefix, _)| !prefix.is_empty())
        {
            Some(_) => page(operation, query),
            None => vec![
                values
                    .first()
                    .cloned()
                    .unwrap_or_else(|| fresh(operation, &sent)),
            ],
        };
        let value = self.value(operation, schema, "", &ids);
        Response::new(operation.status, serde_json::to_vec(&value).unwrap())
            .with("content-type", "application/json")
    }

    /// A value for a schema, a canary in every leaf.
    fn value(&self, operation: &Operation, schema: &Value, path: &str, ids: &[String]) -> Value {
        let schema = self.written.resolved(&operation.api, schema);
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            let mut members: Map<String, Value> = properties
                .iter()
                .map(|(name, below)| {
                    (
                        name.clone(),
                        self.value(operation, below, &joined(path, name), ids),
                    )
                })
                .collect();
            for name in ["_debug", "Id", "internal notes", "\u{212a}elvin"] {
                members.insert(
                    name.to_owned(),
                    json!(canary(operation, &joined(path, name), &ids[0])),
                );
            }
            members.insert("deep".into(), json!({ "id": canary(operation, &joined(path, "deep.id"), &ids[0]), "list": [[canary(operation, &joined(path, "deep.list"), &ids[0])]] }));
            return Value::Object(members);
        }
        if let Some(items) = schema.get("items") {
            let below = joined(path, "*");
            let is_page = operation
                .resource
                .as_ref()
                .is_some_and(|(prefix, _)| *prefix == below);
            let each = |id: &String| self.value(operation, items, &below, std::slice::from_ref(id));
            return if is_page {
                ids.iter().map(each).collect()
            } else {
                (0..2).map(|_| each(&ids[0])).collect()
            };
        }
        self.leaf(operation, path, &ids[0])
    }

    fn leaf(&self, operation: &Operation, path: &str, id: &str) -> Value {
        let (prefix, kind) = operation.resource.clone().unwrap_or_default();
        let inside = path
            .strip_prefix(&prefix)
            .unwrap_or(path)
            .trim_start_matches('.');
        if operation.resource.is_some() {
            // The ledger names objects; a part is named by its `sku`.
            if inside == "id" || (kind == "Part" && inside == "sku") {
                return json!(id);
            }
            if let Some((_, _, truth)) = truths(&kind, id)
                .into_iter()
                .find(|(_, field, _)| *field == inside)
            {
                return json!(truth);
            }
        }
        let kind = operation
            .fields
            .iter()
            .find(|(field, _)| field == path)
            .map_or("", |(_, kind)| kind);
        match kind {
            "boolean" => json!(true),
            "number" | "integer" => json!(self.numbers.get(operation, path)),
            _ => json!(canary(operation, path, id)),
        }
    }
}

/// The id of something just made: one whose truths are what was sent.
fn fresh(operation: &Operation, sent: &Value) -> String {
    let text = |name: &str| sent[name].as_str().unwrap_or_default();
    match operation.kind.as_str() {
        "ServiceRequest" => (1_000
            + SOURCES
                .iter()
                .position(|source| *source == text("source"))
                .unwrap_or(0))
        .to_string(),
        "StockLevel" => format!("{}-{}", text("location"), text("sku")),
        _ => "5001".to_owned(),
    }
}

/// Header fields that must stay here.
fn decorated(response: Response) -> Response {
    let names = [
        "server",
        "x-powered-by",
        "set-cookie",
        "location",
        "link",
        "content-location",
        "x-debug",
        "www-authenticate",
        "via",
        "warning",
        "proxy-status",
        "portcullis-decision",
        "access-control-allow-origin",
        "x-request-id",
        "date",
    ];
    names.iter().fold(response, |response, name| {
        response.with(name, format!("{MARK}header~{name}~~~"))
    })
}

/// An error as careless systems give them.
fn trouble(status: u16) -> Response {
    let body = json!({ "error": format!("{MARK}error~{status}~json~~"), "title": format!("{MARK}error~{status}~title~~"), "stack": [format!("{MARK}error~{status}~stack~~")] });
    Response::new(status, body.to_string().into_bytes())
        .with("content-type", "application/problem+json")
}

/// Answers that go wrong, each in its way.
fn fault(turn: u64) -> Response {
    let text = |status: u16, kind: &str, body: &str| {
        Response::new(status, body.replace("MARK", MARK).into_bytes()).with("content-type", kind)
    };
    match (turn / 7) % 16 {
        0 => text(
            500,
            "text/plain",
            "panic at MARKfault~500~text~~\npostgres://MARKfault~500~url~~",
        ),
        1 => text(503, "text/html", "<h1>MARKfault~503~html~~</h1>"),
        2 => text(302, "text/html", "moved MARKfault~302~html~~"),
        3 => text(200, "text/html", "<p>MARKfault~200~html~~</p>"),
        4 => text(200, "application/json", "{\"id\":\"MARKfault~200~cut~~"),
        5 => text(
            200,
            "application/json",
            "{\"id\":\"MARKfault~200~twice~~\",\"id\":\"MARKfault~200~twice~~\"}",
        ),
        6 => text(
            200,
            "application/json",
            "{\"MARKfault~200~key~~\":{\"MARKfault~200~key~~\":\"MARKfault~200~value~~\"}}",
        ),
        7 => text(
            200,
            "application/json",
            "[\"MARKfault~200~list~~\",{\"id\":\"MARKfault~200~list~~\"}]",
        ),
        8 => text(200, "application/json", "\"MARKfault~200~scalar~~\""),
        9 => text(
            200,
            "application/json",
            "{\"items\":{\"id\":\"MARKfault~200~shape~~\"},\"nextCursor\":[\"MARKfault~200~shape~~\"],\"id\":{\"id\":\"MARKfault~200~shape~~\"},\"lines\":\"MARKfault~200~shape~~\"}",
        ),
        10 => text(
            200,
            "application/json; charset=utf-16",
            "{\"id\":\"MARKfault~200~charset~~\"} trailing MARKfault~200~charset~~",
        ),
        11 => text(
            206,
            "application/json",
            "{\"status\":{\"id\":\"MARKfault~206~part~~\"}}",
        ),
        12 => Response::new(204, Vec::new()),
        13 => trouble(409),
        14 => trouble(404),
        _ => trouble(422),
    }
}

impl Service for Aviary {
    fn admit(&self, _address: IpAddr, _listener: &str) -> Result<(), &'static Reason> {
        Ok(())
    }

    async fn answer(&self, _peer: &Arc<Peer>, head: Head, body: &mut Body<'_>) -> Response {
        match body.read(1024 * 1024).await {
            Ok(bytes) => self.reply(head.method.as_str(), &head.target, &bytes),
            Err(fault) => Response::new(400, fault.to_string().into_bytes()),
        }
    }

    async fn refuse(&self, _peer: &Arc<Peer>, what: Unreadable) -> Response {
        Response::new(what.status, what.detail.into_bytes())
    }
}

/// Stops an upstream.
pub fn stop(workers: Workers) {
    workers.stop(Duration::from_millis(200));
}
