use super::*;
use crate::ApiKeySettings;
use crate::credential::{CreateKeyRequest, Entropy, create, revoke};
use crypto::{MacKey, Secret};
use proptest::prelude::*;

fn record(number: u8) -> Credential {
    let request = CreateKeyRequest {
        integration: "crm",
        label: "",
        is_live: true,
        lasts: None,
    };
    let entropy = Entropy {
        id: KeyId::from_bits(number.into()),
        random: Secret::new([number; 32]),
    };
    create(
        &request,
        &ApiKeySettings::default(),
        &entropy,
        &MacKey::new(b"pepper"),
        Timestamp::from_micros(1),
    )
    .record
}

fn second(number: i64) -> Timestamp {
    Timestamp::from_micros(number * 1_000_000)
}

#[test]
fn a_change_makes_a_new_table_and_leaves_the_old_one() {
    let table = CredentialTable::of([record(1), record(2)]);
    let revoked = revoke(&record(1), "", second(5));
    let (changed, fewer) = (table.with(revoked.clone()), table.without(record(2).id));
    assert_eq!(
        table
            .find(&record(1).digest.0)
            .map(|entry| entry.record().clone()),
        Some(record(1))
    );
    assert_eq!(
        changed
            .find(&record(1).digest.0)
            .map(|entry| entry.record().clone()),
        Some(revoked)
    );
    assert_eq!((table.len(), changed.len(), fewer.len()), (2, 2, 1));
    assert!(fewer.find(&record(2).digest.0).is_none() && fewer.get(record(2).id).is_none());
}

#[test]
fn a_record_that_changed_its_digest_is_found_by_the_new_one_only() {
    let moved = Credential {
        digest: record(9).digest,
        ..record(1)
    };
    let table = CredentialTable::of([record(1)]).with(moved);
    assert!(table.find(&record(1).digest.0).is_none());
    assert_eq!(
        table
            .find(&record(9).digest.0)
            .map(|entry| entry.record().id),
        Some(record(1).id)
    );
    assert_eq!(table.len(), 1);
}

#[test]
fn uses_are_noted_without_a_lock_and_handed_over_once() {
    let table = CredentialTable::of([record(1), record(2)]);
    let entry = Arc::clone(table.get(record(1).id).unwrap());
    assert_eq!((entry.last_used_at(), table.take_uses().len()), (None, 0));
    entry.reference().last_use.touch(second(100));
    entry.reference().last_use.touch(second(105));
    assert_eq!(
        table.take_uses(),
        [(record(1).id, second(100))],
        "uses close together are one"
    );
    assert!(table.take_uses().is_empty());
    entry.reference().last_use.touch(second(110));
    let changed = table.with(revoke(&record(1), "", second(111)));
    let carried = changed.get(record(1).id).unwrap();
    assert_eq!(
        carried.last_used_at(),
        Some(second(110)),
        "a use is not lost when the record changes"
    );
    assert_eq!(changed.take_uses(), [(record(1).id, second(110))]);
    entry.reference().last_use.touch(second(10));
    assert_eq!(
        entry.last_used_at(),
        Some(second(110)),
        "a clock that goes back changes nothing"
    );
}

#[test]
fn a_use_read_from_the_store_is_not_handed_over_again() {
    let saved = Credential {
        last_used_at: Some(second(50)),
        ..record(1)
    };
    let table = CredentialTable::of([saved]);
    assert_eq!(
        table.get(record(1).id).unwrap().last_used_at(),
        Some(second(50))
    );
    assert!(table.take_uses().is_empty());
}

proptest! {
    #[test]
    fn it_finds_what_a_plain_list_would(steps in prop::collection::vec((any::<bool>(), 0..8_u8), 0..40)) {
        let mut table = CredentialTable::default();
        let mut plain = std::collections::BTreeSet::new();
        for (is_added, number) in steps {
            if is_added {
                table = table.with(record(number));
                plain.insert(number);
            } else {
                table = table.without(record(number).id);
                plain.remove(&number);
            }
        }
        for number in 0..8 {
            prop_assert_eq!(table.find(&record(number).digest.0).is_some(), plain.contains(&number));
            prop_assert_eq!(table.get(record(number).id).is_some(), plain.contains(&number));
        }
        prop_assert_eq!(table.len(), plain.len());
    }
}
