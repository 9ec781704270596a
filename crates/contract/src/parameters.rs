//! Parameters of all places: split by style, typed, judged. Undeclared query parameters are refused.
//! Exports `judge`, and how queries, lists in fields and cookies are written. Pure.
//! Used by `check_request`, and by the gateway for what it forwards.
//! Start reading at `judge`; each style has one small function.

use std::sync::Arc;

use model::canonical::encode_component;
use model::{CanonicalRequest, FieldError, Headers, Json, Mode, Text};

use crate::advice::listed;
use crate::errors::{Subject, explain};
use crate::findings::{Findings, JudgedParameter};
use crate::plan::{Operation, Parameter, Place, Style};
use crate::text::nearest;
use crate::typing::Target;

/// Most items or fields one parameter can be split into.
const PIECES_MAX: usize = 1_000;

/// Judges every declared parameter of one place; what is wrong is appended.
pub(crate) fn judge(
    operation: &Operation,
    place: Place,
    request: &CanonicalRequest,
    path_values: &[(Arc<str>, String)],
    out: &mut Vec<JudgedParameter>,
    found: &mut Findings,
) {
    let is_here = |parameter: &Parameter| parameter.place == place;
    let cookies = match place {
        Place::Cookie if operation.parameters.iter().any(is_here) => {
            cookies(request.headers()).collect()
        }
        _ => Vec::new(),
    };
    for parameter in operation.parameters.iter().filter(|p| p.place == place) {
        let list;
        let sent: Vec<(&str, &str)> = match place {
            Place::Path => path_values
                .iter()
                .filter(|(name, _)| *name == parameter.name)
                .map(|(name, value)| (&**name, value.as_str()))
                .collect(),
            Place::Query => request
                .query()
                .iter()
                .filter(|(name, _)| belongs(operation, parameter, name))
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            Place::Header => match header(request, parameter) {
                Ok(lines) => match list_field(parameter, request.headers()) {
                    Some(joined) => {
                        list = joined;
                        vec![(&*parameter.name, list.as_str())]
                    }
                    None => lines,
                },
                Err(()) => {
                    found.unreadable(wrong(parameter, "encoding", "not UTF-8", "send plain text"));
                    continue;
                }
            },
            Place::Cookie => cookies
                .iter()
                .filter(|(name, _)| *name == &*parameter.name)
                .copied()
                .collect(),
        };
        if place == Place::Cookie && !sent.iter().all(|(_, value)| is_plain_cookie(value)) {
            let fix =
                "send letters, digits and signs without quotes, blanks, `,`, `;`, `\\` and `%`";
            found.unreadable(wrong(
                parameter,
                "encoding",
                "a value with two readings",
                fix,
            ));
            continue;
        }
        one(parameter, &sent, out, found);
    }
    if place == Place::Query {
        undeclared(operation, request, out, found);
    }
}

/// Query pairs as they are forwarded. A comma that splits a value is written as a comma: an upstream that splits before it
/// decodes then reads the same items that were judged.
pub fn write_query(operation: &Operation, pairs: &[(String, String)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        encode_component(name, &mut out);
        out.push('=');
        let is_split = operation.parameters.iter().any(|p| {
            p.place == Place::Query
                && p.style == Style::Form
                && !p.is_exploded
                && (p.target.is_list() || p.target.is_object())
                && belongs(operation, p, name)
        });
        if !is_split {
            encode_component(value, &mut out);
            continue;
        }
        for (index, piece) in value.split(',').enumerate() {
            if index > 0 {
                out.push(',');
            }
            encode_component(piece, &mut out);
        }
    }
    out
}

fn header<'r>(
    request: &'r CanonicalRequest,
    parameter: &'r Parameter,
) -> Result<Vec<(&'r str, &'r str)>, ()> {
    request
        .headers()
        .all(&parameter.name)
        .map(|value| match std::str::from_utf8(value) {
            Ok(text) => Ok((&*parameter.name, text.trim_matches([' ', '\t']))),
            Err(_) => Err(()),
        })
        .collect()
}

/// A declared field that holds a list, in its one spelling: several lines are one list (RFC 9110 §5.3), blanks around commas are no
/// part of the items, and empty items of an array say nothing (§5.6.1). `None` where it was not sent, is no list or no text.
pub fn list_field(parameter: &Parameter, headers: &Headers) -> Option<String> {
    let target = &parameter.target;
    let is_list = parameter.style == Style::Simple && (target.is_list() || target.is_object());
    let lines = headers.all(&parameter.name).filter(|_| is_list);
    let lines: Option<Vec<&str>> = lines.map(|line| std::str::from_utf8(line).ok()).collect();
    let lines = lines.filter(|lines| !lines.is_empty())?;
    let items = lines.iter().flat_map(|line| line.split(','));
    let items = items.map(|item| item.trim_matches([' ', '\t']));
    let items = items.filter(|item| !item.is_empty() || !target.is_list());
    Some(items.collect::<Vec<_>>().join(","))
}

