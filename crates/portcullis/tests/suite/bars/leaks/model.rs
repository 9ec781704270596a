//! A random world as plain data, and the oracle: what may a caller learn of which object?
//! Exports `World` and its parts, `Random`.
//! Shares no code with the product.
//! Start reading at `World::new`, then `World::may_see`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::asking::Asked;

/// Numbers that come again with the same seed (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("a small number")
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

pub const PARTNERS: [&str; 3] = ["p0", "p1", "p2"];
pub const STATES: [&str; 3] = ["open", "done", "void"];
/// Names of kinds and their collections.
pub const KINDS: [(&str, &str); 3] = [("Job", "jobs"), ("Site", "sites"), ("Order", "orders")];
/// Fields that hold a text nobody else has.
pub const FIELDS: [&str; 7] = [
    "name",
    "f0",
    "f1",
    "detail.a",
    "detail.b",
    "lines.*.sku",
    "lines.*.note",
];

/// Where an object says whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// `partner`
    Flat,
    /// `assignment.partner.id`, which may be missing on the way.
    Deep,
}

/// How `GET /ks/{id}/full` wraps the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapper {
    /// `{data: K}`, by reference.
    Named,
    /// `{data: {…}}`, written out.
    Inline,
    /// `{data: K or null}`.
    Nullable,
}

/// A kind of object and the shape of its operations.
#[derive(Clone, Debug)]
pub struct Kind {
    pub name: &'static str,
    pub collection: &'static str,
    pub owner: Owner,
    pub wrapper: Wrapper,
    /// The list is `{items, total, next}` instead of a bare list.
    pub has_envelope: bool,
    /// Jobs hold a site.
    pub has_site: bool,
    /// A policy forbids objects of this state.
    pub forbidden: Option<&'static str>,
}

impl Kind {
    /// Whether the oracle knows for sure what a nested object has to look like. Where a wrapper is written out around
    /// another kind, that operation's grants are about the other kind as well, and may hide it.
    pub fn is_certain(&self) -> bool {
        !(self.has_site && self.wrapper == Wrapper::Inline)
    }

    pub fn parameter(&self) -> String {
        format!("{}Id", self.name.to_ascii_lowercase())
    }
}

/// One object.
#[derive(Clone, Debug)]
pub struct Object {
    pub number: usize,
    pub kind: usize,
    pub partner: Option<&'static str>,
    pub state: &'static str,
    pub site: Option<usize>,
    /// Number that stands in its texts: differs between worlds where the caller may not see the text.
    pub edition: BTreeSet<&'static str>,
    /// Status with which the upstream answers every call for it.
    pub failing: Option<u16>,
}

impl Object {
    pub fn id(&self) -> String {
        format!("zq{}-id", self.number)
    }

    /// The text in this field.
    pub fn text(&self, field: &str) -> String {
        let at = FIELDS.iter().position(|f| *f == field).unwrap_or(99);
        let mark = if self.edition.contains(field) {
            "b"
        } else {
            "a"
        };
        format!("zq{}-{at}{mark}", self.number)
    }
}

/// When a grant holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Always,
    Own,
    Open,
    OwnAndOpen,
    OwnOrOpen,
    OwnNotVoid,
}

impl When {
    const ALL: [When; 6] = [
        When::Always,
        When::Own,
        When::Open,
        When::OwnAndOpen,
        When::OwnOrOpen,
        When::OwnNotVoid,
    ];

    pub fn text(self) -> Option<&'static str> {
        Some(match self {
            When::Always => return None,
            When::Own => "resource.partner == principal.partner",
            When::Open => "resource.status == \"open\"",
            When::OwnAndOpen => {
                "resource.partner == principal.partner && resource.status == \"open\""
            }
            When::OwnOrOpen => {
                "resource.partner == principal.partner || resource.status == \"open\""
            }
            When::OwnNotVoid => {
                "resource.partner == principal.partner && !(resource.status == \"void\")"
            }
        })
    }

    /// Three-valued, as conditions over a missing attribute never hold.
    fn holds(self, partner: Option<&str>, state: &str, caller: &str) -> bool {
        let own = partner == Some(caller);
        match self {
            When::Always => true,
            When::Own => own,
            When::Open => state == "open",
            When::OwnAndOpen => own && state == "open",
            // An attribute that is missing makes the whole condition unanswerable.
            When::OwnOrOpen => partner.is_some() && (own || state == "open"),
            When::OwnNotVoid => own && state != "void",
        }
    }
}

/// One grant on all operations of a kind.
#[derive(Clone, Debug)]
pub struct Grant {
    pub kind: usize,
    pub when: When,
    /// Of the object: fields, `site.name`, …
    pub fields: BTreeSet<&'static str>,
    /// `$.total` and `$.next` of lists.
    pub has_root: bool,
    /// `code` of error answers.
    pub has_errors: bool,
    /// The list is fixed to the caller's own (`set`).
    pub is_fixed: bool,
}

/// One integration.
#[derive(Clone, Debug)]
pub struct Caller {
    pub name: String,
    pub partner: &'static str,
    pub grants: Vec<Grant>,
}

