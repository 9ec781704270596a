//! Every entry of a configuration directory is read, refused, or ignored by a pattern that is written here.
//! Exports `ignored`, `is_left_out`, `has_meaning`, `KINDS`, `IGNORED`, and what the server's file says of other places:
//! `store_directory`, `kek_reference`, `destination_paths`, `named_files`.
//! Pure: the binary looks at the entries.
//! Used by the binary while it reads the directory, and by read and compile, which say what would not be read.
//! Start reading at `IGNORED`, then at `check`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use destinations::Target;
use model::Mistake;
use serde_json::Value as Json;
use yaml::{Node, Rules, Span, Value};

use crate::Files;
use crate::files::{SERVER_FILE, resolve};
use crate::report::Report;
use crate::secret_ref::SecretRef;
use crate::spanned::{Located, Place};
use crate::unread::Unread;

/// Directories whose files have a meaning by where they lie. Nothing in them is left unread without a word.
pub const KINDS: [&str; 5] = ["apis", "integrations", "overlays", "policies", "roles"];

/// Where state lies unless the configuration says otherwise.
const STORE: &str = "data";

/// Names that are ignored, at any depth, and what they are. `*` stands for any text. A pattern with a `*` never ignores a
/// name that ends like configuration, except the lock links of an editor.
pub const IGNORED: &[(&str, &str)] = &[
    (".#*", "lock of an editor"),
    ("#*#", "copy of an editor"),
    ("*~", "copy of an editor"),
    (".*.swp", "copy of an editor"),
    (".*.swo", "copy of an editor"),
    (".*.swx", "copy of an editor"),
    ("*.bak", "copy"),
    ("*.orig", "copy of a merge"),
    ("*.rej", "rest of a merge"),
    (".git", "git"),
    (".gitignore", "git"),
    (".gitattributes", "git"),
    (".gitmodules", "git"),
    (".gitkeep", "git"),
    (".github", "git hosting"),
    (".gitlab-ci.yml", "git hosting"),
    (".hg", "Mercurial"),
    (".svn", "Subversion"),
    (".editorconfig", "editor"),
    (".idea", "editor"),
    (".vscode", "editor"),
    (".portcullis", "where the running server is found"),
    (".schemas", "schemas for an editor, as `init` writes them"),
    (".pre-commit-config.yaml", "checks before a commit"),
    (".yamllint*", "checks before a commit"),
    (".DS_Store", "file manager"),
    ("Thumbs.db", "file manager"),
    ("lost+found", "file system"),
    ("..*", "links of a Kubernetes volume"),
    ("README*", "words for people"),
    ("LICENSE*", "words for people"),
    ("NOTICE*", "words for people"),
    ("CHANGELOG*", "words for people"),
    ("CODEOWNERS", "words for people"),
    ("*.md", "words for people"),
];

/// Directories of certificates and secrets. They are read where the configuration names a file; the rest of them is not
/// configuration.
pub const CERTIFICATES: [&str; 3] = ["certs", "secrets", "tls"];

/// The pattern that ignores this path.
pub fn ignored(path: &str) -> Option<&'static str> {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let fits = |pattern: &str| match pattern.split_once('*') {
        None => name == pattern,
        Some((front, back)) => {
            let rest = name.strip_prefix(front);
            let is_fit = rest.is_some_and(|rest| glob_end(rest, back));
            let is_word = WORDS.contains(&pattern) && is_named_like_configuration(name);
            is_fit && !is_word && (front == ".#" || !is_like_configuration(name))
        }
    };
    IGNORED
        .iter()
        .map(|(pattern, _)| *pattern)
        .find(|pattern| fits(pattern))
}

/// Names of words for people. They never ignore a name with the ending of configuration inside, as `README.cedar.txt` has.
const WORDS: [&str; 5] = ["README*", "LICENSE*", "NOTICE*", "CHANGELOG*", "*.md"];

/// Whether an ending of configuration stands anywhere in the name.
fn is_named_like_configuration(name: &str) -> bool {
    let parts = name.to_lowercase();
    parts
        .split('.')
        .skip(1)
        .any(|part| matches!(part.trim(), "yaml" | "yml" | "json" | "cedar"))
}

/// Whether `rest` ends with what follows a star; `.*.swp` has nothing else in it.
fn glob_end(rest: &str, back: &str) -> bool {
    rest.len() >= back.len() && rest.ends_with(back)
}

