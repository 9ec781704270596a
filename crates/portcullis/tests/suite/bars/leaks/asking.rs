//! Random questions, the connection they are asked on, and what of an answer may differ between two servers.
//! Exports `Asked`, `Topic`, `Line`, `normal`, `whole`, `cursors`.
//! Start reading at `Asked::random`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use demo::CallResponse;
use serde_json::Value;

use super::model::{Caller, Object, PARTNERS, STATES, World};
use super::nothing::Nothing;
use super::random::Random;

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Objects,
    NestedReads,
    Wrappers,
    Neighbours,
    Lists,
    Filters,
    Cursors,
    Totals,
    ErrorBodies,
    Head,
    Writes,
    Searches,
    Maps,
    Grids,
    Handovers,
}

const TOPICS: [Topic; 15] = [
    Topic::Objects,
    Topic::NestedReads,
    Topic::Wrappers,
    Topic::Neighbours,
    Topic::Lists,
    Topic::Filters,
    Topic::Cursors,
    Topic::Totals,
    Topic::ErrorBodies,
    Topic::Head,
    Topic::Writes,
    Topic::Searches,
    Topic::Maps,
    Topic::Grids,
    Topic::Handovers,
];

/// What a legitimate call has to bring.
#[derive(Clone, Debug)]
pub enum Expected {
    /// Status 200 and this body.
    Body(Value),
    /// Status 200 and these items, at the root or below `items`.
    Items(Vec<Value>),
}

impl Expected {
    /// What is wrong with the answer, if anything is.
    pub fn differs(&self, response: &CallResponse) -> Option<String> {
        if response.status != 200 {
            return Some(format!("status {} {}", response.status, response.text()));
        }
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let (expected, found) = match self {
            Expected::Body(expected) => (expected.clone(), body),
            Expected::Items(items) => {
                let found = body.get("items").cloned().unwrap_or(body);
                (Value::Array(items.clone()), found)
            }
        };
        (expected != found).then(|| format!("expected {expected}, got {found}"))
    }
}

/// One question.
#[derive(Clone, Debug)]
pub struct Asked {
    pub topic: Topic,
    pub method: &'static str,
    pub target: String,
    pub body: String,
    pub expected: Option<Expected>,
}

