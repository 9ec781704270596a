use std::time::Duration;

use model::Timestamp;
use policy::block::FORGOTTEN_AFTER;
use proptest::prelude::*;

use super::refused::Refused;
use super::*;

const KEY: KeyId = KeyId::from_bits(7);
const OTHER: KeyId = KeyId::from_bits(8);

fn names() -> ShortHash {
    ShortHash::from_secret(&crypto::Secret::new([7; 32]))
}

fn blocks() -> Blocks {
    Blocks::of(names(), Vec::new())
}

fn at(seconds: u64) -> Monotonic {
    Monotonic::from_micros(seconds * 1_000_000)
}

fn refuse(blocks: &Blocks, who: ChargedTo<'_>, times: u32, now: Monotonic) -> Option<Block> {
    let refusal = ("authn.invalid", DecisionId::from_bits(1));
    let settings = BlockSettings::default();
    (0..times)
        .filter_map(|_| blocks.count_refusal(who, refusal, &settings, now))
        .last()
}

fn by_hand(subject: &str, ends: Monotonic) -> Added {
    Added {
        id: subject.to_owned(),
        subject: subject.parse().unwrap(),
        reason: String::from("tests"),
        by: String::from("ann (local)"),
        added_at: Timestamp::from_micros(0),
        ends,
    }
}

#[test]
fn one_who_is_refused_too_often_is_blocked_and_others_are_not() {
    let blocks = blocks();
    let begun = refuse(&blocks, ChargedTo::Credential(KEY), 100, at(1)).unwrap();
    assert_eq!(begun.subject, Subject::Credential(KEY));
    assert!(blocks.of_caller(KEY, "crm", None, at(1)).is_some());
    assert!(blocks.of_caller(KEY, "crm", Some("ann"), at(1)).is_some());
    assert!(
        blocks.of_caller(OTHER, "crm", None, at(1)).is_none(),
        "its sister goes on"
    );
    let lifted = blocks.lift(&Subject::Credential(KEY), at(2));
    assert_eq!(lifted.len(), 1);
    assert!(blocks.of_caller(KEY, "crm", None, at(2)).is_none());
    assert!(blocks.lift(&Subject::Credential(KEY), at(2)).is_empty());
}

#[test]
fn a_person_is_blocked_within_their_integration_only() {
    let blocks = blocks();
    refuse(&blocks, ChargedTo::User("crm", "ann"), 20, at(1)).unwrap();
    let is_blocked = |integration, user| blocks.of_caller(KEY, integration, user, at(2)).is_some();
    assert!(is_blocked("crm", Some("ann")));
    assert!(
        !is_blocked("crm", Some("ben"))
            && !is_blocked("crm", None)
            && !is_blocked("erp", Some("ann"))
    );
}

#[test]
fn persons_together_count_for_the_credential_that_names_them() {
    let blocks = blocks();
    let settings = BlockSettings::default().of_people();
    let people = ChargedTo::People(KEY);
    let refusal = ("authn.invalid", DecisionId::from_bits(1));
    let mut begun =
        (0..200).filter_map(|_| blocks.count_refusal(people, refusal, &settings, at(1)));
    let begun = begun.next().expect("a block after ten times as many");
    assert_eq!(begun.subject, Subject::Credential(KEY));
    assert!(begun.because().starts_with("after 200 refusals/min"));
    assert!(blocks.of_caller(KEY, "crm", Some("zoe"), at(2)).is_some());
    assert!(blocks.of_caller(OTHER, "crm", Some("zoe"), at(2)).is_none());
    assert_eq!(blocks.lift(&Subject::Credential(KEY), at(3)).len(), 1);
    assert!(blocks.of_caller(KEY, "crm", Some("zoe"), at(3)).is_none());
    let early = (0..199).filter_map(|_| blocks.count_refusal(people, refusal, &settings, at(3)));
    assert_eq!(early.count(), 0, "lifting forgets the refusals, too");
}

