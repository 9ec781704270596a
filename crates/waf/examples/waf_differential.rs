//! Blocking verdicts next to libmodsecurity, with the same rules, over every open payload.
//! `cargo run -p waf --release --example waf_differential`
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measuring program may stop where it stands"
)]

#[path = "../tests/crs/corpus.rs"]
mod corpus;
#[path = "../tests/corpus/mod.rs"]
mod payloads;
#[path = "../tests/crs/peer.rs"]
mod peer;
#[path = "../tests/crs/requests.rs"]
mod requests;

use std::collections::BTreeMap;
use std::path::Path;
use waf::seclang::RuleSet;

fn main() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let Some(peer) = peer::Peer::build() else {
        return;
    };
    let texts = texts(folder.parent().expect("corpora"));
    let requests: Vec<Vec<u8>> = texts.iter().flat_map(|text| as_requests(text)).collect();
    println!("{} texts, {} requests", texts.len(), requests.len());
    for level in [1, 2] {
        compare(&folder, &peer, level, &requests);
    }
}

fn compare(folder: &Path, peer: &peer::Peer, level: u8, requests: &[Vec<u8>]) {
    let files = corpus::rule_files(folder, &peer::blocking_setup(level));
    let rules = RuleSet::load(&files).unwrap_or_else(|errors| panic!("{errors:?}"));
    let theirs = peer.run(folder, level, "verdict", 1, requests);
    let mut equal = 0;
    let mut classes: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (raw, line) in requests.iter().zip(&theirs) {
        let blocked = !line.starts_with("200 ");
        let (message, body) = requests::cut(raw);
        let (denied, ids) = requests::judge(&rules, &message, &body);
        if denied.is_some() == blocked {
            equal += 1;
            continue;
        }
        let side = if blocked {
            "only theirs blocks"
        } else {
            "only ours blocks"
        };
        let rules: Vec<String> = ids
            .iter()
            .filter(|id| **id < 949_000)
            .map(u32::to_string)
            .collect();
        let entry = classes
            .entry(format!("{side}, ours saw [{}]", rules.join(" ")))
            .or_default();
        entry.0 += 1;
        entry.1 = String::from_utf8_lossy(&body).chars().take(120).collect();
    }
    println!(
        "PL{level}: {equal} of {} verdicts equal ({:.2} %)",
        theirs.len(),
        equal as f64 * 100.0 / theirs.len().max(1) as f64
    );
    for (class, (count, example)) in classes {
        println!("  {count:5} {class}, for example {example}");
    }
}

fn texts(root: &Path) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = payloads::payloads()
        .into_iter()
        .map(|(_, text)| text.into_bytes())
        .collect();
    all.extend(
        payloads::business()
            .into_iter()
            .step_by(4)
            .map(String::into_bytes),
    );
    let _ = payloads::WRAPS.map(|wrap| payloads::wrap(wrap, ""));
    if let Ok(entries) = std::fs::read_dir(root.join("libinjection/data")) {
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let wanted = name.starts_with("sqli-")
                || name.starts_with("xss-")
                || name == "false_positives.txt";
            let text = std::fs::read(entry.path()).unwrap_or_default();
            // The largest file repeats itself; every fourth line of it is enough.
            let step = if name == "sqli-forums.txt" { 4 } else { 1 };
            let lines = text
                .split(|byte| *byte == b'\n')
                .filter(|line| wanted && !line.is_empty() && !line.starts_with(b"#"));
            all.extend(lines.step_by(step).map(<[u8]>::to_vec));
        }
    }
    if let Ok(text) = std::fs::read_to_string(root.join("naughty-strings/blns.json")) {
        let strings: Vec<String> = serde_json::from_str(&text).unwrap_or_default();
        all.extend(strings.into_iter().map(String::into_bytes));
    }
    all
}

/// As a form, and as JSON where the text is UTF-8.
fn as_requests(text: &[u8]) -> Vec<Vec<u8>> {
    let encoded: String = text.iter().map(|byte| format!("%{byte:02x}")).collect();
    let form = format!("note={encoded}");
    let mut all = vec![requests::raw(
        "POST",
        "/v2/notes",
        "application/x-www-form-urlencoded",
        form.as_bytes(),
    )];
    if let Ok(text) = std::str::from_utf8(text) {
        let json = serde_json::json!({ "note": text }).to_string();
        all.push(requests::raw(
            "POST",
            "/v2/notes",
            "application/json",
            json.as_bytes(),
        ));
    }
    all
}
