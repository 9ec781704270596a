//! Judges recorded or written requests by a changed configuration, and says what is decided otherwise.
//! Gives `run`. Sends nothing.
//! Used by `portcullis inspect`.
//! Start reading at `run`.

use std::collections::BTreeMap;
use std::path::Path;

use clap::ArgMatches;
use config::Compiled;
use gateway::finding::Seen;
use gateway::recording::{Reader, Unreadable};
use gateway::replay::{self, Verdict, Written};
use model::{Timestamp, printable};
use serde_json::{Value, json};

use crate::exit::{Exit, Outcome, Trouble};
use crate::{config_dir, files, installation, output, running, table, terminal};

/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// Judges a file.
pub fn run(arguments: &ArgMatches) -> Outcome {
    let (now, dir) = (running::now(), config_dir::of(arguments));
    let path = output::path(arguments, "file");
    let text = read(&path)?;
    let (changed, _) = files::compile(&files::read(&dir)?, now)?;
    let installed = arguments.get_one::<std::path::PathBuf>("installation");
    let mut judged = Judged::default();
    match Reader::heading(&text) {
        Some(_) => recording(&text, installed.unwrap_or(&dir), &changed, now, &mut judged)?,
        None => {
            let today = match installed {
                Some(dir) => Some(files::compile(&files::read(dir)?, now)?.0),
                None => None,
            };
            written(&text, today.as_ref(), &changed, now, &mut judged)?;
        }
    }
    output::print(arguments, &judged.document(), || {
        terminal::text(&judged.text())
    });
    Ok(match judged.is_quiet() {
        true => Exit::Done,
        false => Exit::Look,
    })
}

fn read(path: &Path) -> Result<String, Trouble> {
    let cannot = |why: String| {
        Trouble::new(
            Exit::Failed,
            format!("cannot read {}: {why}", path.display()),
            "Name a recording of `portcullis inspect record`, or a file with one JSON object to a line.",
        )
    };
    let size = std::fs::metadata(path).map_err(|error| cannot(error.to_string()))?;
    if size.len() > FILE_BYTES_MAX {
        return Err(cannot("it is larger than 1 GiB".into()));
    }
    std::fs::read_to_string(path).map_err(|error| cannot(error.to_string()))
}

fn recording(
    text: &str,
    installed: &Path,
    changed: &Compiled,
    now: Timestamp,
    judged: &mut Judged,
) -> Result<(), Trouble> {
    let texts = files::read(installed)?;
    let (compiled, _) = files::compile(&texts, now)?;
    let looked = installation::look(&compiled, installed, &texts)?;
    let reader = Reader::open(text, &looked.keys, now).map_err(|why| {
        let help = match why {
            Unreadable::Ended(_) => {
                "Make a new recording; texts of requests are not kept longer than was said."
            }
            _ => "Name the installation that recorded it: --installation DIR.",
        };
        Trouble::new(Exit::Failed, why, help)
    })?;
    if !reader.is_whole {
        terminal::say("portcullis: the recording has no end; what there is of it is judged");
    }
    for request in &reader.requests {
        let name = request.decision.to_string();
        match replay::recorded(request, changed, now) {
            None => judged.lost(
                &name,
                format!("there is no operation {}", request.operation),
            ),
            Some(after) => {
                judged.compare(&name, &request.operation, &Verdict::then(request), &after);
            }
        }
    }
    Ok(())
}

fn written(
    text: &str,
    today: Option<&Compiled>,
    changed: &Compiled,
    now: Timestamp,
    judged: &mut Judged,
) -> Result<(), Trouble> {
    for (number, line) in (1u64..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let name = format!("line {number}");
        let request: Written = serde_json::from_str(line).map_err(|error| {
            Trouble::new(
                Exit::Failed,
                format!("{name} is no request: {error}"),
                "Write {\"method\": \"POST\", \"path\": \"/v2/notes\", \"headers\": {}, \"body\": {}} on one line.",
            )
        })?;
        let before = today.map(|today| replay::written(&request, today, now));
        let before = before.transpose().map(|found| found.map(|one| one.verdict));
        match (before, replay::written(&request, changed, now)) {
            (Ok(before), Ok(after)) => judged.compare(
                &name,
                &after.operation,
                &before.unwrap_or_default(),
                &after.verdict,
            ),
            (Err(why), _) | (_, Err(why)) => judged.lost(&name, why),
        }
    }
    Ok(())
}

