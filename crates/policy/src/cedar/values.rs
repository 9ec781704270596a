//! Our values as the policy engine's: attributes, the request's facts, the integration, the operation.
//! Exports `expression`, `text_expression`, `context`, `principal`, `action`.
//! Used by `cedar`, rules and decide.
//! Start reading at `expression`; what does not fit its type is missing.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use cedar_policy::{Context, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression};
use model::shape::Scalar;
use model::{Json, Timestamp};

use super::AttributeType;

/// A JSON value as an attribute of this type; `None` when it is missing or of another type.
pub(crate) fn expression(value: &Json, kind: AttributeType) -> Option<RestrictedExpression> {
    match (value, kind.is_list) {
        (Json::List(items), true) => items
            .iter()
            .map(|item| scalar_expression(item, kind.scalar))
            .collect::<Option<Vec<_>>>()
            .map(RestrictedExpression::new_set),
        (Json::List(_), false) | (_, true) => None,
        (value, false) => scalar_expression(value, kind.scalar),
    }
}

fn scalar_expression(value: &Json, scalar: Scalar) -> Option<RestrictedExpression> {
    match (value, scalar) {
        (Json::Text(text), Scalar::Text) => {
            Some(RestrictedExpression::new_string(text.to_string()))
        }
        (Json::Bool(value), Scalar::Boolean) => Some(RestrictedExpression::new_bool(*value)),
        (Json::Number(digits), Scalar::Integer | Scalar::Number) => {
            number_expression(digits, scalar)
        }
        _ => None,
    }
}

/// A value of the path or the query as an attribute of this type.
pub(crate) fn text_expression(text: &str, scalar: Scalar) -> Option<RestrictedExpression> {
    match scalar {
        Scalar::Text => Some(RestrictedExpression::new_string(text.to_owned())),
        Scalar::Boolean => text.parse().ok().map(RestrictedExpression::new_bool),
        Scalar::Integer | Scalar::Number => number_expression(text, scalar),
    }
}

fn number_expression(digits: &str, scalar: Scalar) -> Option<RestrictedExpression> {
    if scalar == Scalar::Integer {
        return digits.parse().ok().map(RestrictedExpression::new_long);
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_plain = fraction.len() <= 4
        && !fraction.is_empty()
        && fraction.bytes().all(|b| b.is_ascii_digit())
        && whole
            .parse::<i64>()
            .is_ok_and(|w| w.unsigned_abs() < 900_000_000_000_000);
    is_plain.then(|| RestrictedExpression::new_decimal(format!("{whole}.{fraction}")))
}

/// The facts of the request that conditions may ask for.
pub(crate) fn context(
    path: Vec<(String, RestrictedExpression)>,
    query: Vec<(String, RestrictedExpression)>,
    address: IpAddr,
    listener: &str,
    now: Timestamp,
) -> Context {
    let network = [
        (
            "address".to_owned(),
            RestrictedExpression::new_ip(address.to_string()),
        ),
        (
            "listener".to_owned(),
            RestrictedExpression::new_string(listener.to_owned()),
        ),
    ];
    let seconds = now.seconds();
    let time = [
        ("epoch".to_owned(), RestrictedExpression::new_long(seconds)),
        (
            "hour".to_owned(),
            RestrictedExpression::new_long(seconds.rem_euclid(86_400) / 3_600),
        ),
        // 1970-01-01 was a Thursday; Monday is 1.
        (
            "weekday".to_owned(),
            RestrictedExpression::new_long((seconds.div_euclid(86_400) + 3).rem_euclid(7) + 1),
        ),
    ];
    let whole: Option<Vec<(String, RestrictedExpression)>> = [
        ("path", RestrictedExpression::new_record(path)),
        ("query", RestrictedExpression::new_record(query)),
        ("network", RestrictedExpression::new_record(network)),
        ("time", RestrictedExpression::new_record(time)),
    ]
    .into_iter()
    .map(|(name, record)| record.ok().map(|record| (name.to_owned(), record)))
    .collect();
    // An empty context satisfies no condition that asks for any of it.
    whole
        .and_then(|pairs| Context::from_pairs(pairs).ok())
        .unwrap_or_else(Context::empty)
}

/// The integration as the engine sees it.
pub(crate) fn principal(
    name: &str,
    attributes: &BTreeMap<String, String>,
    roles: &[Arc<str>],
) -> Option<Entity> {
    let uid = |kind: &str, id: &str| -> Option<EntityUid> {
        Some(EntityUid::from_type_name_and_id(
            kind.parse().ok()?,
            EntityId::new(id),
        ))
    };
    let parents: Option<HashSet<EntityUid>> = roles
        .iter()
        .map(|role| uid("Portcullis::Role", role))
        .collect();
    let attributes = attributes
        .iter()
        .map(|(name, value)| {
            (
                name.clone(),
                RestrictedExpression::new_string(value.clone()),
            )
        })
        .collect();
    Entity::new(uid("Portcullis::Integration", name)?, attributes, parents?).ok()
}

/// The action that stands for an operation.
pub(crate) fn action(namespace: &str, id: &str) -> Option<EntityUid> {
    let kind: EntityTypeName = format!("{namespace}::Action").parse().ok()?;
    Some(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}
