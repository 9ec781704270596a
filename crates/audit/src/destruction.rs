//! Records made unreadable for everybody and for ever: whole segments at a time, by destroying their keys.
//! Exports `COMMAND`, `older_than`; what is destroyed, `segment::key` does.
//! Used by `ledger destroy`, which records what is going to be destroyed before it is, and by the verifier.
//! Start reading at `older_than`.

use model::{Event, Kind, Timestamp};
use serde::Deserialize;

use crate::fault::LedgerFault;
use crate::reader::Ledger;
use crate::segment::{self, key};

/// The command that destroys; its intent is the record that a destroyed key names.
pub const COMMAND: &str = "ledger.destroy";

/// When something happened.
#[derive(Deserialize)]
struct When {
    at: Timestamp,
    #[serde(default)]
    latest: Option<Timestamp>,
}

/// The segments from the beginning of the ledger on whose records are all older than this moment, and which can be destroyed:
/// those that are closed, have a key of their own, and are not destroyed yet. Reads every one of them.
///
/// # Errors
/// When a file cannot be read or is damaged.
pub fn older_than(ledger: &Ledger, before: Timestamp) -> Result<key::Destroyed, LedgerFault> {
    let dir = ledger.dir();
    let segments = segment::list(dir).map_err(|error| LedgerFault::io(dir, &error))?;
    let mut bound = 0;
    for pair in segments.windows(2) {
        let [(_, path), (end, _)] = pair else {
            continue;
        };
        let mut scanner = ledger.scanner(path)?;
        let is_older = scanner.destroyed().is_some() || {
            let mut is_older = true;
            while is_older && let Some(frame) = ledger.next_frame(&mut scanner, path)? {
                is_older = frame
                    .records()
                    .all(|record| happened_before(record, before));
            }
            is_older
        };
        if !is_older {
            break;
        }
        bound = *end;
    }
    key::destroyable(dir, bound)
}

/// Whether a record is older. What cannot be read as one is not destroyed unseen.
fn happened_before(record: &[u8], before: Timestamp) -> bool {
    moment_in(record).is_some_and(|moment| moment < before)
}

/// When a record was written.
pub(crate) fn moment_in(record: &[u8]) -> Option<Timestamp> {
    let when = serde_json::from_slice::<When>(record).ok()?;
    Some(when.latest.map_or(when.at, |latest| latest.max(when.at)))
}

/// What a record says about a destruction: who asked for it, and why. `None` for every other record.
pub(crate) fn told_in(record: &[u8]) -> Option<(String, String)> {
    let event: Event = serde_json::from_slice(record).ok()?;
    let is_one = event.kind == Kind::Intent && event.operation.as_deref() == Some(COMMAND);
    is_one.then(|| {
        let uid = event.actor.and_then(|actor| actor.uid);
        let uid = uid.map(|uid| format!(" (uid {uid})")).unwrap_or_default();
        let by = format!("{}{uid}", event.user.unwrap_or_default());
        (by, event.detail.unwrap_or_default().to_string())
    })
}

#[cfg(test)]
mod tests;
