//! Broken configurations: one edit of a good one each, and the message the operator reads.
//! The edits are data (`broken.json`), so that the integration suite can feed them to a running server too.
//! `PORTCULLIS_GOLDEN=write` writes `broken.golden` again.
//! Start reading at `every_broken_configuration_is_refused_with_its_golden_message`.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test that cannot read its data has failed"
)]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use config::{Files, Options, compile, compile_to_read, render};
use model::{Method, Timestamp};

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    file: String,
    /// What is replaced once; `*` for the whole file, `-` to take the file away.
    replace: String,
    with: String,
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(path)
}

fn base() -> Files {
    let mut files = Files::new();
    add(&here("base"), "", &mut files);
    files
}

fn add(directory: &Path, prefix: &str, files: &mut Files) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            add(&entry.path(), &format!("{name}/"), files)
        } else {
            files.insert(name, std::fs::read(entry.path()).unwrap())
        }
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_slice(&std::fs::read(here("broken.json")).unwrap()).unwrap()
}

fn broken(case: &Case) -> Files {
    let mut files = base();
    match case.replace.as_str() {
        "*" => files.insert(&case.file, case.with.as_bytes()),
        "-" => drop(files.remove(&case.file)),
        part => {
            let text = files.text(&case.file).unwrap().to_owned();
            assert!(
                text.contains(part),
                "{}: `{part}` is not in {}",
                case.name,
                case.file
            );
            files.insert(&case.file, text.replacen(part, &case.with, 1).into_bytes());
        }
    }
    files
}

fn options() -> Options {
    Options {
        now: Timestamp::parse("2026-11-23").unwrap(),
    }
}

#[test]
fn the_good_configuration_compiles_without_a_word() {
    let files = base();
    let shown =
        |found: &[model::Mistake]| found.iter().map(|m| render(m, &files)).collect::<String>();
    match compile(&files, options()) {
        Ok((compiled, warnings)) => {
            assert_eq!(shown(&warnings), "");
            assert_eq!(compiled.operation_counts(), (6, 6));
            assert_eq!(compiled.versions.len(), 3);
            let retired = [String::from("v0"), String::from("x")];
            let found =
                compiled
                    .router
                    .find(compiled.router.listener("public"), Method::Get, &retired);
            assert!(
                matches!(found, contract::Found::Retired { .. }),
                "{found:?}"
            );
            assert_eq!(compiled.secrets().len(), 3);
        }
        Err(mistakes) => panic!("{}", shown(&mistakes)),
    }
}

#[test]
fn every_broken_configuration_is_refused_with_its_golden_message() {
    let mut all = String::new();
    let mut accepted = Vec::new();
    for case in cases() {
        let files = broken(&case);
        let _ = writeln!(all, "## {}\n", case.name);
        match compile(&files, options()) {
            Ok(_) => accepted.push(case.name),
            Err(mistakes) => {
                let read = compile_to_read(&files, options()).err();
                assert_eq!(read.as_ref(), Some(&mistakes), "{}", case.name);
                for mistake in &mistakes {
                    if mistake.file.is_empty() || mistake.help.is_empty() {
                        accepted.push(format!("{}: {mistake:?}", case.name));
                    }
                    let _ = writeln!(all, "{}", render(mistake, &files).trim_end());
                }
            }
        }
        all.push('\n');
    }
    let golden = here("broken.golden");
    if std::env::var_os("PORTCULLIS_GOLDEN").is_some() {
        std::fs::write(&golden, &all).unwrap();
    }
    assert!(accepted.is_empty(), "accepted: {accepted:?}");
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    for (line, (was, is)) in expected.lines().zip(all.lines()).enumerate() {
        assert_eq!(was, is, "broken.golden:{}", line + 1);
    }
    assert_eq!(expected.len(), all.len());
}

