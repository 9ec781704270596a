//! Parts with their purchase prices, stock, work order lines, invoices.
//! Exports `parts`, `stock`, `lines`, `part_usages`, `invoices`, `subscriptions`.
//! Used by `World::grow`.
//! Start reading at `lines`.

use model::Json;

use super::words::ARTICLES;
use super::{Kind, World, date, moment};
use crate::object;
use crate::record::{Fixed, only, text};
use crate::split_mix::SplitMix64;

/// Where parts lie.
const LOCATIONS: [&str; 5] = ["central", "leeds", "bremen", "van-7", "van-12"];

/// Variants of each article.
pub fn parts(world: &mut World, random: &mut SplitMix64) {
    for (code, name, unit, price) in ARTICLES.iter().copied() {
        for variant in 1i64..=10 {
            let list = Fixed(price.saturating_add(variant.saturating_mul(35)));
            let record = object! {
                "id": format!("{code}-{variant:04}"),
                "sku": format!("{code}-{variant:04}"),
                "name": format!("{name}, type {variant}"),
                "unit": unit,
                "listPrice": list,
                "currency": "EUR",
                "taxRate": Fixed(1_900),
                "unitCost": Fixed(list.0.saturating_mul(random.between(45, 78)) / 100),
                "supplierPrice": Fixed(list.0.saturating_mul(random.between(40, 60)) / 100),
                "supplier": random.pick(&["Morgenthau Grosshandel", "Pennine Heating Supplies", "Thermofournitures"]),
                "supplierContract": format!("FC-{}", random.digits(5)),
                "minimumStock": random.between(0, 20),
                "state": "listed",
                "updatedAt": moment(random.between(0, 255), 600),
                "version": random.between(1, 9),
            };
            world.add(Kind::Part, record);
        }
    }
}

/// A level for each part at each location.
pub fn stock(world: &mut World, random: &mut SplitMix64) {
    let skus: Vec<String> = world
        .all(Kind::Part)
        .map(|p| text(p, "sku").to_owned())
        .collect();
    for sku in skus {
        for location in LOCATIONS {
            let record = object! {
                "id": format!("{location}-{sku}"),
                "location": location,
                "sku": sku.as_str(),
                "quantity": Fixed(random.between(0, 60).saturating_mul(100)),
                "reserved": Fixed(random.between(0, 5).saturating_mul(100)),
                "bookValue": Fixed(random.between(0, 90_000)),
                "countedBy": random.between(101, 140).to_string(),
                "updatedAt": moment(random.between(200, 255), 1_000),
                "version": random.between(1, 200),
            };
            world.add(Kind::StockLevel, record);
        }
    }
}

/// Lines of a work order and their totals, cost and margin beside price.
pub fn lines(world: &World, random: &mut SplitMix64) -> (Vec<Json>, Json) {
    let (mut net, mut cost, mut lines) = (Fixed(0), Fixed(0), Vec::new());
    let hours = Fixed(random.between(2, 24).saturating_mul(25));
    let labour = (Fixed(8_950), Fixed(random.between(2_400, 4_100)));
    lines.push(line(
        1,
        ("LAB-0001", "Labour, technician", "labour", "hour"),
        hours,
        labour,
    ));
    net = net.plus(hours.times(labour.0));
    cost = cost.plus(hours.times(labour.1));
    for at in 0..random.between(1, 3) {
        let (code, name, unit, price) = random.pick(ARTICLES);
        let sku = format!("{code}-{:04}", random.between(1, 10));
        let quantity = Fixed(random.between(1, 4).saturating_mul(100));
        let unit_cost = world
            .get(Kind::Part, &sku)
            .and_then(|p| hundredths(p.get("unitCost")?));
        let prices = (Fixed(price), Fixed(unit_cost.unwrap_or(price / 2)));
        lines.push(line(at + 2, (&sku, name, "part", unit), quantity, prices));
        net = net.plus(quantity.times(prices.0));
        cost = cost.plus(quantity.times(prices.1));
    }
    let tax = net.times(Fixed(19));
    let totals = object! {
        "currency": "EUR", "net": net, "tax": tax, "gross": net.plus(tax), "cost": cost, "margin": net.minus(cost),
    };
    (lines, totals)
}

