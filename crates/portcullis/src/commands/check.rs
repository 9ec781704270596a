//! `portcullis check`: compiles a configuration as `serve` would, and changes nothing.
//! Exports `SUBCOMMAND`.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use config::Compiled;
use config::compiled::Irrelevant;
use installation::certificates::certificates;
use installation::{InstallationError, files, open, secrets};

use crate::commands::Subcommand;
use crate::exit::{Exit, Outcome};
use crate::{output, table, terminal};

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "check",
    about: "Compile a configuration directory as `serve` would [read-only]",
    command,
    run,
};

fn command() -> Command {
    Command::new("check")
        .arg(Arg::new("dir").required(true).value_parser(value_parser!(PathBuf)).help("Directory that holds portcullis.yaml"))
        .arg(Arg::new("offline").long("offline").action(ArgAction::SetTrue).help("Do not resolve secrets and certificates (for CI machines that have none)"))
        .arg(Arg::new("verbose").short('v').long("verbose").action(ArgAction::SetTrue).help("Say what detection consists of, what each operation's contract makes irrelevant, and which entries of the directory are ignored"))
        .arg(output::argument())
        .after_help("Example:\n  portcullis check gate/\n\nExit codes: 0 valid · 2 valid, with warnings · 78 invalid")
}

fn run(arguments: &ArgMatches) -> Outcome {
    let dir = output::path(arguments, "dir");
    let files = files::read(&dir)?;
    let (compiled, warnings) = files::compile(&files, installation::now())?;
    if !arguments.get_flag("offline") {
        let unresolved: Vec<_> = compiled
            .secrets()
            .into_iter()
            .filter_map(|secret| secrets::resolve(secret, &dir).err())
            .collect();
        if !unresolved.is_empty() {
            return Err(InstallationError::mistaken(&unresolved, &files).into());
        }
        open::kek(&compiled, &dir, &files)?;
        certificates(&compiled, &dir, &files)?;
    }
    files::warned(&warnings, &files)
        .iter()
        .for_each(terminal::say_all);
    let (exposed, declared) = compiled.operation_counts();
    let hash: String = crypto::text::hex(&compiled.hash).chars().take(12).collect();
    let irrelevant = compiled.irrelevant();
    let is_verbose = arguments.get_flag("verbose");
    let mut data = serde_json::json!({
        "schema_version": 1, "configuration": hash, "apis": compiled.versions.len(), "operations": declared,
        "exposed": exposed, "integrations": compiled.integrations.len(), "warnings": warnings.len(),
    });
    if let Some(members) = data.as_object_mut().filter(|_| is_verbose) {
        members.insert("inspection".into(), inspection_json(&compiled, &irrelevant));
        let ignored = files
            .ignored()
            .map(|(path, pattern)| serde_json::json!({ "path": path, "pattern": pattern }));
        members.insert("ignored".into(), ignored.collect());
    }
    output::print(arguments, &data, || {
        terminal::line(format_args!(
            "valid: configuration {hash}, {}, {exposed} of {declared} operations exposed, {}",
            output::counted(compiled.versions.len(), "api version"),
            output::counted(compiled.integrations.len(), "integration"),
        ));
        if is_verbose {
            inspection_text(&compiled, &irrelevant);
            for (path, pattern) in files.ignored() {
                terminal::line(format_args!("ignored: {} ({pattern})", path.escape_debug()));
            }
        }
    });
    Ok(if warnings.is_empty() {
        Exit::Done
    } else {
        Exit::Findings
    })
}

/// What the contracts prove, added up.
fn total(irrelevant: &[Irrelevant]) -> Irrelevant {
    let sum = |count: fn(&Irrelevant) -> usize| irrelevant.iter().map(count).sum();
    Irrelevant {
        scope: "total".into(),
        fields: sum(|one| one.fields),
        closed: sum(|one| one.closed),
        rules: sum(|one| one.rules),
        dead: sum(|one| one.dead),
    }
}

fn inspection_json(compiled: &Compiled, irrelevant: &[Irrelevant]) -> serde_json::Value {
    let one = |one: &Irrelevant| {
        serde_json::json!({
            "operation": one.scope, "fields": one.fields, "closed_fields": one.closed, "rules": one.rules,
            "irrelevant": one.dead,
        })
    };
    serde_json::json!({
        "rules": compiled.inspection.rules(),
        "signature": compiled.inspection.signature(),
        "operations": irrelevant.iter().map(one).collect::<Vec<_>>(),
        "total": one(&total(irrelevant)),
    })
}

fn inspection_text(compiled: &Compiled, irrelevant: &[Irrelevant]) {
    let plan = &compiled.inspection;
    let signature = plan.signature().filter(|signature| !signature.is_empty());
    let of = signature.map(|signature| format!(", with {signature}"));
    terminal::line("");
    terminal::line(format_args!(
        "inspection: {}{}",
        output::counted(plan.rules(), "rule"),
        of.unwrap_or_default()
    ));
    terminal::text(
        "A rule is irrelevant for a field when no text that the contract admits can match it.\n\n",
    );
    let row = |one: &Irrelevant| {
        let share = one.dead.saturating_mul(100).checked_div(one.rules);
        vec![
            one.scope.to_string(),
            one.fields.to_string(),
            one.closed.to_string(),
            one.rules.to_string(),
            format!("{} ({} %)", one.dead, share.unwrap_or(0)),
        ]
    };
    let total = total(irrelevant);
    let rows: Vec<Vec<String>> = irrelevant.iter().chain([&total]).map(row).collect();
    let heads = [
        "operation",
        "fields",
        "closed",
        "rules over fields",
        "irrelevant",
    ];
    terminal::text(&table::render(&heads, &rows));
}
