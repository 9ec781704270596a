//! `block.list`: who is kept out, until when, and why.

use std::cmp::Reverse;
use std::time::Duration;

use gateway::SharedState;
use gateway::blocks::{ADDED_MAX, Block, Origin};
use model::Timestamp;
use policy::block::Subject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AddedBlock, in_force, left, moment, stored};
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::{AdminError, Control};

/// Most blocks that are listed: all of people's, and the longest of the others.
const LISTED_MAX: usize = ADDED_MAX + 1_000;

/// Lists every block in force: people's first, then those that last longest.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListBlocks {}

/// The blocks in force.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BlockList {
    /// One for each subject; bounded.
    pub blocks: Vec<BlockRow>,
    /// How many are in force, those that are not listed among them.
    pub in_force: usize,
    /// Whether a server runs; without one only blocks that people added are known.
    pub is_running: bool,
}

/// One block.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BlockRow {
    /// Whom it keeps out.
    pub subject: String,
    /// For whom it holds: `strangers` (calls from that address whose credential proves nobody), `everybody` (all calls from
    /// there), `credential`, `integration` or `user`.
    pub holds_for: String,
    /// When it ends, UTC.
    pub until: String,
    /// Seconds until then.
    pub seconds_left: u64,
    /// Who added it; null where refusals led to it.
    pub by: Option<String>,
    /// When it was added, UTC.
    pub added_at: Option<String>,
    /// Why.
    pub reason: String,
    /// The last refusal that led to it.
    pub decision: Option<String>,
    /// Whether it holds after a restart: people's do.
    pub survives_restart: bool,
}

/// A block before it is a row.
struct Shown {
    subject: Subject,
    left: Duration,
    by: Option<String>,
    reason: String,
    added_at: Option<Timestamp>,
    decision: Option<String>,
}

impl Command for ListBlocks {
    const INFO: Info = Info {
        name: "block.list",
        summary: "List blocks in force: whom, until when, who or what began them",
        permission: Permission::BlocksRead,
        impact: Impact::ReadOnly,
        records: None,
        example: "{}",
        version: 1,
    };
    type Out = BlockList;

    fn run(self, control: &Control, _: &Actor) -> Result<BlockList, AdminError> {
        let now = control.now();
        let mut shown: Vec<Shown> = match &control.io {
            Some(io) => in_force(io).iter().map(|one| of_block(io, one)).collect(),
            None => stored(&control.store)?
                .into_iter()
                .filter_map(|(_, record)| of_record(&record, now))
                .collect(),
        };
        // A flood from many addresses begins many.
        shown.sort_by_key(|one| (one.by.is_none(), Reverse(one.left)));
        let rows = shown.iter().take(LISTED_MAX).map(|one| row(one, now));
        Ok(BlockList {
            blocks: rows.collect(),
            in_force: shown.len(),
            is_running: control.io.is_some(),
        })
    }
}

fn of_block(io: &SharedState, block: &Block) -> Shown {
    let (by, added_at, decision, reason) = match &block.origin {
        Origin::Person(added) => (
            Some(added.by.clone()),
            Some(added.added_at),
            None,
            added.reason.clone(),
        ),
        Origin::Refusals { decision, .. } => {
            (None, None, Some(decision.to_string()), block.because())
        }
    };
    Shown {
        subject: block.subject.clone(),
        left: block.left(moment(io)),
        by,
        reason,
        added_at,
        decision,
    }
}

fn of_record(record: &AddedBlock, now: Timestamp) -> Option<Shown> {
    Some(Shown {
        subject: record.subject.parse().ok()?,
        left: left(record, now)?,
        by: Some(record.by.clone()),
        reason: record.reason.clone(),
        added_at: Some(record.added_at),
        decision: None,
    })
}

fn row(shown: &Shown, now: Timestamp) -> BlockRow {
    let is_added = shown.by.is_some();
    let holds_for = match shown.subject {
        // What refusals led to is held against strangers there: they were counted at the address, not at a caller.
        Subject::Address(_) if !is_added => "strangers",
        Subject::Address(_) => "everybody",
        Subject::Credential(_) => "credential",
        Subject::Integration(_) => "integration",
        Subject::User { .. } => "user",
    };
    BlockRow {
        subject: shown.subject.to_string(),
        holds_for: holds_for.to_owned(),
        until: now.plus(shown.left).to_string(),
        seconds_left: shown.left.as_secs(),
        by: shown.by.clone(),
        added_at: shown.added_at.map(|at| at.to_string()),
        reason: shown.reason.clone(),
        decision: shown.decision.clone(),
        survives_restart: is_added,
    }
}
