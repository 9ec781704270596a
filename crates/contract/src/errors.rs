//! From the schema library's errors to what the caller may read: place, keyword, what was expected, what to send.
//! Exports `explain`. Never echoes a value; names of undeclared fields are named, because the caller sent them.
//! Used by `check_request` and `check_response`; runs only when a value is refused.
//! Start reading at `explain`.

use model::shape::Node;
use model::{FieldError, Json, Refusal, Shape};

use crate::advice::{listed, nothing_fits, words};
use crate::shortened::shortened;
use crate::text::nearest;
use crate::text::steps;
use crate::validator::{ErrorKind, ValidationError, Validator};

/// How deep alternatives are explained.
const ALTERNATIVES_DEPTH: usize = 4;
/// Longest undeclared name that is repeated to the caller.
const NAME_SHOWN_MAX: usize = 64;
/// What the caller reads for a field that the contract does not know.
const UNDECLARED: &str = "additionalProperties";

/// What is judged, for the wording.
pub(crate) struct Subject<'s> {
    /// `body`, `query`, …
    pub(crate) place: &'static str,
    /// Parameter name; empty for bodies.
    pub(crate) name: &'s str,
    pub(crate) validator: &'s Validator,
    pub(crate) value: &'s Json,
    pub(crate) shape: &'s Shape,
}

/// Every problem of a value, at most [`Refusal::ERRORS_MAX`]. Of one that is large by its undeclared fields these are told
/// alone, from a copy that holds only the first of them: the library copies a whole object to say what is wrong with it.
pub(crate) fn explain(subject: &Subject<'_>) -> Vec<FieldError> {
    if let Some(short) = shortened(subject.value, subject.shape) {
        let mut found = problems(&Subject {
            value: &short,
            ..*subject
        });
        found.retain(|error| error.keyword == UNDECLARED);
        if !found.is_empty() {
            return found;
        }
    }
    problems(subject)
}

fn problems(subject: &Subject<'_>) -> Vec<FieldError> {
    let errors = subject.validator.errors(subject.value);
    let mut out = Vec::new();
    let alternatives: Vec<&str> = errors
        .iter()
        .filter(|e| is_alternative(e.kind()))
        .map(|e| e.instance_path().as_str())
        .collect();
    for error in &errors {
        // When no alternative fits, all of its fields count as unknown; that says nothing.
        let is_noise = matches!(error.kind(), ErrorKind::UnevaluatedProperties { .. })
            && alternatives.contains(&error.instance_path().as_str());
        if !is_noise {
            one(subject, error, ALTERNATIVES_DEPTH, &mut out);
        }
        if out.len() >= Refusal::ERRORS_MAX {
            break;
        }
    }
    if out.is_empty() {
        out.push(FieldError {
            place: subject.place,
            pointer: subject.name.to_owned(),
            keyword: "schema".into(),
            detail: "does not match the contract".into(),
            fix: "compare it with the contract".into(),
        });
    }
    out.truncate(Refusal::ERRORS_MAX);
    out
}

fn is_alternative(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::AnyOf { .. }
            | ErrorKind::OneOfNotValid { .. }
            | ErrorKind::OneOfMultipleValid { .. }
    )
}

fn one(
    subject: &Subject<'_>,
    error: &ValidationError<'_>,
    depth: usize,
    out: &mut Vec<FieldError>,
) {
    let pointer = error.instance_path().as_str();
    match error.kind() {
        ErrorKind::AdditionalProperties { unexpected }
        | ErrorKind::UnevaluatedProperties { unexpected } => {
            for name in unexpected.iter().take(Refusal::ERRORS_MAX) {
                out.push(unknown(subject, pointer, name));
            }
        }
        ErrorKind::AnyOf { context } | ErrorKind::OneOfNotValid { context } if depth > 0 => {
            match likely(context, pointer) {
                Some(branch) => {
                    for inner in branch.iter().take(Refusal::ERRORS_MAX) {
                        one(subject, inner, depth - 1, out);
                    }
                }
                None => out.push(simple(subject, error, pointer)),
            }
        }
        ErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            out.push(FieldError {
                place: subject.place,
                pointer: pointed(subject, &format!("{pointer}/{}", crate::text::step(name))),
                keyword: "required".into(),
                detail: "missing".into(),
                fix: format!("add `{name}`"),
            });
        }
        _ => out.push(simple(subject, error, pointer)),
    }
}

