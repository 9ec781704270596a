//! The tokenising detector against every vector its C original documents: tokens, folding, HTML5 states
//! and fingerprints. Read from `PORTCULLIS_CORPORA`; says SKIP where they are absent.
//!
//! Every kind is reachable through the library's own interface, so the whole set is run. What has no
//! published vectors is the verdict on scripts; the attack strings of `open_corpora.rs` stand for it.
#![expect(clippy::expect_used, reason = "a test may stop where it stands")]

mod corpora;

use libinjectionrs::sqli::{SqliTokenizer, Token, TokenType};
use libinjectionrs::xss::{Html5Flags, Html5State};
use libinjectionrs::{SqliFlags, SqliState};
use waf::{InjectionDetector, Libinjection};

/// How many vectors of each kind the corpus holds; a vector that is lost must not go unnoticed.
const KINDS: [(&str, usize); 4] = [
    ("test-tokens", 249),
    ("test-folding-", 118),
    ("test-html5-", 63),
    ("test-sqli-", 50),
];

struct Vector {
    name: String,
    input: Vec<u8>,
    wanted: Vec<u8>,
}

/// The vectors whose file name begins with `kind`.
fn vectors(kind: &str) -> Option<Vec<Vector>> {
    let folder = corpora::folder("libinjection/tests")?;
    let mut found: Vec<Vector> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| corpora::name(path).starts_with(kind))
        .map(|path| {
            vector(
                corpora::name(&path),
                &std::fs::read(&path).expect("a vector"),
            )
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Some(found)
}

/// The original's test program trims the end of input and expectation, nothing else.
fn vector(name: String, text: &[u8]) -> Vector {
    let after = |text: &[u8], mark: &str| -> Vec<u8> {
        let at = memchr::memmem::find(text, mark.as_bytes()).expect("a section");
        let tail = text.get(at + mark.len()..).unwrap_or_default();
        tail.strip_prefix(b"\n").unwrap_or(tail).to_vec()
    };
    let input = after(text, "--INPUT--");
    let end = memchr::memmem::find(&input, b"--EXPECTED--").expect("an expectation");
    Vector {
        name,
        input: input
            .get(..end)
            .unwrap_or_default()
            .trim_ascii_end()
            .to_vec(),
        wanted: after(text, "--EXPECTED--").trim_ascii_end().to_vec(),
    }
}

/// A token as the original's test program prints it.
fn printed(token: &Token, out: &mut Vec<u8>) {
    out.extend(token.token_type.to_char().to_string().as_bytes());
    out.push(b' ');
    if token.token_type == TokenType::Variable {
        out.extend(std::iter::repeat_n(
            b'@',
            usize::try_from(token.count).unwrap_or(0),
        ));
    }
    let quoted = matches!(token.token_type, TokenType::Variable | TokenType::String);
    if quoted && token.str_open != 0 {
        out.push(token.str_open);
    }
    out.extend(token.val.iter().take(token.len));
    if quoted && token.str_close != 0 {
        out.push(token.str_close);
    }
    out.push(b'\n');
}

fn tokens(input: &[u8]) -> Vec<u8> {
    let flags = SqliFlags::FLAG_QUOTE_NONE | SqliFlags::FLAG_SQL_ANSI;
    let mut tokenizer = SqliTokenizer::new(input, flags);
    let mut out = Vec::new();
    while let Some(token) = tokenizer.next_token() {
        printed(&token, &mut out);
    }
    out
}

fn folded(input: &[u8]) -> Vec<u8> {
    let mut state = SqliState::new(input, SqliFlags::FLAG_NONE);
    let count = state.fold_tokens();
    let mut out = Vec::new();
    for token in state.tokens.iter().take(count) {
        printed(token, &mut out);
    }
    out
}

fn states(input: &[u8]) -> Vec<u8> {
    let mut state = Html5State::new(input, Html5Flags::DataState);
    let mut out = Vec::new();
    while state.next() {
        out.extend(format!("{},{},", state.token_type, state.token_len).as_bytes());
        out.extend(state.token_start.iter().take(state.token_len));
        out.push(b'\n');
    }
    out
}

fn fingerprint(input: &[u8]) -> Vec<u8> {
    Libinjection.sqli(input).unwrap_or_default().into_bytes()
}

/// Runs every vector of a kind; prints and refuses the first difference.
fn agrees(kind: usize, read: fn(&[u8]) -> Vec<u8>) {
    let (prefix, count) = *KINDS.get(kind).expect("a kind");
    let Some(vectors) = vectors(prefix) else {
        return;
    };
    let mut different = 0;
    for vector in &vectors {
        let found = read(&vector.input);
        let lines = |text: &[u8]| -> Vec<Vec<u8>> {
            text.trim_ascii_end()
                .split(|byte| *byte == b'\n')
                .map(|line| line.trim_ascii_end().to_vec())
                .collect()
        };
        if lines(&found) != lines(&vector.wanted) {
            different += 1;
            println!(
                "  {}: {:?} instead of {:?}",
                vector.name,
                String::from_utf8_lossy(&found),
                String::from_utf8_lossy(&vector.wanted)
            );
        }
    }
    println!("{prefix}: {} vectors, {different} different", vectors.len());
    assert_eq!(vectors.len(), count, "vectors of {prefix}");
    assert_eq!(different, 0, "differences in {prefix}");
}

#[test]
fn tokens_are_cut_as_the_original_cuts_them() {
    agrees(0, tokens);
}

#[test]
fn tokens_are_folded_as_the_original_folds_them() {
    agrees(1, folded);
}

#[test]
fn html_is_read_through_the_same_states() {
    agrees(2, states);
}

#[test]
fn fingerprints_are_those_of_the_original() {
    agrees(3, fingerprint);
}
