//! Two worlds that differ only in what the caller may not see answer every question with the same bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use demo::split_mix::SplitMix64;
use demo::{Call, CallResponse, Listener};
use serde_json::Value;
use testkit::{Play, RecordingUpstream, Scale, wire};

use super::jobs::{self, FIELDS, Job, Spec, World};
use crate::{call, serve};

/// Integrations with grants of all sorts.
const SPECS: usize = 40;
/// Pages that are followed: more than a list of visible objects has.
const PAGES_MAX: usize = 16;

/// Two worlds and one question about them.
struct Case {
    spec: usize,
    worlds: [World; 2],
    path: &'static str,
    query: String,
    header: Option<&'static str>,
}

/// Where no page is filled again, a limit tells how many objects were left out between: that is documented and not
/// asked for here.
fn question(dice: &mut SplitMix64, path: &'static str) -> (String, Option<&'static str>) {
    const ASKED: [&str; 13] = [
        "limit=1",
        "limit=2",
        "limit=10",
        "status=open",
        "status=done",
        "owner=other",
        "owner=own",
        "q=an",
        "q=c",
        "minMargin=5",
        "sort=name",
        "sort=margin",
        "expand=x",
    ];
    const PLAIN: [&str; 5] = ["status=open", "owner=other", "owner=own", "q=an", "q=c"];
    let all: &[&str] = if path == "jobs" { &ASKED } else { &PLAIN };
    let mut chosen: Vec<&str> = Vec::new();
    for _ in 0..dice.below(4) {
        let one = dice.pick(all);
        let name = one.split('=').next();
        if !chosen.iter().any(|other| other.split('=').next() == name) {
            chosen.push(one);
        }
    }
    if path == "jobs" && dice.is_lucky(5) {
        chosen.push(dice.pick(&["legacy=other", "sort=priority", "sort=own"]));
    }
    let is_twice = chosen.iter().filter(|one| one.starts_with("sort")).count() > 1;
    if is_twice {
        chosen.pop();
    }
    let header = (path == "jobs" && dice.is_lucky(4)).then_some("done");
    (chosen.join("&"), header)
}

fn case(specs: &[Spec], dice: &mut SplitMix64) -> Case {
    let spec = usize::try_from(dice.below(u64::try_from(specs.len()).unwrap())).unwrap();
    let path = if dice.is_lucky(85) {
        "jobs"
    } else {
        "plain-jobs"
    };
    let worlds = twins(&specs[spec], dice);
    let (query, header) = question(dice, path);
    Case {
        spec,
        worlds,
        path,
        query,
        header,
    }
}

/// Two worlds that differ only in what these rules hide.
pub(crate) fn twins(rules: &Spec, dice: &mut SplitMix64) -> [World; 2] {
    let rolled: Vec<Job> = (0..10)
        .map(|n| Job::random(format!("v{n}"), dice))
        .collect();
    let visible: Vec<Job> = rolled
        .into_iter()
        .filter(|job| rules.held(job) != 0)
        .collect();
    let twin: Vec<Job> = visible
        .iter()
        .map(|job| altered(rules, job, dice))
        .collect();
    [woven(rules, &visible, dice), woven(rules, &twin, dice)]
}

/// The same object with other values where they are not seen, so that the same grants hold for it.
fn altered(rules: &Spec, job: &Job, dice: &mut SplitMix64) -> Job {
    for _ in 0..20 {
        let other = Job::random(job.id.clone(), dice);
        let (before, after) = (job.value(), other.value());
        let is_same = FIELDS
            .iter()
            .all(|field| !rules.sees(job, field) || before[field] == after[field]);
        if is_same && rules.held(&other) == rules.held(job) {
            return other;
        }
    }
    job.clone()
}

