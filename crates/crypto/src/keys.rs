//! The key hierarchy: one key-encryption key outside, one random root sealed by it, one key per purpose below. Roots that were
//! replaced stay beside the present one, for what was made under them and cannot be made again.
//! Exports `Kek` (from the operator's secret), `Root` (wrapped in the store's data), `WrapKey` and `Keys` (what the rooms use).
//! Changing the key-encryption key rewraps the root and the keys of the ledger's segments, and touches nothing else.
//! Start reading at `Kek::parse`; then `Kek::open`, then `Keys::new`.

use std::fmt;

use crate::text::{base64, hex, unbase64, unbase64url, unhex};
use crate::{JwtSigner, MacKey, SealKey, Secret, SigningKey, derive, random_secret};

/// Purposes below the root. A purpose is never reused for another use and never renamed.
mod purpose {
    pub const STORE_RECORDS: &str = "portcullis/v1/store/records";
    pub const BLIND_INDEX: &str = "portcullis/v1/store/blind-index";
    pub const API_KEY_DIGEST: &str = "portcullis/v1/identity/api-key-digest";
    pub const LEDGER_SEAL: &str = "portcullis/v1/ledger/seal";
    pub const LEDGER_SIGNING: &str = "portcullis/v1/ledger/signing-seed";
    pub const IDENTITY_SIGNING: &str = "portcullis/v1/identity/signing-seed";
    pub const KEK_WRAP: &str = "portcullis/v1/kek/wrap-root";
    pub const KEK_ID: &str = "portcullis/v1/kek/id";
    pub const ROOT_ID: &str = "portcullis/v1/root/id";
    pub const KEK_WRAP_SEGMENT: &str = "portcullis/v1/kek/wrap-segment";
}

const WRAP_VERSION: u8 = 1;
const WRAP_AAD: &[u8] = b"portcullis/v1/root";
/// The same for several roots, the oldest first.
const WRAP_VERSION_SEVERAL: u8 = 2;
const WRAP_AAD_SEVERAL: &[u8] = b"portcullis/v1/roots";
/// Most roots that an installation may have had.
const ROOTS_MAX: usize = 64;

/// A key of the hierarchy cannot be used. Each message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The operator's text is not a key.
    #[error(
        "the key-encryption key is not 32 bytes in base64 or hex ({found}). \
         Make one with `portcullis key generate-kek` or `openssl rand -base64 32` and keep a copy in a safe place"
    )]
    NotAKey {
        /// What was found instead; never the text itself.
        found: String,
    },
    /// The root was sealed with another key-encryption key.
    #[error(
        "wrong key-encryption key: the data was sealed with key {sealed_with}, the one given is {given}. \
         Give the key this data was made with (or restore the data that belongs to this key); \
         without it the sealed records cannot be read by anyone"
    )]
    WrongKek {
        /// Public id of the key the root is sealed with.
        sealed_with: String,
        /// Public id of the key that was given.
        given: String,
    },
    /// The root was replaced as often as it may be.
    #[error(
        "the root key was replaced {ROOTS_MAX} times, and can be replaced no more. Begin another data directory"
    )]
    TooManyRoots,
    /// The key is the right one, the wrapped root is not what was written.
    #[error(
        "the sealed root key is damaged. Restore it from a backup of the data directory; do not delete the directory"
    )]
    Damaged,
}

/// The key-encryption key: given by the operator, never stored by Portcullis.
pub struct Kek {
    secret: Secret<[u8; 32]>,
}

