//! Bodies that are questions: what each place of the body of a reading operation asks about.
//! Exports `BodyAsks` (what the contract says, once per operation), `BodyRules` (what follows for one integration) and `Walk`.
//! Used by `build` and by `Permit::admit`, which hold a body to the rules of query parameters.
//! Start reading at `Walk::body`.
//!
//! A declaration speaks of its place and of everything below it; what is declared below it is judged as well. What no
//! declaration covers is undeclared. Objects and lists that lead to a declared place ask nothing themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::field::At;
use model::shape::{Node, NodeId, Scalar};
use model::{Asks, Json, PageParameter, Shape};

use super::{Fixed, ParameterRule};
use crate::input::FixedTarget;
use crate::pages::PagePlace;
use crate::plan::leads_to;
use crate::rules::{EACH, Steps};

/// Most places of a body that are named to people.
const PLACES_MAX: usize = 256;
/// Deepest place that is looked for: no body is read so deep.
const DEPTH_MAX: usize = 64;
/// Most steps that are taken to find them. Beyond it nothing is known of pages.
const STEPS_MAX: usize = 20_000;

/// What the body of a reading operation asks about; empty for operations that write.
#[derive(Debug, Default)]
pub(crate) struct BodyAsks {
    /// Places that lead to a declared one, or are one.
    leads: Vec<bool>,
    /// Declared places and those that nothing is said of, by their first path.
    pub places: Vec<BodyPlace>,
}

/// One place of a body.
#[derive(Debug)]
pub(crate) struct BodyPlace {
    pub node: NodeId,
    pub steps: Steps,
    pub asks: Option<Arc<Asks>>,
    /// Its part in paging can be kept: its one path leads through objects, and it asks about nothing else.
    pub is_page: bool,
    is_number: bool,
}

impl BodyAsks {
    /// Reads the shape of a body.
    pub fn new(shape: &Shape, takes_forms: bool) -> BodyAsks {
        let declared = shape.nodes.iter().map(|node| node.asks.is_some());
        let mut names = Names {
            shape,
            leads: leads_to(shape, declared.collect()),
            places: Vec::new(),
            paths: BTreeMap::new(),
            open: Vec::new(),
            steps_left: STEPS_MAX,
        };
        names.place(0, &mut Vec::new());
        let is_counted = names.steps_left > 0;
        for place in &mut names.places {
            let is_one = is_counted && names.paths.get(&place.node) == Some(&1);
            place.is_page = place.is_page && is_one && !takes_forms;
        }
        BodyAsks {
            leads: names.leads,
            places: names.places,
        }
    }

    fn leads(&self, node: Option<NodeId>) -> bool {
        node.is_some_and(|id| self.leads.get(id).copied().unwrap_or(false))
    }

    /// The places that have a part in paging.
    pub fn pages(&self) -> impl Iterator<Item = (PagePlace, PageParameter)> {
        let pages = self.places.iter().filter(|place| place.is_page);
        pages.filter_map(|place| {
            let at = PagePlace::Body {
                steps: place.steps.clone(),
                is_number: place.is_number,
            };
            Some((at, place.asks.as_ref()?.page?))
        })
    }

    /// Whether some place has a part in paging, or is declared to ask about nothing and so may have one.
    pub fn may_page(&self) -> bool {
        let asks = self.places.iter().filter_map(|place| place.asks.as_ref());
        asks.into_iter().any(|asks| {
            let is_neutral = |reveals: &model::Reveals| reveals.paths().next().is_none();
            asks.page.is_some() || asks.reveals.as_ref().is_some_and(is_neutral)
        })
    }
}

/// Names the places of a body.
struct Names<'s> {
    shape: &'s Shape,
    leads: Vec<bool>,
    places: Vec<BodyPlace>,
    /// How many paths lead to a named place.
    paths: BTreeMap<NodeId, usize>,
    open: Vec<NodeId>,
    steps_left: usize,
}

impl Names<'_> {
    /// Names a place, or what is below it: each declared place, and the outermost ones that nothing is said of.
    fn place(&mut self, id: NodeId, at: &mut Steps) {
        let Some(node) = self.shape.node(id) else {
            return;
        };
        self.steps_left = self.steps_left.saturating_sub(1);
        let is_deep = at.len() >= DEPTH_MAX;
        if self.steps_left == 0 || self.places.len() >= PLACES_MAX || is_deep {
            self.steps_left = 0;
            return;
        }
        let leads = self.leads.get(id).copied().unwrap_or(false);
        let is_way = leads || at.is_empty();
        if node.asks.is_some() || !is_way {
            self.named(id, node, at);
        }
        if !is_way || self.open.contains(&id) {
            return;
        }
        self.open.push(id);
        let fields = node
            .fields
            .iter()
            .map(|(name, field)| (name.clone(), field.node));
        let each = node.items.into_iter().chain(node.values);
        for (step, child) in fields.chain(each.map(|id| (Arc::from(EACH), id))) {
            // What a declaration covers is named only where it is declared itself.
            if node.asks.is_none() || self.leads.get(child).copied().unwrap_or(false) {
                at.push(step);
                self.place(child, at);
                at.pop();
            }
        }
        self.open.pop();
    }

    fn named(&mut self, id: NodeId, node: &Node, at: &[Arc<str>]) {
        let count = self.paths.entry(id).or_default();
        *count = count.saturating_add(1);
        if *count == 1 {
            self.places.push(BodyPlace {
                node: id,
                steps: at.to_vec(),
                asks: node.asks.clone(),
                is_page: is_page(node.asks.as_deref(), at),
                is_number: matches!(node.scalar, Scalar::Integer | Scalar::Number),
            });
        }
    }
}

