//! Reads a configuration directory into texts; everything else about it is the config room's.
//! Gives `read`, `stamp`, `compile`, `compile_to_read`, `compile_after`.
//! Used by `check`, `serve`, `can`, `access` and the reload.
//! Start reading at `read`.

use std::fs;
use std::path::Path;

use config::files::{CONTRACT_BYTES_MAX, FILES_MAX, TOTAL_BYTES_MAX, is_wanted};
use config::rule_files::{
    RULE_BYTES_MAX, RULE_FILE_BYTES_MAX, RULE_FILES_MAX, in_directory, is_rule_file,
};
use config::{Compiled, Files, Look, Options, Warning};
use model::{Mistake, Timestamp};

use crate::exit::{Exit, Trouble};
use crate::terminal;

/// Deepest level of directories.
const DEPTH_MAX: usize = 8;

/// Reads every file that belongs to the configuration.
///
/// # Errors
/// What cannot be read, with exit 78.
pub fn read(dir: &Path) -> Result<Files, Trouble> {
    let mut files = Files::new();
    if !dir.is_dir() {
        return Err(unreadable(
            dir,
            "is not a directory",
            "Give the directory that holds `portcullis.yaml`.",
        ));
    }
    let mut total = 0;
    walk(dir, dir, 0, &mut files, &mut total)?;
    let mut room = Room {
        files: RULE_FILES_MAX,
        bytes: RULE_BYTES_MAX,
    };
    for name in config::rule_directories(&files) {
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

/// Reads the rules and phrases of one directory.
fn rules(root: &Path, name: &str, files: &mut Files, room: &mut Room) -> Result<(), String> {
    let entries = fs::read_dir(root.join(name)).map_err(|error| error.to_string())?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        let Some(file) = path.file_name().and_then(|file| file.to_str()) else {
            continue;
        };
        if !is_rule_file(file) || is_hidden(file) || !path.is_file() {
            continue;
        }
        let said = |error: std::io::Error| format!("{file}: {error}");
        let length = fs::metadata(&path).map_err(said)?.len();
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > RULE_FILE_BYTES_MAX || length > room.bytes || room.files == 0 {
            return Err(format!(
                "too much to read; at most {RULE_FILES_MAX} files with {RULE_BYTES_MAX} bytes, each at most \
                 {RULE_FILE_BYTES_MAX}"
            ));
        }
        let bytes = fs::read(&path).map_err(said)?;
        room.files -= 1;
        room.bytes = room.bytes.saturating_sub(bytes.len());
        files.insert(in_directory(name, file), bytes);
    }
    Ok(())
}

fn walk(
    root: &Path,
    dir: &Path,
    depth: usize,
    files: &mut Files,
    total: &mut usize,
) -> Result<(), Trouble> {
    if depth > DEPTH_MAX {
        return Err(unreadable(
            dir,
            "is nested too deeply",
            "Keep the configuration within eight levels of directories.",
        ));
    }
    let entries = fs::read_dir(dir).map_err(|error| {
        unreadable(
            dir,
            &error.to_string(),
            "Let the user that runs Portcullis read it.",
        )
    })?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.strip_prefix(root).ok().and_then(Path::to_str);
        let Some(name) = name.map(str::to_owned) else {
            continue;
        };
        if path.is_dir() && !is_hidden(&name) && !is_state(&path) {
            walk(root, &path, depth + 1, files, total)?;
        } else if path.is_file() && is_wanted(&name) {
            add(&path, name, files, total)?;
        }
    }
    Ok(())
}

fn is_hidden(name: &str) -> bool {
    name.split('/').any(|part| part.starts_with('.'))
}

/// The directories of rules that the server's file names now.
pub fn rule_directories(dir: &Path) -> Vec<String> {
    let mut files = Files::new();
    let mut total = 0;
    let path = dir.join(config::files::SERVER_FILE);
    match add(
        &path,
        config::files::SERVER_FILE.into(),
        &mut files,
        &mut total,
    ) {
        Ok(()) => config::rule_directories(&files),
        // The configuration cannot be read at all, which is said elsewhere.
        Err(_) => Vec::new(),
    }
}

