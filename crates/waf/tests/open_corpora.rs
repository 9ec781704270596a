//! The default pack against attack strings published by others.
//! Read from `PORTCULLIS_CORPORA`; says SKIP where they are absent.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands"
)]

use std::path::{Path, PathBuf};
use waf::{Part, Place, Plan, RequestFacts, RuleFiles, Settings};

fn corpora(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PORTCULLIS_CORPORA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"),
        PathBuf::from,
    );
    let path = root.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("SKIP: no corpus at {}", path.display());
    None
}

fn lines(path: &Path) -> Vec<Vec<u8>> {
    let text = std::fs::read(path).expect("a readable corpus file");
    text.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec())
        .filter(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#"))
        .collect()
}

fn unpercent(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some((first, tail)) = rest.split_first() {
        let code = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                out.push(code);
                rest = &tail[2..];
            }
            (b'+', _) => {
                out.push(b' ');
                rest = tail;
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

fn refused(plan: &Plan, text: &[u8]) -> bool {
    let parts = [Part::value(Place::Body, "/note", text)];
    waf::inspect(&parts, &RequestFacts::default(), plan, 0).refuse
}

#[test]
fn published_attack_strings_are_refused() {
    let Some(folder) = corpora("libinjection/data") else {
        return;
    };
    let plan = waf::compile(&Settings::default(), &RuleFiles::none()).expect("compiles");
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    names.sort();
    let (mut hits, mut all) = (0, 0);
    for path in names {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !name.starts_with("sqli-") && !name.starts_with("xss-") {
            continue;
        }
        let (mut hit, mut count) = (0, 0);
        for line in lines(&path) {
            count += 1;
            let text = unpercent(&line);
            if refused(&plan, &text) {
                hit += 1;
            } else {
                println!("  missed {name}: {}", String::from_utf8_lossy(&text));
            }
        }
        println!("{name}: {hit} of {count}");
        hits += hit;
        all += count;
    }
    println!("attack strings: {hits} of {all}");
    assert!(hits * 100 >= all * 97, "{hits} of {all}");
}
