//! Arguments read into a command's type. What is wrong is said with the argument's name and how to put it right.
//! Exports `read`, and `check` for whoever asks.
//! Used by every command before it is asked and before it is done.
//! Start reading at `read`.
//!
//! The limits stand in the type's JSON Schema, which is also what the docs show; a wrong value is found by the schema, because
//! serde's messages name no field.

use identity::api_key::redacted;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{AdminError, AdminErrorKind};

/// Keywords that are understood here; a test sees to it that no command uses another one.
#[cfg(test)]
pub(super) const KEYWORDS: &[&str] = &[
    "description",
    "default",
    "type",
    "enum",
    "format",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
];

/// Reads the arguments of a command. Nothing at all stands for none of them.
pub(super) fn read<T: DeserializeOwned + JsonSchema>(
    command: &str,
    arguments: Value,
) -> Result<T, AdminError> {
    let arguments = match arguments {
        Value::Null => Map::new(),
        Value::Object(members) => members,
        _ => {
            return Err(AdminError {
                kind: AdminErrorKind::Argument,
                ..AdminError::asked(
                    format!("the arguments of `{command}` are not an object"),
                    "Give them as a JSON object: {\"NAME\": VALUE}.",
                )
            });
        }
    };
    check::<T>(command, &arguments)?;
    serde_json::from_value(Value::Object(arguments)).map_err(|error| AdminError {
        kind: AdminErrorKind::Argument,
        ..AdminError::asked(
            format!("the arguments of `{command}` cannot be read: {error}"),
            "docs/admin-commands.md describes them.",
        )
    })
}

/// Holds arguments against the schema of a command's type.
pub(super) fn check<T: JsonSchema>(
    command: &str,
    arguments: &Map<String, Value>,
) -> Result<(), AdminError> {
    let schema = super::schema::<T>();
    let none = Map::new();
    let known = schema.get("properties").and_then(Value::as_object);
    let known = known.unwrap_or(&none);
    for (name, value) in arguments {
        let Some(property) = known.get(name) else {
            return Err(unknown(command, name, known));
        };
        one(name, property, value)?;
    }
    let required = schema.get("required").and_then(Value::as_array);
    let required = required.into_iter().flatten().filter_map(Value::as_str);
    for name in required {
        if arguments.get(name).is_none_or(Value::is_null) {
            let meaning = meaning(known.get(name).unwrap_or(&Value::Null));
            return Err(AdminError::of_argument(
                name,
                format!("the argument `{name}` is missing"),
                meaning,
            ));
        }
    }
    Ok(())
}

fn unknown(command: &str, name: &str, known: &Map<String, Value>) -> AdminError {
    let name = redacted(name);
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    let help = if names.is_empty() {
        "It takes none.".to_owned()
    } else {
        config::nearest(&name, &names).unwrap_or_else(|| format!("It takes: {}.", names.join(", ")))
    };
    AdminError::of_argument(
        &name,
        format!("`{command}` takes no argument `{name}`"),
        help,
    )
}

/// Checks one argument.
fn one(name: &str, property: &Value, value: &Value) -> Result<(), AdminError> {
    let types = types(property);
    let wrong = |what: String| {
        Err(AdminError::of_argument(
            name,
            format!("the argument `{name}` {what}"),
            meaning(property),
        ))
    };
    match value {
        // What may be left out may be null.
        Value::Null if types.contains(&"null") => Ok(()),
        Value::String(text) if is_unknown_word(property, text) => {
            Err(unknown_word(name, property, text))
        }
        Value::String(text) if types.contains(&"string") => {
            let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
            match (limit(property, "minLength"), limit(property, "maxLength")) {
                (Some(min), _) if length < min => wrong("is empty".to_owned()),
                (_, Some(max)) if length > max => {
                    wrong(format!("has {length} characters; at most {max} are kept"))
                }
                _ => Ok(()),
            }
        }
        Value::Number(number) if types.contains(&"integer") => {
            let min = limit(property, "minimum").unwrap_or(0);
            let max = limit(property, "maximum").unwrap_or(u64::MAX);
            match number.as_u64() {
                Some(number) if (min..=max).contains(&number) => Ok(()),
                _ if max == u64::MAX => wrong(format!("is not a whole number from {min}")),
                _ => wrong(format!("is not from {min} to {max}")),
            }
        }
        Value::Bool(_) if types.contains(&"boolean") => Ok(()),
        _ => wrong(format!("is not {}", words(&types))),
    }
}

/// The words that an argument may be, where it is one of some.
pub(super) fn words_of(property: &Value) -> Vec<&str> {
    let words = property.get("enum").and_then(Value::as_array);
    let words = words.into_iter().flatten().filter_map(Value::as_str);
    words.collect()
}

fn is_unknown_word(property: &Value, text: &str) -> bool {
    let words = words_of(property);
    !words.is_empty() && !words.contains(&text)
}

fn unknown_word(name: &str, property: &Value, text: &str) -> AdminError {
    let words = words_of(property);
    let text = redacted(text);
    let near = config::nearest(&text, &words).map(|near| near + " ");
    AdminError::of_argument(
        name,
        format!("the argument `{name}` cannot be `{text}`"),
        format!(
            "{}It is one of {}.",
            near.unwrap_or_default(),
            words.join(", ")
        ),
    )
}

/// The types a value may have.
fn types(property: &Value) -> Vec<&str> {
    match property.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn words(types: &[&str]) -> &'static str {
    match types.first() {
        Some(&"string") => "a text",
        Some(&"integer") => "a whole number",
        Some(&"boolean") => "true or false",
        _ => "what it should be",
    }
}

fn limit(property: &Value, keyword: &str) -> Option<u64> {
    property.get(keyword).and_then(Value::as_u64)
}

/// What an argument means, as its field says it.
fn meaning(property: &Value) -> String {
    let description = property.get("description").and_then(Value::as_str);
    description.unwrap_or_default().replace('\n', " ")
}
