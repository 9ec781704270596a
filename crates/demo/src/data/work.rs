//! What customers asked for, what is done about it, and who drives there when.
//! Exports `service_requests`, `work_orders`, `visits`, `events`.
//! Used by `World::grow`, after people, places and goods.
//! Start reading at `work_orders`.

use model::Json;

use super::people::{ascii, phone};
use super::words::{
    COUNTRIES, DISPATCH_NOTES, FAMILY, GIVEN, INTERNAL_NOTES, REPORTS, RESOLUTIONS,
};
use super::{
    Kind, PARTNERS, WORK_ORDER_CURSED, WORK_ORDER_FIRST, WORK_ORDERS, World, goods, moment,
};
use crate::object;
use crate::record::{Fixed, only, put, text};
use crate::split_mix::SplitMix64;

/// Three hundred requests in many languages.
pub fn service_requests(world: &mut World, random: &mut SplitMix64) {
    let assets: Vec<Json> = world.all(Kind::Asset).cloned().collect();
    for number in 1i64..=300 {
        let Some(asset) = picked(&assets, random) else {
            return;
        };
        let (language, report) = random.pick(REPORTS);
        let (given, family) = (random.pick(GIVEN), random.pick(FAMILY));
        let created = moment(random.between(0, 258), random.between(380, 1_180));
        let record = object! {
            "id": (600 + number).to_string(),
            "number": format!("SR-2026-{number:05}"),
            "customerId": text(asset, "customerId"),
            "siteId": text(asset, "siteId"),
            "assetId": text(asset, "id"),
            "source": random.pick(&["portal", "phone", "crm", "mail", "thermo"]),
            "category": random.pick(&["fault", "maintenance", "installation", "advice"]),
            "priority": random.pick(&["low", "normal", "normal", "high", "emergency"]),
            "status": random.pick(&["new", "accepted", "accepted", "rejected", "converted"]),
            "language": language,
            "description": report,
            "reportedBy": object! {
                "name": format!("{given} {family}"),
                "email": format!("{}.{}@mail.example", ascii(given), ascii(family)),
                "phone": phone(random.pick(COUNTRIES), random),
            },
            "callNotes": random.pick(INTERNAL_NOTES),
            "complaintFlag": random.is_lucky(12),
            "priorityScore": random.between(1, 1_000),
            "workOrderId": Json::Null,
            "createdAt": created,
            "updatedAt": created,
            "version": 1i64,
        };
        world.add(Kind::ServiceRequest, record);
    }
}

/// Twelve hundred work orders with prices, costs, codes and notes in one record, as real systems have them.
pub fn work_orders(world: &mut World, random: &mut SplitMix64) {
    let assets: Vec<Json> = world.all(Kind::Asset).cloned().collect();
    for at in 0..WORK_ORDERS {
        let Some(asset) = picked(&assets, random) else {
            return;
        };
        let number = WORK_ORDER_FIRST + at;
        let (status, partner) = fate(number, random);
        let day = random.between(0, 250);
        let mut record = order_head(number, status, day, random);
        let site = world.get(Kind::Site, text(asset, "siteId"));
        let customer = world.get(Kind::Customer, text(asset, "customerId"));
        let (lines, totals) = goods::lines(world, random);
        if let (Some(site), Some(customer)) = (site, customer) {
            put(&mut record, "customer", customer_of(customer));
            put(&mut record, "site", only(site, SITE_MEMBERS));
        }
        put(
            &mut record,
            "asset",
            only(asset, &["id", "manufacturer", "model", "serial"]),
        );
        put(&mut record, "assignment", assignment(partner, random));
        put(&mut record, "lines", lines);
        put(&mut record, "totals", totals);
        put(&mut record, "margin", Fixed(random.between(-500, 4_800)));
        office_members(&mut record, status, day, random);
        world.add(Kind::WorkOrder, record);
    }
}

/// Members of a customer that every work order repeats.
fn customer_of(customer: &Json) -> Json {
    only(
        customer,
        &[
            "id",
            "legalName",
            "name",
            "taxId",
            "email",
            "billingEmail",
            "phone",
            "billingAddress",
            "iban",
            "creditLimit",
            "paymentTermsDays",
            "discountPercent",
        ],
    )
}

/// Members of a site that every work order repeats.
const SITE_MEMBERS: &[&str] = &[
    "id",
    "name",
    "address",
    "location",
    "contactName",
    "contactPhone",
    "accessCode",
    "alarmCode",
    "keySafe",
];

/// Status and partner; those of the tour are fixed whatever the seed.
fn fate(number: i64, random: &mut SplitMix64) -> (&'static str, &'static str) {
    let status = random.pick(&[
        "open",
        "scheduled",
        "in_progress",
        "completed",
        "completed",
        "completed",
        "invoiced",
        "invoiced",
        "cancelled",
    ]);
    let partner = random.pick(&PARTNERS);
    match number {
        4_711 => ("completed", "north-star"),
        4_712 => ("in_progress", "blue-river"),
        4_713 => ("scheduled", "north-star"),
        4_714 => ("completed", "blue-river"),
        _ if number.to_string() == WORK_ORDER_CURSED => ("completed", "brightline"),
        _ => (status, partner),
    }
}