/// What is decided otherwise: operation, field and rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    is_refused_now: bool,
    operation: String,
    field: String,
    rule: String,
    class: String,
}

/// How often, and where first.
#[derive(Debug)]
struct Times {
    requests: u64,
    first: String,
}

#[derive(Debug, Default)]
struct Judged {
    requests: u64,
    now_refused: u64,
    now_let_through: u64,
    changes: BTreeMap<Change, Times>,
    /// Requests that could not be judged, with the reason of the first.
    lost: u64,
    first_lost: Option<(String, String)>,
}

impl Judged {
    fn lost(&mut self, name: &str, why: String) {
        self.requests += 1;
        self.lost += 1;
        self.first_lost.get_or_insert((name.to_owned(), why));
    }

    fn compare(&mut self, name: &str, operation: &str, before: &Verdict, after: &Verdict) {
        self.requests += 1;
        let (is_refused_now, by) = match (&before.refused, &after.refused) {
            (None, Some(_)) => (true, after),
            (Some(_), None) => (false, before),
            _ => return,
        };
        match is_refused_now {
            true => self.now_refused += 1,
            false => self.now_let_through += 1,
        }
        for (field, rule, class) in reasons(by) {
            let change = Change {
                is_refused_now,
                operation: operation.to_owned(),
                field,
                rule,
                class,
            };
            let times = self.changes.entry(change).or_insert_with(|| Times {
                requests: 0,
                first: name.to_owned(),
            });
            times.requests += 1;
        }
    }

    fn is_quiet(&self) -> bool {
        self.changes.is_empty() && self.lost == 0
    }

    fn document(&self) -> Value {
        let change = |(change, times): (&Change, &Times)| {
            json!({
                "change": word(change.is_refused_now), "operation": change.operation, "field": change.field,
                "rule": change.rule, "class": change.class, "requests": times.requests, "first": times.first,
            })
        };
        json!({
            "schema_version": 1, "requests": self.requests, "now_refused": self.now_refused,
            "now_let_through": self.now_let_through, "not_judged": self.lost,
            "changes": self.changes.iter().map(change).collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let mut out = format!(
            "{} requests judged: {} now refused, {} now let through, {} not judged\n",
            self.requests, self.now_refused, self.now_let_through, self.lost
        );
        if let Some((name, why)) = &self.first_lost {
            let lost = format!("not judged: {name}: {why}");
            out.push_str(&printable::line(&lost));
            out.push('\n');
        }
        if self.changes.is_empty() {
            return out;
        }
        let rows: Vec<Vec<String>> = self
            .changes
            .iter()
            .map(|(change, times)| {
                vec![
                    word(change.is_refused_now).to_owned(),
                    change.operation.clone(),
                    change.field.clone(),
                    change.rule.clone(),
                    change.class.clone(),
                    times.requests.to_string(),
                    times.first.clone(),
                ]
            })
            .collect();
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
}

fn word(is_refused_now: bool) -> &'static str {
    match is_refused_now {
        true => "now refused",
        false => "now let through",
    }
}

/// Field, rule and class of everything that counted; the code alone where the contract refused.
fn reasons(verdict: &Verdict) -> Vec<(String, String, String)> {
    let mut out: Vec<(String, String, String)> = Vec::new();
    let counted = verdict.seen.iter().filter(|seen| seen.what == "counted");
    for seen in counted {
        let reason = (field(seen), seen.rule.clone(), seen.class.clone());
        if !out.contains(&reason) {
            out.push(reason);
        }
    }
    if out.is_empty() {
        let code = verdict.refused.clone().unwrap_or_default();
        out.push(("-".into(), "-".into(), code));
    }
    out
}

fn field(seen: &Seen) -> String {
    let text = format!("{} {}", seen.place, seen.pointer.escape_debug());
    text.trim_end().to_owned()
}