/// Whether somebody could have meant it as configuration, in whatever case.
fn is_like_configuration(name: &str) -> bool {
    let name = name.to_lowercase();
    [".yaml", ".yml", ".json", ".cedar"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// Whether a directory is not looked into: the store's own, or one that holds a directory of rules. A directory whose
/// files have a meaning by where they lie is always looked into.
pub fn is_left_out(path: &str, store: &str, rules: &[String]) -> bool {
    let is_kind = KINDS.contains(&top(path)) || crate::not_offered::directory(top(path)).is_some();
    let holds = |below: &String| below == path || (!path.contains('/') && top(below) == path);
    // The server's own file is read whatever somebody takes for rules: it says so itself.
    !is_kind && path != crate::files::SERVER_FILE && (path == store || rules.iter().any(holds))
}

/// Whether a directory with this name, directly in the configuration, has a meaning: what lies in it is configuration,
/// certificates or secrets, today or in a version to come.
pub fn has_meaning(name: &str) -> bool {
    KINDS.contains(&name)
        || CERTIFICATES.contains(&name)
        || crate::not_offered::directory(name).is_some()
}

fn top(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

/// The directory of a kind that this name almost is: `Policies`, `policy`, `api`.
pub fn almost_kind(path: &str) -> Option<&'static str> {
    if path.contains('/') || KINDS.contains(&path) {
        return None;
    }
    let lower = path.to_lowercase();
    let singular = |kind: &str| match kind {
        "policies" => "policy".to_owned(),
        kind => kind.trim_end_matches('s').to_owned(),
    };
    KINDS
        .into_iter()
        .find(|kind| lower == *kind || lower == singular(kind))
}

/// Where the store lies, as the server's file has it: relative to the configuration, or absolute. Found even where the
/// file cannot be read otherwise, so that a running server is found beside a broken configuration.
pub fn store_directory(files: &Files) -> String {
    let written = setting(files, "store", "dir").unwrap_or_else(|| STORE.to_owned());
    if written.starts_with('/') {
        written
    } else {
        resolve(SERVER_FILE, &written).unwrap_or(written)
    }
}

/// Where the key-encryption key is found, as the server's file has it. Found even where the configuration cannot be read
/// otherwise, so that what was recorded can be verified beside a broken one.
pub fn kek_reference(files: &Files) -> Option<Located<SecretRef>> {
    Some(Located {
        value: setting(files, "keys", "kek")?.parse().ok()?,
        place: Place {
            file: SERVER_FILE.into(),
            span: Span::default(),
        },
    })
}

/// Where destinations of records lead, by their names, as the server's file has them. None where the file cannot be read.
pub fn destination_paths(files: &Files) -> Vec<(String, PathBuf)> {
    let written = server_file(files);
    let Some(all) = written.get("destinations").and_then(Json::as_object) else {
        return Vec::new();
    };
    let path = |settings: &Json| {
        let settings: destinations::Settings = serde_json::from_value(settings.clone()).ok()?;
        let Target::File(path) = settings.destination()?.target();
        Some(path.to_path_buf())
    };
    all.iter()
        .filter_map(|(name, settings)| Some((name.clone(), path(settings)?)))
        .collect()
}

/// Every text of the server's file, outside of the destinations, that may be the path of a file: keys, certificates,
/// authorities. None where the file cannot be read.
pub fn named_files(files: &Files) -> Vec<String> {
    let mut written = server_file(files);
    if let Some(members) = written.as_object_mut() {
        members.remove("destinations");
    }
    let (mut found, mut left) = (Vec::new(), vec![&written]);
    while let Some(value) = left.pop() {
        match value {
            Json::String(text) => {
                found.push(text.strip_prefix("file:").unwrap_or(text).to_owned());
            }
            Json::Array(items) => left.extend(items),
            Json::Object(members) => left.extend(members.values()),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
    found
}

/// What the server's file says, null where that cannot be read.
fn server_file(files: &Files) -> Json {
    let text = files.text(SERVER_FILE).unwrap_or_default();
    yaml::read(text, Rules::OWN_FILE).map_or(Json::Null, |root| root.to_json())
}

/// A text of a section of the server's file, however broken the file is.
fn setting(files: &Files, section: &str, name: &str) -> Option<String> {
    let text = files.text(SERVER_FILE).unwrap_or_default();
    let member = |node: &Node, name: &str| match &node.value {
        Value::Map(map) => map
            .pairs
            .iter()
            .find(|(key, _)| key.as_text() == Some(name))
            .map(|(_, value)| value.clone()),
        _ => None,
    };
    match yaml::read(text, Rules::OWN_FILE) {
        Ok(root) => member(&root, section)
            .and_then(|section| member(&section, name))
            .and_then(|value| value.as_text().map(str::to_owned)),
        Err(_) => in_broken_text(text, section, name),
    }
}

/// The same in a text that is not YAML.
fn in_broken_text(text: &str, section: &str, name: &str) -> Option<String> {
    let text = format!("\n{text}");
    let (_, behind) = text.split_once(&format!("\n{section}:"))?;
    let name = format!("{name}:");
    let mut lines = behind.lines();
    let first = lines.next().unwrap_or_default();
    let below = lines.take_while(|line| line.starts_with([' ', '\t']));
    let found = std::iter::once(first).chain(below).find_map(|line| {
        let (_, value) = line.split_once(&name)?;
        let value = value.split(['}', ',', '#']).next().unwrap_or_default();
        Some(value.trim().trim_matches(['"', '\'']).to_owned())
    })?;
    (!found.is_empty()).then_some(found)
}

/// Refuses every entry that somebody could believe to be in force.
pub(crate) fn check(files: &Files, report: &mut Report) {
    for (path, unread) in files.entries() {
        if let Some((message, help)) = refusal(path, unread) {
            report.add(Mistake::new(message, help).in_file(path));
        }
    }
}

fn refusal(path: &str, unread: &Unread) -> Option<(String, String)> {
    let said = |message: &str, help: &str| Some((message.to_owned(), help.to_owned()));
    match unread {
        Unread::Broken(why) => Some((
            format!("this entry cannot be read: {why}"),
            "Mend it (a link has to lead to a file), or take it away.".into(),
        )),
        Unread::Special => said(
            "this is a pipe, a socket or a device, and is not read",
            "Put a file in its place, or take it away.",
        ),
        Unread::Name => said(
            "the name of this entry is not UTF-8, and it is not read",
            "Rename it, or take it away.",
        ),
        Unread::Directory => {
            let meant = almost_kind(path)?;
            Some((
                "this directory would not be read".into(),
                format!("Did you mean `{meant}/`? Rename it, or take it out."),
            ))
        }
        Unread::Empty => empty_refusal(path),
        Unread::Stray => stray_refusal(path),
        Unread::Rules => None,
    }
}

/// What an empty directory is refused with: where a file was meant, and where it may have been meant to mean something.
fn empty_refusal(path: &str) -> Option<(String, String)> {
    if is_like_configuration(path) {
        let help = "Put the file here, or take the directory away; containers make one where the file to be mounted is missing.";
        return Some((
            "this is an empty directory where a file was meant".into(),
            help.into(),
        ));
    }
    let help = crate::not_offered::directory(top(path))?;
    Some((format!("`{}/` is not offered yet", top(path)), help.into()))
}

/// What a file that nothing reads is refused with: none where nobody would believe that it is read.
fn stray_refusal(path: &str) -> Option<(String, String)> {
    let name = path
        .rsplit_once('/')
        .map_or(path, |(_, name)| name)
        .to_lowercase();
    let what = "this file would not be read";
    let help = match top(path) {
        _ if name.split('.').next() == Some("portcullis") && !path.contains('/') => {
            format!("The server's file is `{SERVER_FILE}`; rename this one, or take it out.")
        }
        "policies" => "Policies lie directly here and end in `.cedar`, in small letters. Rename it, or take it out.".into(),
        "integrations" | "roles" => {
            "Files of this kind lie directly here and end in `.yaml`, in small letters. Rename it, or take it out.".into()
        }
        _ if is_like_configuration(&name) || name.contains(".cedar") => {
            "Endings are written in small letters, and policies lie in `policies/`. Rename it, or take it out.".into()
        }
        _ => return None,
    };
    Some((what.into(), help))
}

/// Warns of what nothing refers to: one word for a file beside the server's, one for a whole directory.
pub(crate) fn strays(files: &Files, used: &BTreeSet<String>, report: &mut Report) {
    let mut below: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    let named = crate::rule_directories(files);
    for (path, unread) in files.entries() {
        if *unread == Unread::Rules && !named.iter().any(|name| name == path) {
            let help = "Name it under `inspection.rules` as well, or take it away.";
            report.note(
                Mistake::new("this directory holds rules that are not loaded", help).in_file(path),
            );
        }
        let is_below_kind = path.contains('/') && KINDS.contains(&top(path));
        if *unread == Unread::Empty && is_below_kind && empty_refusal(path).is_none() {
            let help = "Put the files into it that were meant, or take it away.";
            report.note(Mistake::new("nothing lies in this directory", help).in_file(path));
        }
        let is_stray = *unread == Unread::Stray && stray_refusal(path).is_none();
        let is_named = || used.contains(path) || used.iter().any(|used| is_absolute(used, path));
        if !is_stray || CERTIFICATES.contains(&top(path)) || is_named() {
            continue;
        }
        if KINDS.contains(&top(path)) && !path.ends_with(".pem") {
            // An upstream's authorities may lie here; whatever else nothing refers to could be meant as something.
            let help = "Names of contracts and overlays end in `.yaml`, `.yml` or `.json`. Rename it, or take it out.";
            report.add(Mistake::new("this file would not be read", help).in_file(path));
        } else {
            below.entry(top(path)).or_insert((0, path)).0 += 1;
        }
    }
    for (_, (count, first)) in below {
        let message = match count {
            1 => "nothing reads this file".to_owned(),
            n => format!(
                "nothing reads this file and {} more in its directory",
                n.saturating_sub(1)
            ),
        };
        let help = "Refer to it, or move it out of the configuration; docs/configuration.md lists the names that are ignored.";
        report.note(Mistake::new(message, help).in_file(first));
    }
}

/// Whether an absolute path could be this one of the directory, whose own place is not known here.
fn is_absolute(used: &str, path: &str) -> bool {
    used.starts_with('/')
        && used
            .strip_suffix(path)
            .is_some_and(|front| front.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_written_and_never_ends_like_configuration() {
        for path in [
            "policies/f.cedar~",
            "policies/.f.cedar.swp",
            "policies/.#f.cedar",
            "#portcullis.yaml#",
            ".git",
            "apis/README.md",
            "README",
            "LICENSE",
            "f.cedar.bak",
            "..data",
            "..2026_11_30",
            ".gitlab-ci.yml",
            "docs/x.md",
        ] {
            assert!(ignored(path).is_some(), "{path}");
        }
        for path in [
            "policies/f.cedar",
            "policies/f.CEDAR",
            "policies/f.cedar.txt",
            "policies/README.cedar",
            "policies/README.cedar.txt",
            "policies/f.cedar.md",
            "policies/.f.cedar",
            "roles/README.yaml",
            "..f.yaml",
            "gitignore",
            ".gitignored",
            "f.swp",
            "a.mdx",
        ] {
            assert_eq!(ignored(path), None, "{path}");
        }
    }

    #[test]
    fn directories_with_a_meaning_are_always_looked_into() {
        let rules = [
            String::from("crs/rules"),
            String::from("apis/rules"),
            String::from("policies"),
        ];
        for path in ["data", "crs", "crs/rules"] {
            assert!(is_left_out(path, "data", &rules), "{path}");
        }
        for path in [
            "policies",
            "apis",
            "apis/rules",
            "crs2",
            "other/crs",
            "flows",
        ] {
            assert!(!is_left_out(path, "policies", &rules), "{path}");
        }
    }

    #[test]
    fn the_key_is_found_in_good_and_in_broken_texts() {
        let at = |text: &str| {
            let mut files = Files::new();
            files.insert(SERVER_FILE, text.as_bytes());
            kek_reference(&files).map(|found| found.value)
        };
        let file = |path: &str| Some(SecretRef::File(path.to_owned()));
        assert_eq!(
            at("keys: { kek: \"file:secrets/kek\" }\n"),
            file("secrets/kek")
        );
        assert_eq!(at("unknown: 1\nkeys:\n  kek: file:kek\n"), file("kek"));
        assert_eq!(
            at("listeners: [\nkeys: { kek: \"file:kek\" } # here\n"),
            file("kek")
        );
        assert_eq!(
            at("listeners: [\nkeys:\n  kek: env:KEK\n"),
            Some(SecretRef::Env("KEK".into()))
        );
        for none in ["listeners: [\n", "keys: { kek: 0123 }\n", ""] {
            assert_eq!(at(none), None, "{none}");
        }
    }

    #[test]
    fn the_store_is_found_in_good_and_in_broken_texts() {
        let at = |text: &str| {
            let mut files = Files::new();
            files.insert(SERVER_FILE, text.as_bytes());
            store_directory(&files)
        };
        assert_eq!(at("store: { dir: ./state/ }\n"), "state");
        assert_eq!(
            at("store:\n  dir: /var/lib/portcullis\n"),
            "/var/lib/portcullis"
        );
        assert_eq!(at("listeners: {}\n"), "data");
        assert_eq!(
            at("listeners: [\nstore: { dir: \"state\" } # here\n"),
            "state"
        );
        assert_eq!(at("listeners: [\nstore:\n  dir: state\n"), "state");
        assert_eq!(at("listeners: [\n"), "data");
        assert_eq!(at(""), "data");
    }

    #[test]
    fn almost_the_name_of_a_directory_is_not_its_name() {
        for (name, kind) in [
            ("Policies", "policies"),
            ("policy", "policies"),
            ("api", "apis"),
            ("ROLES", "roles"),
        ] {
            assert_eq!(almost_kind(name), Some(kind));
        }
        for name in ["policies", "apps", "docs", "sub/policy"] {
            assert_eq!(almost_kind(name), None);
        }
    }
}