/// The warnings of the good configuration with one edit.
fn warned(edit: (&str, &str)) -> String {
    let mut files = base();
    let text = files.text("portcullis.yaml").unwrap().to_owned();
    assert!(text.contains(edit.0));
    files.insert(
        "portcullis.yaml",
        text.replacen(edit.0, edit.1, 1).into_bytes(),
    );
    let (_, warnings) = compile(&files, options()).unwrap();
    warnings.iter().map(|m| render(m, &files)).collect()
}

#[test]
fn an_exclusion_that_ended_is_a_warning_and_silences_nothing() {
    let said = warned(("expires: 2027-06-30", "expires: 2026-11-23"));
    assert!(
        said.contains("the exclusion ended on 2026-11-23 and silences nothing")
            && said.contains("portcullis.yaml:27:16"),
        "{said}"
    );
    assert_eq!(warned(("expires: 2027-06-30", "expires: 2026-11-24")), "");
}

#[test]
fn a_role_that_nobody_has_and_a_listener_that_serves_nothing_are_warnings() {
    let idle = "  idle: { address: \"127.0.0.1:8445\", plain: true }\n  admin:";
    let said = warned(("  admin:", idle));
    assert!(
        said.contains("nothing is exposed on the listener `idle`"),
        "{said}"
    );
    let mut files = base();
    let role = files.text("roles/partner.yaml").unwrap().to_owned();
    files.insert("roles/nobody.yaml", role.into_bytes());
    let (_, warnings) = compile(&files, options()).unwrap();
    let told: Vec<&str> = warnings.iter().map(|m| &*m.message).collect();
    assert_eq!(told, ["no integration has the role `nobody`"]);
}

#[test]
fn a_refusal_that_tells_which_objects_exist_is_a_warning_at_its_word() {
    let file = "integrations/accounting.yaml";
    let told = |edits: &[(&str, &str)]| {
        let mut files = base();
        let mut text = files.text(file).unwrap().to_owned();
        for (from, to) in edits {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        files.insert(file, text.into_bytes());
        let (_, warnings) = compile(&files, options()).unwrap();
        let shown = warnings.iter().map(|warning| render(warning, &files));
        shown.collect::<String>()
    };
    let forbidden = ("deny_as: not_found", "deny_as: forbidden");
    let said = told(&[forbidden]);
    assert!(
        said.contains("`getWorkOrder`") && said.contains("accounting.yaml:16:14"),
        "{said}"
    );
    // A list names no object, and a grant without a condition on objects hides none.
    for edit in [
        (
            "operations: [listWorkOrders, getWorkOrder]",
            "operations: [listWorkOrders]",
        ),
        ("    when: resource.status == \"completed\"\n", ""),
    ] {
        let said = told(&[forbidden, edit]);
        assert!(!said.contains("which objects exist"), "{said}");
    }
}

#[test]
fn no_message_shows_a_secret() {
    let golden = std::fs::read_to_string(here("broken.golden")).unwrap();
    assert!(!golden.contains("correct-horse") && !golden.contains("0123456789abcdef"));
}

#[test]
fn the_good_files_satisfy_their_schemas() {
    for (kind, path) in [
        ("server", "portcullis.yaml"),
        ("api", "apis/field-service.yaml"),
        ("integration", "integrations/accounting.yaml"),
        ("integration", "integrations/partner-north.yaml"),
        ("role", "roles/partner.yaml"),
    ] {
        let value = contract::to_value(base().text(path).unwrap()).unwrap();
        let schema = config::schema(kind).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{path}: {errors:?}");
    }
}

#[test]
fn the_reference_of_the_configuration_is_what_the_structs_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let page = config::reference_markdown();
    if std::env::var_os("PORTCULLIS_GOLDEN").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/configuration.md is out of date; run `cargo xtask gen`"
    );
}

#[path = "broken/anonymous.rs"]
mod anonymous;
#[path = "broken/limits.rs"]
mod limits;
#[path = "broken/together.rs"]
mod together;
#[path = "broken/tokens.rs"]
mod tokens;
#[path = "broken/warned.rs"]
mod warned;