/// The alternative the caller most likely meant: the only one whose kind of value fits, else the one that
/// complains least.
fn likely<'e, 'i>(
    context: &'e [Vec<ValidationError<'i>>],
    pointer: &str,
) -> Option<&'e Vec<ValidationError<'i>>> {
    let is_other_kind = |branch: &&Vec<ValidationError<'_>>| {
        branch.iter().any(|e| {
            matches!(e.kind(), ErrorKind::Type { .. }) && e.instance_path().as_str() == pointer
        })
    };
    let mut fitting: Vec<_> = context.iter().filter(|b| !is_other_kind(b)).collect();
    fitting.sort_by_key(|branch| branch.len());
    match fitting.as_slice() {
        [one] => Some(*one),
        [first, second, ..] if first.len() < second.len() => Some(*first),
        _ => None,
    }
}

fn unknown(subject: &Subject<'_>, pointer: &str, name: &str) -> FieldError {
    let node = node_at(subject.shape, pointer);
    let declared = node.and_then(|node| node.schema.as_deref());
    let declared = declared.unwrap_or("what the contract declares here");
    let names: Vec<&str> = node
        .iter()
        .flat_map(|node| node.fields.iter())
        .filter(|(_, field)| !field.is_read_only)
        .map(|(name, _)| &**name)
        .collect();
    let shown: String = name.chars().take(NAME_SHOWN_MAX).collect();
    let fix = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("remove it; allowed: {}", listed(&names)),
    };
    FieldError {
        place: subject.place,
        pointer: pointed(subject, &format!("{pointer}/{}", crate::text::step(&shown))),
        keyword: UNDECLARED.into(),
        detail: format!("not part of {declared}"),
        fix,
    }
}

fn simple(subject: &Subject<'_>, error: &ValidationError<'_>, pointer: &str) -> FieldError {
    let schema = subject.validator.schema_of(error);
    let found = value_at(subject.value, pointer).map_or("value", Json::type_name);
    let (detail, fix) = match error.kind() {
        ErrorKind::FalseSchema if !is_withheld(error) => nothing_fits(),
        kind => words(kind, found, schema),
    };
    let keyword = match error.kind() {
        ErrorKind::FalseSchema if is_withheld(error) => "readOnly".to_owned(),
        ErrorKind::FalseSchema => "not".to_owned(),
        kind => kind.keyword().to_owned(),
    };
    FieldError {
        place: subject.place,
        pointer: pointed(subject, pointer),
        keyword,
        detail,
        fix,
    }
}

/// Whether the field never travels in this direction: among the properties, nothing else is lowered to `false`.
fn is_withheld(error: &ValidationError<'_>) -> bool {
    let path = error.schema_path().as_str();
    let mut above = path.rsplit('/').skip(1);
    above.next() == Some("properties")
}

fn pointed(subject: &Subject<'_>, pointer: &str) -> String {
    format!("{}{pointer}", subject.name)
}

/// The value at a JSON pointer.
fn value_at<'v>(root: &'v Json, pointer: &str) -> Option<&'v Json> {
    steps(pointer).try_fold(root, |here, step| match here {
        Json::List(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(&step),
    })
}

/// The node of a shape at a JSON pointer.
pub(crate) fn node_at<'s>(shape: &'s Shape, pointer: &str) -> Option<&'s Node> {
    steps(pointer).try_fold(shape.root()?, |here, step| {
        let next = match (here.fields.get(step.as_str()), step.parse::<usize>()) {
            (Some(field), _) => Some(field.node),
            (None, Ok(_)) if here.items.is_some() => here.items,
            (None, _) => here.values,
        };
        shape.node(next?)
    })
}
