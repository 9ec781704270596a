//! The texts that the regression suite of the rule set plants: values of queries and of form and JSON bodies, in tests
//! that expect a rule about attacks to match.
//! Exports `texts`.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// The rule files about attacks.
const FILES: [&str; 9] = [
    "REQUEST-921",
    "REQUEST-930",
    "REQUEST-931",
    "REQUEST-932",
    "REQUEST-933",
    "REQUEST-934",
    "REQUEST-941",
    "REQUEST-942",
    "REQUEST-944",
];
/// Shorter ones are names.
const LENGTH_MIN: usize = 3;

/// Every text once.
pub fn texts(folder: &Path) -> Vec<String> {
    let mut found = BTreeSet::new();
    let tests = folder.join("tests/regression/tests");
    for directory in std::fs::read_dir(tests).expect("a test folder").flatten() {
        let name = directory.file_name().to_string_lossy().into_owned();
        if !FILES.iter().any(|file| name.starts_with(file)) {
            continue;
        }
        for file in std::fs::read_dir(directory.path())
            .expect("a folder")
            .flatten()
        {
            let text = std::fs::read_to_string(file.path()).expect("UTF-8");
            if let Ok(suite) = contract::to_value(&text) {
                collect(&suite, &mut found);
            }
        }
    }
    found.into_iter().collect()
}

fn collect(suite: &Value, found: &mut BTreeSet<String>) {
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let stages = list(suite, "tests")
        .into_iter()
        .flat_map(|test| list(&test, "stages"));
    for stage in stages {
        let expected = &stage["output"]["log"]["expect_ids"];
        if expected.as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        let input = &stage["input"];
        let uri = input["uri"].as_str().unwrap_or_default();
        let mut values = form(uri.split_once('?').map_or("", |(_, query)| query));
        let data = input["data"].as_str().unwrap_or_default();
        let kind = input["headers"]["Content-Type"]
            .as_str()
            .unwrap_or_default();
        match kind {
            kind if kind.contains("json") => {
                strings(&serde_json::from_str(data).unwrap_or_default(), &mut values);
            }
            kind if kind.contains("xml") || kind.contains("multipart") => {}
            _ => values.extend(form(data)),
        }
        found.extend(values.into_iter().filter(|text| text.len() >= LENGTH_MIN));
    }
}

/// Names and values of pairs, decoded.
fn form(text: &str) -> Vec<String> {
    let pieces = text.split('&').flat_map(|pair| pair.splitn(2, '='));
    pieces.map(decoded).collect()
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                bytes = ahead;
            }
            (b'+', ..) => out.push(b' '),
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        Value::Object(members) => members.values().for_each(|member| strings(member, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
