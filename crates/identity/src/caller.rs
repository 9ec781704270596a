//! The proof that a credential was accepted. Only this room can make one.
//! Exports `Caller`. Private fields; `verify` and `anonymous` are the only makers.
//! Used by policy through `principal`, by the gateway and the ledger.
//! Start reading at `Caller`.

use std::sync::Arc;

use model::{KeyId, Principal, Timestamp};

use crate::verified::{Scopes, Verified};

/// Who an accepted credential stands for.
#[derive(Clone, Debug)]
pub struct Caller {
    principal: Principal,
    verified: Verified,
}

impl Caller {
    pub(crate) fn new(principal: Principal, verified: Verified) -> Self {
        Caller {
            principal,
            verified,
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
        self.verified.credential.id
    }

    /// Whether nobody is proven: no credential was shown, and what was asked for is public.
    pub fn is_anonymous(&self) -> bool {
        self.verified.credential.is_none()
    }

    /// What may be shown of the credential.
    pub fn hint(&self) -> &str {
        &self.verified.credential.hint
    }

    /// Method it was accepted by.
    pub fn method(&self) -> &str {
        &self.verified.credential.kind
    }

    /// Whether the credential is for real work, not for trials.
    pub fn is_live(&self) -> bool {
        self.verified.credential.is_live
    }

    /// When the credential ends at the latest.
    pub fn expires_at(&self) -> Timestamp {
        self.verified.expires_at
    }

    /// Operations the credential may be used for, of those that the integration is granted.
    pub fn scopes(&self) -> &Scopes {
        &self.verified.scopes
    }

    /// Notes the use in memory: no lock, and at most one write in ten seconds. It is stored later.
    pub fn touch(&self, now: Timestamp) {
        self.verified.credential.last_use.touch(now);
    }
}

/// What policy is asked with: whoever holds a caller may ask for a permit that opens something.
impl AsRef<Principal> for Caller {
    fn as_ref(&self) -> &Principal {
        &self.principal
    }
}
