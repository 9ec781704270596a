//! `portcullis demo`: the demo company in one process, on loopback, from ordinary files.
//! Gives `SUBCOMMAND`.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

mod company;
mod keys;
mod screen;
mod tour;

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::commands::Subcommand;
use crate::commands::serve::Signals;
use crate::exit::{Exit, Outcome, Trouble};
use crate::{output, terminal};

use company::Company;

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "demo",
    about: "Run the demo company Brightline Heating & Service [writes ./.demo]",
    command,
    run,
};

fn command() -> Command {
    Command::new("demo")
        .arg(Arg::new("dir").long("dir").global(true).default_value(".demo").value_parser(value_parser!(PathBuf)).help("Where the demo keeps its files"))
        .arg(Arg::new("seed").long("seed").global(true).default_value("7").value_parser(value_parser!(u64)).help("Seed of the company's data"))
        .arg(Arg::new("no-traffic").long("no-traffic").action(ArgAction::SetTrue).help("Do not make gentle traffic"))
        .subcommand(Command::new("tour").about("Make the calls that show each protection, and check every answer"))
        .subcommand(Command::new("env").about("Print the demo's keys as shell assignments"))
        .subcommand(Command::new("reset").about("Delete the demo's files"))
        .after_help("Example:\n  portcullis demo\n  portcullis demo tour\n  eval \"$(portcullis demo env)\"")
}

fn run(arguments: &ArgMatches) -> Outcome {
    let dir = output::path(arguments, "dir");
    let seed = arguments.get_one::<u64>("seed").copied().unwrap_or(7);
    match arguments.subcommand_name() {
        Some("tour") => tour::run(&dir, seed),
        Some("env") => keys::print(&dir),
        Some("reset") => reset(&dir),
        _ => live(&dir, seed, !arguments.get_flag("no-traffic")),
    }
}

/// Runs until told to stop, showing decisions as they happen.
fn live(dir: &std::path::Path, seed: u64, with_traffic: bool) -> Outcome {
    let mut signals = Signals::install()?;
    let company = Company::start(dir, seed)?;
    screen::print(&company);
    company.running.io.live.watch();
    let show = screen::follow(&company.running.io);
    let traffic = with_traffic.then(|| company.traffic(seed));
    signals.until_stopped(&company.running);
    signals.next_one(company.running.hurry());
    show.stop();
    if let Some(traffic) = traffic {
        traffic.stop();
    }
    company.stop()?;
    Ok(Exit::Done)
}

fn reset(dir: &std::path::Path) -> Outcome {
    if !dir.join("gate").join("portcullis.yaml").exists() {
        terminal::say(format_args!(
            "portcullis: there is no demo in {}",
            dir.display()
        ));
        return Ok(Exit::Done);
    }
    if company::is_running(dir) {
        return Err(Trouble::new(
            Exit::Failed,
            "the demo is running",
            "Stop it with Ctrl-C, then reset it.",
        ));
    }
    std::fs::remove_dir_all(dir).map_err(|error| {
        Trouble::new(
            Exit::Failed,
            format!("cannot delete {}: {error}", dir.display()),
            "",
        )
    })?;
    terminal::say(format_args!(
        "portcullis: {} is deleted; `portcullis demo` makes a new one",
        dir.display()
    ));
    Ok(Exit::Done)
}
