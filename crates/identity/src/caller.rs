//! The proof that a credential was accepted. Only this room can make one.
//! Gives `Caller`. Private fields; `verify` is the only maker.
//! Used by policy through `principal`, by the gateway and the ledger.
//! Start reading at `Caller`.

use std::sync::Arc;

use model::{KeyId, Principal, Timestamp};

use crate::Entry;

/// Who an accepted credential stands for.
#[derive(Clone, Debug)]
pub struct Caller {
    principal: Principal,
    entry: Arc<Entry>,
    method: &'static str,
}

impl Caller {
    pub(crate) fn new(principal: Principal, entry: Arc<Entry>, method: &'static str) -> Self {
        Caller {
            principal,
            entry,
            method,
        }
    }

    /// The facts policies may ask for.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The integration's name.
    pub fn integration(&self) -> &Arc<str> {
        &self.principal.integration
    }

    /// The credential's public name.
    pub fn credential(&self) -> KeyId {
        self.entry.record().id
    }

    /// What may be shown of the credential.
    pub fn hint(&self) -> &str {
        &self.entry.record().hint
    }

    /// Method it was accepted by.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Whether the credential is for real work, not for trials.
    pub fn is_live(&self) -> bool {
        self.entry.record().is_live
    }

    /// Notes the use in memory: no lock, and at most one write in ten seconds. The door saves it later.
    pub fn touch(&self, now: Timestamp) {
        self.entry.touch(now);
    }
}
