//! A random world as plain data, and the oracle: what may a caller learn of which object?
//! Exports `World` and its parts.
//! Shares no code with the product.
//! Start reading at `World::new`, then `World::may_see`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::asking::Asked;
use super::nothing::{NOTHING, Nothing};
use super::random::Random;
use super::rings::{Ring, covered, filtered, step};
use super::tokens::tokens;

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

/// Fields of objects inside jobs.
const INNER: [&str; 19] = [
    "site.id",
    "site.name",
    "site.detail.a",
    "parent.id",
    "parent.name",
    "parent.f1",
    "parent.site.id",
    "parent.site.name",
    "parent.stops.*.detail.a",
    "stops.*.id",
    "stops.*.name",
    "named.*.name",
    "stopCount",
    "route.stops.*.id",
    "route.stops.*.name",
    "route.count",
    "route.total",
    "route.hasMore",
    "parent.route.total",
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
    /// Jobs hold sites and a parent.
    pub has_site: bool,
    /// A policy forbids objects of this state.
    pub forbidden: Option<&'static str>,
    /// How its lists say that they are empty.
    pub nothing: Nothing,
    /// The same of lists inside its objects: empty, left out or `null`.
    pub nothing_inside: Nothing,
    /// Status for an object that is not there.
    pub absent: u16,
    /// Its operations declare 403.
    pub declares_403: bool,
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
    /// Another job.
    pub parent: Option<usize>,
    /// Sites in a list.
    pub stops: Vec<usize>,
    /// A site below a name of the upstream's own.
    pub named: Option<usize>,
    /// Number that stands in its texts: differs between worlds where the caller may not see the text.
    pub edition: BTreeSet<&'static str>,
    /// Status with which the upstream answers every call for it.
    pub failing: Option<u16>,
    /// It breaks the contract.
    pub is_odd: bool,
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
    /// Those of them that are seen as `***`.
    pub masked: BTreeSet<&'static str>,
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
    /// Answers have to keep the contract (`checks.response: enforce`).
    pub is_enforced: bool,
}

