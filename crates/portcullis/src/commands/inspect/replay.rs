//! Says which recorded or written requests a changed configuration decides otherwise, as `review::replay` finds it.
//! Exports `run`. Sends nothing.
//! Used by `portcullis inspect`.
//! Start reading at `run`.

use std::io::ErrorKind;
use std::path::Path;

use clap::ArgMatches;
use config::Compiled;
use gateway::recording::{Reader, Unreadable};
use installation::{bounded, files, open};
use model::{Timestamp, printable};
use review::replay::{self, Change, Report};

use crate::exit::{CommandError, Exit, Outcome};
use crate::{config_dir, output, outputs, table, terminal};

/// Largest file that is read.
const FILE_BYTES_MAX: usize = 1 << 30;

/// Replays a file.
pub fn run(arguments: &ArgMatches) -> Outcome {
    let (now, dir) = (installation::now(), config_dir::of(arguments));
    let path = output::path(arguments, "file");
    let text = read(&path)?;
    let (changed, _) = files::compile(&files::read(&dir)?, now)?;
    let installed = arguments.get_one::<std::path::PathBuf>("installation");
    let report = match Reader::heading(&text) {
        Some(_) => recording(&text, installed.unwrap_or(&dir), &changed, now)?,
        None => {
            let today = match installed {
                Some(dir) => Some(files::compile(&files::read(dir)?, now)?.0),
                None => None,
            };
            replay::written(&text, today.as_ref(), &changed, now).map_err(|error| {
                CommandError::new(
                    Exit::Failed,
                    error,
                    "Write {\"method\": \"POST\", \"path\": \"/v2/notes\", \"headers\": {}, \"body\": {}} on one line.",
                )
            })?
        }
    };
    output::show(arguments, &outputs::INSPECT_REPLAY, &report, || {
        terminal::text(&words(&report));
    })?;
    Ok(if report.is_quiet() {
        Exit::Done
    } else {
        Exit::Findings
    })
}

fn read(path: &Path) -> Result<String, CommandError> {
    let cannot = |why: String| {
        CommandError::new(
            Exit::Failed,
            format!("cannot read {}: {why}", path.display()),
            "Name a recording of `portcullis inspect record`, or a file with one JSON object to a line.",
        )
    };
    bounded::read_text(path, FILE_BYTES_MAX).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => cannot("it is larger than 1 GiB".into()),
        _ => cannot(error.to_string()),
    })
}

fn recording(
    text: &str,
    installed: &Path,
    changed: &Compiled,
    now: Timestamp,
) -> Result<Report, CommandError> {
    let texts = files::read(installed)?;
    let (compiled, _) = files::compile(&texts, now)?;
    let opened = open::open_read(&compiled, installed, &texts)?;
    let reader = Reader::open(text, &opened.keys, now).map_err(|why| {
        let help = match why {
            Unreadable::Ended(_) => {
                "Make a new recording; texts of requests are not kept longer than was said."
            }
            _ => "Name the installation that recorded it: --installation DIR.",
        };
        CommandError::new(Exit::Failed, why, help)
    })?;
    if !reader.is_whole {
        terminal::say("portcullis: the recording has no end; what there is of it is judged");
    }
    Ok(replay::recorded(&reader, changed, now))
}

fn words(report: &Report) -> String {
    let mut out = format!(
        "{} requests judged: {} now refused, {} now let through, {} not judged\n",
        report.requests, report.now_refused, report.now_let_through, report.not_judged
    );
    if let Some((name, why)) = &report.first_lost {
        let lost = format!("not judged: {name}: {why}");
        out.push_str(&printable::line(&lost));
        out.push('\n');
    }
    if report.changes.is_empty() {
        return out;
    }
    let row = |change: &Change| {
        vec![
            change.change.to_owned(),
            change.operation.clone(),
            change.field.clone(),
            change.rule.clone(),
            change.class.clone(),
            change.requests.to_string(),
            change.first.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = report.changes.iter().map(row).collect();
    let headings = [
        "CHANGE",
        "OPERATION",
        "FIELD",
        "RULE",
        "CLASS",
        "REQUESTS",
        "FIRST",
    ];
    out.push_str(&table::render(&headings, &rows));
    out
}
