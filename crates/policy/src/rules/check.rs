//! Is every granted field really there? Field lists against the shapes of the contract.
//! Exports `response_path`, `write_path`, `nearest`.
//! Used while compiling.
//! Start reading at `response_path`.

use model::shape::{Class, NodeId};
use model::{FieldPath, MessageKind, Shape};

use crate::errors::ErrorGround;
use crate::plan::{ResponseShape, outermost};

/// What is wrong with one entry of a field list: sentence and remedy.
pub(crate) type Fault = (String, String);

/// Checks one entry of `fields` or `masks`.
pub(super) fn response_path(
    ground: ResponseShape<'_>,
    path: &FieldPath,
    operation: &str,
) -> Result<(), Fault> {
    let shape = ground.shape;
    if shape.is_empty() {
        return Err(no_response(path, &listed(&[operation])));
    }
    let guarded = ground.is_guarded() && !path.is_from_root;
    let starts: Vec<NodeId> = if guarded {
        outermost(ground)
            .into_iter()
            .map(|(node, _)| node)
            .collect()
    } else {
        let root = shape.root();
        let items = root.and_then(|r| r.items.filter(|_| r.fields.is_empty()));
        vec![items.filter(|_| !path.is_from_root).unwrap_or(0)]
    };
    let mut fault = None;
    for start in starts {
        match walk(shape, start, path, false) {
            Ok(()) => return Ok(()),
            Err(found) => fault = fault.or(Some(found)),
        }
    }
    let (message, mut help) = fault.unwrap_or_default();
    // A field of the envelope, written as if it were one of the object.
    if guarded && walk(shape, 0, path, false).is_ok() {
        help = format!("it belongs to the answer, not to the object; write `$.{path}`");
    }
    Err((format!("{message} in the answer of `{operation}`"), help))
}

/// Checks an entry that is the whole message (`$` or `$file`): only one that is a text or a file has no fields to list.
pub(super) fn whole(
    entry: &FieldPath,
    what: &str,
    kind: MessageKind,
    operation: &str,
) -> Result<(), Fault> {
    let (meant, words) = if entry.is_file {
        (MessageKind::File, "a file")
    } else {
        (MessageKind::Text, "one text")
    };
    if kind == meant {
        return Ok(());
    }
    let help = match kind {
        MessageKind::Fields => "list the fields one by one",
        MessageKind::Text => "it is one text; write `$`",
        MessageKind::File => "it is a file; write `$file`",
    };
    Err((
        format!(
            "`{entry}` stands for a message that is {words}, and {what} of `{operation}` is none"
        ),
        help.into(),
    ))
}

/// Checks one entry of `errors`: some declared error answer has to have it.
pub(super) fn error_path(
    errors: &[ErrorGround],
    path: &FieldPath,
    operation: &str,
) -> Result<(), Fault> {
    let mut fault = None;
    for error in errors {
        let root = error.shape.root();
        let items = root.and_then(|r| r.items.filter(|_| r.fields.is_empty()));
        match walk(&error.shape, items.unwrap_or(0), path, false) {
            Ok(()) => return Ok(()),
            Err(found) => fault = fault.or(Some(found)),
        }
    }
    Err(match fault {
        Some((message, help)) => (format!("{message} in the error answers of `{operation}`"), help),
        None => (
            format!("`{path}` names an error field, but `{operation}` declares no error answer with a JSON body"),
            "declare one in the contract (`4XX`, `default`, a status), or leave `errors` out for this operation".into(),
        ),
    })
}

/// A field of answers that have none; `operations` as a sentence names them.
pub(super) fn no_response(path: &FieldPath, operations: &str) -> Fault {
    (
        format!("`{path}` names a field, but {operations} has no declared body in its answer"),
        "leave `fields` out for such operations: grant them apart; or declare the answer in the contract".into(),
    )
}

/// A field of bodies that there are none of; `operations` as a sentence names them.
pub(super) fn no_body(path: &FieldPath, operations: &str) -> Fault {
    (
        format!("`{path}` may be sent, but no body is taken by {operations}"),
        "leave `writes` out for such operations: grant them apart".into(),
    )
}

/// A field of a declared body that is not carried.
pub(super) fn lost_body(path: &FieldPath, operation: &str, why: &str) -> Fault {
    (
        format!("`{path}` may be sent, but the body of `{operation}` is not carried: {why}"),
        "change that in the contract or with an overlay, or leave `writes` out for this operation"
            .into(),
    )
}

