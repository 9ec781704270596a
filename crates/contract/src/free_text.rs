//! What inspection has to look at: contents the contract leaves free.
//! Gives `free_text` (the plan) and `leaves` (the texts of one request).
//! Used by gateway's stage inspect.
//! Start reading at `leaves`.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::shape::Node;
use model::{Json, Shape};

use crate::plan::{Operation, Parameter, Place};
use crate::request::ValidRequest;

/// The places of one operation that the contract leaves free.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FreeText {
    /// Path parameters.
    pub path: BTreeSet<Arc<str>>,
    /// Query parameters.
    pub query: BTreeSet<Arc<str>>,
    /// Header parameters.
    pub header: BTreeSet<Arc<str>>,
    /// Cookie parameters.
    pub cookie: BTreeSet<Arc<str>>,
    /// Whether the body can hold free text or undeclared keys at all; `leaves` finds them by the shape.
    pub is_in_body: bool,
}

impl FreeText {
    pub(crate) fn of(parameters: &[Parameter], body: &Shape) -> FreeText {
        let names = |place| {
            parameters
                .iter()
                .filter(|p| p.place == place && p.is_free_text)
                .map(|p| p.name.clone())
                .collect()
        };
        FreeText {
            path: names(Place::Path),
            query: names(Place::Query),
            header: names(Place::Header),
            cookie: names(Place::Cookie),
            is_in_body: body
                .nodes
                .iter()
                .any(|node| node.is_free_text || node.is_open || node.values.is_some()),
        }
    }

    fn has(&self, place: Place, name: &str) -> bool {
        match place {
            Place::Path => self.path.contains(name),
            Place::Query => self.query.contains(name),
            Place::Header => self.header.contains(name),
            Place::Cookie => self.cookie.contains(name),
        }
    }
}

/// One text to inspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// `path`, `query`, `header`, `cookie` or `body`.
    pub place: &'static str,
    /// Name of the parameter, or JSON pointer in the body.
    pub pointer: String,
    /// The text. Names of undeclared keys are texts too.
    pub text: &'a str,
    /// Whether the text is the name of an undeclared key, not a value: `{"$where": …}` means something only as a name.
    pub is_name: bool,
}

/// The plan of one operation.
pub fn free_text(operation: &Operation) -> &FreeText {
    &operation.free_text
}

/// The texts of one request that inspection has to look at.
pub fn leaves<'a>(operation: &Operation, request: &'a ValidRequest) -> Vec<Leaf<'a>> {
    let mut walk = Walk {
        place: "",
        pointer: String::new(),
        out: Vec::new(),
    };
    for judged in &request.parameters {
        let is_free = operation.free_text.has(judged.place, &judged.name);
        if !is_free && !request.is_unproven {
            continue;
        }
        walk.place = judged.place.name();
        walk.pointer.clear();
        walk.pointer.push_str(&judged.name);
        match operation.parameter(judged.place, &judged.name) {
            Some(parameter) if !request.is_unproven => {
                walk.value(&judged.value, &parameter.shape, parameter.shape.root());
            }
            Some(_) => walk.value(&judged.value, &operation.request_shape, None),
            None => {
                walk.push(&judged.name, true);
                walk.value(&judged.value, &operation.request_shape, None);
            }
        }
    }
    if let Some(body) = &request.body
        && (operation.free_text.is_in_body || request.is_unproven)
    {
        walk.place = "body";
        walk.pointer.clear();
        let shape = &operation.request_shape;
        // What the schema did not prove is free, whatever the schema says of it.
        walk.value(body, shape, shape.root().filter(|_| !request.is_unproven));
    }
    walk.out
}

struct Walk<'a> {
    place: &'static str,
    pointer: String,
    out: Vec<Leaf<'a>>,
}

impl<'a> Walk<'a> {
    /// `node` is `None` where the contract says nothing: everything below is free then.
    fn value(&mut self, value: &'a Json, shape: &Shape, node: Option<&Node>) {
        match value {
            Json::Text(text) => {
                // A text where the shape expects none still passed the schema: look at it.
                if node.is_none_or(|node| node.is_free_text || !node.is_leaf) {
                    self.push(text, false);
                }
            }
            Json::List(items) => {
                let item = node
                    .and_then(|node| node.items)
                    .and_then(|id| shape.node(id));
                for (index, child) in items.iter().enumerate() {
                    self.below(&index.to_string(), |walk| walk.value(child, shape, item));
                }
            }
            Json::Object(members) => {
                for (key, child) in members {
                    let field = node.and_then(|node| node.fields.get(key.as_str()));
                    let id = field.map(|f| f.node).or(node.and_then(|node| node.values));
                    self.below(key, |walk| {
                        if field.is_none() {
                            walk.push(key, true);
                        }
                        walk.value(child, shape, id.and_then(|id| shape.node(id)));
                    });
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn push(&mut self, text: &'a str, is_name: bool) {
        self.out.push(Leaf {
            place: self.place,
            pointer: self.pointer.clone(),
            text,
            is_name,
        });
    }

    fn below(&mut self, step: &str, walk: impl FnOnce(&mut Self)) {
        let length = self.pointer.len();
        self.pointer.push('/');
        for letter in step.chars() {
            match letter {
                '~' => self.pointer.push_str("~0"),
                '/' => self.pointer.push_str("~1"),
                letter => self.pointer.push(letter),
            }
        }
        walk(self);
        self.pointer.truncate(length);
    }
}
