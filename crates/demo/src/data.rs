//! The records of Brightline Heating & Service: invented, rich, the same for the same seed on every machine.
//! Exports `World` (shelves of JSON records) and `Kind`. Pure.
//! Used by fieldworks; testkit reads it to know what must never leave.
//! Start reading at `World::grow`. Every record carries fields that most integrations must not see.

mod goods;
mod people;
mod places;
mod words;
mod work;

use std::collections::BTreeMap;

use model::{Json, Timestamp};

use crate::record::text;
use crate::split_mix::SplitMix64;

/// Kinds of record, one shelf each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A customer company or household.
    Customer,
    /// A place where plants stand.
    Site,
    /// A boiler, heat pump or chiller.
    Asset,
    /// What a customer asked for.
    ServiceRequest,
    /// What is to be done.
    WorkOrder,
    /// One trip to a site.
    Visit,
    /// A person who does the work.
    Technician,
    /// An article of the catalogue.
    Part,
    /// How many of a part lie where.
    StockLevel,
    /// A movement of parts into a work order.
    PartUsage,
    /// A bill.
    Invoice,
    /// Who wants to hear of events.
    Subscription,
    /// What happened.
    Event,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 13] = [
        Kind::Customer,
        Kind::Site,
        Kind::Asset,
        Kind::ServiceRequest,
        Kind::WorkOrder,
        Kind::Visit,
        Kind::Technician,
        Kind::Part,
        Kind::StockLevel,
        Kind::PartUsage,
        Kind::Invoice,
        Kind::Subscription,
        Kind::Event,
    ];
}

/// Ids sort by length first, so that 9 comes before 10.
type Id = (usize, String);

fn id_of(id: &str) -> Id {
    (id.len(), id.to_owned())
}

/// Everything fieldworks knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World {
    shelves: BTreeMap<Kind, BTreeMap<Id, Json>>,
}

/// Customers in a fresh world.
pub const CUSTOMERS: i64 = 400;
/// Work orders in a fresh world.
pub const WORK_ORDERS: i64 = 1_200;
/// Id of the first work order.
pub const WORK_ORDER_FIRST: i64 = 4_001;
/// Id at which fieldworks falls over, for the tour's look at error answers.
pub const WORK_ORDER_CURSED: &str = "4999";
/// Subcontractors; `brightline` are the company's own crews.
pub const PARTNERS: [&str; 4] = ["north-star", "blue-river", "hearth-and-pipe", "brightline"];

impl World {
    /// A fresh world for this seed.
    pub fn grow(seed: u64) -> World {
        let mut world = World::default();
        let mut random = SplitMix64::new(seed);
        people::technicians(&mut world, &mut random);
        people::customers(&mut world, &mut random);
        places::sites(&mut world, &mut random);
        places::assets(&mut world, &mut random);
        goods::parts(&mut world, &mut random);
        goods::stock(&mut world, &mut random);
        work::service_requests(&mut world, &mut random);
        work::work_orders(&mut world, &mut random);
        work::visits(&mut world, &mut random);
        goods::part_usages(&mut world, &mut random);
        goods::invoices(&mut world, &mut random);
        goods::subscriptions(&mut world);
        work::events(&mut world);
        world
    }

    /// The record with this id.
    pub fn get(&self, kind: Kind, id: &str) -> Option<&Json> {
        self.shelves.get(&kind)?.get(&id_of(id))
    }

    /// The record with this id, to be changed.
    pub fn get_mut(&mut self, kind: Kind, id: &str) -> Option<&mut Json> {
        self.shelves.get_mut(&kind)?.get_mut(&id_of(id))
    }

    /// Puts a record on its shelf; its member `id` is its place.
    pub fn add(&mut self, kind: Kind, record: Json) {
        let id = id_of(text(&record, "id"));
        self.shelves.entry(kind).or_default().insert(id, record);
    }

    /// Takes a record away.
    pub fn remove(&mut self, kind: Kind, id: &str) -> Option<Json> {
        self.shelves.get_mut(&kind)?.remove(&id_of(id))
    }

    /// All records of a kind, by id.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Json> {
        self.shelves.get(&kind).into_iter().flat_map(|s| s.values())
    }

    /// Records behind a cursor (exclusive), by id.
    pub fn after<'a>(&'a self, kind: Kind, id: &str) -> impl Iterator<Item = &'a Json> + use<'a> {
        let start = id_of(id);
        let shelf = self.shelves.get(&kind).into_iter();
        shelf.flat_map(move |s| {
            s.range(start.clone()..)
                .filter(move_past(start.clone()))
                .map(|(_, r)| r)
        })
    }

    /// How many records of a kind there are.
    pub fn count(&self, kind: Kind) -> usize {
        self.shelves.get(&kind).map_or(0, BTreeMap::len)
    }

    /// An id that is not taken: one more than the highest.
    pub fn free_id(&self, kind: Kind) -> String {
        let last = self.shelves.get(&kind).and_then(|s| s.keys().next_back());
        let number = last.and_then(|(_, id)| id.parse::<i64>().ok()).unwrap_or(0);
        number.saturating_add(1).to_string()
    }
}

fn move_past(start: Id) -> impl Fn(&(&Id, &Json)) -> bool {
    move |(id, _)| **id != start
}

/// A moment counted from 2026-03-02, the first day of the records.
fn moment(day: i64, minute: i64) -> Timestamp {
    const FIRST_DAY_MICROS: i64 = 1_772_409_600_000_000;
    let minutes = day.saturating_mul(1_440).saturating_add(minute);
    Timestamp::from_micros(FIRST_DAY_MICROS.saturating_add(minutes.saturating_mul(60_000_000)))
}

/// The date of a day of the records: `2026-03-02` for 0.
fn date(day: i64) -> String {
    let mut text = moment(day, 0).to_string();
    text.truncate(10);
    text
}

#[cfg(test)]
mod tests;
