//! The one owner of the running state, and of store and ledger behind it.
//! Exports `Control` and `Control::call`, the one way in for the socket and the command line.
//! Made by the binary.
//! Start reading at `Control::call`.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use audit::{Ledger, Recorder};
use config::Compiled;
use config::compiled::IntegrationSettings;
use crypto::Keys;
use gateway::{Clock, SharedState, Snapshot};
use identity::Credential;
use identity::api_key::redacted;
use model::{Event, KeyId, Outcome, Text, Timestamp, Word};
use serde_json::Value;
use store::{Filter, Store, kinds};

use crate::AdminError;
use crate::actor::Actor;
use crate::commands::{self, Entry};
use crate::journal::Journal;
use crate::order::{CREDENTIALS_MAX, State};
use crate::refusals::Refusals;
use crate::reload::Loading;
use crate::supervisor::Tasks;

/// What commands work with.
pub struct Control {
    /// What is remembered. Written by a [`crate::order::Turn`] alone.
    pub store: Store,
    /// The ledger for reading.
    pub ledger: Ledger,
    /// The ledger for writing. `None` where one only reads.
    pub recorder: Option<Arc<Recorder>>,
    /// Where changes are recorded; the recorder, except in a simulation.
    pub(crate) journal: Option<Arc<dyn Journal>>,
    /// One key per purpose.
    pub keys: Arc<Keys>,
    /// The running gateway; `None` while no server runs and the command works on the store alone.
    pub io: Option<Arc<SharedState>>,
    /// The configuration in force (or, without a server, the one on disk).
    pub compiled: Box<dyn Fn() -> Arc<Compiled> + Send + Sync>,
    /// Where another configuration comes from; `None` while no server runs.
    pub(crate) loading: Option<Loading>,
    /// How the threads beside the requests are.
    pub tasks: Tasks,
    /// How many refused commands were recorded of late.
    pub(crate) refusals: Refusals,
    /// What is owned here: one change at a time.
    pub(crate) state: Mutex<State>,
}

/// What the owner works with.
pub struct ControlParts {
    /// What is remembered.
    pub store: Store,
    /// The ledger for reading.
    pub ledger: Ledger,
    /// The ledger for writing.
    pub recorder: Option<Arc<Recorder>>,
    /// One key per purpose.
    pub keys: Arc<Keys>,
}

impl Control {
    /// Without a server: it works on the store alone.
    pub fn alone(parts: ControlParts, compiled: Arc<Compiled>) -> Control {
        Control {
            store: parts.store,
            ledger: parts.ledger,
            journal: parts
                .recorder
                .clone()
                .map(|recorder| recorder as Arc<dyn Journal>),
            recorder: parts.recorder,
            keys: parts.keys,
            io: None,
            compiled: Box::new(move || Arc::clone(&compiled)),
            loading: None,
            tasks: Tasks::default(),
            refusals: Refusals::default(),
            state: Mutex::default(),
        }
    }

