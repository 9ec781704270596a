//! Which values a leaf can have, where the contract names them (`enum`, `const`) or bounds them (`minimum`, `maximum`).
//! Exports `of`. Errs on the side of more values.
//! Used by shapes; `check` holds the values of conditions against it.
//! Start reading at `of`.

use model::shape::{Domain, Scalar};
use serde_json::Value;

use super::admitted::Walk;
use super::kinds::Kinds;
use crate::docs::{At, Docs};
use crate::language::Language;

/// Largest number that a double holds exactly (2^53): bounds beyond it count as none.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// The values of a place that these schemas describe, with the kinds, the type and the texts that were found for it.
pub(super) fn of(
    docs: &Docs,
    is_30: bool,
    places: &[At<'_>],
    (kinds, scalar): (Kinds, Scalar),
    texts: Option<&Language>,
) -> Option<Domain> {
    let leaf = kinds.and(Kinds::TEXT.or(Kinds::NUMBER).or(Kinds::BOOL));
    match (scalar, texts) {
        (Scalar::Text, Some(Language::Values(values))) if leaf == Kinds::TEXT => {
            Some(Domain::Texts(values.clone()))
        }
        (Scalar::Integer, _) => {
            let (least, most) = NUMBERS.all(docs, is_30, places)?;
            let (least, most) = (
                Some(least).filter(|n| *n > i64::MIN),
                Some(most).filter(|n| *n < i64::MAX),
            );
            (least.is_some() || most.is_some()).then_some(Domain::Whole(least, most))
        }
        _ => None,
    }
}

/// From the least to the most.
type Range = (i64, i64);

const ANY: Range = (i64::MIN, i64::MAX);

/// The whole numbers that schemas admit.
const NUMBERS: Walk<Range> = Walk {
    any: ANY,
    own,
    both,
    either,
    narrowed: |found, _| found,
};

/// What the keywords of the schema itself admit.
fn own(at: &At<'_>) -> Option<Range> {
    let is_number = |word: &Value| matches!(word.as_str(), Some("integer" | "number"));
    let has_number = |word: &Value| match word {
        Value::Array(words) => words.iter().any(is_number),
        word => is_number(word),
    };
    if !at.value.get("type").is_none_or(has_number) {
        return None;
    }
    let mut found = Some((least(at), most(at)));
    if let Some(values) = at.value.get("enum").and_then(Value::as_array) {
        found = both(found, listed(values));
    }
    if let Some(value) = at.value.get("const") {
        found = both(found, listed(std::slice::from_ref(value)));
    }
    found
}

fn listed(values: &[Value]) -> Option<Range> {
    let numbers = values.iter().filter(|value| value.is_number());
    // One that is written as a fraction, or too large, may be any.
    let each = numbers.map(|value| value.as_i64().map_or(ANY, |value| (value, value)));
    each.map(Some).fold(None, either)
}

fn least(at: &At<'_>) -> i64 {
    let least = number(at, "minimum").map(f64::ceil);
    let above = match at.value.get("exclusiveMinimum") {
        // 3.0 says whether the bound itself counts.
        Some(Value::Bool(true)) => number(at, "minimum"),
        _ => number(at, "exclusiveMinimum"),
    };
    let above = above.map(|bound| bound.floor() + 1.0);
    let bounds = least.into_iter().chain(above).filter_map(exact);
    bounds.max().unwrap_or(i64::MIN)
}

fn most(at: &At<'_>) -> i64 {
    let most = number(at, "maximum").map(f64::floor);
    let below = match at.value.get("exclusiveMaximum") {
        Some(Value::Bool(true)) => number(at, "maximum"),
        _ => number(at, "exclusiveMaximum"),
    };
    let below = below.map(|bound| bound.ceil() - 1.0);
    let bounds = most.into_iter().chain(below).filter_map(exact);
    bounds.min().unwrap_or(i64::MAX)
}

fn number(at: &At<'_>, word: &str) -> Option<f64> {
    at.value.get(word)?.as_f64()
}

fn exact(bound: f64) -> Option<i64> {
    // Whole and within what a double holds exactly, so that its digits read as the same number.
    let is_exact = bound.fract() == 0.0 && bound.abs() < EXACT_MAX;
    is_exact
        .then(|| format!("{bound:.0}").parse().ok())
        .flatten()
}

fn both(a: Option<Range>, b: Option<Range>) -> Option<Range> {
    let (a, b) = (a?, b?);
    let shared = (a.0.max(b.0), a.1.min(b.1));
    (shared.0 <= shared.1).then_some(shared)
}

fn either(a: Option<Range>, b: Option<Range>) -> Option<Range> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (one, other) => one.or(other),
    }
}
