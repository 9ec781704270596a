//! A JSON document exactly as sent: order, digits and absence of duplicates are kept.
//! Exports `Json`, `parse` (strict, bounded) and `write`. Pure.
//! Used by contract (validation), policy (objects, masks), gateway and config.
//! Start reading at `Json`; the grammar is RFC 8259, the refusals are listed at `parse`.

mod parse;
mod plain;
mod write;

pub use parse::{Bounds, Problem, ProblemKind, parse};
pub use write::{write, write_digits, write_string};

use crate::Text;

/// A JSON value. Numbers keep their digits; objects keep their order and have no duplicate keys.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// The digits as written, e.g. `1.50`. Always a valid RFC 8259 number.
    Number(Text),
    /// A string, unescaped.
    Text(Text),
    /// An array.
    List(Vec<Json>),
    /// An object.
    Object(Vec<(Text, Json)>),
}

impl Json {
    /// The member of an object.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The value at a dotted path such as `assignment.partnerId`; objects only, no list steps.
    pub fn at(&self, dotted: &str) -> Option<&Json> {
        dotted
            .split('.')
            .try_fold(self, |value, step| value.get(step))
    }

    /// The string, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number as `i64`, if it is a whole number in range.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Json::Number(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    /// `null`, `boolean`, `number`, `string`, `array` or `object`, as error messages name it.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(_) => "number",
            Json::Text(_) => "string",
            Json::List(_) => "array",
            Json::Object(_) => "object",
        }
    }
}