impl Asked {
    // LONG: one arm per topic.
    pub fn random(world: &World, caller: usize, random: &mut Random) -> Asked {
        let topic = *random.pick(&TOPICS);
        let who = &world.callers[caller];
        let grant = random.pick(&who.grants);
        // Mostly kinds that the caller has to do with.
        let kind = if random.chance(85) {
            grant.kind
        } else {
            random.below(world.kinds.len())
        };
        let collection = world.kinds[kind].collection;
        let object = some_object(world, kind, topic, random);
        let id = match (&object, random.chance(4)) {
            (Some(object), false) => object.id(),
            _ => "zq7777-id".to_owned(),
        };
        let of = |method, target: String, body: &str, expected| Asked {
            topic,
            method,
            target,
            body: body.to_owned(),
            expected,
        };
        let visible = object
            .as_ref()
            .filter(|o| o.id() == id)
            .filter(|o| world.may_see(who, o) && o.failing.is_none());
        match topic {
            Topic::Objects | Topic::ErrorBodies => {
                let certain = visible.filter(|_| world.kinds[kind].is_certain());
                let expected = certain.map(|o| Expected::Body(world.shown(who, o)));
                of("GET", format!("/v1/{collection}/{id}"), "", expected)
            }
            Topic::Head => of("HEAD", format!("/v1/{collection}/{id}"), "", None),
            Topic::NestedReads => {
                let expected = visible
                    .map(|o| Expected::Body(serde_json::json!([{ "text": o.text("note") }])));
                of("GET", format!("/v1/{collection}/{id}/notes"), "", expected)
            }
            Topic::Wrappers => of("GET", format!("/v1/{collection}/{id}/full"), "", None),
            Topic::Neighbours => {
                let method = *random.pick(&["GET", "DELETE", "PATCH"]);
                let body = if method == "PATCH" {
                    r#"{"f0":"x"}"#
                } else {
                    ""
                };
                of(method, format!("/v1/{collection}/all"), body, None)
            }
            Topic::Writes => {
                let (method, body) = *random.pick(&[
                    ("PATCH", r#"{"f0":"x"}"#),
                    ("PATCH", r#"{"f1":"x"}"#),
                    ("DELETE", ""),
                ]);
                of(method, format!("/v1/{collection}/{id}"), body, None)
            }
            Topic::Searches => {
                let expected = all_seen(world, who, kind).map(Expected::Items);
                let words = r#"{"words":"a"}"#;
                of("POST", format!("/v1/{collection}/search"), words, expected)
            }
            Topic::Maps => of("GET", format!("/v1/{collection}/index"), "", None),
            Topic::Grids => of("GET", format!("/v1/{collection}/grid"), "", None),
            Topic::Handovers => of("POST", format!("/v1/{collection}/{id}/next"), "", None),
            Topic::Lists => {
                let expected = all_seen(world, who, kind).map(Expected::Items);
                of("GET", format!("/v1/{collection}"), "", expected)
            }
            Topic::Filters if random.chance(30) => {
                let state = *random.pick(&STATES);
                let expected = filtered(world, who, kind, state).map(Expected::Items);
                of(
                    "GET",
                    format!("/v1/{collection}?status={state}"),
                    "",
                    expected,
                )
            }
            Topic::Filters | Topic::Cursors | Topic::Totals => {
                let query = query(topic, world, kind, random);
                of("GET", format!("/v1/{collection}{query}"), "", None)
            }
        }
    }

    /// The same question for the next page.
    pub fn following(&self, cursor: &str) -> Asked {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let mut pairs: Vec<&str> = query
            .split('&')
            .filter(|p| !p.is_empty() && !p.starts_with("cursor="))
            .collect();
        let cursor = format!("cursor={cursor}");
        pairs.push(&cursor);
        Asked {
            target: format!("{path}?{}", pairs.join("&")),
            expected: None,
            ..self.clone()
        }
    }
}

/// What a list has to show to a caller who was granted lists of this kind.
fn all_seen(world: &World, who: &Caller, kind: usize) -> Option<Vec<Value>> {
    let has_grant = who.grants.iter().any(|g| g.kind == kind) && world.kinds[kind].is_certain();
    let objects = world.objects.iter().filter(|o| o.kind == kind);
    let seen = objects.filter(|o| world.may_see(who, o));
    let seen: Vec<Value> = seen.map(|o| world.shown(who, o)).collect();
    (has_grant && is_said(world, who, kind, &seen)).then_some(seen)
}

/// Whether a list is answered as one: where nothing can be hidden, an empty one reads as the system has it.
fn is_said(world: &World, who: &Caller, kind: usize, seen: &[Value]) -> bool {
    !seen.is_empty() || world.kinds[kind].nothing == Nothing::Empty || world.may_hide(who, kind)
}

/// What a filter by state has to find, where it has to be usable: the state is seen, and pages can be filled again.
fn filtered(world: &World, who: &Caller, kind: usize, state: &str) -> Option<Vec<Value>> {
    let grants: Vec<_> = who.grants.iter().filter(|g| g.kind == kind).collect();
    let is_seen = grants.iter().all(|g| g.fields.contains("status"));
    let shape = &world.kinds[kind];
    let is_usable = !grants.is_empty() && is_seen && shape.has_envelope && shape.is_certain();
    let objects = world.objects.iter().filter(|o| o.kind == kind);
    let found = objects.filter(|o| o.state == state && world.may_see(who, o));
    let found: Vec<Value> = found.map(|o| world.shown(who, o)).collect();
    (is_usable && is_said(world, who, kind, &found)).then_some(found)
}

fn some_object(world: &World, kind: usize, topic: Topic, random: &mut Random) -> Option<Object> {
    let all: Vec<&Object> = world.objects.iter().filter(|o| o.kind == kind).collect();
    let failing: Vec<&Object> = all
        .iter()
        .copied()
        .filter(|o| o.failing.is_some())
        .collect();
    match topic {
        Topic::ErrorBodies if !failing.is_empty() => Some((*random.pick(&failing)).clone()),
        _ if all.is_empty() => None,
        _ => Some((*random.pick(&all)).clone()),
    }
}

fn query(topic: Topic, world: &World, kind: usize, random: &mut Random) -> String {
    let mut pairs = Vec::new();
    let mut filters = vec!["status", "partner", "q", "sort"];
    if world.kinds[kind].has_site {
        filters.push("site");
    }
    let count = match topic {
        Topic::Filters => 1 + random.below(2),
        _ => random.below(2),
    };
    for _ in 0..count {
        let name = *random.pick(&filters);
        let value = match name {
            "status" => (*random.pick(&STATES)).to_owned(),
            "partner" => (*random.pick(&PARTNERS)).to_owned(),
            "sort" => (*random.pick(&["f1", "name"])).to_owned(),
            _ => {
                // Sites come first.
                let among = if name == "site" {
                    10
                } else {
                    world.objects.len()
                };
                let object = random.below(among);
                let text = world.objects[object].text("name");
                text[..2 + random.below(text.len() - 1)].to_owned()
            }
        };
        pairs.push(format!("{name}={value}"));
    }
    // Where a list has no cursor the page cannot be filled again, and its size tells: the manual says so.
    if topic != Topic::Filters && world.kinds[kind].has_envelope {
        pairs.push(format!("limit={}", 1 + random.below(6)));
    }
    if topic == Topic::Cursors && random.chance(30) {
        let all: Vec<&Object> = world.objects.iter().filter(|o| o.kind == kind).collect();
        let forged = all.first().map_or_else(|| "x".to_owned(), |o| o.id());
        pairs.push(format!("cursor={forged}"));
    }
    format!("?{}", pairs.join("&"))
}

/// A connection that stays open.
pub struct Line {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

impl Line {
    pub fn open(address: SocketAddr) -> Line {
        Line {
            address,
            stream: None,
        }
    }

    /// Asks and hears the whole answer. Panics when there is none.
    pub fn send(&mut self, asked: &Asked, key: &str) -> CallResponse {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nhost: gate.test\r\nauthorization: Bearer {key}\r\n",
            asked.method, asked.target
        );
        if !asked.body.is_empty() {
            text.push_str(&format!(
                "content-type: application/json\r\ncontent-length: {}\r\n",
                asked.body.len()
            ));
        }
        text.push_str("\r\n");
        text.push_str(&asked.body);
        let stream = self.stream.get_or_insert_with(|| {
            let stream = TcpStream::connect(self.address).expect("the listener accepts");
            stream.set_nodelay(true).expect("a socket option");
            stream
        });
        stream
            .write_all(text.as_bytes())
            .expect("the listener reads");
        let response = hear(stream, asked.method == "HEAD");
        if response
            .header("connection")
            .is_some_and(|c| c.eq_ignore_ascii_case("close"))
        {
            self.stream = None;
        }
        response
    }
}

fn hear(stream: &mut TcpStream, is_head: bool) -> CallResponse {
    let mut bytes = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        if let Some(end) = bytes
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .map(|at| at + 4)
        {
            let head = CallResponse::read(&bytes[..end]).expect("a head");
            let length = head
                .header("content-length")
                .map_or(0, |n| n.parse().expect("a length"));
            let whole = if is_head { end } else { end + length };
            if bytes.len() >= whole {
                assert_eq!(
                    bytes.len(),
                    whole,
                    "more than one answer: {}",
                    String::from_utf8_lossy(&bytes)
                );
                let mut response = head;
                response.body = bytes[end..whole].to_vec();
                return response;
            }
        }
        let count = stream.read(&mut piece).expect("the listener answers");
        assert!(
            count > 0,
            "the connection ended: {}",
            String::from_utf8_lossy(&bytes)
        );
        bytes.extend_from_slice(&piece[..count]);
    }
}

/// Everything that was told.
pub fn whole(response: &CallResponse) -> String {
    let fields: Vec<String> = response
        .headers
        .iter()
        .map(|(n, v)| format!("{n}: {v}"))
        .collect();
    format!(
        "{} {} {}",
        response.status,
        fields.join("; "),
        response.text()
    )
}

/// Everything that was told, without what always differs between two servers: decision ids, the date, and what is sealed
/// with a key of the server's own (of that, only the length counts).
pub fn normal(response: &CallResponse) -> String {
    let decision = response
        .header("portcullis-decision")
        .unwrap_or("none")
        .to_owned();
    let mut fields = Vec::new();
    for (name, value) in &response.headers {
        match name.as_str() {
            "date" => {}
            "etag" => fields.push(format!("etag: {}", value.len())),
            _ => fields.push(format!("{name}: {value}")),
        }
    }
    let mut body = response.text();
    if let Some(next) = next_of(response) {
        body = body.replace(&next, &"*".repeat(next.len()));
    }
    format!("{} {} {body}", response.status, fields.join("; ")).replace(&decision, "DECISION")
}

fn next_of(response: &CallResponse) -> Option<String> {
    let body: Value = serde_json::from_slice(&response.body).ok()?;
    Some(body.get("next")?.as_str()?.to_owned())
}

/// The cursors to the next page, where both answers have one.
pub fn cursors(one: &CallResponse, other: &CallResponse) -> Option<(String, String)> {
    Some((next_of(one)?, next_of(other)?))
}
