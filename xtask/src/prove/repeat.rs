//! The README's test command on a clean clone, again and again, half of the runs beside busy processes.
//! Exports `test_command`.
//! Used by `prove --full`.
//! Start reading at `test_command`.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::table::Figure;

/// Runs on a quiet machine.
const QUIET: u32 = 5;
/// Runs beside busy processes.
const BUSY: u32 = 5;
/// Busy processes beside each of those.
const PROCESSES: u32 = 4;

/// Clones what is committed, and runs the test command there.
pub fn test_command(root: &Path) -> Figure {
    let clone = root.join("target").join("prove-clone");
    let what =
        "runs of `cargo test --workspace` on a clean clone, half of them under load, that failed";
    if let Err(why) = fresh_clone(root, &clone) {
        return Figure::new("X0", what, why, false);
    }
    let mut failed = Vec::new();
    for run in 1..=QUIET + BUSY {
        let beside = if run > QUIET { busy() } else { Vec::new() };
        println!("  run {run}, {} busy processes beside it", beside.len());
        let passed = Command::new("cargo")
            .args(["test", "--workspace", "--locked"])
            .current_dir(&clone)
            .env_remove("PORTCULLIS_BARS")
            .env_remove("PORTCULLIS_SCALE")
            .status()
            .is_ok_and(|status| status.success());
        end(beside);
        if !passed {
            failed.push(run.to_string());
        }
    }
    let figure = match failed.as_slice() {
        [] => format!("0 of {}", QUIET + BUSY),
        runs => format!(
            "{} of {} (runs {})",
            runs.len(),
            QUIET + BUSY,
            runs.join(", ")
        ),
    };
    Figure::new("X0", what, figure, failed.is_empty())
}

fn fresh_clone(root: &Path, clone: &Path) -> Result<(), String> {
    if clone.exists() {
        std::fs::remove_dir_all(clone).map_err(|why| format!("{}: {why}", clone.display()))?;
    }
    let made = Command::new("git")
        .args(["clone", "--quiet"])
        .arg(root)
        .arg(clone)
        .status();
    match made {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("git clone: {status}")),
        Err(why) => Err(format!("git clone: {why}")),
    }
}

fn busy() -> Vec<Child> {
    let one = || {
        Command::new("sh")
            .args(["-c", "while :; do :; done"])
            .stdin(Stdio::null())
            .spawn()
    };
    (0..PROCESSES).filter_map(|_| one().ok()).collect()
}

fn end(processes: Vec<Child>) {
    for mut process in processes {
        // Already ended is as good.
        drop(process.kill());
        drop(process.wait());
    }
}