/// Whether a place can have the part in paging that it is declared to have.
fn is_page(asks: Option<&Asks>, at: &[Arc<str>]) -> bool {
    let is_plain = |asks: &Asks| {
        let mut paths = asks.reveals.iter().flat_map(|reveals| reveals.paths());
        asks.page.is_some() && paths.next().is_none()
    };
    asks.is_some_and(is_plain) && !at.is_empty() && at.iter().all(|step| **step != *EACH)
}

/// What follows for the bodies of one integration and one operation.
#[derive(Debug, Default)]
pub(crate) struct BodyRules {
    /// Rules of declared places; by node.
    pub known: BTreeMap<NodeId, ParameterRule>,
    /// Rules of places that nothing is said of and that a grant lets be sent: for people.
    pub unsaid: Vec<ParameterRule>,
}

/// What a walk through a body depends on.
pub(crate) struct Walk<'a, 't> {
    pub rules: &'a BodyRules,
    pub asks: &'a BodyAsks,
    pub shape: &'a Shape,
    pub fixed: &'a [Fixed],
    /// Told of each place that asks something, with the rule of its declaration; none where nothing is said of it.
    pub tell: &'t mut dyn FnMut(&At<'_>, Option<&ParameterRule>, &Json),
}

impl Walk<'_, '_> {
    /// Tells every place of a body that is declared, and the outermost ones that are not. What the gateway itself wrote asks
    /// nothing.
    pub fn body(&mut self, body: &Json) {
        let (at, node) = (At::root(), self.shape.root().map(|_| 0));
        let is_covered = self.declared(node, body, &at);
        match body {
            Json::Object(_) | Json::List(_) => self.below(body, node, is_covered, &at),
            _ if is_covered => {}
            _ => (self.tell)(&at, None, body),
        }
    }

    fn declared(&mut self, node: Option<NodeId>, value: &Json, at: &At<'_>) -> bool {
        let rule = node.and_then(|node| self.rules.known.get(&node));
        if let Some(rule) = rule {
            (self.tell)(at, Some(rule), value);
        }
        rule.is_some()
    }

    fn place(&mut self, value: &Json, node: Option<NodeId>, is_covered: bool, at: &At<'_>) {
        if self.is_fixed(value, at) {
            return;
        }
        let is_covered = self.declared(node, value, at) || is_covered;
        let has_more = matches!(value, Json::Object(_) | Json::List(_));
        if has_more && self.asks.leads(node) {
            self.below(value, node, is_covered, at);
        } else if !is_covered {
            (self.tell)(at, None, value);
        }
    }

    fn below(&mut self, value: &Json, node: Option<NodeId>, is_covered: bool, at: &At<'_>) {
        let here = node.and_then(|node| self.shape.node(node));
        match value {
            Json::Object(members) => {
                for (name, child) in members {
                    let field = here.and_then(|here| here.fields.get(name.as_str()));
                    let node = field.map(|field| field.node);
                    let node = node.or_else(|| here.and_then(|here| here.values));
                    self.place(child, node, is_covered, &at.member(name));
                }
            }
            Json::List(items) => {
                let node = here.and_then(|here| here.items);
                for (index, child) in items.iter().enumerate() {
                    self.place(child, node, is_covered, &at.item(index));
                }
            }
            _ => {}
        }
    }

    /// Whether a place holds what the gateway wrote and nothing else. Where the body is a list, it was written into each item.
    fn is_fixed(&self, value: &Json, at: &At<'_>) -> bool {
        let targets: Vec<&[Arc<str>]> = self.fixed.iter().filter_map(body_steps).collect();
        if targets.is_empty() {
            return false;
        }
        let steps = at.steps();
        let is_list = self.shape.root().is_some_and(|root| root.items.is_some());
        let own = if is_list {
            steps.get(1..).unwrap_or_default()
        } else {
            steps.as_slice()
        };
        let is_begun = |target: &&[Arc<str>]| {
            let mut pairs = own.iter().zip(*target);
            target.len() >= own.len() && pairs.all(|(a, b)| **a == **b)
        };
        let begun: Vec<&[Arc<str>]> = targets.into_iter().filter(is_begun).collect();
        if !own.is_empty() && begun.iter().any(|target| target.len() == own.len()) {
            return true;
        }
        match value {
            Json::Object(members) if !begun.is_empty() && !members.is_empty() => members
                .iter()
                .all(|(name, child)| self.is_fixed(child, &at.member(name))),
            _ => false,
        }
    }
}

/// Steps to a fixed value in a body.
fn body_steps(fixed: &Fixed) -> Option<&[Arc<str>]> {
    match &fixed.target {
        FixedTarget::Query(_) => None,
        FixedTarget::Body(steps) => Some(steps),
    }
}

#[cfg(test)]
mod tests;