/// Everything.
#[derive(Clone, Debug)]
pub struct World {
    pub seed: u64,
    pub kinds: Vec<Kind>,
    pub objects: Vec<Object>,
    pub callers: Vec<Caller>,
}

impl World {
    pub fn new(seed: u64) -> World {
        let mut random = Random::new(seed);
        let kinds: Vec<Kind> = KINDS
            .iter()
            .map(|(name, collection)| Kind {
                name,
                collection,
                owner: *random.pick(&[Owner::Flat, Owner::Deep]),
                wrapper: *random.pick(&[Wrapper::Named, Wrapper::Inline, Wrapper::Nullable]),
                has_envelope: random.chance(60),
                has_site: *name == "Job",
                forbidden: random.chance(30).then_some("void"),
            })
            .collect();
        let objects = (0..36)
            .map(|number| object(number, &kinds, &mut random))
            .collect();
        let callers = (0..4)
            .map(|index| caller(index, &kinds, &mut random))
            .collect();
        World {
            seed,
            kinds,
            objects,
            callers,
        }
    }

    /// Whether one of the caller's grants for its kind holds for the object.
    pub fn may_see(&self, caller: &Caller, object: &Object) -> bool {
        self.holding(caller, object).next().is_some()
    }

    fn holding<'a>(
        &'a self,
        caller: &'a Caller,
        object: &'a Object,
    ) -> impl Iterator<Item = &'a Grant> {
        let is_forbidden = self.kinds[object.kind].forbidden == Some(object.state);
        caller.grants.iter().filter(move |grant| {
            grant.kind == object.kind
                && !is_forbidden
                && grant
                    .when
                    .holds(object.partner, object.state, caller.partner)
        })
    }

    /// Fields of the object that the caller may see.
    pub fn fields(&self, caller: &Caller, object: &Object) -> BTreeSet<&'static str> {
        self.holding(caller, object)
            .flat_map(|grant| grant.fields.iter().copied())
            .collect()
    }

    /// Whether a site inside a job is shown with the fields that the job's grants name.
    pub fn shows_site(&self, caller: &Caller, site: &Object) -> bool {
        let has_any = caller.grants.iter().any(|grant| grant.kind == site.kind);
        !has_any || self.may_see(caller, site)
    }

    /// Texts of the object, of any place in which they may appear to this caller.
    fn told(&self, caller: &Caller, object: &Object) -> BTreeSet<&'static str> {
        let mut told = self.fields(caller, object);
        if !told.is_empty() {
            // Every grant is also one for the object's notes.
            told.insert("note");
        }
        for outer in self
            .objects
            .iter()
            .filter(|o| o.site == Some(object.number))
        {
            if self.shows_site(caller, object) {
                let fields = self.fields(caller, outer);
                let inner = fields.iter().filter_map(|f| f.strip_prefix("site."));
                told.extend(
                    inner.filter_map(|f| FIELDS.iter().copied().chain(["id"]).find(|k| *k == f)),
                );
            }
        }
        told
    }

    /// The same world, but everything this caller may not learn is different.
    pub fn changed_for(&self, caller: &Caller) -> Vec<Object> {
        let mut random = Random::new(self.seed ^ 0xABCD);
        let mut objects = Vec::new();
        for object in &self.objects {
            let told = self.told(caller, object);
            let is_inside = self.objects.iter().any(|o| o.site == Some(object.number));
            let is_hidden = told.is_empty() && !self.may_see(caller, object);
            // An upstream that breaks down over one object says so to everybody: a breakdown that read as "no such
            // object" would make callers delete what is theirs. It is the same in both worlds.
            let is_broken = object.failing.is_some_and(|status| status >= 500);
            let goes = is_hidden && !is_inside && !is_broken && random.chance(40);
            let comes = is_hidden && random.chance(30);
            if !goes {
                let mut changed = object.clone();
                changed.edition = FIELDS
                    .iter()
                    .copied()
                    .chain(["note"])
                    .filter(|f| !told.contains(f))
                    .collect();
                if is_hidden && !is_broken {
                    changed.failing = random
                        .chance(30)
                        .then(|| *random.pick(&[400, 403, 404, 409, 410, 422]));
                }
                objects.push(changed);
            }
            if comes {
                let mut more = object.clone();
                more.number = 1_000 + object.number;
                more.site = None;
                more.failing = None;
                objects.push(more);
            }
        }
        objects
    }

    /// Tokens in what was told that this caller may not have been told by this question.
    pub fn untold(&self, caller: usize, asked: &Asked, told: &str, is_other: bool) -> Vec<String> {
        let caller = &self.callers[caller];
        let objects = match is_other {
            true => self.changed_for(caller),
            false => self.objects.clone(),
        };
        let mut found = Vec::new();
        for token in tokens(told) {
            let is_own_word = asked.target.contains(&token) || asked.body.contains(&token);
            let is_allowed = token.split_once('-').is_some_and(|(number, field)| {
                let number = number.trim_start_matches("zq");
                let Some(object) = objects.iter().find(|o| o.number.to_string() == number) else {
                    return false;
                };
                self.told(caller, object).iter().any(|name| {
                    let text = if *name == "id" {
                        object.id()
                    } else {
                        object.text(name)
                    };
                    text == format!("zq{number}-{field}")
                })
            });
            if !is_allowed && !is_own_word {
                found.push(token);
            }
        }
        found
    }

    /// What a caller sees of an object.
    pub fn shown(&self, caller: &Caller, object: &Object) -> Value {
        let fields = self.fields(caller, object);
        let whole = self.render(object, &self.objects);
        let mut shown = filtered(&whole, &fields, "");
        let is_site_shown = object
            .site
            .and_then(|number| self.objects.iter().find(|o| o.number == number))
            .is_none_or(|site| self.shows_site(caller, site));
        if !is_site_shown && let Some(members) = shown.as_object_mut() {
            members.remove("site");
        }
        shown
    }

    /// The object as the upstream has it.
    pub fn render(&self, object: &Object, all: &[Object]) -> Value {
        let kind = &self.kinds[object.kind];
        let mut whole = json!({
            "id": object.id(),
            "status": object.state,
            "name": object.text("name"),
            "f0": object.text("f0"),
            "f1": object.text("f1"),
            "detail": { "a": object.text("detail.a"), "b": object.text("detail.b") },
            "lines": [{ "sku": object.text("lines.*.sku"), "note": object.text("lines.*.note") }],
        });
        match (kind.owner, object.partner) {
            (Owner::Flat, Some(partner)) => whole["partner"] = json!(partner),
            (Owner::Flat, None) => {}
            (Owner::Deep, Some(partner)) => {
                whole["assignment"] = json!({ "partner": { "id": partner } });
            }
            (Owner::Deep, None) => whole["assignment"] = json!({ "partner": null }),
        }
        if kind.has_site {
            let site = object.site.and_then(|n| all.iter().find(|o| o.number == n));
            whole["site"] = site.map_or(Value::Null, |site| self.render(site, all));
        }
        whole
    }
}

