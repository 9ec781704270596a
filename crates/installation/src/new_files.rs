//! The files of a new configuration, written where none of them is there; what is there is never overwritten.
//! Exports `write`, `NewFile`.
//! Used by `portcullis init`.
//! Start reading at `write`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::{InstallationError, Severity};

/// A file to write.
#[derive(Clone, Copy, Debug)]
pub struct NewFile<'a> {
    /// Below the directory.
    pub path: &'a str,
    /// What it holds.
    pub text: &'a str,
    /// For its owner only.
    pub is_secret: bool,
}

/// Writes all of them.
///
/// # Errors
/// When one is there already (then nothing is written), or cannot be written.
pub fn write(dir: &Path, files: &[NewFile<'_>]) -> Result<(), InstallationError> {
    refuse_existing(dir, files)?;
    files.iter().try_for_each(|file| write_one(dir, file))
}

fn refuse_existing(dir: &Path, planned: &[NewFile<'_>]) -> Result<(), InstallationError> {
    let there: Vec<&str> = planned
        .iter()
        .filter(|file| dir.join(file.path).exists())
        .map(|file| file.path)
        .collect();
    if there.is_empty() {
        return Ok(());
    }
    Err(InstallationError::new(
        Severity::Failed,
        format!("{} already holds {}", dir.display(), config::listed(&there)),
        "Nothing was written. Choose another --dir, or add the api to the configuration you have by hand.",
    ))
}

fn write_one(dir: &Path, file: &NewFile<'_>) -> Result<(), InstallationError> {
    let path = dir.join(file.path);
    let mode = if file.is_secret {
        (0o700, 0o600)
    } else {
        (0o755, 0o644)
    };
    let parent = path.parent().unwrap_or(dir);
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(mode.0)
        .create(parent);
    let written = made.and_then(|()| {
        let mut out = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode.1)
            .open(&path)?;
        out.write_all(file.text.as_bytes())
    });
    written.map_err(|error| {
        InstallationError::new(
            Severity::Failed,
            format!("cannot write {}: {error}", path.display()),
            "Choose a --dir you may write to.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten() {
        let dir = std::env::temp_dir().join(format!("portcullis-new-{}", std::process::id()));
        let file = |text| NewFile {
            path: "a/b.yaml",
            text,
            is_secret: false,
        };
        write(&dir, &[file("x")]).unwrap();
        let again = write(&dir, &[file("y")]).unwrap_err();
        assert!(again.message.contains("already holds `a/b.yaml`"));
        let kept = fs::read_to_string(dir.join("a/b.yaml")).unwrap();
        fs::remove_dir_all(&dir).unwrap();
        assert_eq!(kept, "x");
    }
}
