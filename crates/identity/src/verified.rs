//! What a method of authentication proved.
//! Exports `Verified`, the one value every method returns, and its parts.
//! Used by `verify`, which turns it into a `Caller` once the integration may be used; made by `methods`.
//! Start reading at `Verified`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::text::shared;
use model::{KeyId, PresentedCredential, Refusal, Timestamp};

use crate::last_use::LastUse;

/// An accepted credential: whose it is, how far it reaches, and what it is bound to. Nothing here says how the credential
/// is stored, so that keys of the store, tokens and certificates fit alike.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The credential, as ledger, limits and blocks name it.
    pub credential: Arc<CredentialRef>,
    /// Operations it may be used for, of those that its integration is granted.
    pub scopes: Scopes,
    /// What else the caller had to show.
    pub binding: Binding,
    /// The person the credential itself proves, where it is one of a person.
    pub person: Option<Arc<str>>,
    /// When it ends at the latest. What is signed on the strength of it ends then too.
    pub expires_at: Timestamp,
}

/// A credential by name. Made when the credential is loaded, so that a request only counts a reference.
#[derive(Debug)]
pub struct CredentialRef {
    /// Public name.
    pub id: KeyId,
    /// Name of the method it is for.
    pub kind: String,
    /// Integration it belongs to.
    pub integration: Arc<str>,
    /// What may be shown of it.
    pub hint: String,
    /// For real work, not for trials.
    pub is_live: bool,
    /// Its last use.
    pub last_use: LastUse,
    /// Where its integration was found last.
    pub(crate) place: Place,
}

/// A place that may be out of date: whoever looks there checks what they find.
#[derive(Debug, Default)]
pub(crate) struct Place(AtomicUsize);

impl Place {
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, place: usize) {
        self.0.store(place, Ordering::Relaxed);
    }
}

/// What stands where a method's name stands, for calls without a credential.
const NO_METHOD: &str = "none";

impl CredentialRef {
    /// What stands for the credential of whoever shows none. No stored credential has its id.
    pub(crate) fn none(integration: Arc<str>) -> CredentialRef {
        CredentialRef {
            id: KeyId::from_bits(0),
            kind: NO_METHOD.to_owned(),
            integration,
            hint: String::new(),
            is_live: true,
            last_use: LastUse::default(),
            place: Place::default(),
        }
    }

    /// Whether it stands for no credential at all.
    pub(crate) fn is_none(&self) -> bool {
        self.kind == NO_METHOD
    }

    /// The refusal of whoever presented it: the record says whose it is, because a key that is used after it was revoked, or
    /// from a strange address, is what an operator looks for.
    pub(crate) fn refused(&self, mut refusal: Box<Refusal>) -> Box<Refusal> {
        refusal.presented = Some(PresentedCredential {
            integration: shared(&self.integration),
            credential: self.id,
        });
        refusal
    }
}

/// Operations a credential is limited to. A scope is `API/VERSION:OPERATION`, as `WWW-Authenticate` names a missing one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scopes {
    /// Whatever the integration is granted.
    All,
    /// Of what the integration is granted, only these.
    Only(Arc<[Arc<str>]>),
}

impl Scopes {
    /// Whether an operation of a version (`API/VERSION`) is among them. They narrow grants and never add to them.
    pub fn covers(&self, version: &str, operation: &str) -> bool {
        match self {
            Scopes::All => true,
            Scopes::Only(listed) => listed
                .iter()
                .any(|scope| scope.split_once(':') == Some((version, operation))),
        }
    }
}

/// What a caller has to hold besides the credential's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Nothing: whoever has the text is the caller (RFC 6750 §1.2).
    Bearer,
    /// The private key of a client certificate; its SHA-256 thumbprint (RFC 8705 §3.1).
    Certificate([u8; 32]),
    /// The private key of a JSON web key; its SHA-256 thumbprint (RFC 9449 §6.1, RFC 7638).
    Key([u8; 32]),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_narrow_to_whole_operations_of_one_version() {
        let only = Scopes::Only([Arc::from("field-service/v2:listJobs")].into());
        assert!(only.covers("field-service/v2", "listJobs"));
        for (version, operation) in [
            ("field-service/v2", "listJobsOfAll"),
            ("field-service/v2", "listJob"),
            ("field-service/v1", "listJobs"),
            ("field-service", "v2:listJobs"),
            ("", ""),
        ] {
            assert!(!only.covers(version, operation), "{version} {operation}");
            assert!(Scopes::All.covers(version, operation));
            assert!(!Scopes::Only([].into()).covers(version, operation));
        }
    }
}
