//! `portcullis check`: compiles a configuration as `serve` would, and changes nothing.
//! Exports `SUBCOMMAND`. What is looked at is in `installation::check`; the words are here.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use installation::check::{self, CheckOptions, CheckReport, InspectionReport, IrrelevantRules};

use crate::commands::Subcommand;
use crate::exit::{Exit, Outcome};
use crate::{output, outputs, table, terminal};

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
    let options = CheckOptions {
        is_offline: arguments.get_flag("offline"),
        is_verbose: arguments.get_flag("verbose"),
    };
    let checked = check::check(&output::path(arguments, "dir"), options)?;
    checked.warnings.iter().for_each(terminal::say_all);
    output::show(arguments, &outputs::CHECK, &checked.report, || {
        text(&checked.report);
    })?;
    Ok(if checked.report.warnings == 0 {
        Exit::Done
    } else {
        Exit::Findings
    })
}

fn text(report: &CheckReport) {
    terminal::line(format_args!(
        "valid: configuration {}, {}, {} of {} operations exposed, {}",
        report.configuration,
        output::counted(report.apis, "api version"),
        report.exposed,
        report.operations,
        output::counted(report.integrations, "integration"),
    ));
    if let Some(inspection) = &report.inspection {
        inspection_text(inspection);
    }
    for entry in report.ignored.iter().flatten() {
        let (path, pattern) = (entry.path.escape_debug(), &entry.pattern);
        terminal::line(format_args!("ignored: {path} ({pattern})"));
    }
}

fn inspection_text(inspection: &InspectionReport) {
    let signature = inspection.signature.iter().filter(|text| !text.is_empty());
    let of = signature.map(|signature| format!(", with {signature}"));
    terminal::line("");
    terminal::line(format_args!(
        "inspection: {}{}",
        output::counted(inspection.rules, "rule"),
        of.collect::<String>()
    ));
    terminal::text(
        "A rule is irrelevant for a field when no text that the contract admits can match it.\n\n",
    );
    let row = |one: &IrrelevantRules| {
        let share = one.irrelevant.saturating_mul(100).checked_div(one.rules);
        vec![
            one.operation.clone(),
            one.fields.to_string(),
            one.closed_fields.to_string(),
            one.rules.to_string(),
            format!("{} ({} %)", one.irrelevant, share.unwrap_or(0)),
        ]
    };
    let all = inspection.operations.iter().chain([&inspection.total]);
    let rows: Vec<Vec<String>> = all.map(row).collect();
    let heads = [
        "operation",
        "fields",
        "closed",
        "rules over fields",
        "irrelevant",
    ];
    terminal::text(&table::render(&heads, &rows));
}