/// Hidden objects at random places between the visible ones.
fn woven(rules: &Spec, visible: &[Job], dice: &mut SplitMix64) -> World {
    let mut world = visible.to_vec();
    for n in 0..dice.below(14) {
        let hidden = Job::random(format!("h{n}"), dice);
        if rules.held(&hidden) == 0 {
            let place = dice.below(u64::try_from(world.len()).unwrap() + 1);
            world.insert(usize::try_from(place).unwrap(), hidden);
        }
    }
    world
}

/// The pairs of a query; nothing in it has to be decoded.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let split = query.split('&').filter_map(|pair| pair.split_once('='));
    split.map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

/// What a caller can tell two answers apart by. A sealed cursor is fresh each time; its length is not.
pub(crate) fn told(
    response: &CallResponse,
) -> (u16, Vec<(String, String)>, String, Option<String>) {
    let mut headers = response.headers.clone();
    headers.retain(|(name, _)| {
        !matches!(
            name.as_str(),
            "portcullis-decision" | "date" | "content-length"
        )
    });
    let mut text = response.text();
    let value: Value = serde_json::from_str(&text).unwrap_or_default();
    if let Some(decision) = value["decision_id"].as_str() {
        text = text.replace(decision, "dec");
    }
    let next = value["next"].as_str().map(str::to_owned);
    if let Some(next) = &next {
        text = text.replace(next, &format!("sealed {}", next.len()));
    }
    (response.status, headers, text, next)
}

/// What was seen, so that the generator cannot ask nothing.
#[derive(Default)]
struct Counts {
    passed: AtomicUsize,
    refused: AtomicUsize,
    followed: AtomicUsize,
    mixed: AtomicUsize,
    whole: AtomicUsize,
}

/// The objects that all pages together hold: those of the first world that are visible and asked for, in the upstream's order.
/// `None` where grants list the parameters that may be used with them: which of them hold depends on the question then.
fn expected(case: &Case, rules: &Spec) -> Option<Vec<Value>> {
    if rules.grants.iter().any(|grant| grant.query.is_some()) {
        return None;
    }
    let world = case.worlds[0].iter();
    let visible: World = world.filter(|job| rules.held(job) != 0).cloned().collect();
    let mut query = pairs(&case.query);
    query.retain(|(name, _)| name != "limit");
    query.push(("limit".to_owned(), "1000".to_owned()));
    let response = jobs::answer(&visible, case.path, &query, case.header);
    Some(ids(&response))
}

fn ids(response: &Value) -> Vec<Value> {
    let items = response["items"].as_array().unwrap();
    items.iter().map(|item| item["id"].clone()).collect()
}

/// Asks both worlds the same, page after page.
fn compare(
    index: usize,
    (case, other): (&Case, &Case),
    specs: &[Spec],
    counts: &Counts,
    ask: impl Fn(&Call) -> CallResponse,
) {
    let mut cursors = [None::<String>, None];
    let mut listed = Vec::new();
    for page in 0..PAGES_MAX {
        let put = |side: usize, query: &str| {
            let cursor = cursors[side]
                .as_ref()
                .map(|cursor| format!("cursor={cursor}"));
            let parts = [Some(query.to_owned()).filter(|q| !q.is_empty()), cursor];
            let query: Vec<String> = parts.into_iter().flatten().collect();
            let world = index * 2 + side;
            let target = format!("/v1/w/{world}/{}?{}", case.path, query.join("&"));
            let asked = call("GET", target.trim_end_matches('?'));
            told(&ask(&match case.header {
                Some(status) => asked.with("X-Status", status),
                None => asked,
            }))
        };
        let (a, b) = (put(0, &case.query), put(1, &case.query));
        assert_eq!(
            (a.0, &a.1, &a.2),
            (b.0, &b.1, &b.2),
            "case {index}, page {page}: {} of {} by {:?}\n{:?}",
            case.query,
            case.path,
            specs[case.spec],
            case.worlds
        );
        let counted = if a.0 == 200 {
            &counts.passed
        } else {
            &counts.refused
        };
        counted.fetch_add(1, Ordering::Relaxed);
        cursors = [a.3, b.3];
        let response: Value = serde_json::from_str(&a.2).unwrap();
        if a.0 == 200 {
            listed.extend(ids(&response));
        }
        if cursors[0].is_none() {
            // Who is not shown the cursor does not get beyond the first page.
            let is_whole = case.path == "plain-jobs" || response.get("next").is_some();
            let expected = expected(case, &specs[case.spec]);
            if let Some(expected) = expected.filter(|_| a.0 == 200 && is_whole) {
                assert_eq!(
                    listed, expected,
                    "case {index}: {} of {} by {:?}\n{:?}",
                    case.query, case.path, specs[case.spec], case.worlds[0]
                );
                counts.whole.fetch_add(1, Ordering::Relaxed);
            }
            return;
        }
        counts.followed.fetch_add(1, Ordering::Relaxed);
        cross(index, (case, other), &cursors, counts, &ask);
    }
}

