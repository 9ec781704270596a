//! What inspection has to look at: the values of one request, each with the language the contract gives it.
//! Exports `leaves`.
//! Used by gateway's stage inspect.
//! Start reading at `leaves`.

use std::borrow::Cow;

use model::shape::Node;
use model::{Json, Shape};

use crate::language::{ADDRESS, BOOLEAN, FREE, INTEGER, NUMBER};
use crate::plan::Operation;
use crate::request::ValidRequest;

/// One text to inspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// `path`, `query`, `header`, `cookie` or `body`.
    pub place: &'static str,
    /// Name of the parameter, or JSON pointer in the body.
    pub pointer: String,
    /// The text. Names of undeclared keys are texts too; numbers and booleans are shown as they are written.
    pub text: Cow<'a, str>,
    /// Whether the text is the name of an undeclared key, not a value: `{"$where": …}` means something only as a name.
    pub is_name: bool,
    /// What the contract says about such texts: a number of `Contract::languages`. Free where it says nothing, and for
    /// every text that no schema vouched for.
    pub language: usize,
}

/// The texts of one request, without those whose language is to be skipped.
///
/// `skipped` says by number of the language what need not be looked at; beyond its end nothing is skipped.
pub fn leaves<'a>(
    operation: &Operation,
    request: &'a ValidRequest,
    skipped: &[bool],
) -> Vec<Leaf<'a>> {
    let mut walk = Walk {
        place: "",
        pointer: String::new(),
        out: Vec::new(),
        skipped,
        is_unproven: request.is_unproven,
    };
    let nothing = Shape::default();
    for judged in &request.parameters {
        walk.place = judged.place.name();
        walk.pointer.clear();
        walk.pointer.push_str(&judged.name);
        match operation.parameter(judged.place, &judged.name) {
            Some(parameter) => {
                walk.value(&judged.value, &parameter.shape, parameter.shape.root());
            }
            None => {
                walk.push(&*judged.name, true, FREE);
                walk.value(&judged.value, &nothing, None);
            }
        }
        walk.joined(&judged.value);
    }
    if let Some(body) = request.body() {
        walk.place = "body";
        walk.pointer.clear();
        let shape = &operation.request_shape;
        walk.value(body, shape, shape.root());
    }
    walk.out
}

/// The text of a number, a boolean or a text, and its language. `null` and what has parts are no texts.
fn scalar<'a>(value: &'a Json, node: Option<&Node>) -> Option<(&'a str, usize)> {
    match value {
        Json::Text(text) => Some((text, node.map_or(FREE, |node| node.text))),
        // A number is a number whatever the schema says: the reader made sure.
        Json::Number(digits) => {
            let is_whole = digits.bytes().all(|b| b.is_ascii_digit() || b == b'-');
            Some((digits, if is_whole { INTEGER } else { NUMBER }))
        }
        Json::Bool(true) => Some(("true", BOOLEAN)),
        Json::Bool(false) => Some(("false", BOOLEAN)),
        Json::Null | Json::List(_) | Json::Object(_) => None,
    }
}

struct Walk<'a, 's> {
    place: &'static str,
    pointer: String,
    out: Vec<Leaf<'a>>,
    skipped: &'s [bool],
    /// What the schema did not prove is free, whatever the schema says of it; that it is an address still counts.
    is_unproven: bool,
}

impl<'a> Walk<'a, '_> {
    /// `node` is `None` where the contract says nothing: everything below is free then.
    fn value(&mut self, value: &'a Json, shape: &Shape, node: Option<&Node>) {
        match value {
            Json::List(items) => {
                let item = node
                    .and_then(|node| node.items)
                    .and_then(|id| shape.node(id));
                for (index, child) in items.iter().enumerate() {
                    if self.is_wanted(child, item) {
                        self.below(&index.to_string(), |walk| walk.value(child, shape, item));
                    }
                }
            }
            Json::Object(members) => {
                for (key, child) in members {
                    let field = node.and_then(|node| node.fields.get(key.as_str()));
                    let id = field.map(|f| f.node).or(node.and_then(|node| node.values));
                    let below = id.and_then(|id| shape.node(id));
                    let is_known = field.is_some() && !self.is_unproven;
                    if is_known && !self.is_wanted(child, below) {
                        continue;
                    }
                    self.below(key, |walk| {
                        if field.is_none() || walk.is_unproven {
                            walk.push(key.as_str(), true, FREE);
                        }
                        walk.value(child, shape, below);
                    });
                }
            }
            _ => {
                if let Some((text, language)) = self.scalar(value, node) {
                    self.push(text, false, language);
                }
            }
        }
    }

    /// The pieces of a parameter as one text, where more than one of them was looked at: the upstream gets them in one
    /// value, or as several that some frameworks join by a comma. An attack must not pass in pieces.
    fn joined(&mut self, value: &Json) {
        let is_piece = |leaf: &&Leaf<'_>| leaf.place == self.place && self.is_below(&leaf.pointer);
        if self.out.iter().filter(is_piece).count() < 2 {
            return;
        }
        let mut text = String::new();
        let mut add = |piece: &str| {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(piece);
        };
        match value {
            Json::List(items) => {
                let texts = items.iter().filter_map(|item| scalar(item, None));
                texts.for_each(|(text, _)| add(text));
            }
            Json::Object(members) => members.iter().for_each(|(key, child)| {
                add(key);
                scalar(child, None)
                    .into_iter()
                    .for_each(|(text, _)| add(text));
            }),
            _ => return,
        }
        self.push(text, false, FREE);
    }

    fn is_below(&self, pointer: &str) -> bool {
        let rest = pointer.strip_prefix(&*self.pointer);
        rest.is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether anything at or below this value may have to be looked at. Most values need not, and cost no pointer.
    fn is_wanted(&self, value: &'a Json, node: Option<&Node>) -> bool {
        match value {
            Json::List(_) | Json::Object(_) => true,
            value => self
                .scalar(value, node)
                .is_some_and(|(_, language)| !self.is_skipped(language)),
        }
    }

    /// A text with the language that counts for it.
    fn scalar(&self, value: &'a Json, node: Option<&Node>) -> Option<(&'a str, usize)> {
        let (text, language) = scalar(value, node)?;
        let is_free = self.is_unproven && matches!(value, Json::Text(_)) && language != ADDRESS;
        Some((text, if is_free { FREE } else { language }))
    }

    fn is_skipped(&self, language: usize) -> bool {
        self.skipped.get(language).copied().unwrap_or(false)
    }

    fn push(&mut self, text: impl Into<Cow<'a, str>>, is_name: bool, language: usize) {
        if self.is_skipped(language) {
            return;
        }
        self.out.push(Leaf {
            place: self.place,
            pointer: self.pointer.clone(),
            text: text.into(),
            is_name,
            language,
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
