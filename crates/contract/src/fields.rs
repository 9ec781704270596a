//! The fields of a request that a contract declares, listed.
//! Exports `fields` and `language_at`.
//! Used by config (what inspection can leave out) and by replays, which know a field by its pointer.
//! Start reading at `fields`.

use std::collections::BTreeSet;

use model::Shape;
use model::shape::{Node, NodeId, Scalar};

use crate::language::{BOOLEAN, FREE, INTEGER, NUMBER};
use crate::plan::Operation;

/// Most fields listed for one operation.
const FIELDS_MAX: usize = 2_000;

/// One declared field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// `path`, `query`, `header`, `cookie` or `body`.
    pub place: &'static str,
    /// Name of the parameter, or JSON pointer in the body; `*` stands for list items and undeclared keys.
    pub pointer: String,
    /// What may stand there: a number of `Contract::languages`.
    pub language: usize,
}

/// The declared fields of a request, at most 2000. What contains itself is listed once.
pub fn fields(operation: &Operation) -> Vec<Field> {
    let mut list = List {
        place: "",
        on_the_way: BTreeSet::new(),
        out: Vec::new(),
    };
    for parameter in &operation.parameters {
        list.place = parameter.place.name();
        list.node(&parameter.shape, 0, parameter.name.to_string());
    }
    list.place = "body";
    list.node(&operation.request_shape, 0, String::new());
    list.out
}

struct List {
    place: &'static str,
    on_the_way: BTreeSet<NodeId>,
    out: Vec<Field>,
}

impl List {
    fn node(&mut self, shape: &Shape, id: NodeId, pointer: String) {
        let Some(node) = shape.node(id) else { return };
        if self.out.len() >= FIELDS_MAX || !self.on_the_way.insert(id) {
            return;
        }
        for (name, field) in &node.fields {
            let step = name.replace('~', "~0").replace('/', "~1");
            self.node(shape, field.node, format!("{pointer}/{step}"));
        }
        for below in node.items.into_iter().chain(node.values) {
            self.node(shape, below, format!("{pointer}/*"));
        }
        self.on_the_way.remove(&id);
        if node.is_leaf && self.out.len() < FIELDS_MAX {
            self.out.push(Field {
                place: self.place,
                pointer,
                language: language(node),
            });
        }
    }
}

/// The language of whatever may stand at a place.
fn language(node: &Node) -> usize {
    match node.scalar {
        Scalar::Integer => INTEGER,
        Scalar::Number => NUMBER,
        Scalar::Boolean => BOOLEAN,
        Scalar::Text => node.text,
    }
}

/// What the contract says about what stands at this place: a number of `Contract::languages`, free where it says nothing.
pub fn language_at(operation: &Operation, place: &str, pointer: &str) -> usize {
    let (shape, steps) = match place {
        "body" => (&operation.request_shape, pointer.strip_prefix('/')),
        _ => {
            let (name, steps) = match pointer.split_once('/') {
                Some((name, steps)) => (name, Some(steps)),
                None => (pointer, None),
            };
            let mut declared = operation.parameters.iter();
            match declared.find(|p| p.place.name() == place && p.is_named(name)) {
                Some(parameter) => (&parameter.shape, steps),
                None => return FREE,
            }
        }
    };
    let mut node = shape.root();
    for step in steps.into_iter().flat_map(|steps| steps.split('/')) {
        let name = step.replace("~1", "/").replace("~0", "~");
        node = node.and_then(|node| {
            let field = node.fields.get(name.as_str()).map(|field| field.node);
            shape.node(field.or(node.values).or(node.items)?)
        });
    }
    node.map_or(FREE, language)
}
