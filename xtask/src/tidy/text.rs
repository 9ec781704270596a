//! Rules about the text of the code: door plates, sizes, leftovers, banned calls.
//! Exports `complaints`.
//! Used by `tidy::all`.
//! Start reading at `complaints`.

use std::fs;
use std::path::Path;

/// Longest function in lines without a written reason (`// LONG: why` on the line above or inside).
const FUNCTION_LINES_MAX: usize = 70;
/// Longest file in lines without a written reason (`// LONG FILE: why` near the top).
const FILE_LINES_MAX: usize = 800;

/// A call, the folders that may make it, and what to use instead.
const CALLS: &[(&str, &[&str], &str)] = &[
    (
        "SystemTime::now",
        &[
            "crates/gateway/src/clock.rs",
            "crates/portcullis",
            "crates/demo",
            "crates/net",
            "crates/store",
            "testkit",
            "xtask",
        ],
        "take `now: Timestamp` as an argument",
    ),
    (
        "Instant::now",
        &[
            "crates/gateway/src/clock.rs",
            "crates/portcullis",
            "crates/demo",
            "crates/net",
            "crates/audit",
            "crates/store",
            "testkit",
            "xtask",
            "/examples/",
            "/tests/",
            "tests.rs",
            "/bench",
        ],
        "take durations as arguments",
    ),
    (
        "env::var",
        &[
            "crates/portcullis",
            "crates/installation/src/secrets.rs",
            "testkit",
            "xtask",
            "/tests/",
            "tests.rs",
            "/examples/",
        ],
        "let the binary read the environment; secrets are in `installation`",
    ),
    ("println!(", PRINTERS, PRINT_BY),
    ("print!(", PRINTERS, PRINT_BY),
    ("io::stdout()", OWN_WRITERS, PRINT_BY),
    ("io::stderr()", OWN_WRITERS, PRINT_BY),
    ("todo!(", &[], "finish it or leave it out"),
    ("unimplemented!(", &[], "finish it or leave it out"),
];

/// Not shipped: tests, examples and our own tools.
const PRINTERS: &[&str] = &["testkit", "xtask", "/tests/", "tests.rs", "/examples/"];
/// The one way out of the binary, the last words before an abort, and a question whether somebody is there.
const OWN_WRITERS: &[&str] = &[
    "crates/portcullis/src/terminal.rs",
    "crates/portcullis/src/confirm.rs",
    "crates/crypto/src/fatal.rs",
    "testkit",
    "xtask",
    "/tests/",
    "tests.rs",
    "/examples/",
];
const PRINT_BY: &str =
    "print through `terminal`: it escapes what others wrote, and survives closed and full outputs";

/// Breaches in the text of the code.
pub fn complaints(root: &Path) -> Vec<String> {
    let mut out = Vec::new();
    for path in super::rust_files(root) {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let name = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .display()
            .to_string();
        door_plate(&name, &text, &mut out);
        sizes(&name, &text, &mut out);
        leftovers(&name, &text, &mut out);
        speed(&name, &text, &mut out);
    }
    out
}

fn door_plate(name: &str, text: &str, out: &mut Vec<String>) {
    let is_door = name.ends_with("/src/lib.rs") || name.ends_with("/src/main.rs");
    if is_door
        && text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .count()
            < 4
    {
        out.push(format!("{name}:1: no door plate; begin with four `//!` lines: does, gives, used by, start reading at"));
    }
}

fn sizes(name: &str, text: &str, out: &mut Vec<String>) {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() > FILE_LINES_MAX && !text.contains("// LONG FILE:") {
        out.push(format!(
            "{name}: {} lines; split it by subject or write `// LONG FILE: why`",
            lines.len()
        ));
    }
    for (start, length) in functions(&lines) {
        let reason = lines
            .iter()
            .skip(start.saturating_sub(3))
            .take(length + 3)
            .any(|l| l.contains("// LONG:"));
        if length > FUNCTION_LINES_MAX && !reason {
            out.push(format!(
                "{name}:{}: function of {length} lines; split it or write `// LONG: why`",
                start + 1
            ));
        }
    }
}

