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
pub(crate) use block::{left, stored as kept_blocks};
pub use integration::paused;
pub(crate) use integration::{IntegrationState, pauses};
pub use openapi::openapi;
pub use reference::reference_markdown;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::actor::{Actor, Permission};
use crate::{AdminError, Control, output};

/// Member of the answer to every command that can change something: whether it did. What was asked for may hold already.
const CHANGED: &str = "changed";

/// One command: the type that implements it is what it takes. A field is one argument; its doc comment is the manual, and
/// its limits (`length`, `range`) are checked before anything is done.
pub trait Command: Serialize + DeserializeOwned + JsonSchema {
    /// What is known of it beside its types.
    const INFO: Info;
    /// What it answers.
    type Out: Serialize + DeserializeOwned + JsonSchema;

    /// Whether it changed anything. Commands that may find that what is asked for holds already say so here.
    fn has_changed(_: &Self::Out) -> bool {
        true
    }

    /// What it reads of the record of what happened, for the record about that (`Info::records`); none where it reads none of it.
    /// It names no person: what is recorded here is sealed under nobody's key.
    fn reads(&self) -> Option<String> {
        None
    }

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
    /// Kind of the ledger's entry about it; none where it only reads, and not from the ledger.
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

    /// Whether it needs the ledger to write: it changes something, or reads what happened, which is recorded as well.
    pub fn is_recorded(&self) -> bool {
        self.info.records.is_some()
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
    Entry::new::<ledger::ErasePerson>(),
    Entry::new::<ledger::NoteExport>(),
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
    arguments_of(&command)
}

/// A command's arguments as they are sent, held against its schema: what is none is known without asking anybody.
///
/// # Errors
/// The first argument that is none, with how to put it right.
pub fn arguments_of<C: Command>(command: &C) -> Result<Value, AdminError> {
    let arguments = serde_json::to_value(command).map_err(|error| {
        AdminError::failed(
            format!("the arguments cannot be written: {error}"),
            "Please report this line with the command.",
        )
    })?;
    if let Some(members) = arguments.as_object() {
        input::check::<C>(C::INFO.name, members)?;
    }
    Ok(arguments)
}

fn run<C: Command>(
    control: &Control,
    actor: &Actor,
    arguments: Value,
) -> Result<Value, AdminError> {
    let command: C = input::read(C::INFO.name, arguments)?;
    let reads = command.reads();
    let out = command.run(control, actor)?;
    // What was read is given to nobody before it is on the record that they read it.
    if let (Some(kind), Some(detail)) = (C::INFO.records, reads) {
        control.record(kind, actor, detail)?;
    }
    document::<C>(&out)
}

/// An answer as it is sent and printed: its fields, whether something changed, and the version of their meaning.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn document<C: Command>(out: &C::Out) -> Result<Value, AdminError> {
    let mut document = output::document(C::INFO.version, out)?;
    if let Some(members) = document.as_object_mut()
        && C::INFO.impact != Impact::ReadOnly
    {
        members.insert(CHANGED.into(), C::has_changed(out).into());
    }
    Ok(document)
}

/// Whether the command that answered so changed anything.
pub fn has_changed(document: &Value) -> bool {
    document.get(CHANGED).and_then(Value::as_bool) != Some(false)
}

fn output_schema<C: Command>() -> Value {
    let mut schema = output::schema::<C::Out>(C::INFO.version);
    if C::INFO.impact != Impact::ReadOnly {
        let meaning = "Whether anything was changed: false where what was asked for held already. Nothing is recorded then.";
        let changed = json!({ "type": "boolean", "description": meaning });
        output::add_member(&mut schema, CHANGED, changed);
    }
    schema
}

/// The JSON Schema of what is read as a type.
fn schema<T: JsonSchema>() -> Value {
    output::whole_schema::<T>(SchemaSettings::draft2020_12())
}

#[cfg(test)]
mod tests;
