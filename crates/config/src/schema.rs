//! JSON Schema 2020-12 of every kind of file, from the same structs that read them.
//! Exports `schema` and `KINDS`.
//! Used by `portcullis schema KIND`, by editors, and by the reference.
//! Start reading at `KINDS`.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use crate::api::Api;
use crate::integration::{Integration, Role};
use crate::server::Server;

/// One kind of file.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Name for `portcullis schema KIND`.
    pub name: &'static str,
    /// Where files of this kind lie.
    pub file: &'static str,
    make: fn() -> Schema,
}

/// Every kind of file, in the order a reader meets them.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "server",
        file: "portcullis.yaml",
        make: make::<Server>,
    },
    Kind {
        name: "api",
        file: "apis/NAME.yaml",
        make: make::<Api>,
    },
    Kind {
        name: "integration",
        file: "integrations/NAME.yaml",
        make: make::<Integration>,
    },
    Kind {
        name: "role",
        file: "roles/NAME.yaml",
        make: make::<Role>,
    },
];

fn make<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>()
}

/// Names of the kinds.
pub fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

/// The JSON Schema of a kind; `None` where there is no such kind.
pub fn schema(kind: &str) -> Option<Value> {
    let found = KINDS.iter().find(|k| k.name == kind)?;
    Some((found.make)().to_value())
}
