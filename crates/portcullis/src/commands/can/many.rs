//! Many questions in one file, answered with one reading of the configuration: what a review or a pipeline keeps beside it.
//! Exports `answer`.
//! Used by `can`.
//! Start reading at `answer`.

use std::path::Path;

use clap::ArgMatches;
use config::Compiled;
use installation::bounded;
use model::printable;
use review::can::{self, Answer, Answers, Verdict};

use super::{answered, command};
use crate::exit::{CommandError, Exit, Outcome};
use crate::{output, outputs, terminal};

/// Most questions in one file.
const QUESTIONS_MAX: usize = 10_000;
/// Largest file of them.
const FILE_BYTES_MAX: usize = 64 << 20;

/// Most wrong lines that are shown at once; more would not be read.
const WRONG_SHOWN_MAX: usize = 50;

/// Answers every line of a file.
///
/// # Errors
/// Every line that is no question or names what is not there, with its number; no answer is printed then.
pub fn answer(arguments: &ArgMatches, path: &str, compiled: &Compiled) -> Outcome {
    let read = bounded::read_text(Path::new(path), FILE_BYTES_MAX);
    let lines = read.map_err(|error| {
        let path = printable::line(path);
        CommandError::new(Exit::Failed, format!("{path} cannot be read: {error}"), "")
    })?;
    let lines: Vec<(usize, &str)> = lines
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .collect();
    if lines.len() > QUESTIONS_MAX {
        let message = format!("the file holds more than {QUESTIONS_MAX} questions");
        return Err(CommandError::new(Exit::Usage, message, "Divide it."));
    }
    let (mut answers, mut texts, mut is_all) = (Vec::new(), String::new(), true);
    let mut wrong = Vec::new();
    for (index, line) in lines {
        let matches = match question(index + 1, line) {
            Ok(matches) => matches,
            Err(error) => {
                wrong.push(error);
                continue;
            }
        };
        match answered(&matches, compiled) {
            Ok((asked, evaluation)) => {
                is_all &= evaluation.verdict == Verdict::Yes;
                answers.push(Answer::new(&asked, &evaluation, &[]));
                let first = can::text(&asked, &evaluation, &[]);
                let first = first.lines().next().unwrap_or_default();
                texts.push_str(&format!("{first}\n"));
            }
            Err(error) => {
                let message = format!("line {}: {}", index + 1, error.message);
                wrong.push(CommandError::new(error.exit, message, error.remedy));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(told_at_once(wrong));
    }
    let answers = Answers { answers };
    output::show(arguments, &outputs::CAN_QUESTIONS, &answers, || {
        terminal::text(&texts)
    })?;
    Ok(if is_all { Exit::Done } else { Exit::Findings })
}

/// All wrong lines in one error; it ends as the worst of them would.
fn told_at_once(mut wrong: Vec<CommandError>) -> CommandError {
    if wrong.len() == 1 {
        return wrong.remove(0);
    }
    let is_usage = wrong.iter().any(|error| error.exit == Exit::Usage);
    let exit = if is_usage { Exit::Usage } else { Exit::Failed };
    let mut message = format!("{} lines cannot be answered", wrong.len());
    for error in wrong.iter().take(WRONG_SHOWN_MAX) {
        message.push_str(&format!("\n  {}\n    {}", error.message, error.remedy));
    }
    if wrong.len() > WRONG_SHOWN_MAX {
        message.push_str(&format!("\n  … and {} more", wrong.len() - WRONG_SHOWN_MAX));
    }
    CommandError::report(exit, message, "Nothing was answered. Correct these lines.")
}

/// One line as the arguments it lists.
fn question(number: usize, line: &str) -> Result<ArgMatches, CommandError> {
    let wrong = |why: String| {
        CommandError::new(
            Exit::Usage,
            format!("line {number} is no question: {}", printable::line(&why)),
            "Write the arguments of one question as a JSON list: [\"crm\", \"getCustomer\", \"--field\", \"email\"].",
        )
    };
    let words: Vec<String> =
        serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
    let own = std::iter::once("can".to_owned()).chain(words);
    let matches = command()
        .try_get_matches_from(own)
        .map_err(|error| wrong(error.to_string()))?;
    if matches.contains_id("questions") {
        return Err(wrong(
            "`--questions` cannot be asked in a file of questions".to_owned(),
        ));
    }
    Ok(matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_question_is_named_with_its_number() {
        for line in [
            "crm",
            "{}",
            r#"["crm"]"#,
            r#"["crm","getCustomer","--nope"]"#,
            r#"["--questions","other.jsonl"]"#,
        ] {
            let error = question(7, line).unwrap_err();
            assert!(
                error.message.starts_with("line 7 is no question"),
                "{line}: {error:?}"
            );
        }
        assert!(question(1, r#"["crm","getCustomer","--field","email"]"#).is_ok());
    }
}
