//! What inspection saw, in the operator's words, and the exclusion that would silence it.
//! Exports `Found`. The caller never sees any of it: they were told class and field.
//! Used by `Explanation`.
//! Start reading at `Found::of`.

use std::collections::BTreeMap;

use model::event::{Finding, Treatment};
use model::{Event, Timestamp};
use serde_json::json;

/// An exclusion is proposed for so long; somebody has to look at it again.
const PROPOSED_DAYS: u32 = 90;

/// What inspection saw of one request.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What was seen, as far as the record keeps it.
    pub seen: Vec<Finding>,
    /// How many findings there were beyond that.
    pub more: u32,
    /// Lines for `inspection.exclusions`, ready to paste; empty where none could silence what was seen.
    pub exclusion: String,
}

impl Found {
    /// Reads a record.
    pub fn of(event: &Event, now: Timestamp) -> Found {
        Found {
            seen: event.findings.clone(),
            more: event.findings_more.unwrap_or(0),
            exclusion: proposed(&event.findings, event, now).unwrap_or_default(),
        }
    }

    /// One line for each finding.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.seen.iter().map(told);
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        lines.chain(more).collect()
    }
}

fn told(seen: &Finding) -> String {
    let field = if seen.pointer.is_empty() {
        String::new()
    } else {
        format!(" {}", seen.pointer.escape_debug())
    };
    let place = format!("{} at {}{field}: ", seen.class, seen.place);
    if seen.place == "answer" {
        return format!("{place}{}, {}", seen.rule, seen.what);
    }
    let steps = if seen.steps.is_empty() {
        "read as sent".to_owned()
    } else {
        format!("read through {}", seen.steps.join(" → "))
    };
    let end = if seen.what == Treatment::Excluded {
        "; an exclusion silences it"
    } else {
        ""
    };
    format!(
        "{place}rule {}, score {}, paranoia {}, {steps}{end}",
        seen.rule, seen.score, seen.paranoia
    )
}

/// Rules by field, for what counted and can be excluded.
fn proposed(seen: &[Finding], event: &Event, now: Timestamp) -> Option<String> {
    let scope = format!("{}:{}", event.api.as_deref()?, event.operation.as_deref()?);
    let mut fields: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for one in seen.iter().filter(|one| can_be_excluded(one)) {
        let rules = fields.entry(field(&one.pointer)).or_default();
        if !rules.contains(&one.rule.as_str()) {
            rules.push(&one.rule);
        }
    }
    let end = now.plus_days(PROPOSED_DAYS).to_string();
    let end = end.split('T').next()?;
    let mut out = String::new();
    for (pointer, rules) in fields {
        // A text of JSON is a text of YAML.
        out.push_str(&format!(
            "- operation: {}\n  pointer: {}\n  rules: {}\n  owner: YOUR-TEAM\n  expires: {end}\n  reason: WHY-IT-IS-RIGHT\n",
            json!(scope),
            json!(pointer),
            json!(rules),
        ));
    }
    Some(out)
}

/// Costs and answers have no exclusions; a finding about the whole request has no field.
fn can_be_excluded(seen: &Finding) -> bool {
    seen.what == Treatment::Counted && seen.class != "inspect.deadline" && !seen.pointer.is_empty()
}

/// The field with every place in a list left open.
fn field(pointer: &str) -> String {
    let steps = pointer.split('/').map(|step| {
        let is_number = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { "*" } else { step }
    });
    steps.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(findings: &[&str]) -> Event {
        Event {
            api: Some("notes/v1".into()),
            operation: Some("createNote".into()),
            findings: findings.iter().map(|line| finding(line)).collect(),
            ..Event::default()
        }
    }

    /// As a record of schema 1 has it, in one line.
    fn finding(line: &str) -> Finding {
        serde_json::from_value(json!(line)).unwrap()
    }

    fn found(findings: &[&str]) -> Found {
        let now = Timestamp::parse("2026-11-23").unwrap();
        Found::of(&event(findings), now)
    }

    #[test]
    fn a_finding_is_told_with_its_way_and_an_exclusion_to_paste() {
        let found = found(&[
            "inspect.sqli body:/lines/3/note 942100 score=5 paranoia=1 via=percent>base64 what=counted",
            "inspect.sqli body:/lines/7/note 942130 score=5 paranoia=2 via= what=counted",
            "inspect.rce body:/lines/7/note 932100 score=5 paranoia=1 via= what=excluded",
        ]);
        let found = Found { more: 3, ..found };
        assert_eq!(
            found.lines(),
            [
                "inspect.sqli at body /lines/3/note: rule 942100, score 5, paranoia 1, read through percent → base64",
                "inspect.sqli at body /lines/7/note: rule 942130, score 5, paranoia 2, read as sent",
                "inspect.rce at body /lines/7/note: rule 932100, score 5, paranoia 1, read as sent; an exclusion silences it",
                "and 3 more",
            ]
        );
        assert_eq!(
            found.exclusion,
            "- operation: \"notes/v1:createNote\"\n  pointer: \"/lines/*/note\"\n  rules: [\"942100\",\"942130\"]\n  \
             owner: YOUR-TEAM\n  expires: 2027-02-21\n  reason: WHY-IT-IS-RIGHT\n"
        );
    }

    #[test]
    fn what_no_exclusion_silences_proposes_none() {
        let found = found(&[
            "inspect.deadline body:/note pack.deadline score=5 paranoia=1 via= what=counted",
            "inspect.protocol path: 920100 score=5 paranoia=1 via= what=counted",
            "response.leak answer:/note iban score=0 paranoia=1 via= what=masked",
        ]);
        assert_eq!(found.exclusion, "");
        assert_eq!(
            found.lines().last().unwrap(),
            "response.leak at answer /note: iban, masked"
        );
    }
}
