//! Inspection as a configuration sets it: rule directories, exclusions, fields with a paranoia of their own.
//! Start reading at `rules_of_a_directory_judge_the_fields_of_the_contract`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot read its data has failed"
)]

use std::path::{Path, PathBuf};

use config::compiled::OperationPlan;
use config::{Compiled, Files, Options, compile, compile_after, compile_to_read, render};
use model::Timestamp;
use waf::{Part, Place, RequestFacts};

fn add(directory: &Path, prefix: &str, files: &mut Files) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            add(&entry.path(), &format!("{name}/"), files)
        } else {
            files.insert(name, std::fs::read(entry.path()).unwrap())
        }
    }
}

fn base() -> Files {
    let mut files = Files::new();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/base");
    add(&here, "", &mut files);
    files
}

fn edited(from: &str, to: &str) -> Files {
    let mut files = base();
    let text = files.text("portcullis.yaml").unwrap().to_owned();
    assert!(text.contains(from));
    files.insert("portcullis.yaml", text.replacen(from, to, 1).into_bytes());
    files
}

fn compiled(files: &Files) -> Compiled {
    let now = Timestamp::parse("2026-11-23").unwrap();
    match compile(files, Options { now }) {
        Ok((compiled, _)) => compiled,
        Err(mistakes) => panic!(
            "{}",
            mistakes
                .iter()
                .map(|m| render(m, files))
                .collect::<String>()
        ),
    }
}

fn mistakes(files: &Files) -> String {
    let now = Timestamp::parse("2026-11-23").unwrap();
    let found = compile(files, Options { now }).err().unwrap_or_default();
    found.iter().map(|m| render(m, files)).collect()
}

fn operation<'c>(compiled: &'c Compiled, scope: &str) -> &'c OperationPlan {
    let mut all = compiled.versions.iter().flat_map(|v| &v.operations);
    all.find(|plan| &*plan.inspected.scope == scope).unwrap()
}

/// The rules that one text in a field of the body meets, and whether it is refused.
fn judged(compiled: &Compiled, scope: &str, pointer: &str, text: &str) -> (Vec<String>, bool) {
    let facts = RequestFacts {
        operation: scope,
        method: "POST",
        path: "/v2/work-orders",
        protocol: "HTTP/1.1",
        client: "192.0.2.7",
        headers: &[
            ("host", b"api.brightline.example"),
            ("user-agent", b"desk/1.0"),
            ("accept", b"application/json"),
            ("content-type", b"application/json"),
            ("content-length", b"60"),
        ],
        body_bytes: 60,
        ..RequestFacts::default()
    };
    let mut part = Part::value(Place::Body, pointer, text.as_bytes());
    let now = Timestamp::parse("2026-11-23").unwrap();
    part.paranoia = operation(compiled, scope)
        .inspected
        .paranoia_of(pointer, now);
    let found = waf::inspect(&[part], &facts, &compiled.inspection, 1_790_000_000);
    let rules = found.findings.iter().map(|f| f.rule.clone()).collect();
    (rules, found.refuse)
}

const CREATE: &str = "field-service/v2:createWorkOrder";
const UPDATE: &str = "field-service/v2:updateWorkOrder";
const ATTACK: &str = "1' UNION SELECT password FROM users--";

#[test]
fn proofs_are_the_same_after_a_reload_and_only_a_reader_has_none() {
    let (files, now) = (base(), Timestamp::parse("2026-11-23").unwrap());
    let first = compiled(&files);
    let known = first.irrelevant();
    assert!(known.iter().any(|one| one.dead > 0));
    let (again, _) = compile_after(&files, Options { now }, Some(&first)).unwrap();
    assert_eq!(again.irrelevant(), known);
    // Another paranoia shows fields to other rules.
    let wary = edited("paranoia: 1", "paranoia: 2");
    let (after, _) = compile_after(&wary, Options { now }, Some(&first)).unwrap();
    assert_eq!(after.irrelevant(), compiled(&wary).irrelevant());
    let (read, _) = compile_to_read(&files, Options { now }).unwrap();
    assert!(
        read.versions
            .iter()
            .all(|one| one.fields.skipped.is_empty())
    );
    assert_eq!(read.hash, first.hash);
}

