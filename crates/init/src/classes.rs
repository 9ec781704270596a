//! How sensitive a field probably is, told by its name. Proposals: a person reads and corrects them.
//! Exports `classes` (targets for an overlay) and `class`.
//! Used by `facts`.
//! Start reading at `class`.

use serde_json::Value;

use crate::names::is_plain;

/// Deepest nesting of properties that is looked into.
const DEPTH_MAX: usize = 6;

/// Classes guessed from the names of properties.
pub fn classes(document: &Value) -> Vec<(String, &'static str)> {
    let mut out = Vec::new();
    let schemas = document
        .pointer("/components/schemas")
        .and_then(Value::as_object);
    for (name, schema) in schemas.into_iter().flatten() {
        properties(
            &format!("$.components.schemas{}", step(name)),
            schema,
            document,
            0,
            &mut out,
        );
    }
    // Names that would have to be escaped twice, for YAML and for the target, are left to a person.
    out.retain(|(target, _)| {
        !target.contains(['\\', '"'])
            && target.matches('\'').count() == target.matches("['").count() * 2
    });
    out
}

fn properties(
    target: &str,
    schema: &Value,
    document: &Value,
    depth: usize,
    out: &mut Vec<(String, &'static str)>,
) {
    if depth > DEPTH_MAX {
        return;
    }
    for (name, property) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let here = format!("{target}.properties{}", step(name));
        // The name decides at the property; what a reference leads to only says whether it is a value.
        match class(name, led(property, document)) {
            Some(class) => out.push((here, class)),
            None => properties(&here, property, document, depth + 1, out),
        }
    }
    if let Some(items) = schema.get("items") {
        properties(&format!("{target}.items"), items, document, depth + 1, out);
    }
    for (index, part) in schema
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        properties(
            &format!("{target}.allOf[{index}]"),
            part,
            document,
            depth + 1,
            out,
        );
    }
}

/// What a property's reference leads to, one step far.
fn led<'a>(property: &'a Value, document: &'a Value) -> &'a Value {
    let reference = property
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|text| text.strip_prefix('#'));
    reference
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(property)
}

fn step(name: &str) -> String {
    if is_plain(name) {
        format!(".{name}")
    } else {
        format!("['{name}']")
    }
}

// LONG: one table of names, read from top to bottom.
/// By the name of a property, and only where it holds a value.
pub fn class(name: &str, property: &Value) -> Option<&'static str> {
    let is_container = ["properties", "items", "allOf", "oneOf", "anyOf"]
        .iter()
        .any(|key| property.get(*key).is_some());
    if is_container
        || matches!(
            property.get("type").and_then(Value::as_str),
            Some("boolean" | "object" | "array")
        )
    {
        return None;
    }
    let bare: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let is = |words: &[&str]| words.contains(&bare.as_str());
    let ends = |words: &[&str]| words.iter().any(|word| bare.ends_with(word));
    if ends(&[
        "password",
        "passwordhash",
        "clientsecret",
        "privatekey",
        "apikey",
        "accesstoken",
        "refreshtoken",
        "paymenttoken",
        "webhooksecret",
    ]) || is(&["secret", "pin", "cvv", "cvc", "otpsecret", "totpsecret"])
    {
        return Some("secret");
    }
    if ends(&[
        "iban",
        "accountnumber",
        "cardnumber",
        "socialsecuritynumber",
        "taxid",
        "nationalid",
        "passportnumber",
        "dateofbirth",
        "birthdate",
        "salary",
        "accesscode",
        "alarmcode",
        "healthnote",
    ]) || is(&["ssn", "birthday", "gender", "religion", "diagnosis", "bic"])
    {
        return Some("sensitive");
    }
    let is_person = ends(&[
        "email",
        "emailaddress",
        "phone",
        "phonenumber",
        "mobile",
        "firstname",
        "lastname",
        "givenname",
        "familyname",
        "fullname",
        "contactname",
        "surname",
        "ipaddress",
    ]);
    let is_place = is(&[
        "street",
        "streetaddress",
        "homeaddress",
        "latitude",
        "longitude",
        "postcode",
        "zipcode",
    ]);
    (is_person || is_place || property.get("format").and_then(Value::as_str) == Some("email"))
        .then_some("personal")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn classes_are_guessed_where_values_are_declared() {
        let document = json!({ "components": { "schemas": {
            "A": { "properties": { "email": { "type": "string" }, "isEmail": { "type": "boolean" }, "contact": { "$ref": "#/x" },
                "bank": { "type": "object", "properties": { "iban": { "type": "string" } } } } },
            "B-b": { "allOf": [{ "properties": { "apiKey": { "type": "string" } } }] },
            "C": { "properties": { "nextPageToken": { "type": "string" }, "name": { "type": "string" } } },
        } } });
        assert_eq!(
            classes(&document),
            [
                (
                    "$.components.schemas.A.properties.email".to_owned(),
                    "personal"
                ),
                (
                    "$.components.schemas.A.properties.bank.properties.iban".to_owned(),
                    "sensitive"
                ),
                (
                    "$.components.schemas['B-b'].allOf[0].properties.apiKey".to_owned(),
                    "secret"
                ),
            ]
        );
    }
}
