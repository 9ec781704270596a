//! Reads a configuration directory into texts; everything else about it is the config room's.
//! Exports `read`, `stamp`, `compile`, `compile_to_read`, `compile_after`, `warned`.
//! Used by every command that reads a configuration, and by the reload.
//! Start reading at `read`.

use std::fs;
use std::path::Path;

use config::files::{CONTRACT_BYTES_MAX, ENTRIES_MAX, FILES_MAX, TOTAL_BYTES_MAX, is_wanted};
use config::rule_files::{
    RULE_BYTES_MAX, RULE_FILE_BYTES_MAX, RULE_FILES_MAX, in_directory, is_rule_file,
};
use config::{Compiled, Files, Look, Options, Unread, Warning, entries};
use model::Timestamp;

use crate::layout::{Layout, layout};
use crate::{InstallationError, Severity, bounded, places};

/// Deepest level of directories.
const DEPTH_MAX: usize = 8;

/// Reads every file that belongs to the configuration, and notes every entry that does not.
///
/// # Errors
/// What cannot be read.
pub fn read(dir: &Path) -> Result<Files, InstallationError> {
    if !dir.is_dir() {
        return Err(unreadable(
            dir,
            "is not a directory",
            "Give the directory that holds `portcullis.yaml`.",
        ));
    }
    let mut walk = Walk {
        root: dir,
        layout: layout(dir),
        files: Files::new(),
        bytes: 0,
        entries: 0,
    };
    walk.directory(dir, 0)?;
    let Walk {
        mut files, layout, ..
    } = walk;
    if let Some(why) = places::store_overlap(dir, &layout.store, &layout.rules) {
        files.insert_store_overlap(why);
    }
    for (name, why) in places::destination_overlaps(dir, &layout) {
        files.insert_destination_overlap(name, why);
    }
    let mut room = Room {
        files: RULE_FILES_MAX,
        bytes: RULE_BYTES_MAX,
    };
    for name in layout.rules {
        // What goes wrong here is a mistake in the configuration, said with the line that names the directory.
        if let Err(why) = rules(dir, &name, &mut files, &mut room) {
            files.insert_unread(name, why);
        }
    }
    Ok(files)
}

/// How much may still be read of rules.
struct Room {
    files: usize,
    bytes: usize,
}

/// Reads the rules and phrases of one directory. Everything else in it belongs to the release they come from.
fn rules(root: &Path, name: &str, files: &mut Files, room: &mut Room) -> Result<(), String> {
    let found = fs::read_dir(root.join(name)).map_err(|error| error.to_string())?;
    for entry in found {
        let path = entry.map_err(|error| error.to_string())?.path();
        let Some(file) = path.file_name().and_then(|file| file.to_str()) else {
            return Err(format!("{}: the name is not UTF-8", path.display()));
        };
        if entries::ignored(file).is_some() {
            continue;
        }
        if path.is_dir() {
            note_rules(&path, in_directory(name, file), files);
            continue;
        }
        if !is_rule_file(&file.to_lowercase()) {
            continue;
        }
        let said = |error: std::io::Error| format!("{file}: {error}");
        let meta = fs::metadata(&path).map_err(said)?;
        if !is_rule_file(file) || is_hidden(file) || !meta.is_file() {
            return Err(format!(
                "{file}: rules and phrases are visible files whose names end in `.conf` and `.data`, in small letters"
            ));
        }
        let length = usize::try_from(meta.len()).unwrap_or(usize::MAX);
        if length > RULE_FILE_BYTES_MAX || length > room.bytes || room.files == 0 {
            return Err(format!(
                "too much to read; at most {RULE_FILES_MAX} files with {RULE_BYTES_MAX} bytes, each at most \
                 {RULE_FILE_BYTES_MAX}"
            ));
        }
        let bytes = bounded::read(&path, RULE_FILE_BYTES_MAX).map_err(said)?;
        room.files -= 1;
        room.bytes = room.bytes.saturating_sub(bytes.len());
        files.insert(in_directory(name, file), bytes);
    }
    Ok(())
}