#[test]
fn rules_of_a_directory_judge_the_fields_of_the_contract() {
    let compiled = compiled(&base());
    let (rules, is_refused) = judged(&compiled, CREATE, "/note", "say Plugh twice");
    assert!(is_refused && rules == ["1001"], "{rules:?}");
    let (rules, is_refused) = judged(&compiled, CREATE, "/note", "say please twice");
    assert!(!is_refused && rules.is_empty(), "{rules:?}");
}

#[test]
fn an_exclusion_holds_for_its_operation_only() {
    let compiled = compiled(&base());
    assert!(!judged(&compiled, CREATE, "/note", ATTACK).1);
    assert!(judged(&compiled, CREATE, "/partnerId", ATTACK).1);
    assert!(judged(&compiled, UPDATE, "/note", ATTACK).1);
}

#[test]
fn an_exclusion_without_an_operation_holds_wherever_the_field_is() {
    let compiled = compiled(&edited(
        "    - operation: createWorkOrder\n      pointer",
        "    - pointer",
    ));
    assert!(!judged(&compiled, CREATE, "/note", ATTACK).1);
    assert!(!judged(&compiled, UPDATE, "/note", ATTACK).1);
}

#[test]
fn an_operation_can_be_named_with_its_version() {
    let compiled = compiled(&edited(
        "operation: createWorkOrder",
        "operation: \"field-service/v2:createWorkOrder\"",
    ));
    assert!(!judged(&compiled, CREATE, "/note", ATTACK).1);
}

#[test]
fn a_field_has_the_paranoia_that_is_written_for_it() {
    let compiled = compiled(&base());
    let now = Timestamp::parse("2026-11-23").unwrap();
    let own = |scope: &str, pointer: &str| {
        let inspected = &operation(&compiled, scope).inspected;
        inspected.paranoia_of(pointer, now)
    };
    assert_eq!(own(UPDATE, "/note"), Some(2));
    assert_eq!(own(UPDATE, "/status"), None);
    assert_eq!(own(CREATE, "/note"), None);
}

#[test]
fn usual_headers_can_be_named_whatever_the_contract_declares() {
    let files = edited(
        "operation: createWorkOrder\n      pointer: /note",
        "operation: createWorkOrder\n      pointer: User-Agent",
    );
    compiled(&files);
}

#[test]
fn what_kept_a_directory_from_being_read_is_said_at_its_line() {
    let mut files = edited("rules: [rules]", "rules: [/etc/no-such-rules]");
    files.insert_unread(
        "/etc/no-such-rules",
        "No such file or directory (os error 2)",
    );
    let said = mistakes(&files);
    assert!(
        said.contains(
            "the rules of `/etc/no-such-rules` cannot be read: No such file or directory"
        ) && said.contains("portcullis.yaml:20:11"),
        "{said}"
    );
}

#[test]
fn directories_elsewhere_load_in_the_order_written_and_the_setup_first() {
    let mut files = edited("rules: [rules]", "rules: [/etc/rules, rules]");
    files.insert(
        "/etc/rules/crs-setup.conf",
        b"SecAction \"id:1,phase:1,nolog,pass,setvar:tx.crs_setup_version=400\"\n".as_slice(),
    );
    files.insert(
        "/etc/rules/REQUEST-901.conf",
        b"SecRule &TX:crs_setup_version \"@eq 0\" \"id:901001,phase:1,deny,status:500\"\n"
            .as_slice(),
    );
    let compiled = compiled(&files);
    let (rules, is_refused) = judged(&compiled, CREATE, "/note", "hello");
    assert!(!is_refused, "{rules:?}");
    assert!(judged(&compiled, CREATE, "/note", "xyzzy").1);
}

