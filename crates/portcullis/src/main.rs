//! The binary: one command line, one registry of subcommands.
//! Exports `portcullis`. Reads files and environment, wires the rooms, prints; decides nothing.
//! Used by people, service managers and the test suite.
//! Start reading at `main`; subcommands are listed in `commands::COMMANDS`, `serve` is wired in `running`.

mod admin_client;
mod blank;
mod commands;
mod config_dir;
mod confirm;
mod exit;
mod output;
mod outputs;
mod process;
mod table;
mod terminal;

use std::process::ExitCode;

use clap::Command;
use model::printable;

use crate::exit::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    process::keep_private();
    installation::server::install_panic_hook(|line| terminal::say(line));
    let is_json = output::is_json_asked(std::env::args_os());
    let matches = match command().try_get_matches() {
        Ok(matches) => matches,
        // Help quotes no argument.
        Err(help) if !help.use_stderr() => {
            terminal::text(&help.to_string());
            return exit::finish(Exit::Done);
        }
        Err(error) => {
            // clap's own code for usage is 2, which here means "worked, and there is something to look at".
            usage_error(&quotable(error.to_string()), is_json);
            return exit::finish(Exit::Usage);
        }
    };
    if let Err(error) = blank::refuse(&command(), &matches) {
        error.print(is_json);
        return exit::finish(error.exit);
    }
    let Some((name, arguments)) = matches.subcommand() else {
        return Exit::Usage.into();
    };
    let Some(one) = commands::COMMANDS.iter().find(|one| one.name == name) else {
        return Exit::Usage.into();
    };
    match (one.run)(arguments) {
        Ok(exit) => exit::finish(exit),
        Err(error) => {
            error.print(is_json);
            exit::finish(error.exit)
        }
    }
}

/// Prints what clap says, its first paragraph being what went wrong.
fn usage_error(said: &str, is_json: bool) {
    // A key typed as an argument is not repeated.
    let said = identity::api_key::redacted(said);
    let said = said.trim_end();
    terminal::say_all(said);
    if is_json {
        let (message, help) = said.split_once("\n\n").unwrap_or((said, ""));
        let message = message.strip_prefix("error: ").unwrap_or(message);
        exit::CommandError::report(Exit::Usage, message.to_owned(), help).print_document();
    }
}

/// What is said about the command line. It quotes arguments, which may hold line ends: then it is said about the same
/// arguments made safe.
fn quotable(said: String) -> String {
    let given: Vec<String> = std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let safe: Vec<_> = given
        .iter()
        .map(|argument| printable::line(argument))
        .collect();
    if safe.iter().zip(&given).all(|(safe, given)| safe == given) {
        return said;
    }
    match command().try_get_matches_from(safe.iter().map(|argument| argument.as_ref())) {
        Err(error) => error.to_string(),
        Ok(_) => printable::line(&said).into_owned(),
    }
}

/// The whole command line.
fn command() -> Command {
    Command::new("portcullis")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A secure API integration gateway: least privilege per integration, per object and per field.")
        .after_help(exit::HELP)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(commands::COMMANDS.iter().map(|one| (one.command)().name(one.name).about(one.about)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent_and_every_subcommand_has_an_example() {
        super::command().debug_assert();
        for one in super::commands::COMMANDS {
            let help = (one.command)()
                .name(one.name)
                .render_long_help()
                .to_string();
            assert!(
                help.contains("Example"),
                "{} has no example in --help",
                one.name
            );
        }
    }

    #[test]
    fn subcommands_are_sorted() {
        assert!(super::commands::COMMANDS.is_sorted_by_key(|one| one.name));
    }
}
