//! Places are bounded, come back, and go to whoever has proven something.

use proptest::prelude::*;

use super::*;

fn counts_of(total_max: usize, per_address_max: usize) -> Arc<Counts> {
    Counts::new(total_max, per_address_max, Arc::default())
}

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
    let counts = counts_of(3, 2);
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
    let counts = counts_of(10, 2);
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
    let counts = counts_of(1000, 8);
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
    let counts = counts_of(1000, 6);
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
    let counts = counts_of(2, 2);
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
    let counts = counts_of(10, 1);
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

/// A stranger's connection with a request under way.
fn at_work(counts: &Arc<Counts>, from: &str) -> ConnectionSlot {
    let slot = taken(counts, from);
    assert!(slot.begin_request());
    slot
}

#[test]
fn however_many_strangers_are_being_answered_one_that_rests_is_found() {
    const HERE: &str = "10.0.0.1";
    let counts = counts_of(1000, 302);
    let caller = proven(&counts, HERE, 1);
    let busy: Vec<_> = (0..300).map(|_| at_work(&counts, HERE)).collect();
    let resting = taken(&counts, HERE);
    let newcomer = taken_from(&counts, HERE, &resting);
    assert!(newcomer.begin_request());
    // All of them are being answered: none of these, and not the caller.
    assert!(Counts::take(&counts, address(HERE)).is_none());
    // One whose request has ended is the oldest again.
    busy[100].end_request();
    let last = taken_from(&counts, HERE, &busy[100]);
    assert!(caller.begin_request());
    drop((busy, resting, newcomer, last));
    assert_eq!(counts.total(), 1);
}

#[test]
fn the_whole_listener_is_asked_as_well() {
    let counts = counts_of(300, 300);
    let busy: Vec<_> = (0..299).map(|_| at_work(&counts, "10.0.0.1")).collect();
    let resting = taken(&counts, "10.0.0.2");
    let newcomer = taken_from(&counts, "10.0.0.3", &resting);
    assert!(newcomer.begin_request());
    assert!(Counts::take(&counts, address("10.0.0.4")).is_none());
    busy[298].end_request();
    drop(taken_from(&counts, "10.0.0.4", &busy[298]));
}

#[test]
fn callers_give_way_to_newcomers_under_way_until_half_of_the_address_is_theirs() {
    const HERE: &str = "10.0.0.1";
    let counts = counts_of(1000, 8);
    let callers: Vec<_> = (0..8).map(|n| proven(&counts, HERE, n)).collect();
    // Their first request is under way: nobody knows yet whose they are.
    let mut newcomers: Vec<_> = (0..4)
        .map(|at| taken_from(&counts, HERE, &callers[at]))
        .inspect(|slot| assert!(slot.begin_request()))
        .collect();
    assert!(Counts::take(&counts, address(HERE)).is_none());
    // A credential was accepted on one that was asked meanwhile: it is a caller's, and the next one has a place again.
    newcomers[2].prove(20);
    newcomers.push(taken_from(&counts, HERE, &callers[4]));
    newcomers[2].end_request();
    assert!(newcomers[2].begin_request());
    assert!(callers[5..].iter().all(ConnectionSlot::begin_request));
}

/// What happens to connections, drawn.
#[derive(Clone, Copy, Debug)]
enum Step {
    Take { from: u8 },
    Begin(prop::sample::Index),
    End(prop::sample::Index),
    Prove(prop::sample::Index, u128),
    Leave(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let any = any::<prop::sample::Index>;
    prop_oneof![
        4 => (0..3u8).prop_map(|from| Step::Take { from }),
        4 => any().prop_map(Step::Begin),
        2 => any().prop_map(Step::End),
        2 => (any(), 0..3u128).prop_map(|(which, caller)| Step::Prove(which, caller)),
        1 => any().prop_map(Step::Leave),
    ]
}

/// A connection as the rules of decision 044 see it.
struct Known {
    slot: ConnectionSlot,
    from: u8,
    requests: usize,
    is_proven: bool,
}

impl Known {
    fn is_resting_stranger(&self) -> bool {
        !self.is_proven && self.requests == 0
    }

