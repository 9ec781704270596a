//! The demo's keys: one per integration, kept in a file that only its owner can read, so that a shell can use them.
//! Gives `Keyring`, `print`. Real installations never keep a key's text; the demo's keys open only the demo.
//! Used by the demo, its tour and `demo env`.
//! Start reading at `Keyring::complete`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use control::Actor;
use demo::INTEGRATIONS;
use demo::certificates::write_secret;
use serde_json::json;

use super::company::remembered;
use crate::exit::{Exit, Outcome, Trouble};
use crate::running::Running;
use crate::terminal;

/// Keys by integration.
#[derive(Clone, Default)]
pub struct Keyring(BTreeMap<String, String>);

impl Keyring {
    /// The keys of this demo; those that are missing or no longer usable are made.
    ///
    /// # Errors
    /// When a key cannot be made or the file cannot be written.
    pub fn complete(dir: &Path, running: &Running) -> Result<Keyring, Trouble> {
        let mut keys = Keyring::read(dir);
        let mut is_changed = false;
        for integration in INTEGRATIONS {
            if keys
                .of(integration)
                .is_some_and(|key| is_usable(running, key))
            {
                continue;
            }
            let made = running
                .control
                .call(
                    "key.create",
                    &json!({ "integration": integration, "label": "demo" }),
                    &Actor::server("demo"),
                )
                .map_err(|fault| Trouble::new(Exit::Failed, fault.message, fault.remedy))?;
            let key = made
                .get("key")
                .and_then(|key| key.as_str())
                .unwrap_or_default();
            keys.0.insert((*integration).to_owned(), key.to_owned());
            is_changed = true;
        }
        if is_changed {
            keys.write(dir)?;
        }
        Ok(keys)
    }

    /// The keys kept in the file.
    pub fn read(dir: &Path) -> Keyring {
        let text = fs::read_to_string(path(dir)).unwrap_or_default();
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Keyring(
            pairs
                .map(|(name, key)| (name.to_owned(), key.to_owned()))
                .collect(),
        )
    }

    fn write(&self, dir: &Path) -> Result<(), Trouble> {
        let text: String = self
            .0
            .iter()
            .map(|(name, key)| format!("{name}={key}\n"))
            .collect();
        write_secret(&path(dir), text.as_bytes()).map_err(|error| {
            Trouble::new(
                Exit::Failed,
                format!("cannot write {}: {error}", path(dir).display()),
                "",
            )
        })
    }

    /// The key of an integration.
    pub fn of(&self, integration: &str) -> Option<&str> {
        self.0.get(integration).map(String::as_str)
    }
}

fn path(dir: &Path) -> PathBuf {
    dir.join("keys")
}

fn is_usable(running: &Running, key: &str) -> bool {
    let digest = identity::api_key::digest(&running.io.keys.api_key_digest, key);
    let table = running.io.credentials.load();
    table.find(&digest).is_some_and(|entry| {
        entry
            .record()
            .state(None, crate::running::now())
            .is_usable()
    })
}

/// Prints shell assignments: `ACCOUNTING=…`, `GATE=…`.
pub fn print(dir: &Path) -> Outcome {
    let keys = Keyring::read(dir);
    let (Some(ports), false) = (remembered(dir), keys.0.is_empty()) else {
        return Err(Trouble::new(
            Exit::Failed,
            format!("there is no demo in {}", dir.display()),
            "Start it with `portcullis demo`.",
        ));
    };
    for (integration, key) in &keys.0 {
        terminal::line(format_args!(
            "export {}={key}",
            integration.to_uppercase().replace('-', "_")
        ));
    }
    terminal::line(format_args!("export GATE=http://localhost:{}", ports.local));
    Ok(Exit::Done)
}
