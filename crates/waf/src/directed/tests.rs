use crate::part::{Part, Place, RequestFacts};
use crate::settings::{Exclusion, RuleFile, RuleFiles, Settings};
use crate::{Class, Findings, Plan, inspect};

/// A small rule set with counters and a blocking rule, shaped like the Core Rule Set.
const RULES: &str = r#"
SecDefaultAction "phase:2,log,auditlog,pass"
SecAction "id:10,phase:1,nolog,pass,setvar:tx.inbound_anomaly_score_pl1=0,setvar:tx.inbound_anomaly_score_pl2=0"
SecRule ARGS|ARGS_NAMES|REQUEST_COOKIES "@rx (?i)evil\s*word" "id:11,phase:2,block,t:none,t:urlDecodeUni,t:lowercase,msg:'evil',tag:'attack-sqli',tag:'paranoia-level/1',severity:'CRITICAL',setvar:tx.inbound_anomaly_score_pl1=+5"
SecRule TX:DETECTION_PARANOIA_LEVEL "@lt 2" "id:12,phase:2,nolog,pass,skipAfter:END"
SecRule ARGS "@pm shady" "id:13,phase:2,block,capture,msg:'shady %{TX.0} in %{MATCHED_VAR_NAME}',tag:'attack-rce',tag:'paranoia-level/2',setvar:tx.inbound_anomaly_score_pl2=+5"
SecMarker END
SecRule TX:INBOUND_ANOMALY_SCORE_PL1 "@ge %{tx.inbound_anomaly_score_threshold}" "id:14,phase:2,deny,status:403,log,msg:'score'"
"#;

fn plan(settings: &Settings) -> Plan {
    let files = RuleFiles {
        rules: vec![RuleFile {
            name: "small.conf".to_owned(),
            text: RULES.as_bytes().to_vec(),
        }],
        ..RuleFiles::default()
    };
    crate::compile(settings, &files).unwrap()
}

fn look(plan: &Plan, part: Part<'_>) -> Findings {
    let facts = RequestFacts {
        operation: "createOrder",
        method: "POST",
        path: "/orders",
        protocol: "HTTP/1.1",
        ..RequestFacts::default()
    };
    inspect(&[part], &facts, plan, 0)
}

#[test]
fn a_finding_of_a_directory_names_field_rule_and_chain() {
    let found = look(
        &plan(&Settings::default()),
        Part::value(Place::Body, "/items/0/note", b"an EVIL%20Word"),
    );
    let worst = found.worst().unwrap();
    assert_eq!(
        (worst.rule.as_str(), worst.pointer.as_str(), worst.class),
        ("11", "/items/0/note", Class::Sqli)
    );
    assert_eq!(worst.chain, ["urldecodeuni", "lowercase"]);
    assert!(found.refuse && found.score == 5, "{found:?}");
}

#[test]
fn cookies_and_names_are_judged_where_they_stand() {
    let plan = plan(&Settings::default());
    let cookie = look(&plan, Part::value(Place::Cookie, "session", b"evil word"));
    assert_eq!(cookie.worst().map(|worst| worst.place), Some(Place::Cookie));
    let name = look(&plan, Part::name(Place::Body, "/evil word", b"evil word"));
    assert_eq!(
        name.worst().map(|worst| worst.pointer.as_str()),
        Some("/evil word")
    );
}

#[test]
fn a_field_may_be_more_suspicious_than_the_plan() {
    let plan = plan(&Settings::default());
    let calm = Part::value(Place::Body, "/note", b"a shady text");
    assert!(!look(&plan, calm).refuse);
    let strict = Part {
        paranoia: Some(2),
        ..calm
    };
    let found = look(&plan, strict);
    assert!(found.refuse, "{found:?}");
    assert_eq!(found.findings[0].why, "shady shady in ARGS:json.note");
}

#[test]
fn an_exclusion_keeps_the_score_of_a_directory_down() {
    let settings = Settings {
        exclusions: vec![Exclusion {
            operation: Some("createOrder".to_owned()),
            pointer: "/note".to_owned(),
            rules: vec!["11".to_owned()],
            owner: "orders".to_owned(),
            expires: "2027-01-01".to_owned(),
            reason: String::new(),
        }],
        ..Settings::default()
    };
    let plan = plan(&settings);
    let found = look(&plan, Part::value(Place::Body, "/note", b"evil word"));
    assert!(!found.refuse && found.excluded.len() == 1, "{found:?}");
    assert!(look(&plan, Part::value(Place::Body, "/other", b"evil word")).refuse);
}
