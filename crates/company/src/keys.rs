//! The demo's keys: one per integration, kept in a file that only its owner can read, so that a shell can use them.
//! Exports `Keyring`. Real installations never keep a key's text; the demo's keys open only the demo.
//! Used by the demo, its tour and `demo env`.
//! Start reading at `Keyring::complete`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use control::Actor;
use demo::INTEGRATIONS;
use demo::certificates::write_secret;
use installation::server::Running;
use installation::{InstallationError, Severity};
use serde_json::json;

/// Keys by integration.
#[derive(Clone, Default)]
pub struct Keyring(BTreeMap<String, String>);

impl Keyring {
    /// The keys of this demo; those that are missing or no longer usable are made.
    ///
    /// # Errors
    /// When a key cannot be made or the file cannot be written.
    pub fn complete(dir: &Path, running: &Running) -> Result<Keyring, InstallationError> {
        let mut keys = Keyring::read(dir);
        let mut is_changed = false;
        for integration in INTEGRATIONS {
            if keys
                .of(integration)
                .is_some_and(|key| is_usable(running, key))
            {
                continue;
            }
            let made = make(running, integration)?;
            keys.0.insert((*integration).to_owned(), made);
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

    fn write(&self, dir: &Path) -> Result<(), InstallationError> {
        let text: String = self
            .0
            .iter()
            .map(|(name, key)| format!("{name}={key}\n"))
            .collect();
        write_secret(&path(dir), text.as_bytes()).map_err(|error| {
            InstallationError::new(
                Severity::Failed,
                format!("cannot write {}: {error}", path(dir).display()),
                "",
            )
        })
    }

    /// Every key, with the integration it is for.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter();
        all.map(|(integration, key)| (integration.as_str(), key.as_str()))
    }

    /// The key of an integration.
    pub fn of(&self, integration: &str) -> Option<&str> {
        self.0.get(integration).map(String::as_str)
    }
}

/// A key for one integration of the running demo.
fn make(running: &Running, integration: &str) -> Result<String, InstallationError> {
    let arguments = json!({ "integration": integration, "label": "demo" });
    let actor = Actor::server("demo");
    let made = running.control.call("key.create", &arguments, &actor);
    let made = made
        .map_err(|error| InstallationError::new(Severity::Failed, error.message, error.remedy))?;
    let key = made.get("key").and_then(|key| key.as_str());
    Ok(key.unwrap_or_default().to_owned())
}

fn path(dir: &Path) -> PathBuf {
    dir.join("keys")
}

fn is_usable(running: &Running, key: &str) -> bool {
    let digest = identity::api_key::digest(&running.io.keys.api_key_digest, key);
    let table = running.io.credentials.load();
    table
        .find(&digest)
        .is_some_and(|entry| entry.record().state(None, installation::now()).is_usable())
}
