//! Number keywords: boolean exclusive bounds of OpenAPI 3.0, and the ranges of `int32` and `int64`.
//! Exports `bounds`. Pure.
//! Used by `Lowering`.
//! Start reading at `bounds`.

use serde_json::{Map, Number, Value};

/// Writes the bounds of a schema as 2020-12 has them.
pub(super) fn bounds(members: &Map<String, Value>, out: &mut Map<String, Value>) {
    for (flag, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        if members.get(flag) == Some(&Value::Bool(true))
            && let Some(limit) = out.remove(bound)
        {
            out.insert(flag.to_owned(), limit);
        }
    }
    let range: (Number, Number) = match members.get("format").and_then(Value::as_str) {
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("int64") => (i64::MIN.into(), i64::MAX.into()),
        _ => return,
    };
    let as_f64 = |value: &Value| value.as_f64();
    let (lowest, highest) = (Value::Number(range.0), Value::Number(range.1));
    let is_below = |own: &Value| as_f64(own) <= as_f64(&lowest);
    if out.get("minimum").is_none_or(is_below) {
        out.insert("minimum".into(), lowest.clone());
    }
    let is_above = |own: &Value| as_f64(own) >= as_f64(&highest);
    if out.get("maximum").is_none_or(is_above) {
        out.insert("maximum".into(), highest.clone());
    }
}