    fn is_resting_caller(&self) -> bool {
        self.is_proven && self.requests == 0
    }
}

/// Which of the open connections, oldest first, may end for one from this address; `None` where there is room. Nobody, where
/// the newcomer is refused.
fn may_end(open: &[Known], from: u8, (total_max, here_max): (usize, usize)) -> Option<Vec<usize>> {
    let is_here = |known: &Known| known.from == from;
    let here = open.iter().filter(|known| is_here(known)).count();
    let is_full_here = here >= here_max;
    if !is_full_here && open.len() < total_max {
        return None;
    }
    let stranger = open
        .iter()
        .position(|known| known.is_resting_stranger() && (!is_full_here || is_here(known)));
    if let Some(stranger) = stranger {
        return Some(vec![stranger]);
    }
    let callers = open
        .iter()
        .filter(|known| is_here(known) && known.is_proven);
    if !is_full_here || callers.count() * 2 <= here {
        return Some(Vec::new());
    }
    let resting = |known: &Known| is_here(known) && known.is_resting_caller();
    Some((0..open.len()).filter(|at| resting(&open[*at])).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever was asked of whom before, the newcomer takes the place of whom the rules name.
    #[test]
    fn whoever_ends_is_who_the_rules_name(
        bounds in (4..180usize, 2..120usize),
        steps in prop::collection::vec(step(), 1..900),
    ) {
        let counts = counts_of(bounds.0, bounds.1);
        let mut open: Vec<Known> = Vec::new();
        for step in steps {
            match step {
                Step::Take { from } => {
                    let may_end = may_end(&open, from, bounds);
                    let came = Counts::take(&counts, address(&format!("10.0.0.{from}")));
                    let Some((slot, evicted)) = came else {
                        prop_assert_eq!(may_end, Some(Vec::new()));
                        continue;
                    };
                    prop_assert_eq!(evicted.is_some(), may_end.is_some());
                    if let Some(may_end) = may_end {
                        // One that has given way begins no request.
                        let gone = |at: &usize| !open[*at].slot.begin_request();
                        let ended = may_end.iter().copied().find(gone);
                        prop_assert!(ended.is_some(), "none of {:?}", may_end);
                        for at in may_end.into_iter().take_while(|at| Some(*at) != ended) {
                            open[at].slot.end_request();
                        }
                        open.remove(ended.unwrap());
                    }
                    open.push(Known { slot, from, requests: 0, is_proven: false });
                }
                _ if open.is_empty() => {}
                Step::Begin(which) => {
                    let at = which.index(open.len());
                    let known = &mut open[at];
                    prop_assert!(known.slot.begin_request());
                    known.requests += 1;
                }
                Step::End(which) => {
                    let at = which.index(open.len());
                    let known = &mut open[at];
                    if known.requests > 0 {
                        known.slot.end_request();
                        known.requests -= 1;
                    }
                }
                Step::Prove(which, caller) => {
                    let at = which.index(open.len());
                    let known = &mut open[at];
                    if known.requests > 0 {
                        known.slot.prove(caller);
                        known.is_proven = true;
                    }
                }
                Step::Leave(which) => drop(open.remove(which.index(open.len()))),
            }
            prop_assert_eq!(counts.total(), open.len());
        }
        drop(open);
        let open = counts.lock();
        prop_assert!(open.by_address.is_empty() && open.unproven.is_empty());
    }
}

/// Requests that begin and end on other threads while places are asked for: none is lost among those set aside.
#[test]
fn whoever_rests_at_last_can_be_asked() {
    const HERE: &str = "10.0.0.1";
    const SLOTS: usize = 96;
    let counts = counts_of(1000, SLOTS);
    let slots: Vec<_> = (0..SLOTS).map(|_| at_work(&counts, HERE)).collect();
    // Those who come stay, so that the address is full at every question.
    let mut came_meanwhile = Vec::new();
    std::thread::scope(|scope| {
        for part in slots.chunks(SLOTS / 4) {
            scope.spawn(move || {
                for _ in 0..200 {
                    for slot in part {
                        // Never without a request, so that none gives way meanwhile.
                        assert!(slot.begin_request());
                        slot.end_request();
                    }
                }
                part.iter().for_each(ConnectionSlot::end_request);
            });
        }
        for _ in 0..200 {
            if let Some((slot, evicted)) = Counts::take(&counts, address(HERE)) {
                assert!(evicted.is_some());
                came_meanwhile.push(slot);
            }
        }
    });
    let open = counts.lock();
    let here = open.by_address.get(&address(HERE));
    assert!(here.is_none_or(|here| here.under_way.is_empty()));
    drop(open);
    assert_eq!(counts.total(), SLOTS);
    let newcomers = (0..SLOTS).map(|_| Counts::take(&counts, address(HERE)));
    let came: Vec<_> = newcomers.flatten().collect();
    assert_eq!(came.len(), SLOTS);
    assert!(came.iter().all(|(_, evicted)| evicted.is_some()));
}

/// Two listeners share descriptors: whoever has more than a few connections makes room among its own, and the other always has its few.
#[test]
fn a_listener_that_is_flooded_leaves_descriptors_to_the_others() {
    let descriptors = Arc::new(DescriptorShare::new(40));
    let listener = || Counts::new(1000, 1000, Arc::clone(&descriptors));
    let (public, admin) = (listener(), listener());
    let from = |n: usize| address(&format!("10.0.{}.{}", n / 200, n % 200 + 1));
    let mut held: std::collections::VecDeque<_> = (0..40)
        .map(|n| taken(&public, &from(n).to_string()))
        .collect();
    assert!(descriptors.is_full());
    for n in 40..200 {
        let oldest = held.pop_front().unwrap();
        held.push_back(taken_from(&public, &from(n).to_string(), &oldest));
    }
    let operators: Vec<_> = (0..KEPT_CONNECTIONS)
        .map(|_| taken(&admin, "127.0.0.1"))
        .collect();
    assert!(held.iter().all(ConnectionSlot::begin_request));
    assert!(
        Counts::take(&public, from(7)).is_none(),
        "all of them answer"
    );
    taken_from(&admin, "127.0.0.1", &operators[0]);
    drop((held, operators));
    assert!((0..40).all(|_| {
        DescriptorShare::take(&descriptors)
            .map(std::mem::forget)
            .is_some()
    }));
    assert!(descriptors.is_full(), "every one was given back once");
}