impl Kek {
    /// Reads 32 bytes as base64 (either alphabet, padding optional) or 64 hex digits; white space around is ignored.
    ///
    /// # Errors
    /// [`KeyFault::NotAKey`] with the remedy.
    pub fn parse(text: &str) -> Result<Kek, KeyFault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(KeyFault::NotAKey {
                found: String::from("the text is empty"),
            });
        }
        let bare = text.trim_end_matches('=');
        let bytes = match text.len() {
            64 => unhex(text),
            _ => unbase64(text)
                .or_else(|| unbase64url(bare))
                .or_else(|| unbase64(&format!("{bare}="))),
        };
        let Some(bytes) = bytes.map(Secret::new) else {
            return Err(KeyFault::NotAKey {
                found: format!("{} characters that are neither", text.chars().count()),
            });
        };
        let Ok(key) = <[u8; 32]>::try_from(bytes.expose().as_slice()) else {
            return Err(KeyFault::NotAKey {
                found: format!("{} bytes", bytes.expose().len()),
            });
        };
        if key.iter().all(|byte| Some(byte) == key.first()) {
            return Err(KeyFault::NotAKey {
                found: String::from("the same byte 32 times, which is no random key"),
            });
        }
        Ok(Kek::from_secret(Secret::new(key)))
    }

    /// A key from its bytes.
    pub fn from_secret(secret: Secret<[u8; 32]>) -> Kek {
        Kek { secret }
    }

    /// A new random key as the text to keep: base64 of 32 bytes.
    pub fn generate_text() -> Secret<String> {
        Secret::new(base64(random_secret::<32>().expose()))
    }

    /// Public id: tells keys apart and reveals nothing of them.
    pub fn id(&self) -> String {
        hex(&self.id_bytes())
    }

    fn id_bytes(&self) -> [u8; 4] {
        derive(&self.secret, purpose::KEK_ID)
            .expose()
            .first_chunk()
            .copied()
            .unwrap_or_default()
    }

    /// Seals the root for storing: version byte 1 | key id 4 | sealed root; version byte 2 where there were others before,
    /// which are sealed in front of it.
    pub fn wrap(&self, root: &Root) -> Vec<u8> {
        let (version, aad) = if root.earlier.is_empty() {
            (WRAP_VERSION, WRAP_AAD)
        } else {
            (WRAP_VERSION_SEVERAL, WRAP_AAD_SEVERAL)
        };
        let mut plain = Vec::with_capacity(32 * (root.earlier.len() + 1));
        for secret in root.earlier.iter().chain([&root.present]) {
            plain.extend_from_slice(secret.expose());
        }
        let plain = Secret::new(plain);
        let mut wrapped = vec![version];
        wrapped.extend_from_slice(&self.id_bytes());
        wrapped.extend(self.wrapping_key().seal(aad, plain.expose()));
        wrapped
    }

    /// Opens a stored root.
    ///
    /// # Errors
    /// [`KeyFault::WrongKek`] when another key sealed it, [`KeyFault::Damaged`] when it was changed.
    pub fn open(&self, wrapped: &[u8]) -> Result<Root, KeyFault> {
        let (version, rest) = wrapped.split_first().ok_or(KeyFault::Damaged)?;
        let (aad, max) = match *version {
            WRAP_VERSION => (WRAP_AAD, 1),
            WRAP_VERSION_SEVERAL => (WRAP_AAD_SEVERAL, ROOTS_MAX),
            _ => return Err(KeyFault::Damaged),
        };
        let (sealed_with, sealed) = rest.split_first_chunk::<4>().ok_or(KeyFault::Damaged)?;
        if *sealed_with != self.id_bytes() {
            return Err(KeyFault::WrongKek {
                sealed_with: hex(sealed_with),
                given: self.id(),
            });
        }
        let opened = self
            .wrapping_key()
            .open(aad, sealed)
            .map(Secret::new)
            .map_err(|_| KeyFault::Damaged)?;
        let (secrets, rest) = opened.expose().as_chunks::<32>();
        if !rest.is_empty() || secrets.len() > max {
            return Err(KeyFault::Damaged);
        }
        let mut roots: Vec<_> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
        let present = roots.pop().ok_or(KeyFault::Damaged)?;
        Ok(Root {
            present,
            earlier: roots,
        })
    }

    /// Seals the same root with a new key-encryption key. Everything that is derived from the root stays as it is.
    ///
    /// # Errors
    /// As [`Kek::open`] with the old key.
    pub fn rewrap(old: &Kek, new: &Kek, wrapped: &[u8]) -> Result<Vec<u8>, KeyFault> {
        old.open(wrapped).map(|root| new.wrap(&root))
    }

    /// Wraps the keys of the ledger's segments. It follows from this key and not from the root: whoever has an old
    /// key-encryption key and an old copy of the data opens no segment whose key was wrapped again.
    pub fn ledger_wrap(&self) -> WrapKey {
        WrapKey {
            id: self.id_bytes(),
            key: SealKey::from_secret(&derive(&self.secret, purpose::KEK_WRAP_SEGMENT)),
        }
    }

    fn wrapping_key(&self) -> SealKey {
        SealKey::from_secret(&derive(&self.secret, purpose::KEK_WRAP))
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kek(*** {})", self.id())
    }
}

/// A key that wraps other keys, with the public id of the key-encryption key that it follows from.
#[derive(Clone, Debug)]
pub struct WrapKey {
    id: [u8; 4],
    key: SealKey,
}

