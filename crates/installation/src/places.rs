//! Where the store may lie: apart from everything that a configuration consists of; and destinations of records: apart from both.
//! Exports `store_overlap`, `destination_overlaps`.
//! Used while a configuration is read, so that every command says it, also before the store was ever made.
//! Start reading at `store_overlap`.
//!
//! A store that is made among files of the configuration turns a valid configuration into one that no start accepts, and one
//! that is made around it would be moved, restored and destroyed together with it. Links are followed: what counts is where
//! the directories are.

use std::fs;
use std::path::{Component, Path, PathBuf};

use config::entries;

use crate::layout::Layout;

/// Why the store cannot lie where the layout says, in one sentence; `None` where it can.
pub(crate) fn store_overlap(root: &Path, store: &str, rules: &[String]) -> Option<String> {
    let root = fs::canonicalize(root).ok()?;
    let store = match place(&root.join(store)) {
        Ok(store) => store,
        Err(why) => return Some(why),
    };
    if root.starts_with(&store) {
        return Some("the directory of the store holds the configuration".to_owned());
    }
    let within = store.strip_prefix(&root).ok();
    let top = within.and_then(|below| below.components().next());
    let top = top.and_then(|top| top.as_os_str().to_str());
    if let Some(top) =
        top.filter(|top| *top == config::files::SERVER_FILE || entries::has_meaning(top))
    {
        return Some(format!(
            "the store would lie in `{top}`, which holds files of the configuration"
        ));
    }
    let kinds = entries::KINDS.into_iter().chain(entries::CERTIFICATES);
    let named = kinds.chain(rules.iter().map(String::as_str));
    for name in named {
        // A directory that is not there overlaps by its name alone; that of rules is said to be missing elsewhere.
        let Ok(other) = fs::canonicalize(root.join(name)) else {
            continue;
        };
        if store.starts_with(&other) || other.starts_with(&store) {
            return Some(format!(
                "the directory of the store and `{name}`, which holds files of the configuration, lie in one another"
            ));
        }
    }
    None
}

/// Destinations of records that cannot lie where the layout says, and why, in one sentence each: what is appended to a key, to
/// the ledger or to the configuration destroys it. Links in the place of the file are not followed, whoever may make one there
/// could lead records anywhere. Standard output and other devices are let be.
pub(crate) fn destination_overlaps(root: &Path, layout: &Layout) -> Vec<(String, String)> {
    let Ok(root) = fs::canonicalize(root) else {
        return Vec::new();
    };
    let store = place(&root.join(&layout.store)).ok();
    let read = layout.named.iter();
    let read: Vec<_> = read
        .filter_map(|name| fs::canonicalize(root.join(name)).ok())
        .collect();
    let why = |path: &Path| {
        if path.starts_with("/dev") {
            return None;
        }
        if fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink()) {
            return Some("it is a symbolic link; write the path that it leads to");
        }
        let path = place(path).ok()?;
        if store.as_ref().is_some_and(|store| path.starts_with(store)) {
            Some("it lies in the directory of the store")
        } else if path.starts_with(&root) {
            Some("it lies in the directory of the configuration")
        } else if read.contains(&path) {
            Some("the server's file names this file elsewhere, to be read")
        } else {
            None
        }
    };
    let overlaps = layout
        .destinations
        .iter()
        .filter_map(|(name, path)| Some((name.clone(), why(path)?.to_owned())));
    overlaps.collect()
}

/// Where a path leads, links followed as far as they are there.
///
/// # Errors
/// In one sentence, when no directory can be there.
fn place(path: &Path) -> Result<PathBuf, String> {
    let mut rest = Vec::new();
    let mut there = path;
    loop {
        if let Ok(found) = fs::canonicalize(there) {
            // A file that is none of the configuration is named where the store is opened.
            let missing = rest.into_iter().rev();
            return Ok(missing.fold(found, |found: PathBuf, part| joined(found, part)));
        }
        if fs::symlink_metadata(there).is_ok_and(|meta| meta.is_symlink()) {
            return Err(
                "a link that leads nowhere is in the place of the store's directory".to_owned(),
            );
        }
        let mut parts = there.components();
        let Some(last) = parts.next_back() else {
            return Ok(path.to_path_buf());
        };
        rest.push(last);
        there = parts.as_path();
    }
}

