//! Which values of a request probably name objects: `customerId`, `technicianIds`, `customer: { id }`. Guesses for a person
//! to confirm: nothing is allowed or refused by them.
//! Exports `likely` (of a message), `likely_name` and `may_name` (of one name).
//! Used by contract (what is worth remembering), policy (warnings) and `init` (proposals).
//! Start reading at `likely_name`.

use std::sync::Arc;

use crate::Shape;
use crate::clue::Clue;
use crate::shape::{Node, NodeId, Scalar};

/// A kind of object that may be named.
#[derive(Clone, Copy, Debug)]
pub struct KindName<'a> {
    /// `WorkOrder`
    pub schema: &'a str,
    /// What its id is called where it is asked for: `workOrderId`, `sku`.
    pub id: &'a str,
    /// Type of that id.
    pub scalar: Scalar,
}

/// A field that probably names an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likely {
    /// Steps from the root of the body.
    pub steps: Vec<Arc<str>>,
    /// Position among the kinds.
    pub kind: usize,
    /// Where an overlay reaches it.
    pub target: Option<Arc<str>>,
}

/// Words after which a name means an id.
const ID_WORDS: [&str; 4] = ["id", "uuid", "guid", "uid"];
/// Names of ids that say nothing of what they belong to.
const PLAIN_IDS: [&str; 18] = [
    "id", "uuid", "guid", "uid", "key", "name", "number", "code", "slug", "ref", "type", "value",
    "token", "path", "hash", "email", "date", "version",
];
/// Words that many kinds end with, so that alone they mean none of them.
const VAGUE: [&str; 10] = [
    "object", "item", "entity", "resource", "record", "response", "model", "info", "data", "detail",
];
/// Words before a kind that mean the object of another system.
const ELSEWHERE: [&str; 3] = ["external", "foreign", "remote"];
/// Words that mean another object of the same kind.
const SAME_KIND: [&str; 9] = [
    "parent",
    "child",
    "duplicate",
    "original",
    "previous",
    "predecessor",
    "successor",
    "related",
    "replaced",
];
/// Deepest place that is looked at.
const DEPTH_MAX: usize = 12;
/// Most fields that are looked at in one message.
const PLACES_MAX: usize = 4_000;

/// The words of a name, in lower case; the last one in the singular.
pub fn words(name: &str) -> Vec<String> {
    let name = match name.strip_suffix("IDs") {
        Some(before) => format!("{before}Ids"),
        None => name.to_owned(),
    };
    let letters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = vec![String::new()];
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at.saturating_add(1));
        let is_upper = |c: Option<&char>| c.is_some_and(|c| c.is_uppercase());
        let is_lower = |c: Option<&char>| c.is_some_and(|c| c.is_lowercase());
        let begins = letter.is_uppercase()
            && before.is_some()
            && (!is_upper(before) || (is_lower(after) && is_upper(before)));
        if !letter.is_alphanumeric() || begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    if let Some(last) = words.last_mut() {
        *last = singular(last);
    }
    words
}

