//! A gentle mix of calls so that no page of the demo is empty: what the stand-ins do on an ordinary morning,
//! and about eight refusals of every kind in a hundred.
//! Exports `Mix`, an endless iterator of calls, and `STAND_INS`. Deterministic; pacing is the caller's.
//! Used by the `demo` verb. Start reading at `Mix::next`.

use crate::call::{Call, Listener};
use crate::split_mix::SplitMix64;

/// Calls per second the demo makes of the mix.
pub const CALLS_PER_SECOND: u32 = 3;
/// Refusals among a hundred calls.
pub const REFUSALS_PERCENT: u64 = 8;

/// Address the mix calls from: its refusals are not counted against whoever tries the demo beside it.
const HOME: [u8; 4] = [127, 0, 2, 200];

/// A system that integrates with the company, and what it does all day.
#[derive(Clone, Copy, Debug)]
pub struct StandIn {
    /// Its name.
    pub name: &'static str,
    /// The integration whose key it holds.
    pub integration: &'static str,
    /// What it is.
    pub is: &'static str,
    /// Calls it makes.
    routine: &'static [fn(&mut SplitMix64) -> Call],
}

/// The systems behind the integrations, in the order of the first screen.
pub const STAND_INS: &[StandIn] = &[
    StandIn {
        name: "ledgerbox",
        integration: "accounting",
        is: "bookkeeping",
        routine: LEDGERBOX,
    },
    StandIn {
        name: "relate",
        integration: "crm",
        is: "customer relations",
        routine: RELATE,
    },
    StandIn {
        name: "stockroom",
        integration: "inventory",
        is: "stock keeping",
        routine: STOCKROOM,
    },
    StandIn {
        name: "thermo",
        integration: "thermo",
        is: "plants that report themselves",
        routine: THERMO,
    },
];

const LEDGERBOX: &[fn(&mut SplitMix64) -> Call] = &[
    |_| Call::get("/v2/work-orders?status=completed&limit=10"),
    |_| Call::get("/v2/work-orders/4711"),
    |_| Call::get("/v2/work-orders/4714"),
    |random| Call::get(&format!("/v2/invoices/{}", random.between(9_001, 9_200))),
    |_| Call::get("/v2/invoices?status=issued&limit=5"),
    |random| {
        patch(
            "/v2/work-orders/4711",
            &format!(
                r#"{{"externalRefs":{{"accounting":"INV-{}"}}}}"#,
                random.digits(6)
            ),
        )
    },
];

const RELATE: &[fn(&mut SplitMix64) -> Call] = &[
    |random| Call::get(&format!("/v2/customers/{}", random.between(1, 8))),
    |_| Call::get("/v2/customers?limit=10"),
    |random| {
        Call::get(&format!(
            "/v2/customers?q={}",
            random.pick(&["Hotel", "Alder", "Museum", "Care"])
        ))
    },
    |random| {
        Call::get(&format!(
            "/v2/service-requests/{}",
            random.between(601, 900)
        ))
    },
    |random| {
        let body = format!(
            r#"{{"customerId":"9","siteId":"{}","source":"crm","category":"advice","priority":"low","description":"{}"}}"#,
            random.between(1_001, 1_300),
            random.pick(&[
                "Mrs O'Brien asks for an earlier date, please call back.",
                "Kunde wünscht Angebot für Wartungsvertrag.",
                "Le client voudrait déplacer le rendez-vous à vendredi.",
            ])
        );
        Call::new("POST", "/v2/service-requests").json(&body)
    },
];

const STOCKROOM: &[fn(&mut SplitMix64) -> Call] = &[
    |_| Call::get("/v2/parts?limit=10"),
    |random| Call::get(&format!("/v2/parts/PMP-{:04}", random.between(1, 10))),
    |random| {
        Call::get(&format!(
            "/v2/stock-levels?location={}&limit=10",
            random.pick(&["central", "leeds", "bremen"])
        ))
    },
    |random| {
        let body = format!(
            r#"{{"location":"central","sku":"FLT-{:04}","quantity":{}.00,"reason":"count"}}"#,
            random.between(1, 10),
            random.between(0, 60)
        );
        Call::new("POST", "/v2/stock-movements").json(&body)
    },
];

