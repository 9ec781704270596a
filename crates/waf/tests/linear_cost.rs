//! No text makes inspection cost more than in proportion to its length: by the engine's own count of work,
//! and by the CPU time of one thread over sizes up to 1 MB. Without optimisation the sizes are an eighth of that.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands"
)]

#[path = "corpus/wraps.rs"]
mod wraps;

use waf::body::{Processor, parse};
use waf::seclang::Transform;
use waf::{Class, LeakKind, LeakScanner, Part, Place, Plan, RequestFacts, RuleFiles, Settings};

const KIB: usize = 1 << 10;

/// The large size of the timed tests.
const LARGE: usize = if cfg!(debug_assertions) {
    128 * KIB
} else {
    KIB * KIB
};

/// Work per byte no text may exceed: every reading by every rule would be far beyond it.
const WORK_PER_BYTE: usize = 640;

/// Texts that repeat what parsers and patterns find hard.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let repeated = [
        "a",
        "'",
        "\"",
        "' or ",
        "(",
        "{",
        "[",
        "<",
        "<a ",
        "&#",
        "%25",
        "%",
        "\\u005c",
        "/*",
        "*/",
        "*/*",
        "--a\n",
        "#\n",
        "\u{b}",
        "\u{a0}",
        "/.a",
        "$9",
        "../",
        "${",
        "{{",
        "$(",
        "`",
        ";id ",
        "--",
        "\r\n",
        "//",
        "http://",
        "=",
        "a=",
        "&a=",
        "4111 ",
        "DE89 ",
        "-----BEGIN ",
        "union select ",
        "x' ",
        " \"a",
        "at a.b(",
        "\0",
        "\u{ff1c}",
        "UmVwbGFjZSB0aGUgcHVtcA== ",
        "eyJhIjoiYiJ9.",
        "<!--",
        "<![CDATA[",
        "\\",
        "on",
        "javascript:",
        "select ",
        "a,b;c|d ",
        "@@",
        "0x41",
        "1 or 1=",
        " style=\"a",
    ];
    let mut all: Vec<(&str, Vec<u8>)> = repeated
        .iter()
        .map(|seed| (*seed, seed.as_bytes().to_vec()))
        .collect();
    all.push((
        "private key",
        format!("-----BEGIN {} KEY-----a", "PRIVATE").into_bytes(),
    ));
    all
}

/// Encodings around encodings: as deep as they go and deeper.
fn nested(size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = Vec::new();
    for wrap in wraps::WRAPS.into_iter().filter(|wrap| *wrap != "raw") {
        let mut text = "1 or 1=1 ".repeat(size / 64 + 1);
        while text.len() < size {
            text = wraps::wrap(wrap, &text);
        }
        text.truncate(
            (0..=size)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(0),
        );
        all.push((wrap, text.into_bytes()));
    }
    let strings = format!("[{}1]", "\"' or 1=1\",".repeat(size / 12));
    all.push(("strings of JSON", strings.into_bytes()));
    let objects = format!("{}1{}", "{\"a\":".repeat(120), "}".repeat(120));
    let many = format!(
        "[{}1]",
        format!("{objects},").repeat(size / objects.len() + 1)
    );
    all.push(("objects of JSON", many.into_bytes()));
    all
}

fn grown(seed: &[u8], size: usize) -> Vec<u8> {
    seed.iter().copied().cycle().take(size).collect()
}

fn texts(size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let mut all: Vec<_> = seeds()
        .into_iter()
        .map(|(name, seed)| (name, grown(&seed, size)))
        .collect();
    all.extend(nested(size));
    all
}

fn plan(work_max: usize) -> Plan {
    let settings = Settings {
        work_max: u64::try_from(work_max).expect("a number"),
        ..Settings::default()
    };
    waf::compile(&settings, &RuleFiles::none()).expect("the default pack compiles")
}

/// Seconds of CPU this thread has used; `None` where the system does not tell.
fn cpu() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split(' ').next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

