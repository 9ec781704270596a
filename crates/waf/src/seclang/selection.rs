//! What a directive or an action is about: rules by their numbers, variables by their names.
//! Exports `id_range` and `targets`.
//! Used by `parse` and `actions`.
//! Start reading at `targets`.

use super::ast::{IdRange, Selector, Target};
use super::variable::Variable;

/// `942100` or `942100-942199`.
pub(super) fn id_range(text: &str) -> Result<IdRange, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) => Ok(IdRange { first, last }),
        _ => Err(format!("`{text}` is not a rule id")),
    }
}

/// Targets are separated by bars; a pattern between slashes may hold bars of its own.
pub(super) fn targets(text: &str) -> Result<Vec<Target>, String> {
    let mut found = Vec::new();
    let mut current = String::new();
    let mut in_pattern = false;
    let mut escaped = false;
    for letter in text.chars() {
        match letter {
            '|' if !in_pattern => {
                found.push(target(&current)?);
                current.clear();
                continue;
            }
            '/' if current.ends_with(':') && !in_pattern && !current.starts_with("XML") => {
                in_pattern = true
            }
            '/' if in_pattern && !escaped => in_pattern = false,
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
        current.push(letter);
    }
    found.push(target(&current)?);
    Ok(found)
}

fn target(text: &str) -> Result<Target, String> {
    let text = text.trim();
    let (excluded, text) = text
        .strip_prefix('!')
        .map_or((false, text), |rest| (true, rest));
    let (count, text) = text
        .strip_prefix('&')
        .map_or((false, text), |rest| (true, rest));
    let (name, selector) = text
        .split_once(':')
        .map_or((text, None), |(name, selector)| (name, Some(selector)));
    let Some(mut variable) = Variable::named(name) else {
        return Err(format!("the variable {name} is not understood"));
    };
    let selector = match (variable, selector) {
        (Variable::XmlText, Some("/*")) => Selector::All,
        (Variable::XmlText, Some("//@*")) => {
            variable = Variable::XmlAttributes;
            Selector::All
        }
        (Variable::XmlText, other) => {
            return Err(format!(
                "XML:{} is not understood; /* and //@* are",
                other.unwrap_or_default()
            ));
        }
        (_, None) => Selector::All,
        (_, Some(text)) => selector_of(text),
    };
    Ok(Target {
        variable,
        selector,
        count,
        excluded,
    })
}

fn selector_of(text: &str) -> Selector {
    let text = text
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''))
        .unwrap_or(text);
    match text
        .strip_prefix('/')
        .and_then(|text| text.strip_suffix('/'))
    {
        Some(pattern) if !pattern.is_empty() => Selector::Pattern(pattern.to_owned()),
        _ => Selector::Name(text.to_ascii_lowercase()),
    }
}
