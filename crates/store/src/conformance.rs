//! What every backend must do, as one list of checks. A new backend is right when it passes all of them.
//! Exports `CHECKS`. Each check wants a fresh, empty backend and says in words what did not hold.
//! Used by the tests of each backend.
//! Start reading at `CHECKS`.

use std::time::Duration;

use model::Timestamp;

use crate::Fault;
use crate::backend::{Backend, CHANGES_KEPT, Outcome, RawStep, Ticket, Window};

/// One check: what must hold, and the function that tries it.
pub type Check = (&'static str, fn(&dyn Backend) -> Result<(), String>);

/// All checks.
pub const CHECKS: &[Check] = &[
    (
        "a put record is read back, replaced and deleted",
        put_get_delete,
    ),
    ("versions only grow, also over deletion", versions_grow),
    (
        "lists are ordered by id and paged without gaps",
        lists_are_paged,
    ),
    (
        "an index finds its records and forgets changed ones",
        indexes_follow,
    ),
    (
        "a transaction happens whole or not at all",
        transactions_are_whole,
    ),
    (
        "a failed expectation names the record",
        expectations_name_the_record,
    ),
    (
        "named values change only from what was read",
        named_values_compare,
    ),
    (
        "a named value changes with the records of its transaction",
        named_values_belong_to_transactions,
    ),
    (
        "a transaction for another version does nothing",
        versions_are_expected,
    ),
    (
        "everything is given by kind and id, up to a bound",
        everything_is_given,
    ),
    (
        "stream positions begin at 1 and have no gaps",
        streams_have_no_gaps,
    ),
    (
        "a claimed job is hidden until its lease ends",
        claims_are_leases,
    ),
    ("only the latest claim can settle", latest_claim_settles),
    ("a job is not claimed before it is due", jobs_wait_until_due),
    (
        "counters add up within their window and are forgotten after it",
        counters_add_up,
    ),
    ("watchers see every change in order", watchers_see_changes),
    (
        "a watcher that was away too long is told",
        late_watchers_are_told,
    ),
    ("concurrent writers lose nothing", concurrent_writers),
];

type Held = Result<(), String>;

fn fault(fault: Fault) -> String {
    fault.to_string()
}

fn holds(condition: bool, what: &str) -> Held {
    if condition {
        Ok(())
    } else {
        Err(what.to_owned())
    }
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn put(id: &str, sealed: &[u8], indexes: &[(&str, &str)]) -> RawStep {
    RawStep::Put {
        kind: String::from("thing"),
        id: id.to_owned(),
        key_version: 1,
        sealed: sealed.to_vec(),
        indexes: indexes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect(),
    }
}

fn delete(id: &str) -> RawStep {
    RawStep::Delete {
        kind: String::from("thing"),
        id: id.to_owned(),
    }
}

fn expect(id: &str, version: u64) -> RawStep {
    RawStep::Expect {
        kind: String::from("thing"),
        id: id.to_owned(),
        version,
    }
}

fn enqueue(id: &str, due: i64) -> RawStep {
    RawStep::Enqueue {
        queue: String::from("queue"),
        id: id.to_owned(),
        due: at(due),
        sealed: id.as_bytes().to_vec(),
    }
}

fn ids(
    backend: &dyn Backend,
    index: Option<(&str, &[u8])>,
    after: &str,
    limit: usize,
) -> Result<Vec<String>, String> {
    let rows = backend.list("thing", index, after, limit).map_err(fault)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

fn claim(backend: &dyn Backend, limit: usize, now: i64) -> Result<Vec<Ticket>, String> {
    let claimed = backend
        .claim("queue", Duration::from_micros(100), limit, at(now))
        .map_err(fault)?;
    Ok(claimed.into_iter().map(|(ticket, _)| ticket).collect())
}

fn put_get_delete(backend: &dyn Backend) -> Held {
    holds(
        backend.get("thing", "a").map_err(fault)?.is_none(),
        "an absent record is absent",
    )?;
    let first = backend
        .transact(vec![put("a", b"one", &[])])
        .map_err(fault)?;
    let read = backend.get("thing", "a").map_err(fault)?;
    holds(
        read.is_some_and(|row| {
            row.sealed == b"one" && row.version == first && row.key_version == 1
        }),
        "reads what was put",
    )?;
    holds(
        backend.get("other", "a").map_err(fault)?.is_none(),
        "kinds are apart",
    )?;
    let second = backend
        .transact(vec![put("a", b"two", &[])])
        .map_err(fault)?;
    let read = backend.get("thing", "a").map_err(fault)?;
    holds(
        read.is_some_and(|row| row.sealed == b"two" && row.version == second),
        "a put replaces",
    )?;
    backend
        .transact(vec![delete("a"), delete("a")])
        .map_err(fault)?;
    holds(
        backend.get("thing", "a").map_err(fault)?.is_none(),
        "deleted is gone, and deleting twice is fine",
    )
}

fn versions_grow(backend: &dyn Backend) -> Held {
    let first = backend.transact(vec![put("a", b"", &[])]).map_err(fault)?;
    backend.transact(vec![delete("a")]).map_err(fault)?;
    let second = backend.transact(vec![put("a", b"", &[])]).map_err(fault)?;
    holds(
        first > 0 && second > first,
        "the version of a record made anew is a new one",
    )?;
    let stale = backend.transact(vec![expect("a", first), put("a", b"x", &[])]);
    holds(
        matches!(stale, Err(Fault::Conflict { .. })),
        "the old version no longer counts",
    )
}

fn lists_are_paged(backend: &dyn Backend) -> Held {
    backend
        .transact(
            ["c", "a", "e", "b", "d"]
                .map(|id| put(id, b"", &[]))
                .to_vec(),
        )
        .map_err(fault)?;
    holds(ids(backend, None, "", 2)? == ["a", "b"], "the first page")?;
    holds(ids(backend, None, "b", 2)? == ["c", "d"], "the second page")?;
    holds(ids(backend, None, "d", 2)? == ["e"], "the last page")?;
    holds(
        ids(backend, None, "e", 2)?.is_empty(),
        "nothing after the end",
    )
}

fn indexes_follow(backend: &dyn Backend) -> Held {
    let steps = vec![
        put("a", b"", &[("color", "red")]),
        put("b", b"", &[("color", "blue")]),
        put("c", b"", &[("color", "red")]),
    ];
    backend.transact(steps).map_err(fault)?;
    holds(
        ids(backend, Some(("color", b"red")), "", 9)? == ["a", "c"],
        "finds all with the value",
    )?;
    holds(
        ids(backend, Some(("color", b"red")), "a", 9)? == ["c"],
        "pages within an index",
    )?;
    holds(
        ids(backend, Some(("shape", b"red")), "", 9)?.is_empty(),
        "other indexes are apart",
    )?;
    backend
        .transact(vec![put("a", b"", &[("color", "blue")]), delete("c")])
        .map_err(fault)?;
    holds(
        ids(backend, Some(("color", b"red")), "", 9)?.is_empty(),
        "changed and deleted records are forgotten",
    )?;
    holds(
        ids(backend, Some(("color", b"blue")), "", 9)? == ["a", "b"],
        "changed records are found anew",
    )
}

fn transactions_are_whole(backend: &dyn Backend) -> Held {
    backend
        .transact(vec![put("a", b"before", &[("color", "red")])])
        .map_err(fault)?;
    let steps = vec![
        put("a", b"after", &[("color", "blue")]),
        put("b", b"", &[]),
        enqueue("j", 0),
        expect("absent", 7),
    ];
    holds(
        backend.transact(steps).is_err(),
        "a failed expectation fails the transaction",
    )?;
    let read = backend.get("thing", "a").map_err(fault)?;
    holds(
        read.is_some_and(|row| row.sealed == b"before"),
        "earlier steps are undone",
    )?;
    holds(
        backend.get("thing", "b").map_err(fault)?.is_none(),
        "new records are undone",
    )?;
    holds(
        ids(backend, Some(("color", b"red")), "", 9)? == ["a"],
        "indexes are undone",
    )?;
    holds(claim(backend, 9, 10)?.is_empty(), "jobs are undone")
}

fn expectations_name_the_record(backend: &dyn Backend) -> Held {
    let version = backend
        .transact(vec![expect("a", 0), put("a", b"", &[])])
        .map_err(fault)?;
    backend
        .transact(vec![expect("a", version), put("a", b"", &[])])
        .map_err(fault)?;
    let conflict = backend.transact(vec![expect("a", version), put("a", b"", &[])]);
    let named =
        matches!(conflict, Err(Fault::Conflict { kind, id }) if kind == "thing" && id == "a");
    holds(named, "the conflict names kind and id")?;
    holds(
        backend.transact(vec![expect("a", 0)]).is_err(),
        "an expected absence fails on a record that is there",
    )
}

fn named_values_compare(backend: &dyn Backend) -> Held {
    holds(
        backend.meta("test").map_err(fault)?.is_none(),
        "absent at first",
    )?;
    backend.set_meta("test", None, b"one").map_err(fault)?;
    holds(
        backend.set_meta("test", None, b"two").is_err(),
        "not twice from nothing",
    )?;
    backend
        .set_meta("test", Some(b"one"), b"two")
        .map_err(fault)?;
    holds(
        backend.set_meta("test", Some(b"one"), b"three").is_err(),
        "not from an old value",
    )?;
    holds(
        backend.meta("test").map_err(fault)?.as_deref() == Some(b"two"),
        "reads what was set",
    )
}

fn named_values_belong_to_transactions(backend: &dyn Backend) -> Held {
    let named = |before: Option<&[u8]>, after: &[u8]| RawStep::Meta {
        name: String::from("held"),
        before: before.map(<[u8]>::to_vec),
        after: after.to_vec(),
    };
    let both = vec![put("a", b"1", &[]), named(None, b"one")];
    backend.transact(both).map_err(fault)?;
    let late = backend.transact(vec![put("a", b"2", &[]), named(None, b"two")]);
    holds(
        matches!(late, Err(Fault::Conflict { .. })),
        "a named value that is another one by now is not replaced",
    )?;
    let row = backend.get("thing", "a").map_err(fault)?;
    holds(
        row.is_some_and(|row| row.sealed == b"1"),
        "nor are the records of that transaction",
    )?;
    let next = vec![named(Some(b"one"), b"two"), expect("a", 9_999)];
    holds(backend.transact(next).is_err(), "an expectation fails")?;
    let value = backend.meta("held").map_err(fault)?;
    holds(
        value.as_deref() == Some(b"one"),
        "a transaction that fails leaves the named value as it was",
    )
}

fn versions_are_expected(backend: &dyn Backend) -> Held {
    let next = backend.position().map_err(fault)?.saturating_add(1);
    let written = backend.transact(vec![RawStep::Version(next), put("a", b"1", &[])]);
    holds(
        written.map_err(fault)? == next,
        "the version that was expected is the one that is given",
    )?;
    for other in [next, next.saturating_add(2)] {
        let refused = backend.transact(vec![RawStep::Version(other), put("b", b"1", &[])]);
        holds(
            matches!(refused, Err(Fault::Conflict { .. })),
            "another version is refused",
        )?;
    }
    let row = backend.get("thing", "b").map_err(fault)?;
    holds(row.is_none(), "and leaves nothing")
}

fn everything_is_given(backend: &dyn Backend) -> Held {
    backend.set_meta("held", None, b"one").map_err(fault)?;
    let other = RawStep::Put {
        kind: String::from("another"),
        id: String::from("z"),
        key_version: 2,
        sealed: b"3".to_vec(),
        indexes: Vec::new(),
    };
    let steps = vec![put("b", b"2", &[]), other, put("a", b"1", &[])];
    backend.transact(steps).map_err(fault)?;
    let (value, rows) = backend.everything("held", 3).map_err(fault)?;
    holds(value.as_deref() == Some(b"one"), "the named value is given")?;
    let found = rows
        .iter()
        .map(|(kind, row)| (kind.as_str(), &*row.id, row.key_version));
    let expected = [("another", "z", 2), ("thing", "a", 1), ("thing", "b", 1)];
    holds(found.eq(expected), "all records are given, in order")?;
    holds(
        matches!(backend.everything("held", 2), Err(Fault::TooLarge { .. })),
        "too many are refused",
    )?;
    holds(
        backend.entries_and_jobs().map_err(fault)? == 0,
        "there are no entries and jobs",
    )?;
    backend.transact(vec![enqueue("j", 1)]).map_err(fault)?;
    backend.append("s", 1, vec![b"x".to_vec()]).map_err(fault)?;
    holds(
        backend.entries_and_jobs().map_err(fault)? == 2,
        "entries and jobs are counted",
    )
}

fn streams_have_no_gaps(backend: &dyn Backend) -> Held {
    holds(
        backend.stream_end("s").map_err(fault)? == 0,
        "empty at first",
    )?;
    backend
        .append("s", 1, vec![b"a".to_vec(), b"b".to_vec()])
        .map_err(fault)?;
    for wrong in [0, 1, 2, 4] {
        let appended = backend.append("s", wrong, vec![b"x".to_vec()]);
        holds(
            matches!(appended, Err(Fault::Conflict { .. })),
            "only the next position can be appended",
        )?;
    }
    backend.append("s", 3, vec![b"c".to_vec()]).map_err(fault)?;
    holds(
        backend.stream_end("s").map_err(fault)? == 3,
        "the end moves",
    )?;
    let read = backend.read_stream("s", 2, 9).map_err(fault)?;
    holds(
        read == [(2, b"b".to_vec()), (3, b"c".to_vec())],
        "reads from a position on",
    )?;
    holds(
        backend.read_stream("s", 1, 1).map_err(fault)?.len() == 1,
        "the limit holds",
    )?;
    holds(
        backend.stream_end("t").map_err(fault)? == 0,
        "streams are apart",
    )
}

fn claims_are_leases(backend: &dyn Backend) -> Held {
    backend
        .transact(vec![enqueue("a", 1), enqueue("b", 2)])
        .map_err(fault)?;
    let first = claim(backend, 1, 10)?;
    holds(
        first
            .first()
            .is_some_and(|ticket| ticket.id == "a" && ticket.attempt == 1),
        "the job due first comes first",
    )?;
    let second = claim(backend, 9, 10)?;
    holds(
        second.len() == 1 && second.iter().all(|ticket| ticket.id == "b"),
        "a claimed job is hidden",
    )?;
    holds(claim(backend, 9, 109)?.is_empty(), "until its lease ends")?;
    holds(
        claim(backend, 9, 110)?
            .iter()
            .all(|ticket| ticket.attempt == 2),
        "then it comes back, counted",
    )
}

fn latest_claim_settles(backend: &dyn Backend) -> Held {
    backend.transact(vec![enqueue("a", 0)]).map_err(fault)?;
    let (old, new) = (claim(backend, 1, 0)?, claim(backend, 1, 100)?);
    let (Some(old), Some(new)) = (old.first(), new.first()) else {
        return Err(String::from("an unsettled job comes back"));
    };
    holds(
        !backend.settle(old, Outcome::Done).map_err(fault)?,
        "the old claim settles nothing",
    )?;
    holds(
        backend
            .settle(new, Outcome::Again(at(500)))
            .map_err(fault)?,
        "the new one does",
    )?;
    holds(
        claim(backend, 1, 499)?.is_empty(),
        "again, but not earlier than asked",
    )?;
    let third = claim(backend, 1, 500)?;
    let settled = third
        .first()
        .map(|ticket| backend.settle(ticket, Outcome::Done))
        .transpose()
        .map_err(fault)?;
    holds(
        settled == Some(true) && claim(backend, 1, 9_999)?.is_empty(),
        "a done job is gone",
    )
}

fn jobs_wait_until_due(backend: &dyn Backend) -> Held {
    backend.transact(vec![enqueue("a", 100)]).map_err(fault)?;
    holds(
        claim(backend, 1, 99)?.is_empty() && claim(backend, 1, 100)?.len() == 1,
        "due means due",
    )?;
    let other = backend
        .claim("other", Duration::ZERO, 1, at(1_000))
        .map_err(fault)?;
    holds(other.is_empty(), "queues are apart")
}

fn counters_add_up(backend: &dyn Backend) -> Held {
    let window = |start| Window {
        start: at(start),
        keep_until: at(start + 100),
    };
    holds(
        backend.bump("c", window(0), 2).map_err(fault)? == 2,
        "begins at nothing",
    )?;
    holds(
        backend.bump("c", window(0), 3).map_err(fault)? == 5,
        "adds up",
    )?;
    holds(
        backend.bump("d", window(0), 1).map_err(fault)? == 1,
        "counters are apart",
    )?;
    holds(
        backend.bump("c", window(50), 1).map_err(fault)? == 1,
        "windows are apart",
    )?;
    backend.bump("c", window(101), 1).map_err(fault)?;
    holds(
        backend.bump("c", window(0), 1).map_err(fault)? == 1,
        "an old window was forgotten",
    )
}

fn watchers_see_changes(backend: &dyn Backend) -> Held {
    let start = backend.position().map_err(fault)?;
    backend
        .transact(vec![
            put("a", b"", &[]),
            put("b", b"", &[]),
            delete("a"),
            delete("absent"),
        ])
        .map_err(fault)?;
    let seen = backend.watch(start, 9, Duration::ZERO).map_err(fault)?;
    let named: Vec<_> = seen.iter().map(|change| change.id.as_str()).collect();
    holds(
        named == ["a", "b", "a"],
        "each change once, in order; deleting nothing is no change",
    )?;
    let middle = seen.first().map_or(0, |change| change.position);
    holds(
        backend
            .watch(middle, 1, Duration::ZERO)
            .map_err(fault)?
            .len()
            == 1,
        "from a position on, up to the limit",
    )?;
    let end = backend.position().map_err(fault)?;
    holds(
        backend
            .watch(end, 9, Duration::from_millis(1))
            .map_err(fault)?
            .is_empty(),
        "nothing new, nothing told",
    )?;
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| backend.watch(end, 9, Duration::from_secs(20)));
        backend.transact(vec![put("c", b"", &[])]).map_err(fault)?;
        let woken = watcher
            .join()
            .map_err(|_| String::from("the watcher panicked"))?
            .map_err(fault)?;
        holds(
            woken.iter().any(|change| change.id == "c"),
            "a waiting watcher is woken",
        )
    })
}

