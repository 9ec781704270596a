//! The ways in which a system says that it has nothing.
//! Exports `Nothing`.

use serde_json::{Value, json};

/// How a system says that there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// An empty list.
    Empty,
    /// No body at all (204).
    NoBody,
    /// The list is left out; a bare one is `null`.
    LeftOut,
    /// `null` in its place.
    Null,
    /// 404, as if the list were an object that is not there.
    NotFound,
}

impl Nothing {
    /// The same of a list inside an object; `None` where it is left out.
    pub fn inside(self) -> Option<Value> {
        match self {
            Nothing::LeftOut => None,
            Nothing::Null => Some(Value::Null),
            _ => Some(json!([])),
        }
    }
}

/// Each of them.
pub const NOTHING: [Nothing; 5] = [
    Nothing::Empty,
    Nothing::NoBody,
    Nothing::LeftOut,
    Nothing::Null,
    Nothing::NotFound,
];
