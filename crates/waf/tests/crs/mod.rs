//! Runs the regression suite of the Core Rule Set inside the process.
//! Exports `load` and `run`; used by the example that prints and by the ratchet test.

use crate::corpus::read;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use waf::seclang::{Message, Mode, RuleSet, Transaction};

/// The configuration rule the suite documents.
pub const SUITE_SETUP: &str = r#"SecAction "id:900005,phase:1,nolog,pass,ctl:ruleEngine=DetectionOnly,ctl:ruleRemoveById=910000,setvar:tx.blocking_paranoia_level=4,setvar:tx.crs_validate_utf8_encoding=1,setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,setvar:tx.total_arg_length=64000,setvar:tx.max_num_args=255,setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535"
"#;

#[derive(Deserialize)]
struct SuiteFile {
    rule_id: u32,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    test_id: u32,
    stages: Vec<Stage>,
}

#[derive(Deserialize)]
struct Stage {
    input: Input,
    output: Output,
}

#[derive(Deserialize)]
struct Input {
    #[serde(default)]
    headers: BTreeMap<String, serde_json::Value>,
    method: Option<String>,
    uri: Option<String>,
    version: Option<String>,
    data: Option<Data>,
    encoded_request: Option<String>,
    autocomplete_headers: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Data {
    Text(String),
    Lines(Vec<String>),
}

#[derive(Deserialize, Default)]
struct Output {
    #[serde(default)]
    log: Option<Log>,
}

#[derive(Deserialize, Default)]
struct Log {
    #[serde(default)]
    expect_ids: Vec<u32>,
    #[serde(default)]
    no_expect_ids: Vec<u32>,
    match_regex: Option<String>,
    no_match_regex: Option<String>,
}

/// Stages whose miss is accepted, with the reason: `RULE TEST STAGE REASON` per line.
pub fn overrides() -> BTreeMap<(u32, u32, usize), String> {
    let mut accepted = BTreeMap::new();
    for line in include_str!("overrides.txt").lines() {
        let mut words = line.splitn(4, ' ');
        let mut number = || words.next().and_then(|word| word.parse::<u32>().ok());
        let (Some(rule), Some(test), Some(stage)) = (number(), number(), number()) else {
            continue;
        };
        let reason = words.next().unwrap_or_default().to_owned();
        assert!(!reason.is_empty(), "{rule} {test} {stage} has no reason");
        accepted.insert((rule, test, stage as usize), reason);
    }
    accepted
}

/// A stage that failed: rule, test, what is wrong.
#[derive(Clone, Debug)]
pub struct Miss {
    pub rule: u32,
    pub test: u32,
    pub stage: usize,
    pub what: String,
}

/// What a run found.
#[derive(Default)]
pub struct Outcome {
    pub passed: usize,
    pub stages: usize,
    /// Stages that assert on the HTTP server only.
    pub skipped: usize,
    /// By paranoia level of the rule under test: passed, stages.
    pub levels: BTreeMap<u8, (usize, usize)>,
    pub misses: Vec<Miss>,
}

struct Request {
    message: Message,
    body: Vec<u8>,
}

/// Runs every stage of every file, or of the files whose name holds `only`.
pub fn run(corpus: &Path, rules: &RuleSet, only: &str) -> Outcome {
    let mut outcome = Outcome::default();
    for path in suite_paths(&corpus.join("tests/regression/tests")) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !name.ends_with(".yaml") || !name.contains(only) {
            continue;
        }
        let text = String::from_utf8(read(&path)).expect("UTF-8");
        // One file is commented out as a whole.
        if text
            .lines()
            .all(|line| line.trim().is_empty() || line.starts_with('#') || line == "---")
        {
            continue;
        }
        let value = contract::to_value(&text).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let file: SuiteFile =
            serde_json::from_value(value).unwrap_or_else(|error| panic!("{name}: {error}"));
        for test in &file.tests {
            for (number, stage) in test.stages.iter().enumerate() {
                one_stage(&file, test, number, stage, rules, &mut outcome);
            }
        }
    }
    outcome
}

