//! Reads the action list of a rule.
//! Exports `parse`. An unknown action or value is a mistake.
//! Used by `parse::statements`.
//! Start reading at `parse`.

use super::ast::{Action, Change, Control, Disrupt, SetSource};
use super::macros::Text;
use super::selection::{id_range, targets};
use crate::transform::Transform;

/// The actions of one list, in order.
pub(super) fn parse(text: &str) -> Result<Vec<Action>, String> {
    split(text).iter().map(|item| action(item)).collect()
}

/// Commas separate, unless they stand between single quotes.
fn split(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = String::new();
    let mut quoted = false;
    let mut escaped = false;
    for letter in text.chars() {
        if letter == ',' && !quoted {
            found.push(std::mem::take(&mut current));
            continue;
        }
        if letter == '\'' && !escaped {
            quoted = !quoted;
        }
        escaped = letter == '\\' && !escaped;
        current.push(letter);
    }
    found.push(current);
    found.retain(|item| !item.trim().is_empty());
    found
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    let inner = text
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''))
        .unwrap_or(text);
    inner.replace("\\'", "'")
}

fn action(item: &str) -> Result<Action, String> {
    let item = item.trim();
    let (name, value) = item
        .split_once(':')
        .map_or((item, ""), |(name, value)| (name.trim(), value));
    let value = unquoted(value);
    let number = || {
        value
            .parse()
            .map_err(|_| format!("{name}:{value} is not a number"))
    };
    Ok(match name.to_ascii_lowercase().as_str() {
        "id" => Action::Id(number()?),
        "phase" => Action::Phase(phase(&value)?),
        "t" if value.eq_ignore_ascii_case("none") => Action::TransformNone,
        "t" => match Transform::named(&value) {
            Some(transform) => Action::Transform(transform),
            None => return Err(format!("the transformation {value} is not understood")),
        },
        "multimatch" => Action::MultiMatch,
        "capture" => Action::Capture,
        "chain" => Action::Chain,
        "pass" => Action::Disrupt(Disrupt::Pass),
        "block" => Action::Disrupt(Disrupt::Block),
        "deny" | "drop" => Action::Disrupt(Disrupt::Deny),
        "status" => Action::Status(
            value
                .parse()
                .map_err(|_| format!("status:{value} is not a number"))?,
        ),
        "log" => Action::Log(true),
        "nolog" => Action::Log(false),
        "auditlog" | "noauditlog" => Action::AuditLog,
        "msg" => Action::Message(Text::parse(&value)?),
        "logdata" => Action::Data(Text::parse(&value)?),
        "tag" => Action::Tag(value),
        "ver" | "rev" => Action::Version,
        "severity" => Action::Severity(severity(&value)?),
        "setvar" => Action::Set(set(&value)?),
        "ctl" => Action::Control(control(&value)?),
        "skipafter" => Action::SkipAfter(value),
        "initcol" => Action::Collection,
        other => return Err(format!("the action {other} is not understood")),
    })
}

fn phase(text: &str) -> Result<u8, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" => Ok(1),
        "2" | "request" => Ok(2),
        "3" => Ok(3),
        "4" | "response" => Ok(4),
        "5" | "logging" => Ok(5),
        other => Err(format!("there is no phase {other}")),
    }
}

fn severity(text: &str) -> Result<u8, String> {
    const NAMES: [&str; 8] = [
        "EMERGENCY",
        "ALERT",
        "CRITICAL",
        "ERROR",
        "WARNING",
        "NOTICE",
        "INFO",
        "DEBUG",
    ];
    let upper = text.to_ascii_uppercase();
    let named = NAMES
        .iter()
        .zip(0u8..)
        .find(|(name, _)| **name == upper)
        .map(|(_, level)| level);
    named
        .or_else(|| text.parse().ok().filter(|level| *level < 8))
        .ok_or_else(|| format!("there is no severity {text}"))
}

/// `tx.name=value`, `tx.name=+1`, `!tx.name`, `tx.name`.
fn set(text: &str) -> Result<SetSource, String> {
    let (unset, text) = text
        .strip_prefix('!')
        .map_or((false, text), |rest| (true, rest));
    let (key, value) = text
        .split_once('=')
        .map_or((text, None), |(key, value)| (key, Some(value)));
    let collection = key.get(..3).unwrap_or_default();
    if !collection.eq_ignore_ascii_case("tx.") {
        return Err(format!("setvar:{text} does not set a TX variable"));
    }
    let key = Text::parse(&key.get(3..).unwrap_or_default().to_ascii_lowercase())?;
    let change = match value {
        _ if unset => Change::Unset,
        None => Change::Assign(Text::parse("1")?),
        Some(value) => match (value.strip_prefix('+'), value.strip_prefix('-')) {
            (Some(amount), _) => Change::Add(Text::parse(amount)?),
            (_, Some(amount)) => Change::Subtract(Text::parse(amount)?),
            _ => Change::Assign(Text::parse(value)?),
        },
    };
    Ok(SetSource { key, change })
}

fn control(text: &str) -> Result<Control, String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let pair = || value.split_once(';').unwrap_or((value, ""));
    let one_target = |text: &str| {
        targets(text)?
            .into_iter()
            .next()
            .ok_or_else(|| format!("ctl:{name} names no target"))
    };
    Ok(
        match (
            name.to_ascii_lowercase().as_str(),
            value.to_ascii_lowercase().as_str(),
        ) {
            ("ruleremovebytag", _) => Control::RemoveByTag(value.to_owned()),
            ("ruleremovebyid", _) => Control::RemoveById(id_range(value)?),
            ("ruleremovetargetbytag", _) => {
                Control::RemoveTargetByTag(pair().0.to_owned(), one_target(pair().1)?)
            }
            ("ruleremovetargetbyid", _) => {
                Control::RemoveTargetById(id_range(pair().0)?, one_target(pair().1)?)
            }
            ("forcerequestbodyvariable", "on") => Control::ForceBodyVariable,
            ("auditengine", _) => Control::AuditEngine,
            ("requestbodyprocessor", _) => Control::BodyProcessor(value.to_ascii_uppercase()),
            ("ruleengine", "detectiononly") => Control::DetectionOnly,
            ("ruleengine", "on") => Control::EngineOn,
            ("ruleengine", "off") => Control::EngineOff,
            _ => return Err(format!("ctl:{text} is not understood")),
        },
    )
}
