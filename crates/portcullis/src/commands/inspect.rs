//! `portcullis inspect`: what inspection looked at recorded, and judged again by a changed configuration.
//! Exports `SUBCOMMAND`. A recording is made in the running server; a replay sends nothing and needs none.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

mod record;
mod replay;

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use crate::commands::Subcommand;
use crate::exit::{Exit, Outcome};
use crate::{config_dir, output};

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "inspect",
    about: "Record what inspection looks at, and replay it against a changed configuration [writes]",
    command,
    run,
};

fn command() -> Command {
    Command::new("inspect")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(record_command())
        .subcommand(replay_command())
        .after_help("Example:\n  portcullis inspect record monday.rec --for 10m\n  portcullis inspect replay monday.rec --config changed/ --installation gate/")
}

fn file(help: &'static str) -> Arg {
    Arg::new("file")
        .required(true)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help(help)
}

fn record_command() -> Command {
    let wanted = |name: &'static str, value: &'static str, default: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .default_value(default)
    };
    Command::new("record")
        .about("Record requests of the running server, for a replay [writes]")
        .arg(file("Where to; never overwrites a file"))
        .arg(wanted("for", "TIME", "10m").help("How long, up to 24h"))
        .arg(wanted("max", "N", "1000").value_parser(value_parser!(u64)).help("At most so many requests, up to 100000"))
        .arg(wanted("keep", "TIME", "7d").help("How long the recording may be replayed, whole days up to 90d"))
        .args([config_dir::argument(), config_dir::socket(), output::argument()])
        .after_help(
            "Example:\n  portcullis inspect record monday.rec --for 10m --max 1000\n\n\
             Kept are the texts that inspection looked at and the header fields, without credentials; each request is sealed before it \
             leaves the server, and the file is for its owner only. The ledger names who recorded. Ctrl-C ends it early.",
        )
}

fn replay_command() -> Command {
    Command::new("replay")
        .about("Say which requests a changed configuration would decide otherwise; nothing is sent [read-only]")
        .arg(file("A recording, or requests as JSON, one to a line: {\"method\": …, \"path\": …, \"headers\": {…}, \"body\": …}"))
        .arg(
            Arg::new("installation")
                .long("installation")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .help("Configuration in force: its key opens a recording, and it says what happens to written requests today [default: --config]"),
        )
        .args([config_dir::argument(), output::argument()])
        .after_help(
            "Example:\n  portcullis inspect replay monday.rec --config changed/ --installation gate/\n\n\
             A recording is compared with what was decided when it was made. Inspection is asked, and for written requests the contract; \
             callers, grants and limits are not.\nExit codes: 0 nothing changes · 2 something changes, or could not be judged",
        )
}

fn run(arguments: &ArgMatches) -> Outcome {
    match arguments.subcommand() {
        Some(("record", arguments)) => record::run(arguments),
        Some(("replay", arguments)) => replay::run(arguments),
        _ => Ok(Exit::Usage),
    }
}