fn suite_paths(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a test folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(suite_paths(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn one_stage(
    file: &SuiteFile,
    test: &Test,
    number: usize,
    stage: &Stage,
    rules: &RuleSet,
    outcome: &mut Outcome,
) {
    let Some(log) = &stage.output.log else {
        outcome.skipped += 1;
        return;
    };
    outcome.stages += 1;
    let level = outcome
        .levels
        .entry(rules.paranoia_of(file.rule_id))
        .or_default();
    level.1 += 1;
    let lines = judge(rules, &stage.input);
    match verdict(log, &lines) {
        None => {
            outcome.passed += 1;
            level.0 += 1;
        }
        Some(what) => outcome.misses.push(Miss {
            rule: file.rule_id,
            test: test.test_id,
            stage: number + 1,
            what,
        }),
    }
}

fn verdict(log: &Log, lines: &[(u32, String)]) -> Option<String> {
    let seen: BTreeSet<u32> = lines.iter().map(|(id, _)| *id).collect();
    if let Some(id) = log.expect_ids.iter().find(|id| !seen.contains(id)) {
        return Some(format!("expected {id}, saw {seen:?}"));
    }
    if let Some(id) = log.no_expect_ids.iter().find(|id| seen.contains(id)) {
        let line = lines
            .iter()
            .find(|(seen, _)| seen == id)
            .map(|(_, line)| line.as_str())
            .unwrap_or_default();
        return Some(format!("did not expect {id}: {line}"));
    }
    let text: String = lines.iter().map(|(_, line)| format!("{line}\n")).collect();
    let matches =
        |pattern: &str| regex::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(&text));
    if let Some(pattern) = log
        .match_regex
        .as_deref()
        .filter(|pattern| !matches(pattern))
    {
        return Some(format!("no line matches {pattern}: {text}"));
    }
    if let Some(pattern) = log
        .no_match_regex
        .as_deref()
        .filter(|pattern| matches(pattern))
    {
        return Some(format!("a line matches {pattern}: {text}"));
    }
    None
}

/// All five phases; the log lines with their rule ids.
fn judge(rules: &RuleSet, input: &Input) -> Vec<(u32, String)> {
    let request = request(input);
    let mut transaction = Transaction::new(rules, &request.message, Mode::On);
    transaction.phase(1);
    transaction.body(&request.body);
    transaction.phase(2);
    let (status, headers, body) = echo(&request);
    transaction.response(status, &headers);
    transaction.phase(3);
    transaction.response_body(&body);
    transaction.phase(4);
    transaction.phase(5);
    transaction
        .events()
        .iter()
        .map(|event| {
            (
                event.id,
                format!(
                    "[id \"{}\"] [msg \"{}\"] [data \"{}\"] {}:{}",
                    event.id,
                    event.message,
                    event.data.replace('\r', "\\x0d").replace('\n', "\\x0a"),
                    event.variable,
                    String::from_utf8_lossy(&event.key)
                ),
            )
        })
        .collect()
}

/// A request as the reference runner completes it.
fn request(input: &Input) -> Request {
    if let Some(encoded) = &input.encoded_request {
        return raw_request(&unbase64(encoded));
    }
    let body = match &input.data {
        None => String::new(),
        Some(Data::Text(text)) => text.clone(),
        Some(Data::Lines(lines)) => lines.join("\r\n"),
    };
    let body = repeated(&body).into_bytes();
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for (name, value) in &input.headers {
        let value = match value {
            serde_json::Value::String(text) => repeated(text),
            other => other.to_string(),
        };
        headers.push((name.clone().into_bytes(), value.into_bytes()));
    }
    let has = |headers: &[(Vec<u8>, Vec<u8>)], wanted: &str| {
        headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()))
    };
    if input.autocomplete_headers != Some(false) {
        if !body.is_empty() {
            if !has(&headers, "Content-Type") {
                headers.push((
                    b"Content-Type".to_vec(),
                    b"application/x-www-form-urlencoded".to_vec(),
                ));
            }
            if !has(&headers, "Content-Length") {
                headers.push((
                    b"Content-Length".to_vec(),
                    body.len().to_string().into_bytes(),
                ));
            }
        }
        if !has(&headers, "Connection") {
            headers.push((b"Connection".to_vec(), b"close".to_vec()));
        }
    }
    // RFC 9112 §6.3: without either header a request has no body.
    let framed = has(&headers, "Content-Length") || has(&headers, "Transfer-Encoding");
    let body = if framed { body } else { Vec::new() };
    let text = |part: &Option<String>, default: &str| {
        part.clone()
            .unwrap_or_else(|| default.to_owned())
            .into_bytes()
    };
    Request {
        message: Message {
            method: text(&input.method, "GET"),
            target: repeated(&String::from_utf8_lossy(&text(&input.uri, "/"))).into_bytes(),
            // A request line without version is HTTP/0.9 to every server.
            protocol: match input.version.as_deref() {
                Some("") => b"HTTP/0.9".to_vec(),
                _ => text(&input.version, "HTTP/1.1"),
            },
            headers,
            client: "127.0.0.1".to_owned(),
            unique_id: "suite".to_owned(),
            is_cut: false,
        },
        body,
    }
}

