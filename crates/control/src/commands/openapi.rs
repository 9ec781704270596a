//! The commands as an OpenAPI 3.1 document, for tools that make clients and forms.
//! Exports `openapi`.
//! Used by `cargo xtask gen`, which writes docs/schemas/admin.openapi.json.
//! Start reading at `openapi`.

use serde_json::{Map, Value, json};

use super::{COMMANDS, Entry};

/// What a reader has to know before the first path.
const ABOUT: &str = "Every command of the admin service with its arguments and its answer. Generated from the registry by \
    `cargo xtask gen`.\n\nThis version answers on the local socket of a running server alone: one line of JSON \
    `{\"command\": NAME, \"arguments\": {…}, \"who\": \"…\"}`, and one line back, `{\"done\": ANSWER}` or `{\"fault\": ERROR}`. \
    It has no HTTP listener for commands; the paths below are what a command is called there once it has one.";

/// The whole document.
pub fn openapi() -> Value {
    let paths: Map<String, Value> = COMMANDS
        .iter()
        .map(|entry| (format!("/v1/commands/{}", entry.info.name), path(entry)))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portcullis admin commands",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "servers": [],
        "paths": paths,
        "components": { "schemas": { "AdminError": crate::output::response_schema::<crate::AdminError>() } },
    })
}

fn path(entry: &Entry) -> Value {
    let info = entry.info;
    let example: Value = serde_json::from_str(info.example).unwrap_or_default();
    let content = |schema: Value| json!({ "application/json": { "schema": schema } });
    let error = json!({ "$ref": "#/components/schemas/AdminError" });
    json!({ "post": {
        "operationId": info.name,
        "summary": info.summary,
        "x-permission": info.permission.name(),
        "x-impact": info.impact.name(),
        "x-ledger-kind": info.records,
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": (entry.input)(), "example": example } },
        },
        "responses": {
            "200": { "description": "Done.", "content": content((entry.output)()) },
            "403": { "description": "Whoever asks lacks the permission.", "content": content(error.clone()) },
            "default": { "description": "Not done, and why.", "content": content(error) },
        },
    } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_path_with_schemas_and_a_permission() {
        let document = openapi();
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(paths.len(), COMMANDS.len());
        for (path, item) in paths {
            let post = &item["post"];
            assert!(path.ends_with(post["operationId"].as_str().unwrap()));
            let of = |place: &Value| place["content"]["application/json"]["schema"].clone();
            assert_eq!(of(&post["requestBody"])["type"], "object", "{path}");
            assert_eq!(of(&post["responses"]["200"])["type"], "object", "{path}");
            assert!(post["x-permission"].is_string());
        }
        // Whole in itself: nothing leads out of it.
        let error = "\"$ref\":\"#/components/schemas/AdminError\"";
        let text = document.to_string();
        assert_eq!(text.matches("$ref").count(), text.matches(error).count());
    }
}