/// Notes a directory below one of rules that holds rules itself: somebody may believe that they are loaded.
fn note_rules(path: &Path, name: String, files: &mut Files) {
    let is_rules = |path: &Path| path.extension().is_some_and(|ending| ending == "conf");
    let mut below = fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .take(ENTRIES_MAX);
    if below.any(|entry| is_rules(&entry.path())) {
        files.insert_entry(name, Unread::Rules);
    }
}

/// The reading of one directory.
struct Walk<'d> {
    root: &'d Path,
    layout: Layout,
    files: Files,
    bytes: usize,
    entries: usize,
}

impl Walk<'_> {
    fn directory(&mut self, dir: &Path, depth: usize) -> Result<(), InstallationError> {
        if depth > DEPTH_MAX {
            return Err(unreadable(
                dir,
                "is nested too deeply",
                "Keep the configuration within eight levels of directories.",
            ));
        }
        let listed = fs::read_dir(dir).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let listed = listed.map_err(|error| cannot_read(dir, &error))?;
        self.entries = self.entries.saturating_add(listed.len());
        if self.entries > ENTRIES_MAX {
            return Err(too_large(dir));
        }
        let mut paths: Vec<_> = listed.into_iter().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            self.entry(&path, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, depth: usize) -> Result<(), InstallationError> {
        let below = path.strip_prefix(self.root).unwrap_or(path);
        let Some(name) = below.to_str().map(str::to_owned) else {
            self.files
                .insert_entry(below.to_string_lossy(), Unread::Name);
            return Ok(());
        };
        if let Some(pattern) = entries::ignored(&name) {
            self.files.insert_ignored(name, pattern);
            return Ok(());
        }
        // Whatever lies in the store's place is the store's to judge.
        if self.layout.leaves_out(self.root, path, &name) {
            return Ok(());
        }
        let meta = match fs::metadata(path) {
            Ok(meta) => meta,
            Err(error) => {
                self.files
                    .insert_entry(name, Unread::Broken(error.to_string()));
                return Ok(());
            }
        };
        if meta.is_dir() {
            return self.below(path, name, depth);
        }
        let unread = if !meta.is_file() {
            Unread::Special
        } else if is_wanted(&name) {
            return self.file(path, name);
        } else {
            Unread::Stray
        };
        self.files.insert_entry(name, unread);
        Ok(())
    }

    fn below(&mut self, path: &Path, name: String, depth: usize) -> Result<(), InstallationError> {
        if entries::almost_kind(&name).is_some() {
            self.files.insert_entry(name, Unread::Directory);
            return Ok(());
        }
        if is_hidden(&name) {
            self.files.insert_entry(name, Unread::Stray);
            return Ok(());
        }
        if fs::read_dir(path).is_ok_and(|mut listed| listed.next().is_none()) {
            self.files.insert_entry(name, Unread::Empty);
            return Ok(());
        }
        self.directory(path, depth.saturating_add(1))
    }

    fn file(&mut self, path: &Path, name: String) -> Result<(), InstallationError> {
        let length = fs::metadata(path).map(|meta| meta.len()).unwrap_or(0);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.bytes = self.bytes.saturating_add(length);
        if length > CONTRACT_BYTES_MAX
            || self.bytes > TOTAL_BYTES_MAX
            || self.files.len() >= FILES_MAX
        {
            return Err(too_large(path));
        }
        let bytes = bounded::read(path, CONTRACT_BYTES_MAX);
        let bytes = bytes.map_err(|error| cannot_read(path, &error))?;
        self.files.insert(name, bytes);
        Ok(())
    }
}

fn is_hidden(name: &str) -> bool {
    name.split('/').any(|part| part.starts_with('.'))
}

