//! Long ordinary texts pass, and attacks inside of long texts do not.
//! Start reading at `long_ordinary_texts_pass`. `LONG_SEED` makes other texts; every wrong refusal is printed with the words that
//! it took.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test may stop where it stands"
)]

#[path = "../../../testkit/src/bar.rs"]
mod bar;
#[path = "corpus/files.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod files;
#[path = "corpus/long_texts/mod.rs"]
mod long_texts;
#[path = "corpus/mod.rs"]
#[expect(dead_code, unused_imports, reason = "other tests use the rest")]
mod payloads;

use bar::{Scale, bar};
use std::collections::BTreeMap;
use waf::{Findings, Part, Place, Plan, RequestFacts, RuleFiles, Settings};

/// Characters that a text has at least.
const LENGTH: usize = 2_000;

fn plan() -> Plan {
    waf::compile(&Settings::default(), &RuleFiles::none()).expect("the default pack compiles")
}

fn seed() -> u64 {
    std::env::var("LONG_SEED").map_or(1, |seed| seed.parse().expect("a number"))
}

fn judged(plan: &Plan, text: &str) -> Findings {
    let parts = [Part::value(Place::Body, "/note", text.as_bytes())];
    waf::inspect(&parts, &RequestFacts::default(), plan, 0)
}

#[test]
fn long_ordinary_texts_pass() {
    let plan = plan();
    let texts = long_texts::texts(seed(), Scale::pick(280, 1_400, 7_000), LENGTH);
    let mut rules: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = 0;
    for text in &texts {
        let found = judged(&plan, text);
        if !found.refuse {
            continue;
        }
        wrong += 1;
        for hit in &found.findings {
            *rules.entry(hit.rule.clone()).or_default() += 1;
            println!(
                "{} {:?}: {:?}",
                hit.rule,
                hit.chain,
                shrunk(&plan, text, &hit.rule)
            );
        }
    }
    for (rule, count) in rules {
        println!("{count:5} {rule}");
    }
    let percent = 100.0 * wrong as f64 / texts.len() as f64;
    let figure = format!("{percent:.1} ({wrong} of {})", texts.len());
    bar(
        "E3",
        "long ordinary texts refused, percent",
        figure,
        percent <= 2.0,
    );
    assert!(percent <= 2.0, "{wrong} of {} refused", texts.len());
}

/// How many of a hundred attacks have to be refused inside of a long text. Those that are all of a value (an address, the path of
/// a file, a condition on a number) are none there.
const INSIDE_MIN: f64 = 85.0;

#[test]
fn attacks_inside_of_long_texts_are_refused() {
    let plan = plan();
    let texts = long_texts::texts(seed(), 28, LENGTH);
    let texts: Vec<String> = texts
        .into_iter()
        .filter(|text| !judged(&plan, text).refuse)
        .collect();
    assert!(texts.len() > 20, "{} texts pass", texts.len());
    let mut attacks = payloads::payloads();
    attacks.extend(files::attacks());
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut hits = 0;
    let step = Scale::pick(11, 1, 1);
    for (number, (class, attack)) in attacks.iter().enumerate().step_by(step) {
        let text = &texts[number % texts.len()];
        let half = (LENGTH / 2..)
            .find(|at| text.is_char_boundary(*at))
            .expect("a letter");
        let inside = format!("{}\n{attack}\n{}", &text[..half], &text[half..]);
        let count = counts.entry(class).or_default();
        count.1 += 1;
        if judged(&plan, &inside).refuse {
            count.0 += 1;
            hits += 1;
        } else {
            println!("missed {class}: {attack:?}");
        }
    }
    for (class, (hit, all)) in counts {
        println!("{class:20} {hit:5} of {all:5}");
    }
    let all: usize = attacks.len().div_ceil(step);
    let percent = 100.0 * hits as f64 / all as f64;
    let figure = format!("{percent:.1} ({hits} of {all})");
    bar(
        "E3",
        "attacks inside of long texts refused, percent",
        figure,
        percent >= INSIDE_MIN,
    );
    assert!(percent >= INSIDE_MIN, "{hits} of {all}");
}

