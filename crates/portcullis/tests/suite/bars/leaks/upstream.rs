//! The company's system of a world: careless, it tells everything to everybody; in the other world what the caller may not
//! learn is different.
//! Exports `start`.
//! Start reading at `handle`.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use testkit::{Play, Received, RecordingUpstream, answer};

use super::model::{Object, World, Wrapper};
use super::nothing::Nothing;

/// Listens. `is_other` says which of the two worlds it is.
pub fn start(world: &World, is_other: bool) -> RecordingUpstream {
    let world = Arc::new(world.clone());
    let objects: HashMap<String, Vec<Object>> = world
        .callers
        .iter()
        .map(|caller| {
            let objects = if is_other {
                world.changed_for(caller)
            } else {
                world.objects.clone()
            };
            (caller.name.clone(), objects)
        })
        .collect();
    RecordingUpstream::start(move |asked| {
        let caller = caller_of(asked);
        let objects = objects.get(&caller).map(Vec::as_slice).unwrap_or_default();
        Play::Response(handle(&world, objects, asked, is_other))
    })
}

/// Who is calling, as the gateway says (`sub` of its token).
fn caller_of(asked: &Received) -> String {
    let token = asked.header("portcullis-identity").unwrap_or_default();
    let claims = token.split('.').nth(1).and_then(crypto::text::unbase64url);
    let claims: Value = serde_json::from_slice(&claims.unwrap_or_default()).unwrap_or_default();
    claims["sub"].as_str().unwrap_or_default().to_owned()
}

fn handle(world: &World, objects: &[Object], asked: &Received, is_other: bool) -> Vec<u8> {
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let steps: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    let collection = steps.first().copied().unwrap_or_default();
    let Some(kind) = world.kinds.iter().position(|k| k.collection == collection) else {
        return error(404, "none", is_other);
    };
    let own: Vec<&Object> = objects.iter().filter(|o| o.kind == kind).collect();
    let render = |object: &Object| world.render(object, objects);
    let even = |object: &Object| even(world, object, objects);
    match (asked.method.as_str(), &steps[1..]) {
        ("GET", []) => list(world, kind, &own, query, objects, is_other),
        ("DELETE", ["all"]) => said(
            200,
            &Value::Array(own.iter().map(|o| render(o)).collect()),
            None,
        ),
        ("POST", ["search"]) | ("GET", ["all" | "index" | "grid"]) if own.is_empty() => {
            nothing(world, kind, false, is_other)
        }
        ("POST", ["search"]) | ("GET", ["all"]) => said(
            200,
            &Value::Array(own.iter().map(|o| render(o)).collect()),
            None,
        ),
        // Where objects stand in no one list, what breaks an enforced contract refuses the whole answer.
        ("GET", ["index"]) => {
            let none = own
                .iter()
                .filter(|o| o.number % 5 == 0 && !world.is_enforced);
            let none = none.map(|o| (format!("none-{}", o.number), Value::Null));
            let all = own.iter().map(|o| (o.id(), even(o)));
            said(200, &Value::Object(all.chain(none).collect()), None)
        }
        ("GET", ["grid"]) => said(200, &grid(&own, even), None),
        (method, [id, rest @ ..]) => {
            let Some(object) = own.iter().find(|o| o.id() == *id) else {
                return error(world.kinds[kind].absent, id, is_other);
            };
            if let Some(status) = object.failing {
                return error(status, id, is_other);
            }
            match (method, rest) {
                ("GET" | "HEAD" | "PATCH", []) => said(200, &render(object), Some(object)),
                ("DELETE", []) => answer(204, &[], b""),
                ("GET", ["full"]) => {
                    // Every third object is missing from its own wrapper.
                    let is_null =
                        world.kinds[kind].wrapper == Wrapper::Nullable && object.number % 3 == 0;
                    let data = if is_null { Value::Null } else { render(object) };
                    said(200, &json!({ "data": data }), Some(object))
                }
                ("POST", ["next"]) => {
                    let next = objects.iter().find(|o| object.parent == Some(o.number));
                    match (next, world.kinds[kind].nothing) {
                        (Some(next), _) => said(200, &render(next), Some(next)),
                        (None, Nothing::NoBody) => answer(204, &[], b""),
                        (None, _) => said(200, &Value::Null, None),
                    }
                }
                ("GET", ["notes"]) => {
                    said(200, &json!([{ "text": object.text("note") }]), Some(object))
                }
                _ => error(404, id, is_other),
            }
        }
        _ => error(404, "none", is_other),
    }
}

/// The object, without what breaks the contract in it.
fn even(world: &World, object: &Object, objects: &[Object]) -> Value {
    let even = Object {
        is_odd: false,
        ..object.clone()
    };
    world.render(&even, objects)
}

