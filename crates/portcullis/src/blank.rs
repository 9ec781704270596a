//! Values that were given on the command line and are empty or blank: mostly a variable of a shell that is not set.
//! Exports `refuse`.
//! Used by `main` before any command runs, for every argument of every command.
//! Start reading at `refuse`.
//!
//! A key that is expected, a moment, a name: taken as if it had not been given, each of them would let through more than
//! whoever typed it meant. Nothing that a command takes is ever blank, so none of them decides that by itself.

use clap::{Arg, ArgMatches, Command, parser::ValueSource};

use crate::exit::{CommandError, Exit};

/// Refuses a command line with an argument whose value is empty or blank.
///
/// # Errors
/// The first such argument, by its name.
pub fn refuse(command: &Command, given: &ArgMatches) -> Result<(), CommandError> {
    if let Some(blank) = command.get_arguments().find(|one| is_blank(one, given)) {
        return Err(CommandError::new(
            Exit::Usage,
            format!("{} was given an empty value", named(blank)),
            "Give it a value, or leave it out. A variable that is not set in the shell is empty: look at the one you used.",
        ));
    }
    match given.subcommand() {
        None => Ok(()),
        Some((name, given)) => command
            .find_subcommand(name)
            .map_or(Ok(()), |command| refuse(command, given)),
    }
}

fn is_blank(argument: &Arg, given: &ArgMatches) -> bool {
    let name = argument.get_id().as_str();
    let is_typed = || given.value_source(name) == Some(ValueSource::CommandLine);
    if !argument.get_action().takes_values() {
        return false;
    }
    match given.try_get_raw(name) {
        Ok(Some(mut values)) if is_typed() => values.any(|value| {
            let text = value.to_string_lossy();
            text.chars().all(|c| c.is_whitespace() || c.is_control())
        }),
        _ => false,
    }
}

/// How an argument is called on the command line.
fn named(argument: &Arg) -> String {
    match (argument.get_long(), argument.get_value_names()) {
        (Some(long), _) => format!("`--{long}`"),
        (None, Some([name, ..])) => name.to_string(),
        (None, _) => argument.get_id().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command with its arguments, and the words that lead to it.
    fn leaves<'a>(
        command: &'a Command,
        way: &[&'a str],
        all: &mut Vec<(Vec<&'a str>, &'a Command)>,
    ) {
        let way = [way, &[command.get_name()]].concat();
        for below in command.get_subcommands() {
            leaves(below, &way, all);
        }
        if !command.is_subcommand_required_set() {
            all.push((way, command));
        }
    }

    /// A value that an argument takes.
    fn fitting(argument: &Arg) -> String {
        let listed = argument.get_possible_values();
        listed
            .first()
            .map_or("7".into(), |one| one.get_name().to_owned())
    }

    fn typed(argument: &Arg, value: &str) -> Vec<String> {
        match argument.get_long() {
            Some(long) => vec![format!("--{long}={value}")],
            None => vec![value.to_owned()],
        }
    }

    #[test]
    fn no_argument_of_any_command_takes_a_blank_value() {
        let all = crate::command();
        let mut found = Vec::new();
        leaves(&all, &[], &mut found);
        let mut tried = 0;
        for (way, command) in found {
            let takes = |one: &&Arg| one.get_action().takes_values();
            for wanted in command.get_arguments().filter(takes) {
                for value in ["", " ", "\n", "\t \u{a0}"] {
                    let mut line: Vec<String> = way.iter().map(|&word| word.to_owned()).collect();
                    for other in command.get_arguments().filter(takes) {
                        if other.get_id() == wanted.get_id() {
                            line.extend(typed(other, value));
                        } else if other.is_required_set() {
                            line.extend(typed(other, &fitting(other)));
                        }
                    }
                    // Where the parser of a value refuses it already, nothing is left to do.
                    if let Ok(matches) = crate::command().try_get_matches_from(&line) {
                        let refused = refuse(&all, &matches);
                        assert_eq!(
                            refused.map_err(|error| error.exit),
                            Err(Exit::Usage),
                            "{line:?}"
                        );
                        tried += 1;
                    }
                }
            }
        }
        assert!(tried > 200, "{tried}");
    }

    #[test]
    fn what_was_left_out_is_not_blank() {
        let given = ["portcullis", "ledger", "verify", "a file"];
        let matches = crate::command().try_get_matches_from(given).unwrap();
        assert!(refuse(&crate::command(), &matches).is_ok());
    }
}
