//! The key-encryption key of an installation exchanged for another, while no server runs.
//! Exports `change`, `Changed`, `RotatedKek` for tools; `given` for a key that is referred to elsewhere than in a file.
//! Used by `portcullis key rotate-kek`.
//! Start reading at `change`. One write of the database changes hands; before it the old key opens everything, after it the new.

use std::path::Path;
use std::sync::Arc;

use config::{Compiled, Located, Place, SecretRef, Span};
use control::Actor;
use crypto::{Kek, KeyFault, WrapKey};
use model::{Event, Outcome, Word};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{InstallationError, Severity, open};

/// A key-encryption key exchanged for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RotatedKek {
    /// Public id of the key that opens the data no longer.
    pub old: String,
    /// Public id of the key that opens it now.
    pub new: String,
    /// Whether an earlier run had come so far that the data was sealed under the new key already.
    pub was_done_before: bool,
}

/// How it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// For tools.
    pub rotated: RotatedKek,
    /// What was put right after an unclean stop, a line each.
    pub recovered: Vec<String>,
}

/// The key that a reference stands for; `named` is where it was given: `--new`.
///
/// # Errors
/// What is wrong with the reference. It may be the key itself, so no message repeats it.
pub fn given(text: &str, named: &str, dir: &Path) -> Result<Kek, InstallationError> {
    let wrong = |message: &str, help: &str| {
        InstallationError::new(Severity::Configuration, format!("{named}: {message}"), help)
    };
    let value: SecretRef = text.parse().map_err(|said: String| {
        let (message, help) = said.split_once('\n').unwrap_or((&said, ""));
        wrong(message, help)
    })?;
    let place = Place {
        file: Arc::from(named),
        span: Span::default(),
    };
    open::kek_at(&Located { value, place }, dir).map_err(|m| wrong(&m.message, &m.help))
}

/// The ledger says what is going to happen, the database changes hands in one write, the ledger says that it did. The keys
/// of its segments are wrapped with both keys meanwhile, so that either opens all of it at every moment.
///
/// # Errors
/// A wrong key, a store that is in use or damaged, a ledger that cannot write.
pub fn change(
    compiled: &Compiled,
    dir: &Path,
    (old, new): (&Kek, &Kek),
    actor: &Actor,
) -> Result<Changed, InstallationError> {
    if old.id() == new.id() {
        return Err(InstallationError::new(
            Severity::Configuration,
            format!("the new key is the present one ({})", new.id()),
            "Make another with `portcullis key generate-kek`. Nothing was changed.",
        ));
    }
    let data = dir.join(&compiled.server.store_dir.value);
    let was_done_before = was_done_before(&data, old, new)?;
    let present = if was_done_before { new } else { old };
    let opened = open::open_with(compiled, dir, present)?;
    let wraps = [old.ledger_wrap(), new.ledger_wrap()];
    let [from, to] = wraps.each_ref();
    let ledger = data.join("ledger");
    let rewrap = |wanted: &[&WrapKey]| audit::rewrap(&ledger, &opened.keys, &[from, to], wanted);
    let detail = format!("from key {} to key {}", old.id(), new.id());
    let note = |kind: &'static str| {
        let event = Event {
            at: crate::now(),
            kind: Word::new(kind),
            outcome: Outcome::Done.into(),
            user: Some(actor.name.as_str().into()),
            actor: Some(actor.recorded()),
            detail: Some(detail.as_str().into()),
            ..Event::default()
        };
        opened.recorder.record(&event).wait()
    };
    if !was_done_before {
        note("kek.rotate.begin")?;
        rewrap(&[from, to])?;
        opened.store.change_kek(old, new)?;
    }
    note("kek.rotate")?;
    opened.close(|_| {})?;
    // Last, when nothing is written any more: a segment that was begun meanwhile has a key, too.
    rewrap(&[to])?;
    Ok(Changed {
        rotated: RotatedKek {
            old: old.id().to_string(),
            new: new.id().to_string(),
            was_done_before,
        },
        recovered: opened.recovered,
    })
}

/// Whether an earlier run came so far that the database has changed hands.
fn was_done_before(data: &Path, old: &Kek, new: &Kek) -> Result<bool, InstallationError> {
    match store::embedded::look(data, old) {
        Ok(_) => Ok(false),
        Err(store::Fault::Key(KeyFault::WrongKek { .. }))
            if store::embedded::look(data, new).is_ok() =>
        {
            Ok(true)
        }
        Err(fault) => Err(fault.into()),
    }
}
