//! OpenAPI Overlay 1.0: facts about the data, added to an untouched contract.
//! Exports `apply` and `Applied`. Targets are a small part of JSONPath: names, `['name']`, `[0]` and `*`.
//! Used by `compile`.
//! Start reading at `apply`; a target that matches nothing is a mistake, never silence.

use model::Mistake;
use serde_json::Value;

use crate::text;
use crate::text::nearest;

/// One step of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    Each,
}

/// An overlay that was applied, and where in the contract its updates went.
pub(crate) struct Applied {
    file: String,
    value: Value,
    /// Pointers into the contract, each with the pointer of the update in the overlay.
    places: Vec<(String, String)>,
}

impl Applied {
    /// Where the overlay states a fact (`x-portcullis-…`) that stands at this place of the contract: file and pointer.
    pub(crate) fn fact(&self, pointer: &str, value: &Value) -> Option<(&str, String)> {
        let stated = || {
            let places = self.places.iter().rev();
            places.filter_map(|(place, update)| {
                let rest = pointer.strip_prefix(place.as_str())?;
                let is_fact = rest.starts_with('/') && rest.contains("/x-portcullis-");
                is_fact.then(|| format!("{update}{rest}"))
            })
        };
        let same = stated().find_map(|stated| self.same(stated, value));
        let there = || stated().find(|stated| self.value.pointer(stated).is_some());
        Some((&self.file, same.or_else(there)?))
    }

    /// The place of this very value. What an update appends to a list stands elsewhere in the list of the contract.
    fn same(&self, stated: String, value: &Value) -> Option<String> {
        if self.value.pointer(&stated) == Some(value) {
            return Some(stated);
        }
        let (list, _) = stated.rsplit_once('/')?;
        let items = self.value.pointer(list)?.as_array()?;
        let index = items.iter().position(|item| item == value)?;
        Some(format!("{list}/{index}"))
    }
}