impl WrapKey {
    /// Public id: stored beside what is wrapped, so that the right key is tried.
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Seals and opens the keys.
    pub const fn key(&self) -> &SealKey {
        &self.key
    }
}

/// The random root below which every purpose key is derived, with those that it replaced.
#[derive(Clone, Debug)]
pub struct Root {
    present: Secret<[u8; 32]>,
    /// The oldest first.
    earlier: Vec<Secret<[u8; 32]>>,
}

impl Root {
    /// A new random root: the beginning of a data directory.
    pub fn generate() -> Root {
        Root::from_secret(random_secret())
    }

    /// A new random root in the place of this one.
    ///
    /// # Errors
    /// [`KeyFault::TooManyRoots`].
    pub fn renewed(&self) -> Result<Root, KeyFault> {
        let mut earlier = self.earlier.clone();
        earlier.push(self.present.clone());
        if earlier.len() >= ROOTS_MAX {
            return Err(KeyFault::TooManyRoots);
        }
        Ok(Root {
            present: random_secret(),
            earlier,
        })
    }

    /// Public id of the present one: tells roots apart and reveals nothing of them.
    pub fn id(&self) -> String {
        let id = self.derive(purpose::ROOT_ID);
        hex(id.expose().first_chunk::<4>().unwrap_or(&[0; 4]))
    }

    /// A root from its bytes.
    pub fn from_secret(secret: Secret<[u8; 32]>) -> Root {
        Root {
            present: secret,
            earlier: Vec::new(),
        }
    }

    /// The key for one purpose (see [`derive`]).
    pub fn derive(&self, purpose: &str) -> Secret<[u8; 32]> {
        derive(&self.present, purpose)
    }

    /// The same below the root that an installation began with.
    fn derive_first(&self, purpose: &str) -> Secret<[u8; 32]> {
        derive(self.earlier.first().unwrap_or(&self.present), purpose)
    }
}

/// One key per purpose, as the rooms use them.
#[derive(Debug)]
pub struct Keys {
    /// Seals records of the store.
    pub store_records: SealKey,
    /// Blinds the values of declared indexes.
    pub blind_index: MacKey,
    /// Digests API keys: the pepper without which a stolen table is worth nothing. It follows from the first root for ever:
    /// without the texts no digest can be made again, and of 256 random bits none tells anything, pepper or not.
    pub api_key_digest: MacKey,
    /// Seals headers and leaves of the ledger's segments, and all of segments of format 1 (audit derives subkeys).
    pub ledger_seal: SealKey,
    /// Sealed the same under the roots before, the newest first. They open, and seal nothing any more.
    pub ledger_seals_before: Vec<SealKey>,
    /// Wraps the random key of each segment.
    pub ledger_wrap: WrapKey,
    /// Signs the first checkpoints of the ledger, until another key does. It follows from the first root for ever: whoever
    /// verifies begins with it.
    pub ledger_signing: SigningKey,
    /// Signs the identity tokens upstreams receive.
    pub identity: JwtSigner,
}

impl Keys {
    /// What seals, or sealed, headers and leaves of segments, the present one first.
    pub fn ledger_seals(&self) -> impl Iterator<Item = &SealKey> {
        [&self.ledger_seal]
            .into_iter()
            .chain(&self.ledger_seals_before)
    }

    /// Derives all of them from the present root, but for two that stay; the wrapping key from the key-encryption key that the root is sealed with.
    pub fn new(root: &Root, kek: &Kek) -> Keys {
        Keys {
            store_records: SealKey::from_secret(&root.derive(purpose::STORE_RECORDS)),
            blind_index: MacKey::from_secret(&root.derive(purpose::BLIND_INDEX)),
            api_key_digest: MacKey::from_secret(&root.derive_first(purpose::API_KEY_DIGEST)),
            ledger_seal: SealKey::from_secret(&root.derive(purpose::LEDGER_SEAL)),
            ledger_seals_before: (root.earlier.iter().rev())
                .map(|secret| SealKey::from_secret(&derive(secret, purpose::LEDGER_SEAL)))
                .collect(),
            ledger_wrap: kek.ledger_wrap(),
            ledger_signing: SigningKey::from_seed(&root.derive_first(purpose::LEDGER_SIGNING)),
            identity: JwtSigner::new(SigningKey::from_seed(
                &root.derive(purpose::IDENTITY_SIGNING),
            )),
        }
    }
}

#[cfg(test)]
mod tests;
