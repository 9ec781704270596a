//! What can be asked for: one file and one line per command.
//! Exports the trait `Command`, the registry `COMMANDS`, and what the docs and the later HTTP API are made of.
//! Used by `Control::call`, by the command line, and by the generated pages.
//! Start reading at `Command`, then at `COMMANDS`.

pub mod block;
pub mod decision;
mod input;
pub mod inspection;
pub mod integration;
pub mod key;
pub mod ledger;
mod openapi;
mod reference;
pub mod server;

pub use block::{AddedBlock, added_blocks};
pub use integration::paused;
pub use openapi::openapi;
pub use reference::reference_markdown;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::actor::{Actor, Permission};
use crate::{AdminError, Control};

/// One command: the type that implements it is what it takes. A field is one argument; its doc comment is the manual, and
/// its limits (`length`, `range`) are checked before anything is done.
pub trait Command: Serialize + DeserializeOwned + JsonSchema {
    /// What is known of it beside its types.
    const INFO: Info;
    /// What it answers.
    type Out: Serialize + DeserializeOwned + JsonSchema;

    /// Does it. Permission and arguments were checked.
    ///
    /// # Errors
    /// [`AdminError`] in the words of the question.
    fn run(self, control: &Control, actor: &Actor) -> Result<Self::Out, AdminError>;
}

/// What is known of a command beside its types.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// `noun.verb`.
    pub name: &'static str,
    /// One line, as `--help` shows it.
    pub summary: &'static str,
    /// Who may use it.
    pub permission: Permission,
    /// What it does to the installation.
    pub impact: Impact,
    /// Kind of the ledger's entry about it; none where it only reads.
    pub records: Option<&'static str>,
    /// Arguments of a typical question.
    pub example: &'static str,
    /// Version of what it answers; grows when a field changes its meaning or goes.
    pub version: u32,
}

/// What a command does to the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impact {
    /// Nothing. It works beside whoever holds the store.
    ReadOnly,
    /// It changes something that can be changed back.
    Writes,
    /// It changes something for good.
    Destructive,
}

impl Impact {
    /// As `--help` says it.
    pub const fn name(self) -> &'static str {
        match self {
            Impact::ReadOnly => "read-only",
            Impact::Writes => "writes",
            Impact::Destructive => "destructive",
        }
    }
}

/// A command in the registry.
#[derive(Clone, Copy)]
pub struct Entry {
    /// What is known of it.
    pub info: Info,
    /// Reads arguments as `run` would, and gives them back as they were read.
    parse: fn(Value) -> Result<Value, AdminError>,
    /// JSON Schema of its arguments.
    pub input: fn() -> Value,
    /// JSON Schema of its answer.
    pub output: fn() -> Value,
    run: fn(&Control, &Actor, Value) -> Result<Value, AdminError>,
}

impl Entry {
    const fn new<C: Command>() -> Entry {
        Entry {
            info: C::INFO,
            parse: parse::<C>,
            input: schema::<C>,
            output: output_schema::<C>,
            run: run::<C>,
        }
    }

    /// Whether these are arguments for it: what it would take them for, what was left out included.
    ///
    /// # Errors
    /// The first argument that is wrong, with how to put it right.
    pub fn check(&self, arguments: Value) -> Result<Value, AdminError> {
        (self.parse)(arguments)
    }

    /// Whether it changes something.
    pub fn is_change(&self) -> bool {
        self.info.impact != Impact::ReadOnly
    }

    /// Reads the arguments and does it.
    pub(crate) fn run(
        &self,
        control: &Control,
        actor: &Actor,
        arguments: Value,
    ) -> Result<Value, AdminError> {
        (self.run)(control, actor, arguments)
    }
}

/// Every command, sorted by name.
pub const COMMANDS: &[Entry] = &[
    Entry::new::<block::AddBlock>(),
    Entry::new::<block::LiftBlock>(),
    Entry::new::<block::ListBlocks>(),
    Entry::new::<decision::ExplainDecision>(),
    Entry::new::<inspection::FetchRecording>(),
    Entry::new::<inspection::BeginRecording>(),
    Entry::new::<integration::ListIntegrations>(),
    Entry::new::<integration::PauseIntegration>(),
    Entry::new::<integration::ResumeIntegration>(),
    Entry::new::<key::CreateKey>(),
    Entry::new::<key::ListKeys>(),
    Entry::new::<key::RevokeKey>(),
    Entry::new::<key::RotateKey>(),
    Entry::new::<ledger::SignCheckpoint>(),
    Entry::new::<ledger::DestroyRecords>(),
    Entry::new::<ledger::RotateSigner>(),
    Entry::new::<ledger::ShowLedger>(),
    Entry::new::<server::ReloadServer>(),
    Entry::new::<server::ShowStatus>(),
];

/// The command of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    COMMANDS.iter().find(|entry| entry.info.name == name)
}

fn parse<C: Command>(arguments: Value) -> Result<Value, AdminError> {
    let command: C = input::read(C::INFO.name, arguments)?;
    crate::client::arguments(&command)
}

fn run<C: Command>(
    control: &Control,
    actor: &Actor,
    arguments: Value,
) -> Result<Value, AdminError> {
    let command: C = input::read(C::INFO.name, arguments)?;
    let out = command.run(control, actor)?;
    document(C::INFO.version, &out)
}

/// An answer as it is sent and printed: its fields, and the version of their meaning.
fn document(version: u32, out: &impl Serialize) -> Result<Value, AdminError> {
    let unwritten = |error| {
        AdminError::failed(
            format!("it is done, but its answer cannot be written: {error}"),
            "Please report this line with the command.",
        )
    };
    let mut document = serde_json::to_value(out).map_err(unwritten)?;
    if let Some(members) = document.as_object_mut() {
        members.insert("schema_version".into(), version.into());
    }
    Ok(document)
}

fn output_schema<C: Command>() -> Value {
    let mut schema = answer_schema::<C::Out>();
    let version = json!({ "type": "integer", "const": C::INFO.version, "description": "Version of what the fields mean." });
    let members = |value: &mut Value, name: &str| -> Option<Map<String, Value>> {
        value.get_mut(name)?.as_object().cloned()
    };
    let mut properties = members(&mut schema, "properties").unwrap_or_default();
    properties.insert("schema_version".into(), version);
    let required = schema.get("required").and_then(Value::as_array).cloned();
    let mut required = required.unwrap_or_default();
    required.push("schema_version".into());
    if let Some(whole) = schema.as_object_mut() {
        whole.insert("properties".into(), properties.into());
        whole.insert("required".into(), required.into());
    }
    schema
}

/// The JSON Schema of what is read as a type.
fn schema<T: JsonSchema>() -> Value {
    whole_schema::<T>(SchemaSettings::draft2020_12())
}

/// The JSON Schema of what a type is written as: what may be absent and what is only null are told apart.
fn answer_schema<T: JsonSchema>() -> Value {
    whole_schema::<T>(SchemaSettings::draft2020_12().for_serialize())
}

/// A schema that is whole in itself.
fn whole_schema<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let settings = settings.with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

#[cfg(test)]
mod tests;