/// Ordinary words and what an attack makes of them.
const TWINS: &[(&str, &str)] = &[
    (
        "keys on hook; grant all to Anna",
        "x'; grant all on db.* to 'anna'@'%'-- ",
    ),
    ("lights off; shutdown of plant 2 at noon", "1; shutdown"),
    (
        "lights off; shutdown; keys on hook",
        "1; shutdown with nowait--",
    ),
    ("read and 5 > 3 so all good", "1 and 5 > 3"),
    ("read 20 and 40 > 3 so all good", "x' and 40 > 3-- "),
    (
        "the sheet says rows \"where qty < min",
        "x\" where qty < min -- ",
    ),
    ("either 3 = 4 or 5 = 5, says Anna", "3 or 5 = 5"),
    (
        "full; restore database room for Tom",
        "1; restore database x from disk='y'",
    ),
    ("truncate table top by 5 cm", "truncate table users;"),
    ("shift; call center(day) is closed", "1; call reset(1)"),
    (
        "we look: if (28 > 31) then stop, else go on",
        "1 and if(28 > 31, 1, sleep(2))",
    ),
    (
        "the board (select one), the shaft, all from stock",
        "1 and (select 1 from users) = 1",
    ),
    (
        "Anna says count(10) and sum(7) do not match",
        "1' and count(//user) = 1 or '",
    ),
    (
        "all of us group by 17 and order by 12; see list",
        "1 order by 12--",
    ),
    (
        "use warnings tape and strict order",
        "use strict; system 'id'",
    ),
    (
        "| who | what |\n|-----|------|\n| Tom | ls |",
        "x | who | ls",
    ),
    ("rooms: nl 7\ncp 12\nrm 34 & more", "x\ncp /etc/passwd y"),
    ("document. Cookie crumbs in hall B", "x=document.cookie"),
    ("onload = 23 kg; onset = 2 h", "\" onload = alert(23) x=\""),
    (
        "said it\nis all well\nHTTP/1.1 503 Service Unavailable",
        "en\nHTTP/1.1 200 OK",
    ),
    (
        "From: Anna\nTo: Tom\nContent-Type: text/plain",
        "en\r\nContent-Type: text/html",
    ),
    (
        "<p class=\"MsoNormal\" style=\"margin:0\">Dear Anna,<o:p></o:p></p><img src=\"cid:a@b\" alt=\"x\">",
        "<p class=\"MsoNormal\" style=\"margin:0\" onclick=\"alert(1)\">Dear Anna,</p>",
    ),
    (
        "<a href=\"https://example.com/a?b=1\" target=\"_blank\">list</a>",
        "<a href=\"javascript:alert(1)\" target=\"_blank\">list</a>",
    ),
    (
        "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">",
        "<meta http-equiv=\"refresh\" content=\"0;url=data:text/html,x\">",
    ),
    (
        "<style>p {margin:0}</style>",
        "<style>@import 'https://x.example/a'</style>",
    ),
    (":-) (cn=Tom) is the entry", "x)(cn=*"),
];

#[test]
fn ordinary_words_pass_and_the_attacks_that_look_like_them_do_not() {
    let plan = plan();
    let mut wrong = Vec::new();
    for (ordinary, attack) in TWINS {
        let found = judged(&plan, ordinary);
        if found.refuse {
            let rules: Vec<&str> = found.findings.iter().map(|hit| hit.rule.as_str()).collect();
            wrong.push(format!("refused {ordinary:?} {rules:?}"));
        }
        if !judged(&plan, attack).refuse {
            wrong.push(format!("passed {attack:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The shortest run of the text that the rule still meets, cut at blanks.
fn shrunk(plan: &Plan, text: &str, rule: &str) -> String {
    let meets = |text: &str| {
        let found = judged(plan, text);
        found.findings.iter().any(|hit| hit.rule == rule)
    };
    let mut text = text.to_owned();
    loop {
        let blanks = text
            .char_indices()
            .filter(|(_, letter)| letter.is_whitespace());
        let blanks: Vec<(usize, usize)> = blanks.map(|(at, l)| (at, at + l.len_utf8())).collect();
        let halves = std::iter::successors(Some(blanks.len() / 2), |step| Some(step / 2));
        let mut shorter = halves.take_while(|step| *step > 0).find_map(|step| {
            let (head, tail) = (
                &text[blanks[step - 1].1..],
                &text[..blanks[blanks.len() - step].0],
            );
            let shorter = [head, tail].into_iter().find(|text| meets(text));
            shorter.map(str::to_owned)
        });
        match shorter.take() {
            Some(shorter) => text = shorter,
            None => return text,
        }
    }
}