/// `{{ "1" | repeat 64200 }}`, the one template the suite uses.
fn repeated(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("{{ \"") {
        let Some((inside, after)) = tail.split_once("}}") else {
            break;
        };
        let Some((unit, count)) = inside.split_once("\" | repeat ") else {
            break;
        };
        out.push_str(before);
        out.push_str(&unit.repeat(count.trim().parse().unwrap_or(1)));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn raw_request(raw: &[u8]) -> Request {
    let (head, body) = match raw.windows(4).position(|four| four == b"\r\n\r\n") {
        Some(at) => (&raw[..at], &raw[at + 4..]),
        None => (raw, &raw[raw.len()..]),
    };
    let mut lines = head
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next().unwrap_or_default();
    let mut words = first.splitn(3, |byte| *byte == b' ').map(<[u8]>::to_vec);
    let mut message = Message {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        protocol: words.next().unwrap_or_default(),
        client: "127.0.0.1".to_owned(),
        unique_id: "suite".to_owned(),
        ..Message::default()
    };
    for line in lines {
        if let Some(at) = line.iter().position(|byte| *byte == b':') {
            message
                .headers
                .push((line[..at].to_vec(), line[at + 1..].trim_ascii().to_vec()));
        }
    }
    Request {
        message,
        body: body.to_vec(),
    }
}

fn unbase64(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut held, mut bits) = (0u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        held = (held << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    out
}

/// Status, headers and body.
type Answer = (u16, Vec<(Vec<u8>, Vec<u8>)>, Vec<u8>);

/// The echo back end: `/reflect` answers what the request's JSON asks for.
fn echo(request: &Request) -> Answer {
    let empty = (
        200,
        vec![(b"Content-Type".to_vec(), b"text/plain".to_vec())],
        Vec::new(),
    );
    if !request.message.target.starts_with(b"/reflect") {
        return empty;
    }
    let Ok(wanted) = serde_json::from_slice::<serde_json::Value>(&request.body) else {
        return empty;
    };
    let status = wanted
        .get("status")
        .and_then(serde_json::Value::as_u64)
        .unwrap_or(200);
    let mut headers = Vec::new();
    if let Some(map) = wanted.get("headers").and_then(serde_json::Value::as_object) {
        for (name, value) in map {
            headers.push((
                name.clone().into_bytes(),
                value.as_str().unwrap_or_default().as_bytes().to_vec(),
            ));
        }
    }
    let body = match (wanted.get("body"), wanted.get("encodedBody")) {
        (Some(body), _) => body.as_str().unwrap_or_default().as_bytes().to_vec(),
        (None, Some(encoded)) => unbase64(encoded.as_str().unwrap_or_default()),
        (None, None) => Vec::new(),
    };
    (status as u16, headers, body)
}