#[test]
fn a_persons_block_holds_for_whom_it_names() {
    let blocks = Blocks::of(
        names(),
        vec![
            by_hand("address:10.0.0.0/8", at(50)),
            by_hand("integration:crm", at(60)),
            by_hand("user:erp/ann", at(70)),
        ],
    );
    let at_address = |text: &str| blocks.of_address(text.parse().unwrap(), at(1)).is_some();
    assert!(at_address("10.9.9.9") && at_address("::ffff:10.9.9.9") && !at_address("11.0.0.1"));
    assert!(
        blocks
            .of_strangers("10.9.9.9".parse().unwrap(), at(1))
            .is_none()
    );
    assert!(blocks.of_caller(KEY, "crm", None, at(1)).is_some());
    assert!(blocks.of_caller(KEY, "erp", Some("ann"), at(1)).is_some());
    assert!(blocks.of_caller(KEY, "erp", None, at(1)).is_none());
    let listed: Vec<String> = blocks
        .list(at(55))
        .iter()
        .map(|one| one.subject.to_string())
        .collect();
    assert_eq!(listed, ["integration:crm", "user:erp/ann"]);
    assert_eq!(blocks.take_ended(at(55)).len(), 1);
    assert!(
        blocks
            .of_address("10.9.9.9".parse().unwrap(), at(1))
            .is_none()
    );
}

#[test]
fn any_address_of_a_64_lifts_its_block() {
    let blocks = blocks();
    let address: IpAddr = "2001:db8::7".parse().unwrap();
    refuse(&blocks, ChargedTo::Address(client_key(address)), 20, at(1)).unwrap();
    assert!(
        blocks
            .of_strangers("2001:db8::8".parse().unwrap(), at(1))
            .is_some()
    );
    assert_eq!(blocks.lift(&"2001:db8::9".parse().unwrap(), at(1)).len(), 1);
    assert!(blocks.of_strangers(address, at(1)).is_none());
}

#[test]
fn the_table_stays_bounded_and_keeps_who_is_blocked() {
    let refused = Refused::new(names());
    let settings = BlockSettings::default();
    let refusal = ("authn.invalid", DecisionId::from_bits(1));
    for _ in 0..20 {
        refused.count(ChargedTo::Credential(KEY), refusal, &settings, at(1));
    }
    for n in 0..200_000u128 {
        refused.count(ChargedTo::Address(n), refusal, &settings, at(1));
    }
    assert!(refused.kept() <= 64 * 1024);
    assert!(refused.block(ChargedTo::Credential(KEY), at(2)).is_some());
}

proptest! {
    /// A model with nothing clever in it: blocks are what their rule says, in whatever order things happen.
    #[test]
    fn blocks_hold_as_long_as_their_rule_says_and_for_nobody_else(
        steps in prop::collection::vec((0u64..400, 0usize..3, 0u32..30, prop::bool::weighted(0.1)), 1..40),
    ) {
        let (blocks, settings) = (blocks(), BlockSettings::default());
        let keys = [KeyId::from_bits(1), KeyId::from_bits(2), KeyId::from_bits(3)];
        let mut states = [policy::block::State::default(); 3];
        let mut now = FORGOTTEN_AFTER.as_secs();
        for (wait, who, times, is_lifted) in steps {
            now += wait;
            if is_lifted {
                blocks.lift(&Subject::Credential(keys[who]), at(now));
                states[who] = policy::block::State::default();
            }
            refuse(&blocks, ChargedTo::Credential(keys[who]), times, at(now));
            for _ in 0..times {
                states[who] = policy::block::count_refusal(Some(states[who]), &settings, at(now)).0;
            }
            for (key, state) in keys.iter().zip(&states) {
                let found = blocks.of_caller(*key, "crm", None, at(now)).map(|block| block.ends);
                prop_assert_eq!(found, policy::block::blocked_until(state, at(now)));
            }
            prop_assert!(blocks.list(at(now)).iter().all(|block| block.left(at(now)) <= Duration::from_secs(86_400)));
        }
    }
}

/// Counting holds the lock of its shard; whoever only asks neither waits for it nor takes one.
#[test]
fn to_ask_for_a_block_takes_no_lock() {
    let refused = Refused::new(names());
    let refusal = ("authn.invalid", DecisionId::from_bits(1));
    let (who, settings) = (ChargedTo::Credential(KEY), BlockSettings::default());
    for _ in 0..20 {
        refused.count(who, refusal, &settings, at(1));
    }
    assert!(refused.block_while_counting(who, at(2)).is_some());
    let other = ChargedTo::Credential(OTHER);
    assert!(refused.block_while_counting(other, at(2)).is_none());
}
