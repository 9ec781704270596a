//! The root key of an installation exchanged for another, and the key that signs the ledger with it, while no server runs.
//! Exports `change`, `RotatedRoot` for tools.
//! Used by `portcullis key rotate-root`.
//! Start reading at `change`. One write of the database changes hands; before it the old root opens everything, after it the new.

use std::path::Path;

use audit::Ends;
use config::Compiled;
use control::Actor;
use crypto::Kek;
use model::{DecisionId, Event, Kind, Outcome, Text, Word};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{InstallationError, intents, open};

/// A root key exchanged for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RotatedRoot {
    /// Public id of the root that seals nothing any more.
    pub old: String,
    /// Public id of the root that seals everything from now on.
    pub new: String,
    /// Who signs the ledger from now on, in the form `name+id+key`.
    pub public_key: String,
    /// Number of the record that says so.
    pub record: u64,
}

/// How it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// For tools.
    pub rotated: RotatedRoot,
    /// What was put right after an unclean stop, a line each.
    pub recovered: Vec<String>,
}

/// The ledger says what is going to happen and gets another signer; the database changes hands in one write; the ledger says
/// that it did. Killed in between, either the old root is the present one or the new one is, with everything sealed under it.
///
/// # Errors
/// A wrong key, a store that is in use or damaged, a ledger that cannot write.
pub fn change(
    compiled: &Compiled,
    dir: &Path,
    kek: &Kek,
    actor: &Actor,
    reason: &str,
) -> Result<Changed, InstallationError> {
    let opened = open::open_with(compiled, dir, kek)?;
    let present = opened.store.root(kek)?;
    let next = present.renewed().map_err(store::Fault::from)?;
    let (old, new) = (present.id(), next.id());
    let id = DecisionId::new(crate::now(), crypto::random());
    let event = |kind: &'static str, detail: String| Event {
        at: crate::now(),
        kind: Word::new(kind),
        user: Some(actor.name.as_str().into()),
        actor: Some(actor.recorded()),
        detail: Some(detail.as_str().into()),
        ..Event::default()
    };
    let intent = Event {
        kind: Kind::Intent.into(),
        operation: Some(Text::new_static(intents::ROOT)),
        outcome: Outcome::Pending.into(),
        id: Some(id),
        replaced_by: Some(new.as_str().into()),
        ..event(
            intents::ROOT,
            format!("from root {old} to root {new}: {reason}"),
        )
    };
    opened.recorder.record(&intent).wait()?;
    // Whoever has the root can sign for the first epoch, and whoever has it with the key-encryption key for every later one.
    let signer = Event {
        outcome: Outcome::Done.into(),
        ..event("ledger.signer", format!("with root {old}: {reason}"))
    };
    let signer = opened.recorder.rotate_signer(signer, Ends::Compromised)?;
    // In order, before the keys change: what is closed later would be sealed by the old ones.
    opened.close(|_| {})?;
    let (data, recovered) = (opened.dir.clone(), opened.recovered.clone());
    drop(opened);
    let store = store::embedded::open(&data, kek)?.store;
    store.change_root(kek, &next)?;
    drop(store);
    // Whoever opens it records how it ended: here, or after a kill at the next start.
    let opened = open::open_with(compiled, dir, kek)?;
    let record = opened.recorder.find(id)?.map_or(0, |entry| entry.seq);
    opened.close(|_| {})?;
    Ok(Changed {
        rotated: RotatedRoot {
            old,
            new,
            public_key: signer.to.to_string(),
            record,
        },
        recovered,
    })
}
