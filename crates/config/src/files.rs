//! The texts of one configuration directory, as the binary read them.
//! Exports `Files` and `is_wanted` (which files belong to a configuration). Pure: nothing is opened here.
//! Used by compile, render and the binary; `explain` keeps one to show the line of a rule.
//! Start reading at `Files`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::unread::Unread;

/// Name of the server's file.
pub const SERVER_FILE: &str = "portcullis.yaml";
/// Most files one configuration may have.
pub const FILES_MAX: usize = 2_000;
/// Largest configuration file.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// Largest contract or overlay.
pub const CONTRACT_BYTES_MAX: usize = 8 << 20;
/// Most entries of the directory, read or not.
pub const ENTRIES_MAX: usize = 20_000;
/// Most bytes of all files together.
pub const TOTAL_BYTES_MAX: usize = 64 << 20;

/// Texts by path. Paths are relative to the directory, with `/` between the parts: `apis/field-service.yaml`.
#[derive(Clone, Debug, Default)]
pub struct Files {
    texts: BTreeMap<String, Arc<[u8]>>,
    /// What kept a directory of rules, or a file in it, from being read.
    unread: BTreeMap<String, String>,
    /// What else lies in the directory and is not read.
    entries: BTreeMap<String, Unread>,
    /// What a pattern ignores.
    ignored: BTreeMap<String, &'static str>,
    /// Why the store cannot lie where the server's file says.
    store_overlap: Option<String>,
    /// Why destinations of records cannot lie where the server's file says, by their names.
    destination_overlaps: BTreeMap<String, String>,
}

impl Files {
    /// No file at all.
    pub fn new() -> Self {
        Files::default()
    }

    /// Adds or replaces one file.
    pub fn insert(&mut self, path: impl Into<String>, bytes: impl Into<Arc<[u8]>>) {
        self.texts.insert(path.into(), bytes.into());
    }

    /// Takes one file away.
    pub fn remove(&mut self, path: &str) -> Option<Arc<[u8]>> {
        self.texts.remove(path)
    }

    /// Notes what kept a directory of rules, or a file in it, from being read. It becomes a mistake where it is referred to.
    pub fn insert_unread(&mut self, path: impl Into<String>, why: impl Into<String>) {
        self.unread.insert(path.into(), why.into());
    }

    /// What kept this path from being read.
    pub fn unread(&self, path: &str) -> Option<&str> {
        self.unread.get(path).map(String::as_str)
    }

    /// Notes why the store cannot lie where the server's file says. It becomes a mistake there.
    pub fn insert_store_overlap(&mut self, why: impl Into<String>) {
        self.store_overlap = Some(why.into());
    }

    /// Why the store cannot lie where the server's file says.
    pub fn store_overlap(&self) -> Option<&str> {
        self.store_overlap.as_deref()
    }

    /// Notes why a destination of records cannot lie where the server's file says. It becomes a mistake there.
    pub fn insert_destination_overlap(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.destination_overlaps.insert(name.into(), why.into());
    }

    /// Why destinations of records cannot lie where the server's file says, by their names.
    pub fn destination_overlaps(&self) -> &BTreeMap<String, String> {
        &self.destination_overlaps
    }

    /// Notes an entry of the directory that is not read.
    pub fn insert_entry(&mut self, path: impl Into<String>, unread: Unread) {
        self.entries.insert(path.into(), unread);
    }

    /// The entries that are not read and that no pattern ignores, in order of the paths.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Unread)> {
        let entries = self.entries.iter();
        entries.map(|(path, unread)| (path.as_str(), unread))
    }

    /// Notes an entry that a pattern ignores.
    pub fn insert_ignored(&mut self, path: impl Into<String>, pattern: &'static str) {
        self.ignored.insert(path.into(), pattern);
    }

    /// The ignored entries with the patterns that ignore them.
    pub fn ignored(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let ignored = self.ignored.iter();
        ignored.map(|(path, pattern)| (path.as_str(), *pattern))
    }

    /// The bytes of a file.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.texts.get(path).map(|bytes| &**bytes)
    }

    /// The text of a file; `None` when it is absent or not UTF-8.
    pub fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes(path)?).ok()
    }

    /// All paths in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// Paths and bytes in order of the paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.texts
            .iter()
            .map(|(path, bytes)| (path.as_str(), &**bytes))
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// SHA-256 over all paths and bytes, lengths included, so that no two directories share one.
    pub fn hash(&self) -> [u8; 32] {
        let lengths: Vec<[[u8; 8]; 2]> = self
            .iter()
            .map(|(path, bytes)| {
                [
                    (path.len() as u64).to_be_bytes(),
                    (bytes.len() as u64).to_be_bytes(),
                ]
            })
            .collect();
        let mut parts: Vec<&[u8]> = Vec::with_capacity(self.len().saturating_mul(4));
        for ((path, bytes), [path_length, length]) in self.iter().zip(&lengths) {
            parts.extend([path_length, path.as_bytes(), length, bytes]);
        }
        crypto::sha256(&parts)
    }
}

