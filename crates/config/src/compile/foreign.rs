//! What other rooms compile: contracts and grants. Their mistakes get a place in our files.
//! Gives `contract` and `policy`.
//! Used by apis and by `compile` of the whole.
//! Start reading at `contract`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use contract::{Contract, Source};
use model::Mistake;
use model::json::Bounds;

use super::apis::Apis;
use super::grants::Grants;
use crate::api::{State, UnknownFields, Version};
use crate::de::sentence;
use crate::read::{Written, contract_text};
use crate::report::Report;
use crate::spanned::{At, Place};
use crate::{Files, files};

/// A version that cannot be used; its mistakes are in the report.
pub(super) struct Broken;

/// Compiles the contract of a version; none for retired versions without one.
pub(super) fn contract(
    version: &Version,
    place: &Place,
    files: &Files,
    used: &mut BTreeSet<String>,
    report: &mut Report,
) -> Result<Option<Contract>, Broken> {
    let file = &place.file;
    let overlay = match &version.overlay {
        Some(path) => Some(referred(path, file, files, used, report)?),
        None => None,
    };
    let Some(path) = &version.contract else {
        if version.state.value == State::Retired {
            return Ok(None);
        }
        let help = "Write `contract: FILE` with the OpenAPI document; only a retired version can do without.";
        report.wrong(place, "the version has no contract", help);
        return Err(Broken);
    };
    let (document, text) = referred(path, file, files, used, report)?;
    let asked = RefCell::new(BTreeSet::new());
    let load = |path: &str| {
        asked.borrow_mut().insert(path.to_owned());
        files.text(path).map(str::to_owned)
    };
    let compiled = contract::compile(&Source {
        file: &document,
        text,
        overlay: overlay.as_ref().map(|(path, text)| (path.as_str(), *text)),
        load: &load,
        unknown_fields: match version.unknown_fields {
            UnknownFields::Refuse => contract::UnknownFields::Refuse,
            UnknownFields::Allow => contract::UnknownFields::Allow,
        },
        bounds: Bounds::default(),
    });
    used.extend(asked.into_inner());
    compiled.map(Some).map_err(|mistakes| {
        for mistake in mistakes {
            report.add(placed(mistake, &document, files));
        }
        Broken
    })
}

/// Path and text of a file another one refers to.
fn referred<'f>(
    path: &At<String>,
    file: &Arc<str>,
    files: &'f Files,
    used: &mut BTreeSet<String>,
    report: &mut Report,
) -> Result<(String, &'f str), Broken> {
    let place = path.place(file);
    let resolved = files::resolve(file, path).map_err(|why| {
        let help = "Write a path inside the configuration directory, relative to this file.";
        report.wrong(&place, format!("the path {why}"), help);
        Broken
    })?;
    used.insert(resolved.clone());
    if files.bytes(&resolved).is_none() {
        let known: Vec<&str> = files.paths().collect();
        let help = crate::de::nearest(&resolved, &known).unwrap_or_else(|| {
            "The path is relative to this file; names end in .yaml, .yml or .json.".into()
        });
        report.wrong(&place, format!("there is no file `{resolved}`"), help);
        return Err(Broken);
    }
    match contract_text(files, &resolved) {
        Ok(text) => Ok((resolved, text)),
        Err(mistake) => {
            report.add(*mistake);
            Err(Broken)
        }
    }
}

/// Compiles grants and policies. Their lines become places, and what we said ourselves is not said twice.
pub(super) fn policy(
    grants: &Grants,
    apis: &Apis,
    written: &Written,
    files: &Files,
    report: &mut Report,
) -> Option<Arc<policy::Rules>> {
    // Grants are judged by what the apis declare; with a broken one, most of what would be said is a consequence.
    if !apis.broken.is_empty() || report.has_below("apis/") {
        return None;
    }
    let input = policy::PolicyInput {
        apis: super::objects::shapes(apis),
        integrations: grants.integrations.clone(),
        cedar: written.cedar.clone(),
        names: names(written),
    };
    match policy::compile(input) {
        Ok(rules) => {
            for note in rules.parameter_notes() {
                let warning = Mistake::new(note.message.clone(), note.help.clone())
                    .in_file(&*note.rule.file)
                    .at_line(note.rule.line);
                let file = warning.file.clone();
                report.note(placed(warning, &file, files));
            }
            Some(Arc::new(rules))
        }
        Err(mistakes) => {
            // What we said ourselves about a line is not said twice. The same sentence for a role that several
            // integrations have is dropped when the report is finished.
            let own = report.lines();
            for mistake in mistakes {
                let file = mistake.file.clone();
                if !own.contains(&(file.clone(), mistake.line)) {
                    report.add(placed(mistake, &file, files));
                }
            }
            None
        }
    }
}

/// Roles that nobody has, and files that are broken: policies may name them.
fn names(written: &Written) -> policy::Names {
    let broken = |directory: &str| -> Vec<Arc<str>> {
        let inside = written.broken.iter();
        let named = inside.filter_map(|path| {
            path.strip_prefix(directory)?
                .strip_prefix('/')?
                .strip_suffix(".yaml")
        });
        named.map(Arc::from).collect()
    };
    let roles = written.roles.iter().map(|role| role.name.clone());
    policy::Names {
        integrations: broken("integrations"),
        roles: roles.chain(broken("roles")).collect(),
    }
}

/// Fills in the file and the span of another room's mistake.
fn placed(mut mistake: Mistake, file: &str, files: &Files) -> Mistake {
    if mistake.file.is_empty() {
        mistake.file = file.to_owned();
    }
    mistake.help = sentence(&mistake.help);
    let Some(text) = files.text(&mistake.file) else {
        return mistake;
    };
    if mistake.span.is_none() {
        let by_pointer = mistake
            .pointer
            .as_deref()
            .and_then(|pointer| contract::locate(text, pointer));
        mistake.span = by_pointer.or_else(|| in_line(text, mistake.line?, &mistake.message));
    }
    if mistake.line.is_none() {
        mistake.line = mistake.span.and_then(|(start, _)| line_of(text, start));
    }
    mistake
}

/// The span of the first word in backticks that stands in this line; the whole line where none does.
fn in_line(text: &str, line: u32, message: &str) -> Option<(usize, usize)> {
    let number = usize::try_from(line).ok()?.checked_sub(1)?;
    let start = text
        .split_inclusive('\n')
        .take(number)
        .map(str::len)
        .sum::<usize>();
    let whole = text.get(start..)?.lines().next()?;
    let quoted = message
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| !word.is_empty());
    for word in quoted {
        if let Some(at) = whole.find(word) {
            return Some((start.saturating_add(at), word.len()));
        }
    }
    let indent = whole.len().saturating_sub(whole.trim_start().len());
    Some((start.saturating_add(indent), whole.trim().len()))
}

fn line_of(text: &str, offset: usize) -> Option<u32> {
    let before = text.get(..offset)?;
    u32::try_from(before.matches('\n').count().saturating_add(1)).ok()
}
