//! From a schema to the tree of fields it declares: allOf merged, oneOf and anyOf united, names kept.
//! Exports `shape_of` and `ShapeRules`. Pure.
//! Used by `compile`; policy, config and inspection read the result.
//! Start reading at `Builder::node`: a node stands for a set of schemas that describe the same place.

mod admitted;
mod clues;
mod domain;
mod kinds;
mod names;
mod texts;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use model::shape::{Class, Field, Node, NodeId};
use model::{Asks, PageField, Shape};
use serde_json::Value;

use crate::docs::{At, Docs};
use crate::language::{FREE, Languages};
use crate::lower::{Direction, is_assertion, says};
use crate::questions;

pub(crate) use clues::target;
pub(crate) use kinds::{Kinds, are_whole, kinds, scalar};
pub(crate) use names::Names;

/// Most nodes of one shape. Beyond it a place counts as open, which grants nothing and is inspected whole.
const NODES_MAX: usize = 20_000;
/// Most schemas that may describe one place together.
const PARTS_MAX: usize = 400;

/// What the shape depends on besides the schema.
#[derive(Clone, Copy)]
pub(crate) struct ShapeRules {
    pub(crate) direction: Direction,
    pub(crate) is_30: bool,
    pub(crate) closes: bool,
}

/// The shape of the values these schemas describe (several content types are united).
pub(crate) fn shape_of(
    docs: &Docs,
    names: &Names,
    languages: &mut Languages,
    roots: &[At<'_>],
    rules: ShapeRules,
) -> Shape {
    if roots.is_empty() {
        return Shape::default();
    }
    let mut builder = Builder {
        docs,
        names,
        rules,
        shape: Shape::default(),
        known: HashMap::new(),
        waiting: VecDeque::new(),
    };
    builder.node(roots.to_vec());
    while let Some((id, places)) = builder.waiting.pop_front() {
        let node = builder.describe(&places, languages);
        if let Some(slot) = builder.shape.nodes.get_mut(id) {
            *slot = node;
        }
    }
    builder.shape
}

struct Builder<'a> {
    docs: &'a Docs,
    names: &'a Names,
    rules: ShapeRules,
    shape: Shape,
    known: HashMap<Vec<(usize, String)>, NodeId>,
    waiting: VecDeque<(NodeId, Vec<At<'a>>)>,
}

/// One schema that describes a place, and whether it always applies.
struct Part<'a> {
    at: At<'a>,
    is_certain: bool,
}