fn line(
    number: i64,
    (sku, name, kind, unit): (&str, &str, &str, &str),
    quantity: Fixed,
    prices: (Fixed, Fixed),
) -> Json {
    let (price, unit_cost) = prices;
    object! {
        "id": number.to_string(),
        "kind": kind,
        "sku": sku,
        "description": name,
        "quantity": quantity,
        "unit": unit,
        "price": price,
        "taxRate": Fixed(1_900),
        "unitCost": unit_cost,
        "supplierPrice": Fixed(unit_cost.0.saturating_mul(92) / 100),
        "marginPercent": Fixed(price.minus(unit_cost).0.saturating_mul(10_000).checked_div(price.0).unwrap_or(0)),
    }
}

/// The part lines of finished work orders as movements.
pub fn part_usages(world: &mut World, random: &mut SplitMix64) {
    let orders: Vec<Json> = world.all(Kind::WorkOrder).cloned().collect();
    let mut number: i64 = 80_000;
    for order in orders
        .iter()
        .filter(|o| matches!(text(o, "status"), "completed" | "invoiced"))
    {
        let Some(Json::List(lines)) = order.get("lines") else {
            continue;
        };
        for line in lines.iter().filter(|l| text(l, "kind") == "part") {
            number += 1;
            let record = object! {
                "id": number.to_string(),
                "workOrderId": text(order, "id"),
                "sku": text(line, "sku"),
                "quantity": line.get("quantity").cloned().unwrap_or(Json::Null),
                "location": random.pick(&LOCATIONS),
                "technicianId": text(order, "assignment.technicianId"),
                "unitCost": line.get("unitCost").cloned().unwrap_or(Json::Null),
                "reversed": false,
                "createdAt": moment(random.between(0, 255), 900),
            };
            world.add(Kind::PartUsage, record);
        }
    }
}

/// A bill for each invoiced work order.
pub fn invoices(world: &mut World, random: &mut SplitMix64) {
    let orders: Vec<Json> = world.all(Kind::WorkOrder).cloned().collect();
    let billed = orders.iter().filter(|o| text(o, "status") == "invoiced");
    for (number, order) in (1i64..).zip(billed) {
        let day = random.between(100, 258);
        let is_paid = random.is_lucky(70);
        let record = object! {
            "id": (9_000 + number).to_string(),
            "number": format!("INV-2026-{number:05}"),
            "workOrderId": text(order, "id"),
            "customerId": text(order, "customer.id"),
            "status": if is_paid { "paid" } else { random.pick(&["issued", "overdue"]) },
            "issuedOn": date(day),
            "dueOn": date(day + 30),
            "billTo": only(
                order.get("customer").unwrap_or(&Json::Null),
                &["id", "legalName", "taxId", "billingAddress", "billingEmail", "iban"],
            ),
            "lines": order.get("lines").cloned().unwrap_or(Json::Null),
            "totals": order.get("totals").cloned().unwrap_or(Json::Null),
            "paidAmount": if is_paid { order.at("totals.gross").cloned() } else { None },
            "exportState": if random.is_lucky(60) { "exported" } else { "pending" },
            "dunningLevel": random.between(0, 3),
            "collectionNotes": random.pick(super::words::INTERNAL_NOTES),
            "createdAt": moment(day, 700),
            "updatedAt": moment(day + 1, 700),
            "version": random.between(1, 5),
        };
        world.add(Kind::Invoice, record);
    }
}

/// Who hears of events already.
pub fn subscriptions(world: &mut World) {
    for (id, owner, topic) in [
        ("1", "accounting", "fs.work_order.completed.v1"),
        ("2", "crm", "fs.customer.updated.v1"),
    ] {
        let record = object! {
            "id": id,
            "owner": owner,
            "url": format!("https://{owner}.brightline.example/hooks/field-service"),
            "eventTypes": vec![topic],
            "secret": format!("whsec-{owner}-0f6c2d"),
            "state": "active",
            "createdAt": moment(10, 500),
        };
        world.add(Kind::Subscription, record);
    }
}

/// A decimal with two digits, in hundredths.
fn hundredths(value: &Json) -> Option<i64> {
    let Json::Number(digits) = value else {
        return None;
    };
    digits.replace('.', "").parse().ok()
}
