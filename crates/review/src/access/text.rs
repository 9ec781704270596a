//! The effective matrix as a person reads it.
//! Exports `page`, `field_row`.
//! Used by `portcullis access`.
//! Start reading at `page`.

use std::fmt::Write;

use config::Compiled;
use model::printable::{self, wrapped};
use policy::{AccessRow, By, How};

use super::matrix::{self, Summary};
use super::{FieldRow, IntegrationAccess, field_of, parameters, questions};

/// Lines are kept below this many characters.
const WIDTH: usize = 100;
/// The class that needs no mention.
const USUAL_CLASS: &str = "internal";

/// The whole page.
pub fn page(found: &IntegrationAccess, compiled: &Compiled) -> String {
    let (name, rows) = (&found.integration, &found.rows);
    let mut out = String::new();
    let review: String = found.review_by.chars().take(10).collect();
    let _ = writeln!(
        out,
        "{} · {} · {} · review by {review}",
        name,
        printable::line(&found.purpose),
        printable::line(&found.owner)
    );
    if found.is_public {
        out.push_str("PUBLIC: anybody may do all of this, without a credential.\n");
    }
    out.push_str(&headline(name, &found.summary));
    let grants = matrix::grants(rows);
    let mut last: Option<&AccessRow> = None;
    for grant in grants {
        let is_new =
            last.is_none_or(|last| (&last.api, &last.operation) != (&grant.api, &grant.operation));
        if is_new {
            let _ = writeln!(out, "\n{}", operation_line(grant, compiled));
            out.push_str(&judged_lines(name, grant, compiled));
            out.push_str(&question_lines(name, grant, compiled));
        }
        last = Some(grant);
        out.push_str(&grant_block(grant, rows, compiled));
    }
    out
}

fn headline(name: &str, summaries: &[Summary]) -> String {
    if summaries.is_empty() {
        return format!("{name} has no grant: it may call nothing.\n");
    }
    let mut out = String::new();
    for (index, summary) in summaries.iter().enumerate() {
        let lead = if index == 0 {
            format!("{name} can")
        } else {
            " ".repeat(name.chars().count() + 4)
        };
        let sends = match summary.sent {
            0 => String::new(),
            1 => ", send 1".to_owned(),
            n => format!(", send {n}"),
        };
        let when = match summary.conditions.as_slice() {
            [] => String::new(),
            [one] => format!("   when {}", printable::line(one)),
            several => format!("   under {} conditions", several.len()),
        };
        let _ = writeln!(
            out,
            "{lead} read {} of {} fields of {}{sends}{when}   {}",
            summary.seen, summary.declared, summary.schema, summary.api
        );
    }
    out
}

fn operation_line(row: &AccessRow, compiled: &Compiled) -> String {
    let version = compiled.version(&row.api).map(|(_, version)| version);
    let base = version.map_or("", |version| &*version.base_path);
    let listeners = version
        .and_then(|version| {
            version
                .operations
                .iter()
                .find(|plan| plan.id == row.operation)
        })
        .map(|plan| plan.listeners.join(", "))
        .unwrap_or_default();
    let reach = if listeners.is_empty() {
        "exposed nowhere, so it cannot be reached".to_owned()
    } else {
        format!("on {listeners}")
    };
    match matrix::operation(row, compiled) {
        Some(operation) => format!(
            "{} · {} · {} {base}{} · {reach}",
            row.operation, row.api, operation.method, operation.template
        ),
        None => format!("{} · {} · {reach}", row.operation, row.api),
    }
}

/// By what the operation's objects are judged, one line for each kind, and which policies may forbid.
fn judged_lines(integration: &str, row: &AccessRow, compiled: &Compiled) -> String {
    let reference = compiled.rules.operation(&row.api, &row.operation);
    let enforcement = reference.and_then(|r| compiled.rules.enforcement(integration, r));
    let Some(enforcement) = enforcement else {
        return String::new();
    };
    let mut out = String::new();
    for judged in &enforcement.judged {
        let look_up = judged.look_up.as_deref().unwrap_or("look-up");
        let by = match (judged.by, &judged.look_up) {
            (By::Path, _) => "by what the path says".to_owned(),
            (By::Body, _) => "by the body, before it is sent".to_owned(),
            (By::LookUp, _) => format!("by {look_up}, before the call"),
            (By::Answer, None) => "by the answer, before it leaves".to_owned(),
            (By::Answer, Some(_)) => {
                format!("by the answer, before it leaves; by {look_up} where the answer lacks it")
            }
        };
        let _ = writeln!(out, "  each {} is judged {by}", judged.kind);
    }
    for policy in &enforcement.policies {
        let _ = writeln!(out, "  {policy} may forbid it");
    }
    out
}

