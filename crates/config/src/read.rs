//! From the texts of a directory to typed files: which file is of which kind, and what has no place here.
//! Exports `read` and `Written`. Neither a broken file nor a broken part of one stops the reading of the rest.
//! Used by compile.
//! Start reading at `read`.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Mistake;
use serde::de::DeserializeOwned;
use yaml::{Node, Rules, Value};

use crate::api::Api;
use crate::de::Lost;
use crate::files::{
    CONTRACT_BYTES_MAX, FILE_BYTES_MAX, FILES_MAX, Files, SERVER_FILE, TOTAL_BYTES_MAX, resolve,
};
use crate::integration::{Integration, Role};
use crate::report::Report;
use crate::rule_files::is_rule_file;
use crate::server::Server;
use crate::{de, entries, not_offered};

/// What to do with a policy that lies elsewhere.
const IN_POLICIES: &str = "Policies lie in `policies/`. Move it there, or take it out.";

/// One typed file with its name.
pub(crate) struct Named<T> {
    /// The name the file gives: `field-service` of `apis/field-service.yaml`.
    pub name: Arc<str>,
    /// The file.
    pub file: Arc<str>,
    /// What it says.
    pub value: T,
}

/// The configuration as written: every file that could be read.
#[derive(Default)]
pub(crate) struct Written {
    pub server: Option<Server>,
    pub apis: Vec<Named<Api>>,
    pub integrations: Vec<Named<Integration>>,
    pub roles: Vec<Named<Role>>,
    pub cedar: Vec<policy::CedarFile>,
    /// Files that could not be read. What refers to them is no second mistake.
    pub broken: BTreeSet<String>,
    /// Parts that could not be read of files that were.
    lost: BTreeMap<String, Lost>,
    /// Files that count only where another file refers to them: contracts, parts of contracts, overlays.
    pub referred: BTreeSet<String>,
}

impl Written {
    /// Whether something of a file could not be read, at this place of it or below.
    pub fn has_lost(&self, file: &str, path: &[&str]) -> bool {
        self.lost.get(file).is_some_and(|lost| lost.has(path))
    }
}

/// Reads all files.
pub(crate) fn read(files: &Files, report: &mut Report) -> Written {
    let mut written = Written::default();
    if !is_within_bounds(files, report) {
        return written;
    }
    if files.bytes(SERVER_FILE).is_none() {
        let help = "Write one with `listeners` and `keys`; `portcullis init` makes a directory to begin with.";
        report.add(Mistake::new("the file is missing", help).in_file(SERVER_FILE));
    }
    entries::check(files, report);
    let targets = OnceCell::new();
    for path in files.paths() {
        place(&mut written, files, path, &targets, report);
    }
    written
}

fn is_within_bounds(files: &Files, report: &mut Report) -> bool {
    let total: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let is_ok = files.len() <= FILES_MAX && total <= TOTAL_BYTES_MAX;
    if !is_ok {
        let message = format!("the directory has {} files with {total} bytes", files.len());
        let help = format!(
            "At most {FILES_MAX} files with {TOTAL_BYTES_MAX} bytes are read. Is this the right directory?"
        );
        report.add(Mistake::new(message, help).in_file(SERVER_FILE));
    }
    is_ok
}

/// Finds out what kind of file this is and reads it.
fn place(
    written: &mut Written,
    files: &Files,
    path: &str,
    targets: &OnceCell<BTreeSet<String>>,
    report: &mut Report,
) {
    // Only directories that `inspection.rules` names are looked into for them; compile reads them there.
    if is_rule_file(path) {
        return;
    }
    let Some((directory, rest)) = path.split_once('/') else {
        return top_level(written, files, path, report);
    };
    if let Some(help) = not_offered::directory(directory) {
        let message = format!("`{directory}/` is not offered yet");
        return report.add(Mistake::new(message, help).in_file(path));
    }
    let is_cedar = path.ends_with(".cedar");
    match (directory, stem(rest)) {
        (directory, _) if is_cedar && directory != "policies" => {
            misplaced(path, IN_POLICIES, report)
        }
        ("apis", Some(name)) if !is_contract(files, path) && !is_part(files, path, targets) => {
            let found = named(name, path, files, written, report);
            written.apis.extend(found);
        }
        ("apis" | "overlays", _) => {
            written.referred.insert(path.to_owned());
        }
        ("integrations", Some(name)) => {
            let found = named(name, path, files, written, report);
            written.integrations.extend(found);
        }
        ("roles", Some(name)) => {
            let found = named(name, path, files, written, report);
            written.roles.extend(found);
        }
        ("policies", None) if is_cedar && !rest.contains('/') => {
            cedar(written, files, path, report)
        }
        ("integrations" | "roles", _) => misplaced(
            path,
            "Files of this kind lie directly here and end in `.yaml`.",
            report,
        ),
        ("policies", _) => misplaced(
            path,
            "Policies lie directly here and end in `.cedar`.",
            report,
        ),
        _ => {
            // Contracts may lie anywhere; whether one refers to this file is known later.
            written.referred.insert(path.to_owned());
        }
    }
}

fn top_level(written: &mut Written, files: &Files, path: &str, report: &mut Report) {
    if path == SERVER_FILE {
        written.server = typed(path, files, written, report);
    } else if path.to_lowercase().starts_with("portcullis.") {
        misplaced(path, "Name it `portcullis.yaml`.", report);
    } else if path.ends_with(".cedar") {
        misplaced(path, IN_POLICIES, report);
    } else {
        written.referred.insert(path.to_owned());
    }
}

fn misplaced(path: &str, help: &str, report: &mut Report) {
    report.add(Mistake::new("this file would not be read", help).in_file(path));
}

