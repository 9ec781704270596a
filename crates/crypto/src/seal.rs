//! Sealing: what is stored can be read and changed only by whoever has the key.
//! Exports `SealKey`: AES-256-GCM (NIST SP 800-38D) with random nonces and bound context.
//! Used by store (records), audit (segments) and the key hierarchy itself.
//! Start reading at `SealKey::seal`; the bound on messages per key is stated at `SealKey`.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::{MacKey, Secret, ShortHash, derive, random};

const VERSION: u8 = 1;
/// Sealed by a key of its own, which follows from the salt behind the version.
const VERSION_SALTED: u8 = 2;
const SALT_LEN: usize = 16;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// A key that seals and opens.
///
/// Nonces are 96 random bits, so one key may seal at most 2^32 messages (NIST SP 800-38D §8.3: the
/// chance of a repeated nonce stays below 2^-32). Nothing counts for you: derive a subkey per kind,
/// segment or day with [`SealKey::subkey`] wherever a purpose could ever come near, count as the store does,
/// or use [`SealKey::seal_one_of_many`].
pub struct SealKey {
    secret: Secret<[u8; 32]>,
    cipher: LessSafeKey,
}

/// The sealed bytes were not made with this key and context, or were changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed data is damaged or belongs to another key or place")]
pub struct OpenFault;

impl SealKey {
    /// Bytes a sealed message is longer than its content.
    pub const OVERHEAD: usize = 1 + NONCE_LEN + TAG_LEN;

    /// A key from the hierarchy.
    pub fn from_secret(secret: &Secret<[u8; 32]>) -> Self {
        let Ok(unbound) = UnboundKey::new(&AES_256_GCM, secret.expose()) else {
            impossible("32 bytes are an AES-256 key");
        };
        SealKey {
            secret: secret.clone(),
            cipher: LessSafeKey::new(unbound),
        }
    }

    /// An independent key below this one, e.g. for one segment: a fresh allowance of messages.
    pub fn subkey(&self, context: &str) -> SealKey {
        SealKey::from_secret(&derive(&self.secret, context))
    }

    /// A key for codes, for one purpose below this one.
    pub fn mac_subkey(&self, context: &str) -> MacKey {
        MacKey::from_secret(&derive(&self.secret, context))
    }

    /// A key for short numbers of names, for one purpose below this one.
    pub fn short_subkey(&self, context: &str) -> ShortHash {
        ShortHash::from_secret(&derive(&self.secret, context))
    }

    /// Seals `plain`. `aad` is the context it belongs to: not stored, needed again to open.
    /// The layout is version byte 1 | nonce 12 | ciphertext | tag 16.
    pub fn seal(&self, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        self.seal_with(random(), aad, plain)
    }

    /// Seals with a key for this message alone, so that there is no bound to how many: keys and nonces together are 224 random
    /// bits. For what is sealed for every call. Costs a derivation (about 2 µs) and 17 bytes more.
    /// The layout is version byte 2 | salt 16 | what [`SealKey::seal`] makes with the key that follows from the salt.
    pub fn seal_one_of_many(&self, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let salt = random::<SALT_LEN>();
        let mut sealed = Vec::with_capacity(1 + SALT_LEN + Self::OVERHEAD + plain.len());
        sealed.push(VERSION_SALTED);
        sealed.extend_from_slice(&salt);
        sealed.extend(self.of_message(&salt).seal(aad, plain));
        sealed
    }

    fn of_message(&self, salt: &[u8; SALT_LEN]) -> SealKey {
        self.subkey(&format!("one message {}", crate::text::hex(salt)))
    }

    fn seal_with(&self, nonce: [u8; NONCE_LEN], aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(plain.len() + Self::OVERHEAD);
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let body = sealed.get_mut(1 + NONCE_LEN..).unwrap_or_default();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let Ok(tag) = self
            .cipher
            .seal_in_place_separate_tag(nonce, Aad::from(aad), body)
        else {
            impossible("a message shorter than 64 GiB can be sealed");
        };
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens what [`SealKey::seal`] or [`SealKey::seal_one_of_many`] made with the same key and context.
    ///
    /// # Errors
    /// [`OpenFault`] for any other bytes, without saying which part was wrong.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenFault> {
        let Some((&VERSION_SALTED, rest)) = sealed.split_first() else {
            return self.open_plain(aad, sealed);
        };
        let (salt, sealed) = rest.split_first_chunk::<SALT_LEN>().ok_or(OpenFault)?;
        self.of_message(salt).open_plain(aad, sealed)
    }

