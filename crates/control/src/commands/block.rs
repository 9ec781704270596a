//! Blocks as an operator sees, adds and lifts them.
//! Exports the `block.*` commands, and what keeps people's blocks over a restart: `AddedBlock`, `added_blocks`.
//! Used by `COMMANDS`, by whoever starts a server, and by its maintenance.
//! Start reading at `add::AddBlock`; a block as commands show it is `list::Block`.

mod add;
mod lift;
mod list;

use std::time::Duration;

use gateway::SharedState;
use gateway::blocks::{ADDED_MAX, Added, Block};
use model::{Monotonic, Timestamp};
use policy::block::{Subject, remaining, shell_quoted};
use serde::{Deserialize, Serialize};
use store::{Filter, Store, kinds};

use crate::{AdminError, Control};

pub use add::{AddBlock, BlockAdded};
pub use lift::{BlockLifted, LiftBlock};
pub use list::{BlockList, BlockRow, ListBlocks};

/// A block that a person added, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddedBlock {
    /// Whom it keeps out, in its text form.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// Who added it.
    pub by: String,
    /// When.
    pub added_at: Timestamp,
    /// When it ends.
    pub until: Timestamp,
}

/// Blocks in force that keep out whoever a record is about: their address, credential, integration or person.
pub(crate) fn touching(io: &SharedState, event: &model::Event) -> Vec<String> {
    let address = event.address.as_deref().and_then(|text| text.parse().ok());
    let credential = event.credential.as_deref();
    let is_meant = |subject: &Subject| match subject {
        Subject::Address(_) => address.is_some_and(|address| subject.has_address(address)),
        Subject::Credential(id) => Some(&*id.text()) == credential,
        Subject::Integration(name) => Some(name.as_str()) == event.integration.as_deref(),
        Subject::User { integration, user } => {
            Some(integration.as_str()) == event.integration.as_deref()
                && Some(user.as_str()) == event.user.as_deref()
        }
    };
    let (now, moment) = (io.clock.now(), moment(io));
    let blocks = io.blocks.list(moment);
    let meant = blocks.iter().filter(|block| is_meant(&block.subject));
    let sentence = |block: &Block| {
        let until = now.plus(block.left(moment));
        format!(
            "{} until {until} ({}); end it with `portcullis block lift {}`",
            block.subject,
            block.because(),
            shell_quoted(&block.subject.to_string())
        )
    };
    meant.map(sentence).collect()
}

/// People's blocks, with their ends by the clock of this process.
///
/// # Errors
/// When the store cannot be read.
pub fn added_blocks(
    store: &Store,
    now: Timestamp,
    moment: Monotonic,
) -> Result<Vec<Added>, store::Fault> {
    let in_force = |(id, record): (String, AddedBlock)| {
        let subject = record.subject.parse().ok()?;
        let left = left(&record, now)?;
        Some(added(id, subject, &record, moment.plus(left)))
    };
    Ok(stored(store)?.into_iter().filter_map(in_force).collect())
}

/// People's blocks as the store keeps them, by their ids; some are over.
pub(crate) fn stored(store: &Store) -> Result<Vec<(String, AddedBlock)>, store::Fault> {
    // One more than there can be: those that are over stay until the next one is added.
    let rows = store.list_all::<AddedBlock>(&kinds::BLOCK, Filter::All, 2 * ADDED_MAX)?;
    Ok(rows.into_iter().map(|row| (row.id, row.value)).collect())
}

fn added(id: String, subject: Subject, record: &AddedBlock, ends: Monotonic) -> Added {
    Added {
        id,
        subject,
        reason: record.reason.clone(),
        by: record.by.clone(),
        added_at: record.added_at,
        ends,
    }
}

fn moment(io: &SharedState) -> Monotonic {
    io.clock.monotonic(io.clock.tick())
}

fn in_force(io: &SharedState) -> Vec<Block> {
    io.blocks.list(moment(io))
}

fn subject(given: &str) -> Result<Subject, AdminError> {
    given.parse().map_err(|why: String| {
        AdminError::of_argument(
            "subject",
            why,
            "`portcullis block list` shows every block as it is written here.",
        )
    })
}

/// What is left of a block that a person added; none where it is over.
pub(crate) fn left(record: &AddedBlock, now: Timestamp) -> Option<Duration> {
    let left = remaining(record.added_at, record.until, now);
    (!left.is_zero()).then_some(left)
}

fn integration_of(control: &Control, subject: &Subject) -> Option<String> {
    match subject {
        Subject::Address(_) => None,
        Subject::Integration(name) => Some(name.clone()),
        Subject::User { integration, .. } => Some(integration.clone()),
        Subject::Credential(id) => {
            let found = control.credential(&id.to_string()).ok()?;
            Some(found.integration)
        }
    }
}

/// The person whom a block keeps out.
fn person_of(subject: &Subject) -> Option<String> {
    match subject {
        Subject::User { user, .. } => Some(user.clone()),
        _ => None,
    }
}

fn credential_of(subject: &Subject) -> Option<model::KeyId> {
    match subject {
        Subject::Credential(id) => Some(*id),
        _ => None,
    }
}
