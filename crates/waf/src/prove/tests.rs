use super::*;
use crate::settings::{RuleFile, RuleFiles, Settings};
use crate::{Findings, Place, RequestFacts};
use proptest::prelude::*;
use std::sync::LazyLock;

/// A few rules in the shape of the Core Rule Set, so that both kinds of rules are proven.
const RULES: &str = r#"
SecDefaultAction "phase:2,log,auditlog,pass"
SecAction "id:10,phase:1,nolog,pass,setvar:tx.inbound_anomaly_score_pl1=0"
SecRule ARGS|ARGS_NAMES|REQUEST_COOKIES "@rx (?i)evil\s*word|[0-9]{3}-[0-9]{3}" "id:11,phase:2,block,t:none,t:urlDecodeUni,t:lowercase,msg:'evil',tag:'paranoia-level/1',setvar:tx.inbound_anomaly_score_pl1=+5"
SecRule ARGS "@detectSQLi" "id:12,phase:2,block,t:none,t:utf8toUnicode,t:urlDecodeUni,t:removeNulls,msg:'sql',tag:'paranoia-level/1',setvar:tx.inbound_anomaly_score_pl1=+5"
SecRule ARGS "@pm 07 shady" "id:13,phase:2,block,multiMatch,t:none,t:lowercase,t:replaceComments,msg:'phrase',tag:'paranoia-level/1',setvar:tx.inbound_anomaly_score_pl1=+5"
SecRule &TX:ARG_LENGTH "@eq 1" "id:14,phase:2,block,chain,msg:'long',tag:'paranoia-level/1'"
  SecRule ARGS "@gt %{tx.arg_length}" "t:none,t:length,setvar:tx.inbound_anomaly_score_pl1=+5"
SecRule &ARGS "@gt 3" "id:15,phase:2,block,msg:'many',tag:'paranoia-level/1',setvar:tx.inbound_anomaly_score_pl1=+5"
SecRule ARGS_COMBINED_SIZE "@gt 200" "id:16,phase:2,block,msg:'much',tag:'paranoia-level/1',setvar:tx.inbound_anomaly_score_pl1=+5"
SecRule ARGS "@rx ([0-9])e" "id:17,phase:2,block,chain,capture,msg:'chain',tag:'paranoia-level/1'"
  SecRule MATCHED_VARS "@rx e[0-9]" "setvar:tx.inbound_anomaly_score_pl1=+5"
SecRule ARGS "@rx [m-o]\}|[x-z]{2}" "id:18,phase:2,block,multiMatch,t:none,t:base64Decode,t:lowercase,msg:'base64',tag:'paranoia-level/1',setvar:tx.inbound_anomaly_score_pl1=+5"
"#;

static BOTH: LazyLock<Plan> = LazyLock::new(|| {
    let files = RuleFiles {
        rules: vec![RuleFile {
            name: "small.conf".to_owned(),
            text: RULES.as_bytes().to_vec(),
        }],
        ..RuleFiles::default()
    };
    crate::compile(&Settings::default(), &files).unwrap()
});

static PACK: LazyLock<Plan> =
    LazyLock::new(|| crate::compile(&Settings::default(), &RuleFiles::none()).unwrap());

fn judge(plan: &Plan, text: &str, field: Option<&FieldPlan>, copies: usize) -> Findings {
    let mut part = Part::value(Place::Body, "/n", text.as_bytes());
    part.field = field;
    let facts = RequestFacts {
        method: "POST",
        path: "/orders",
        protocol: "HTTP/1.1",
        ..RequestFacts::default()
    };
    crate::inspect(&vec![part; copies], &facts, plan, 0)
}

fn proof(plan: &Plan, language: &FieldLanguage) -> Proof {
    plan.field(language).proof().clone()
}

fn listed(values: &[&str]) -> FieldLanguage {
    FieldLanguage::Values(values.iter().map(|value| (*value).to_owned()).collect())
}

fn pattern(source: &str, length_max: Option<usize>) -> FieldLanguage {
    FieldLanguage::Pattern {
        source: source.to_owned(),
        length_max,
    }
}

#[test]
fn a_free_field_keeps_every_rule() {
    let free = proof(&PACK, &FieldLanguage::Free);
    assert_eq!((free.dead, free.live.len()), (0, free.rules));
    assert!(!PACK.field(&FieldLanguage::Free).is_closed());
}

#[test]
fn what_has_one_shape_is_closed_to_the_pack() {
    for language in [
        FieldLanguage::Boolean,
        FieldLanguage::Integer,
        FieldLanguage::Number,
        FieldLanguage::Uuid,
        FieldLanguage::Date,
        FieldLanguage::DateTime,
        listed(&["scheduled", "in progress", "done"]),
        pattern("^[A-Z]{2}$", None),
        pattern("^WO-[0-9]{4}-[0-9]{5}$", Some(20)),
    ] {
        let field = PACK.field(&language);
        assert!(field.is_closed(), "{language:?}: {:?}", field.proof());
    }
}

#[test]
fn a_list_with_an_attack_in_it_is_not_closed() {
    let proof = proof(&PACK, &listed(&["none", "' or 1=1 --"]));
    assert!(
        !proof.live.is_empty() && proof.dead > proof.live.len(),
        "{proof:?}"
    );
}