    fn open_plain(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenFault> {
        let (&VERSION, rest) = sealed.split_first().ok_or(OpenFault)? else {
            return Err(OpenFault);
        };
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(OpenFault)?;
        let mut plain = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.cipher.open_in_place(nonce, Aad::from(aad), &mut plain);
        let length = opened.map_err(|_| OpenFault)?.len();
        plain.truncate(length);
        Ok(plain)
    }
}

impl Clone for SealKey {
    fn clone(&self) -> Self {
        SealKey::from_secret(&self.secret)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(***)")
    }
}

/// Ends the process: going on would mean storing something unsealed.
fn impossible(why: &str) -> ! {
    crate::fatal::stop(&format!("sealing failed although {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{hex, unhex};
    use proptest::prelude::*;

    fn key() -> SealKey {
        SealKey::from_secret(&Secret::new([9; 32]))
    }

    /// Test cases 14 and 16 of the GCM specification submitted to NIST (McGrew and Viega, appendix B).
    #[test]
    fn aes_256_gcm_gives_the_published_values() {
        let zero = SealKey::from_secret(&Secret::new([0; 32]));
        let sealed = zero.seal_with([0; 12], b"", &[0; 16]);
        assert_eq!(
            hex(&sealed[13..]),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
        );

        let secret =
            unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308").unwrap();
        let key = SealKey::from_secret(&Secret::new(secret.try_into().unwrap()));
        let nonce = unhex("cafebabefacedbaddecaf888")
            .unwrap()
            .try_into()
            .unwrap();
        let aad = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2").unwrap();
        let plain = unhex(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        )
        .unwrap();
        let sealed = key.seal_with(nonce, &aad, &plain);
        assert_eq!(
            hex(&sealed[13..]),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
             76fc6ece0f4e1768cddf8853bb2d551b"
        );
        assert_eq!(key.open(&aad, &sealed).unwrap(), plain);
    }

    #[test]
    fn other_key_other_context_and_short_input_do_not_open() {
        let sealed = key().seal(b"kind|id", b"content");
        assert_eq!(key().open(b"kind|id", &sealed).unwrap(), b"content");
        assert_eq!(key().open(b"kind|other", &sealed), Err(OpenFault));
        assert_eq!(key().subkey("x").open(b"kind|id", &sealed), Err(OpenFault));
        for length in 0..sealed.len() {
            assert_eq!(key().open(b"kind|id", &sealed[..length]), Err(OpenFault));
        }
    }

    #[test]
    fn the_same_content_never_seals_to_the_same_bytes() {
        assert_ne!(key().seal(b"", b"x"), key().seal(b"", b"x"));
        assert_eq!(key().seal(b"", b"").len(), SealKey::OVERHEAD);
    }

    #[test]
    fn one_of_many_has_a_key_of_its_own() {
        let sealed = key().seal_one_of_many(b"kind|id", b"content");
        assert_eq!(key().open(b"kind|id", &sealed).unwrap(), b"content");
        assert_eq!(key().open(b"kind|other", &sealed), Err(OpenFault));
        assert_eq!(key().subkey("x").open(b"kind|id", &sealed), Err(OpenFault));
        for length in 0..sealed.len() {
            assert_eq!(key().open(b"kind|id", &sealed[..length]), Err(OpenFault));
        }
        // What stands behind the salt is sealed by neither the key itself nor the key of another message.
        let inner = &sealed[1 + SALT_LEN..];
        assert_eq!(key().open(b"kind|id", inner), Err(OpenFault));
        let mut other = key().seal_one_of_many(b"kind|id", b"content");
        other.truncate(1 + SALT_LEN);
        other.extend_from_slice(inner);
        assert_eq!(key().open(b"kind|id", &other), Err(OpenFault));
        // One salted message within another is none.
        let mut nested = vec![VERSION_SALTED];
        nested.extend_from_slice(&[0; SALT_LEN]);
        let key_of_it = key().of_message(&[0; SALT_LEN]);
        nested.extend(key_of_it.seal_one_of_many(b"", b"x"));
        assert_eq!(key().open(b"", &nested), Err(OpenFault));
    }

    proptest! {
        #[test]
        fn any_changed_bit_is_noticed(plain: Vec<u8>, aad: Vec<u8>, at: prop::sample::Index, bit in 0..8u8, many: bool) {
            let mut sealed = if many { key().seal_one_of_many(&aad, &plain) } else { key().seal(&aad, &plain) };
            prop_assert_eq!(key().open(&aad, &sealed).unwrap(), plain);
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert_eq!(key().open(&aad, &sealed), Err(OpenFault));
        }
    }
}
