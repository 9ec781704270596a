//! The binary: one command line, one registry of verbs.
//! Gives `portcullis`. Reads files and environment, wires the rooms, prints; decides nothing.
//! Used by people, service managers and the test suite.
//! Start reading at `main`; verbs are listed in `verbs::VERBS`, `serve` is wired in `running`.

mod background;
mod config_dir;
mod confirm;
mod exit;
mod fields;
mod files;
mod office;
mod output;
mod reload;
mod running;
mod secrets;
mod table;
mod verbs;

use std::process::ExitCode;

use clap::Command;

use crate::exit::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let matches = match command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // clap's own code for usage is 2, which here means "worked, and there is something to look at".
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            let said = error.to_string();
            // A key typed as an argument is not repeated.
            match identity::api_key::redacted(&said) {
                std::borrow::Cow::Borrowed(_) => drop(error.print()),
                std::borrow::Cow::Owned(clean) => eprint!("{clean}"),
            }
            return exit.into();
        }
    };
    let Some((name, arguments)) = matches.subcommand() else {
        return Exit::Usage.into();
    };
    let Some(verb) = verbs::VERBS.iter().find(|verb| verb.name == name) else {
        return Exit::Usage.into();
    };
    match (verb.run)(arguments) {
        Ok(exit) => exit.into(),
        Err(trouble) => {
            trouble.print();
            trouble.exit.into()
        }
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
        .subcommands(verbs::VERBS.iter().map(|verb| (verb.command)().name(verb.name).about(verb.about)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent_and_every_verb_has_an_example() {
        super::command().debug_assert();
        for verb in super::verbs::VERBS {
            let help = (verb.command)()
                .name(verb.name)
                .render_long_help()
                .to_string();
            assert!(
                help.contains("Example"),
                "{} has no example in --help",
                verb.name
            );
        }
    }

    #[test]
    fn verbs_are_sorted() {
        assert!(super::verbs::VERBS.is_sorted_by_key(|verb| verb.name));
    }
}