/// Names, sizes and times of everything a configuration can depend on, certificates and directories of rules included.
/// Cheap: no file is read.
pub fn stamp(dir: &Path, rules: &[String]) -> [u8; 32] {
    let mut seen = Vec::new();
    note(dir, 0, &mut seen);
    for name in rules {
        // They may lie elsewhere, or in a hidden directory; what lies below them is not read.
        note(&dir.join(name), DEPTH_MAX, &mut seen);
    }
    seen.sort();
    crypto::sha256(&[seen.join("\n").as_bytes()])
}

fn note(dir: &Path, depth: usize, seen: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_none_or(is_hidden) || seen.len() > FILES_MAX || depth > DEPTH_MAX {
            continue;
        }
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() && !is_state(&path) => note(&path, depth + 1, seen),
            Ok(meta) if meta.is_file() => {
                let modified = meta.modified().ok();
                seen.push(format!("{} {} {modified:?}", path.display(), meta.len()));
            }
            _ => {}
        }
    }
}

/// The store's own directory may lie beside the configuration; it holds no configuration.
fn is_state(path: &Path) -> bool {
    path.join("ledger").is_dir() || path.join(store::DATABASE).exists()
}

fn add(path: &Path, name: String, files: &mut Files, total: &mut usize) -> Result<(), Trouble> {
    let length = fs::metadata(path).map(|meta| meta.len()).unwrap_or(0);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    *total = total.saturating_add(length);
    if length > CONTRACT_BYTES_MAX || *total > TOTAL_BYTES_MAX || files.len() >= FILES_MAX {
        return Err(unreadable(
            path,
            "makes the configuration too large",
            "Keep only configuration in this directory.",
        ));
    }
    let bytes = fs::read(path).map_err(|error| {
        unreadable(
            path,
            &error.to_string(),
            "Let the user that runs Portcullis read it.",
        )
    })?;
    files.insert(name, bytes);
    Ok(())
}

fn unreadable(path: &Path, what: &str, remedy: &str) -> Trouble {
    Trouble::new(
        Exit::Configuration,
        format!("{} {what}", path.display()),
        remedy,
    )
}

/// Compiles the texts; warnings are printed, mistakes end the command.
///
/// # Errors
/// Every mistake, rendered, with exit 78.
pub fn compile(files: &Files, now: Timestamp) -> Result<(Compiled, Vec<Warning>), Trouble> {
    config::compile(files, Options { now }).map_err(|mistakes| mistaken(&mistakes, files))
}

/// Compiles the texts for a command that inspects no request: the same mistakes, sooner.
///
/// # Errors
/// Every mistake, rendered, with exit 78.
pub fn compile_to_read(files: &Files, now: Timestamp) -> Result<(Compiled, Vec<Warning>), Trouble> {
    config::compile_to_read(files, Options { now }).map_err(|mistakes| mistaken(&mistakes, files))
}

/// Compiles the texts of a configuration that follows another one.
///
/// # Errors
/// Every mistake, rendered, with exit 78.
pub fn compile_after(
    files: &Files,
    now: Timestamp,
    before: &Compiled,
) -> Result<(Compiled, Vec<Warning>), Trouble> {
    config::compile_after(files, Options { now }, Some(before))
        .map_err(|mistakes| mistaken(&mistakes, files))
}

/// Mistakes as trouble.
pub fn mistaken(mistakes: &[Mistake], files: &Files) -> Trouble {
    let rendered = config::render_all(mistakes, files, Look::default());
    let count = match mistakes.len() {
        1 => "1 mistake".to_owned(),
        n => format!("{n} mistakes"),
    };
    Trouble::report(
        Exit::Configuration,
        format!("the configuration has {count}\n\n{}", rendered.join("\n")),
        "Nothing was changed. Mend the places above and run `portcullis check` again.",
    )
}

/// Prints warnings with their snippets to stderr.
pub fn warn(warnings: &[Warning], files: &Files) {
    let look = Look {
        is_warning: true,
        is_coloured: false,
    };
    for warning in config::render_all(warnings, files, look) {
        terminal::say_all(warning);
    }
}
