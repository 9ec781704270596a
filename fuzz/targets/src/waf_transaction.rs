//! The rule engine: nothing panics; a thread that has seen a message before judges it as the first time; what is left out
//! above the paranoia level changes nothing below it. With `PORTCULLIS_CORPORA` the Core Rule Set judges as well.

use std::sync::LazyLock;

use waf::seclang::{Message, Mode, RuleSet, Scope, Source, Transaction};
use waf::{RuleFile, RuleFiles};

#[path = "../../../crates/waf/tests/crs/corpus.rs"]
mod corpus;

/// No rule skips another: a level must only take away rules above it.
const RULES: &str = r#"
SecRule REQUEST_HEADERS|ARGS "@rx (?i)union\s+select" "id:1,phase:2,pass,log,t:none,t:urlDecodeUni,tag:'paranoia-level/1'"
SecRule ARGS|ARGS_NAMES "@pm <script javascript: onload=" "id:2,phase:2,pass,log,t:none,t:lowercase,tag:'paranoia-level/1'"
SecRule ARGS "@rx ^[a-z]+[0-9]{3}$" "id:3,phase:2,pass,log,t:none,t:removeWhitespace,tag:'paranoia-level/1'"
SecRule ARGS "@rx [a-z] +[0-9]{2}[^0-9]" "id:4,phase:2,pass,log,t:none,tag:'paranoia-level/1'"
SecRule ARGS "@rx [;|&]\s*(?:cat|ls|id)\b" "id:5,phase:2,pass,log,multiMatch,t:none,t:cmdLine,t:base64Decode,tag:'paranoia-level/1'"
SecRule REQUEST_HEADERS:X-Note "!@rx ^[a-z]*$" "id:6,phase:1,pass,log,tag:'paranoia-level/1'"
SecRule ARGS "@detectSQLi" "id:7,phase:2,pass,log,t:none,t:replaceComments,tag:'paranoia-level/1'"
SecRule ARGS "@rx ([a-c]+)=" "id:8,phase:2,pass,log,capture,chain,tag:'paranoia-level/1'"
  SecRule TX:1 "@rx b" "t:none"
SecRule ARGS "@rx [a-z] +[0-9]" "id:9,phase:2,pass,log,t:none,tag:'paranoia-level/2'"
SecRule REQUEST_HEADERS|ARGS_NAMES "@rx ['\"`]" "id:10,phase:2,pass,log,t:none,t:jsDecode,tag:'paranoia-level/3'"
SecRule ARGS "@rx [^a-z]" "id:11,phase:2,pass,log,t:none,t:htmlEntityDecode,t:compressWhitespace,tag:'paranoia-level/4'"
"#;

static SMALL: LazyLock<RuleSet> = LazyLock::new(|| {
    let rules = vec![RuleFile {
        name: "fuzz.conf".to_owned(),
        text: RULES.as_bytes().to_vec(),
    }];
    RuleSet::load(&RuleFiles {
        rules,
        ..RuleFiles::default()
    })
    .expect("the rules of this file load")
});

static LARGE: LazyLock<Option<RuleSet>> = LazyLock::new(|| {
    let files = corpus::rule_files(&corpus::folder()?, "");
    Some(RuleSet::load(&files).expect("the rule set loads"))
});

/// Number, variable and key of what was logged.
type Logged = (u32, &'static str, Vec<u8>);

/// Everything logged, and the rule that denied.
fn judged(rules: &RuleSet, level: Option<i64>, lines: &[&[u8]]) -> (Vec<Logged>, Option<u32>) {
    let line = |number: usize| lines.get(number).copied().unwrap_or_default();
    let message = Message {
        method: b"POST".to_vec(),
        target: [b"/v1/notes?", line(0)].concat(),
        protocol: b"HTTP/1.1".to_vec(),
        headers: vec![
            (b"Content-Type".to_vec(), b"application/json".to_vec()),
            (b"X-Note".to_vec(), line(1).to_vec()),
        ],
        client: "192.0.2.1".to_owned(),
        ..Message::default()
    };
    let mut transaction = Transaction::new(rules, &message, Mode::On);
    if let Some(level) = level {
        transaction.set("detection_paranoia_level", level);
    }
    transaction.phase(1);
    for pair in lines.get(2..).unwrap_or_default().chunks(2) {
        let value = pair.get(1).copied().unwrap_or_default();
        transaction.argument(
            Source::Body,
            pair.first().copied().unwrap_or_default(),
            value,
            Scope::Both,
        );
    }
    transaction.phase(2);
    let events = transaction.events().iter();
    let events = events
        .map(|event| (event.id, event.variable, event.key.clone()))
        .collect();
    (events, transaction.denied().map(|(id, _)| id))
}

/// One input.
pub fn run(text: &[u8]) {
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').take(10).collect();
    let all = judged(&SMALL, None, &lines);
    let lowest = judged(&SMALL, Some(1), &lines);
    let kept = |events: &[Logged]| -> Vec<u32> {
        events
            .iter()
            .map(|(id, ..)| *id)
            .filter(|id| *id < 9)
            .collect()
    };
    assert_eq!(kept(&lowest.0), kept(&all.0));
    // No rule skips what stands above the level, so all of it is still judged.
    assert_eq!(lowest, all);
    if let Some(rules) = &*LARGE {
        assert_eq!(
            judged(rules, Some(1), &lines),
            judged(rules, Some(1), &lines)
        );
    }
}
