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
    /// A status, as if the list were an object that is not there, or that is not to be told of.
    Status(u16),
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
pub const NOTHING: [Nothing; 10] = [
    Nothing::Empty,
    Nothing::NoBody,
    Nothing::LeftOut,
    Nothing::Null,
    Nothing::Status(403),
    Nothing::Status(404),
    Nothing::Status(409),
    Nothing::Status(410),
    Nothing::Status(423),
    Nothing::Status(451),
];