/// Start and length of each function, found by indentation (rustfmt keeps it true).
fn functions(lines: &[&str]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        let is_function = [
            "fn ",
            "pub fn ",
            "pub(crate) fn ",
            "pub(super) fn ",
            "async fn ",
            "pub async fn ",
            "pub(super) async fn ",
            "pub(crate) async fn ",
            "const fn ",
            "pub const fn ",
        ]
        .iter()
        .any(|opening| bare.starts_with(opening));
        if !is_function || is_declaration(lines, start) {
            continue;
        }
        let close = format!("{}}}", " ".repeat(indent));
        if let Some(end) = lines.iter().skip(start).position(|l| *l == close) {
            found.push((start, end + 1));
        }
    }
    found
}

/// A function without a body, as traits have them: its signature ends with a semicolon.
fn is_declaration(lines: &[&str], start: usize) -> bool {
    let mut signature = lines.iter().skip(start).map(|line| line.trim_end());
    signature
        .find(|line| line.ends_with([';', '{', '}']))
        .is_some_and(|line| line.ends_with(';'))
}

/// Whether a word stands in a line by itself, not as a part of `\\xXXX` or of a name.
fn has_word(line: &str, word: &str) -> bool {
    let is_letter =
        |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '\\' || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = line.split_at_checked(at).unwrap_or_default();
        !is_letter(before.chars().next_back()) && !is_letter(after.chars().nth(word.len()))
    })
}

fn leftovers(name: &str, text: &str, out: &mut Vec<String>) {
    let is_this_rule = name.starts_with("xtask/src/tidy");
    for (index, line) in text.lines().enumerate().filter(|_| !is_this_rule) {
        let at = index + 1;
        for word in ["FIXME", "TODO", "XXX", "HACK"] {
            if has_word(line, word) && line.trim_start().starts_with("//") {
                out.push(format!(
                    "{name}:{at}: leftover `{word}`; do it or write it down in docs/decisions"
                ));
            }
        }
        let is_comment = line.trim_start().starts_with("//");
        for (call, allowed, instead) in CALLS {
            if !is_comment
                && line.contains(call)
                && !allowed.iter().any(|folder| name.contains(folder))
            {
                out.push(format!(
                    "{name}:{at}: `{call}` is not for this room; {instead}"
                ));
            }
        }
    }
}

/// Tests that assert how quickly something happens fail on a busy machine and say nothing about the code.
fn speed(name: &str, text: &str, out: &mut Vec<String>) {
    if !(name.contains("/tests/") || name.ends_with("tests.rs") || name.starts_with("testkit")) {
        return;
    }
    let mut asserted: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let bare = line.trim();
        if bare.starts_with("assert!(") {
            asserted = Some((index + 1, String::new()));
        }
        let Some((at, words)) = &mut asserted else {
            continue;
        };
        words.push_str(bare);
        if !bare.ends_with(");") {
            continue;
        }
        if QUICKER.iter().any(|quicker| words.contains(quicker)) {
            out.push(format!(
                "{name}:{at}: a test asserts speed; wait for the condition as long as PATIENCE, and report the time as a `testkit::bar`"
            ));
        }
        asserted = None;
    }
}

/// How an upper bound on a time is written.
const QUICKER: &[&str] = &[
    "< Duration::from_",
    "<= Duration::from_",
    "as_millis() <",
    "as_secs() <",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_asserts_speed_is_found_and_a_generous_bound_is_none() {
        let found = |text: &str| {
            let mut out = Vec::new();
            speed("crates/net/src/tests.rs", text, &mut out);
            out.len()
        };
        assert_eq!(
            found("assert!(begun.elapsed() < Duration::from_secs(2));"),
            1
        );
        let broken = "    assert!(\n  took.as_millis() < 4_000,\n  \"{took:?}\"\n    );";
        assert_eq!(found(broken), 1);
        assert_eq!(found("assert!(begun.elapsed() < PATIENCE);"), 0);
        let lower = "assert!(took > Duration::from_millis(250));\nwait(Duration::from_secs(1));";
        assert_eq!(found(lower), 0);
    }

    #[test]
    fn leftovers_are_words_not_parts_of_words() {
        assert!(has_word("// XXX: later", "XXX") && has_word("// TODO", "TODO"));
        assert!(!has_word("// the escape `\\xXXX`", "XXX") && !has_word("// TODOS", "TODO"));
    }

    #[test]
    fn declarations_in_traits_have_no_length() {
        let lines = [
            "trait A {",
            "    fn a(",
            "        &self,",
            "    ) -> u8;",
            "    fn b(&self) {",
            "    }",
            "}",
        ];
        assert_eq!(functions(&lines), [(4, 2)]);
    }
}
