//! `portcullis demo`: the demo company in one process, on loopback, from ordinary files.
//! Exports `SUBCOMMAND`.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

mod screen;

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use company::tour::{self, Guide};
use company::{Company, Keyring, is_running, remembered};
use installation::server::Signals;

use crate::commands::Subcommand;
use crate::exit::{CommandError, Exit, Outcome};
use crate::{admin_client, output, terminal};

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
    refuse_unused(arguments)?;
    match arguments.subcommand_name() {
        Some("tour") => tour(&dir, seed),
        Some("env") => env(&dir),
        Some("reset") => reset(&dir),
        _ => live(&dir, seed, !arguments.get_flag("no-traffic")),
    }
}

/// Refuses what was given to a part of the demo that makes no use of it.
fn refuse_unused(arguments: &ArgMatches) -> Result<(), CommandError> {
    let (part, unused): (_, &[&str]) = match arguments.subcommand_name() {
        None => return Ok(()),
        Some("tour") => ("tour", &["no-traffic"]),
        Some(part) => (part, &["seed", "no-traffic"]),
    };
    let is_given = |name: &&&str| arguments.value_source(name) == Some(ValueSource::CommandLine);
    match unused.iter().find(is_given) {
        None => Ok(()),
        Some(name) => Err(CommandError::new(
            Exit::Usage,
            format!("`demo {part}` makes no use of `--{name}`"),
            "Leave it out.",
        )),
    }
}

/// Runs until told to stop, showing decisions as they happen.
fn live(dir: &Path, seed: u64, with_traffic: bool) -> Outcome {
    let mut signals = Signals::install()?;
    let company = Company::start(dir, seed, output::host())?;
    screen::print(&company);
    let show = screen::follow(&company.running.io);
    let traffic = with_traffic.then(|| company.traffic(seed));
    signals.until_stopped(&company.running);
    signals.next_one(&company.running);
    show.stop();
    if let Some(traffic) = traffic {
        traffic.stop();
    }
    company.stop()?;
    Ok(Exit::Done)
}

fn reset(dir: &Path) -> Outcome {
    if !dir.join("gate").join("portcullis.yaml").exists() {
        terminal::say(format_args!(
            "portcullis: there is no demo in {}",
            dir.display()
        ));
        return Ok(Exit::Done);
    }
    if is_running(dir) {
        return Err(CommandError::new(
            Exit::Failed,
            "the demo is running",
            "Stop it with Ctrl-C, then reset it.",
        ));
    }
    std::fs::remove_dir_all(dir).map_err(|error| {
        CommandError::new(
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

/// Makes the tour, and says whether everything was as it should be.
fn tour(dir: &Path, seed: u64) -> Outcome {
    let guide = Guide {
        host: output::host(),
        name: &admin_client::name(),
        out: &mut terminal::Out::default(),
    };
    let outcome = match tour::run(dir, seed, guide)? {
        // Nobody reads on; what was not shown was not checked.
        Err(_) if terminal::is_closed() => return Ok(Exit::Failed),
        Err(error) => return Err(CommandError::new(Exit::Failed, error, "")),
        Ok(outcome) => outcome,
    };
    match outcome.wrong {
        0 => Ok(Exit::Done),
        wrong => Err(CommandError::new(
            Exit::Failed,
            format!("{wrong} of {} expectations did not hold", outcome.checks),
            "The lines marked above say which.",
        )),
    }
}

/// Prints shell assignments: `ACCOUNTING=…`, `GATE=…`.
fn env(dir: &Path) -> Outcome {
    let keys = Keyring::read(dir);
    let (Some(ports), false) = (remembered(dir), keys.iter().next().is_none()) else {
        return Err(CommandError::new(
            Exit::Failed,
            format!("there is no demo in {}", dir.display()),
            "Start it with `portcullis demo`.",
        ));
    };
    for (integration, key) in keys.iter() {
        terminal::line(format_args!(
            "export {}={key}",
            integration.to_uppercase().replace('-', "_")
        ));
    }
    terminal::line(format_args!("export GATE=http://localhost:{}", ports.local));
    Ok(Exit::Done)
}
