//! What `can` says is what the gateway does: generated questions, asked of both.
//! `PORTCULLIS_SEED` changes the questions.
//! Start reading at `can_never_contradicts_the_gateway`.

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::{Scale, run};

use super::requests::Asked;
use super::written::Operation;
use super::{Company, number};
use crate::line::{request, send};
use crate::program;

/// A question, and what the gateway did.
struct Question {
    asked: Asked,
    operation: Operation,
    /// The object as the upstream has it, where the path names one that a read shows.
    object: Option<String>,
    status: u16,
    code: String,
    whole: String,
}

impl Question {
    /// The same for `can`.
    fn arguments(&self) -> Vec<String> {
        let mut out = vec![self.asked.who.to_owned()];
        out.push(format!("{}:{}", self.operation.api, self.operation.id));
        let mut option = |name: &str, value: String| {
            out.push(format!("--{name}"));
            out.push(value);
        };
        option("listener", self.asked.listener.to_owned());
        option("from", "127.0.0.1".to_owned());
        let steps = self
            .operation
            .template
            .split('/')
            .zip(self.asked.path.split('/'));
        for (name, value) in steps.filter(|(name, _)| name.starts_with('{')) {
            option("path", format!("{}={value}", name.trim_matches(['{', '}'])));
        }
        let text = String::from_utf8_lossy(&self.asked.bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let target = head.split(' ').nth(1).unwrap();
        let query = target.split_once('?').map_or("", |(_, query)| query);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            option("query", unescaped(pair));
        }
        if !body.is_empty() {
            option("body", body.to_owned());
        }
        if let Some(object) = &self.object {
            option("object", object.clone());
        }
        out
    }
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex: Vec<u8> = match byte {
            b'%' => rest.by_ref().take(2).collect(),
            _ => Vec::new(),
        };
        let read = std::str::from_utf8(&hex).ok();
        bytes.push(
            read.and_then(|hex| u8::from_str_radix(hex, 16).ok())
                .unwrap_or(byte),
        );
    }
    String::from_utf8(bytes).unwrap()
}

/// Asks the gateway, and the upstream for the object.
fn questions(company: &Company, count: usize) -> Vec<Question> {
    let mut generator = company.generator(number("PORTCULLIS_SEED", 11));
    let (mut lines, mut upstream) = (BTreeMap::new(), None);
    let mut out = Vec::new();
    for _ in 0..count {
        let (asked, at) = generator.question();
        let operation = company.written.operations[at].clone();
        let shown = company.written.operations.iter().any(|other| {
            (other.method.as_str(), &other.template) == ("GET", &operation.template)
                && !other
                    .fields
                    .iter()
                    .any(|(field, _)| field.contains("items.*"))
        });
        let is_new = operation.method == "POST" || !operation.template.ends_with('}');
        let object = (shown && !is_new).then(|| {
            let bytes = request("GET", &asked.path, None, "", b"");
            let response = send(&mut upstream, company.address, &bytes).unwrap();
            (response.status == 200).then(|| response.text())
        });
        let line = lines.entry(asked.listener).or_insert(None);
        let address = company.server.address(asked.listener);
        let response = send(line, address, &asked.bytes).unwrap();
        let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        out.push(Question {
            operation,
            object: object.flatten(),
            status: response.status,
            code: body["code"].as_str().unwrap_or_default().to_owned(),
            whole: response.whole(),
            asked,
        });
    }
    out
}

/// What `can` says of all of them, in their order.
fn said(company: &Company, questions: &[&Question]) -> Vec<Value> {
    let lines = questions.iter().map(|question| {
        let mut line = serde_json::to_string(&question.arguments()).unwrap();
        line.push('\n');
        line
    });
    let path = company.server.gate.home().join("questions.jsonl");
    std::fs::write(&path, lines.collect::<String>()).unwrap();
    let arguments = ["can", "--questions", path.to_str().unwrap(), "-o", "json"];
    let ended = run(program(), &company.server.gate, &arguments);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let document: Value = serde_json::from_str(&ended.stdout).unwrap();
    document["answers"].as_array().unwrap().clone()
}

/// What the gateway did otherwise than it was said.
fn contradiction(question: &Question, said: &Value) -> Option<String> {
    let is_let = (200..300).contains(&question.status);
    let is_right = match said["verdict"].as_str().unwrap_or_default() {
        "yes" => is_let,
        "no" => !is_let,
        _ => true,
    };
    // Which refusal it would be is part of the answer; a hidden object reads as absent.
    let code = said["code"].as_str().unwrap_or_default();
    let is_hidden = question.code == "object.absent" && code.starts_with("object.");
    let is_code = code.is_empty() || is_let || code == question.code || is_hidden;
    let (words, status) = (question.arguments(), question.status);
    (!is_right || !is_code).then(|| {
        let (code, whole) = (&question.code, &question.whole);
        format!("{words:?}\n  can: {said}\n  gateway: {status} {code} {whole}")
    })
}

#[test]
fn can_never_contradicts_the_gateway() {
    let company = Company::start(0);
    let questions = questions(&company, Scale::pick(360, 1_000, 3_000));
    // Inspection, and faults of the upstream, are none of `can`'s business.
    let is_its_own =
        |q: &&Question| !q.code.starts_with("inspect.") && !q.code.starts_with("upstream.");
    let questions: Vec<&Question> = questions.iter().filter(is_its_own).collect();
    assert!(questions.len() >= 300, "{}", questions.len());
    let said = said(&company, &questions);
    assert_eq!(said.len(), questions.len());
    let mut words: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (question, said) in questions.iter().zip(&said) {
        let word = said["verdict"].as_str().unwrap_or_default();
        *words.entry(word.to_owned()).or_default() += 1;
        wrong.extend(contradiction(question, said));
    }
    println!("{words:?}");
    let shown = wrong[..wrong.len().min(8)].join("\n\n");
    assert!(
        wrong.is_empty(),
        "{} wrong of {words:?}\n{shown}",
        wrong.len()
    );
    for word in ["yes", "no", "undecided"] {
        assert!(words.contains_key(word), "{words:?}");
    }
}
