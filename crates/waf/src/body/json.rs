//! JSON leaves as arguments named by their path.
//! Exports `parse`. Every member is kept, a repeated name too.
//! Used by `body::parse`.
//! Start reading at `parse`.

use super::{Body, ITEMS_MAX};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Reads a document. What was read before a mistake is kept and the body marked malformed.
pub(super) fn parse(raw: &[u8]) -> Body {
    let mut body = Body::default();
    let mut reader = serde_json::Deserializer::from_slice(raw);
    let node = Node {
        path: b"json",
        found: &mut body.arguments,
    };
    // The reader refuses documents nested deeper than 128.
    let read = node.deserialize(&mut reader).and_then(|()| reader.end());
    body.malformed = read.is_err();
    body
}

struct Node<'n> {
    path: &'n [u8],
    found: &'n mut Vec<(Vec<u8>, Vec<u8>)>,
}

impl Node<'_> {
    fn leaf<E: Error>(self, value: Vec<u8>) -> Result<(), E> {
        if self.found.len() >= ITEMS_MAX {
            return Err(E::custom("too many values"));
        }
        self.found.push((self.path.to_vec(), value));
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.leaf(value.to_string().into_bytes())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.leaf(value.to_string().into_bytes())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.leaf(value.to_string().into_bytes())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.leaf(value.to_string().into_bytes())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.leaf(value.as_bytes().to_vec())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.leaf(Vec::new())
    }

    /// The items of an array carry the name of the array, as the reference engine names them.
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        loop {
            let node = Node {
                path: self.path,
                found: self.found,
            };
            if items.next_element_seed(node)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            let path = [self.path, b".", name.as_bytes()].concat();
            members.next_value_seed(Node {
                path: &path,
                found: self.found,
            })?;
        }
        Ok(())
    }
}
