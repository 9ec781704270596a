//! Directories of detection rules: which files load, in which order, and what keeps them from loading.
//! Exports `read`, `digest` and `placed`.
//! Used by `inspection`.
//! Start reading at `read`.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Mistake;
use waf::{LoadError, RuleFile, RuleFiles};

use crate::Files;
use crate::files::SERVER_FILE;
use crate::report::Report;
use crate::rule_files::{
    RULE_BYTES_MAX, RULE_DIRECTORIES_MAX, RULE_FILES_MAX, in_directory, is_rule_file, resolved,
};
use crate::spanned::{At, Place};

/// The setup of the Core Rule Set; its rules ask for it, so it loads before them.
const SETUP: &str = "crs-setup.conf";
/// The rule that refuses every request where the setup is missing.
const SETUP_CHECK: &str = "id:901001";
/// What the setup sets for that rule.
const SETUP_MARK: &str = "tx.crs_setup_version=";

/// The files of all directories in the order they load; none where a mistake was reported.
pub(super) fn read(
    written: &[At<String>],
    files: &Files,
    file: &Arc<str>,
    report: &mut Report,
) -> Option<RuleFiles> {
    let mut gathered = Gathered::default();
    for (number, at) in written.iter().enumerate() {
        let place = at.place(file);
        if number == RULE_DIRECTORIES_MAX {
            let message = format!("more than {RULE_DIRECTORIES_MAX} directories of rules");
            report.wrong(&place, message, "Put the rules into fewer directories.");
            return None;
        }
        match directory(at, files, &gathered) {
            Ok(found) => gathered.add(found, &place, report),
            Err((message, help)) => {
                report.wrong(&place, message, help);
                gathered.is_broken = true;
            }
        }
    }
    gathered.check(report);
    (!gathered.is_broken).then_some(gathered.rules)
}

/// SHA-256 over names and bytes in the order they load, lengths included.
pub(super) fn digest(files: &RuleFiles) -> [u8; 32] {
    let rules = files
        .rules
        .iter()
        .map(|file| (file.name.as_str(), file.text.as_slice()));
    let data = files
        .data
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_slice()));
    let all: Vec<(&str, &[u8])> = rules.chain(data).collect();
    let lengths: Vec<[u8; 16]> = all
        .iter()
        .map(|(name, text)| {
            let both = (name.len() as u128) << 64 | text.len() as u128;
            both.to_be_bytes()
        })
        .collect();
    let mut parts: Vec<&[u8]> = Vec::with_capacity(all.len().saturating_mul(3));
    for ((name, text), length) in all.iter().zip(&lengths) {
        parts.extend([length.as_slice(), name.as_bytes(), text]);
    }
    crypto::sha256(&parts)
}

/// One directory, checked.
struct Found<'f> {
    name: String,
    rules: Vec<(&'f str, &'f [u8])>,
    phrases: Vec<(&'f str, &'f [u8])>,
}

#[derive(Default)]
struct Gathered {
    rules: RuleFiles,
    /// Directory each list of phrases came from.
    phrases_of: BTreeMap<String, String>,
    directories: Vec<String>,
    /// Where the setup is asked for, and which file that is.
    asks: Option<(Place, usize)>,
    bytes: usize,
    is_broken: bool,
}

type Problem = (String, String);

fn directory<'f>(
    at: &At<String>,
    files: &'f Files,
    gathered: &Gathered,
) -> Result<Found<'f>, Problem> {
    let name = resolved(at).map_err(|why| {
        let help = "Write a directory inside the configuration directory, or an absolute path.";
        (format!("the path {why}"), help.to_owned())
    })?;
    if gathered.directories.contains(&name) {
        let help = "Keep one of the two.";
        return Err((
            format!("the directory `{name}` is listed twice"),
            help.into(),
        ));
    }
    if let Some(why) = files.unread(&name) {
        let help = "Name an existing directory that the user of Portcullis can read, relative to this file or absolute.";
        return Err((
            format!("the rules of `{name}` cannot be read: {why}"),
            help.into(),
        ));
    }
    let prefix = in_directory(&name, "");
    let inside = files.iter().filter_map(|(path, bytes)| {
        let rest = path.strip_prefix(prefix.as_str())?;
        (is_rule_file(rest) && !rest.contains('/')).then_some((path, bytes))
    });
    let (mut rules, phrases): (Vec<_>, Vec<_>) =
        inside.partition(|(path, _)| path.ends_with(".conf"));
    if rules.is_empty() {
        let help = "Rules are files that end in `.conf`. Of the Core Rule Set that is its directory `rules`, and \
                    `crs-setup.conf.example` copied to `crs-setup.conf`.";
        return Err((
            format!("the directory `{name}` holds no rules"),
            help.into(),
        ));
    }
    let setup = in_directory(&name, SETUP);
    rules.sort_by_key(|(path, _)| (*path != setup, *path));
    Ok(Found {
        name,
        rules,
        phrases,
    })
}

