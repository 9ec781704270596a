//! The public JSON Schema test suite through our own lowering, without the closing rule.

use serde_json::Value;

use super::*;
use crate::docs::Docs;
use crate::lower::{Direction, Lowering};
use crate::validator::Validator;

/// What contracts refuse on purpose: other base addresses, dynamic references, remote and named references.
fn is_out_of_scope(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            members.contains_key("$dynamicRef")
                || members.contains_key("$id")
                || members.contains_key("id")
                || members
                    .get("$ref")
                    .and_then(Value::as_str)
                    .is_some_and(|r| !r.starts_with("#/") && r != "#")
                || members.contains_key("$vocabulary")
                || members.values().any(is_out_of_scope)
        }
        Value::Array(items) => items.iter().any(is_out_of_scope),
        _ => false,
    }
}

fn run(draft: &str, is_30: bool, skipped_files: &[&str]) -> Option<(usize, usize, Vec<String>)> {
    let folder = corpora::corpus(&format!("json-schema-test-suite/tests/{draft}"))?;
    let (mut passed, mut skipped, mut failed) = (0, 0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".json") {
            continue;
        }
        let groups: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for group in groups.as_array().unwrap() {
            let tests = group["tests"].as_array().unwrap();
            let schema = &group["schema"];
            if skipped_files.contains(&name.as_str()) || is_out_of_scope(schema) {
                skipped += tests.len();
                continue;
            }
            let docs = Docs::load("t.json", schema.clone(), &|_| None).unwrap();
            let mut lowering = Lowering::new(&docs, is_30, false);
            let id = lowering.schema(&docs.root(), Direction::Request);
            let title = format!("{name}: {}", group["description"]);
            if !lowering.mistakes.is_empty() {
                failed.push(format!("{title}: {:?}", lowering.mistakes));
                continue;
            }
            let validator = match Validator::build(id, &lowering.definitions, &Default::default()) {
                Ok(validator) => validator,
                Err(why) => {
                    failed.push(format!("{title}: {why}"));
                    continue;
                }
            };
            for test in tests {
                let data = crate::text::to_json(&test["data"]);
                if Value::Bool(validator.is_valid(&data)) == test["valid"] {
                    passed += 1;
                } else {
                    failed.push(format!("{title}: {}", test["description"]));
                }
            }
        }
    }
    println!(
        "{draft}: {passed} passed, {skipped} out of scope, {} failed",
        failed.len()
    );
    for line in &failed {
        println!("  {line}");
    }
    Some((passed, skipped, failed))
}

#[test]
fn schemas_of_3_1_mean_what_2020_12_says() {
    // Formats are asserted here, and there only noted.
    let Some((passed, _, failed)) = run("draft2020-12", false, &["format.json", "anchor.json"])
    else {
        return;
    };
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(passed > 900, "{passed}");
}

#[test]
fn schemas_of_3_0_mean_what_draft_4_says() {
    let Some((passed, _, failed)) = run("draft4", true, &["format.json"]) else {
        return;
    };
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(passed > 450, "{passed}");
}
