//! May this caller send these fields? The contract allows them; the grant may not.
//! Gives `check_writes`.
//! Used by gateway's stage validate after `check_request`.
//! Start reading at `check_writes`.

use std::collections::BTreeSet;

use model::{FieldError, FieldSet, Json, Refusal};

use crate::docs::nearest;
use crate::errors::listed;
use crate::plan::Operation;
use crate::request::BODY;

/// Judges that every leaf of the body is covered by the granted fields. Paths count from the body's root;
/// for a body that is a list, from each item. An empty object or list counts as a leaf.
///
/// # Errors
/// `validate.body` with one error per field that is not granted.
pub fn check_writes(
    operation: &Operation,
    body: &Json,
    allowed: &FieldSet,
) -> Result<(), Box<Refusal>> {
    if allowed.is_whole {
        return Ok(());
    }
    let mut walk = Walk {
        errors: Vec::new(),
        granted: granted(allowed),
        seen: BTreeSet::new(),
    };
    match body {
        Json::List(items) => {
            for (index, item) in items.iter().enumerate() {
                walk.value(item, allowed, &mut vec![index.to_string()], "");
            }
        }
        other => walk.value(other, allowed, &mut Vec::new(), ""),
    }
    if walk.errors.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "{}: {} field(s) not granted",
        operation.id,
        walk.errors.len()
    );
    Err(BODY.because(detail).with_errors(walk.errors))
}

/// The granted paths, for the sentence to the caller.
fn granted(allowed: &FieldSet) -> Vec<String> {
    fn collect(set: &FieldSet, prefix: &str, out: &mut Vec<String>) {
        if out.len() > 50 {
            return;
        }
        if set.is_whole {
            out.push(prefix.to_owned());
            return;
        }
        let dotted = |name: &str| match prefix {
            "" => name.to_owned(),
            prefix => format!("{prefix}.{name}"),
        };
        for (name, below) in &set.fields {
            collect(below, &dotted(name), out);
        }
        if let Some(below) = &set.each {
            collect(below, &dotted("*"), out);
        }
    }
    let mut out = Vec::new();
    collect(allowed, "", &mut out);
    out
}

struct Walk {
    errors: Vec<FieldError>,
    granted: Vec<String>,
    seen: BTreeSet<String>,
}

impl Walk {
    fn value(&mut self, value: &Json, set: &FieldSet, at: &mut Vec<String>, dotted: &str) {
        if set.is_whole || self.errors.len() >= Refusal::ERRORS_MAX {
            return;
        }
        match value {
            Json::Object(members) if !members.is_empty() => {
                for (key, child) in members {
                    let below = [set.fields.get(key.as_str()), set.each.as_deref()];
                    self.step(child, below, at, key, dotted);
                }
            }
            Json::List(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    self.step(
                        item,
                        [set.each.as_deref(), None],
                        at,
                        &index.to_string(),
                        dotted,
                    );
                }
            }
            // `{}` at the root sends nothing.
            Json::Object(_) if at.is_empty() => {}
            _ => self.refuse(at, dotted),
        }
    }

    fn step(
        &mut self,
        child: &Json,
        below: [Option<&FieldSet>; 2],
        at: &mut Vec<String>,
        step: &str,
        dotted: &str,
    ) {
        let path = match dotted {
            "" => step.to_owned(),
            dotted => format!("{dotted}.{step}"),
        };
        at.push(step.to_owned());
        match below {
            [Some(named), Some(each)] => {
                let mut both = named.clone();
                both.union(each);
                self.value(child, &both, at, &path);
            }
            [Some(set), None] | [None, Some(set)] => self.value(child, set, at, &path),
            [None, None] => self.refuse(at, &path),
        }
        at.pop();
    }

    fn refuse(&mut self, at: &[String], dotted: &str) {
        let pointer: String = at
            .iter()
            .map(|step| format!("/{}", crate::text::step(step)))
            .collect();
        if self.errors.len() >= Refusal::ERRORS_MAX || !self.seen.insert(pointer.clone()) {
            return;
        }
        let names: Vec<&str> = self.granted.iter().map(String::as_str).collect();
        self.errors.push(FieldError {
            place: "body",
            pointer,
            keyword: "notGranted".into(),
            detail: "this field is declared, but you may not send it".into(),
            fix: match nearest(dotted, names.iter().copied()) {
                Some(near) if near != dotted => format!("did you mean `{near}`?"),
                _ => format!("remove it; you may send: {}", listed(&names)),
            },
        });
    }
}

#[cfg(test)]
mod tests;
