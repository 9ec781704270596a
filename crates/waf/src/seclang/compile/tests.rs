use super::*;
use crate::settings::RuleFile;

/// Rules written in a test.
pub(in crate::seclang) fn load(text: &str) -> Result<RuleSet, Vec<LoadError>> {
    RuleSet::load(&RuleFiles {
        rules: vec![RuleFile {
            name: "test.conf".to_owned(),
            text: text.as_bytes().to_vec(),
        }],
        ..RuleFiles::default()
    })
}

#[test]
fn an_unknown_construct_refuses_the_load_with_its_line() {
    for (text, part) in [
        ("\nSecRule ARGS \"@geoLookup\" \"id:1,pass\"", "@geoLookup"),
        (
            "\nSecRule WEBSERVER_ERROR_LOG \"@rx a\" \"id:1,pass\"",
            "WEBSERVER_ERROR_LOG",
        ),
        ("\nSecRule ARGS \"@rx a\" \"id:1,pass,t:md5\"", "md5"),
        ("\nSecRule ARGS \"@rx a\" \"id:1,exec:/bin/sh\"", "exec"),
        ("\nSecRule ARGS \"@rx (?=a)b\" \"id:1,pass\"", "look-around"),
        ("\nSecRuleScript x.lua \"id:1\"", "SecRuleScript"),
        (
            "\nSecRule ARGS \"@pmFromFile absent.data\" \"id:1\"",
            "absent.data",
        ),
        ("\nSecAction \"id:1,pass,skipAfter:NOWHERE\"", "NOWHERE"),
    ] {
        let errors = load(text).unwrap_err();
        assert_eq!(errors[0].line, 2, "{text}: {errors:?}");
        assert!(errors[0].message.contains(part), "{text}: {errors:?}");
    }
}

#[test]
fn a_marker_before_the_rule_is_not_found() {
    assert!(load("SecMarker A\nSecAction \"id:1,pass,skipAfter:A\"").is_err());
    assert!(load("SecAction \"id:1,pass,skipAfter:A\"\nSecMarker A").is_ok());
}
