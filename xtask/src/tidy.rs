//! The rules of the house that the compiler cannot check.
//! Exports `all`: layering, fences, circles, readers without fuzz target, door plates, sizes, words.
//! Used by `cargo xtask tidy` and by this crate's test.
//! Start reading at `all`.

mod circles;
mod layers;
mod readers;
mod text;

use std::fs;
use std::path::{Path, PathBuf};

/// Runs every rule.
///
/// # Errors
/// One line per breach, each naming file, line and remedy.
pub fn all(root: &Path) -> Result<(), Vec<String>> {
    let mut complaints = layers::complaints(root);
    complaints.extend(circles::complaints(root));
    complaints.extend(readers::complaints(root));
    complaints.extend(text::complaints(root));
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(complaints)
    }
}

/// Every Rust file of the rooms, testkit and xtask.
fn rust_files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["crates", "testkit", "xtask"] {
        walk(&root.join(folder), &mut found);
    }
    found.sort();
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            walk(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        if let Err(complaints) = super::all(&crate::root()) {
            panic!("{} breaches:\n{}", complaints.len(), complaints.join("\n"));
        }
    }
}
