use super::*;
use crate::fixture::{event, recorder, settings};

fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq).collect()
}

fn publish(bus: &EventBus, seq: u64, count: u64) {
    let mut payload = Vec::new();
    for n in seq..seq + count {
        let record = format!("{{\"n\":{n}}}");
        payload.extend_from_slice(&u32::try_from(record.len()).unwrap().to_le_bytes());
        payload.extend_from_slice(record.as_bytes());
    }
    bus.publish(seq, &mut labels(count), &mut payload);
}

fn labels(count: u64) -> Vec<Label> {
    let label = Label {
        kind: Kind::Request.into(),
        outcome: Outcome::Allow.into(),
    };
    vec![label; usize::try_from(count).unwrap()]
}

#[test]
fn subscribers_read_the_same_records_each_at_its_own_pace() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    recorder.record(&event(0)).wait().unwrap();
    let (mut quick, mut slow) = (recorder.subscribe("quick"), recorder.subscribe("slow"));
    let mut seen = Vec::new();
    for n in 1..=20 {
        recorder.record(&event(n)).wait().unwrap();
        // A record is published before whoever waits for it goes on.
        let taken = quick.take();
        assert_eq!(seqs(&taken), [n]);
        seen.extend(taken);
    }
    let late = slow.take();
    assert_eq!(late, seen);
    assert_eq!(seqs(&late), (1..=20).collect::<Vec<_>>());
    assert!(slow.take().is_empty());
    // They are the exact bytes of the ledger.
    let stored: Vec<Entry> = recorder
        .ledger()
        .from_seq(1)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(stored, late);
    assert_eq!((quick.missed(), slow.missed()), (0, 0));
}

#[test]
fn a_slow_subscriber_misses_the_oldest_and_knows_how_many() {
    let bus = Arc::new(EventBus::new(5));
    let mut slow = Subscription::new(Arc::clone(&bus), "slow");
    let mut quick = Subscription::new(Arc::clone(&bus), "quick");
    let mut next = 5;
    for _ in 0..12 {
        publish(&bus, next, 1_000);
        next += 1_000;
        assert_eq!(quick.take().len(), 1_000);
    }
    let taken = slow.take();
    assert_eq!(taken.len(), 8_000);
    assert_eq!(slow.missed(), 4_000);
    assert_eq!(taken.first().unwrap().seq, 4_005);
    assert_eq!(quick.missed(), 0);
    let followed = bus.followed();
    let told = followed.iter().map(|one| (&*one.name, one.missed));
    let told: Vec<(&str, u64)> = told.collect();
    assert_eq!(told, [("slow", 4_000), ("quick", 0)]);
    // It goes on behind what it missed, and counts nothing twice.
    publish(&bus, next, 1);
    assert_eq!((seqs(&slow.take()), slow.missed()), (vec![next], 4_000));
}

#[test]
fn large_groups_are_bounded_by_their_bytes_and_the_newest_is_kept() {
    let bus = Arc::new(EventBus::new(0));
    let mut one = Subscription::new(Arc::clone(&bus), "one");
    for seq in 0..4 {
        let mut payload = (u32::try_from(BYTES_MAX).unwrap()).to_le_bytes().to_vec();
        payload.extend(vec![b'x'; BYTES_MAX]);
        bus.publish(seq, &mut labels(1), &mut payload);
        assert!(payload.is_empty());
    }
    assert_eq!(seqs(&one.take()), [3]);
    assert_eq!(one.missed(), 3);
}

#[test]
fn what_everybody_has_taken_is_let_go_and_who_counts_reads_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    let (mut counts, mut screen) = (recorder.subscribe("counts"), recorder.subscribe("screen"));
    for n in 0..10 {
        recorder.record(&event(n)).wait().unwrap();
    }
    let held = || lock(&recorder.bus().state).records;
    assert_eq!(held(), 10);
    let mut refused = 0;
    counts.take_labels(|label| refused += u32::from(label.outcome == Outcome::Refuse));
    assert_eq!((refused, held()), (2, 10));
    assert_eq!(screen.take().len(), 10);
    assert_eq!(held(), 0);
    counts.take_labels(|_| panic!("nothing is told twice"));
}

#[test]
fn nothing_is_kept_for_nobody() {
    let bus = Arc::new(EventBus::new(0));
    publish(&bus, 0, 3);
    assert_eq!(lock(&bus.state).groups.len(), 0);
    let first = Subscription::new(Arc::clone(&bus), "first");
    publish(&bus, 3, 1);
    assert_eq!(lock(&bus.state).groups.len(), 1);
    drop(first);
    let state = lock(&bus.state);
    assert_eq!((state.groups.len(), state.records, state.bytes), (0, 0, 0));
    drop(state);
    // What came before a subscription is no part of it, and nothing of it was missed.
    let mut second = Subscription::new(Arc::clone(&bus), "second");
    publish(&bus, 4, 1);
    assert_eq!((seqs(&second.take()), second.missed()), (vec![4], 0));
}