fn late_watchers_are_told(backend: &dyn Backend) -> Held {
    let start = backend.position().map_err(fault)?;
    for _ in 0..=CHANGES_KEPT / 500 {
        backend
            .transact((0..500).map(|id| put(&id.to_string(), b"", &[])).collect())
            .map_err(fault)?;
    }
    let late = backend.watch(start, 9, Duration::ZERO);
    holds(
        matches!(late, Err(Fault::Missed { oldest }) if oldest > start + 1),
        "changes that are gone are not passed over in silence",
    )
}

fn concurrent_writers(backend: &dyn Backend) -> Held {
    let window = Window {
        start: at(0),
        keep_until: at(1),
    };
    let writer = |name: usize| {
        for number in 0..25 {
            backend
                .transact(vec![put(&format!("{name}-{number:02}"), b"", &[])])
                .map_err(fault)?;
            backend.bump("all", window, 1).map_err(fault)?;
        }
        Ok::<(), String>(())
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|name| scope.spawn(move || writer(name)))
            .collect();
        writers.into_iter().try_for_each(|writer| {
            writer
                .join()
                .map_err(|_| String::from("a writer panicked"))?
        })
    })?;
    holds(
        ids(backend, None, "", 200)?.len() == 100,
        "every record is there",
    )?;
    holds(
        backend.bump("all", window, 1).map_err(fault)? == 101,
        "every count is there",
    )
}
