//! What the operations of v2 do. Nothing here checks anything: that is the gateway's trade.
//! Exports `perform`.
//! Used by fieldworks.
//! Start reading at `perform`.

use model::{Json, Response};

use super::lists::debugged;
use super::route::{Action, Route};
use super::{Ask, json, lists, lost};
use crate::data::{Kind, World};
use crate::object;
use crate::record::{Fixed, only, put, text};

/// The moment fieldworks believes it is; a fixed one keeps answers reproducible.
const NOW: &str = "2026-11-20T09:30:00.000Z";

/// Performs one operation.
pub fn perform(world: &mut World, route: &Route, ask: &Ask<'_>) -> Response {
    match route.action {
        Action::List(kind) => json(200, lists::page(world, kind, ask)),
        Action::Get(kind) => found(world.get(kind, ask.id()).cloned(), ask),
        Action::Part(kind, members) => {
            found(world.get(kind, ask.id()).map(|r| only(r, members)), ask)
        }
        Action::Create(kind) => create(world, kind, ask),
        Action::Patch(kind) => changed(world, kind, ask, |record| merge(record, &ask.body)),
        Action::Mark(kind, member, value) => {
            changed(world, kind, ask, |record| mark(record, member, value))
        }
        Action::Delete(kind) => match world.remove(kind, ask.id()) {
            Some(_) => Response::new(204, Vec::new()),
            None => lost(ask.id()),
        },
        Action::Own(own) => (own.0)(world, ask),
    }
}

fn found(record: Option<Json>, ask: &Ask<'_>) -> Response {
    let Some(record) = record else {
        return lost(ask.id());
    };
    let version = record.get("version").and_then(Json::as_i64).unwrap_or(1);
    json(200, debugged(record)).with("etag", format!("\"{version}\""))
}

fn changed(
    world: &mut World,
    kind: Kind,
    ask: &Ask<'_>,
    change: impl FnOnce(&mut Json),
) -> Response {
    let Some(record) = world.get_mut(kind, ask.id()) else {
        return lost(ask.id());
    };
    change(record);
    let version = record.get("version").and_then(Json::as_i64).unwrap_or(1);
    put(record, "version", version.saturating_add(1));
    put(record, "updatedAt", NOW);
    found(Some(record.clone()), ask)
}

fn mark(record: &mut Json, member: &str, value: &str) {
    put(record, member, value);
    if value == "completed" {
        put(record, "completedAt", NOW);
    }
}

/// Puts every member of the body over the record, deeply; also members that exist nowhere.
fn merge(record: &mut Json, body: &Json) {
    let Json::Object(members) = body else { return };
    for (name, value) in members {
        let mut merged = record.get(name).cloned().unwrap_or(Json::Null);
        match (&mut merged, value) {
            (Json::Object(_), Json::Object(_)) => merge(&mut merged, value),
            _ => merged = value.clone(),
        }
        put(record, name, merged);
    }
}

/// A new record: the defaults of its kind, then whatever the body holds.
fn create(world: &mut World, kind: Kind, ask: &Ask<'_>) -> Response {
    let id = world.free_id(kind);
    let mut record = newborn(world, kind, ask, &id);
    merge(&mut record, &ask.body);
    put(&mut record, "id", id.as_str());
    world.add(kind, record.clone());
    json(201, debugged(record)).with("location", id)
}

/// The members a new record has whatever the body says. A record of the same kind lends the rest.
fn newborn(world: &World, kind: Kind, ask: &Ask<'_>, id: &str) -> Json {
    let mut record = world.all(kind).next().cloned().unwrap_or(Json::Null);
    let prefix = match kind {
        Kind::Customer => "C-",
        Kind::ServiceRequest => "SR-2026-",
        Kind::WorkOrder => "WO-2026-",
        Kind::Invoice => "INV-2026-",
        _ => "",
    };
    if !prefix.is_empty() {
        put(&mut record, "number", format!("{prefix}{id:0>5}"));
    }
    let status = match kind {
        Kind::ServiceRequest => Some("new"),
        Kind::WorkOrder => Some("open"),
        Kind::Invoice => Some("issued"),
        _ => None,
    };
    if let Some(status) = status {
        put(&mut record, "status", status);
    }
    if kind == Kind::WorkOrder {
        put(&mut record, "completedAt", Json::Null);
        embed(world, &mut record, ask);
    }
    put(&mut record, "createdAt", NOW);
    put(&mut record, "updatedAt", NOW);
    put(&mut record, "version", 1i64);
    record
}

/// A work order repeats its customer and its site.
fn embed(world: &World, record: &mut Json, ask: &Ask<'_>) {
    if let Some(site) = world.get(Kind::Site, text(&ask.body, "siteId")) {
        put(
            record,
            "site",
            only(site, &["id", "name", "address", "accessCode"]),
        );
        if let Some(customer) = world.get(Kind::Customer, text(site, "customerId")) {
            put(
                record,
                "customer",
                only(
                    customer,
                    &["id", "legalName", "name", "taxId", "email", "phone", "iban"],
                ),
            );
        }
    }
}

/// `mergeCustomers`: the other one becomes a pointer to this one.
pub fn merge_customers(world: &mut World, ask: &Ask<'_>) -> Response {
    let other = text(&ask.body, "duplicateId").to_owned();
    if let Some(record) = world.get_mut(Kind::Customer, &other) {
        put(record, "state", "merged");
    }
    changed(world, Kind::Customer, ask, |_| {})
}

