//! One desk: the store, the ledger, the configuration, and the running gateway where there is one.
//! Gives `Desk::call`, the one way in for the socket and the command line.
//! Made by the binary.
//! Start reading at `Desk::call`.

use std::borrow::Cow;
use std::sync::Arc;

use audit::{Ledger, Recorder};
use config::Compiled;
use config::compiled::IntegrationSettings;
use crypto::Keys;
use gateway::{Clock, Io};
use identity::api_key::redacted;
use identity::{Credential, CredentialTable};
use model::Text;
use model::{Event, KeyId, Timestamp};
use serde_json::Value;
use store::{Filter, Store, kinds};

use crate::{COMMANDS, DeskFault};

/// Most credentials an installation may hold.
pub const CREDENTIALS_MAX: usize = 100_000;

/// What commands work with.
pub struct Desk {
    /// What is remembered.
    pub store: Store,
    /// The ledger for reading.
    pub ledger: Ledger,
    /// The ledger for writing: every change is recorded before it is answered. `None` on a desk that only reads.
    pub recorder: Option<Arc<Recorder>>,
    /// One key per purpose.
    pub keys: Arc<Keys>,
    /// The running gateway; `None` while no server runs and the command works on the store alone.
    pub io: Option<Arc<Io>>,
    /// The configuration in force (or, without a server, the one on disk).
    pub compiled: Box<dyn Fn() -> Arc<Compiled> + Send + Sync>,
    /// Loads the configuration again for this person; returns how that ended, or everything that is wrong.
    pub reload: ReloadFn,
}

/// Loads the configuration again for a person.
pub type ReloadFn = Box<dyn Fn(&str) -> Result<Reloaded, String> + Send + Sync>;

/// A configuration that was loaded again.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// The hash in force, short.
    pub hash: String,
    /// Whether its files differ from those before.
    pub is_changed: bool,
    /// What it no longer has, by name, bounded.
    pub removed: Vec<String>,
}

impl Desk {
    /// Does one command for one person.
    ///
    /// # Errors
    /// [`DeskFault`] in the words of the person's question.
    pub fn call(&self, command: &str, arguments: &Value, who: &str) -> Result<Value, DeskFault> {
        let Some(found) = COMMANDS.iter().find(|c| c.name == command) else {
            return Err(DeskFault::asked(
                format!("the desk knows no command `{command}`"),
                "Use a command line of the same version as the server.",
            ));
        };
        // Labels, reasons and mistyped ids are stored, recorded and printed.
        let mut arguments = arguments.clone();
        without_keys(&mut arguments);
        (found.run)(self, &arguments, &redacted(who))
    }

    /// The ledger for writing.
    ///
    /// # Errors
    /// On a desk that only reads.
    pub fn recorder(&self) -> Result<&Arc<Recorder>, DeskFault> {
        self.recorder.as_ref().ok_or_else(|| {
            DeskFault::asked(
                "this desk only reads",
                "Changes go through the running server, or open the store alone.",
            )
        })
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        Clock::default().now()
    }

    /// Every credential.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn credentials(&self) -> Result<Vec<Credential>, DeskFault> {
        let rows =
            self.store
                .list_all::<Credential>(&kinds::CREDENTIAL, Filter::All, CREDENTIALS_MAX)?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    /// One credential by its id.
    ///
    /// # Errors
    /// When the text is no id, or there is no such credential.
    pub fn credential(&self, text: &str) -> Result<Credential, DeskFault> {
        let id = KeyId::parse(text).ok_or_else(|| {
            DeskFault::asked(
                format!("`{text}` is not a key id"),
                "A key id looks like key_01KA7ZQ4…; `portcullis key list` shows them.",
            )
        })?;
        let found = self.store.get::<Credential>(&kinds::CREDENTIAL, id)?;
        found.map(|stored| stored.value).ok_or_else(|| {
            DeskFault::asked(
                format!("there is no key {id}"),
                "`portcullis key list` shows every key.",
            )
        })
    }

    /// The settings of an integration that is configured.
    ///
    /// # Errors
    /// When there is none of that name, with the nearest one.
    pub fn integration(&self, name: &str) -> Result<Arc<IntegrationSettings>, DeskFault> {
        let compiled = (self.compiled)();
        if let Some(settings) = compiled.integrations.get(name) {
            return Ok(Arc::clone(settings));
        }
        let known: Vec<&str> = compiled.integrations.keys().map(|name| &**name).collect();
        let help = config::nearest(name, &known)
            .unwrap_or_else(|| "`portcullis integration list` shows them.".into());
        Err(DeskFault::asked(
            format!("there is no integration `{name}`"),
            help,
        ))
    }

    /// When a credential was last used: what the running gateway noted, or what was stored before.
    pub fn last_used(&self, record: &Credential) -> Option<Timestamp> {
        let noted = self.io.as_ref().and_then(|io| {
            let table = io.credentials.load();
            table.get(record.id).and_then(|entry| entry.last_used_at())
        });
        noted.max(record.last_used_at)
    }

    /// Makes changed credentials hold in the running gateway, from its next request on.
    pub fn publish(&self, changed: &[Credential]) {
        let Some(io) = &self.io else { return };
        io.credentials.rcu(|table| {
            changed
                .iter()
                .fold(CredentialTable::clone(table), |table, record| {
                    table.with(record.clone())
                })
        });
    }

    /// Records a change; it is answered only after it is on the record.
    ///
    /// # Errors
    /// When the ledger cannot take it.
    pub fn record(
        &self,
        kind: &'static str,
        who: &str,
        integration: Option<&str>,
        credential: Option<KeyId>,
        detail: String,
    ) -> Result<(), DeskFault> {
        let text = |value: &str| Text::new(value);
        let event = Event {
            at: self.now(),
            kind: kind.into(),
            outcome: "done".into(),
            user: Some(text(who)),
            integration: integration.map(text),
            credential: credential.map(|id| id.to_string().into()),
            detail: Some(detail.into()),
            ..Event::default()
        };
        self.recorder()?.record(&event).wait()?;
        Ok(())
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

/// A text argument.
///
/// # Errors
/// When it is absent.
pub fn text<'a>(arguments: &'a Value, name: &str) -> Result<&'a str, DeskFault> {
    arguments.get(name).and_then(Value::as_str).ok_or_else(|| {
        DeskFault::asked(
            format!("the argument `{name}` is missing"),
            "See --help of the command.",
        )
    })
}
