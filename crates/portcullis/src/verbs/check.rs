//! `portcullis check`: compiles a configuration as `serve` would, and changes nothing.
//! Gives `VERB`.
//! Used by `verbs::VERBS`.
//! Start reading at `run`.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::exit::{Exit, Outcome};
use crate::verbs::Verb;
use crate::{files, office, output, running, secrets};

/// The verb.
pub const VERB: Verb = Verb {
    name: "check",
    about: "Compile a configuration directory as `serve` would [read-only]",
    command,
    run,
};

fn command() -> Command {
    Command::new("check")
        .arg(Arg::new("dir").required(true).value_parser(value_parser!(PathBuf)).help("Directory that holds portcullis.yaml"))
        .arg(Arg::new("offline").long("offline").action(ArgAction::SetTrue).help("Do not resolve secrets and certificates (for CI machines that have none)"))
        .arg(output::argument())
        .after_help("Example:\n  portcullis check gate/\n\nExit codes: 0 valid · 2 valid, with warnings · 78 invalid")
}

fn run(arguments: &ArgMatches) -> Outcome {
    let dir = output::path(arguments, "dir");
    let files = files::read(&dir)?;
    let (compiled, warnings) = files::compile(&files, running::now())?;
    if !arguments.get_flag("offline") {
        let unresolved: Vec<_> = compiled
            .secrets()
            .into_iter()
            .filter_map(|secret| secrets::resolve(secret, &dir).err())
            .collect();
        if !unresolved.is_empty() {
            return Err(files::mistaken(&unresolved, &files));
        }
        office::kek(&compiled, &dir, &files)?;
        running::certificates(&compiled, &dir, &files)?;
    }
    for warning in &warnings {
        files::warn(warning, &files);
    }
    let (exposed, declared) = compiled.operation_counts();
    let hash: String = crypto::text::hex(&compiled.hash).chars().take(12).collect();
    output::print(
        arguments,
        &serde_json::json!({
            "schema_version": 1, "configuration": hash, "apis": compiled.versions.len(), "operations": declared,
            "exposed": exposed, "integrations": compiled.integrations.len(), "warnings": warnings.len(),
        }),
        || {
            println!(
                "valid: configuration {hash}, {}, {exposed} of {declared} operations exposed, {}",
                output::counted(compiled.versions.len(), "api version"),
                output::counted(compiled.integrations.len(), "integration"),
            );
        },
    );
    Ok(if warnings.is_empty() {
        Exit::Done
    } else {
        Exit::Look
    })
}