/// Rows of neighbours. They are made by what the objects are, and not by how many there are.
fn grid(own: &[&Object], render: impl Fn(&Object) -> Value) -> Value {
    let mut all = own.to_vec();
    all.sort_by_key(|o| o.number);
    let rows = all.chunk_by(|a, b| a.number / 3 == b.number / 3);
    rows.map(|row| row.iter().map(|o| render(o)).collect::<Value>())
        .collect()
}

/// Filters, sorts, counts and cuts as such systems do: over everything there is.
fn list(
    world: &World,
    kind: usize,
    own: &[&Object],
    query: &str,
    objects: &[Object],
    is_other: bool,
) -> Vec<u8> {
    let asked: HashMap<&str, &str> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    let mut found: Vec<&Object> = own
        .iter()
        .copied()
        .filter(|o| asked.get("status").is_none_or(|state| o.state == *state))
        .filter(|o| {
            asked
                .get("partner")
                .is_none_or(|partner| o.partner == Some(partner))
        })
        .filter(|o| {
            asked
                .get("q")
                .is_none_or(|start| o.text("name").starts_with(start))
        })
        .filter(|o| {
            let site = || objects.iter().find(|s| o.site == Some(s.number));
            asked
                .get("site")
                .is_none_or(|start| site().is_some_and(|s| s.text("name").starts_with(start)))
        })
        .collect();
    sort(&mut found, asked.get("sort").copied());
    let total = found.len();
    if let Some(cursor) = asked.get("cursor") {
        let at = found
            .iter()
            .position(|o| o.id() == *cursor)
            .unwrap_or(found.len());
        found.drain(..at);
    }
    let limit = asked
        .get("limit")
        .and_then(|n| n.parse().ok())
        .unwrap_or(100);
    let next = found.get(limit).map(|o| o.id());
    found.truncate(limit);
    if found.is_empty() {
        return nothing(world, kind, world.kinds[kind].has_envelope, is_other);
    }
    let items: Vec<Value> = found.iter().map(|o| world.render(o, objects)).collect();
    let body = if world.kinds[kind].has_envelope {
        json!({ "items": items, "total": total, "next": next })
    } else {
        Value::Array(items)
    };
    let mut fields = json_fields();
    fields.push(("x-total-count".into(), total.to_string()));
    if let Some(next) = next {
        fields.push((
            "link".into(),
            format!("</v1/x?cursor={next}>; rel=\"next\""),
        ));
    }
    answer(200, &fields, body.to_string().as_bytes())
}

fn sort(found: &mut [&Object], by: Option<&str>) {
    match by {
        Some("f1") => found.sort_by_key(|o| o.text("f1")),
        Some("name") => found.sort_by_key(|o| std::cmp::Reverse(o.text("name"))),
        _ => {}
    }
}

/// A list without anything in it, as the kind says so.
fn nothing(world: &World, kind: usize, has_envelope: bool, is_other: bool) -> Vec<u8> {
    let said = |body: Value| said(200, &body, None);
    match (world.kinds[kind].nothing, has_envelope) {
        (Nothing::NoBody, _) => answer(204, &[], b""),
        (Nothing::Status(status), _) => error(status, "none", is_other),
        (Nothing::Empty, true) => said(json!({ "items": [], "total": 0, "next": null })),
        (Nothing::Null, true) => said(json!({ "items": null })),
        (Nothing::LeftOut, true) => said(json!({})),
        (Nothing::Empty, false) => said(json!([])),
        (Nothing::Null | Nothing::LeftOut, false) => said(Value::Null),
    }
}

fn json_fields() -> Vec<(String, String)> {
    vec![("content-type".into(), "application/json".into())]
}

fn said(status: u16, body: &Value, about: Option<&Object>) -> Vec<u8> {
    let mut fields = json_fields();
    if let Some(object) = about {
        // Versions count what was changed, whoever may see it.
        fields.push(("etag".into(), format!("\"{}\"", object.text("f1"))));
        fields.push(("x-internal".into(), object.text("f0")));
        fields.push(("set-cookie".into(), format!("s={}", object.text("f0"))));
    }
    answer(status, &fields, body.to_string().as_bytes())
}

/// Errors that say too much.
fn error(status: u16, id: &str, is_other: bool) -> Vec<u8> {
    let mark = if is_other { "b" } else { "a" };
    let body = json!({ "code": "no", "message": format!("zq9999-0{mark} {id}"), "stack": format!("zq9999-1{mark}") });
    let mut fields = json_fields();
    if status == 503 {
        fields.push(("retry-after".into(), "7".into()));
    }
    fields.push(("location".into(), format!("/zq9999-2{mark}")));
    answer(status, &fields, body.to_string().as_bytes())
}
