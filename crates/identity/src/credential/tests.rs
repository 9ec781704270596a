use super::*;

fn entropy(number: u8) -> Entropy {
    Entropy {
        id: KeyId::from_bits(number.into()),
        random: Secret::new([number; 32]),
    }
}

fn pepper() -> MacKey {
    MacKey::new(b"pepper")
}

fn day(number: u32) -> Timestamp {
    Timestamp::from_micros(0).plus_days(number)
}

const RULES: ApiKeySettings = ApiKeySettings {
    max_age: Span::from_days(90),
    overlap: None,
    user_header: None,
};
const ORDER: CreateKeyRequest<'static> = CreateKeyRequest {
    integration: "accounting",
    label: "nightly",
    is_live: true,
    lasts: None,
};

fn made() -> IssuedKey {
    create(&ORDER, &RULES, &entropy(1), &pepper(), day(10))
}

#[test]
fn a_new_key_ends_at_its_max_age_and_never_later() {
    let record = made().record;
    assert_eq!(record.expires_at, day(100));
    let asked = |days| {
        create(
            &CreateKeyRequest {
                lasts: Some(Span::from_days(days)),
                ..ORDER
            },
            &RULES,
            &entropy(1),
            &pepper(),
            day(10),
        )
        .record
    };
    assert_eq!(asked(5).expires_at, day(15));
    assert_eq!(asked(500).expires_at, day(100));
}

#[test]
fn the_last_moment_is_still_good_and_the_next_is_not() {
    let record = made().record;
    let end = record.expires_at;
    assert_eq!(
        record.state(None, Timestamp::from_micros(end.micros() - 1)),
        State::Active
    );
    assert_eq!(record.state(None, end), State::Expired { at: end });
}

#[test]
fn a_shorter_max_age_reaches_existing_keys_and_a_longer_one_does_not_revive() {
    let record = made().record;
    let with = |days, now| record.state(Some(Span::from_days(days)), now);
    assert_eq!(with(30, day(39)), State::Active);
    assert_eq!(with(30, day(40)), State::Expired { at: day(40) });
    assert_eq!(with(900, day(100)), State::Expired { at: day(100) });
}

#[test]
fn after_a_rotation_both_keys_work_until_the_overlap_ends() {
    let old = made().record;
    let (issued, replaced) = rotate(&old, &RULES, &entropy(2), &pepper(), day(20)).unwrap();
    assert_eq!(replaced.replaced_by, Some(issued.record.id));
    assert_eq!(
        replaced.state(None, day(20)),
        State::Replaced { until: day(21) }
    );
    assert!(issued.record.state(None, day(20)).is_usable());
    assert_eq!(
        replaced.state(None, day(21)),
        State::Expired { at: day(21) }
    );
    assert!(issued.record.state(None, day(21)).is_usable());
    assert_eq!(
        (issued.record.integration, issued.record.label),
        (old.integration, old.label)
    );
    assert_ne!(issued.record.digest, old.digest);
}

#[test]
fn an_overlap_never_outlives_the_old_key() {
    let rules = ApiKeySettings {
        overlap: Some(Span::from_days(30)),
        ..RULES
    };
    let (_, replaced) = rotate(&made().record, &rules, &entropy(2), &pepper(), day(99)).unwrap();
    assert_eq!(replaced.overlap_until, Some(day(100)));
}

#[test]
fn what_is_ended_or_replaced_cannot_be_rotated() {
    let record = made().record;
    let rotated = |record: &Credential, now| {
        rotate(record, &RULES, &entropy(2), &pepper(), now).map(|(issued, _)| issued.record.id)
    };
    let revoked = revoke(&record, "lost laptop", day(11));
    assert_eq!(
        rotated(&revoked, day(12)),
        Err(CannotRotate::NotUsable(State::Revoked { at: day(11) }))
    );
    assert_eq!(
        rotated(&record, day(100)),
        Err(CannotRotate::NotUsable(State::Expired { at: day(100) }))
    );
    let (_, replaced) = rotate(&record, &RULES, &entropy(2), &pepper(), day(20)).unwrap();
    let fault = rotated(&replaced, day(20)).unwrap_err();
    assert_eq!(fault, CannotRotate::AlreadyReplaced(KeyId::from_bits(2)));
    assert!(fault.to_string().contains("rotate that one"));
}

#[test]
fn a_revocation_holds_at_once_keeps_its_first_reason_and_outranks_age() {
    let revoked = revoke(&made().record, "lost laptop", day(11));
    let again = revoke(&revoked, "other", day(12));
    assert_eq!(again, revoked);
    assert_eq!(revoked.reason.as_deref(), Some("lost laptop"));
    for now in [day(0), day(11), day(500)] {
        assert_eq!(revoked.state(None, now), State::Revoked { at: day(11) });
    }
}

#[test]
fn uses_only_move_forward() {
    let record = used(&made().record, day(12));
    assert_eq!(used(&record, day(11)).last_used_at, Some(day(12)));
    assert_eq!(used(&record, day(13)).last_used_at, Some(day(13)));
}

#[test]
fn neither_the_record_nor_its_debug_form_holds_the_key() {
    let issued = made();
    let body = issued.key.expose().trim_start_matches("pk_live_");
    let middle = body.get(4..body.len() - 4).unwrap();
    let digest = text::hex(&issued.record.digest.0);
    let json = serde_json::to_string(&issued.record).unwrap();
    assert!(json.contains(&digest) && !json.contains(middle));
    let printed = format!("{issued:?} {:?}", entropy(1));
    assert!(
        !printed.contains(middle) && !printed.contains(&digest),
        "{printed}"
    );
    assert_eq!(
        serde_json::from_str::<Credential>(&json).unwrap(),
        issued.record
    );
}

#[test]
fn records_with_unknown_fields_or_broken_digests_are_refused() {
    let json = serde_json::to_string(&made().record).unwrap();
    let more = json.replacen('{', "{\"extra\":1,", 1);
    assert!(serde_json::from_str::<Credential>(&more).is_err());
    let digest = text::hex(&made().record.digest.0);
    assert!(
        serde_json::from_str::<Credential>(&json.replace(&digest, digest.get(2..).unwrap()))
            .is_err()
    );
}