impl Gathered {
    fn add(&mut self, found: Found<'_>, place: &Place, report: &mut Report) {
        for (path, bytes) in &found.rules {
            if self.asks.is_none() && holds(bytes, SETUP_CHECK) {
                self.asks = Some((place.clone(), self.rules.rules.len()));
            }
            self.rules.rules.push(RuleFile {
                name: (*path).to_owned(),
                text: bytes.to_vec(),
            });
        }
        for (path, bytes) in &found.phrases {
            let name = path.rsplit('/').next().unwrap_or(path);
            let known = self.rules.data.insert(name.to_owned(), bytes.to_vec());
            if known.is_some_and(|known| known != *bytes) {
                let first = self
                    .phrases_of
                    .get(name)
                    .map(String::as_str)
                    .unwrap_or_default();
                let message = format!(
                    "`{first}` and `{}` hold different files `{name}`",
                    found.name
                );
                report.wrong(
                    place,
                    message,
                    "Rules name phrases by the file's name alone; keep one of the two.",
                );
                self.is_broken = true;
            }
            self.phrases_of.insert(name.to_owned(), found.name.clone());
        }
        let sizes = found
            .rules
            .iter()
            .chain(&found.phrases)
            .map(|(_, bytes)| bytes.len());
        self.bytes = self.bytes.saturating_add(sizes.sum());
        let count = self.rules.rules.len().saturating_add(self.rules.data.len());
        if count > RULE_FILES_MAX || self.bytes > RULE_BYTES_MAX {
            let message = format!("{count} rule files with {} bytes", self.bytes);
            let help = format!(
                "At most {RULE_FILES_MAX} files with {RULE_BYTES_MAX} bytes are read. Is this the right directory?"
            );
            report.wrong(place, message, help);
            self.is_broken = true;
        }
        self.directories.push(found.name);
    }

    /// Without its setup the Core Rule Set refuses every request; that is said now, not at the first one.
    fn check(&mut self, report: &mut Report) {
        let Some((place, number)) = &self.asks else {
            return;
        };
        let before = self.rules.rules.iter().take(number.saturating_add(1));
        if before
            .into_iter()
            .any(|rules| holds(&rules.text, SETUP_MARK))
        {
            return;
        }
        let help = "Copy `crs-setup.conf.example` of the same release to `crs-setup.conf` in this directory, or list the \
                    directory that has it before this one.";
        report.wrong(place, "the Core Rule Set has no setup", help);
        self.is_broken = true;
    }
}

fn holds(bytes: &[u8], word: &str) -> bool {
    let is_in_text = |line: &&str| !line.trim_start().starts_with('#') && line.contains(word);
    std::str::from_utf8(bytes).is_ok_and(|text| text.lines().any(|line| is_in_text(&line)))
}

/// A mistake of the engine at its place in our files.
pub(super) fn placed(error: LoadError, files: &Files) -> Mistake {
    let mistake = Mistake::new(error.message, error.help);
    if files.bytes(&error.file).is_none() {
        return mistake.in_file(SERVER_FILE);
    }
    let mistake = mistake.in_file(&error.file).at_line(error.line);
    let Some((start, length)) = files
        .text(&error.file)
        .and_then(|text| line_span(text, error.line))
    else {
        return mistake;
    };
    mistake.at(start, length)
}

/// The bytes of one line without the blanks around it.
fn line_span(text: &str, line: u32) -> Option<(usize, usize)> {
    let number = usize::try_from(line).ok()?.checked_sub(1)?;
    let mut lines = text.split_inclusive('\n');
    let start: usize = lines.by_ref().take(number).map(str::len).sum();
    let whole = lines.next()?;
    let indent = whole.len().saturating_sub(whole.trim_start().len());
    Some((start.saturating_add(indent), whole.trim().len()))
}
