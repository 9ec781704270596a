use super::*;
use crate::tree::leaf_hash;

/// The key pair of RFC 8032 §7.1, test 1.
fn key() -> crypto::SigningKey {
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let seed = crypto::text::unhex(seed).unwrap().try_into().unwrap();
    crypto::SigningKey::from_seed(&crypto::Secret::new(seed))
}

fn public() -> PublicKey {
    PublicKey::new("portcullis.example/ledger", key().verifying_key())
}

fn signed() -> SignedCheckpoint {
    Checkpoint {
        origin: "portcullis.example/ledger".into(),
        size: 1,
        root: leaf_hash(b"{}"),
        chain: crate::chain_hash(&crate::GENESIS, &leaf_hash(b"{}")),
        closes: None,
        by: None,
        after: 0,
    }
    .sign(&key())
}

#[test]
fn the_bytes_of_a_checkpoint_are_fixed() {
    assert_eq!(signed().text, include_str!("known.txt"));
    assert_eq!(
        public().to_string(),
        "portcullis.example/ledger+76a3aaf1+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
    );
}

#[test]
fn a_checkpoint_verifies_and_no_changed_byte_does() {
    let text = signed().text;
    assert_eq!(SignedCheckpoint::verify(&text, &public()), Some(signed()));
    for at in 0..text.len() {
        for flip in [1_u8, 0x20, 0x80] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= flip;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert_eq!(SignedCheckpoint::verify(&changed, &public()), None, "{at}");
            }
        }
        let cut = text.get(..at).unwrap_or_default();
        assert_eq!(SignedCheckpoint::verify(cut, &public()), None);
    }
}

#[test]
fn signatures_of_witnesses_may_stand_beside_ours() {
    let other = PublicKey::new(
        "witness.example",
        crypto::SigningKey::generate().verifying_key(),
    );
    let text = signed().text;
    let both = format!("{text}\u{2014} witness.example {}\n", base64(&[9; 68]));
    assert_eq!(
        SignedCheckpoint::verify(&both, &public()).map(|s| s.checkpoint),
        Some(signed().checkpoint)
    );
    assert_eq!(SignedCheckpoint::verify(&text, &other), None);
}

#[test]
fn public_keys_round_trip_and_contradictions_are_refused() {
    let text = public().to_string();
    assert_eq!(PublicKey::parse(&text), Some(public()));
    assert_eq!(
        PublicKey::parse(&text.replace("portcullis", "portcullus")),
        None
    );
    for wrong in ["", "a", "a+b", "a+00000000+AA==", "a b+00000000+AA=="] {
        assert_eq!(PublicKey::parse(wrong), None);
    }
}

#[test]
fn numbers_have_one_spelling_and_origins_no_spaces() {
    assert_eq!(plain_number("10"), Some(10));
    for wrong in ["", "+1", "01", "-1", "1 ", "99999999999999999999999"] {
        assert_eq!(plain_number(wrong), None);
    }
    assert!(
        is_origin("gate.example/ledger")
            && !is_origin("a b")
            && !is_origin("a+b")
            && !is_origin("")
    );
}