impl World {
    pub fn new(seed: u64) -> World {
        let mut random = Random::new(seed);
        let is_enforced = random.chance(40);
        // `null` in the place of a list breaks the contract for whoever sees the object that holds it.
        let inside: &[Nothing] = if is_enforced {
            &[Nothing::Empty, Nothing::LeftOut]
        } else {
            &[Nothing::Empty, Nothing::LeftOut, Nothing::Null]
        };
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
                nothing: *random.pick(&NOTHING),
                nothing_inside: *random.pick(inside),
                absent: *random.pick(&[404, 404, 410, 400, 403, 403, 409, 422]),
                declares_403: random.chance(50),
            })
            .collect();
        let mut objects: Vec<Object> = (0..36)
            .map(|number| object(number, &kinds, &mut random))
            .collect();
        for index in 0..objects.len() {
            let before: Vec<usize> = objects[..index]
                .iter()
                .filter(|o| o.kind == 0)
                .map(|o| o.number)
                .collect();
            if objects[index].kind == 0 && !before.is_empty() && random.chance(60) {
                objects[index].parent = Some(*random.pick(&before));
            }
        }
        let callers = (0..4)
            .map(|index| caller(index, &kinds, &mut random))
            .collect();
        World {
            seed,
            kinds,
            objects,
            callers,
            is_enforced,
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

    fn has_grant(&self, caller: &Caller, kind: usize) -> bool {
        caller.grants.iter().any(|grant| grant.kind == kind)
    }

    /// Whether an object of this kind may be hidden from the caller where it stands inside another.
    pub fn may_hide(&self, caller: &Caller, kind: usize) -> bool {
        let is_open = |grant: &Grant| grant.kind == kind && grant.when == When::Always;
        let is_open = caller.grants.iter().any(is_open) && self.kinds[kind].forbidden.is_none();
        self.has_grant(caller, kind) && !is_open
    }

    /// Whether an object is shown where it stands inside another.
    fn shows_inside(&self, caller: &Caller, object: &Object) -> bool {
        !self.has_grant(caller, object.kind) || self.may_see(caller, object)
    }

    /// Every text that this caller may be told, of objects as they are in `all`.
    pub fn allowed(&self, caller: &Caller, all: &[Object]) -> BTreeSet<String> {
        let mut allowed = BTreeSet::new();
        for object in all.iter().filter(|o| self.may_see(caller, o)) {
            allowed.extend(tokens(&self.shown_among(caller, object, all).to_string()));
            // Every grant is also one for the object's notes.
            allowed.insert(object.text("note"));
        }
        allowed
    }

    /// Fields of the object whose texts this caller may be told anywhere.
    fn told(&self, object: &Object, allowed: &BTreeSet<String>) -> BTreeSet<&'static str> {
        let texts = FIELDS.iter().copied().chain(["note"]);
        let mut told: BTreeSet<_> = texts
            .filter(|field| allowed.contains(&object.text(field)))
            .collect();
        if allowed.contains(&object.id()) {
            told.insert("id");
        }
        told
    }

    /// The same world, but everything this caller may not learn is different.
    pub fn changed_for(&self, caller: &Caller) -> Vec<Object> {
        let mut random = Random::new(self.seed ^ 0xABCD);
        let allowed = self.allowed(caller, &self.objects);
        let inside = self.inside();
        let mut objects = Vec::new();
        for object in &self.objects {
            let told = self.told(object, &allowed);
            let is_inside = inside.contains(&object.number);
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
                self.change_inside(caller, &mut changed, &inside, &mut random);
                if is_hidden && !is_broken {
                    changed.failing = random
                        .chance(30)
                        .then(|| *random.pick(&[400, 403, 404, 409, 410, 422, 423]));
                }
                changed.is_odd = self.is_enforced && is_hidden && !is_inside && random.chance(30);
                objects.push(changed);
            }
            if comes {
                let mut more = object.clone();
                more.number = 1_000 + object.number;
                (more.site, more.parent, more.named) = (None, None, None);
                more.stops.clear();
                more.failing = None;
                more.is_odd = self.is_enforced && random.chance(30);
                objects.push(more);
            }
        }
        objects
    }

    /// Numbers of the objects that stand inside others. They are there in both worlds.
    fn inside(&self) -> BTreeSet<usize> {
        let all = self.objects.iter();
        all.flat_map(|o| {
            let one = [o.site, o.parent, o.named].into_iter().flatten();
            one.chain(o.stops.iter().copied())
        })
        .collect()
    }

    /// Puts other hidden objects, or none, in the place of hidden ones.
    fn change_inside(
        &self,
        caller: &Caller,
        object: &mut Object,
        inside: &BTreeSet<usize>,
        random: &mut Random,
    ) {
        // Where a wrapper is written out, what stands in it is an outermost object of its own.
        if !self.kinds[object.kind].has_site || !self.kinds[object.kind].is_certain() {
            return;
        }
        let hidden = |kind: usize| -> Vec<usize> {
            let all = self.objects.iter().filter(|o| o.kind == kind);
            let all = all.filter(|o| inside.contains(&o.number));
            all.filter(|o| !self.shows_inside(caller, o))
                .map(|o| o.number)
                .collect()
        };
        let (jobs, sites) = (hidden(0), hidden(1));
        let swap = |place: &mut Option<usize>, hidden: &[usize], random: &mut Random| {
            let is_free = place.is_none_or(|number| hidden.contains(&number));
            if is_free && !hidden.is_empty() {
                *place = random.chance(50).then(|| *random.pick(hidden));
            }
        };
        swap(&mut object.site, &sites, random);
        swap(&mut object.named, &sites, random);
        // Parents have smaller numbers, so that nobody is their own ancestor.
        let before: Vec<usize> = jobs.into_iter().filter(|n| *n < object.number).collect();
        swap(&mut object.parent, &before, random);
        object.stops.retain(|stop| !sites.contains(stop));
        for site in sites {
            if random.chance(30) {
                let at = random.below(object.stops.len() + 1);
                object.stops.insert(at, site);
            }
        }
    }

    /// Tokens in what was told that this caller may not have been told by this question.
    pub fn untold(&self, allowed: &BTreeSet<String>, asked: &Asked, told: &str) -> Vec<String> {
        let is_own_word =
            |token: &String| asked.target.contains(token) || asked.body.contains(token);
        let found = tokens(told).into_iter();
        found
            .filter(|token| !allowed.contains(token) && !is_own_word(token))
            .collect()
    }

    /// What a caller sees of an object.
    pub fn shown(&self, caller: &Caller, object: &Object) -> Value {
        self.shown_among(caller, object, &self.objects)
    }

    fn shown_among(&self, caller: &Caller, object: &Object, all: &[Object]) -> Value {
        let rings = vec![Ring {
            grants: self.holding(caller, object).collect(),
            path: String::new(),
        }];
        self.shown_inside(caller, object, all, &rings, 0)
    }

    /// What a caller sees of an object inside others, each of which lets out only what its own grants name.
    fn shown_inside(
        &self,
        caller: &Caller,
        object: &Object,
        all: &[Object],
        rings: &[Ring<'_>],
        depth: usize,
    ) -> Value {
        let mut shown = filtered(&self.bare(object), rings).unwrap_or_else(|| json!({}));
        let nested = |object: &Object, rings: &[Ring<'_>]| -> Option<Value> {
            // There has to be something that may be seen of it.
            covered(rings, false)?;
            if !self.shows_inside(caller, object) {
                return None;
            }
            let mut rings = rings.to_vec();
            if self.has_grant(caller, object.kind) {
                rings.push(Ring {
                    grants: self.holding(caller, object).collect(),
                    path: String::new(),
                });
            }
            Some(self.shown_inside(caller, object, all, &rings, depth + 1))
        };
        // Where one could be hidden, none reads like a hidden one.
        let none = |kind: usize, rings: &[Ring<'_>]| {
            covered(rings, false)?;
            (!self.may_hide(caller, kind)).then_some(Value::Null)
        };
        let nothing = self.kinds[object.kind].nothing_inside;
        for (name, kind, inner) in self.places(object, all, depth) {
            let below = step(rings, name);
            let value = match inner {
                Inner::One(Some(inner)) => nested(inner, &below),
                Inner::One(None) => none(kind, &below),
                // Where one could be hidden, a list of which none is seen reads as an empty one.
                Inner::Many(items) if items.is_empty() && !self.may_hide(caller, kind) => {
                    let said = nothing.inside();
                    said.filter(|_| covered(&below, false).is_some())
                }
                Inner::Many(items) => covered(&below, false).map(|_| {
                    let each = step(&below, "*");
                    items
                        .iter()
                        .filter_map(|item| nested(item, &each))
                        .collect()
                }),
                Inner::Named(item) => covered(&below, false).map(|_| {
                    let each = step(&below, "*");
                    let value = match item {
                        Some(item) => nested(item, &each),
                        None => none(kind, &each).filter(|_| !self.is_enforced),
                    };
                    value.map_or_else(|| json!({}), |value| json!({ "main": value }))
                }),
                Inner::Route(items) => leads_on(&below)
                    .then(|| self.shown_route(caller, (&items, nothing), &below, &nested)),
                // What counts objects is withheld where one beside it may be hidden: a job holds sites and a job.
                Inner::Count(count) => covered(&below, true)
                    .filter(|_| !self.may_hide(caller, 0) && !self.may_hide(caller, 1))
                    .map(|_| json!(count)),
            };
            if let Some(value) = value {
                shown[name] = value;
            }
        }
        shown
    }

    /// A list of others with what stands beside it.
    fn shown_route(
        &self,
        caller: &Caller,
        (items, nothing): (&[&Object], Nothing),
        rings: &[Ring<'_>],
        nested: &dyn Fn(&Object, &[Ring<'_>]) -> Option<Value>,
    ) -> Value {
        let mut shown = json!({});
        let hides = self.may_hide(caller, 1);
        let stops = step(rings, "stops");
        if covered(&stops, false).is_some() {
            let each = step(&stops, "*");
            let seen = items.iter().filter_map(|item| nested(item, &each));
            let seen = if items.is_empty() && !hides {
                nothing.inside()
            } else {
                Some(seen.collect())
            };
            if let Some(seen) = seen {
                shown["stops"] = seen;
            }
        }
        for (name, value) in beside(items.len()) {
            if !hides && covered(&step(rings, name), true).is_some() {
                shown[name] = value;
            }
        }
        shown
    }

    /// The places of an object that hold others, with their kind. Upstreams do not go on without end.
    fn places<'o>(
        &self,
        object: &Object,
        all: &'o [Object],
        depth: usize,
    ) -> Vec<(&'static str, usize, Inner<'o>)> {
        if !self.kinds[object.kind].has_site || depth > 1 {
            return Vec::new();
        }
        let of = |number: usize| all.iter().find(|o| o.number == number);
        vec![
            ("site", 1, Inner::One(object.site.and_then(of))),
            ("parent", 0, Inner::One(object.parent.and_then(of))),
            (
                "stops",
                1,
                Inner::Many(object.stops.iter().filter_map(|n| of(*n)).collect()),
            ),
            ("named", 1, Inner::Named(object.named.and_then(of))),
            (
                "route",
                1,
                Inner::Route(object.stops.iter().filter_map(|n| of(*n)).collect()),
            ),
            ("stopCount", 1, Inner::Count(object.stops.len())),
        ]
    }

    /// The object as the upstream has it.
    pub fn render(&self, object: &Object, all: &[Object]) -> Value {
        self.rendered(object, all, 0)
    }

    fn rendered(&self, object: &Object, all: &[Object], depth: usize) -> Value {
        let mut whole = self.bare(object);
        let inner = |object: &Object| self.rendered(object, all, depth + 1);
        for (name, _, place) in self.places(object, all, depth) {
            whole[name] = match place {
                Inner::One(one) => one.map_or(Value::Null, inner),
                Inner::Many(many) if many.is_empty() => {
                    let Some(nothing) = self.kinds[object.kind].nothing_inside.inside() else {
                        continue;
                    };
                    nothing
                }
                Inner::Many(many) => many.into_iter().map(inner).collect(),
                // No site is no value of the map by its contract.
                Inner::Named(None) if self.is_enforced => json!({}),
                Inner::Named(one) => json!({ "main": one.map_or(Value::Null, inner) }),
                Inner::Route(many) => {
                    let members = beside(many.len()).into_iter();
                    let mut route: serde_json::Map<String, Value> = members
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect();
                    let nothing = self.kinds[object.kind].nothing_inside.inside();
                    let stops = if many.is_empty() {
                        nothing
                    } else {
                        Some(many.into_iter().map(inner).collect())
                    };
                    route.extend(stops.map(|stops| ("stops".to_owned(), stops)));
                    Value::Object(route)
                }
                Inner::Count(count) => json!(count),
            };
        }
        whole
    }

    /// The object without the others that it holds.
    fn bare(&self, object: &Object) -> Value {
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
        if object.is_odd {
            whole["f0"] = json!(7);
        }
        match (kind.owner, object.partner) {
            (Owner::Flat, Some(partner)) => whole["partner"] = json!(partner),
            (Owner::Flat, None) => {}
            (Owner::Deep, Some(partner)) => {
                whole["assignment"] = json!({ "partner": { "id": partner } });
            }
            (Owner::Deep, None) => whole["assignment"] = json!({ "partner": null }),
        }
        whole
    }
}

/// Others in a place of an object.
enum Inner<'o> {
    One(Option<&'o Object>),
    Many(Vec<&'o Object>),
    Named(Option<&'o Object>),
    /// A list with what counts it.
    Route(Vec<&'o Object>),
    /// How many there are in a list.
    Count(usize),
}

/// Whether something in a route is named by each of the rings.
fn leads_on(rings: &[Ring<'_>]) -> bool {
    let leaf = |path: &str| {
        let steps = path.split('.');
        let below = steps.fold(rings.to_vec(), |rings, name| step(&rings, name));
        covered(&below, true).is_some()
    };
    ["stops.*.id", "stops.*.name", "count", "total", "hasMore"]
        .into_iter()
        .any(leaf)
}

/// What a list of so many has beside it.
fn beside(count: usize) -> [(&'static str, Value); 3] {
    [
        ("count", json!(count)),
        ("total", json!(count)),
        ("hasMore", json!(count > 1)),
    ]
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
        parent: None,
        stops: if kinds[kind].has_site {
            (0..random.below(4)).map(|_| random.below(10)).collect()
        } else {
            Vec::new()
        },
        named: (kinds[kind].has_site && random.chance(50)).then(|| random.below(10)),
        edition: BTreeSet::new(),
        is_odd: false,
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
        for inner in INNER {
            if random.chance(40) {
                fields.insert(inner);
            }
        }
    }
    let maskable = [
        "name",
        "f0",
        "site.name",
        "parent.name",
        "parent.site.name",
        "stops.*.name",
    ];
    let masked = maskable
        .into_iter()
        .filter(|field| fields.contains(field) && random.chance(15))
        .collect();
    let when = *random.pick(&When::ALL);
    Grant {
        kind,
        when,
        fields,
        masked,
        has_root: random.chance(50),
        has_errors: random.chance(40),
        is_fixed: when == When::Own && random.chance(60),
    }
}