/// Asks both worlds another question with the cursors of the first.
fn cross(
    index: usize,
    (case, other): (&Case, &Case),
    cursors: &[Option<String>; 2],
    counts: &Counts,
    ask: &impl Fn(&Call) -> CallResponse,
) {
    if case.path != other.path {
        return;
    }
    let [a, b] = [0, 1].map(|side| {
        let (world, path, query) = (index * 2 + side, case.path, &other.query);
        let cursor = cursors[side].as_deref().unwrap_or_default();
        let target = format!("/v1/w/{world}/{path}?{query}&cursor={cursor}");
        told(&ask(&call("GET", &target.replace("?&", "?"))))
    });
    assert_eq!(
        (a.0, &a.1, &a.2),
        (b.0, &b.1, &b.2),
        "case {index}: a cursor of {} with {}",
        case.query,
        other.query
    );
    let is_refused = a.2.contains("validate.query");
    counts
        .mixed
        .fetch_add(usize::from(is_refused), Ordering::Relaxed);
}

/// The upstream of all worlds: the path says which one is meant.
fn upstream(cases: Arc<Vec<Case>>) -> RecordingUpstream {
    RecordingUpstream::start(move |asked| {
        let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
        let world: usize = path.split('/').nth(3).unwrap().parse().unwrap();
        let world = &cases[world / 2].worlds[world % 2];
        let body = jobs::answer(world, path, &pairs(query), asked.header("x-status"));
        Play::Response(testkit::json_response(200, &body.to_string()))
    })
}

#[test]
fn worlds_that_differ_only_in_what_is_hidden_answer_with_the_same_bytes() {
    let mut dice = SplitMix64::new(20_261_130);
    let specs: Vec<Spec> = (0..SPECS).map(|_| Spec::random(&mut dice)).collect();
    let count = Scale::pick(2_400, 8_000, 30_000);
    let cases: Arc<Vec<Case>> = Arc::new((0..count).map(|_| case(&specs, &mut dice)).collect());
    let upstream = upstream(Arc::clone(&cases));
    let server = serve(jobs::gate(upstream.address(), &specs));
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
                    compare(index, (case, other), &specs, &counts, ask);
                }
            });
        }
    });
    let counted = [
        &counts.passed,
        &counts.refused,
        &counts.followed,
        &counts.whole,
        &counts.mixed,
    ]
    .map(|n| n.load(Ordering::Relaxed));
    // The generator asks what can be answered, what cannot, and goes on to further pages.
    let least = [count / 3, count / 10, count / 10, count / 20, count / 20];
    let is_varied = counted.iter().zip(least).all(|(n, least)| *n > least);
    assert!(is_varied, "{counted:?}");
    testkit::bar(
        "A3",
        "pairs of worlds that differ in what is hidden only, answered alike",
        count,
        true,
    );
    testkit::bar(
        "A3",
        "lists whose pages together were the visible objects, in order, nothing twice",
        counted[3],
        true,
    );
}
