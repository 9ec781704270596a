//! Whom a record names, as keyed digests: what is in the files says nothing to whoever has no key.
//! Exports `Names`, `Digests`.
//! Used by `subjects`.
//! Start reading at `Digests`; the layout for auditors is docs/ledger-format.md.

use crypto::{MacKey, SealKey};

/// What leads from a name to a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digests {
    /// Of everything that tells this person apart from others.
    pub who: [u8; 16],
    /// Of the name alone.
    pub name: [u8; 16],
}

/// The key of the digests.
pub(crate) struct Names(MacKey);

impl Names {
    pub(crate) fn new(master: &SealKey) -> Self {
        Names(master.mac_subkey("ledger subject names"))
    }

    /// A person whom an integration states. Two integrations may each state a `17`.
    pub(crate) fn who_is_stated(&self, integration: &str, name: &str) -> [u8; 16] {
        let integration = sized(integration);
        self.digest(&[b"user", &integration.0, integration.1, name.as_bytes()])
    }

    pub(crate) fn stated_name(&self, name: &str) -> [u8; 16] {
        self.digest(&[b"name", name.as_bytes()])
    }

    /// A person who is an object of an api. Two apis may each have a `Customer` 17; versions of one api have the same ones.
    pub(crate) fn object(&self, api: &str, kind: &str, id: &str) -> Digests {
        Digests {
            who: self.who_is_object(api, kind, id),
            name: self.object_name(kind, id),
        }
    }

    pub(crate) fn who_is_object(&self, api: &str, kind: &str, id: &str) -> [u8; 16] {
        let (api, kind) = (sized(api), sized(kind));
        let parts = [b"object", &api.0[..], api.1, &kind.0, kind.1, id.as_bytes()];
        self.digest(&parts)
    }

    pub(crate) fn object_name(&self, kind: &str, id: &str) -> [u8; 16] {
        let kind = sized(kind);
        self.digest(&[b"object name", &kind.0, kind.1, id.as_bytes()])
    }

    /// Everybody without a key of their own.
    pub(crate) fn others(&self) -> Digests {
        let digest = self.digest(&[b"others"]);
        Digests {
            who: digest,
            name: digest,
        }
    }

    fn digest(&self, parts: &[&[u8]]) -> [u8; 16] {
        let whole = self.0.mac(parts);
        whole.first_chunk().copied().unwrap_or_default()
    }
}

/// A text with its length, so that no two lists of texts are the same bytes.
fn sized(text: &str) -> ([u8; 8], &[u8]) {
    ((text.len() as u64).to_le_bytes(), text.as_bytes())
}