/// Whether the file at this path belongs to a configuration and should be read.
///
/// Everything that could be meant as configuration is read, also where it is refused later: a file that
/// is silently left out would be a setting that is accepted and ignored.
pub fn is_wanted(path: &str) -> bool {
    let is_hidden = path.split('/').any(|part| part.starts_with('.'));
    let extension = path.rsplit_once('.').map(|(_, extension)| extension);
    !is_hidden && matches!(extension, Some("yaml" | "yml" | "json" | "cedar"))
}

/// Joins `path` to the directory of `from` and resolves `.` and `..`.
///
/// # Errors
/// A sentence when the path is absolute, leaves the configuration directory or is not plain.
pub fn resolve(from: &str, path: &str) -> Result<String, &'static str> {
    if path.is_empty() {
        return Err("is empty");
    }
    if path.starts_with('/') || path.contains('\\') || path.contains(':') {
        return Err("is not a path relative to this file, written with `/`");
    }
    let mut parts: Vec<&str> = match from.rsplit_once('/') {
        Some((directory, _)) => directory.split('/').collect(),
        None => Vec::new(),
    };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or("leaves the configuration directory")?;
            }
            name => parts.push(name),
        }
    }
    Ok(parts.join("/"))
}

/// How `path` is written in the file `from`, so that [`resolve`] finds it again.
pub(crate) fn relative(from: &str, path: &str) -> String {
    let directory = from.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut own = directory
        .split('/')
        .filter(|part| !part.is_empty())
        .peekable();
    let mut rest = path.split('/').peekable();
    while own.peek().is_some() && own.peek() == rest.peek() {
        own.next();
        rest.next();
    }
    let up = own.map(|_| "..");
    up.chain(rest).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_so_that_it_is_found_again() {
        for (from, path, written) in [
            ("apis/a.yaml", "overlays/a.yaml", "../overlays/a.yaml"),
            ("apis/a.yaml", "apis/parts/b.yaml", "parts/b.yaml"),
            ("apis/x/a.yaml", "apis/y/b.yaml", "../y/b.yaml"),
            ("a.yaml", "b.yaml", "b.yaml"),
        ] {
            assert_eq!(relative(from, path), written);
            assert_eq!(resolve(from, written).as_deref(), Ok(path));
        }
    }

    #[test]
    fn paths_resolve_beside_the_file_and_never_leave_the_directory() {
        let from = "apis/field-service.yaml";
        assert_eq!(resolve(from, "a.json").as_deref(), Ok("apis/a.json"));
        assert_eq!(
            resolve(from, "../overlays/a.yaml").as_deref(),
            Ok("overlays/a.yaml")
        );
        assert!(resolve(from, "../../etc/passwd").is_err());
        assert!(resolve(from, "/etc/passwd").is_err());
        assert!(resolve(from, "..\\x").is_err());
        assert!(resolve(from, "").is_err());
    }

    #[test]
    fn the_hash_depends_on_names_bytes_and_their_borders() {
        let one = |path: &str, text: &str| {
            let mut files = Files::new();
            files.insert(path, text.as_bytes().to_vec());
            files.hash()
        };
        assert_eq!(one("a", "b"), one("a", "b"));
        assert_ne!(one("a", "b"), one("ab", ""));
        assert_ne!(one("a", "b"), one("a", "c"));
    }

    #[test]
    fn hidden_files_and_data_are_not_configuration() {
        assert!(is_wanted("apis/a.yaml") && is_wanted("policies/a.cedar"));
        assert!(
            !is_wanted(".git/a.yaml")
                && !is_wanted("data/state.db")
                && !is_wanted("tls/public.key")
        );
    }
}