const THERMO: &[fn(&mut SplitMix64) -> Call] =
    &[|_| Call::get("/v2/assets/20001"), reading, reading, reading];

/// Calls that are refused, one of every kind: who makes them, and how.
const REFUSED: &[fn(&mut SplitMix64) -> Call] = &[
    |_| Call::get("/v2/work-orders"),
    |_| Call::get("/v2/work-orders/4712").by("accounting"),
    |_| Call::get("/v2/customers").by("accounting"),
    |random| {
        Call::get(&format!("/v2/technicians/{}", random.between(101, 140)))
            .by("crm")
            .at(Listener::Internal)
    },
    |_| Call::get("/v2/technicians").by("crm"),
    |_| Call::get("/v2/work-orders/4712").by("north-star"),
    |_| Call::get("/v2/work-orders/4711").by("blue-river"),
    |_| Call::get("/v2/customers/nobody").by("crm"),
    |_| patch("/v2/customers/9", r#"{"email":7,"role":"admin"}"#).by("crm"),
    |_| Call::get("/v2/customers?q=x%27%20OR%20%271%27%3D%271").by("crm"),
    |_| Call::get("/v0/work-orders").by("accounting"),
    |_| Call::get("/v2/assets/20002").by("thermo"),
];

fn patch(target: &str, body: &str) -> Call {
    Call::new("PATCH", target).json(body)
}

fn reading(random: &mut SplitMix64) -> Call {
    let degrees = random.between(28, 71);
    let body = format!(
        r#"{{"at":"2026-11-20T{:02}:{:02}:00Z","metric":"flow_temperature","value":{degrees}.{:02},"unit":"celsius"}}"#,
        random.between(0, 23),
        random.between(0, 59),
        random.between(0, 99)
    );
    Call::new("POST", "/v2/assets/20001/readings").json(&body)
}

/// An endless, reproducible sequence of calls.
#[derive(Clone, Debug)]
pub struct Mix {
    random: SplitMix64,
}

impl Mix {
    /// The mix for this seed.
    pub const fn new(seed: u64) -> Self {
        Mix {
            random: SplitMix64::new(seed),
        }
    }
}

impl Iterator for Mix {
    type Item = Call;

    fn next(&mut self) -> Option<Call> {
        if self.random.is_lucky(REFUSALS_PERCENT) {
            return one_of(REFUSED, &mut self.random).map(|call| call.from(HOME));
        }
        let at = self
            .random
            .below(u64::try_from(STAND_INS.len()).unwrap_or(1));
        let who = STAND_INS.get(usize::try_from(at).unwrap_or(0))?;
        one_of(who.routine, &mut self.random).map(|call| call.by(who.integration).from(HOME))
    }
}

fn one_of(from: &[fn(&mut SplitMix64) -> Call], random: &mut SplitMix64) -> Option<Call> {
    let at = usize::try_from(random.below(u64::try_from(from.len()).ok()?)).ok()?;
    from.get(at).map(|make| make(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_reproducible_and_everybody_takes_part() {
        let calls: Vec<Call> = Mix::new(3).take(600).collect();
        assert_eq!(calls, Mix::new(3).take(600).collect::<Vec<_>>());
        for who in STAND_INS {
            assert!(
                calls.iter().any(|call| call.who == Some(who.integration)),
                "{}",
                who.name
            );
        }
    }

    #[test]
    fn every_body_of_the_mix_is_json() {
        for call in Mix::new(5).take(600).filter(|call| !call.body.is_empty()) {
            let text = String::from_utf8(call.body).unwrap();
            assert!(
                model::json::parse(text.as_bytes(), model::json::Bounds::default()).is_ok(),
                "{text}"
            );
        }
    }
}