fn order_head(number: i64, status: &str, day: i64, random: &mut SplitMix64) -> Json {
    let (language, report) = random.pick(REPORTS);
    let kind = random.pick(&["repair", "maintenance", "installation", "inspection"]);
    let start = moment(day + 3, random.pick(&[420, 480, 540, 600, 780, 840]));
    object! {
        "id": number.to_string(),
        "number": format!("WO-2026-{number:05}"),
        "type": kind,
        "status": status,
        "priority": random.pick(&["low", "normal", "normal", "high", "emergency"]),
        "title": format!("{} visit, {}", kind, random.pick(&["boiler room", "roof", "cellar", "plant room 2", "kitchen"])),
        "description": report,
        "language": language,
        "createdAt": moment(day, random.between(400, 1_100)),
        "updatedAt": moment(day + 4, random.between(400, 1_100)),
        "window": object! { "from": start, "until": start.plus(std::time::Duration::from_secs(7_200)) },
        "completedAt": matches!(status, "completed" | "invoiced").then(|| moment(day + 3, random.between(500, 1_050))),
        "tenantId": "brightline",
        "version": random.between(1, 9),
    }
}

fn assignment(partner: &str, random: &mut SplitMix64) -> Json {
    object! {
        "partnerId": partner,
        "technicianId": random.between(101, 140).to_string(),
        "crew": random.between(1, 3),
        "hourlyCost": Fixed(random.between(2_100, 4_900)),
        "partnerRate": Fixed(random.between(5_500, 7_900)),
    }
}

/// What the office keeps in the same record.
fn office_members(record: &mut Json, status: &str, day: i64, random: &mut SplitMix64) {
    let is_done = matches!(status, "completed" | "invoiced");
    let (_, resolution) = random.pick(RESOLUTIONS);
    put(record, "resolution", is_done.then_some(resolution));
    let signer = format!("{} {}", random.pick(GIVEN), random.pick(FAMILY));
    put(
        record,
        "signature",
        is_done.then(|| {
            object! {
                "name": signer,
                "at": moment(day + 3, random.between(500, 1_050)),
                "imageRef": format!("sig-{}", random.digits(9)),
            }
        }),
    );
    put(
        record,
        "internalNotes",
        vec![object! {
            "at": moment(day, random.between(400, 1_100)),
            "author": format!("{} {}", random.pick(GIVEN), random.pick(FAMILY)),
            "text": random.pick(INTERNAL_NOTES),
        }],
    );
    put(record, "dispatcherNotes", random.pick(DISPATCH_NOTES));
    put(record, "complaintFlag", random.is_lucky(9));
    put(
        record,
        "discountReason",
        random
            .is_lucky(20)
            .then_some("second visit for the same fault"),
    );
    put(record, "priorityScore", random.between(1, 1_000));
    let refs = object! {
        "accounting": (status == "invoiced").then(|| format!("INV-{}", random.digits(6))),
        "crm": format!("case-{}", random.digits(6)),
        "partner": Json::Null,
    };
    put(record, "externalRefs", refs);
}

/// One or two trips for each work order that has a date.
pub fn visits(world: &mut World, random: &mut SplitMix64) {
    let orders: Vec<Json> = world.all(Kind::WorkOrder).cloned().collect();
    let mut number: i64 = 30_000;
    for order in orders
        .iter()
        .filter(|o| !matches!(text(o, "status"), "open" | "cancelled"))
    {
        number += 1;
        let is_done = matches!(text(order, "status"), "completed" | "invoiced");
        let record = object! {
            "id": number.to_string(),
            "workOrderId": text(order, "id"),
            "technicianId": text(order, "assignment.technicianId"),
            "partnerId": text(order, "assignment.partnerId"),
            "status": if is_done { "finished" } else { random.pick(&["planned", "en_route", "on_site"]) },
            "window": order.get("window").cloned().unwrap_or(Json::Null),
            "eta": order.at("window.from").cloned().unwrap_or(Json::Null),
            "clockIn": is_done.then(|| moment(random.between(0, 255), random.between(420, 700))),
            "clockOut": is_done.then(|| moment(random.between(0, 255), random.between(701, 1_000))),
            "position": object! {
                "latitude": super::people::degrees(random, 48, 55),
                "longitude": super::people::degrees(random, 0, 16),
            },
            "mileage": Fixed(random.between(100, 9_000)),
            "absenceReason": Json::Null,
            "dispatcherNotes": random.pick(DISPATCH_NOTES),
            "createdAt": moment(random.between(0, 250), 480),
            "updatedAt": moment(random.between(0, 255), 990),
            "version": random.between(1, 4),
        };
        world.add(Kind::Visit, record);
    }
}

/// The last facts worth telling others.
pub fn events(world: &mut World) {
    let done: Vec<String> = world
        .all(Kind::WorkOrder)
        .filter(|o| text(o, "status") == "completed")
        .take(60)
        .map(|o| text(o, "id").to_owned())
        .collect();
    for (at, order) in (1i64..).zip(done) {
        let record = object! {
            "id": (70_000 + at).to_string(),
            "type": "fs.work_order.completed.v1",
            "subject": order,
            "time": moment(200 + at % 50, at * 7),
            "changed": vec!["status", "completedAt"],
            "recordVersion": 2i64,
        };
        world.add(Kind::Event, record);
    }
}

fn picked<'a>(from: &'a [Json], random: &mut SplitMix64) -> Option<&'a Json> {
    let at = random.below(u64::try_from(from.len()).ok()?);
    from.get(usize::try_from(at).ok()?)
}