/// Seconds of one run. The clock ticks slowly, so short runs are repeated.
fn timed(mut run: impl FnMut()) -> Option<f64> {
    let begun = cpu()?;
    let mut count = 0u32;
    loop {
        run();
        count += 1;
        let spent = cpu()? - begun;
        if spent >= 0.012 {
            return Some(spent / f64::from(count));
        }
    }
}

#[test]
fn the_count_of_work_stays_in_proportion() {
    for size in [KIB, 16 * KIB, LARGE / 8] {
        let plan = plan(size * WORK_PER_BYTE + 64 * KIB);
        for (name, text) in texts(size) {
            let parts = [Part::value(Place::Body, "/a", &text)];
            let found = waf::inspect(&parts, &RequestFacts::default(), &plan, 0);
            let spent = found
                .findings
                .iter()
                .any(|finding| finding.class == Class::Deadline && finding.rule == "pack.deadline");
            assert!(!spent, "{name:?} of {size} bytes");
        }
    }
}

/// One kind of work over the sizes: the largest may cost sixteen times the smaller, with room for noise.
fn in_proportion(
    what: &str,
    sizes: [usize; 2],
    texts: impl Fn(usize) -> Vec<(&'static str, Vec<u8>)>,
    run: impl Fn(&[u8]),
) {
    let [small, large] = sizes.map(&texts);
    for ((name, small), (_, large)) in small.iter().zip(&large) {
        let Some(first) = timed(|| run(small)) else {
            println!("SKIP: this system does not tell CPU time per thread");
            return;
        };
        let second = timed(|| run(large)).unwrap_or(0.0);
        let factor = large.len() as f64 / small.len().max(1) as f64;
        let slack = 4.0;
        assert!(
            second <= first.max(2e-5) * factor * slack,
            "{what} {name:?}: {} bytes {first:.6} s, {} bytes {second:.6} s",
            small.len(),
            large.len()
        );
    }
}

#[test]
fn inspection_costs_time_in_proportion() {
    let plan = plan(1 << 40);
    in_proportion("inspection", [LARGE / 16, LARGE], texts, |text| {
        let parts = [Part::value(Place::Body, "/a", text)];
        let _ = waf::inspect(&parts, &RequestFacts::default(), &plan, 0);
    });
}

#[test]
fn transformations_cost_time_in_proportion() {
    in_proportion("transformations", [LARGE / 16, LARGE], texts, |text| {
        for transform in Transform::ALL {
            let _ = transform.apply(text);
        }
    });
}

#[test]
fn bodies_cost_time_in_proportion() {
    let bodies = |size: usize| {
        let mut all = texts(size);
        let part = b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
        all.push(("parts", grown(part, size)));
        all.push(("boundaries", grown(b"--B\r\n", size)));
        all.push((
            "headers",
            [b"--B\r\n".as_slice(), &grown(b"a: b;c=\"d\\\";", size)].concat(),
        ));
        all.push((
            "attributes",
            [b"<a ".as_slice(), &grown(b"b='&lt;' ", size)].concat(),
        ));
        all.push(("references", grown(b"<a>&amp;&#65;", size)));
        all
    };
    in_proportion("bodies", [LARGE / 16, LARGE], bodies, |text| {
        for name in ["URLENCODED", "MULTIPART", "JSON", "XML"] {
            let _ = parse(
                Processor::named(name),
                b"multipart/form-data; boundary=B",
                text,
            );
        }
        let _ = waf::body::cookies(text);
    });
}

#[test]
fn the_search_for_leaks_costs_time_in_proportion() {
    let scanner = LeakScanner::compile().expect("the leak rules compile");
    in_proportion("leaks", [LARGE / 16, LARGE], texts, |text| {
        let _ = scanner.find(text, &LeakKind::ALL);
    });
    let plain = grown(
        b"The pump was replaced and runs again, Mrs. Hall signed. ",
        KIB * KIB,
    );
    if let Some(seconds) = timed(|| drop(scanner.find(&plain, &LeakKind::ALL))) {
        println!(
            "a text without candidates: {:.2} ns per byte",
            seconds * 1e9 / plain.len() as f64
        );
    }
}