/// Applies every action in order.
pub(crate) fn apply(
    document: &mut Value,
    file: &str,
    overlay: &str,
) -> Result<Applied, Vec<Mistake>> {
    let mistake = |pointer: &str, message: String, help: &str| {
        Mistake::new(message, help)
            .in_file(file)
            .at_pointer(pointer)
    };
    let value = text::to_value(overlay).map_err(|m| vec![m.in_file(file)])?;
    match value.get("overlay").and_then(Value::as_str) {
        Some(version) if version.starts_with("1.") => {}
        _ => {
            return Err(vec![mistake(
                "",
                "this is not an Overlay 1.x document".into(),
                "begin it with `overlay: 1.0.0`",
            )]);
        }
    }
    let Some(actions) = value.get("actions").and_then(Value::as_array) else {
        return Err(vec![mistake(
            "",
            "the overlay has no `actions`".into(),
            "list actions, each with `target` and `update` or `remove: true`",
        )]);
    };
    let mut mistakes = Vec::new();
    let mut applied = Vec::new();
    for (index, action) in actions.iter().enumerate() {
        let pointer = format!("/actions/{index}");
        match act(document, action) {
            Ok(places) => applied.extend(
                places
                    .into_iter()
                    .map(|place| (place, format!("{pointer}/update"))),
            ),
            Err((below, message, help)) => {
                mistakes.push(mistake(&format!("{pointer}{below}"), message, &help));
            }
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(Applied {
        file: file.to_owned(),
        value,
        places: applied,
    })
}

type Wrong = (&'static str, String, String);

/// Carries out one action; gives the places that were updated.
fn act(document: &mut Value, action: &Value) -> Result<Vec<String>, Wrong> {
    const KEYS: [&str; 4] = ["target", "description", "update", "remove"];
    let unknown = action.as_object().and_then(|members| {
        members
            .keys()
            .find(|k| !KEYS.contains(&k.as_str()) && !k.starts_with("x-"))
    });
    if let Some(key) = unknown {
        let help = "an action has `target`, `description`, `update` and `remove`";
        return Err((
            "",
            format!("unknown key `{key}` in the action"),
            help.into(),
        ));
    }
    let Some(target) = action.get("target").and_then(Value::as_str) else {
        let help = "write `target: $.components.schemas.NAME`";
        return Err(("", "the action has no `target`".into(), help.into()));
    };
    let steps = parse(target).map_err(|(message, help)| ("/target", message, help))?;
    let is_removal = action.get("remove") == Some(&Value::Bool(true));
    let update = action.get("update");
    if !is_removal && update.is_none() {
        let help = "add `update: {…}` or `remove: true`";
        return Err(("", "the action does nothing".into(), help.into()));
    }
    let mut places = Vec::new();
    if !is_removal {
        locate(document, &steps, "", &mut places);
    }
    let matched = if is_removal {
        remove(document, &steps)
    } else {
        visit(document, &steps, &mut |place| {
            if let Some(update) = update {
                merge(place, update);
            }
        })
    };
    if matched == 0 {
        return Err((
            "/target",
            format!("`{target}` matches nothing in the contract"),
            why_nothing(document, &steps),
        ));
    }
    Ok(places)
}

/// Reads `$.a.b['c d'].*`.
fn parse(target: &str) -> Result<Vec<Step>, (String, String)> {
    let wrong = |what: &str| {
        (
            format!("the target `{target}` {what}"),
            "use `$`, `.name`, `['any name']`, `[0]` and `.*`; filters and `..` are not supported"
                .to_owned(),
        )
    };
    let Some(mut rest) = target.trim().strip_prefix('$') else {
        return Err(wrong("does not begin with `$`"));
    };
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() >= 64 {
            return Err(wrong("has too many steps"));
        }
        let (step, after) = if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after
                .split_at_checked(end)
                .ok_or_else(|| wrong("is broken"))?;
            let is_plain = name
                .chars()
                .all(|c| c.is_alphanumeric() || "_-".contains(c));
            match name {
                "*" => (Step::Each, after),
                "" => return Err(wrong("has an empty step or `..`")),
                name if is_plain => (Step::Name(name.into()), after),
                _ => {
                    return Err(wrong(
                        "has a step with unusual letters; quote it as `['…']`",
                    ));
                }
            }
        } else if let Some(after) = rest.strip_prefix('[') {
            bracket(after).ok_or_else(|| wrong("has brackets that are not understood"))?
        } else {
            return Err(wrong("is not a path"));
        };
        steps.push(step);
        rest = after;
    }
    Ok(steps)
}

fn bracket(after: &str) -> Option<(Step, &str)> {
    for quote in ['\'', '"'] {
        if let Some(inside) = after.strip_prefix(quote) {
            let (name, rest) = inside.split_once(quote)?;
            return Some((Step::Name(name.to_owned()), rest.strip_prefix(']')?));
        }
    }
    let (inside, rest) = after.split_once(']')?;
    if inside == "*" {
        return Some((Step::Each, rest));
    }
    inside.parse().ok().map(|index| (Step::Index(index), rest))
}

/// Pointers of every place the steps lead to.
fn locate(value: &Value, steps: &[Step], here: &str, found: &mut Vec<String>) {
    let Some((first, rest)) = steps.split_first() else {
        return found.push(here.to_owned());
    };
    let below = |name: &str| {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        format!("{here}/{escaped}")
    };
    match (first, value) {
        (Step::Name(name), Value::Object(members)) => {
            if let Some(child) = members.get(name) {
                locate(child, rest, &below(name), found);
            }
        }
        (Step::Index(index), Value::Array(items)) => {
            if let Some(child) = items.get(*index) {
                locate(child, rest, &below(&index.to_string()), found);
            }
        }
        (Step::Each, Value::Object(members)) => members
            .iter()
            .for_each(|(name, child)| locate(child, rest, &below(name), found)),
        (Step::Each, Value::Array(items)) => items
            .iter()
            .enumerate()
            .for_each(|(index, child)| locate(child, rest, &below(&index.to_string()), found)),
        _ => {}
    }
}

/// Calls `change` at every place the steps lead to; gives their number.
fn visit(value: &mut Value, steps: &[Step], change: &mut dyn FnMut(&mut Value)) -> usize {
    let Some((first, rest)) = steps.split_first() else {
        change(value);
        return 1;
    };
    match (first, value) {
        (Step::Name(name), Value::Object(members)) => members
            .get_mut(name)
            .map_or(0, |child| visit(child, rest, change)),
        (Step::Index(index), Value::Array(items)) => items
            .get_mut(*index)
            .map_or(0, |child| visit(child, rest, change)),
        (Step::Each, Value::Object(members)) => members
            .values_mut()
            .map(|child| visit(child, rest, change))
            .sum(),
        (Step::Each, Value::Array(items)) => items
            .iter_mut()
            .map(|child| visit(child, rest, change))
            .sum(),
        _ => 0,
    }
}

fn remove(document: &mut Value, steps: &[Step]) -> usize {
    let Some((last, parents)) = steps.split_last() else {
        return 0;
    };
    let mut removed = 0;
    visit(document, parents, &mut |parent| match (last, parent) {
        (Step::Name(name), Value::Object(members)) => {
            removed += usize::from(members.remove(name).is_some());
        }
        (Step::Each, Value::Object(members)) => {
            removed += members.len();
            members.clear();
        }
        (Step::Index(index), Value::Array(items)) if *index < items.len() => {
            items.remove(*index);
            removed += 1;
        }
        (Step::Each, Value::Array(items)) => {
            removed += items.len();
            items.clear();
        }
        _ => {}
    });
    removed
}

/// Overlay 1.0 §4.4.3: objects are merged, arrays are appended to, everything else is replaced.
fn merge(place: &mut Value, update: &Value) {
    match (place, update) {
        (Value::Object(members), Value::Object(updates)) => {
            for (key, update) in updates {
                match members.get_mut(key) {
                    Some(existing) => merge(existing, update),
                    None => {
                        members.insert(key.clone(), update.clone());
                    }
                }
            }
        }
        (Value::Array(items), Value::Array(more)) => items.extend(more.iter().cloned()),
        (Value::Array(items), one) => items.push(one.clone()),
        (place, update) => *place = update.clone(),
    }
}

/// Names the first step that leads nowhere, with what was probably meant.
fn why_nothing(document: &Value, steps: &[Step]) -> String {
    let mut here = document;
    for step in steps {
        let next = match step {
            Step::Name(name) => here.get(name),
            Step::Index(index) => here.get(index),
            Step::Each => None,
        };
        let Some(next) = next else {
            if let (Step::Name(name), Some(members)) = (step, here.as_object())
                && let Some(near) = nearest(name, members.keys().map(String::as_str))
            {
                return format!("there is no `{name}`; did you mean `{near}`?");
            }
            break;
        };
        here = next;
    }
    "correct the target; it counts from the root of the contract".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn applied(action: &str) -> Result<Value, Mistake> {
        let mut document = json!({"paths":{"/a b":{"get":{"x":1}}},"components":{"schemas":{
            "Pet":{"properties":{"name":{"type":"string"},"age":{}},"required":["name"]}}}});
        let overlay = format!("overlay: 1.0.0\nactions:\n- {action}\n");
        apply(&mut document, "o.yaml", &overlay)
            .map(|_| document)
            .map_err(|mut mistakes| mistakes.remove(0))
    }

    #[test]
    fn actions_update_and_remove() {
        let done = applied("{target: '$.components.schemas.Pet.properties.*', update: {x-portcullis-class: personal}}").unwrap();
        let name = &done["components"]["schemas"]["Pet"]["properties"]["name"];
        assert_eq!(
            name,
            &json!({"type":"string","x-portcullis-class":"personal"})
        );
        let done = applied("{target: \"$.paths['/a b'].get\", remove: true}").unwrap();
        assert_eq!(done["paths"]["/a b"], json!({}));
        let done = applied("{target: $.components.schemas.Pet.required, update: age}").unwrap();
        assert_eq!(
            done["components"]["schemas"]["Pet"]["required"],
            json!(["name", "age"])
        );
    }

    #[test]
    fn what_matches_nothing_or_is_not_understood_is_a_mistake() {
        let help = |action: &str| applied(action).unwrap_err().help;
        assert!(help("{target: $.components.schemas.Pets, update: {}}").contains("`Pet`"));
        assert!(help("{target: $..name, update: {}}").contains("not supported"));
        assert!(help("{target: '$.a[?(@.x)]', update: {}}").contains("not supported"));
        assert!(help("{target: $.paths}").contains("remove: true"));
        assert!(help("{target: $.paths, updat: {}}").contains("`update`"));
    }
}
