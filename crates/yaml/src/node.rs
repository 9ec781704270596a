//! A value with the place it was written at.
//! Exports `Node`, `Value`, `Entries` and `Span`.
//! Made by the composer.
//! Start reading at `Node`.

use model::Mistake;
use serde::de::{Deserialize, Deserializer};
use serde_json::Number;

/// Bytes of one file: where they begin, how many, and the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Byte offset from the beginning of the file.
    pub start: usize,
    /// Bytes.
    pub len: usize,
    /// Line, counted from 1.
    pub line: u32,
}

impl Span {
    /// A mistake at this place; the file is left to the caller.
    pub fn mistake(self, message: impl Into<String>, help: impl Into<String>) -> Mistake {
        Mistake::new(message, help)
            .at(self.start, self.len)
            .at_line(self.line)
    }

    /// The bytes of the text that stand here.
    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start..self.start.saturating_add(self.len))
            .unwrap_or_default()
    }
}

/// As three numbers, which is how readers of trees hand a place to typed values.
impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let (start, len, line) = Deserialize::deserialize(d)?;
        Ok(Span { start, len, line })
    }
}

/// One value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number that JSON has.
    Number(Number),
    /// Text; also whatever plain word is none of the above (`no`, `on`, `2027-03-31`).
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Names with values.
    Map(Box<Entries>),
    /// Something that was reported already.
    Broken,
}

/// The entries of a map, and the names of those that were already found wrong and taken out.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    /// Key and value in the order written.
    pub pairs: Vec<(Node, Node)>,
    /// Keys whose value was reported; their absence is no second mistake.
    pub dropped: Vec<String>,
    /// Fields that are missing and were filled with a value that stands for them, so that the rest could be read.
    pub filled: Vec<&'static str>,
}

/// Stands for whatever an unknown key was meant to be. No YAML holds it as a key.
pub const ANY_KEY: &str = "\u{0}any";

impl Node {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it has nothing below it.
    pub fn is_scalar(&self) -> bool {
        !matches!(self.value, Value::List(_) | Value::Map(_))
    }

    /// The same without places. What was reported is `null`.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null | Value::Broken => Json::Null,
            Value::Bool(is_true) => Json::Bool(*is_true),
            Value::Number(number) => Json::Number(number.clone()),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => entries
                .pairs
                .iter()
                .map(|(key, value)| {
                    (
                        key.as_text().unwrap_or_default().to_owned(),
                        value.to_json(),
                    )
                })
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// How many values it is made of, itself counted, and how many levels it has below itself: what an alias of it costs.
    pub(crate) fn extent(&self) -> (usize, usize) {
        let with = |(size, levels): (usize, usize), below: &Node| {
            let (more, deeper) = below.extent();
            (size + more, levels.max(deeper + 1))
        };
        match &self.value {
            Value::List(items) => items.iter().fold((1, 0), with),
            Value::Map(entries) => {
                let values = entries.pairs.iter().map(|(_, value)| value);
                values.fold((1, 0), with)
            }
            _ => (1, 0),
        }
    }
}
