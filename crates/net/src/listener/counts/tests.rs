//! Places are bounded, come back, and go to whoever has proven something.

use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A place at this address that nobody had to give up.
fn taken(counts: &Arc<Counts>, from: &str) -> ConnectionSlot {
    let (slot, evicted) = Counts::take(counts, address(from)).unwrap();
    assert_eq!(evicted, None);
    slot
}

/// A place at this address, and whether `other` gave way for it.
fn taken_from(counts: &Arc<Counts>, from: &str, other: &ConnectionSlot) -> ConnectionSlot {
    let (slot, evicted) = Counts::take(counts, address(from)).unwrap();
    assert!(evicted.is_some());
    assert!(!other.begin_request(), "another one gave way");
    slot
}

/// A connection of this caller at rest.
fn proven(counts: &Arc<Counts>, from: &str, caller: u128) -> ConnectionSlot {
    let slot = taken(counts, from);
    assert!(slot.begin_request());
    slot.prove(caller);
    slot.end_request();
    slot
}

#[test]
fn places_are_bounded_and_come_back() {
    let counts = Counts::new(3, 2);
    let first = taken(&counts, "2001:db8::1");
    let second = taken(&counts, "2001:db8::2");
    let third = taken_from(&counts, "2001:db8::3", &first);
    assert_eq!(counts.total(), 2, "one /64 has two");
    let fourth = taken(&counts, "10.0.0.1");
    let fifth = taken_from(&counts, "10.0.0.2", &second);
    assert_eq!(counts.total(), 3, "the listener has three");
    drop((first, second));
    assert_eq!(counts.total(), 3, "what gave way is not counted twice");
    drop((third, fourth, fifth));
    assert_eq!(counts.total(), 0);
    let open = counts.lock();
    assert!(open.by_address.is_empty() && open.unproven.is_empty());
}

#[test]
fn whoever_answers_a_request_gives_way_to_nobody() {
    let counts = Counts::new(10, 2);
    let (first, second) = (taken(&counts, "10.0.0.1"), taken(&counts, "10.0.0.1"));
    assert!(first.begin_request() && second.begin_request());
    assert!(Counts::take(&counts, address("10.0.0.1")).is_none());
    second.end_request();
    let third = taken_from(&counts, "10.0.0.1", &second);
    assert!(third.begin_request());
    assert!(Counts::take(&counts, address("10.0.0.1")).is_none());
    assert!(first.begin_request(), "the first still answers");
}

#[test]
fn strangers_take_places_from_strangers_and_callers_keep_theirs() {
    let counts = Counts::new(1000, 8);
    let callers: Vec<_> = (0..4).map(|n| proven(&counts, "10.0.0.1", n)).collect();
    let mut strangers: std::collections::VecDeque<_> =
        (0..4).map(|_| taken(&counts, "10.0.0.1")).collect();
    for _ in 0..100 {
        let oldest = strangers.pop_front().unwrap();
        strangers.push_back(taken_from(&counts, "10.0.0.1", &oldest));
    }
    assert!(callers.iter().all(ConnectionSlot::begin_request));
    // A newcomer has as many others before it as there are places for strangers.
    let newcomer = strangers.back().unwrap();
    assert!(newcomer.begin_request());
    newcomer.prove(9);
    newcomer.end_request();
    strangers.truncate(3);
    assert_eq!(
        counts.lock().by_address[&address("10.0.0.1")].proven.len(),
        4
    );
}

#[test]
fn where_all_are_callers_the_greediest_gives_up_its_longest_rest() {
    let counts = Counts::new(1000, 6);
    let greedy: Vec<_> = (0..4).map(|_| proven(&counts, "10.0.0.1", 1)).collect();
    let modest: Vec<_> = (2..4).map(|n| proven(&counts, "10.0.0.1", n)).collect();
    // The first rests again since now, so the second has rested longest.
    assert!(greedy[0].begin_request());
    greedy[0].end_request();
    let stranger = taken_from(&counts, "10.0.0.1", &greedy[1]);
    // The next stranger takes the place of the stranger, not of a caller.
    let next = taken_from(&counts, "10.0.0.1", &stranger);
    assert!(next.begin_request());
    next.prove(4);
    next.end_request();
    let last = taken_from(&counts, "10.0.0.1", &greedy[2]);
    assert!(modest.iter().all(ConnectionSlot::begin_request));
    assert!(greedy[0].begin_request() && greedy[3].begin_request());
    drop(last);
}

#[test]
fn a_full_listener_takes_no_place_from_a_caller_elsewhere() {
    let counts = Counts::new(2, 2);
    let callers = [
        proven(&counts, "10.0.0.1", 1),
        proven(&counts, "10.0.0.2", 2),
    ];
    assert!(Counts::take(&counts, address("10.0.0.3")).is_none());
    assert!(callers.iter().all(ConnectionSlot::begin_request));
}

/// One that gave way before its task was known ends as soon as it is.
#[tokio::test]
async fn one_that_gave_way_ends_whenever_its_task_is_known() {
    let counts = Counts::new(10, 1);
    let first = taken(&counts, "10.0.0.1");
    let second = taken_from(&counts, "10.0.0.1", &first);
    let task = tokio::spawn(std::future::pending::<()>());
    first.served_by(task.abort_handle());
    assert!(task.await.unwrap_err().is_cancelled());
    let task = tokio::spawn(std::future::pending::<()>());
    second.served_by(task.abort_handle());
    let third = taken_from(&counts, "10.0.0.1", &second);
    assert!(task.await.unwrap_err().is_cancelled());
    drop(third);
}