/// Pairs of the cookie header (RFC 6265 §4.2.1).
fn cookies(headers: &Headers) -> impl Iterator<Item = (&str, &str)> {
    headers
        .all("cookie")
        .filter_map(|value| std::str::from_utf8(value).ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

/// The cookies that the operation declares, as they are judged and forwarded; `None` where there are none. Whatever else a client keeps
/// for this host, a session above all, is nobody's business behind the gate.
pub fn declared_cookies(operation: &Operation, headers: &Headers) -> Option<String> {
    let is_declared = |name: &str| operation.parameter(Place::Cookie, name).is_some();
    let pairs = cookies(headers).filter(|(name, _)| is_declared(name));
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join("; "))
}

/// Octets of a cookie's value (RFC 6265 §4.1.1) without `%`, which some upstreams decode and others do not.
fn is_plain_cookie(value: &str) -> bool {
    let is_odd = |byte: u8| matches!(byte, b'"' | b',' | b';' | b'\\' | b'%');
    value
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !is_odd(byte))
}

/// Whether a query name is one of this parameter's. Names that no parameter claims belong to the first object that is spread over the
/// query and declares that it may hold others.
fn belongs(operation: &Operation, parameter: &Parameter, name: &str) -> bool {
    if claims(parameter, name) {
        return true;
    }
    let query = || {
        operation
            .parameters
            .iter()
            .filter(|p| p.place == Place::Query)
    };
    is_spread(parameter)
        && parameter.target.is_open()
        && !query().any(|other| claims(other, name))
        && query()
            .find(|other| is_spread(other) && other.target.is_open())
            .is_some_and(|first| std::ptr::eq(first, parameter))
}

/// Whether a parameter names this very name.
fn claims(parameter: &Parameter, name: &str) -> bool {
    match parameter.style {
        Style::DeepObject => bracketed(&parameter.name, name).is_some(),
        _ if is_spread(parameter) => parameter.target.has(name),
        _ => &*parameter.name == name,
    }
}

/// An exploded object spreads its fields over the query (OpenAPI "style values").
fn is_spread(parameter: &Parameter) -> bool {
    parameter.style == Style::Form && parameter.is_exploded && parameter.target.is_object()
}

/// `filter[state]` belongs to `filter` and names `state`.
fn bracketed<'n>(parameter: &str, name: &'n str) -> Option<&'n str> {
    let inside = name.strip_prefix(parameter)?.strip_prefix('[')?;
    inside
        .strip_suffix(']')
        .filter(|key| !key.is_empty() && !key.contains(['[', ']']))
}

fn undeclared(
    operation: &Operation,
    request: &CanonicalRequest,
    out: &mut Vec<JudgedParameter>,
    found: &mut Findings,
) {
    let declared = || {
        operation
            .parameters
            .iter()
            .filter(|p| p.place == Place::Query)
    };
    for (name, value) in request.query() {
        if declared().any(|parameter| belongs(operation, parameter, name)) {
            continue;
        }
        if found.mode != Mode::Enforce {
            // It travels on, so inspection has to see it.
            found.is_unproven = true;
            out.push(JudgedParameter {
                name: Arc::from(name.as_str()),
                place: Place::Query,
                value: Json::Text(value.into()),
            });
        }
        if found.is_full() {
            continue;
        }
        let names: Vec<&str> = declared().map(|p| &*p.name).collect();
        found.broken(FieldError {
            place: Place::Query.name(),
            pointer: name.chars().take(64).collect(),
            keyword: UNDECLARED.into(),
            detail: "not a parameter of this operation".into(),
            fix: fix_undeclared(name, &names),
        });
    }
}

/// Keyword of errors for what the contract does not declare.
pub const UNDECLARED: &str = "additionalProperties";

/// What to do about a parameter that the contract does not declare, where these may be sent.
pub fn fix_undeclared(name: &str, names: &[&str]) -> String {
    match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("remove it; allowed: {}", listed(names)),
    }
}

