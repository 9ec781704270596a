//! Bar: a search whose question is a body tells no more than a list that is asked by a query. Two worlds that differ only in
//! what the caller may not see answer every search with the same bytes, page after page.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use demo::split_mix::SplitMix64;
use demo::{Call, CallResponse, Listener};
use serde_json::Value;
use testkit::{Play, RecordingUpstream, Scale, bar, wire};

use crate::questions::interference::{told, twins};
use crate::questions::jobs::{Spec, World};
use crate::questions::searching;
use crate::serve;

/// Integrations with grants of all sorts.
const SPECS: usize = 40;
/// Pages that are followed: more than a list of visible objects has.
const PAGES_MAX: usize = 16;

/// Two worlds and one question about them.
struct Case {
    spec: usize,
    worlds: [World; 2],
    body: Value,
}

/// What was seen, so that the generator cannot ask nothing.
#[derive(Default)]
struct Counts {
    asked: AtomicUsize,
    passed: AtomicUsize,
    refused: AtomicUsize,
    followed: AtomicUsize,
    whole: AtomicUsize,
    strayed: AtomicUsize,
    leaks: AtomicUsize,
    wrong: AtomicUsize,
}

fn add(count: &AtomicUsize) {
    count.fetch_add(1, Ordering::Relaxed);
}

fn ids(response: &Value) -> Vec<Value> {
    let items = response["items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|item| item["id"].clone()).collect()
}

/// The objects that all pages together hold: the visible ones that are asked for, in the upstream's order.
fn expected(case: &Case, rules: &Spec) -> Vec<Value> {
    let world = case.worlds[0].iter();
    let visible: World = world.filter(|job| rules.held(job) != 0).cloned().collect();
    let mut body = case.body.clone();
    body["page"] = serde_json::json!({ "size": 1_000 });
    ids(&searching::answer(&visible, body.to_string().as_bytes()))
}

/// Asks both worlds the same, page after page.
fn compare(
    index: usize,
    (case, other): (&Case, &Case),
    rules: &Spec,
    counts: &Counts,
    ask: impl Fn(&Call) -> CallResponse,
) {
    let mut cursors = [None::<String>, None];
    let mut listed = Vec::new();
    let both = |cursors: &[Option<String>; 2], body: &Value| {
        [0, 1].map(|side| {
            let body = match &cursors[side] {
                Some(cursor) => searching::with_page(body, "after", cursor),
                None => body.clone(),
            };
            told(&ask(&searching::search(index * 2 + side, &body)))
        })
    };
    for page in 0..PAGES_MAX {
        let [a, b] = both(&cursors, &case.body);
        add(&counts.asked);
        if (a.0, &a.1, &a.2) != (b.0, &b.1, &b.2) {
            add(&counts.leaks);
            println!(
                "case {index}, page {page}: {} by {rules:?}\n{a:?}\n{b:?}",
                case.body
            );
            return;
        }
        if a.0 != 200 {
            return add(&counts.refused);
        }
        add(&counts.passed);
        let response: Value = serde_json::from_str(&a.2).unwrap_or_default();
        listed.extend(ids(&response));
        cursors = [a.3, b.3];
        if cursors[0].is_none() {
            // Who is not shown the cursor does not get beyond the first page.
            if response.get("next").is_some() {
                add(&counts.whole);
                if listed != expected(case, rules) {
                    add(&counts.wrong);
                    println!("case {index}: {} by {rules:?}: {listed:?}", case.body);
                }
            }
            return;
        }
        add(&counts.followed);
        // The cursor of one question with another one.
        let [c, d] = both(&cursors, &other.body);
        let is_told = (c.0, &c.1, &c.2) != (d.0, &d.1, &d.2);
        counts
            .leaks
            .fetch_add(usize::from(is_told), Ordering::Relaxed);
        counts
            .strayed
            .fetch_add(usize::from(c.0 == 400), Ordering::Relaxed);
    }
}

fn upstream(cases: Arc<Vec<Case>>) -> RecordingUpstream {
    RecordingUpstream::start(move |asked| {
        let world: usize = asked.target.split('/').nth(3).unwrap().parse().unwrap();
        let world = &cases[world / 2].worlds[world % 2];
        let body = searching::answer(world, &asked.body);
        Play::Response(testkit::json_response(200, &body.to_string()))
    })
}

#[test]
fn a_search_by_body_tells_nothing_hidden_from_nothing() {
    let mut dice = SplitMix64::new(20_261_201);
    let specs: Vec<Spec> = (0..SPECS)
        .map(|_| {
            let mut spec = Spec::random(&mut dice);
            spec.grants.iter_mut().for_each(|grant| grant.query = None);
            spec
        })
        .collect();
    let count = Scale::pick(250, 2_000, 10_000);
    let case = |dice: &mut SplitMix64| {
        let spec = usize::try_from(dice.below(SPECS as u64)).unwrap();
        Case {
            spec,
            worlds: twins(&specs[spec], dice),
            body: searching::random(dice),
        }
    };
    let cases: Arc<Vec<Case>> = Arc::new((0..count).map(|_| case(&mut dice)).collect());
    let upstream = upstream(Arc::clone(&cases));
    let server = serve(searching::gate(upstream.address(), &specs));
    let keys: Vec<String> = (0..SPECS)
        .map(|n| server.quick_key(&format!("asker-{n}"), &[]).text)
        .collect();
    let address = server.address(Listener::Public.name());
    let (counts, turn) = (Counts::default(), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let index = turn.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { return };
                    let ask = |asked: &Call| wire::send(address, asked, Some(&keys[case.spec]));
                    let other = &cases[(index + 1) % cases.len()];
                    compare(index, (case, other), &specs[case.spec], &counts, ask);
                }
            });
        }
    });
    report(&counts, count);
}

fn report(counts: &Counts, count: usize) {
    let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    let (asked, leaks, wrong) = (of(&counts.asked), of(&counts.leaks), of(&counts.wrong));
    let needed = Scale::pick(1, 500, 500);
    bar(
        "X2",
        "searches by POST asked in two worlds each",
        asked,
        asked >= needed,
    );
    bar("X2", "leaks of searches by POST", leaks, leaks == 0);
    bar(
        "X2",
        "searches by POST whose pages together were the visible objects",
        format!("{}, {wrong} wrong", of(&counts.whole)),
        wrong == 0,
    );
    assert_eq!((leaks, wrong), (0, 0), "told apart, or not what is visible");
    // The generator asks what can be answered, what cannot, and goes on to further pages, its own and others'.
    let seen = [
        &counts.passed,
        &counts.refused,
        &counts.followed,
        &counts.whole,
        &counts.strayed,
    ]
    .map(of);
    let least = [count / 5, count / 10, count / 10, count / 20, count / 30];
    assert!(
        seen.iter().zip(least).all(|(n, least)| *n > least),
        "{seen:?}"
    );
}