/// What its parameters may ask: of the operation, because a parameter has to be usable with every grant that may hold.
fn question_lines(integration: &str, row: &AccessRow, compiled: &Compiled) -> String {
    let parameters = parameters(compiled, integration, &row.api, &row.operation);
    let mut out = String::new();
    let mut last = "";
    for (label, line) in questions::lines(&parameters, WIDTH) {
        let shown = if label == last { "" } else { label };
        last = label;
        let _ = writeln!(out, "  {shown:<8} {}", printable::line(&line));
    }
    out
}

fn grant_block(grant: &AccessRow, rows: &[AccessRow], compiled: &Compiled) -> String {
    let mut out = String::new();
    let role = grant
        .role
        .as_deref()
        .map(|role| format!(" (role {role})"))
        .unwrap_or_default();
    let when = grant
        .condition
        .as_deref()
        .map(|when| format!("   when {}", printable::line(when)))
        .unwrap_or_default();
    let _ = writeln!(out, "  {}{role}{when}", grant.rule);
    let own = || rows.iter().filter(|row| matrix::is_same_grant(row, grant));
    let seen: Vec<String> = own()
        .filter(|row| !matches!(row.how, How::Call | How::Write | How::Error))
        .map(|row| named(row, compiled))
        .collect();
    let sent: Vec<String> = own()
        .filter(|row| row.how == How::Write)
        .map(|row| named(row, compiled))
        .collect();
    let mut told: Vec<String> = own()
        .filter(|row| row.how == How::Error)
        .map(|row| named(row, compiled))
        .collect();
    told.dedup();
    if seen.is_empty() && sent.is_empty() {
        out.push_str("    may call it; no field of the answer is let out\n");
    }
    for (word, fields) in [("reads", seen), ("sends", sent), ("errors", told)] {
        for (index, line) in wrapped(&fields, WIDTH).iter().enumerate() {
            let label = if index == 0 { word } else { "" };
            let _ = writeln!(out, "    {label:<6} {line}");
        }
    }
    out
}

/// A field with what is special about it.
fn named(row: &AccessRow, compiled: &Compiled) -> String {
    let mut notes: Vec<String> = Vec::new();
    if row.class != USUAL_CLASS {
        notes.push(row.class.to_owned());
    }
    if let How::Masked(mask) = row.how {
        notes.push(format!("masked: {}", mask.name()));
    }
    if let Some(kind) = &row.judged_as {
        notes.push(format!("if it may see the {kind}"));
    }
    let field = match field_of(row, compiled) {
        field if field.is_empty() => "(the whole value)".to_owned(),
        field => field,
    };
    if notes.is_empty() {
        field
    } else {
        format!("{field} ({})", notes.join(", "))
    }
}

/// One line of "who can see this field".
pub fn field_row(found: &FieldRow, compiled: &Compiled) -> Vec<String> {
    let row = &found.access;
    let how = match row.how {
        How::Masked(mask) => format!("sees it masked: {}", mask.name()),
        How::Write => "sends".to_owned(),
        How::Error => "sees it in error answers".to_owned(),
        How::Full | How::Call => "sees".to_owned(),
    };
    vec![
        found.integration.to_string(),
        format!("{}:{}", row.api, row.operation),
        named(
            &AccessRow {
                how: match row.how {
                    How::Write | How::Error => row.how,
                    How::Full | How::Masked(_) | How::Call => How::Full,
                },
                ..row.clone()
            },
            compiled,
        ),
        how,
        row.rule.clone(),
        row.condition.as_deref().unwrap_or("always").to_owned(),
    ]
}
