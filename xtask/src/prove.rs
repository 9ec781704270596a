//! Bars: runs the tests that measure them and prints each with its figure, holds or missed.
//! Exports `run`, the verb `cargo xtask prove NAME [--full]`.
//! The figures come from `testkit::bar`, called inside ordinary tests; nothing is measured here.
//! Start reading at `SUBJECTS`.

mod cost;
mod repeat;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// A group of bars that is proven together.
struct Subject {
    name: &'static str,
    about: &'static str,
    /// Bars that have to report at least one figure; one that reports none is missed.
    bars: &'static [(&'static str, &'static str)],
    /// The tests that measure them.
    tests: &'static [Tests],
    /// What is measured besides, from outside the tests.
    checks: &'static [Check],
}

/// Tests that report figures.
struct Tests {
    /// Arguments of `cargo test` that say where they are.
    at: &'static [&'static str],
    /// Parts of their names.
    names: &'static [&'static str],
}

/// Measures something at the root of the workspace, in the full size or not.
type Check = fn(&Path, bool) -> Vec<table::Figure>;

/// Heading of the table in `docs/attacks.md` whose tests have to pass too.
const FINDINGS: &str = "## Found from outside";

/// Everything that can be proven, by name. One entry each.
const SUBJECTS: &[Subject] = &[
    Subject {
        name: "control",
        about: "what an operator was told holds, whatever else happens at the same time",
        bars: &[
            ("T1", "no interleaving breaks a promise"),
            ("T2", "an incident is handled beside broken files"),
        ],
        tests: &[
            Tests {
                at: &["--package", "control", "--lib"],
                names: &["simulation::"],
            },
            Tests {
                at: &["--workspace", "--test", "suite"],
                names: &["incident::", "running_state::"],
            },
        ],
        checks: &[],
    },
    Subject {
        name: "pipeline",
        about: "what the road of a request costs, counted",
        bars: &[
            ("P1", "no request costs more instructions than before"),
            ("P2", "the allowed path takes no lock"),
        ],
        tests: &[],
        checks: &[cost::instructions],
    },
    Subject {
        name: "holes",
        about: "what was found by attacking the release binary from outside stays closed",
        bars: &[
            ("X0", "the test command passes, every time"),
            ("X1", "each finding has tests, and they pass"),
            ("X2", "random contracts and grants leak nothing"),
            ("X3", "clocks, signals and kills lose no record"),
            ("X4", "neighbours lose nothing"),
        ],
        tests: &[Tests {
            // The whole workspace, so that what the test command built is used again.
            at: &["--workspace", "--test", "suite"],
            names: &["bars::"],
        }],
        checks: &[found_from_outside, repeated],
    },
];

/// Proves one subject.
///
/// # Errors
/// One line per bar that was missed, or what was wrong with the call.
pub fn run(root: &Path, words: &[String]) -> Result<(), Vec<String>> {
    let is_full = words.iter().any(|word| word == "--full");
    let names: Vec<&String> = words.iter().filter(|word| *word != "--full").collect();
    let subject = match names.as_slice() {
        [name] => SUBJECTS.iter().find(|subject| subject.name == **name),
        _ => None,
    };
    let Some(subject) = subject else {
        let mut lines = vec!["usage: cargo xtask prove NAME [--full]".to_owned()];
        lines.extend(
            SUBJECTS
                .iter()
                .map(|s| format!("  {:10} {}", s.name, s.about)),
        );
        return Err(lines);
    };
    prove(root, subject, is_full)
}

fn prove(root: &Path, subject: &Subject, is_full: bool) -> Result<(), Vec<String>> {
    let started = Instant::now();
    let scale = if is_full { "full" } else { "prove" };
    let file = root
        .join("target")
        .join(format!("bars-{}.tsv", subject.name));
    // What an earlier run left must not count.
    if file.exists() {
        std::fs::remove_file(&file).map_err(|why| vec![format!("{}: {why}", file.display())])?;
    }
    let measured: Vec<bool> = subject
        .tests
        .iter()
        .map(|tests| measure(root, tests, scale, &file))
        .collect();
    let mut figures = table::read(&file);
    for check in subject.checks {
        figures.extend(check(root, is_full));
    }
    let missed = table::print(subject.bars, &figures);
    println!("{} s, scale {scale}", started.elapsed().as_secs());
    let mut complaints: Vec<String> = missed;
    if measured.contains(&false) {
        complaints.push("a test that measures a bar failed; its words are above".to_owned());
    }
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(complaints)
    }
}

/// Runs tests that measure; whether all passed.
fn measure(root: &Path, tests: &Tests, scale: &str, file: &PathBuf) -> bool {
    let mut command = cargo(root);
    command
        .arg("test")
        .args(tests.at)
        .arg("--")
        .args(tests.names)
        // Bars measure the machine; two at once would measure each other.
        .arg("--test-threads=1")
        .env("PORTCULLIS_BARS", file)
        .env("PORTCULLIS_SCALE", scale);
    command.status().is_ok_and(|status| status.success())
}

/// The README's test command passes ten times on a clean clone. It takes hours.
fn repeated(root: &Path, is_full: bool) -> Vec<table::Figure> {
    let figure = if is_full {
        repeat::test_command(root)
    } else {
        table::Figure::not_measured("X0", "only with --full")
    };
    vec![figure]
}

/// The tests that the table of findings names: they exist and pass.
fn found_from_outside(root: &Path, _is_full: bool) -> Vec<table::Figure> {
    let page = std::fs::read_to_string(root.join("docs/attacks.md")).unwrap_or_default();
    let rows = table::findings(&page, FINDINGS);
    let names: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| row.tests.iter().map(String::as_str))
        .collect();
    let bare = rows.iter().filter(|row| row.tests.is_empty()).count();
    let mut command = cargo(root);
    command
        .args(["test", "--workspace", "--no-fail-fast", "--"])
        .args(&names);
    let output = command.output();
    let text = output.map_or_else(
        |why| why.to_string(),
        |o| String::from_utf8_lossy(&o.stdout).into_owned(),
    );
    let (passed, unseen) = table::outcomes(&text, &names);
    for name in &unseen {
        println!("  not passed: {name}");
    }
    vec![
        table::Figure::new(
            "X1",
            "findings without a test",
            format!("{bare} of {}", rows.len()),
            bare == 0 && !rows.is_empty(),
        ),
        table::Figure::new(
            "X1",
            "tests named by the table that passed",
            format!("{passed} of {}", names.len()),
            unseen.is_empty(),
        ),
    ]
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}