/// Names, sizes and times of everything a configuration can depend on, certificates and directories of rules included.
/// Cheap: no file is read. `None` when the process, not the directory, is the reason that it cannot be seen.
pub fn stamp(dir: &Path, layout: &Layout) -> Option<[u8; 32]> {
    let mut seen = Vec::new();
    note(dir, dir, layout, 0, &mut seen)?;
    for name in &layout.rules {
        // They may lie elsewhere, or in a hidden directory; what lies below them is not read.
        note(dir, &dir.join(name), layout, DEPTH_MAX, &mut seen)?;
    }
    seen.sort();
    Some(crypto::sha256(&[seen.join("\n").as_bytes()]))
}

fn note(
    root: &Path,
    dir: &Path,
    layout: &Layout,
    depth: usize,
    seen: &mut Vec<String>,
) -> Option<()> {
    let listed = match fs::read_dir(dir) {
        Ok(listed) => listed,
        Err(error) if is_out_of_room(&error) => return None,
        Err(_) => return Some(()),
    };
    for path in listed.flatten().map(|entry| entry.path()) {
        let below = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        if entries::ignored(&below).is_some() || seen.len() > ENTRIES_MAX || depth > DEPTH_MAX {
            continue;
        }
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() && !layout.leaves_out(root, &path, &below) => {
                seen.push(below.clone());
                if !is_hidden(&below) {
                    note(root, &path, layout, depth.saturating_add(1), seen)?;
                }
            }
            Ok(meta) if meta.is_file() => {
                let modified = meta.modified().ok();
                seen.push(format!("{} {} {modified:?}", path.display(), meta.len()));
            }
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => seen.push(format!("{below} is no file")),
            Err(error) => seen.push(format!("{below} {error}")),
        }
    }
    Some(())
}

/// Whether the process has no descriptor or memory left: that says nothing of the file.
fn is_out_of_room(error: &std::io::Error) -> bool {
    let errno = rustix::io::Errno::from_io_error(error);
    errno.is_some_and(|errno| {
        matches!(
            errno,
            rustix::io::Errno::MFILE | rustix::io::Errno::NFILE | rustix::io::Errno::NOMEM
        )
    })
}

fn cannot_read(path: &Path, error: &std::io::Error) -> InstallationError {
    unreadable(
        path,
        &error.to_string(),
        "Let the user that runs Portcullis read it.",
    )
}

fn too_large(path: &Path) -> InstallationError {
    unreadable(
        path,
        "makes the configuration too large",
        "Keep only configuration in this directory.",
    )
}

fn unreadable(path: &Path, what: &str, remedy: &str) -> InstallationError {
    InstallationError::new(
        Severity::Configuration,
        format!("{} {what}", path.display()),
        remedy,
    )
}

/// Compiles the texts.
///
/// # Errors
/// Every mistake, with its place.
pub fn compile(
    files: &Files,
    now: Timestamp,
) -> Result<(Compiled, Vec<Warning>), InstallationError> {
    config::compile(files, Options { now })
        .map_err(|mistakes| InstallationError::mistaken(&mistakes, files))
}

/// Compiles the texts for a command that inspects no request: the same mistakes, sooner.
///
/// # Errors
/// Every mistake, with its place.
pub fn compile_to_read(
    files: &Files,
    now: Timestamp,
) -> Result<(Compiled, Vec<Warning>), InstallationError> {
    config::compile_to_read(files, Options { now })
        .map_err(|mistakes| InstallationError::mistaken(&mistakes, files))
}

/// Compiles the texts of a configuration that follows another one.
///
/// # Errors
/// Every mistake, with its place.
pub fn compile_after(
    files: &Files,
    now: Timestamp,
    before: &Compiled,
) -> Result<(Compiled, Vec<Warning>), InstallationError> {
    config::compile_after(files, Options { now }, Some(before))
        .map_err(|mistakes| InstallationError::mistaken(&mistakes, files))
}

/// Warnings with their snippets, each in lines that are safe to print.
pub fn warned(warnings: &[Warning], files: &Files) -> Vec<String> {
    let look = Look {
        is_warning: true,
        is_coloured: false,
    };
    config::render_all(warnings, files, look)
}
