//! What other rooms compile: contracts and grants. Their mistakes get a place in our files.
//! Exports `contract` and `policy`.
//! Used by apis and by `compile` of the whole.
//! Start reading at `contract`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use contract::{Contract, Source};
use model::Mistake;
use model::json::Bounds;

use super::draft::Apis;
use super::grants::Grants;
use super::placed::placed;
use crate::api::{State, UnknownFields, Version};
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
        Some(path) => referred(path, file, files, used, report).map(Some),
        None => Ok(None),
    };
    let Some(path) = &version.contract else {
        if version.state.value == State::Retired {
            return Ok(None);
        }
        let help = "Write `contract: FILE` with the OpenAPI document; only a retired version can do without.";
        report.wrong(place, "the version has no contract", help);
        return Err(Broken);
    };
    // Whatever is wrong with the overlay, what is wrong with the contract's name is told as well.
    let (document, text) = referred(path, file, files, used, report)?;
    let overlay = overlay?;
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
        let help = meant(file, &resolved, files).unwrap_or_else(|| {
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

/// The file that was probably meant, as it is written in this one: one of the same name, or the nearest.
fn meant(file: &str, path: &str, files: &Files) -> Option<String> {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let others: Vec<&str> = files.paths().filter(|other| *other != file).collect();
    let same = others
        .iter()
        .copied()
        .find(|other| name(other) == name(path));
    let found = same.or_else(|| crate::de::nearest_word(path, &others))?;
    Some(format!("Did you mean `{}`?", files::relative(file, found)))
}

/// Compiles grants and policies. Their lines become places, and what we said ourselves is not said twice.
pub(super) fn policy(
    grants: &Grants,
    apis: &Apis,
    written: &Written,
    files: &Files,
    report: &mut Report,
) -> Option<Arc<policy::Rules>> {
    let input = policy::PolicyInput {
        apis: super::objects::shapes(apis, files),
        integrations: grants.integrations.clone(),
        cedar: written.cedar.clone(),
        names: names(written),
        is_partial: !apis.broken.is_empty(),
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
            for mistake in mistakes {
                let file = mistake.file.clone();
                report.add_unknown(placed(mistake, &file, files));
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
