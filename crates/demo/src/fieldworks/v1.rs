//! The old interface: other names, the same records, the same carelessness.
//! Exports `answer`.
//! Used by fieldworks for paths below `/v1`.
//! Start reading at `answer`.

use model::json::Bounds;
use model::{Json, Method, Response};

use super::{Ask, json, lists, lost, routes};
use crate::data::{Kind, World};
use crate::object;
use crate::record::text;

/// An operation of v1: operation, path template, what it shows, and how.
type Old = (&'static str, &'static str, Kind, fn(&Json) -> Json);

/// The readable half of v1: each a list and a single record.
pub const READS: &[Old] = &[
    ("WorkOrder", "work-orders", Kind::WorkOrder, order),
    ("Customer", "customers", Kind::Customer, customer),
    ("Site", "sites", Kind::Site, site),
    ("Invoice", "invoices", Kind::Invoice, invoice),
];

/// Answers an operation of v1.
pub fn answer(
    world: &mut World,
    method: Method,
    segments: &[String],
    query: &[(String, String)],
    body: &[u8],
) -> Response {
    let body = model::json::parse(body, Bounds::default()).unwrap_or(Json::Null);
    let mut ask = Ask {
        params: Vec::new(),
        query,
        body,
    };
    match (method, segments) {
        (Method::Post, [noun]) if noun == "tickets" => ticket(world, &ask),
        (Method::Get, [noun]) if noun == "articles" => list(world, Kind::Part, article, &ask),
        (Method::Get, [noun, ..]) => {
            let Some((_, template, kind, show)) =
                READS.iter().find(|(_, template, ..)| template == noun)
            else {
                return lost(noun);
            };
            let Some(params) = routes::matched(&format!("{template}/{{}}"), segments) else {
                return if segments.len() == 1 {
                    list(world, *kind, *show, &ask)
                } else {
                    lost(noun)
                };
            };
            ask.params = params;
            world
                .get(*kind, ask.id())
                .map_or_else(|| lost(ask.id()), |record| json(200, show(record)))
        }
        _ => lost(&segments.join("/")),
    }
}

fn list(world: &World, kind: Kind, show: fn(&Json) -> Json, ask: &Ask<'_>) -> Response {
    let (items, cursor) = lists::records(world, kind, ask);
    let items: Vec<Json> = items.into_iter().map(show).collect();
    json(200, object! { "items": items, "next_cursor": cursor })
}

fn ticket(world: &mut World, ask: &Ask<'_>) -> Response {
    let id = world.free_id(Kind::ServiceRequest);
    let record = object! {
        "id": id.as_str(), "number": format!("SR-2026-{id:0>5}"), "status": "new", "source": "portal",
        "description": text(&ask.body, "text"), "customerId": text(&ask.body, "customer_id"),
        "createdAt": "2026-11-20T09:30:00.000Z", "updatedAt": "2026-11-20T09:30:00.000Z", "version": 1i64,
    };
    world.add(Kind::ServiceRequest, record);
    json(201, object! { "ticket_id": id })
}

fn copy(record: &Json, dotted: &str) -> Json {
    record.at(dotted).cloned().unwrap_or(Json::Null)
}

fn order(record: &Json) -> Json {
    object! {
        "id": copy(record, "id"), "no": copy(record, "number"), "state": copy(record, "status"),
        "customer_id": copy(record, "customer.id"), "customer_name": copy(record, "customer.legalName"),
        "done_at": copy(record, "completedAt"), "partner": copy(record, "assignment.partnerId"),
        "net_amount": copy(record, "totals.net"), "cost": copy(record, "totals.cost"),
        "remarks": copy(record, "resolution"), "internal_remarks": copy(record, "dispatcherNotes"),
        "door_code": copy(record, "site.accessCode"),
    }
}

fn customer(record: &Json) -> Json {
    object! {
        "id": copy(record, "id"), "name": copy(record, "legalName"), "vat": copy(record, "taxId"),
        "mail": copy(record, "email"), "tel": copy(record, "phone"), "iban": copy(record, "iban"),
        "credit_limit": copy(record, "creditLimit"), "remarks": copy(record, "internalNotes"),
    }
}

fn site(record: &Json) -> Json {
    object! {
        "id": copy(record, "id"), "customer_id": copy(record, "customerId"), "name": copy(record, "name"),
        "town": copy(record, "address.city"), "door_code": copy(record, "accessCode"),
    }
}

fn invoice(record: &Json) -> Json {
    object! {
        "id": copy(record, "id"), "no": copy(record, "number"), "customer_id": copy(record, "customerId"),
        "gross": copy(record, "totals.gross"), "margin": copy(record, "totals.margin"), "paid": copy(record, "paidAmount"),
    }
}

fn article(record: &Json) -> Json {
    object! {
        "sku": copy(record, "sku"), "name": copy(record, "name"), "price": copy(record, "listPrice"),
        "cost": copy(record, "unitCost"),
    }
}
