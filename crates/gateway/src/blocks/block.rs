//! What a block is, who began it, and whose refusals are counted.
//! Exports `Block`, `Origin`, `Added` and `ChargedTo`.
//! Used by the tables of this folder and by everything that tells of a block.
//! Start reading at `Block`.

use std::sync::Arc;
use std::time::Duration;

use model::event::Blocked;
use model::text::shown;
use model::{DecisionId, KeyId, Monotonic, Timestamp};
use policy::block::Subject;

/// A block that a person added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Its name in the store.
    pub id: String,
    /// Whom it keeps out.
    pub subject: Subject,
    /// Why.
    pub reason: String,
    /// Who added it.
    pub by: String,
    /// When, by the clock of that moment.
    pub added_at: Timestamp,
    /// When it ends, by the clock that cannot be set.
    pub ends: Monotonic,
}

/// Whose refusals are counted: an address while no credential proves a caller, else the person it names and all it names
/// together, else the credential.
#[derive(Clone, Copy, Debug, Hash)]
pub enum ChargedTo<'a> {
    /// Strangers at an address, by [`client_key`].
    Address(u128),
    /// A credential.
    Credential(KeyId),
    /// A person, within an integration.
    User(&'a str, &'a str),
    /// All persons that a credential names, together: whoever holds it could name a new one for each call.
    People(KeyId),
}

/// A block in force.
#[derive(Clone, Debug)]
pub struct Block {
    /// Whom it keeps out.
    pub subject: Subject,
    /// When it ends.
    pub ends: Monotonic,
    /// Who or what began it.
    pub origin: Origin,
}

/// Who or what began a block.
#[derive(Clone, Debug)]
pub enum Origin {
    /// Too many refusals.
    Refusals {
        /// How many are borne: `20 refusals/min`.
        after: String,
        /// Stable code of the last one.
        code: &'static str,
        /// The last one; `explain` shows what was wrong.
        decision: DecisionId,
    },
    /// A person.
    Person(Arc<Added>),
}

impl Block {
    /// Whom it keeps out and until when, by the clock of now.
    pub fn blocked(&self, now: Timestamp, moment: Monotonic) -> Blocked {
        Blocked {
            subject: shown(&self.subject),
            until: now.plus(self.left(moment)),
        }
    }

    /// How long it lasts from now on.
    pub fn left(&self, now: Monotonic) -> Duration {
        self.ends.since(now)
    }

    /// What began it, in a few words.
    pub fn because(&self) -> String {
        match &self.origin {
            Origin::Refusals {
                after,
                code,
                decision,
            } => {
                format!("after {after}, the last one {code}, {decision}")
            }
            Origin::Person(added) => format!("added by {}: {}", added.by, added.reason),
        }
    }
}