    /// For a running gateway; from here on nobody else changes anything in it. The gateway's snapshot becomes
    /// the one that store and configuration make together.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn running(
        parts: ControlParts,
        io: Arc<SharedState>,
        base: Snapshot,
        loading: Loading,
    ) -> Result<Control, store::Fault> {
        let current = Arc::clone(&io);
        let stamp = loading.source.stamp();
        let control = Control {
            io: Some(io),
            loading: Some(loading),
            compiled: Box::new(move || Arc::clone(&current.snapshot.load().compiled)),
            ..Control::alone(parts, Arc::clone(&base.compiled))
        };
        control.adopt(Arc::new(base), stamp)?;
        Ok(control)
    }

    /// The same with another journal.
    #[must_use]
    pub fn with_journal(self, journal: Arc<dyn Journal>) -> Control {
        Control {
            journal: Some(journal),
            ..self
        }
    }

    /// Where changes are recorded.
    ///
    /// # Errors
    /// Where one only reads.
    pub(crate) fn journal(&self) -> Result<&Arc<dyn Journal>, AdminError> {
        self.journal.as_ref().ok_or_else(AdminError::only_reads)
    }

    /// Records something that nobody waits for; whether that worked.
    pub(crate) fn has_recorded(&self, event: &Event) -> bool {
        self.journal
            .as_ref()
            .is_some_and(|journal| journal.record(event).is_ok())
    }

    /// Does one command for somebody, if they may.
    ///
    /// # Errors
    /// [`AdminError`] in the words of the question; what they may not do is refused before an argument is looked at.
    pub fn call(
        &self,
        command: &str,
        arguments: &Value,
        actor: &Actor,
    ) -> Result<Value, AdminError> {
        let Some(found) = commands::find(command) else {
            return Err(AdminError::asked(
                format!("there is no command `{command}`"),
                "Use a command line of the same version as the server.",
            ));
        };
        if !actor.may(found.info.permission) {
            return Err(self.not_permitted(found, actor));
        }
        // Labels, reasons and mistyped ids are stored, recorded and printed.
        let mut arguments = arguments.clone();
        without_keys(&mut arguments);
        found.run(self, actor, arguments)
    }

    /// Refuses a command, on the record where there is one and it does not grow too fast.
    fn not_permitted(&self, found: &Entry, actor: &Actor) -> AdminError {
        let permission = found.info.permission;
        if let Some(left_out) = self.refusals.admit(self.now()) {
            let mut detail = format!("needs the permission {permission}");
            if left_out > 0 {
                detail.push_str(&format!(
                    "; {left_out} more were refused before, unrecorded"
                ));
            }
            let event = self.event(found.info.name, Outcome::Refused, actor, &detail);
            // It is refused all the same.
            self.has_recorded(&event);
        }
        AdminError::not_permitted(found.info.name, permission)
    }

    /// The ledger for writing.
    ///
    /// # Errors
    /// Where one only reads.
    pub fn recorder(&self) -> Result<&Arc<Recorder>, AdminError> {
        self.recorder.as_ref().ok_or_else(AdminError::only_reads)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        Clock::default().now()
    }

    /// Every credential.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn credentials(&self) -> Result<Vec<Credential>, AdminError> {
        let rows =
            self.store
                .list_all::<Credential>(&kinds::CREDENTIAL, Filter::All, CREDENTIALS_MAX)?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    /// One credential by its id.
    ///
    /// # Errors
    /// When the text is no id, or there is no such credential.
    pub fn credential(&self, text: &str) -> Result<Credential, AdminError> {
        let id = KeyId::parse(text).ok_or_else(|| {
            AdminError::of_argument(
                "id",
                format!("`{text}` is not a key id"),
                "A key id looks like key_01KA7ZQ4…; `portcullis key list` shows them.",
            )
        })?;
        let found = self.store.get::<Credential>(&kinds::CREDENTIAL, id)?;
        found.map(|stored| stored.value).ok_or_else(|| {
            AdminError::of_field(
                "id",
                format!("there is no key {id}"),
                "`portcullis key list` shows every key.",
            )
        })
    }

    /// The settings of an integration that is configured.
    ///
    /// # Errors
    /// When there is none of that name, with the nearest one.
    pub fn integration(&self, name: &str) -> Result<Arc<IntegrationSettings>, AdminError> {
        let compiled = (self.compiled)();
        if let Some(settings) = compiled.integrations.get(name) {
            return Ok(Arc::clone(settings));
        }
        let known: Vec<&str> = compiled.integrations.keys().map(|name| &**name).collect();
        let help = config::nearest(name, &known)
            .unwrap_or_else(|| "`portcullis integration list` shows them.".into());
        Err(AdminError::of_field(
            "integration",
            format!("there is no integration `{name}`"),
            help,
        ))
    }

    /// The integrations of the configuration in force, sorted.
    pub fn integration_names(&self) -> Vec<Arc<str>> {
        let compiled = (self.compiled)();
        compiled.integrations.keys().cloned().collect()
    }

    /// When a credential was last used: what the running gateway noted, or what was stored before.
    pub fn last_used(&self, record: &Credential) -> Option<Timestamp> {
        let noted = self.io.as_ref().and_then(|io| {
            let table = io.credentials.load();
            table.get(record.id).and_then(|entry| entry.last_used_at())
        });
        noted.max(record.last_used_at)
    }

    /// Records an act that changes nothing in the store; it is done only after it is on the record.
    ///
    /// # Errors
    /// When the ledger cannot take it.
    pub fn record(
        &self,
        kind: &'static str,
        actor: &Actor,
        detail: String,
    ) -> Result<(), AdminError> {
        let event = self.event(kind, Outcome::Done, actor, &detail);
        self.journal()?.record(&event)?;
        Ok(())
    }

    /// An entry about something that somebody did or tried.
    pub(crate) fn event(
        &self,
        kind: &'static str,
        outcome: Outcome,
        actor: &Actor,
        detail: &str,
    ) -> Event {
        Event {
            at: self.now(),
            kind: Word::new(kind),
            outcome: outcome.into(),
            user: Some(Text::new(&actor.name)),
            actor: Some(actor.recorded()),
            detail: Some(detail.into()),
            ..Event::default()
        }
    }
}

/// Takes keys out of every text of a question. Its depth was bounded when it was read.
fn without_keys(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(clean) = redacted(text) {
                *text = clean;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_keys),
        Value::Object(members) => members.values_mut().for_each(without_keys),
        _ => {}
    }
}
