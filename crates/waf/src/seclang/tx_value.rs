//! The values of the TX collection: numbers and texts that rules set and compare.
//! Exports `TxValue`.
//! Used by `program` for values that are fixed at load, and by `store`.
//! Start reading at `TxValue`.

use super::operator::integer;
use std::sync::Arc;

/// A value of the TX collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TxValue {
    Number(i64),
    Text(Arc<[u8]>),
}

impl TxValue {
    pub(super) fn number(&self) -> i64 {
        match self {
            TxValue::Number(number) => *number,
            TxValue::Text(text) => integer(text),
        }
    }

    /// A text, as a number when it is written as one.
    pub(super) fn of(text: &[u8]) -> TxValue {
        let number = std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse::<i64>().ok());
        match number.filter(|number| number.to_string().as_bytes() == text) {
            Some(number) => TxValue::Number(number),
            None => TxValue::Text(text.into()),
        }
    }

    /// Appends the value as text.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            TxValue::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            TxValue::Text(text) => out.extend_from_slice(text),
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            TxValue::Number(number) => number.to_string().into_bytes(),
            TxValue::Text(text) => text.to_vec(),
        }
    }
}
