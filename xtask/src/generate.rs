//! Pages that are written from the code, so that the manual cannot say something else than the program.
//! Exports `write` and `pages`: configuration, problem codes, admin commands, schemas; the command line is asked for its own help and
//! the schemas of what it prints.
//! Used by `cargo xtask gen`; a test compares the committed pages with the code.
//! Start reading at `pages`.

mod commands;
mod problem_codes;
mod request_fields;
mod upstream_answers;

use std::fs;
use std::path::{Path, PathBuf};

/// Writes every generated page below `docs/`.
///
/// # Errors
/// One line for each page that could not be made or written.
pub fn write(root: &Path) -> Result<(), Vec<String>> {
    let mut pages = pages();
    let mut complaints = Vec::new();
    let asked = commands::page(root).map(|page| vec![page]);
    for asked in [asked, commands::outputs(root)] {
        match asked {
            Ok(asked) => pages.extend(asked),
            Err(complaint) => complaints.push(complaint),
        }
    }
    complaints.extend(pages.iter().filter_map(|page| put(root, page).err()));
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(complaints)
    }
}

/// One page: where it lies below the workspace's folder, and its text.
type Page = (PathBuf, String);

/// The pages that are made without running anything.
fn pages() -> Vec<Page> {
    let mut pages = vec![
        (
            PathBuf::from("docs/admin-commands.md"),
            control::commands::reference_markdown(),
        ),
        (
            PathBuf::from("docs/schemas/admin.openapi.json"),
            format!("{:#}\n", control::commands::openapi()),
        ),
        (
            PathBuf::from("docs/configuration.md"),
            config::reference_markdown(),
        ),
        (
            PathBuf::from("docs/problem-codes.md"),
            problem_codes::page(),
        ),
        (
            PathBuf::from("docs/request-fields.md"),
            request_fields::page(),
        ),
        (
            PathBuf::from("docs/upstream-answers.md"),
            upstream_answers::page(),
        ),
    ];
    for kind in config::kinds() {
        let schema = config::schema(kind).unwrap_or_default();
        let text = format!("{schema:#}\n");
        pages.push((
            PathBuf::from(format!("docs/schemas/{kind}.schema.json")),
            text,
        ));
    }
    pages
}

/// Writes a page where it differs; an unchanged file keeps its date.
fn put(root: &Path, (name, text): &Page) -> Result<(), String> {
    let path = root.join(name);
    let failed = |error: std::io::Error| format!("{}: {error}", name.display());
    if fs::read_to_string(&path).is_ok_and(|old| old == *text) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(&path, text).map_err(failed)?;
    eprintln!("wrote {}", name.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_pages_are_those_the_code_gives() {
        let root = crate::root();
        for (name, text) in pages() {
            let committed = fs::read_to_string(root.join(&name)).unwrap_or_default();
            let line = committed
                .lines()
                .zip(text.lines())
                .take_while(|(a, b)| a == b)
                .count()
                + 1;
            assert!(
                committed == text,
                "{} differs from the code, first in line {line}; run `cargo xtask gen` and commit the page",
                name.display()
            );
        }
    }
}
