//! Reads an entry of whatever schema as one of today.
//! Gives `Event` its `Serialize` and `Deserialize`.
//! Used by everything that reads records.
//! Start reading at `Event::deserialize`; the fields' own form is derived beside them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Event, schema_1};

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Event::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut event = Event::deserialize(deserializer)?;
        schema_1::complete(&mut event);
        Ok(event)
    }
}
