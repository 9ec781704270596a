//! From the schema library's errors to what the caller may read: place, keyword, what was expected, what to send.
//! Exports `explain`. Never echoes a value; names of undeclared fields are named, because the caller sent them.
//! Used by `check_request` and `check_response`; runs only when a value is refused.
//! Start reading at `explain`.

use model::shape::Node;
use model::{FieldError, Json, Refusal, Shape};
use serde_json::Value;

use crate::shortened::shortened;
use crate::text::nearest;
use crate::text::steps;
use crate::validator::{ErrorKind, ValidationError, Validator, expected_types};

/// How deep alternatives are explained.
const ALTERNATIVES_DEPTH: usize = 4;
/// Longest undeclared name that is repeated to the caller.
const NAME_SHOWN_MAX: usize = 64;
/// Most names listed in one sentence.
const NAMES_SHOWN_MAX: usize = 12;
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

/// A bounded list of names for a sentence.
pub(crate) fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        return "nothing".into();
    }
    let mut out = names
        .iter()
        .take(NAMES_SHOWN_MAX)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > NAMES_SHOWN_MAX {
        out.push_str(", …");
    }
    out
}

fn simple(subject: &Subject<'_>, error: &ValidationError<'_>, pointer: &str) -> FieldError {
    let schema = subject.validator.schema_of(error);
    let found = value_at(subject.value, pointer).map_or("value", Json::type_name);
    let (detail, fix) = words(error.kind(), found, schema);
    let keyword = match error.kind() {
        // A schema that is simply `false` stands where a field never travels in this direction.
        ErrorKind::FalseSchema => "readOnly".to_owned(),
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

// LONG: one sentence per keyword; a table reads best in one piece.
fn words(kind: &ErrorKind, found: &str, schema: Option<&Value>) -> (String, String) {
    let pair = |detail: String, fix: String| (detail, fix);
    match kind {
        ErrorKind::Type { kind } => {
            let expected = expected_types(kind);
            let detail = format!("{found}, expected {}", expected.join(" or "));
            let main = expected
                .iter()
                .find(|t| *t != "null")
                .map_or("value", |t| t);
            pair(detail, example(main, schema))
        }
        ErrorKind::Enum { options } => {
            let options: Vec<String> = options
                .as_array()
                .into_iter()
                .flatten()
                .map(short)
                .collect();
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            pair(
                "not one of the allowed values".into(),
                format!("send one of: {}", listed(&options)),
            )
        }
        ErrorKind::Constant { expected_value } => pair(
            "not the one allowed value".into(),
            format!("send {}", short(expected_value)),
        ),
        ErrorKind::Format { format } => pair(
            format!("not in the format `{format}`"),
            example("string", schema),
        ),
        ErrorKind::Pattern { .. } => pair(
            "does not match the pattern of the contract".into(),
            schema
                .and_then(|s| s.get("pattern"))
                .and_then(Value::as_str)
                .map_or("follow the contract".into(), |p| {
                    format!("send a text that matches {p}")
                }),
        ),
        ErrorKind::MinLength { limit } => pair(
            "too short".into(),
            format!("send at least {limit} characters"),
        ),
        ErrorKind::MaxLength { limit } => pair(
            "too long".into(),
            format!("send at most {limit} characters"),
        ),
        ErrorKind::MinItems { limit } => pair(
            "too few items".into(),
            format!("send at least {limit} items"),
        ),
        ErrorKind::MaxItems { limit } => pair(
            "too many items".into(),
            format!("send at most {limit} items"),
        ),
        ErrorKind::AdditionalItems { limit } => pair(
            "too many items".into(),
            format!("send at most {limit} items"),
        ),
        ErrorKind::UniqueItems => pair("an item occurs twice".into(), "send each item once".into()),
        ErrorKind::MinProperties { limit } => pair(
            "too few fields".into(),
            format!("send at least {limit} fields"),
        ),
        ErrorKind::MaxProperties { limit } => pair(
            "too many fields".into(),
            format!("send at most {limit} fields"),
        ),
        ErrorKind::Minimum { limit } => pair("too small".into(), format!("send {limit} or more")),
        ErrorKind::Maximum { limit } => pair("too large".into(), format!("send {limit} or less")),
        ErrorKind::ExclusiveMinimum { limit } => {
            pair("too small".into(), format!("send more than {limit}"))
        }
        ErrorKind::ExclusiveMaximum { limit } => {
            pair("too large".into(), format!("send less than {limit}"))
        }
        ErrorKind::MultipleOf { multiple_of } => pair(
            "not a multiple of the declared step".into(),
            format!("send a multiple of {multiple_of}"),
        ),
        ErrorKind::OneOfMultipleValid { .. } => pair(
            "matches more than one of the allowed forms".into(),
            "send fields of exactly one form".into(),
        ),
        ErrorKind::OneOfNotValid { context } | ErrorKind::AnyOf { context } => pair(
            format!("matches none of the {} allowed forms", context.len()),
            "send one of the forms the contract declares".into(),
        ),
        ErrorKind::FalseSchema => pair(
            "this field is not accepted in this direction".into(),
            "remove it; the other side sets it".into(),
        ),
        ErrorKind::Not { .. } => pair(
            "excluded by the contract".into(),
            "send another value".into(),
        ),
        ErrorKind::PropertyNames { .. } => pair(
            "a field name breaks the contract".into(),
            "rename the field".into(),
        ),
        _ => pair(
            "does not match the contract".into(),
            "compare it with the contract".into(),
        ),
    }
}

/// What to send, with an example by format.
fn example(kind: &str, schema: Option<&Value>) -> String {
    let format = schema.and_then(|s| s.get("format")).and_then(Value::as_str);
    let sample = match (kind, format) {
        ("string", Some("email")) => r#""a@b.example""#,
        ("string", Some("date")) => r#""2026-03-31""#,
        ("string", Some("date-time")) => r#""2026-03-31T12:00:00Z""#,
        ("string", Some("time")) => r#""12:00:00Z""#,
        ("string", Some("uuid")) => r#""3f2b6c1e-8d57-4b0a-9a41-5c7d0e9f1a22""#,
        ("string", Some("ipv4")) => r#""192.0.2.1""#,
        ("string", Some("ipv6")) => r#""2001:db8::1""#,
        ("string", Some("uri")) => r#""https://a.example/b""#,
        ("string", _) => {
            let one = schema.and_then(|s| s.get("enum")).and_then(|v| v.get(0));
            return match one {
                Some(value) => format!("send a string such as {}", short(value)),
                None => "send a string, in quotes".into(),
            };
        }
        ("integer", _) => return "send a whole number such as 42".into(),
        ("number", _) => return "send a number such as 9.5".into(),
        ("boolean", _) => return "send true or false".into(),
        ("array", _) => return "send a list: […]".into(),
        ("object", _) => return "send an object: {…}".into(),
        ("null", _) => return "send null".into(),
        _ => return "send a value of the declared type".into(),
    };
    format!("send a string such as {sample}")
}

/// A value of the contract, bounded.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
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