impl<'a> Builder<'a> {
    /// The place itself, or the named schema it merely refers to, so that both share one node.
    fn settled(&self, place: At<'a>) -> At<'a> {
        let mut here = place;
        for _ in 0..8 {
            let is_named = here.pointer.starts_with("/components/schemas/")
                && here.pointer.matches('/').count() == 3;
            let is_mere = here.object().is_some_and(|members| {
                members.keys().all(|key| {
                    (self.rules.is_30 || !is_assertion(key)) && !key.starts_with("x-portcullis-")
                })
            });
            let Some(reference) = here.text("$ref").filter(|_| is_mere && !is_named) else {
                break;
            };
            let Ok(target) = self.docs.resolve(&here, reference) else {
                break;
            };
            here = target;
        }
        here
    }

    /// The node for a set of places; made once.
    fn node(&mut self, places: Vec<At<'a>>) -> NodeId {
        let mut places: Vec<_> = places.into_iter().map(|p| self.settled(p)).collect();
        let mut key: Vec<_> = places.iter().map(At::key).collect();
        key.sort();
        key.dedup();
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        let id = self.shape.nodes.len();
        self.known.insert(key, id);
        self.shape.nodes.push(Node {
            is_open: true,
            is_leaf: true,
            is_free_text: true,
            ..Node::default()
        });
        if id < NODES_MAX {
            places.truncate(PARTS_MAX);
            self.waiting.push_back((id, places));
        }
        id
    }

    fn describe(&mut self, places: &[At<'a>], languages: &mut Languages) -> Node {
        let mut parts = Vec::new();
        let mut seen = HashSet::new();
        for place in places {
            self.expand(place, true, &mut parts, &mut seen);
        }
        let kinds = places
            .iter()
            .map(|place| kinds(self.docs, self.rules.is_30, place))
            .fold(Kinds::NONE, Kinds::or);
        let texts = texts::texts(self.docs, self.rules.is_30, places);
        let scalar = scalar(self.docs, self.rules.is_30, places);
        let domain = domain::of(
            self.docs,
            self.rules.is_30,
            places,
            (kinds, scalar),
            texts.as_ref(),
        );
        let schema = self.name(places);
        let mut node = Node {
            also: self.others(&parts, schema.as_ref()),
            schema,
            scalar,
            domain: domain.map(Arc::new),
            is_leaf: kinds.has_leaf(),
            is_free_text: kinds.has(Kinds::TEXT)
                && texts.as_ref().is_some_and(|texts| !texts::is_bound(texts)),
            // Where no text is admitted none can be proven either: should one stand there, it is free.
            text: match texts {
                Some(texts) if self.rules.direction == Direction::Request => {
                    languages.number(texts)
                }
                _ => FREE,
            },
            class: parts
                .iter()
                .filter_map(|p| class(&p.at))
                .max()
                .unwrap_or_default(),
            refers_to: parts
                .iter()
                .find_map(|p| p.at.text("x-portcullis-refers-to"))
                .map(Arc::from),
            page: parts.iter().find_map(|p| page(&p.at)),
            asks: self.asks(places, &parts),
            ..Node::default()
        };
        if kinds.has(Kinds::OBJECT) {
            self.fields(&parts, &mut node);
        }
        if kinds.has(Kinds::LIST) {
            let items = items(&parts);
            if !items.is_empty() {
                node.items = Some(self.node(items));
            } else {
                node.is_open = true;
            }
            node.items_max = items_max(&parts);
        }
        node
    }

    /// Names of the other schemas that a place is or may be.
    fn others(&self, parts: &[Part<'a>], own: Option<&Arc<str>>) -> Vec<Arc<str>> {
        let names = parts
            .iter()
            .filter_map(|part| self.names.own(self.docs, &part.at));
        let mut also: Vec<Arc<str>> = names.filter(|name| own != Some(name)).collect();
        also.sort();
        also.dedup();
        also
    }

    /// What the place asks about in a request, where each schema that may describe it says so: what one alternative leaves
    /// unsaid is not said.
    fn asks(&self, places: &[At<'a>], parts: &[Part<'a>]) -> Option<Arc<Asks>> {
        if self.rules.direction != Direction::Request
            || !parts.iter().any(|part| questions::is_stated(&part.at))
        {
            return None;
        }
        for place in places {
            let mut own = Vec::new();
            self.expand(place, true, &mut own, &mut HashSet::new());
            let mut certain = own.iter().filter(|part| part.is_certain);
            if !certain.any(|part| questions::is_stated(&part.at)) {
                return None;
            }
        }
        let all: Vec<At<'a>> = parts.iter().map(|part| part.at.clone()).collect();
        let stated: Vec<&At<'a>> = all.iter().filter(|at| questions::is_stated(at)).collect();
        questions::asks(self.docs, &stated, &all).map(Arc::new)
    }

    /// Collects the schemas that describe the same place: through references, allOf, oneOf, anyOf, then, else.
    fn expand(
        &self,
        at: &At<'a>,
        is_certain: bool,
        out: &mut Vec<Part<'a>>,
        seen: &mut HashSet<(usize, String)>,
    ) {
        if out.len() >= PARTS_MAX || !seen.insert(at.key()) {
            return;
        }
        if let Some(reference) = at.text("$ref")
            && let Ok(target) = self.docs.resolve(at, reference)
        {
            self.expand(&target, is_certain, out, seen);
        }
        out.push(Part {
            at: at.clone(),
            is_certain,
        });
        if self.rules.is_30 && at.text("$ref").is_some() {
            return;
        }
        for (word, is_sure) in [("allOf", is_certain), ("anyOf", false), ("oneOf", false)] {
            for part in at.get(word).iter().flat_map(At::items) {
                self.expand(&part, is_sure, out, seen);
            }
        }
        for word in ["then", "else"] {
            if let Some(part) = at.get(word) {
                self.expand(&part, false, out, seen);
            }
        }
        for (_, part) in at.get("dependentSchemas").iter().flat_map(At::members) {
            self.expand(&part, false, out, seen);
        }
    }

    fn fields(&mut self, parts: &[Part<'a>], node: &mut Node) {
        // 3.0 ignores the siblings of `$ref`; only their facts (`x-…`) count.
        let parts: Vec<&Part<'_>> = parts
            .iter()
            .filter(|p| !(self.rules.is_30 && p.at.text("$ref").is_some()))
            .collect();
        let mut declared: BTreeMap<&str, Vec<At<'a>>> = BTreeMap::new();
        let (mut values, mut is_refused, mut is_allowed) = (Vec::new(), false, false);
        for part in &parts {
            for (name, child) in self.docs.properties(&part.at).iter().flat_map(At::members) {
                declared.entry(name).or_default().push(child);
            }
            let patterns = part.at.get("patternProperties");
            values.extend(
                patterns
                    .iter()
                    .flat_map(At::members)
                    .map(|(_, child)| child),
            );
            for word in ["additionalProperties", "unevaluatedProperties"] {
                match part.at.get(word) {
                    Some(rest) if rest.value == &Value::Bool(false) => {
                        is_refused |= part.is_certain;
                    }
                    Some(rest) if rest.value.as_object().is_some_and(|m| !m.is_empty()) => {
                        values.push(rest);
                    }
                    Some(_) => is_allowed = true,
                    None => {}
                }
            }
        }
        let is_declared = !declared.is_empty() || !values.is_empty();
        let is_silent_open =
            !(self.rules.direction == Direction::Request && self.rules.closes && is_declared);
        node.is_open = is_allowed || (!is_refused && values.is_empty() && is_silent_open);
        if !values.is_empty() {
            node.values = Some(self.node(values));
        }
        for (name, children) in declared {
            let is_required = parts.iter().any(|p| {
                let required = p.at.value.get("required").and_then(Value::as_array);
                p.is_certain && required.is_some_and(|r| r.iter().any(|n| n == name))
            });
            let any = |word| children.iter().any(|c| says(self.docs, c, word, 8));
            let field = Field {
                is_required,
                is_read_only: any("readOnly"),
                is_write_only: any("writeOnly"),
                clue: match self.rules.direction {
                    Direction::Request => clues::clue(self.docs, self.names, name, &children),
                    Direction::Response => None,
                },
                node: 0,
            };
            let node_id = self.node(children);
            node.fields.insert(
                Arc::from(name),
                Field {
                    node: node_id,
                    ..field
                },
            );
        }
    }

    /// The component schema a place refers to: directly, or as the only named part of its composition.
    fn name(&self, places: &[At<'a>]) -> Option<Arc<str>> {
        let mut names: Vec<Arc<str>> = places.iter().filter_map(|p| self.name_of(p, 8)).collect();
        names.sort();
        names.dedup();
        match names.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }
    }

    fn name_of(&self, at: &At<'a>, depth: usize) -> Option<Arc<str>> {
        if depth == 0 {
            return None;
        }
        if let Some(own) = self.names.own(self.docs, at) {
            return Some(own);
        }
        if let Some(reference) = at.text("$ref") {
            let target = self.docs.resolve(at, reference).ok()?;
            return self.name_of(&target, depth - 1);
        }
        let mut names: Vec<Arc<str>> = ["allOf", "anyOf", "oneOf"]
            .iter()
            .filter_map(|word| at.get(word))
            .flat_map(|list| list.items().collect::<Vec<_>>())
            .filter_map(|part| self.name_of(&part, depth - 1))
            .collect();
        names.dedup();
        match names.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }
    }
}

/// The schemas of a list's items.
fn items<'a>(parts: &[Part<'a>]) -> Vec<At<'a>> {
    let each = parts.iter().flat_map(|p| {
        let several = p.at.get("prefixItems");
        let one = p.at.get("items").filter(|items| !items.value.is_boolean());
        several
            .iter()
            .flat_map(At::items)
            .chain(one)
            .collect::<Vec<_>>()
    });
    each.collect()
}

/// The least of the bounds that hold for a list.
fn items_max(parts: &[Part<'_>]) -> Option<u64> {
    let certain = parts.iter().filter(|p| p.is_certain);
    certain
        .filter_map(|p| p.at.value.get("maxItems")?.as_u64())
        .min()
}

fn page(at: &At<'_>) -> Option<PageField> {
    at.text("x-portcullis-page").and_then(PageField::parse)
}

fn class(at: &At<'_>) -> Option<Class> {
    at.text("x-portcullis-class").and_then(Class::parse)
}
