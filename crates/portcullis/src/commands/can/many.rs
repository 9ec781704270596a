//! Many questions in one file, answered with one reading of the configuration: what a review or a pipeline keeps beside it.
//! Exports `answer`.
//! Used by `can`.
//! Start reading at `answer`.

use clap::ArgMatches;
use config::Compiled;
use model::printable;
use review::can::{Answer, Word};
use serde::Serialize;

use super::{answered, command, text};
use crate::exit::{CommandError, Exit, Outcome};
use crate::{output, terminal};

/// Most questions in one file.
const QUESTIONS_MAX: usize = 10_000;

/// The answers as tools read them.
#[derive(Serialize)]
struct Answers {
    /// In the order of the lines.
    answers: Vec<Answer>,
}

/// Answers every line of a file.
///
/// # Errors
/// The first line that is no question, with its number; nothing is printed then.
pub fn answer(arguments: &ArgMatches, path: &str, compiled: &Compiled) -> Outcome {
    let read = std::fs::read_to_string(path);
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
    for (index, line) in lines {
        let matches = question(index + 1, line)?;
        let (asked, verdict) = answered(&matches, compiled).map_err(|error| {
            let message = format!("line {}: {}", index + 1, error.message);
            CommandError::new(error.exit, message, error.remedy)
        })?;
        is_all &= verdict.word == Word::Yes;
        answers.push(Answer::new(&asked, &verdict, &[]));
        let first = text(&asked, &verdict, &[]);
        let first = first.lines().next().unwrap_or_default();
        texts.push_str(&format!("{first}\n"));
    }
    let whole = output::document(1, &Answers { answers })?;
    output::print(arguments, &whole, || terminal::text(&texts));
    Ok(if is_all { Exit::Done } else { Exit::Findings })
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
