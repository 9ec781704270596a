//! Requests decided again by a changed configuration: which of them would be decided otherwise, and why.
//! Exports `recorded`, `written`, `Report`. Sends nothing.
//! Used by `portcullis inspect replay`.
//! Start reading at `Report`; one request is decided by `gateway::replay`.

use std::collections::BTreeMap;

use config::Compiled;
use gateway::recording::Reader;
use gateway::replay::{self, Verdict, Written};
use model::Timestamp;
use model::event::{Finding, Treatment};
use schemars::JsonSchema;
use serde::Serialize;

/// What would be decided otherwise, as tools read it.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Report {
    /// Requests looked at.
    pub requests: u64,
    /// Those that are refused now.
    pub now_refused: u64,
    /// Those that are let through now.
    pub now_let_through: u64,
    /// Those that could not be decided.
    pub not_judged: u64,
    /// What changes, by operation, field and rule.
    pub changes: Vec<Change>,
    /// The first that could not be decided, and why.
    #[serde(skip)]
    pub first_lost: Option<(String, String)>,
}

/// One reason for which requests are decided otherwise.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Change {
    /// `now refused` or `now let through`.
    pub change: &'static str,
    /// `field-service/v2:createWorkOrder`
    pub operation: String,
    /// Where: `body /note`.
    pub field: String,
    /// The rule, or a dash where the contract refused.
    pub rule: String,
    /// Class of the finding, or the code.
    pub class: String,
    /// In how many requests.
    pub requests: u64,
    /// The first of them.
    pub first: String,
}

/// A line of a file that is no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {number} is no request: {why}")]
pub struct LineError {
    /// Its number, from 1.
    pub number: u64,
    /// What is wrong with it.
    pub why: String,
}

impl Report {
    /// Whether nothing changes, and everything could be decided.
    pub fn is_quiet(&self) -> bool {
        self.changes.is_empty() && self.not_judged == 0
    }
}

/// Decides the requests of a recording again, beside what was decided then.
pub fn recorded(reader: &Reader, changed: &Compiled, now: Timestamp) -> Report {
    let mut tally = Tally::default();
    for request in &reader.requests {
        let name = request.decision.to_string();
        match replay::recorded(request, changed, now) {
            None => tally.lost(
                &name,
                format!("there is no operation {}", request.operation),
            ),
            Some(after) => {
                tally.compare(&name, &request.operation, &Verdict::then(request), &after);
            }
        }
    }
    tally.report()
}

/// Decides requests that were written down, one to a line, beside what `today` decides of them.
///
/// # Errors
/// The first line that is no request.
pub fn written(
    text: &str,
    today: Option<&Compiled>,
    changed: &Compiled,
    now: Timestamp,
) -> Result<Report, LineError> {
    let mut tally = Tally::default();
    for (number, line) in (1u64..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let name = format!("line {number}");
        let request: Written = serde_json::from_str(line).map_err(|error| LineError {
            number,
            why: error.to_string(),
        })?;
        let before = today.map(|today| replay::written(&request, today, now));
        let before = before.transpose().map(|found| found.map(|one| one.verdict));
        match (before, replay::written(&request, changed, now)) {
            (Ok(before), Ok(after)) => tally.compare(
                &name,
                &after.operation,
                &before.unwrap_or_default(),
                &after.verdict,
            ),
            (Err(why), _) | (_, Err(why)) => tally.lost(&name, why),
        }
    }
    Ok(tally.report())
}

/// What is decided otherwise: operation, field and rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
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
struct Tally {
    requests: u64,
    now_refused: u64,
    now_let_through: u64,
    changes: BTreeMap<Key, Times>,
    lost: u64,
    first_lost: Option<(String, String)>,
}

impl Tally {
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
        if is_refused_now {
            self.now_refused += 1;
        } else {
            self.now_let_through += 1;
        }
        for (field, rule, class) in reasons(by) {
            let key = Key {
                is_refused_now,
                operation: operation.to_owned(),
                field,
                rule,
                class,
            };
            let times = self.changes.entry(key).or_insert_with(|| Times {
                requests: 0,
                first: name.to_owned(),
            });
            times.requests += 1;
        }
    }

    fn report(self) -> Report {
        let change = |(key, times): (Key, Times)| Change {
            change: if key.is_refused_now {
                "now refused"
            } else {
                "now let through"
            },
            operation: key.operation,
            field: key.field,
            rule: key.rule,
            class: key.class,
            requests: times.requests,
            first: times.first,
        };
        Report {
            requests: self.requests,
            now_refused: self.now_refused,
            now_let_through: self.now_let_through,
            not_judged: self.lost,
            changes: self.changes.into_iter().map(change).collect(),
            first_lost: self.first_lost,
        }
    }
}

/// Field, rule and class of everything that counted; the code alone where the contract refused.
fn reasons(verdict: &Verdict) -> Vec<(String, String, String)> {
    let mut out: Vec<(String, String, String)> = Vec::new();
    let counted = verdict
        .seen
        .iter()
        .filter(|seen| seen.what == Treatment::Counted);
    for seen in counted {
        let reason = (field(seen), seen.rule.to_string(), seen.class.to_string());
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

fn field(seen: &Finding) -> String {
    let text = format!("{} {}", seen.place, seen.pointer.escape_debug());
    text.trim_end().to_owned()
}
