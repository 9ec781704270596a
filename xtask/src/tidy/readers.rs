//! Every reader of text or bytes has a fuzz target, or a written reason for having none; and every target is built.
//! Exports `complaints`.
//! Used by `tidy::all`.
//! Start reading at `complaints`; the list is in fuzz/README.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The list of readers.
const LIST: &str = "fuzz/README.md";
/// Rooms whose readers are tools for people at a terminal, or made for demonstrations.
const EXEMPT: &[&str] = &["company", "demo", "portcullis"];

/// One line for each reader that is missing in the list, and each target that is missing somewhere.
pub fn complaints(root: &Path) -> Vec<String> {
    let text = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let list = text(LIST);
    let targets = targets(&root.join("fuzz/fuzz_targets"));
    let mut found = Vec::new();
    for (path, code) in sources(root) {
        let names = readers(&code);
        let row = list
            .lines()
            .find(|line| line.contains(&format!("| `{path}` |")));
        match (names.is_empty(), row) {
            (false, None) => found.push(format!(
                "{path}: reads text or bytes ({}); give it a fuzz target and a row in {LIST}",
                names.join(", ")
            )),
            (_, Some(row)) => found.extend(wrong_row(&path, row, &targets)),
            (true, None) => {}
        }
    }
    let rows = list.lines().filter_map(|line| line.strip_prefix("| `"));
    for path in rows.filter_map(|row| row.split('`').next()) {
        if !root.join(path).is_file() {
            found.push(format!("{LIST}: there is no {path}"));
        }
    }
    let (manifest, library, tests) = (
        text("fuzz/Cargo.toml"),
        text("fuzz/targets/src/lib.rs"),
        text("fuzz/targets/src/tests.rs"),
    );
    for target in &targets {
        for (place, text, mark) in [
            ("fuzz/Cargo.toml", &manifest, format!("name = \"{target}\"")),
            (
                "fuzz/targets/src/lib.rs",
                &library,
                format!("mod {target};"),
            ),
            (
                "fuzz/targets/src/tests.rs",
                &tests,
                format!("{target}::run("),
            ),
            (LIST, &list, format!("`{target}`")),
        ] {
            if !text.contains(&mark) {
                found.push(format!(
                    "{place}: the fuzz target `{target}` is missing (`{mark}`)"
                ));
            }
        }
    }
    found
}

/// The names of all targets.
fn targets(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        .collect()
}

/// What is wrong with the row of a reader.
fn wrong_row(path: &str, row: &str, targets: &BTreeSet<String>) -> Option<String> {
    let told = row.split_once("` |").map_or("", |(_, told)| told);
    if told.trim_start().starts_with("none: ") {
        return None;
    }
    let mut named = told.split('`').skip(1).step_by(2).peekable();
    if named.peek().is_none() {
        return Some(format!(
            "{LIST}: {path} names no target, and no reason after `none: `"
        ));
    }
    let unknown = named.find(|name| !targets.contains(*name))?;
    Some(format!(
        "{LIST}: {path} names a target `{unknown}` that is not there"
    ))
}

/// Files of the rooms without their tests, by their path.
fn sources(root: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    super::walk(&root.join("crates"), &mut files);
    files.sort();
    let named = files.into_iter().filter_map(|file| {
        let path = file.strip_prefix(root).ok()?.to_str()?.to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        let is_code = parts.get(2) == Some(&"src")
            && !parts
                .iter()
                .any(|part| part.trim_end_matches(".rs") == "tests")
            && !parts.get(1).is_some_and(|room| EXEMPT.contains(room));
        let code = fs::read_to_string(&file).ok().filter(|_| is_code)?;
        let code = code.split("#[cfg(test)]").next().unwrap_or_default();
        Some((path, code.to_owned()))
    });
    named.collect()
}

/// Names of functions that take a text or bytes apart.
fn readers(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let rest = code.get(at + 3..).unwrap_or_default();
        let (name, rest) = rest.split_at(rest.find(['(', '<', ' ']).unwrap_or(0));
        let arguments = rest.split_once('(').map_or("", |(_, rest)| rest);
        let arguments = arguments.split(')').next().unwrap_or_default();
        let is_reader = ["parse", "decode"]
            .iter()
            .any(|word| name.starts_with(word))
            || ["from_str", "pairs", "read"].contains(&name);
        if is_reader && (takes(arguments, "str") || takes(arguments, "[u8]")) {
            found.push(name);
        }
    }
    found
}

/// Whether one of the arguments is a reference to this type.
fn takes(arguments: &str, kind: &str) -> bool {
    let mut types = arguments
        .split(',')
        .filter_map(|argument| argument.split_once(':'));
    types.any(|(_, given)| {
        let given = given.trim().trim_start_matches('&');
        let given = given.split_once(' ').map_or(given, |(lifetime, rest)| {
            if lifetime.starts_with('\'') {
                rest
            } else {
                given
            }
        });
        given.trim() == kind
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_text_or_bytes_apart_is_found() {
        let code = "fn parse<'b>(body: &'b [u8], x: u8) {}\npub fn from_str(text: &str) {}\nfn parse_all(count: usize) {}\n\
                    fn read(&self, from: &str) {}\nfn thread(text: &str) {}\nfn read(stream: &Stream) {}";
        assert_eq!(readers(code), ["parse", "from_str", "read"]);
    }

    #[test]
    fn a_row_names_targets_that_are_there_or_a_reason() {
        let targets = BTreeSet::from(["json".to_owned()]);
        for (row, is_right) in [
            ("| `a.rs` | `json` |", true),
            ("| `a.rs` | none: it compares words |", true),
            ("| `a.rs` | none |", false),
            ("| `a.rs` | `jsn` |", false),
            ("| `a.rs` | `json`, `xml` |", false),
        ] {
            assert_eq!(
                wrong_row("a.rs", row, &targets).is_none(),
                is_right,
                "{row}"
            );
        }
    }
}
