//! Digests: SHA-256, HMAC-SHA-256 (RFC 2104) and key derivation with HKDF (RFC 5869).
//! Exports `sha256`, `Sha256`, `MacKey`, `ShortHash`, `derive`.
//! Used by the ledger's chain, blind indexes, credential digests and the key hierarchy.
//! Start reading at `sha256`; `derive` makes one key per purpose.

use std::fmt;
use std::hash::Hasher;

use aws_lc_rs::{digest, hkdf, hmac};

use crate::Secret;

/// SHA-256 over the concatenation of the parts. Parts are not separated: give lengths where it matters.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finish()
}

/// SHA-256 over bytes that arrive in pieces.
#[derive(Clone)]
pub struct Sha256(digest::Context);

impl Sha256 {
    /// Nothing hashed yet.
    pub fn new() -> Self {
        Sha256(digest::Context::new(&digest::SHA256))
    }

    /// Appends bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest.
    pub fn finish(self) -> [u8; 32] {
        to_32(self.0.finish().as_ref())
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Sha256::new()
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha256")
    }
}

/// A key for HMAC-SHA-256.
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// A key of any length (RFC 2104 §3 advises at least 32 bytes).
    pub fn new(key: &[u8]) -> Self {
        MacKey(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// A key from the hierarchy.
    pub fn from_secret(key: &Secret<[u8; 32]>) -> Self {
        MacKey::new(key.expose())
    }

    /// The code over the concatenation of the parts. Parts are not separated: give lengths where it matters.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        to_32(context.sign().as_ref())
    }

    /// Whether `code` belongs to the parts; constant time.
    pub fn verify(&self, parts: &[&[u8]], code: &[u8]) -> bool {
        crate::same(&self.mac(parts), code)
    }
}

/// A key for short numbers of names: SipHash-2-4 (Aumasson and Bernstein, 2012). The number of a name is the same wherever
/// the key is, and nobody without the key can choose names whose numbers meet. For tables only: eight bytes prove nothing.
#[derive(Clone)]
pub struct ShortHash(u64, u64);

impl ShortHash {
    /// A key from the hierarchy.
    pub fn from_secret(key: &Secret<[u8; 32]>) -> Self {
        let half = |from: usize| {
            let bytes = key.expose().get(from..).and_then(<[u8]>::first_chunk);
            u64::from_le_bytes(bytes.copied().unwrap_or_default())
        };
        ShortHash(half(0), half(8))
    }

    /// The number of a name that `name` gives piece by piece. Pieces are not separated: give lengths where it matters.
    #[expect(
        deprecated,
        reason = "the only SipHash of std that takes a key; deprecated for hash maps, where this is none"
    )]
    pub fn of(&self, name: impl FnOnce(&mut dyn FnMut(&[u8]))) -> u64 {
        let mut hasher = std::hash::SipHasher::new_with_keys(self.0, self.1);
        name(&mut |piece| hasher.write(piece));
        hasher.finish()
    }
}

impl fmt::Debug for ShortHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShortHash(***)")
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(***)")
    }
}

/// The key for one purpose below `root` (HKDF-SHA-256, RFC 5869; no salt: the root is uniformly random).
///
/// Different purposes give independent keys; the same purpose always gives the same key.
pub fn derive(root: &Secret<[u8; 32]>, purpose: &str) -> Secret<[u8; 32]> {
    let mut key = [0; 32];
    hkdf_sha256(&[], root.expose(), purpose.as_bytes(), &mut key);
    let secret = Secret::new(key);
    zeroize::Zeroize::zeroize(&mut key);
    secret
}

/// HKDF extract and expand into `out`, which is at most 255 × 32 bytes.
fn hkdf_sha256(salt: &[u8], input: &[u8], info: &[u8], out: &mut [u8]) {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(input);
    let filled = prk
        .expand(&[info], Length(out.len()))
        .and_then(|okm| okm.fill(out));
    if filled.is_err() {
        // Only an output longer than 255 blocks fails. No caller asks for one, and an empty key must never be used.
        crate::fatal::stop("key derivation failed");
    }
}

fn to_32(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    // SHA-256 always gives 32 bytes; `zip` keeps this total without a panic path.
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{hex, unhex};

    #[test]
    fn sha256_gives_the_values_of_fips_180() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&sha256(&[])), empty);
        assert_eq!(hex(&sha256(&[b"a", b"", b"bc"])), abc);
    }

    /// RFC 4231 §4.2, §4.3, §4.4 and §4.7 (key longer than one block).
    #[test]
    fn hmac_gives_the_values_of_rfc_4231() {
        let cases: [(&[u8], &[u8], &str); 4] = [
            (
                &[0x0b; 20],
                b"Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 20],
                &[0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, data, expected) in cases {
            let key = MacKey::new(key);
            let code = key.mac(&[data]);
            assert_eq!(hex(&code), expected);
            assert!(key.verify(&[data], &code) && !key.verify(&[data], &code[1..]));
        }
    }

    /// RFC 5869 A.1 and A.3.
    #[test]
    fn hkdf_gives_the_values_of_rfc_5869() {
        let mut out = [0; 42];
        let salt = unhex("000102030405060708090a0b0c").unwrap();
        let info = unhex("f0f1f2f3f4f5f6f7f8f9").unwrap();
        hkdf_sha256(&salt, &[0x0b; 22], &info, &mut out);
        assert_eq!(
            hex(&out),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        );
        hkdf_sha256(&[], &[0x0b; 22], &[], &mut out);
        assert_eq!(
            hex(&out),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        );
    }

    #[test]
    fn purposes_give_independent_and_stable_keys() {
        let root = Secret::new([7; 32]);
        assert!(derive(&root, "a").same(derive(&root, "a").expose()));
        assert!(!derive(&root, "a").same(derive(&root, "b").expose()));
        assert!(!derive(&root, "a").same([7; 32]));
    }

    #[test]
    fn debug_prints_no_key() {
        assert_eq!(format!("{:?}", MacKey::new(b"canary")), "MacKey(***)");
    }

    /// The vector of the paper's appendix A: key 00 to 0f, message 00 to 0e.
    #[test]
    fn short_numbers_are_those_of_siphash_2_4() {
        let mut key = [0; 32];
        (0..16).for_each(|n| key[n] = u8::try_from(n).unwrap());
        let hash = ShortHash::from_secret(&Secret::new(key));
        let message: Vec<u8> = (0..15).collect();
        let whole = hash.of(|put| put(&message));
        assert_eq!(whole, 0xa129_ca61_49be_45e5);
        let pieces = hash.of(|put| message.chunks(4).for_each(put));
        assert_eq!(pieces, whole);
    }
}