#[test]
fn a_pattern_without_anchors_or_bounds_proves_nothing_it_should_not() {
    for source in ["[0-9]+", "^.*$", "^[^x]{1,200}$", "(unclosed"] {
        let proof = proof(&PACK, &pattern(source, None));
        assert!(
            proof.live.len() * 10 > proof.rules * 9,
            "{source}: {proof:?}"
        );
    }
    let short = proof(&PACK, &pattern("^.{1,2}$", None));
    assert!(short.dead * 2 > short.rules, "{short:?}");
}

#[test]
fn rules_of_a_directory_are_proven_with_their_transformations() {
    let left = |language: &FieldLanguage| {
        let mut live = proof(&BOTH, language).live;
        live.retain(|id| !id.starts_with("pack."));
        live
    };
    // A date holds no evil word, but 2026-11-07 holds a phrase.
    // Its year, taken for base64, may read `m}`.
    assert_eq!(left(&FieldLanguage::Date), ["13", "18"]);
    assert_eq!(left(&FieldLanguage::Uuid), ["11", "13", "17", "18"]);
    assert_eq!(left(&FieldLanguage::Boolean), Vec::<String>::new());
    assert_eq!(left(&listed(&["407"])), ["13"]);
    assert_eq!(left(&FieldLanguage::Number), ["13", "17", "18"]);
}

#[test]
fn what_is_not_of_its_language_is_inspected_as_free_text() {
    for plan in [&*PACK, &*BOTH] {
        let field = plan.field(&FieldLanguage::Uuid);
        let found = judge(plan, "' or 1=1 -- ", Some(&field), 1);
        assert!(found.refuse, "{found:?}");
    }
}

#[test]
fn the_proof_of_other_rules_counts_for_nothing() {
    let closed = PACK.field(&listed(&["evil word"]));
    assert!(closed.is_closed());
    assert!(judge(&BOTH, "evil word", Some(&closed), 1).refuse);
}

#[test]
fn closed_fields_still_count() {
    let field = BOTH.field(&FieldLanguage::Boolean);
    assert!(field.is_closed(), "{:?}", field.proof());
    assert!(!judge(&BOTH, "true", Some(&field), 3).refuse);
    assert!(judge(&BOTH, "true", Some(&field), 4).refuse);
}

#[test]
fn a_name_is_never_elided() {
    let field = PACK.field(&listed(&["__proto__"]));
    let part = Part::name(Place::Body, "/__proto__", b"__proto__").proven(&field);
    assert!(crate::inspect(&[part], &RequestFacts::default(), &PACK, 0).refuse);
}

/// A text of one of the languages with the number of the language.
fn text_of_a_language() -> impl Strategy<Value = (usize, String)> {
    prop_oneof![
        "-?[0-9]{1,24}".prop_map(|text| (0, text)),
        "-?[0-9]{1,9}(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?".prop_map(|text| (1, text)),
        "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
            .prop_map(|text| (2, text)),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}".prop_map(|text| (3, text)),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
            .prop_map(|text| (4, text)),
        "[a-e07/. '<]{1,6}".prop_map(|text| (5, text)),
        "(true|false)".prop_map(|text| (6, text)),
    ]
}

static FIELDS: LazyLock<Vec<FieldPlan>> = LazyLock::new(|| {
    [
        FieldLanguage::Integer,
        FieldLanguage::Number,
        FieldLanguage::Uuid,
        FieldLanguage::Date,
        FieldLanguage::DateTime,
        pattern("^[a-e07/. '<]{1,6}$", None),
        FieldLanguage::Boolean,
    ]
    .iter()
    .map(|language| BOTH.field(language))
    .collect()
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn with_and_without_elision_the_findings_are_the_same((language, text) in text_of_a_language()) {
        let proven = judge(&BOTH, &text, FIELDS.get(language), 1);
        let plain = judge(&BOTH, &text, None, 1);
        prop_assert_eq!(proven, plain, "{}", text);
    }
}

#[test]
fn languages_asked_together_are_proven_as_they_are_alone() {
    let languages = [
        FieldLanguage::Free,
        FieldLanguage::Date,
        listed(&["407", "none"]),
        FieldLanguage::Uuid,
        pattern("^[a-z' ]{3,9}$", Some(9)),
        FieldLanguage::DateTime,
        pattern("^.{1,2}$", None),
    ];
    for (language, together) in languages.iter().zip(BOTH.fields(&languages)) {
        let alone = BOTH.field(language);
        assert_eq!(together.proof(), alone.proof(), "{language:?}");
    }
}

#[test]
fn what_cannot_be_paid_for_is_free() {
    let many: Vec<FieldLanguage> = (0..20)
        .map(|set| FieldLanguage::Values((0..1500).map(|one| format!("{set}-{one}")).collect()))
        .collect();
    let plans = PACK.fields(&many);
    let closed = plans.iter().filter(|plan| plan.is_closed()).count();
    assert_eq!((plans.len(), closed), (20, 16));
}

#[test]
fn where_anything_may_stand_nothing_is_proven() {
    for open in ["^https://", "[0-9]+", "^[a-z]{2}.*x$"] {
        assert_eq!(proof(&PACK, &pattern(open, None)).dead, 0, "{open}");
    }
    let short = proof(&PACK, &pattern("^https://", Some(10)));
    assert!(short.dead > 0, "a short text has no room for most rules");
    let most = proof(&PACK, &pattern("^[^<>]*$", None));
    assert!(most.dead > 0, "some rules need what may not stand there");
}
