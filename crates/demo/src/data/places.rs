//! Sites with their door codes, and the plants that stand there.
//! Exports `sites` and `assets`.
//! Used by `World::grow`, after the customers.
//! Start reading at `sites`.

use super::people::{address, degrees, phone};
use super::words::{COUNTRIES, FAMILY, GIVEN, MODELS};
use super::{Kind, World, date, moment};
use crate::object;
use crate::record::text;
use crate::split_mix::SplitMix64;

/// One or two sites for each customer.
pub fn sites(world: &mut World, random: &mut SplitMix64) {
    let customers: Vec<(String, String, String)> = world
        .all(Kind::Customer)
        .map(|c| {
            (
                text(c, "id").to_owned(),
                text(c, "name").to_owned(),
                text(c, "partnerId").to_owned(),
            )
        })
        .collect();
    let mut number: i64 = 1_000;
    for (customer, name, partner) in customers {
        for part in 0..random.between(1, 2) {
            number += 1;
            let country = random.pick(COUNTRIES);
            let record = object! {
                "id": number.to_string(),
                "customerId": customer.as_str(),
                "name": if part == 0 { name.clone() } else { format!("{name}, annexe") },
                "address": address(country, random),
                "location": object! { "latitude": degrees(random, 48, 55), "longitude": degrees(random, -6, 20) },
                "contactName": format!("{} {}", random.pick(GIVEN), random.pick(FAMILY)),
                "contactPhone": phone(country, random),
                "openingHours": "Mo-Fr 07:00-16:30",
                "accessCode": random.digits(6),
                "alarmCode": random.digits(4),
                "keySafe": format!("box {} behind the meter, code {}", random.between(1, 9), random.digits(4)),
                "internalNotes": random.pick(super::words::INTERNAL_NOTES),
                "partnerId": partner.as_str(),
                "state": "active",
                "createdAt": moment(-random.between(10, 2_000), 540),
                "updatedAt": moment(random.between(0, 255), random.between(420, 1_050)),
                "version": random.between(1, 9),
            };
            world.add(Kind::Site, record);
        }
    }
}

/// One to three plants at each site; every fourth is watched by thermo.
pub fn assets(world: &mut World, random: &mut SplitMix64) {
    let sites: Vec<(String, String)> = world
        .all(Kind::Site)
        .map(|s| (text(s, "id").to_owned(), text(s, "customerId").to_owned()))
        .collect();
    let mut number: i64 = 20_000;
    for (site, customer) in sites {
        for _ in 0..random.between(1, 3) {
            number += 1;
            let (maker, model, kind) = random.pick(MODELS);
            let is_watched = number % 4 == 1;
            let record = object! {
                "id": number.to_string(),
                "siteId": site.as_str(),
                "customerId": customer.as_str(),
                "type": kind,
                "manufacturer": maker,
                "model": model,
                "serial": format!("{}-{}", &ascii_upper(maker), random.digits(9)),
                "installedOn": date(-random.between(30, 5_000)),
                "warrantyUntil": date(random.between(-300, 900)),
                "telemetryRef": if is_watched { "thermo" } else { "none" },
                "remoteCredential": is_watched.then(|| format!("rc-{:016x}", random.next())),
                "lastReading": is_watched.then(|| object! {
                    "at": moment(255, random.between(0, 1_400)),
                    "metric": "flow_temperature",
                    "value": crate::record::Fixed(random.between(2_800, 7_200)),
                    "unit": "celsius",
                }),
                "purchaseCost": crate::record::Fixed(random.between(900, 24_000).saturating_mul(100)),
                "supplierPrice": crate::record::Fixed(random.between(700, 19_000).saturating_mul(100)),
                "internalNotes": random.pick(super::words::INTERNAL_NOTES),
                "state": if random.is_lucky(95) { "in_service" } else { "decommissioned" },
                "createdAt": moment(-random.between(10, 2_000), 540),
                "updatedAt": moment(random.between(0, 255), random.between(420, 1_050)),
                "version": random.between(1, 20),
            };
            world.add(Kind::Asset, record);
        }
    }
}

fn ascii_upper(name: &str) -> String {
    super::people::ascii(name)
        .chars()
        .take(3)
        .collect::<String>()
        .to_ascii_uppercase()
}