fn singular(word: &str) -> String {
    match (word.strip_suffix("ies"), word.strip_suffix('s')) {
        (Some(stem), _) if stem.len() > 1 => format!("{stem}y"),
        // No plural: `status`, `bonus`, `address`, `axis`.
        (_, Some(stem)) if stem.len() > 3 && stem.ends_with('u') => word.to_owned(),
        (_, Some(stem)) if stem.len() > 1 && !stem.ends_with(['s', 'i']) => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// A name that ends in a word for ids, without that word.
fn stem(words: &[String]) -> (&[String], bool) {
    match words.split_last() {
        Some((last, before)) if ID_WORDS.contains(&last.as_str()) => (before, true),
        _ => (words, false),
    }
}

/// Whether a name may be that of a reference, whatever kinds there are: `customerId`, `parent`, and not `id` alone.
pub fn may_name(name: &str) -> bool {
    let words = words(name);
    let (before, has_id) = stem(&words);
    let is_same = matches!(before, [one] if SAME_KIND.contains(&one.as_str()));
    is_same || (has_id && !before.is_empty())
}

/// The kind of object that a name probably speaks of. `own` is the kind of the object it stands in.
pub fn likely_name(name: &str, kinds: &[KindName<'_>], own: Option<usize>) -> Option<usize> {
    let words = words(name);
    let scored = kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| (score(&words, kind, own == Some(index)), index));
    let best = scored.clone().max_by_key(|(score, _)| *score)?;
    let is_alone = scored.filter(|(score, _)| *score == best.0).count() == 1;
    (best.0 > 0 && is_alone).then_some(best.1)
}

/// How well a name fits a kind; 0 for not at all.
fn score(words: &[String], kind: &KindName<'_>, is_own: bool) -> u8 {
    let (schema, id) = (self::words(kind.schema), self::words(kind.id));
    let (stem, has_id) = stem(words);
    let is_telling = |id: &[String]| match id {
        [one] => !PLAIN_IDS.contains(&one.as_str()),
        several => !several.is_empty(),
    };
    if words == id && is_telling(&id) {
        return 5;
    }
    if stem.is_empty() {
        return 0;
    }
    if stem == schema {
        return 4;
    }
    if !has_id {
        let is_same = matches!(stem, [one] if SAME_KIND.contains(&one.as_str()));
        return u8::from(is_same && is_own);
    }
    let is_same = stem
        .first()
        .is_some_and(|word| SAME_KIND.contains(&word.as_str()));
    let is_elsewhere = stem
        .first()
        .is_some_and(|word| ELSEWHERE.contains(&word.as_str()));
    let is_vague = matches!(stem, [one] if VAGUE.contains(&one.as_str()));
    if stem.ends_with(&schema) && !is_elsewhere {
        return 3;
    }
    if is_own && is_same && stem.len() == 1 {
        return 3;
    }
    u8::from(schema.ends_with(stem) && !is_vague)
}

/// The fields of a request body that probably name objects and of which nothing is declared yet. `own` is the kind of
/// the object that the body itself is.
pub fn likely(shape: &Shape, kinds: &[KindName<'_>], own: Option<usize>) -> Vec<Likely> {
    let mut search = Search {
        shape,
        kinds,
        found: Vec::new(),
        seen: vec![false; shape.nodes.len()],
        left: PLACES_MAX,
    };
    if !kinds.is_empty() {
        search.node(0, &mut Vec::new(), own);
    }
    search.found
}

struct Search<'s> {
    shape: &'s Shape,
    kinds: &'s [KindName<'s>],
    found: Vec<Likely>,
    seen: Vec<bool>,
    left: usize,
}

impl Search<'_> {
    fn node(&mut self, id: NodeId, at: &mut Vec<Arc<str>>, own: Option<usize>) {
        let shape = self.shape;
        let Some(node) = shape.node(id).filter(|_| at.len() < DEPTH_MAX) else {
            return;
        };
        match self.seen.get_mut(id) {
            Some(seen) if !*seen && node.refers_to.is_none() => *seen = true,
            _ => return,
        }
        let itself = self.kinds.iter().position(|kind| node.may_be(kind.schema));
        let own = itself.or(own);
        for (name, field) in node.fields.iter().filter(|(_, field)| !field.is_read_only) {
            let Some(left) = self.left.checked_sub(1) else {
                return;
            };
            self.left = left;
            at.push(name.clone());
            match self.field(name, field.clue.as_deref(), field.node, own) {
                Some(kind) => self.found.push(Likely {
                    steps: at.clone(),
                    kind,
                    target: field.clue.as_ref().and_then(|clue| clue.target.clone()),
                }),
                None => self.node(field.node, at, own),
            }
            at.pop();
        }
        if let Some(below) = node.items.or(node.values) {
            at.push(Arc::from("*"));
            self.node(below, at, own);
            at.pop();
        }
    }

    /// The kind that one field names.
    fn field(
        &self,
        name: &str,
        clue: Option<&Clue>,
        id: NodeId,
        own: Option<usize>,
    ) -> Option<usize> {
        let clue = clue?;
        let node = self
            .shape
            .node(id)
            .filter(|node| is_undeclared(self.shape, node))?;
        let told = clue
            .told
            .as_deref()
            .and_then(|told| self.kinds.iter().position(|kind| kind.schema == told));
        let kind = told.or_else(|| likely_name(name, self.kinds, own))?;
        let named = self.kinds.get(kind)?;
        let words = words(name);
        // Its own id says which object it is.
        let is_itself = own == Some(kind) && words == self::words(named.id);
        let is_plain = matches!(words.as_slice(), [one] if PLAIN_IDS.contains(&one.as_str()));
        // A bare `customer: Acme` may be anything; that it is an id has to be said somewhere.
        let is_id = told.is_some() || words == self::words(named.id) || stem(&words).1;
        let is_named = !is_itself && !is_plain && self.may_name(node, named, is_id);
        is_named.then_some(kind)
    }

    /// Whether a place can hold an id of this kind, several, or an object that carries one. What is declared as the kind
    /// itself is no mere name of one.
    fn may_name(&self, node: &Node, kind: &KindName<'_>, is_id: bool) -> bool {
        let item = node.items.and_then(|id| self.shape.node(id));
        [Some(node), item].into_iter().flatten().any(|node| {
            let has_id = ["id", kind.id]
                .iter()
                .any(|name| node.fields.contains_key(*name));
            let is_mere = has_id && !node.may_be(kind.schema);
            (is_id && node.is_leaf && node.scalar == kind.scalar) || is_mere
        })
    }
}

