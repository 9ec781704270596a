//! What the road costs: user instructions for each request, and locks taken, counted by callgrind while `testkit`'s
//! `pipeline_cost` walks it.
//! Exports `instructions`.
//! Used by `prove pipeline`.
//! Start reading at `instructions`.
//!
//! Counted in the development build: its figures are higher than a release build's, and repeat to a thousandth, so that a
//! step that makes the road longer shows.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::table::Figure;

/// Requests that are counted. A figure is their mean.
const REQUESTS: u64 = 50;

/// The function below which a request costs; the program keeps it out of line.
const MEASURED: &str = "*pipeline_cost*measured*";

/// A way to call, and what a request of it cost before proofs were bound to their caller (79311b8), built as today: with the
/// development profile of the workspace, which optimises fewer dependencies than that of then did (558,033, 624,589, 929,572).
/// Where the record names a person: what that cost when it was built, and a hundredth.
const SCENARIOS: [(&str, u64); 4] = [
    ("lean-get", 598_528),
    ("full-get", 666_918),
    ("full-post", 1_006_180),
    ("person-get", 900_000),
];

/// Counts every scenario.
pub fn instructions(root: &Path, _is_full: bool) -> Vec<Figure> {
    let has_callgrind = Command::new("valgrind")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_callgrind {
        return vec![Figure::not_measured("P1", "valgrind is not installed")];
    }
    let program = match built(root) {
        Ok(program) => program,
        Err(why) => return vec![Figure::new("P1", "builds", why, false)],
    };
    SCENARIOS
        .iter()
        .flat_map(|(name, most)| counted(root, &program, name, *most))
        .collect()
}

fn built(root: &Path) -> Result<PathBuf, String> {
    let is_built = super::cargo(root)
        .args(["build", "--package", "testkit", "--bin", "pipeline_cost"])
        .status()
        .is_ok_and(|status| status.success());
    let program = root.join("target").join("debug").join("pipeline_cost");
    if is_built && program.is_file() {
        Ok(program)
    } else {
        Err(format!("{} was not built", program.display()))
    }
}

fn counted(root: &Path, program: &Path, name: &str, most: u64) -> Vec<Figure> {
    let file = root.join("target").join(format!("cost-{name}.out"));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={MEASURED}"))
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args([name, &REQUESTS.to_string()])
        .output();
    let is_whole = output.is_ok_and(|output| output.status.success());
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let what = format!("{name}: instructions for each request");
    let Some(total) = total(&text).filter(|total| is_whole && *total > 0) else {
        return vec![Figure::new("P1", &what, "not counted".into(), false)];
    };
    let each = total / REQUESTS;
    let locks = locks(&text);
    vec![
        Figure::new(
            "P1",
            &what,
            format!("{each} (at most {most})"),
            each <= most,
        ),
        Figure::new(
            "P2",
            &format!("{name}: places on the road that take a lock, but for the ledger's queue"),
            format!("{} {}", locks.len(), locks.join(", ")),
            locks.is_empty(),
        ),
    ]
}

/// The instructions that were executed in all.
fn total(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    line.trim().parse().ok()
}

/// Functions that took a lock. Records are handed to the ledger's thread through a queue under one (`audit`).
fn locks(text: &str) -> Vec<String> {
    let (mut within, mut found) = (String::new(), Vec::new());
    let mut names = std::collections::HashMap::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            within = named(name, &mut names);
        } else if let Some(name) = line.strip_prefix("cfn=") {
            let callee = named(name, &mut names);
            let is_lock = ["Mutex<", "RwLock<"]
                .iter()
                .any(|kind| callee.contains(kind))
                && ["::lock", "::read", "::write"]
                    .iter()
                    .any(|verb| callee.ends_with(verb));
            if is_lock && !within.starts_with("audit::") && !found.contains(&within) {
                found.push(within.clone());
            }
        }
    }
    found
}

/// A function by its number, as callgrind writes it: with the name where it is met first.
fn named(written: &str, names: &mut std::collections::HashMap<String, String>) -> String {
    let (number, name) = written.split_once(' ').unwrap_or((written, ""));
    if !name.is_empty() {
        names.insert(number.to_owned(), name.to_owned());
    }
    names.get(number).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_and_locks_are_read_as_callgrind_writes_them() {
        let text = "fn=(1) audit::pending::lock\ncfn=(2) std::sync::poison::mutex::Mutex<T>::lock\ncalls=3 0\n\
                    fn=(3) gateway::turns::take\ncfn=(2)\ncalls=1 0\nfn=(1)\ncfn=(2)\ncfn=(4) Vec<T>::len\n\
                    totals: 100\n";
        assert_eq!(total(text), Some(100));
        assert_eq!(locks(text), ["gateway::turns::take"]);
        assert_eq!(total("totals: many"), None);
    }
}
