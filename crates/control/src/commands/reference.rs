//! The commands as a page for people who write scripts.
//! Exports `reference_markdown`.
//! Used by `cargo xtask gen`, which writes docs/admin-commands.md.
//! Start reading at `reference_markdown`.

use std::fmt::Write;

use serde_json::Value;

use super::input::words_of;
use super::{COMMANDS, Entry};
use crate::Permission;

const HEAD: &str = "# Admin commands\n\n\
    Generated from the registry of commands; `cargo xtask gen` writes it again. The same as OpenAPI: \
    [schemas/admin.openapi.json](schemas/admin.openapi.json).\n\n\
    These are the commands that a running server answers on its local socket. The [command line](commands.md) asks them, and `-o json` prints \
    exactly the answer that is described here. A field that is new does not change `schema_version`; one that goes or changes its meaning does. \
    A command that can change something says in `changed` whether it did: asked for what holds already, it changes and records nothing. \
    While no server runs, the command line does the same on the store itself.\n\n\
    **Who may.** The user that runs the server, and root, have every permission; the kernel says who is at the other end of the socket. Anybody else is \
    refused with exit code 77, whatever the mode of the socket. What is refused is recorded like what is done, with the outcome `refused`, at most 60 times in a minute.\n\n\
    **What is recorded.** A command that changes something writes a record of the kind below: who (`user`, as they call themselves), and in `actor` \
    how they were known: `authenticated_by` the `local_socket` or on the `store` itself, with the `uid` of the operating system's user and the number of \
    the `process` that asked.\n\n";

/// The whole page.
pub fn reference_markdown() -> String {
    let mut out = String::from(HEAD);
    out.push_str("| command | permission | effect | recorded as |\n|---|---|---|---|\n");
    for entry in COMMANDS {
        let info = entry.info;
        let recorded = info
            .records
            .map_or("–".to_owned(), |kind| format!("`{kind}`"));
        let name = info.name;
        let anchor = name.replace('.', "");
        let (permission, impact) = (info.permission, info.impact.name());
        let _ = writeln!(
            out,
            "| [`{name}`](#{anchor}) | `{permission}` | {impact} | {recorded} |"
        );
    }
    out.push_str("\n## Permissions\n\n| permission | commands |\n|---|---|\n");
    for permission in Permission::ALL {
        let own = COMMANDS.iter().filter(|e| e.info.permission == permission);
        let own: Vec<String> = own.map(|entry| format!("`{}`", entry.info.name)).collect();
        let _ = writeln!(out, "| `{permission}` | {} |", own.join(", "));
    }
    for entry in COMMANDS {
        section(entry, &mut out);
    }
    out
}

fn section(entry: &Entry, out: &mut String) {
    let info = entry.info;
    let input = (entry.input)();
    let said = input.get("description").and_then(Value::as_str);
    let _ = write!(
        out,
        "\n## {}\n\n{}\n\n```json\n{}\n```\n",
        info.name,
        said.unwrap_or(info.summary).replace('\n', " "),
        info.example
    );
    fields("Arguments", &input, out);
    fields("Answer", &(entry.output)(), out);
}

/// A table of the members of an object; objects within it follow as `outer.inner`.
fn fields(title: &str, schema: &Value, out: &mut String) {
    let mut rows = Vec::new();
    members("", schema, &mut rows);
    if rows.is_empty() {
        let _ = write!(out, "\n{title}: none.\n");
        return;
    }
    let _ = write!(out, "\n| {title} | type | meaning |\n|---|---|---|\n");
    for row in rows {
        out.push_str(&row);
    }
}

fn members(before: &str, schema: &Value, rows: &mut Vec<String>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    let required = schema.get("required").and_then(Value::as_array);
    let is_required =
        |name: &str| required.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(name)));
    for (name, property) in properties {
        let (kind, within, suffix) = kind(property);
        let optional = if is_required(name) { "" } else { ", optional" };
        let said = property.get("description").and_then(Value::as_str);
        let said = said
            .unwrap_or_default()
            .replace('\n', " ")
            .replace('|', "\\|");
        rows.push(format!(
            "| `{before}{name}{suffix}` | {kind}{}{optional} | {said} |\n",
            limits(property)
        ));
        if let Some(within) = within {
            members(&format!("{before}{name}{suffix}."), within, rows);
        }
    }
}

/// The type of a member in words, the object in it that has members of its own, and how a path to those goes on.
fn kind(property: &Value) -> (String, Option<&Value>, &'static str) {
    // An object that may be absent is one of two schemas.
    let choices = property.get("anyOf").and_then(Value::as_array);
    if let Some(object) = choices.into_iter().flatten().find(|one| is_object(one)) {
        return ("object or null".to_owned(), Some(object), "");
    }
    if let Some(items) = property.get("items") {
        let (kind, within, _) = kind(items);
        return (format!("list of {kind}"), within, "[]");
    }
    let words = match property.get("type") {
        Some(Value::String(one)) => one.clone(),
        Some(Value::Array(several)) => {
            let several: Vec<&str> = several.iter().filter_map(Value::as_str).collect();
            several.join(" or ")
        }
        _ => "one of several words".to_owned(),
    };
    let within = is_object(property).then_some(property);
    (words, within, "")
}

fn is_object(schema: &Value) -> bool {
    schema.get("properties").is_some()
}

/// Words beyond these are left to the schema.
const WORDS_MAX: usize = 12;

fn limits(property: &Value) -> String {
    let words = words_of(property);
    if (1..=WORDS_MAX).contains(&words.len()) {
        return format!(", one of `{}`", words.join("`, `"));
    }
    let limit = |keyword: &str| property.get(keyword).and_then(Value::as_u64);
    if let Some(max) = limit("maxLength") {
        return format!(", up to {max} characters");
    }
    match (limit("minimum"), limit("maximum")) {
        (min, Some(max)) => format!(", {} to {max}", min.unwrap_or(0)),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_on_the_page_with_its_limits() {
        let page = reference_markdown();
        for entry in COMMANDS {
            assert!(page.contains(&format!("\n## {}\n", entry.info.name)));
        }
        for row in [
            "| `reason` | string, up to 512 characters |",
            "| `seconds` | integer, 1 to 86400 |",
            "| `keys[].id` | string |",
            "| `integrations[].paused.by` | string or null | ",
            "| `schema_version` | integer |",
        ] {
            assert!(page.contains(row), "{row} is not in\n{page}");
        }
    }
}
