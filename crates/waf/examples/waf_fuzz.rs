//! Mutates seeds over every parser, transformation and body reader, and over the pack.
//! `cargo run -p waf --release --example waf_fuzz [SECONDS [SEED]]`; a panic names the input.
//! Guided fuzzing of the same doors lies in `fuzz/`; this one needs nothing but the compiler.
#![expect(
    clippy::expect_used,
    reason = "a measuring program may stop where it stands"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use waf::body::{Processor, cookies, parse, urlencoded};
use waf::seclang::{RuleSet, Transform};
use waf::{
    LeakKind, LeakScanner, Part, Place, Plan, RequestFacts, RuleFile, RuleFiles, Settings, masked,
};

const SEEDS: [&str; 16] = [
    "a=1&b=%41%u0042+x&c",
    "{\"a\":{\"b\":[1,\"x\\u0041\"]},\"$ne\":null}",
    "<?xml version='1.0'?><!DOCTYPE r [<!ENTITY x 'y'>]><a b='1&lt;2'>t&amp;u<![CDATA[<c>]]></a>",
    "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\\\".txt\"\r\nContent-Type: a\r\n\r\nhello\r\n--B--\r\n",
    "' OR 1=1-- /*!50000union*/ select",
    "<svg/onload=alert(1)> &#x3c; &lt;",
    "; c'a't${IFS}/etc/passwd | base64",
    "..%2f..%2f....//etc/passwd\0",
    "${${lower:j}ndi:ldap://[::1]/a} {{7*7}}",
    "UmVwbGFjZSB0aGUgcHVtcCBmaWx0ZXI= eyJhIjoiYiJ9",
    "http://0x7f.1@2130706433:80/\u{2460}",
    "*)(uid=*))(|(uid=* ' or count(/*)=1",
    "4111 1111 1111 1111 DE89 3704 0044 0532 0130 00",
    "SecRule ARGS|!ARGS:/a|b/ \"!@rx ^(?:a|b)$\" \"id:1,phase:2,t:lowercase,setvar:'tx.a=+%{tx.b}',chain\"\nSecRule &TX:a \"@lt 2\" \"t:none\"\n",
    "SecRule XML:/*|XML://@* \"@pm a b\" \"id:2,skipAfter:E\"\nSecMarker E\n",
    "\\x41\\u0041\\101\\75 \\6a\\ud83d %u00e9 \u{e9}\u{ff1c}",
];

fn main() {
    let mut words = std::env::args()
        .skip(1)
        .map(|word| word.parse::<u64>().unwrap_or(1));
    let seconds = words.next().unwrap_or(30);
    let mut dice = SplitMix64(words.next().unwrap_or(0x5EED) | 1);
    let plan = waf::compile(&Settings::default(), &RuleFiles::none()).expect("the pack compiles");
    let scanner = LeakScanner::compile().expect("the leak rules compile");
    let begun = Instant::now();
    let (mut runs, mut slowest) = (0u64, Duration::ZERO);
    while begun.elapsed() < Duration::from_secs(seconds) {
        let input = dice.input();
        let from = Instant::now();
        if catch_unwind(AssertUnwindSafe(|| one(&input, &plan, &scanner))).is_err() {
            println!("PANIC on {:?}", String::from_utf8_lossy(&input));
            println!("bytes {input:?}");
            std::process::exit(1);
        }
        slowest = slowest.max(from.elapsed());
        runs += 1;
    }
    println!("{runs} inputs in {seconds} s, no finding, slowest {slowest:?}");
}

/// Shows one input to every door.
fn one(input: &[u8], plan: &Plan, scanner: &LeakScanner) {
    for transform in Transform::ALL {
        let _ = transform.apply(input);
    }
    let _ = (urlencoded(input), cookies(input));
    for processor in ["URLENCODED", "MULTIPART", "JSON", "XML"] {
        let _ = parse(
            Processor::named(processor),
            b"multipart/form-data; boundary=B",
            input,
        );
    }
    let files = RuleFiles {
        rules: vec![RuleFile {
            name: "fuzz".to_owned(),
            text: input.to_vec(),
        }],
        ..RuleFiles::default()
    };
    let _ = RuleSet::load(&files);
    let parts = [
        Part::value(Place::Body, "/a", input),
        Part::name(Place::Body, "/a", input),
        Part {
            url: true,
            ..Part::value(Place::Query, "a", input)
        },
    ];
    let _ = waf::inspect(&parts, &RequestFacts::default(), plan, 0);
    let found = scanner.find(input, &LeakKind::ALL);
    assert_eq!(
        masked(input, &found).len(),
        input.len(),
        "masking keeps the length"
    );
}

/// A generator that needs no crate.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap_or(0) % limit.max(1)
    }

    /// One or two seeds, cut, joined and mutated.
    fn input(&mut self) -> Vec<u8> {
        let pick = |dice: &mut SplitMix64| {
            SEEDS
                .get(dice.below(SEEDS.len()))
                .map(|seed| seed.as_bytes())
                .unwrap_or_default()
        };
        let first = pick(self);
        let second = pick(self);
        let cut = self.below(first.len() + 1);
        let mut bytes = [first.get(..cut).unwrap_or_default(), second].concat();
        for _ in 0..self.below(8) {
            let at = self.below(bytes.len() + 1);
            match self.below(5) {
                0 => bytes.insert(at, self.next().to_le_bytes()[0]),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 => {
                    if let Some(place) = bytes.get_mut(at) {
                        *place ^= 1 << (self.next() % 8);
                    }
                }
                3 => {
                    let piece: Vec<u8> = bytes
                        .get(at..)
                        .unwrap_or_default()
                        .iter()
                        .copied()
                        .take(12)
                        .collect();
                    bytes.extend(piece);
                }
                _ => bytes.extend(b"%\\&<{[\"'(".iter().copied().skip(self.below(9)).take(2)),
            }
        }
        bytes
    }
}
