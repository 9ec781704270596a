//! `Idempotency-Key`, bound to who sends it: two callers that choose the same key never meet at the upstream.
//! Exports `key`, `is_valid`, `scoped`.
//! Used by stages `validate` (`is_valid`) and `upstream` (`scoped`).
//! Start reading at `scoped`.
//!
//! The upstream gets a keyed hash over integration, person and the key that was sent, in the form of a random UUID: the
//! form that upstreams with a column for such keys take. It depends on no credential, so a caller who has a new one repeats
//! under the same key; and on nothing but this installation's root key, so a restart changes nothing.

use crypto::{Keys, MacKey};
use model::Principal;

/// Longest key that is accepted.
pub const BYTES_MAX: usize = 255;

/// The key of this installation's hashes.
pub fn key(keys: &Keys) -> MacKey {
    keys.store_records.mac_subkey("http idempotency keys")
}

/// Whether this can be a key: visible characters and blanks, at least one, at most [`BYTES_MAX`].
pub fn is_valid(sent: &[u8]) -> bool {
    let inner = unquoted(sent).unwrap_or(sent);
    !inner.trim_ascii().is_empty()
        && sent.len() <= BYTES_MAX
        && sent.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// What the upstream gets for a key.
pub fn scoped(key: &MacKey, principal: &Principal, sent: &[u8]) -> String {
    let user = principal.user.as_deref().map(str::as_bytes);
    let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes();
    let integration = principal.integration.as_bytes();
    let code = key.mac(&[
        &length(integration),
        integration,
        // Nobody and somebody without a name are not the same.
        &[u8::from(user.is_some())],
        &length(user.unwrap_or_default()),
        user.unwrap_or_default(),
        sent,
    ]);
    let [high, low] = [
        code.first_chunk::<8>(),
        code.get(8..).and_then(|rest| rest.first_chunk::<8>()),
    ]
    .map(|half| half.map_or(0, |half| u64::from_be_bytes(*half)));
    // RFC 9562 §5.4: version 4 and its variant.
    let high = (high & !0xf000) | 0x4000;
    let low = (low & (u64::MAX >> 2)) | (1 << 63);
    let text = format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff,
    );
    // A string of structured fields stays one (RFC 9651 §3.3.3).
    match unquoted(sent) {
        Some(_) => format!("\"{text}\""),
        None => text,
    }
}

fn unquoted(sent: &[u8]) -> Option<&[u8]> {
    sent.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(integration: &str, user: Option<&str>) -> Principal {
        Principal {
            integration: integration.into(),
            user: user.map(Into::into),
            ..Principal::default()
        }
    }

    #[test]
    fn a_hash_depends_on_everything_that_makes_a_key_somebodys() {
        let key = MacKey::new(&[7; 32]);
        let of = |who: &Principal, sent: &str| scoped(&key, who, sent.as_bytes());
        let all = [
            of(&principal("crm", None), "k"),
            of(&principal("crm", None), "l"),
            of(&principal("crm", None), "\"k\""),
            of(&principal("crm", Some("")), "k"),
            of(&principal("crm", Some("ann")), "k"),
            of(&principal("crma", Some("nn")), "k"),
            of(&principal("cr", None), "mk"),
            scoped(&MacKey::new(&[8; 32]), &principal("crm", None), b"k"),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{one}");
        }
        assert_eq!(of(&principal("crm", None), "k"), all[0]);
        assert_eq!(
            (all[0].len(), all[0].as_bytes()[14]),
            (36, b'4'),
            "{}",
            all[0]
        );
        assert!(
            matches!(all[0].as_bytes()[19], b'8' | b'9' | b'a' | b'b'),
            "{}",
            all[0]
        );
    }

    #[test]
    fn what_can_be_a_key_is_bounded() {
        for good in [
            "k",
            "\"k\"",
            "8e03978e-40d5-43dd-bc93-6894a57f9324",
            &"k".repeat(BYTES_MAX),
        ] {
            assert!(is_valid(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            " ",
            "\"\"",
            "\u{e9}",
            "a\tb",
            &"k".repeat(BYTES_MAX + 1),
        ] {
            assert!(!is_valid(bad.as_bytes()), "{bad}");
        }
    }
}
