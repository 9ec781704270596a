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

/// Names of one class, in lower case and without anything but letters and digits.
struct Names {
    class: &'static str,
    /// A name may also end with one of these.
    endings: &'static [&'static str],
    whole: &'static [&'static str],
}

/// The classes, the strictest first.
const NAMES: [Names; 3] = [
    Names {
        class: "secret",
        endings: &[
            "password",
            "passwordhash",
            "clientsecret",
            "privatekey",
            "apikey",
            "accesstoken",
            "refreshtoken",
            "paymenttoken",
            "webhooksecret",
        ],
        whole: &["secret", "pin", "cvv", "cvc", "otpsecret", "totpsecret"],
    },
    Names {
        class: "sensitive",
        endings: &[
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
        ],
        whole: &["ssn", "birthday", "gender", "religion", "diagnosis", "bic"],
    },
    Names {
        class: "personal",
        endings: &[
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
        ],
        whole: &[
            "street",
            "streetaddress",
            "homeaddress",
            "latitude",
            "longitude",
            "postcode",
            "zipcode",
        ],
    },
];

/// By the name of a property, and only where it holds a value.
pub fn class(name: &str, property: &Value) -> Option<&'static str> {
    if !holds_a_value(property) {
        return None;
    }
    let bare: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let is_of = |names: &&Names| {
        let ends = names.endings.iter().any(|ending| bare.ends_with(ending));
        ends || names.whole.contains(&bare.as_str())
    };
    let is_email = property.get("format").and_then(Value::as_str) == Some("email");
    let named = NAMES.iter().find(is_of).map(|names| names.class);
    named.or(is_email.then_some("personal"))
}

fn holds_a_value(property: &Value) -> bool {
    let kind = property.get("type").and_then(Value::as_str);
    let is_composed = ["properties", "items", "allOf", "oneOf", "anyOf"]
        .iter()
        .any(|key| property.get(*key).is_some());
    !is_composed && !matches!(kind, Some("boolean" | "object" | "array"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_has_the_strictest_class_that_fits() {
        let text = json!({ "type": "string" });
        for (name, wanted) in [
            ("Password-Hash", Some("secret")),
            ("oldApiKey", Some("secret")),
            ("pin", Some("secret")),
            ("pinned", None),
            ("creditor_IBAN", Some("sensitive")),
            ("ssn", Some("sensitive")),
            ("workEmail", Some("personal")),
            ("postcode", Some("personal")),
            ("postcodeOfShop", None),
        ] {
            assert_eq!(class(name, &text), wanted, "{name}");
        }
        let email = json!({ "type": "string", "format": "email" });
        assert_eq!(class("contact", &email), Some("personal"));
        assert_eq!(class("iban", &email), Some("sensitive"));
        assert_eq!(class("iban", &json!({ "type": "object" })), None);
        assert_eq!(class("iban", &json!({ "anyOf": [] })), None);
    }

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
