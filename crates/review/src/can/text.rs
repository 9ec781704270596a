//! A verdict as a person reads it.
//! Exports `text`.
//! Used by `portcullis can`.
//! Start reading at `text`.

use model::printable;
use policy::ParameterAccess;

use super::question::{AccessQuestion, Evaluation, Verdict};
use crate::access::questions;

/// Lists are kept below this many characters a line.
const WIDTH: usize = 90;

/// The verdict, what it rests on, and what was nearest to a yes. The first line says all of it in one sentence.
pub fn text(
    asked: &AccessQuestion<'_>,
    evaluation: &Evaluation,
    parameters: &[ParameterAccess],
) -> String {
    let mut out = format!(
        "{}  {}",
        match evaluation.verdict {
            Verdict::Yes => "yes",
            Verdict::No => "no ",
            Verdict::Undecided => "undecided",
        },
        printable::line(&evaluation.why)
    );
    if let Some(code) = evaluation.code {
        out.push_str(&format!("   {code}"));
    }
    out.push('\n');
    let mut labelled = |label: &str, lines: Vec<String>| {
        for (index, line) in lines.iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            out.push_str(&format!("{label:<9}{}\n", printable::line(line)));
        }
    };
    labelled("Rule", evaluation.rules.clone());
    labelled("When", evaluation.conditions.clone());
    labelled(
        "Nearest",
        evaluation
            .nearest
            .iter()
            .map(|miss| format!("{}  {}", miss.rule, miss.text))
            .collect(),
    );
    // Of a request without parameters, which ones it might have.
    let is_general =
        asked.field.is_none() && asked.query.is_empty() && evaluation.verdict != Verdict::No;
    let lines = questions::lines(parameters, WIDTH);
    for (label, shown) in [("asks", "Asks"), ("refuses", "Refuses"), ("fixes", "Fixes")] {
        let own = lines.iter().filter(|(own, _)| is_general && *own == label);
        labelled(shown, own.map(|(_, line)| line.clone()).collect());
    }
    if asked.object.is_none() && evaluation.verdict == Verdict::Undecided {
        out.push_str("Give the object with --object to have it decided.\n");
    }
    out
}