/// `name` of `name.yaml`; none for deeper paths, other endings and names with dots, as contracts have.
fn stem(rest: &str) -> Option<&str> {
    let name = rest.strip_suffix(".yaml")?;
    (!name.contains(['/', '.'])).then_some(name)
}

/// A document that begins like an OpenAPI document is a contract, wherever it lies and however it is named.
fn is_contract(files: &Files, path: &str) -> bool {
    let text = files.text(path).unwrap_or_default();
    let is_key = |line: &str| {
        ["openapi:", "swagger:", "\"openapi\":"]
            .iter()
            .any(|key| line.starts_with(key))
    };
    text.lines().take(50).any(is_key)
}

/// Part of a contract: a contract or another part refers to it, and it has no `versions` as an entry of the catalogue has.
fn is_part(files: &Files, path: &str, targets: &OnceCell<BTreeSet<String>>) -> bool {
    !is_catalogue(files, path) && targets.get_or_init(|| references(files)).contains(path)
}

/// Whether the file has the one key that every entry of the catalogue has.
pub(crate) fn is_catalogue(files: &Files, path: &str) -> bool {
    let text = files.text(path).unwrap_or_default();
    text.lines()
        .any(|line| line.starts_with("versions:") || line.starts_with("\"versions\":"))
}

/// Every file that a `$ref` names, whatever the file with the `$ref` is for.
fn references(files: &Files) -> BTreeSet<String> {
    let texts = files
        .paths()
        .filter_map(|path| Some((path, files.text(path)?)));
    let found = texts
        .filter(|(path, _)| !is_rule_file(path))
        .flat_map(|(path, text)| {
            let after = text
                .match_indices("$ref")
                .filter_map(|(at, word)| text.get(at.checked_add(word.len())?..));
            after.filter_map(move |rest| resolve(path, target(rest)?).ok())
        });
    found.collect()
}

/// The file behind `$ref`: of `: "./models/site.yaml#/Site"`, `./models/site.yaml`.
fn target(rest: &str) -> Option<&str> {
    let value = rest
        .trim_start_matches(['"', '\''])
        .trim_start()
        .strip_prefix(':')?;
    let value = value.trim_start().trim_start_matches(['"', '\'']);
    let end = value.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '#' | ',' | '}'));
    value
        .get(..end.unwrap_or(value.len()))
        .filter(|file| !file.is_empty())
}

fn cedar(written: &mut Written, files: &Files, path: &str, report: &mut Report) {
    match files.text(path) {
        Some(text) if text.len() <= FILE_BYTES_MAX => written.cedar.push(policy::CedarFile {
            file: path.into(),
            text: text.to_owned(),
        }),
        _ => report.add(*unreadable(path, FILE_BYTES_MAX)),
    }
}

fn named<T: DeserializeOwned>(
    name: &str,
    path: &str,
    files: &Files,
    written: &mut Written,
    report: &mut Report,
) -> Option<Named<T>> {
    if !model::ids::is_name(name) {
        let help = "The name of the file is the name of what it describes: 1 to 63 of `a-z`, `0-9` and `-`, beginning \
                    with a letter and not ending with `-`.";
        report.add(Mistake::new(format!("`{name}` is not a valid name"), help).in_file(path));
        written.broken.insert(path.to_owned());
        return None;
    }
    let value = typed(path, files, written, report)?;
    Some(Named {
        name: name.into(),
        file: path.into(),
        value,
    })
}

/// Reads one file as its kind, as far as it can be read; mistakes go to the report. What is lost of the file is
/// remembered, and the whole file as broken where nothing of it can be used.
fn typed<T: DeserializeOwned>(
    path: &str,
    files: &Files,
    written: &mut Written,
    report: &mut Report,
) -> Option<T> {
    let (root, mut mistakes) = match text(files, path, FILE_BYTES_MAX) {
        Ok(text) => yaml::read_on(text, Rules::OWN_FILE),
        Err(mistake) => (None, vec![*mistake]),
    };
    let root = root.and_then(|root| not_empty(root, &mut mistakes));
    let read = root.map(de::typed);
    let (value, lost) = match read {
        Some(read) => {
            mistakes.extend(read.mistakes);
            (read.value, read.lost)
        }
        None => (None, Lost::default()),
    };
    for mistake in mistakes {
        report.unread(mistake.in_file(path));
    }
    written.lost.insert(path.to_owned(), lost);
    if value.is_none() {
        written.broken.insert(path.to_owned());
    }
    value
}

fn not_empty(root: Node, mistakes: &mut Vec<Mistake>) -> Option<Node> {
    match root.value {
        Value::Map(_) => Some(root),
        Value::Broken => None,
        _ => {
            mistakes.push(root.span.mistake(
                "the file holds no settings",
                "Write `name: value` lines; the reference of the configuration lists what belongs here.",
            ));
            None
        }
    }
}

/// The text of a contract or overlay.
pub(crate) fn contract_text<'f>(files: &'f Files, path: &str) -> Result<&'f str, Box<Mistake>> {
    text(files, path, CONTRACT_BYTES_MAX)
}

fn text<'f>(files: &'f Files, path: &str, max: usize) -> Result<&'f str, Box<Mistake>> {
    match files.text(path) {
        Some(text) if text.len() <= max => Ok(text),
        _ => Err(unreadable(path, max)),
    }
}

fn unreadable(path: &str, max: usize) -> Box<Mistake> {
    let help = format!("Files are UTF-8 text of at most {max} bytes.");
    Box::new(Mistake::new("the file cannot be read as text", help).in_file(path))
}