/// Checks one entry of `writes`.
pub(crate) fn write_path(shape: &Shape, path: &FieldPath, operation: &str) -> Result<(), Fault> {
    if shape.is_empty() {
        return Err(no_body(path, &listed(&[operation])));
    }
    walk(shape, 0, path, true)
        .map_err(|(message, help)| (format!("{message} in the body of `{operation}`"), help))
}

/// Checks one field that a parameter is declared to ask about. `secret` and `writeOnly` fields exist, though nobody sees them.
pub(crate) fn question_path(
    shape: &Shape,
    starts: &[NodeId],
    path: &FieldPath,
    operation: &str,
) -> Result<(), Fault> {
    let mut fault = None;
    for start in starts {
        match reach(shape, *start, path) {
            Ok(()) => return Ok(()),
            Err(found) => fault = fault.or(Some(found)),
        }
    }
    let (message, help) = fault.unwrap_or_else(|| {
        let message = format!("there is no object that `{path}` could be a field of");
        (message, "leave the parameter undeclared".into())
    });
    Err((format!("{message} in the answer of `{operation}`"), help))
}

fn reach(shape: &Shape, start: NodeId, path: &FieldPath) -> Result<(), Fault> {
    let mut here = start;
    for step in &path.steps {
        let node = shape.node(here);
        let next = node.and_then(|node| match &**step {
            "*" => node.items.or(node.values),
            name => node
                .fields
                .get(name)
                .map(|field| field.node)
                .or(node.values),
        });
        here = next.ok_or_else(|| unknown(shape, here, step, path))?;
    }
    Ok(())
}

fn walk(shape: &Shape, start: NodeId, path: &FieldPath, is_write: bool) -> Result<(), Fault> {
    let mut here = start;
    for step in &path.steps {
        let Some(node) = shape.node(here) else {
            return Err((format!("`{path}` leads nowhere"), String::new()));
        };
        let next = match &**step {
            "*" => node.items.or(node.values),
            name => match node.fields.get(name) {
                Some(field) if !is_write && field.is_write_only => {
                    return Err(never(path, "is `writeOnly`"));
                }
                Some(field) if is_write && field.is_read_only => {
                    return Err((
                        format!("`{path}` is `readOnly` and cannot be sent"),
                        "take it out of `writes`".into(),
                    ));
                }
                Some(field) => Some(field.node),
                None => node.values,
            },
        };
        here = next.ok_or_else(|| unknown(shape, here, step, path))?;
    }
    match shape.node(here) {
        Some(node) if !is_write && node.class == Class::Secret => {
            Err(never(path, "has the class `secret`"))
        }
        _ => Ok(()),
    }
}

fn never(path: &FieldPath, why: &str) -> Fault {
    (
        format!("`{path}` {why} and never leaves"),
        "take it out of the list".into(),
    )
}

fn unknown(shape: &Shape, node: NodeId, step: &str, path: &FieldPath) -> Fault {
    let Some(node) = shape.node(node) else {
        return (format!("`{path}` leads nowhere"), String::new());
    };
    let message = match (step, node.items.is_some()) {
        ("*", _) => format!("`{path}` asks for each item, but there is no list"),
        (_, true) if node.fields.is_empty() => format!("`{path}` asks for `{step}` of a list"),
        _ => format!("there is no field `{step}` (in `{path}`)"),
    };
    let names: Vec<&str> = node.fields.keys().map(|k| &**k).collect();
    let help = match (nearest(step, names.iter().copied()), node.items.is_some()) {
        (_, true) if names.is_empty() => "write `*` for each item of the list".into(),
        (Some(name), _) => format!("did you mean `{name}`?"),
        (None, _) if names.is_empty() => "there are no declared fields below this place".into(),
        (None, _) => format!("the fields here are {}", listed(&names)),
    };
    (message, help)
}

/// The name that was probably meant.
pub(crate) fn nearest<'a>(asked: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::damerau_levenshtein(asked, name), name))
        .filter(|(distance, name)| *distance <= (name.len().max(asked.len()) / 3).max(1))
        .min()
        .map(|(_, name)| name)
}

/// At most twelve names in a sentence.
pub(crate) fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|n| format!("`{n}`")).collect();
    if names.len() > shown.len() {
        format!("{}, …", shown.join(", "))
    } else {
        shown.join(", ")
    }
}