/// `reportAssetReading`: kept as the plant's last reading.
pub fn report_reading(world: &mut World, ask: &Ask<'_>) -> Response {
    let Some(asset) = world.get_mut(Kind::Asset, ask.id()) else {
        return lost(ask.id());
    };
    let reading = only(&ask.body, &["at", "metric", "value", "unit"]);
    put(asset, "lastReading", reading);
    json(202, object! { "assetId": ask.id(), "accepted": 1i64 })
}

/// `convertServiceRequest`: a work order for it.
pub fn convert_request(world: &mut World, ask: &Ask<'_>) -> Response {
    let Some(request) = world.get(Kind::ServiceRequest, ask.id()).cloned() else {
        return lost(ask.id());
    };
    let id = world.free_id(Kind::WorkOrder);
    let mut order = newborn(world, Kind::WorkOrder, ask, &id);
    put(&mut order, "id", id.as_str());
    put(&mut order, "description", text(&request, "description"));
    world.add(Kind::WorkOrder, order.clone());
    if let Some(request) = world.get_mut(Kind::ServiceRequest, ask.id()) {
        put(request, "status", "converted");
        put(request, "workOrderId", id);
    }
    json(201, debugged(order))
}

/// `addWorkOrderNote`.
pub fn add_note(world: &mut World, ask: &Ask<'_>) -> Response {
    let Some(order) = world.get_mut(Kind::WorkOrder, ask.id()) else {
        return lost(ask.id());
    };
    let note = object! { "at": NOW, "author": "dispatch", "text": text(&ask.body, "text") };
    let mut notes = order.get("internalNotes").cloned().unwrap_or(Json::Null);
    if let Json::List(list) = &mut notes {
        list.push(note.clone());
    }
    put(order, "internalNotes", notes);
    json(201, note)
}

/// `setWorkOrderExternalRef`.
pub fn set_external_ref(world: &mut World, ask: &Ask<'_>) -> Response {
    let system = ask.params.get(1).cloned().unwrap_or_default();
    let value = text(&ask.body, "value").to_owned();
    let Some(order) = world.get_mut(Kind::WorkOrder, ask.id()) else {
        return lost(ask.id());
    };
    let mut refs = order.get("externalRefs").cloned().unwrap_or(Json::Null);
    put(&mut refs, &system, value.as_str());
    put(order, "externalRefs", refs);
    json(200, object! { "system": system, "value": value })
}

/// `recordPartUsage`.
pub fn record_part_usage(world: &mut World, ask: &Ask<'_>) -> Response {
    if world.get(Kind::WorkOrder, ask.id()).is_none() {
        return lost(ask.id());
    }
    let mut usage = object! {
        "id": world.free_id(Kind::PartUsage),
        "workOrderId": ask.id(),
        "unitCost": Fixed(1_234),
        "reversed": false,
        "createdAt": NOW,
    };
    merge(&mut usage, &ask.body);
    world.add(Kind::PartUsage, usage.clone());
    json(201, debugged(usage))
}

/// `reversePartUsage`.
pub fn reverse_part_usage(world: &mut World, ask: &Ask<'_>) -> Response {
    let usage = ask.params.get(1).cloned().unwrap_or_default();
    let Some(record) = world.get_mut(Kind::PartUsage, &usage) else {
        return lost(&usage);
    };
    put(record, "reversed", true);
    json(200, debugged(record.clone()))
}

/// `upsertPart`.
pub fn upsert_part(world: &mut World, ask: &Ask<'_>) -> Response {
    if world.get(Kind::Part, ask.id()).is_some() {
        return changed(world, Kind::Part, ask, |record| merge(record, &ask.body));
    }
    let mut part = object! { "id": ask.id(), "sku": ask.id(), "state": "listed", "updatedAt": NOW, "version": 1i64 };
    merge(&mut part, &ask.body);
    world.add(Kind::Part, part.clone());
    json(201, debugged(part))
}

/// `applyStockMovement`: the level is replaced by what was counted or moved by a difference.
pub fn apply_stock_movement(world: &mut World, ask: &Ask<'_>) -> Response {
    let id = format!("{}-{}", text(&ask.body, "location"), text(&ask.body, "sku"));
    let Some(level) = world.get_mut(Kind::StockLevel, &id) else {
        return lost(&id);
    };
    put(level, "quantity", ask.body.get("quantity").cloned());
    put(level, "updatedAt", NOW);
    json(201, debugged(level.clone()))
}

/// `recordPayment`.
pub fn record_payment(world: &mut World, ask: &Ask<'_>) -> Response {
    changed(world, Kind::Invoice, ask, |invoice| {
        put(invoice, "status", "paid");
        put(invoice, "paidAmount", ask.body.get("amount").cloned());
    })
}

/// `rotateSubscriptionSecret`: the new secret is the old one's neighbour, as careless systems do.
pub fn rotate_secret(world: &mut World, ask: &Ask<'_>) -> Response {
    changed(world, Kind::Subscription, ask, |record| {
        let next = format!("{}-next", text(record, "secret"));
        put(record, "secret", next);
    })
}

/// `replayEvents`.
pub fn replay_events(world: &mut World, _ask: &Ask<'_>) -> Response {
    let count = i64::try_from(world.count(Kind::Event)).unwrap_or(0);
    json(202, object! { "queued": count })
}
