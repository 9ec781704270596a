//! Asks before something is destroyed: only a person at a terminal, and never when `--yes` was given.
//! Exports `argument`, `ask`.
//! Used by destructive commands.
//! Start reading at `ask`.

use std::io::{self, IsTerminal};

use clap::{Arg, ArgAction, ArgMatches};

use crate::exit::{CommandError, Exit};
use crate::terminal;

/// The `--yes` argument.
pub fn argument() -> Arg {
    Arg::new("yes")
        .long("yes")
        .short('y')
        .action(ArgAction::SetTrue)
        .help("Do not ask")
}

/// Asks whether it shall be done.
///
/// # Errors
/// When the answer is no, or nobody is there to answer.
pub fn ask(arguments: &ArgMatches, question: &str) -> Result<(), CommandError> {
    if arguments.get_flag("yes") {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(CommandError::new(
            Exit::Usage,
            format!("this is not asked without a terminal: {question}"),
            "Nothing was changed. Add `--yes` to do it without being asked.",
        ));
    }
    terminal::ask(format_args!("{question} [y/N] "));
    let mut line = String::new();
    drop(io::stdin().read_line(&mut line));
    if is_yes(&line) {
        Ok(())
    } else {
        Err(CommandError::new(Exit::Failed, "nothing was changed", ""))
    }
}

/// Everything but a clear yes is a no.
fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        assert!(is_yes("y\n") && is_yes(" YES "));
        assert!(!is_yes("") && !is_yes("\n") && !is_yes("yep") && !is_yes("n"));
    }
}