/// One part more of a path whose rest is not there yet.
fn joined(mut path: PathBuf, part: Component<'_>) -> PathBuf {
    match part {
        Component::ParentDir => {
            path.pop();
        }
        Component::CurDir => {}
        other => path.push(other),
    }
    path
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn overlap(root: &Path, store: &str, rules: &[&str]) -> Option<String> {
        let rules: Vec<String> = rules.iter().map(|&name| name.to_owned()).collect();
        store_overlap(root, store, &rules)
    }

    #[test]
    fn a_destination_lies_apart_from_whatever_the_gateway_reads_and_keeps() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("gate");
        fs::create_dir_all(root.join("apis")).unwrap();
        fs::create_dir_all(home.path().join("state/ledger")).unwrap();
        fs::write(home.path().join("kek"), "k").unwrap();
        fs::write(home.path().join("records"), "").unwrap();
        symlink(home.path().join("state"), home.path().join("way")).unwrap();
        symlink(home.path().join("kek"), home.path().join("link")).unwrap();
        symlink("nowhere", home.path().join("dangling")).unwrap();
        let written = |path: &str| Layout {
            store: "../state".to_owned(),
            named: vec!["../kek".to_owned(), "127.0.0.1:1".to_owned()],
            destinations: vec![("siem".to_owned(), home.path().join(path))],
            rules: Vec::new(),
        };
        for apart in ["records", "new", "log/new", "state2/x", "/dev/stdout"] {
            let found = destination_overlaps(&root, &written(apart));
            assert_eq!(found, [], "{apart}");
        }
        for inside in [
            "kek",
            "state",
            "state/store.db",
            "state/ledger/0000.open",
            "way/ledger/checkpoints",
            "gate/portcullis.yaml",
            "gate/new",
            "log/../gate/apis/x.yaml",
            "link",
            "dangling",
        ] {
            let found = destination_overlaps(&root, &written(inside));
            assert_eq!(found.len(), 1, "{inside}");
        }
    }

    #[test]
    fn the_store_lies_apart_from_the_configuration_whatever_leads_there() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("gate");
        for below in ["apis", "crs/rules", "state", "deep/er"] {
            fs::create_dir_all(root.join(below)).unwrap();
        }
        fs::create_dir_all(home.path().join("shared/policies")).unwrap();
        fs::write(root.join("portcullis.yaml"), "").unwrap();
        symlink(root.join("apis"), root.join("by-link")).unwrap();
        symlink("nowhere", root.join("broken")).unwrap();
        symlink(home.path().join("shared/policies"), root.join("policies")).unwrap();
        symlink(&root, home.path().join("way")).unwrap();
        let absolute = |below: &str| home.path().join(below).display().to_string();
        let rules = ["crs/rules"];
        for apart in [
            "data",
            "state",
            "deep/er",
            "deep/new/er",
            "crs2",
            "apis2",
            &absolute("other"),
            &absolute("gate2"),
        ] {
            assert_eq!(overlap(&root, apart, &rules), None, "{apart}");
        }
        for inside in [
            "",
            ".",
            "apis",
            "apis/data",
            "integrations",
            "policies",
            "policies/x",
            "secrets",
            "by-link",
            "by-link/x",
            "state/../apis",
            "deep/none/../../roles",
            "portcullis.yaml",
            "portcullis.yaml/x",
            "broken",
            "crs",
            "crs/rules",
            "crs/rules/x",
            &absolute(""),
            &absolute("gate"),
            &absolute("shared"),
            &absolute("shared/policies/x"),
            &absolute("way/apis"),
            "/",
        ] {
            assert!(overlap(&root, inside, &rules).is_some(), "{inside:?}");
            assert!(
                overlap(&home.path().join("way"), inside, &rules).is_some(),
                "{inside:?}"
            );
        }
    }
}
