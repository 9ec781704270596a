//! An explanation as a person reads it in a terminal.
//! Exports `Display` for `Explanation`.
//! Used by the command line.
//! Start reading at `fmt`.

use std::fmt;

use model::printable::line;
use model::{Outcome, Stage};

use super::Explanation;

/// Widest line.
const WIDTH: usize = 100;

/// Printed above lines to paste.
const EXCLUDE: &str = "if the text is meant as it stands and the schema cannot say more, below `inspection.exclusions` in portcullis.yaml:";

fn connections(count: u64) -> String {
    match count {
        1 => "1 connection".to_owned(),
        _ => format!("{count} connections within about a second"),
    }
}

/// A label and its text, wrapped.
fn paragraph(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    write!(f, "{label:<9}")?;
    let mut column = 9;
    for word in text.split_whitespace() {
        let length = word.chars().count() + 1;
        if column + length > WIDTH {
            write!(f, "\n{:<9}", "")?;
            column = 9;
        }
        write!(f, " {}", line(word))?;
        column += length;
    }
    writeln!(f)
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.headline(f)?;
        self.road(f)?;
        paragraph(f, "Why", &self.why)?;
        if let Some(rule) = &self.event.rule {
            writeln!(f, "Rule      {}", line(&rule.to_string()))?;
        }
        self.seen(f)?;
        for (index, near) in self.nearest.iter().enumerate() {
            let label = if index == 0 { "Nearest" } else { "" };
            writeln!(f, "{label:<9} {}  {}", line(&near.place), line(&near.text))?;
        }
        if let Some(advice) = &self.to_allow {
            paragraph(f, "To allow", &advice.text)?;
        }
        for block in &self.blocks {
            paragraph(f, "Blocked", block)?;
        }
        if !self.found.exclusion.is_empty() {
            paragraph(f, "Exclude", EXCLUDE)?;
            // Lines of YAML that we made: what was seen stands in them as JSON texts.
            for one in self.found.exclusion.lines() {
                writeln!(f, "    {}", line(one))?;
            }
        }
        paragraph(f, "Told", &self.told)?;
        if let Some(similar) = self.similar {
            writeln!(
                f,
                "Similar   {} more in the 24 hours before{}, first {}",
                similar.count,
                self.whose(),
                similar.first
            )?;
        }
        if self.is_configuration_changed {
            writeln!(
                f,
                "Note      the configuration has changed since; rules, grants and advice are those of today"
            )?;
        }
        Ok(())
    }
}

impl Explanation {
    /// Whose decisions are counted as similar.
    fn whose(&self) -> String {
        let who = self.event.integration.as_deref();
        who.map(|who| format!(" by {}", line(who)))
            .unwrap_or_default()
    }

    /// What was answered to the call itself, and the time that all calls for it took. Records do not name look-ups.
    fn upstream(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &self.event;
        let spent = e
            .upstream_us
            .map(|us| format!("{}.{:02} ms", us / 1000, us % 1000 / 10));
        let target = e.upstream.as_deref().unwrap_or("a target");
        match (e.upstream_status, spent, e.stage.as_ref()) {
            (Some(status), Some(spent), _) => writeln!(
                f,
                "Upstream  {} answered {status}; all calls for it took {spent}",
                line(target)
            ),
            (Some(status), None, _) => {
                writeln!(f, "Upstream  {} answered {status}", line(target))
            }
            (None, Some(spent), Some(stage)) if *stage == Stage::Object => writeln!(
                f,
                "Upstream  the call was not sent; looking objects up took {spent}"
            ),
            (None, Some(spent), _) => {
                writeln!(f, "Upstream  no answer; all calls for it took {spent}")
            }
            (None, None, _) => Ok(()),
        }
    }

    fn headline(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &self.event;
        let verdict = match e.outcome.known() {
            Some(Outcome::Allow) => "ALLOWED",
            Some(Outcome::Refuse) => "REFUSED",
            Some(Outcome::Fault) => "FAILED",
            Some(Outcome::Pending) => "FORWARDED",
            _ => "DONE",
        };
        f.write_str(verdict)?;
        if let Some(status) = e.status {
            write!(f, " {status}")?;
        }
        if let Some(stage) = e.stage.as_ref().filter(|_| e.outcome != Outcome::Allow) {
            write!(f, " at stage {}", line(stage.name()))?;
        }
        if let Some(code) = &e.code {
            write!(f, "   {}", line(code))?;
        }
        writeln!(f)?;
        let optional = |label: &str, value: &Option<model::Text>| {
            value.as_ref().map(|v| format!("{label} {v}"))
        };
        let parts: Vec<String> = [
            optional("integration", &e.integration),
            optional("key", &e.credential),
            optional("user", &e.user),
            e.personal
                .iter()
                .find_map(|one| optional("person", &one.state)),
            optional("operation", &e.operation),
            optional("listener", &e.listener),
            optional("from", &e.address),
            optional("agent", &e.user_agent),
            e.count.map(connections),
            Some(e.at.to_string()),
            optional("configuration", &e.configuration),
            e.took_us
                .map(|us| format!("{}.{:02} ms", us / 1000, us % 1000 / 10)),
            Some(format!("ledger #{}", self.seq)),
        ]
        .into_iter()
        .flatten()
        .collect();
        writeln!(f, "  {}", line(&parts.join(" · ")))?;
        if let (Some(method), Some(path)) = (&e.method, &e.path) {
            writeln!(f, "  {} {}", line(method), line(path))?;
        }
        Ok(())
    }

    fn road(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marks: Vec<String> = self
            .stages
            .iter()
            .map(|(stage, is_passed)| format!("{stage} {}", if *is_passed { "✓" } else { "✗" }))
            .collect();
        writeln!(f, "  {}", marks.join("  "))
    }

    /// What was seen on the way: fields, objects, findings, drift, upstream.
    fn seen(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &self.event;
        for error in &e.errors {
            writeln!(f, "Field     {}", line(&error.to_string()))?;
        }
        for finding in self.found.lines() {
            paragraph(f, "Finding", &finding)?;
        }
        if let Some((out, seen)) = e.fields {
            let withheld = e
                .withheld
                .map(|n| format!(", {n} objects withheld"))
                .unwrap_or_default();
            writeln!(f, "Fields    {out} of {seen} values let out{withheld}")?;
        }
        if !e.objects.is_empty() {
            writeln!(f, "Objects   {}", line(&e.object_names().join(", ")))?;
        }
        self.upstream(f)?;
        for drift in e.drift.iter().take(5) {
            writeln!(f, "Drift     {}", line(&drift.to_string()))?;
        }
        Ok(())
    }
}
