//! What `-o json` prints: a type, its version, and the JSON Schema that both follow from.
//! Exports `Output`, which one line declares, and `schema`, `document`.
//! Used by the answers of commands, and by the registry of the command line's own documents.
//! Start reading at `Output`.

use std::marker::PhantomData;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::AdminError;

/// Member that says which meaning the others have.
const VERSION: &str = "schema_version";

/// A document of the command line: what is printed, under which name its schema is found, and its version, which grows when a
/// field changes its meaning or goes.
#[derive(Debug)]
pub struct Output<T> {
    name: &'static str,
    version: u32,
    of: PhantomData<fn(&T)>,
}

impl<T: Serialize + JsonSchema> Output<T> {
    /// One document.
    pub const fn new(name: &'static str, version: u32) -> Output<T> {
        Output {
            name,
            version,
            of: PhantomData,
        }
    }

    /// As it is printed: its fields, and the version of their meaning.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn document(&self, value: &T) -> Result<Value, AdminError> {
        document(self.version, value)
    }

    /// For a list of several.
    pub const fn entry(&self) -> OutputEntry {
        OutputEntry {
            name: self.name,
            version: self.version,
            schema: schema::<T>,
        }
    }
}

/// A document of the command line in a list.
#[derive(Clone, Copy, Debug)]
pub struct OutputEntry {
    /// Name of its schema: `ledger-verify`.
    pub name: &'static str,
    version: u32,
    schema: fn(u32) -> Value,
}

impl OutputEntry {
    /// Its JSON Schema.
    pub fn schema(&self) -> Value {
        let mut schema = (self.schema)(self.version);
        if let Some(whole) = schema.as_object_mut() {
            let dialect = "https://json-schema.org/draft/2020-12/schema";
            whole.insert("$schema".into(), dialect.into());
        }
        schema
    }
}

/// What is printed of a value.
///
/// # Errors
/// When it cannot be written as JSON.
pub(crate) fn document(version: u32, value: &impl Serialize) -> Result<Value, AdminError> {
    let mut document = serde_json::to_value(value).map_err(|error| {
        AdminError::failed(
            format!("it is done, but cannot be written as JSON: {error}"),
            "Please report this line with the command.",
        )
    })?;
    if let Some(members) = document.as_object_mut() {
        members.insert(VERSION.into(), version.into());
    }
    Ok(document)
}

/// The JSON Schema of what is printed of a type.
pub(crate) fn schema<T: JsonSchema>(version: u32) -> Value {
    let mut schema = response_schema::<T>();
    let number = json!({ "type": "integer", "const": version, "description": "Version of what the fields mean." });
    add_member(&mut schema, VERSION, number);
    schema
}

/// Adds a member that is always there.
pub(crate) fn add_member(schema: &mut Value, name: &str, member: Value) {
    let Some(whole) = schema.as_object_mut() else {
        return;
    };
    let properties = whole
        .entry("properties")
        .or_insert_with(|| Map::new().into());
    if let Some(properties) = properties.as_object_mut() {
        properties.insert(name.to_owned(), member);
    }
    let required = whole.entry("required").or_insert_with(|| json!([]));
    if let Some(required) = required.as_array_mut() {
        required.push(name.into());
    }
}

/// The JSON Schema of what a type is written as: what may be absent and what is only null are told apart.
pub(crate) fn response_schema<T: JsonSchema>() -> Value {
    whole_schema::<T>(SchemaSettings::draft2020_12().for_serialize())
}

/// A schema that is whole in itself.
pub(crate) fn whole_schema<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let settings = settings.with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
