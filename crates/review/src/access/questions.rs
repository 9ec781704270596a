//! Parameters as people read them: what may be asked, what is refused and why, what is fixed.
//! Exports `lines`.
//! Used by the texts of `access` and `can`.
//! Start reading at `lines`.

use std::collections::BTreeMap;

use model::printable::wrapped;
use policy::{ParameterAccess, ParameterRefusal, ParameterUse};

/// Lines with a label each: `asks`, `refuses`, `fixes`.
pub fn lines(parameters: &[ParameterAccess], width: usize) -> Vec<(&'static str, String)> {
    let asks: Vec<String> = parameters.iter().filter_map(asked).collect();
    let mut out: Vec<(&str, String)> = wrapped(&asks, width)
        .into_iter()
        .map(|line| ("asks", line))
        .collect();
    for ((why, rules), names) in refused(parameters) {
        let rules = rules.join(", ");
        out.push(("refuses", format!("{}: {why}   {rules}", names.join(", "))));
    }
    for parameter in parameters {
        if let Some(value) = &parameter.value {
            let place = parameter.place;
            out.push(("fixes", format!("{place}.{} = {value}", parameter.name)));
        }
    }
    out
}

/// Names by reason and grants.
fn refused(parameters: &[ParameterAccess]) -> BTreeMap<(String, Vec<&str>), Vec<String>> {
    let mut out: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for parameter in parameters {
        let mut own: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
        for refusal in &parameter.refused {
            let why = match parameter.using {
                ParameterUse::Depends => format!("{}, while this grant holds", refusal.why),
                _ => refusal.why.clone(),
            };
            let rules = own.entry((refused_name(parameter, refusal), why));
            rules.or_default().push(&refusal.rule);
        }
        for ((name, why), rules) in own {
            out.entry((why, rules)).or_default().push(name);
        }
    }
    out
}

fn named(parameter: &ParameterAccess) -> String {
    match parameter.place {
        place @ ("header" | "path" | "body") => format!("{} ({place})", parameter.name),
        _ => parameter.name.to_string(),
    }
}

fn asked(parameter: &ParameterAccess) -> Option<String> {
    let mut notes = Vec::new();
    match parameter.using {
        ParameterUse::Usable => {}
        ParameterUse::ByValue => notes.push(parameter.values.join(" or ")),
        ParameterUse::Depends | ParameterUse::Refused | ParameterUse::Fixed => return None,
    }
    if !parameter.only_with.is_empty() {
        notes.push(format!("only with {}", parameter.only_with.join(", ")));
    }
    let name = named(parameter);
    Some(if notes.is_empty() {
        name
    } else {
        format!("{name} ({})", notes.join("; "))
    })
}

fn refused_name(parameter: &ParameterAccess, refusal: &ParameterRefusal) -> String {
    let is_by_value = parameter.using == ParameterUse::ByValue;
    let is_rest = is_by_value || parameter.refused.iter().any(|one| one.value.is_some());
    match &refusal.value {
        Some(value) => format!("{}={value}", named(parameter)),
        None if is_rest => format!("{} (any other value)", named(parameter)),
        None => named(parameter),
    }
}
