use super::*;
use proptest::prelude::*;

fn kek(byte: u8) -> Kek {
    Kek::from_secret(Secret::new([byte; 32]))
}

#[test]
fn every_usual_spelling_of_32_bytes_is_the_same_key() {
    let bytes: Vec<u8> = (200..232).collect();
    let padded = base64(&bytes);
    let spellings = [
        padded.clone(),
        padded.trim_end_matches('=').to_owned(),
        crate::text::base64url(&bytes),
        format!("{}=", crate::text::base64url(&bytes)),
        hex(&bytes),
        hex(&bytes).to_uppercase(),
        format!("  {padded}\n"),
    ];
    for text in spellings {
        assert_eq!(
            Kek::parse(&text).unwrap().secret.expose().as_slice(),
            bytes,
            "{text}"
        );
    }
    assert!(Kek::parse(Kek::generate_text().expose()).is_ok());
}

#[test]
fn a_text_that_is_no_key_is_refused_with_a_remedy_and_never_repeated() {
    let canary = "correct horse battery staple";
    for text in [
        "",
        "   ",
        canary,
        &base64(&[7; 31]),
        &base64(&[7; 33]),
        &hex(&[7; 31]),
        &hex(&[0; 32]),
    ] {
        let fault = Kek::parse(text).unwrap_err();
        let said = fault.to_string();
        assert!(
            said.contains("generate-kek") && said.contains("openssl rand -base64 32"),
            "{said}"
        );
        assert!(text.trim().is_empty() || !said.contains(text.trim()));
        assert!(!format!("{fault:?}").contains(canary));
    }
}

#[test]
fn the_wrong_key_is_told_apart_from_damage() {
    let wrapped = kek(1).wrap(&Root::generate());
    let fault = kek(2).open(&wrapped).unwrap_err();
    assert_eq!(
        fault,
        KeyFault::WrongKek {
            sealed_with: kek(1).id(),
            given: kek(2).id()
        }
    );
    assert!(
        fault
            .to_string()
            .contains("Give the key this data was made with")
    );

    let mut damaged = wrapped.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(kek(1).open(&damaged).unwrap_err(), KeyFault::Damaged);
    for length in 0..wrapped.len() {
        assert!(kek(1).open(&wrapped[..length]).is_err());
    }
}

#[test]
fn a_new_kek_keeps_every_key_below_the_root() {
    let root = Root::generate();
    let wrapped = kek(1).wrap(&root);
    let rewrapped = Kek::rewrap(&kek(1), &kek(2), &wrapped).unwrap();
    let (before, after) = (
        Keys::new(&root, &kek(1)),
        Keys::new(&kek(2).open(&rewrapped).unwrap(), &kek(2)),
    );
    assert_eq!(
        before.api_key_digest.mac(&[b"x"]),
        after.api_key_digest.mac(&[b"x"])
    );
    assert_eq!(
        before.ledger_signing.verifying_key(),
        after.ledger_signing.verifying_key()
    );
    // What wraps the segments' keys follows from the key-encryption key: the new one opens nothing that the old one wrapped.
    let wrapped = before.ledger_wrap.key().seal(b"", b"key");
    assert!(after.ledger_wrap.key().open(b"", &wrapped).is_err());
    assert_ne!(before.ledger_wrap.id(), after.ledger_wrap.id());
    let sealed = before.store_records.seal(b"", b"record");
    assert_eq!(after.store_records.open(b"", &sealed).unwrap(), b"record");
    assert!(matches!(
        kek(1).open(&rewrapped),
        Err(KeyFault::WrongKek { .. })
    ));
    assert!(Kek::rewrap(&kek(3), &kek(2), &wrapped).is_err());
}

#[test]
fn a_new_root_keeps_what_cannot_be_made_again_and_nothing_else() {
    let first = Root::generate();
    let (second, third) = (first.renewed().unwrap(), first.renewed().unwrap());
    assert_ne!(second.id(), third.id());
    assert_ne!(second.id(), first.id());
    let wrapped = kek(1).wrap(&second);
    assert_eq!(wrapped[0], 2);
    let opened = kek(1).open(&wrapped).unwrap();
    assert_eq!(opened.id(), second.id());
    let opened = opened.renewed().unwrap();
    let [before, after] = [&first, &opened].map(|root| Keys::new(root, &kek(1)));
    assert_eq!(
        before.api_key_digest.mac(&[b"x"]),
        after.api_key_digest.mac(&[b"x"])
    );
    assert_eq!(
        before.ledger_signing.verifying_key(),
        after.ledger_signing.verifying_key()
    );
    assert_ne!(
        before.identity.verifying_key(),
        after.identity.verifying_key()
    );
    assert_ne!(
        before.blind_index.mac(&[b"x"]),
        after.blind_index.mac(&[b"x"])
    );
    let sealed = before.store_records.seal(b"", b"record");
    assert!(after.store_records.open(b"", &sealed).is_err());
    let sealed = before.ledger_seal.seal(b"", b"leaf");
    assert!(after.ledger_seal.open(b"", &sealed).is_err());
    let opens = after
        .ledger_seals()
        .filter(|key| key.open(b"", &sealed).is_ok());
    assert_eq!(opens.count(), 1, "a segment of before opens");
    assert_eq!(after.ledger_seals().count(), 3);
}

#[test]
fn roots_are_counted_and_one_is_wrapped_as_it_always_was() {
    let mut root = Root::generate();
    assert_eq!(kek(1).wrap(&root)[0], 1);
    while let Ok(next) = root.renewed() {
        root = next;
    }
    assert_eq!(root.earlier.len() + 1, ROOTS_MAX);
    assert_eq!(root.renewed().unwrap_err(), KeyFault::TooManyRoots);
    let wrapped = kek(1).wrap(&root);
    assert_eq!(kek(1).open(&wrapped).unwrap().id(), root.id());
    // The first byte says how many may be in it; one that says otherwise does not open.
    for version in [0, 1, 3] {
        let mut other = wrapped.clone();
        other[0] = version;
        assert_eq!(kek(1).open(&other).unwrap_err(), KeyFault::Damaged);
    }
}

#[test]
fn purposes_do_not_share_a_key() {
    let keys = Keys::new(&Root::from_secret(Secret::new([5; 32])), &kek(1));
    assert_ne!(
        keys.blind_index.mac(&[b"x"]),
        keys.api_key_digest.mac(&[b"x"])
    );
    assert_ne!(
        keys.ledger_signing.verifying_key(),
        keys.identity.verifying_key()
    );
    assert!(
        keys.ledger_seal
            .open(b"", &keys.store_records.seal(b"", b"x"))
            .is_err()
    );
}

#[test]
fn debug_prints_no_key() {
    let text = Secret::new(*b"canary-canary-canary-canary-cana");
    let printed = format!(
        "{:?} {:?} {:?}",
        Kek::from_secret(text.clone()),
        Root::from_secret(text.clone()),
        Keys::new(
            &Root::from_secret(text.clone()),
            &Kek::from_secret(text.clone())
        )
    );
    assert!(
        !printed.contains("canary") && !printed.contains(&hex(text.expose())),
        "{printed}"
    );
}

proptest! {
    #[test]
    fn any_changed_byte_of_a_wrapped_root_is_noticed(at: prop::sample::Index, bit in 0..8u8) {
        let mut wrapped = kek(1).wrap(&Root::generate());
        let at = at.index(wrapped.len());
        wrapped[at] ^= 1 << bit;
        prop_assert!(kek(1).open(&wrapped).is_err());
    }
}
