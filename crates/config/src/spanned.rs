//! Values that remember where they were written, so that every mistake can point at its line.
//! Exports `At` (one value), `Noted` (a value read by another room), `Map` (names to values, in the order written)
//! and `Place` (with the file).
//! Used by every kind of configuration file.
//! Start reading at `At`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use model::{Mistake, RuleRef};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use yaml::Span;

/// A place in a file of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// File, relative to the configuration directory.
    pub file: Arc<str>,
    /// Where in it.
    pub span: Span,
}

impl Place {
    /// A mistake at this place.
    pub fn mistake(&self, message: impl Into<String>, help: impl Into<String>) -> Mistake {
        self.span.mistake(message, help).in_file(&*self.file)
    }

    /// File and line, as ledger and `explain` name a rule.
    pub fn rule_ref(&self) -> RuleRef {
        RuleRef {
            file: self.file.clone(),
            line: self.span.line,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.span.line)
    }
}

/// A value of the compiled configuration with the place it was written at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<T> Deref for Located<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// A value with the span it was written at. Reads and compares like the value itself.
#[derive(Clone, Debug, Default)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands in its file.
    pub span: Span,
}

impl<T> At<T> {
    /// The value with its file.
    pub fn located(&self, file: &Arc<str>) -> Located<T>
    where
        T: Clone,
    {
        Located {
            value: self.value.clone(),
            place: self.place(file),
        }
    }

    /// Where it stands.
    pub fn place(&self, file: &Arc<str>) -> Place {
        Place {
            file: file.clone(),
            span: self.span,
        }
    }
}

impl<T> Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// The name by which `At` asks our deserializer for the span. No YAML can produce it.
pub(crate) const AT: &str = "\u{0}at";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let (span, value) = with_place(AT, d)?;
        Ok(At { value, span })
    }
}

/// A value that another room reads and checks, with the place of every part of it. That room says which part is wrong
/// by JSON pointer, and needs no places in its own structs.
#[derive(Clone, Debug, Default)]
pub struct Noted<T> {
    /// The value.
    pub value: T,
    places: BTreeMap<String, Span>,
}

impl<T> Noted<T> {
    /// The same mistake with file and place instead of its pointer.
    pub fn place(&self, mistake: Mistake, file: &Arc<str>) -> Mistake {
        let pointer = mistake.pointer.as_deref().unwrap_or_default();
        // A part that was left out is pointed at where it would stand.
        let mut parts = std::iter::successors(Some(pointer), |at| Some(at.rsplit_once('/')?.0));
        let span = parts.find_map(|at| self.places.get(at)).copied();
        let place = Place {
            file: file.clone(),
            span: span.unwrap_or_default(),
        };
        place.mistake(mistake.message, mistake.help)
    }
}

/// The name by which `Noted` asks our deserializer for the places. No YAML can produce it.
pub(crate) const NOTED: &str = "\u{0}noted";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Noted<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let (places, value) = with_place(NOTED, d)?;
        Ok(Noted { value, places })
    }
}

/// Place and value, as our deserializer gives them to whoever asks by one of the two names.
fn with_place<'de, P, T, D>(name: &'static str, d: D) -> Result<(P, T), D::Error>
where
    P: Deserialize<'de>,
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Reader<P, T>(PhantomData<(P, T)>);
    impl<'de, P: Deserialize<'de>, T: Deserialize<'de>> Visitor<'de> for Reader<P, T> {
        type Value = (P, T);
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a value with its place")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(P, T), A::Error> {
            let missing = || serde::de::Error::custom("value is missing");
            let place = seq.next_element()?.ok_or_else(missing)?;
            Ok((place, seq.next_element()?.ok_or_else(missing)?))
        }
    }
    d.deserialize_tuple_struct(name, 2, Reader(PhantomData))
}

/// In a schema, a value with its place is the value.
macro_rules! schema_of_the_value {
    ($($kind:ident),*) => {$(
        impl<T: JsonSchema> JsonSchema for $kind<T> {
            fn inline_schema() -> bool {
                T::inline_schema()
            }
            fn schema_name() -> Cow<'static, str> {
                T::schema_name()
            }
            fn schema_id() -> Cow<'static, str> {
                T::schema_id()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                T::json_schema(generator)
            }
        }
    )*};
}

schema_of_the_value!(At, Noted);

/// Names to values, in the order written. Keys keep their place; duplicates were refused while reading.
#[derive(Clone, Debug, PartialEq)]
pub struct Map<T>(pub Vec<(At<String>, T)>);

impl<T> Default for Map<T> {
    fn default() -> Self {
        Map(Vec::new())
    }
}

impl<T> Map<T> {
    /// The value under a name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0
            .iter()
            .find(|(key, _)| key.value == name)
            .map(|(_, value)| value)
    }

    /// Names and values in the order written.
    pub fn iter(&self) -> impl Iterator<Item = (&At<String>, &T)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Names in the order written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.value.as_str())
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Map<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Map<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names with values (`name: …`)")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Map<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Map(entries))
            }
        }
        d.deserialize_map(Reader(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Map<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Map_of_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}
