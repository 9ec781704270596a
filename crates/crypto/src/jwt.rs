//! Compact JSON Web Tokens signed with Ed25519 (RFC 7519, RFC 8037 §3.1): the identity shown to upstreams.
//! Exports `JwtSigner` and `verify_jwt`. One algorithm; a token that asks for another is refused.
//! Used by the gateway for `Portcullis-Identity` and by upstreams that check it.
//! Start reading at `JwtSigner`.

use crate::text::{base64url, unbase64url};
use crate::{SigningKey, VerifyingKey};

/// Signs tokens. The header is prepared once.
#[derive(Debug)]
pub struct JwtSigner {
    key: SigningKey,
    header: String,
}

impl JwtSigner {
    /// A signer whose `kid` is the key's RFC 7638 thumbprint.
    pub fn new(key: SigningKey) -> Self {
        let header = base64url(header(&key.verifying_key()).as_bytes());
        JwtSigner { key, header }
    }

    /// The token for a JSON object of claims.
    pub fn sign(&self, claims: &[u8]) -> String {
        let claims = base64url(claims);
        let mut token = String::with_capacity(self.header.len() + claims.len() + 88);
        token.push_str(&self.header);
        token.push('.');
        token.push_str(&claims);
        let signature = self.key.sign(token.as_bytes());
        token.push('.');
        token.push_str(&base64url(&signature));
        token
    }

    /// The key upstreams verify with.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }
}

/// The claims of a token that [`JwtSigner`] made with this key; `None` for every other text.
/// Times and audience inside the claims are the reader's to judge.
pub fn verify_jwt(key: &VerifyingKey, token: &str) -> Option<Vec<u8>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    // RFC 8725 §3.1: the algorithm is ours to choose, not the token's. Exactly our header or nothing.
    if unbase64url(head)? != header(key).as_bytes() {
        return None;
    }
    let is_ours = key.verify(signed.as_bytes(), &unbase64url(signature)?);
    is_ours.then(|| unbase64url(claims))?
}

fn header(key: &VerifyingKey) -> String {
    format!(
        r#"{{"alg":"EdDSA","typ":"JWT","kid":"{}"}}"#,
        key.thumbprint()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    fn signer(seed: u8) -> JwtSigner {
        JwtSigner::new(SigningKey::from_seed(&Secret::new([seed; 32])))
    }

    #[test]
    fn a_token_carries_its_claims_and_names_its_key() {
        let token = signer(1).sign(br#"{"sub":"accounting"}"#);
        let claims = verify_jwt(&signer(1).verifying_key(), &token);
        assert_eq!(claims.as_deref(), Some(&br#"{"sub":"accounting"}"#[..]));
        assert_eq!(token.split('.').count(), 3);
    }

    #[test]
    fn another_key_another_algorithm_and_changed_claims_are_refused() {
        let token = signer(1).sign(b"{}");
        assert!(verify_jwt(&signer(2).verifying_key(), &token).is_none());
        let (_, rest) = token.split_once('.').unwrap();
        let none = format!("{}.{rest}", base64url(br#"{"alg":"none"}"#));
        assert!(verify_jwt(&signer(1).verifying_key(), &none).is_none());
        let (head, _) = token.rsplit_once('.').unwrap();
        let changed = token.replacen(&base64url(b"{}"), &base64url(b"[]"), 1);
        for broken in [head, "", "..", "a.b.c", changed.as_str()] {
            assert!(verify_jwt(&signer(1).verifying_key(), broken).is_none());
        }
    }
}
