//! The project's own chores: `tidy` (rules of the house), `gen` (generated pages), `prove` (bars and their figures).
//! Exports the `cargo xtask` verbs. Development only, never shipped.
//! Used by people and by CI.
//! Start reading at `main`.

mod generate;
mod prove;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let verb = words.next().unwrap_or_default();
    let rest: Vec<String> = words.collect();
    let outcome = match verb.as_str() {
        "tidy" => tidy::all(&root()),
        "gen" => generate::write(&root()),
        "prove" => prove::run(&root(), &rest),
        _ => Err(vec!["usage: cargo xtask <tidy|gen|prove>".to_owned()]),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaints) => {
            for complaint in complaints {
                eprintln!("{complaint}");
            }
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
