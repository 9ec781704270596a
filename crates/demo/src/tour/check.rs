//! What must hold for an answer of the tour, as data.
//! Exports `Check`, and the comparison of answers that must not be told apart.
//! Used by tour.
//! Start reading at `Check::judge`.

use model::Json;

use super::{Act, LedgerView};
use crate::call::CallResponse;

/// One expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// The status code.
    Status(u16),
    /// The stable code of the problem document.
    Code(&'static str),
    /// A header field contains this text.
    Header(&'static str, &'static str),
    /// A header field is absent.
    NoHeader(&'static str),
    /// A header field is a whole number within these bounds.
    HeaderNumber(&'static str, i64, i64),
    /// The body contains this text.
    Has(&'static str),
    /// Neither body nor header fields contain this text.
    Lacks(&'static str),
    /// The body's member at a dotted path is this text.
    Field(&'static str, &'static str),
    /// The members of the body at a dotted path (empty: the body itself) are these and no others.
    Members(&'static str, &'static [&'static str]),
    /// There is at least one item, and each has this text at a dotted path.
    EachItem(&'static str, &'static str),
    /// The problem names this pointer with this keyword and offers a fix.
    ErrorAt(&'static str, &'static str),
}

impl Check {
    /// Whether the expectation holds.
    ///
    /// # Errors
    /// A sentence about what was found instead.
    pub fn judge(&self, response: &CallResponse) -> Result<(), String> {
        let (holds, found) = match self {
            Check::Status(status) => (response.status == *status, response.status.to_string()),
            Check::Code(code) => (
                response.code().as_deref() == Some(*code),
                shown(response.code()),
            ),
            Check::Header(name, text) => {
                let value = response.header(name);
                (value.is_some_and(|v| v.contains(text)), shown(value))
            }
            Check::NoHeader(name) => (
                response.header(name).is_none(),
                shown(response.header(name)),
            ),
            Check::HeaderNumber(name, low, high) => {
                let number = response.header(name).and_then(|v| v.parse::<i64>().ok());
                (
                    number.is_some_and(|n| (*low..=*high).contains(&n)),
                    shown(response.header(name)),
                )
            }
            Check::Has(text) => (response.text().contains(text), "another body".into()),
            Check::Lacks(text) => (!mentions(response, text), "it".into()),
            Check::Field(path, text) => {
                let body = response.json();
                let value = body
                    .as_ref()
                    .and_then(|b| b.at(path))
                    .and_then(Json::as_text);
                (value == Some(*text), shown(value))
            }
            Check::Members(path, names) => {
                let found = members(response, path);
                let mut wanted: Vec<String> = names.iter().map(ToString::to_string).collect();
                wanted.sort();
                (
                    found.as_ref() == Some(&wanted),
                    shown(found.map(|f| f.join(", "))),
                )
            }
            Check::EachItem(path, text) => each_item(response, path, text),
            Check::ErrorAt(pointer, keyword) => error_at(response, pointer, keyword),
        };
        if holds {
            Ok(())
        } else {
            Err(format!("expected {self:?}, found {found}"))
        }
    }
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |v| v.to_string())
}

fn mentions(response: &CallResponse, text: &str) -> bool {
    let in_fields = response
        .headers
        .iter()
        .any(|(name, value)| name.contains(text) || value.contains(text));
    in_fields || response.text().contains(text)
}

/// Names of an object's members, sorted. A `0` in the path is the first item of a list.
fn members(response: &CallResponse, path: &str) -> Option<Vec<String>> {
    let body = response.json()?;
    let mut here = &body;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        here = match here {
            Json::List(items) => items.get(step.parse::<usize>().ok()?)?,
            _ => here.get(step)?,
        };
    }
    let Json::Object(members) = here else {
        return None;
    };
    let mut names: Vec<String> = members.iter().map(|(name, _)| name.to_string()).collect();
    names.sort();
    Some(names)
}

fn each_item(response: &CallResponse, path: &str, text: &str) -> (bool, String) {
    let body = response.json();
    let Some(Json::List(items)) = body.as_ref().and_then(|b| b.get("items")) else {
        return (false, "no items".to_owned());
    };
    let odd = items
        .iter()
        .map(|item| item.at(path).and_then(Json::as_text))
        .find(|found| *found != Some(text));
    match odd {
        Some(found) => (false, shown(found)),
        None => (!items.is_empty(), format!("{} items", items.len())),
    }
}

fn error_at(response: &CallResponse, pointer: &str, keyword: &str) -> (bool, String) {
    let body = response.json();
    let Some(Json::List(errors)) = body.as_ref().and_then(|b| b.get("errors")) else {
        return (false, "no errors".to_owned());
    };
    let member = |error: &Json, name| {
        error
            .get(name)
            .and_then(Json::as_text)
            .unwrap_or_default()
            .to_owned()
    };
    let holds = errors.iter().any(|error| {
        member(error, "pointer") == pointer
            && member(error, "keyword") == keyword
            && !member(error, "fix").is_empty()
    });
    let found: Vec<String> = errors
        .iter()
        .map(|error| {
            format!(
                "{} ({})",
                member(error, "pointer"),
                member(error, "keyword")
            )
        })
        .collect();
    (holds, found.join(", "))
}

/// Header fields that differ between any two answers.
const OWN_FIELDS: &[&str] = &["date", "portcullis-decision"];

/// What tells two answers apart besides decision id and date.
pub fn same_bytes(one: &CallResponse, other: &CallResponse) -> Vec<String> {
    let mut wrong = Vec::new();
    if one.status != other.status {
        wrong.push(format!(
            "the statuses differ: {} and {}",
            one.status, other.status
        ));
    }
    if normal_fields(one) != normal_fields(other) {
        wrong.push("the header fields differ".to_owned());
    }
    if normal_body(one) != normal_body(other) {
        wrong.push("the bodies differ".to_owned());
    }
    wrong
}

fn normal_fields(response: &CallResponse) -> Vec<(String, String)> {
    let kept = response
        .headers
        .iter()
        .filter(|(name, _)| !OWN_FIELDS.contains(&name.as_str()));
    // Numbers of the limit fields count down with each call.
    kept.filter(|(name, _)| !name.starts_with("ratelimit"))
        .cloned()
        .collect()
}

fn normal_body(response: &CallResponse) -> String {
    response
        .text()
        .replace(response.decision().unwrap_or("dec_"), "dec_…")
}

/// What is wrong with a verification of the ledger.
pub fn ledger(act: &Act, view: &LedgerView) -> Vec<String> {
    let is_tampered = matches!(act, Act::Ledger { is_tampered: true });
    match (is_tampered, view.is_intact) {
        (false, false) => vec!["the ledger does not verify".to_owned()],
        (true, true) => vec!["the changed byte was not found".to_owned()],
        (true, false) if view.first_bad.is_none() => {
            vec!["the changed record was not named".to_owned()]
        }
        _ => Vec::new(),
    }
}
