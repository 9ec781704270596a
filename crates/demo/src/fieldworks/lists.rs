//! Lists: filters, search, pages with a cursor.
//! Exports `page`, `records`, `debugged`.
//! Used by actions and v1.
//! Start reading at `page`.

use model::Json;

use super::Ask;
use crate::data::{Kind, World};
use crate::object;
use crate::record::{put, text};

/// Items of a page when the caller does not say.
const LIMIT_USUAL: usize = 20;
/// Most items of a page.
const LIMIT_MAX: usize = 100;

/// A filter: query parameter, and the members it may mean.
const FILTERS: &[(&str, &[&str])] = &[
    ("status", &["status"]),
    ("state", &["state"]),
    ("number", &["number"]),
    ("type", &["type"]),
    ("source", &["source"]),
    ("customerId", &["customerId", "customer.id"]),
    ("siteId", &["siteId", "site.id"]),
    ("assetId", &["assetId", "asset.id"]),
    ("workOrderId", &["workOrderId"]),
    ("technicianId", &["technicianId", "assignment.technicianId"]),
    ("partnerId", &["partnerId", "assignment.partnerId"]),
    ("location", &["location"]),
    ("sku", &["sku"]),
];

/// Members a search looks into.
const SEARCHED: &[&str] = &[
    "name",
    "legalName",
    "displayName",
    "title",
    "description",
    "number",
    "customer.name",
    "email",
];

/// The records that fit, from the cursor on: `(items, nextCursor)`. Nobody's ownership is asked for.
pub fn records<'a>(world: &'a World, kind: Kind, ask: &Ask<'_>) -> (Vec<&'a Json>, Option<String>) {
    let limit = ask
        .query("limit")
        .and_then(|l| l.parse().ok())
        .unwrap_or(LIMIT_USUAL)
        .clamp(1, LIMIT_MAX);
    let start = ask
        .query("cursor")
        .and_then(|c| c.strip_prefix("after-"))
        .unwrap_or_default();
    let mut fitting = world.after(kind, start).filter(|record| fits(record, ask));
    let items: Vec<&Json> = fitting.by_ref().take(limit).collect();
    let has_more = fitting.next().is_some();
    let cursor = items
        .last()
        .filter(|_| has_more)
        .map(|last| format!("after-{}", text(last, "id")));
    (items, cursor)
}

/// One page as it is sent.
pub fn page(world: &World, kind: Kind, ask: &Ask<'_>) -> Json {
    let (items, cursor) = records(world, kind, ask);
    let items: Vec<Json> = items.into_iter().cloned().map(debugged).collect();
    object! { "items": items, "nextCursor": cursor }
}

/// A record with the members nobody declared.
pub fn debugged(mut record: Json) -> Json {
    let row = i64::try_from(text(&record, "id").len()).unwrap_or(0);
    put(&mut record, "_rowid", row * 7_919);
    record
}

fn fits(record: &Json, ask: &Ask<'_>) -> bool {
    ask.query.iter().all(|(name, wanted)| match name.as_str() {
        "q" => contains(record, &wanted.to_lowercase()),
        "updatedSince" => text(record, "updatedAt") >= wanted.as_str(),
        _ => match FILTERS.iter().find(|(filter, _)| filter == name) {
            Some((_, members)) => members.iter().any(|member| text(record, member) == wanted),
            None => true,
        },
    })
}

fn contains(record: &Json, wanted: &str) -> bool {
    SEARCHED
        .iter()
        .any(|member| text(record, member).to_lowercase().contains(wanted))
}