#[test]
fn two_lists_of_phrases_with_one_name_are_refused() {
    let mut files = edited("rules: [rules]", "rules: [rules, more]");
    files.insert("more/more.conf", b"SecMarker END\n".as_slice());
    files.insert("more/words.data", b"other\n".as_slice());
    let said = mistakes(&files);
    assert!(
        said.contains("`rules` and `more` hold different files `words.data`"),
        "{said}"
    );
}

#[test]
fn the_hash_of_a_configuration_covers_its_rules() {
    let (files, mut other) = (base(), base());
    other.insert("rules/words.data", b"xyzzy\n".as_slice());
    assert_ne!(compiled(&files).hash, compiled(&other).hash);
}

#[test]
fn a_configuration_that_follows_another_judges_by_its_own_rules() {
    let (files, mut other) = (base(), base());
    other.insert("rules/words.data", b"abracadabra\n".as_slice());
    let first = compiled(&files);
    let options = Options {
        now: Timestamp::parse("2026-11-23").unwrap(),
    };
    let same = compile_after(&files, options, Some(&first)).unwrap().0;
    let changed = compile_after(&other, options, Some(&first)).unwrap().0;
    let is_refused = |by: &Compiled, text| judged(by, CREATE, "/note", text).1;
    assert!(is_refused(&same, "xyzzy") && !is_refused(&same, "abracadabra"));
    assert!(!is_refused(&changed, "xyzzy") && is_refused(&changed, "abracadabra"));
}

#[test]
fn a_long_line_of_rules_is_shown_in_part() {
    let mut files = base();
    let long = format!(
        "SecRule ARGS \"@rx {}\" \"id:7,phase:2,deny,lua:x\"\n",
        "a".repeat(9_000)
    );
    files.insert("rules/long.conf", long.into_bytes());
    let said = mistakes(&files);
    assert!(
        said.contains("rules/long.conf:1") && said.len() < 2_000,
        "{said}"
    );
}

fn corpora() -> Option<PathBuf> {
    let root = std::env::var_os("PORTCULLIS_CORPORA").map(PathBuf::from);
    let found = root
        .map(|root| root.join("crs"))
        .filter(|crs| crs.join("rules").is_dir());
    if found.is_none() {
        println!("SKIP: no rule set; PORTCULLIS_CORPORA names no directory with crs/rules");
    }
    found
}

/// The Core Rule Set as it is released: its rules in one directory, the setup beside that directory.
fn with_core_rules(crs: &Path) -> Files {
    let mut files = edited("rules: [rules]", "rules: [crs, crs/rules]");
    files.insert(
        "crs/crs-setup.conf",
        std::fs::read(crs.join("crs-setup.conf.example")).unwrap(),
    );
    let mut rules = Files::new();
    add(&crs.join("rules"), "crs/rules/", &mut rules);
    for (path, bytes) in rules
        .iter()
        .filter(|(path, _)| config::rule_files::is_rule_file(path))
    {
        files.insert(path, bytes.to_vec());
    }
    files
}

#[test]
fn the_core_rule_set_loads_as_it_is_released() {
    let Some(crs) = corpora() else { return };
    let files = with_core_rules(&crs);
    let compiled = compiled(&files);
    assert!(
        compiled.inspection.rules() > 600,
        "{}",
        compiled.inspection.rules()
    );
    assert!(
        compiled
            .inspection
            .signature()
            .unwrap_or_default()
            .starts_with("OWASP_CRS/4")
    );
    let (rules, is_refused) = judged(&compiled, UPDATE, "/note", ATTACK);
    assert!(
        is_refused && rules.iter().any(|rule| rule.starts_with("942")),
        "{rules:?}"
    );
    let (rules, is_refused) = judged(&compiled, UPDATE, "/note", "The pump was replaced.");
    assert!(!is_refused, "{rules:?}");
}

#[test]
fn the_core_rule_set_without_its_setup_is_refused() {
    let Some(crs) = corpora() else { return };
    let mut files = with_core_rules(&crs);
    files.remove("crs/crs-setup.conf");
    let text = files
        .text("portcullis.yaml")
        .unwrap()
        .replace("[crs, crs/rules]", "[crs/rules]");
    files.insert("portcullis.yaml", text.into_bytes());
    let said = mistakes(&files);
    assert!(said.contains("the Core Rule Set has no setup"), "{said}");
}

