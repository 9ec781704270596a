//! What a limit counts together, and the outcome that it counts: `per: body.username`, `failed: { status: [401] }`.
//! Exports `Per`, `PerPart`, `Failed` and `Literal`, as written.
//! Used by `integration`; compile checks them against the contracts, and the gateway finds the values.
//! Start reading at `PerPart`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use contract::Place;
use model::Json;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

use crate::spanned::{At, Map};
use crate::values::{TextValue, text_value};

/// Most parts that are counted together.
pub const PARTS_MAX: usize = 4;

/// One part of what is counted together: calls that agree in all parts are counted as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PerPart {
    /// All calls of the integration.
    Integration,
    /// The calls of each person that the integration names.
    User,
    /// The calls of each operation.
    Operation,
    /// The calls from each address; of IPv6 from each /64.
    Address,
    /// The calls about each object that a path names.
    Object,
    /// The calls with each value of a parameter.
    Parameter(Place, Arc<str>),
    /// The calls with each value of a field of the body; its names from the root.
    Body(Vec<Arc<str>>),
}

impl FromStr for PerPart {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let part = match text.split_once('.') {
            None => match text {
                "integration" => PerPart::Integration,
                "user" => PerPart::User,
                "operation" => PerPart::Operation,
                "address" => PerPart::Address,
                "object" => PerPart::Object,
                _ => return Err(unknown(text)),
            },
            Some((_, "")) => return Err(unknown(text)),
            Some(("path", name)) => PerPart::Parameter(Place::Path, name.into()),
            Some(("query", name)) => PerPart::Parameter(Place::Query, name.into()),
            Some(("header", name)) => {
                PerPart::Parameter(Place::Header, name.to_ascii_lowercase().into())
            }
            Some(("body", path)) if path.split('.').all(|step| !matches!(step, "" | "*")) => {
                PerPart::Body(path.split('.').map(Arc::from).collect())
            }
            Some(_) => return Err(unknown(text)),
        };
        Ok(part)
    }
}

fn unknown(text: &str) -> String {
    let words = ["integration", "user", "operation", "address", "object"];
    let help =
        crate::nearest(text, &words).unwrap_or_else(|| format!("Write {}.", PerPart::EXPECTED));
    format!("calls cannot be counted per `{text}`\n{help}")
}

impl fmt::Display for PerPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PerPart::Integration => f.write_str("integration"),
            PerPart::User => f.write_str("user"),
            PerPart::Operation => f.write_str("operation"),
            PerPart::Address => f.write_str("address"),
            PerPart::Object => f.write_str("object"),
            PerPart::Parameter(place, name) => write!(f, "{}.{name}", place.name()),
            PerPart::Body(steps) => write!(f, "body.{}", steps.join(".")),
        }
    }
}

impl TextValue for PerPart {
    const NAME: &'static str = "counted";
    const EXPECTED: &'static str = "`integration`, `user`, `operation`, `address`, `object`, `query.NAME`, `path.NAME`, `header.NAME` or `body.FIELD`";
    const PATTERN: &'static str =
        "^(integration|user|operation|address|object|(query|path|header|body)\\..+)$";
}
text_value!(PerPart);

impl PerPart {
    /// Whether it is known only once the request has been validated.
    pub fn is_value(&self) -> bool {
        matches!(self, PerPart::Parameter(..) | PerPart::Body(_))
    }

    /// Whether whoever holds a credential of the integration can write as many different ones as they like.
    pub fn is_made_up(&self) -> bool {
        self.is_value() || matches!(self, PerPart::User | PerPart::Object)
    }
}

/// What is counted together: one part or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Per(pub Vec<PerPart>);

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(PerPart::to_string).collect();
        f.write_str(&parts.join(" and "))
    }
}

impl<'de> Deserialize<'de> for Per {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Per;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}, or a list of them", PerPart::EXPECTED)
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Per, E> {
                let part = text.parse().map_err(E::custom)?;
                Ok(Per(vec![part]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Per, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = list.next_element()? {
                    parts.push(part);
                }
                Ok(Per(parts))
            }
        }
        d.deserialize_any(Reader)
    }
}

impl JsonSchema for Per {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Per".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let part = generator.subschema_for::<PerPart>();
        json_schema!({
            "anyOf": [part, { "type": "array", "items": part, "minItems": 1, "maxItems": PARTS_MAX }]
        })
    }
}

/// The outcome of a call that counts: one of the statuses, or an answer in which each of the fields has its value.
#[derive(Clone, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    /// Statuses of the upstream's answer: `[401, 403]`. The contract has to declare them for an operation that is counted.
    #[serde(default)]
    pub status: Vec<At<u16>>,
    /// Values in the upstream's answer, by the names of its fields from the root: `{ success: false }`, `{ result.code: denied }`. All of
    /// them have to be there. An answer that cannot be read counts as well.
    #[serde(default)]
    pub body: Map<At<Literal>>,
}

/// A text, a whole number, `true`, `false` or `null`.
#[derive(Clone, Debug, PartialEq)]
pub struct Literal(pub Json);

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Literal;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a whole number, `true`, `false` or `null`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Literal, E> {
                Ok(Literal(Json::Text(text.to_owned().into())))
            }
            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Literal, E> {
                Ok(Literal(Json::Bool(value)))
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Literal, E> {
                Ok(Literal(Json::Number(number.to_string().into())))
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Literal, E> {
                Ok(Literal(Json::Number(number.to_string().into())))
            }
            fn visit_unit<E: serde::de::Error>(self) -> Result<Literal, E> {
                Ok(Literal(Json::Null))
            }
        }
        d.deserialize_any(Reader)
    }
}

impl JsonSchema for Literal {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Literal".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer", "boolean", "null"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_read_as_they_print() {
        for text in [
            "integration",
            "user",
            "operation",
            "address",
            "object",
            "query.status",
            "path.workOrderId",
            "header.x-tenant",
            "body.login.name",
        ] {
            assert_eq!(text.parse::<PerPart>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "person",
            "query",
            "query.",
            "body.",
            "body.a..b",
            "body.*.id",
            "cookie.sid",
            "integration.x",
        ] {
            assert!(text.parse::<PerPart>().is_err(), "{text}");
        }
        assert!("usr".parse::<PerPart>().unwrap_err().contains("user"));
    }
}
