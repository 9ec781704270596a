//! How the default pack is measured, alone and together with the Core Rule Set: what is asked, with which requests, and
//! what is counted.

use crate::{corpus, files, payloads};
use std::collections::BTreeMap;
use std::path::Path;
use waf::{Findings, Part, Place, Plan, RequestFacts, RuleFiles, Settings};

const SETUP: &str = "SecAction \"id:900000,phase:1,nolog,pass,setvar:'tx.allowed_methods=GET HEAD POST OPTIONS PUT PATCH DELETE'\"\n";

/// The default pack.
pub fn alone() -> Plan {
    compiled(&Settings::default(), &RuleFiles::none())
}

/// With the rule set of this folder.
pub fn together(settings: &Settings, folder: &Path) -> Plan {
    compiled(settings, &corpus::rule_files(folder, SETUP))
}

fn compiled(settings: &Settings, rules: &RuleFiles) -> Plan {
    waf::compile(settings, rules).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// The text as one field of an ordinary request.
pub fn judged(plan: &Plan, text: &str) -> Findings {
    let length = text.len().to_string();
    let headers: [(&str, &[u8]); 5] = [
        ("Host", b"api.example.com"),
        ("User-Agent", b"facility-app/2.1"),
        ("Accept", b"application/json"),
        ("Content-Type", b"application/json"),
        ("Content-Length", length.as_bytes()),
    ];
    let facts = RequestFacts {
        method: "POST",
        path: "/v2/work-orders",
        protocol: "HTTP/1.1",
        client: "203.0.113.9",
        headers: &headers,
        body_bytes: text.len(),
        ..RequestFacts::default()
    };
    let parts = [Part::value(Place::Body, "/note", text.as_bytes())];
    waf::inspect(&parts, &facts, plan, 0)
}

/// Every attack with its class.
pub fn attacks() -> Vec<(&'static str, String)> {
    let generated = payloads::payloads().into_iter();
    generated.chain(files::attacks()).collect()
}

/// Every ordinary text.
pub fn ordinary() -> Vec<String> {
    let mut texts = payloads::business();
    texts.extend(files::ordinary());
    texts
}

/// The published false positives that stand beside the rule set.
pub fn published(folder: &Path) -> Vec<String> {
    let text = corpus::read(&folder.join("../libinjection/data/false_positives.txt"));
    let wanted = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    let lines = String::from_utf8_lossy(&text).into_owned();
    lines.lines().filter(wanted).map(str::to_owned).collect()
}

/// Refused and all by class and wrap.
pub type Counts<'t> = BTreeMap<(&'t str, &'static str), (usize, usize)>;

/// Counts how often each attack is refused; `missed` hears of those that pass, with class, wraps and text.
pub fn detected<'t>(
    plan: &Plan,
    attacks: &'t [(&str, String)],
    mut missed: impl FnMut(&str, &[&str], &str),
) -> Counts<'t> {
    let mut counts = Counts::new();
    for (class, text) in attacks {
        let mut passed = Vec::new();
        for wrap in payloads::WRAPS {
            let count = counts.entry((class, wrap)).or_default();
            count.1 += 1;
            if judged(plan, &payloads::wrap(wrap, text)).refuse {
                count.0 += 1;
            } else {
                passed.push(wrap);
            }
        }
        if !passed.is_empty() {
            missed(class, &passed, text);
        }
    }
    counts
}
