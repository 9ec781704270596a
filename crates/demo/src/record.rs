//! Writes JSON records as they read: `object! { "id": id, "price": Fixed(1250) }`.
//! Exports `object!`, `ToJson`, `Fixed`. Pure.
//! Used by data and fieldworks.
//! Start reading at `object!`.

use model::{Json, Timestamp};

/// What can stand as a value in `object!`.
pub trait ToJson {
    /// The JSON of this value.
    fn to_json(self) -> Json;
}

/// A decimal with two fixed digits, held in hundredths: `Fixed(1250)` is written `12.50`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Fixed(pub i64);

impl Fixed {
    /// The product of two decimals, rounded towards zero.
    #[must_use]
    pub fn times(self, other: Fixed) -> Fixed {
        Fixed(self.0.saturating_mul(other.0) / 100)
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Fixed) -> Fixed {
        Fixed(self.0.saturating_add(other.0))
    }

    /// The difference.
    #[must_use]
    pub fn minus(self, other: Fixed) -> Fixed {
        Fixed(self.0.saturating_sub(other.0))
    }
}

impl ToJson for Fixed {
    fn to_json(self) -> Json {
        let sign = if self.0 < 0 { "-" } else { "" };
        let hundredths = self.0.unsigned_abs();
        Json::Number(format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100).into())
    }
}

impl ToJson for Json {
    fn to_json(self) -> Json {
        self
    }
}

impl ToJson for &str {
    fn to_json(self) -> Json {
        Json::Text(self.into())
    }
}

impl ToJson for String {
    fn to_json(self) -> Json {
        Json::Text(self.into())
    }
}

impl ToJson for bool {
    fn to_json(self) -> Json {
        Json::Bool(self)
    }
}

impl ToJson for i64 {
    fn to_json(self) -> Json {
        Json::Number(self.to_string().into())
    }
}

impl ToJson for Timestamp {
    fn to_json(self) -> Json {
        Json::Text(self.to_string().into())
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(self) -> Json {
        self.map_or(Json::Null, T::to_json)
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(self) -> Json {
        Json::List(self.into_iter().map(T::to_json).collect())
    }
}

/// A JSON object, members in the order written.
#[macro_export]
macro_rules! object {
    ($($key:literal: $value:expr),* $(,)?) => {
        model::Json::Object(vec![$((model::Text::new_static($key), $crate::record::ToJson::to_json($value))),*])
    };
}

/// Sets a member of an object: replaced in place, or added at the end.
pub fn put(object: &mut Json, key: &str, value: impl ToJson) {
    let Json::Object(members) = object else {
        return;
    };
    let value = value.to_json();
    match members.iter_mut().find(|(name, _)| name == key) {
        Some((_, old)) => *old = value,
        None => members.push((key.into(), value)),
    }
}

/// Takes a member out of an object.
pub fn take(object: &mut Json, key: &str) -> Option<Json> {
    let Json::Object(members) = object else {
        return None;
    };
    let at = members.iter().position(|(name, _)| name == key)?;
    Some(members.remove(at).1)
}

/// The text at a dotted path, or an empty one.
pub fn text<'a>(record: &'a Json, dotted: &str) -> &'a str {
    record
        .at(dotted)
        .and_then(Json::as_text)
        .unwrap_or_default()
}

/// A copy of some members of an object, in the order asked for.
pub fn only(record: &Json, keys: &[&str]) -> Json {
    Json::Object(
        keys.iter()
            .filter_map(|key| Some(((*key).into(), record.get(key)?.clone())))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &Json) -> String {
        let mut out = Vec::new();
        model::json::write(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn decimals_keep_two_digits() {
        let record =
            object! { "a": Fixed(1250), "b": Fixed(-7), "c": Fixed(150).times(Fixed(8990)) };
        assert_eq!(written(&record), r#"{"a":12.50,"b":-0.07,"c":134.85}"#);
    }

    #[test]
    fn members_are_replaced_in_place_and_taken_out() {
        let mut record = object! { "a": 1i64, "b": "x" };
        put(&mut record, "a", 2i64);
        put(&mut record, "c", true);
        assert_eq!(take(&mut record, "b"), Some(Json::Text("x".into())));
        assert_eq!(written(&record), r#"{"a":2,"c":true}"#);
    }
}
