//! Lets the schema library read our own JSON value where it lies.
//! Exports `Body`, an implementation of the library's `Json` for `model::Json`.
//! Used by `Validator`.
//! Start reading at the `Node` implementation; digits are judged as written, never through a float first.

use std::borrow::Cow;

use jsonschema::JsonType;
use jsonschema::json::{Array, Json as Representation, JsonNumber, Node, NodeIdentity, Object};
use model::{Json, Text};
use serde_json::Value;

/// The representation.
pub(super) struct Body;

impl Representation for Body {
    type Node<'a> = &'a Json;
    type PreparedKey = String;
    // Members are a list: a few passes over it are cheaper than a scan per look-up.
    const KEYS_PER_LOOKUP: usize = 8;
    const ACYCLIC: bool = true;
    type StringBuffer = ();

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(&Json) -> T) -> T {
        f(&Json::Text(string.into()))
    }
}

impl<'a> Node<'a, Body> for &'a Json {
    type Object = Members<'a>;
    type Array = Items<'a>;
    type Number = Digits<'a>;

    fn as_object(&self) -> Option<Members<'a>> {
        match self {
            Json::Object(members) => Some(Members(members)),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<Items<'a>> {
        match self {
            Json::List(items) => Some(Items(items)),
            _ => None,
        }
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        match self {
            Json::Text(text) => Some(Cow::Borrowed(text)),
            _ => None,
        }
    }

    fn as_number(&self) -> Option<Digits<'a>> {
        match self {
            Json::Number(digits) => Some(Digits(digits)),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self {
            Json::Bool(is_true) => Some(*is_true),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Json::Null)
    }

    fn json_type(&self) -> JsonType {
        match self {
            Json::Null => JsonType::Null,
            Json::Bool(_) => JsonType::Boolean,
            Json::Number(_) => JsonType::Number,
            Json::Text(_) => JsonType::String,
            Json::List(_) => JsonType::Array,
            Json::Object(_) => JsonType::Object,
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(crate::text::from_json(self))
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(std::ptr::from_ref::<Json>(self).addr()))
    }
}

/// An object.
pub(super) struct Members<'a>(&'a [(Text, Json)]);

impl<'a> Object<'a, Body> for Members<'a> {
    type Node = &'a Json;
    type MemberName = &'a str;
    type MembersIter = MembersIter<'a>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, key: &String) -> Option<&'a Json> {
        self.0
            .iter()
            .find(|(k, _)| k.as_str() == key)
            .map(|(_, v)| v)
    }

    fn members(&self) -> MembersIter<'a> {
        MembersIter(self.0.iter())
    }
}

/// The members in order.
pub(super) struct MembersIter<'a>(std::slice::Iter<'a, (Text, Json)>);

impl<'a> Iterator for MembersIter<'a> {
    type Item = (&'a str, &'a Json);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (key.as_str(), value))
    }
}

/// An array.
pub(super) struct Items<'a>(&'a [Json]);

impl<'a> Array<'a, Body> for Items<'a> {
    type Node = &'a Json;
    type ElementsIter = std::slice::Iter<'a, Json>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn elements(&self) -> std::slice::Iter<'a, Json> {
        self.0.iter()
    }
}

/// A number as written.
pub(super) struct Digits<'a>(&'a str);

impl JsonNumber for Digits<'_> {
    fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    fn as_f64(&self) -> Option<f64> {
        self.0.parse().ok()
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0)
    }

    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        Cow::Owned(serde_json::from_str(self.0).unwrap_or_else(|_| 0.into()))
    }

    /// JSON Schema 2020-12 §4.2.3: an integer is a number without a fractional part, however written.
    fn is_integer(&self) -> bool {
        let (mantissa, exponent) = match self.0.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().unwrap_or(i64::MIN)),
            None => (self.0, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        if exponent >= 0 {
            return i64::try_from(fraction.len()).is_ok_and(|digits| digits <= exponent);
        }
        // `1200e-2`: the zeros at the end have to cover the exponent; zero itself is whole.
        let zeros = whole.len() - whole.trim_end_matches('0').len();
        let is_zero = whole.trim_start_matches('-').trim_matches('0').is_empty();
        fraction.is_empty()
            && (is_zero || u64::try_from(zeros).is_ok_and(|z| z >= exponent.unsigned_abs()))
    }
}