/// Whether nothing says yet what a field names.
fn is_undeclared(shape: &Shape, node: &Node) -> bool {
    let item = node.items.and_then(|id| shape.node(id));
    let is_said = |node: &Node| {
        let below = ["id"].iter().filter_map(|name| node.fields.get(*name));
        let mut below = below.filter_map(|field| shape.node(field.node));
        node.refers_to.is_some() || below.any(|node| node.refers_to.is_some())
    };
    ![Some(node), item].into_iter().flatten().any(is_said)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [KindName<'static>; 5] = [
        kind("WorkOrder", "workOrderId"),
        kind("Customer", "customerId"),
        kind("ServiceRequest", "requestId"),
        kind("Part", "sku"),
        kind("Category", "id"),
    ];

    const fn kind(schema: &'static str, id: &'static str) -> KindName<'static> {
        KindName {
            schema,
            id,
            scalar: Scalar::Text,
        }
    }

    #[test]
    fn names_are_split_into_words() {
        for (name, wanted) in [
            ("workOrderId", "work order id"),
            ("work_order_ids", "work order id"),
            ("orderIDs", "order id"),
            ("HTTPServerID", "http server id"),
            ("categories", "category"),
            ("Addresses", "addresse"),
            ("status", "status"),
        ] {
            assert_eq!(words(name).join(" "), wanted, "{name}");
        }
    }

    #[test]
    fn a_name_speaks_of_a_kind_or_of_none() {
        for (name, wanted) in [
            ("customerId", Some("Customer")),
            ("customer_id", Some("Customer")),
            ("customerIDs", Some("Customer")),
            ("billingCustomerId", Some("Customer")),
            ("customer", Some("Customer")),
            ("orderId", Some("WorkOrder")),
            ("requestId", Some("ServiceRequest")),
            ("skus", Some("Part")),
            ("categoryIds", Some("Category")),
            ("parentId", Some("WorkOrder")),
            ("parent", Some("WorkOrder")),
            ("id", None),
            ("customerName", None),
            ("billingCustomer", None),
            ("paid", None),
            ("partnerId", None),
            ("status", None),
        ] {
            let found = likely_name(name, &KINDS, Some(0)).map(|kind| KINDS[kind].schema);
            assert_eq!(found, wanted, "{name}");
        }
        assert_eq!(likely_name("parentId", &KINDS, None), None);
    }
}