fn one(
    parameter: &Parameter,
    sent: &[(&str, &str)],
    out: &mut Vec<JudgedParameter>,
    found: &mut Findings,
) {
    if sent.is_empty() {
        if parameter.is_required && found.mode != Mode::Off {
            found.broken(wrong(
                parameter,
                "required",
                "missing",
                "add this parameter",
            ));
        }
        return;
    }
    if parameter.may_be_empty && matches!(sent, [(_, "")]) {
        out.push(judged(parameter, Json::Text(Text::default())));
        return;
    }
    let value = match value(parameter, sent) {
        Ok(value) => value,
        Err((keyword, detail, fix)) => {
            found.unreadable(wrong(parameter, keyword, detail, fix));
            return;
        }
    };
    if found.mode == Mode::Off || parameter.validator.is_valid(&value) {
        out.push(judged(parameter, value));
        return;
    }
    // `42` may be meant as the text "42" where both a number and a text are admitted.
    if let ([(_, text)], true) = (sent, parameter.target.may_be_text()) {
        let text = Json::Text(Text::new(text));
        if parameter.validator.is_valid(&text) {
            out.push(judged(parameter, text));
            return;
        }
    }
    for error in explain(&Subject {
        place: parameter.place.name(),
        name: &parameter.name,
        validator: &parameter.validator,
        value: &value,
        shape: &parameter.shape,
    }) {
        found.broken(error);
    }
    out.push(judged(parameter, value));
}

fn judged(parameter: &Parameter, value: Json) -> JudgedParameter {
    JudgedParameter {
        name: parameter.name.clone(),
        place: parameter.place,
        value,
    }
}

fn wrong(parameter: &Parameter, keyword: &str, detail: &str, fix: &str) -> FieldError {
    FieldError {
        place: parameter.place.name(),
        pointer: parameter.name.to_string(),
        keyword: keyword.into(),
        detail: detail.into(),
        fix: fix.into(),
    }
}

type Wrong = (&'static str, &'static str, &'static str);

/// The typed value of what was sent.
fn value(parameter: &Parameter, sent: &[(&str, &str)]) -> Result<Json, Wrong> {
    let target = &parameter.target;
    match parameter.style {
        Style::Json => {
            let text = single(sent)?;
            model::json::parse(text.as_bytes(), model::json::Bounds::default())
                .map_err(|_| ("json", "not valid JSON", "send one JSON value"))
        }
        Style::DeepObject => {
            let fields = sent
                .iter()
                .filter_map(|(name, text)| Some((bracketed(&parameter.name, name)?, *text)));
            object(target, fields)
        }
        Style::Form if parameter.is_exploded && target.is_object() => {
            object(target, sent.iter().copied())
        }
        Style::Form if parameter.is_exploded && target.is_list() => {
            list(target, sent.iter().map(|(_, text)| *text))
        }
        style => delimited(target, single(sent)?, style, parameter.is_exploded),
    }
}

fn single<'s>(sent: &[(&str, &'s str)]) -> Result<&'s str, Wrong> {
    match sent {
        [(_, text)] => Ok(*text),
        _ => Err(("repeated", "sent more than once", "send it once")),
    }
}

fn delimited(target: &Target, text: &str, style: Style, is_exploded: bool) -> Result<Json, Wrong> {
    let delimiter = match style {
        Style::SpaceDelimited => ' ',
        Style::PipeDelimited => '|',
        _ => ',',
    };
    if target.is_list() {
        if text.is_empty() {
            return Ok(Json::List(Vec::new()));
        }
        return list(target, text.split(delimiter));
    }
    if !target.is_object() {
        return Ok(target.value(text));
    }
    let pieces: Vec<&str> = text.split(delimiter).collect();
    let odd = (
        "type",
        "not pairs of name and value",
        "send name,value,name,value",
    );
    let mut fields = Vec::with_capacity(pieces.len());
    if is_exploded {
        for piece in pieces {
            fields.push(piece.split_once('=').ok_or(odd)?);
        }
    } else {
        for pair in pieces.chunks(2) {
            let [name, value] = pair else { return Err(odd) };
            fields.push((*name, *value));
        }
    }
    object(target, fields.into_iter())
}

fn list<'s>(target: &Target, texts: impl Iterator<Item = &'s str>) -> Result<Json, Wrong> {
    let mut items = Vec::new();
    for text in texts {
        if items.len() >= PIECES_MAX {
            return Err(("maxItems", "too many items", "send fewer items"));
        }
        items.push(target.item().value(text));
    }
    Ok(Json::List(items))
}

fn object<'s>(
    target: &Target,
    fields: impl Iterator<Item = (&'s str, &'s str)>,
) -> Result<Json, Wrong> {
    let mut members: Vec<(Text, Json)> = Vec::new();
    for (name, text) in fields {
        if members.len() >= PIECES_MAX {
            return Err(("maxProperties", "too many fields", "send fewer fields"));
        }
        if members.iter().any(|(known, _)| known == name) {
            return Err((
                "repeated",
                "a field is sent more than once",
                "send each field once",
            ));
        }
        members.push((name.into(), target.field(name).value(text)));
    }
    Ok(Json::Object(members))
}