#[test]
#[ignore = "prints figures; run by hand"]
fn figures() {
    let time = |what: &str, files: &Files| {
        let start = std::time::Instant::now();
        let compiled = compiled(files);
        println!(
            "{what}: {:?}, {} rules",
            start.elapsed(),
            compiled.inspection.rules()
        );
        for one in compiled.irrelevant() {
            println!("  {one:?}");
        }
    };
    time("own rules", &base());
    let start = std::time::Instant::now();
    let plan = waf::compile(&waf::Settings::default(), &waf::RuleFiles::none()).unwrap();
    println!("pack alone: {:?}", start.elapsed());
    for language in [
        waf::FieldLanguage::Free,
        waf::FieldLanguage::Integer,
        waf::FieldLanguage::Number,
        waf::FieldLanguage::Boolean,
        waf::FieldLanguage::Uuid,
        waf::FieldLanguage::Date,
        waf::FieldLanguage::DateTime,
        waf::FieldLanguage::Values(vec!["open".into(), "completed".into()]),
        waf::FieldLanguage::Pattern {
            source: "^WO-[0-9]{6}$".into(),
            length_max: None,
        },
    ] {
        let start = std::time::Instant::now();
        let field = plan.field(&language);
        let proof = field.proof();
        println!(
            "{language:?}: {:?} {} of {} dead, {:?}",
            start.elapsed(),
            proof.dead,
            proof.rules,
            proof.live.iter().take(5).collect::<Vec<_>>()
        );
    }
    if let Some(crs) = corpora() {
        let files = with_core_rules(&crs);
        time("the Core Rule Set", &files);
        let first = compiled(&files);
        let start = std::time::Instant::now();
        let now = Timestamp::parse("2026-11-23").unwrap();
        compile_after(&files, Options { now }, Some(&first)).unwrap();
        println!("the same rules again: {:?}", start.elapsed());
    }
}

#[test]
fn of_what_most_requests_carry_undeclared_nearly_every_rule_is_proven_dead() {
    let compiled = compiled(&base());
    let fields = contract::forwarded::FIELDS;
    assert_eq!(compiled.forwarded.len(), fields.len());
    for (field, plan) in fields.iter().zip(&compiled.forwarded) {
        let proof = plan.proof();
        println!(
            "{}: {} of {} dead, {:?}",
            field.name, proof.dead, proof.rules, proof.live
        );
        match field.name {
            "accept-language" | "prefer" | "traceparent" => {
                assert!(proof.dead * 10 >= proof.rules * 9, "{}", field.name);
            }
            // The caller's own words: nothing is proven about them.
            _ => assert_eq!(proof.dead, 0, "{}", field.name),
        }
    }
}

#[test]
fn internal_hosts_are_allowed_where_they_are_listed_and_mistakes_in_the_list_are_told() {
    let text = "http://files.plant.internal/1.png";
    let (rules, is_refused) = judged(&compiled(&base()), CREATE, "/title", text);
    assert!(is_refused && rules == ["pack.ssrf.name"], "{rules:?}");
    let listed = |hosts: &str| {
        edited(
            "paranoia: 1",
            &format!("paranoia: 1\n  internal_hosts: [{hosts}]"),
        )
    };
    let allowed = compiled(&listed("\"*.plant.internal\", 10.0.4.17"));
    assert_eq!(judged(&allowed, CREATE, "/title", text), (vec![], false));
    for (hosts, words) in [
        ("localhost", "`localhost` is this machine"),
        ("169.254.169.254", "`169.254.169.254` is this machine"),
        ("\"http://web\"", "`http://web` is no host"),
        ("\"web:80\"", "`web:80` is no host"),
    ] {
        let told = mistakes(&listed(hosts));
        assert!(
            told.contains(words) && told.contains("portcullis.yaml"),
            "{told}"
        );
    }
}
