//! What the store holds of keys, pauses and blocks.
//! Exports `Held`.
//! Used by `reconcile`.
//! Start reading at `Held`.

use std::collections::BTreeMap;

use identity::Credential;
use model::event::Blocked;
use model::{KeyId, Timestamp};

use crate::commands::{AddedBlock, IntegrationState, left};

/// What the store holds.
pub(super) struct Held {
    pub credentials: BTreeMap<KeyId, Credential>,
    /// The pauses in force.
    pub pauses: BTreeMap<String, IntegrationState>,
    /// Blocks with their ids, also some that are over.
    pub blocks: Vec<(String, AddedBlock)>,
}

impl Held {
    pub(super) fn is_paused(&self, integration: Option<&str>) -> bool {
        integration.is_some_and(|name| self.pauses.contains_key(name))
    }

    pub(super) fn is_blocked(&self, blocked: Option<&Blocked>, now: Timestamp) -> bool {
        let subject = blocked.map(|blocked| &*blocked.subject);
        self.blocks
            .iter()
            .any(|(_, block)| Some(block.subject.as_str()) == subject && left(block, now).is_some())
    }
}
