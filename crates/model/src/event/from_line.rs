//! Parts of a record that may stand there as a line of text as well, as records of schema 1 have them.
//! Exports `FromLine` and `also_a_line`.
//! Used by the parts; how each line is read, `schema_1` says.
//! Start reading at `also_a_line`.

/// What a part is read from.
pub(crate) trait FromLine: Sized {
    /// The part that a line of text tells of.
    fn from_line(line: &str) -> Self;
}

/// Makes types that derive serde with `remote = "Self"` readable from a line of text as well.
macro_rules! also_a_line {
    ($($type:ident),*) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $type::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("the parts of ", stringify!($type), ", or a line of text"))
                    }

                    fn visit_str<E: serde::de::Error>(self, line: &str) -> Result<Self::Value, E> {
                        Ok(<$type as $crate::event::from_line::FromLine>::from_line(line))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                        $type::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }
    )*};
}
pub(crate) use also_a_line;
