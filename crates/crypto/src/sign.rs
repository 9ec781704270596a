//! Ed25519 signatures (RFC 8032): who wrote this, provable to anyone with the public key.
//! Exports `SigningKey` and `VerifyingKey`, with the key ids of C2SP signed-note and RFC 7638.
//! Used by audit (checkpoints) and the gateway (identity tokens for upstreams).
//! Start reading at `SigningKey`.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::text::{base64, base64url, hex};
use crate::{Secret, sha256};

/// Signature type byte of Ed25519 in C2SP signed-note.
const NOTE_ED25519: u8 = 1;

/// The key material is not an Ed25519 private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 private key in PKCS#8 form")]
pub struct KeyRejected;

/// A private key. Prints as `***`.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifyingKey,
}

impl SigningKey {
    /// The key that belongs to a seed (RFC 8032 §5.1.5); every 32 bytes are one.
    pub fn from_seed(seed: &Secret<[u8; 32]>) -> Self {
        let Ok(pair) = Ed25519KeyPair::from_seed_unchecked(seed.expose()) else {
            crate::fatal::stop("an Ed25519 key could not be made from its seed");
        };
        SigningKey::of(pair)
    }

    /// A new random key.
    pub fn generate() -> Self {
        SigningKey::from_seed(&crate::random_secret())
    }

    /// Reads PKCS#8 (RFC 8410), version 1 or 2.
    ///
    /// # Errors
    /// [`KeyRejected`] for anything else.
    pub fn from_pkcs8(document: &[u8]) -> Result<Self, KeyRejected> {
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(document)
            .map(SigningKey::of)
            .map_err(|_| KeyRejected)
    }

    /// The key as PKCS#8 version 1.
    ///
    /// # Errors
    /// [`KeyRejected`] when the library cannot write it.
    pub fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>, KeyRejected> {
        let document = self.pair.to_pkcs8v1().map_err(|_| KeyRejected)?;
        Ok(Secret::new(document.as_ref().to_vec()))
    }

    fn of(pair: Ed25519KeyPair) -> Self {
        let mut public = [0; 32];
        for (to, from) in public.iter_mut().zip(pair.public_key().as_ref()) {
            *to = *from;
        }
        SigningKey {
            pair,
            public: VerifyingKey(public),
        }
    }

    /// Signs; the same message always gives the same signature.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        for (to, from) in signature.iter_mut().zip(self.pair.sign(message).as_ref()) {
            *to = *from;
        }
        signature
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.public
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(*** of {})", self.public.thumbprint())
    }
}

/// A public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// From its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        VerifyingKey(bytes)
    }

    /// The 32 bytes.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// Whether the signature over the message was made by the private half.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(message, signature)
            .is_ok()
    }

    /// Key id of C2SP signed-note: the first four bytes of SHA-256 over name, newline, type and key.
    pub fn note_key_id(&self, name: &str) -> [u8; 4] {
        let digest = sha256(&[name.as_bytes(), b"\n", &[NOTE_ED25519], &self.0]);
        digest.first_chunk().copied().unwrap_or_default()
    }

    /// Verifier key of C2SP signed-note: `name+key id in hex+base64 of type and key`.
    pub fn note_verifier(&self, name: &str) -> String {
        let mut typed = vec![NOTE_ED25519];
        typed.extend_from_slice(&self.0);
        format!("{name}+{}+{}", hex(&self.note_key_id(name)), base64(&typed))
    }

    /// The key as a JSON Web Key (RFC 8037 §2).
    pub fn jwk(&self) -> String {
        let (kid, x) = (self.thumbprint(), base64url(&self.0));
        format!(
            r#"{{"alg":"EdDSA","crv":"Ed25519","kid":"{kid}","kty":"OKP","use":"sig","x":"{x}"}}"#
        )
    }

    /// Thumbprint of the JSON Web Key (RFC 7638, RFC 8037 appendix A.3): the `kid` of our tokens.
    pub fn thumbprint(&self) -> String {
        let x = base64url(&self.0);
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        base64url(&sha256(&[members.as_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::unhex;

    fn key(seed: &str) -> SigningKey {
        SigningKey::from_seed(&Secret::new(unhex(seed).unwrap().try_into().unwrap()))
    }

    /// RFC 8032 §7.1, tests 1 to 3.
    #[test]
    fn ed25519_gives_the_values_of_rfc_8032() {
        let cases = [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
            ),
        ];
        for (seed, public, message, signature) in cases {
            let (key, message) = (key(seed), unhex(message).unwrap());
            assert_eq!(hex(&key.verifying_key().to_bytes()), public);
            assert_eq!(hex(&key.sign(&message)), signature);
            assert!(
                key.verifying_key()
                    .verify(&message, &unhex(signature).unwrap())
            );
            assert!(
                !key.verifying_key()
                    .verify(b"other", &unhex(signature).unwrap())
            );
        }
    }

    /// RFC 8037 appendix A.3.
    #[test]
    fn thumbprint_gives_the_value_of_rfc_8037() {
        let key = key("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        assert_eq!(
            key.verifying_key().thumbprint(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
        assert!(
            key.verifying_key()
                .jwk()
                .contains(r#""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#)
        );
    }

    /// The verifier key printed in the documentation of the note format.
    #[test]
    fn note_key_ids_are_those_of_signed_note() {
        let (name, id, typed) = (
            "PeterNeumann",
            "c74f20a3",
            "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        );
        let typed = crate::text::unbase64(typed).unwrap();
        let public = VerifyingKey::from_bytes(typed[1..].try_into().unwrap());
        assert_eq!(hex(&public.note_key_id(name)), id);
        assert_eq!(
            public.note_verifier(name),
            format!("{name}+{id}+{}", base64(&typed))
        );
    }

    #[test]
    fn pkcs8_round_trips_and_rejects_other_bytes() {
        let key = SigningKey::generate();
        let stored = key.to_pkcs8().unwrap();
        let again = SigningKey::from_pkcs8(stored.expose()).unwrap();
        assert_eq!(again.verifying_key(), key.verifying_key());
        assert_eq!(SigningKey::from_pkcs8(b"nonsense").err(), Some(KeyRejected));
    }

    #[test]
    fn debug_prints_the_public_half_only() {
        let key = key("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        assert!(!format!("{key:?}").contains("9d61b19d") && format!("{key:?}").contains("***"));
    }
}