fn object(number: usize, kinds: &[Kind], random: &mut Random) -> Object {
    // Sites come first, so that jobs can hold one.
    let kind = match number {
        0..10 => 1,
        _ => *random.pick(&[0, 0, 2]),
    };
    Object {
        number,
        kind,
        partner: random.chance(90).then(|| *random.pick(&PARTNERS)),
        state: random.pick::<&str>(&STATES),
        site: (kinds[kind].has_site && random.chance(70)).then(|| random.below(10)),
        edition: BTreeSet::new(),
        failing: random
            .chance(12)
            .then(|| *random.pick(&[400, 404, 409, 410, 422, 500, 503])),
    }
}

fn caller(index: usize, kinds: &[Kind], random: &mut Random) -> Caller {
    let mut grants = Vec::new();
    for kind in 0..kinds.len() {
        let count = *random.pick(&[0, 1, 1, 1, 2]);
        for _ in 0..count {
            let mut one = grant(kind, kinds, random);
            // Two grants that fix different things for one operation would contradict each other.
            one.is_fixed &= count == 1;
            grants.push(one);
        }
    }
    if grants.is_empty() {
        grants.push(grant(0, kinds, random));
    }
    Caller {
        name: format!("caller-{index}"),
        partner: PARTNERS[index % PARTNERS.len()],
        grants,
    }
}

fn grant(kind: usize, kinds: &[Kind], random: &mut Random) -> Grant {
    let mut fields: BTreeSet<&'static str> = ["id"].into();
    fields.extend(FIELDS.iter().copied().filter(|_| random.chance(40)));
    if random.chance(40) {
        fields.insert("status");
    }
    if kinds[kind].has_site {
        for inner in ["site.id", "site.name", "site.detail.a"] {
            if random.chance(40) {
                fields.insert(inner);
            }
        }
    }
    let when = *random.pick(&When::ALL);
    Grant {
        kind,
        when,
        fields,
        has_root: random.chance(50),
        has_errors: random.chance(40),
        is_fixed: when == When::Own && random.chance(60),
    }
}

/// What is left of a value when only these paths may be seen.
fn filtered(value: &Value, fields: &BTreeSet<&'static str>, at: &str) -> Value {
    let below = |path: &str| {
        fields
            .iter()
            .any(|f| *f == path || f.starts_with(&format!("{path}.")))
    };
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter_map(|(name, value)| {
                let path = if at.is_empty() {
                    name.clone()
                } else {
                    format!("{at}.{name}")
                };
                below(&path).then(|| (name.clone(), filtered(value, fields, &path)))
            });
            Value::Object(kept.collect())
        }
        Value::Array(items) => {
            let path = format!("{at}.*");
            Value::Array(
                items
                    .iter()
                    .map(|item| filtered(item, fields, &path))
                    .collect(),
            )
        }
        leaf => leaf.clone(),
    }
}

/// Texts that nobody else has.
fn tokens(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("zq") {
        let rest = &text[at..];
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .unwrap_or(rest.len());
        let token = &rest[..end];
        // Sealed texts hold any letters, but hardly a number and a dash.
        let number = token[2..].split_once('-').map(|(number, _)| number);
        if number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())) {
            found.insert(token.to_owned());
        }
    }
    found
}
