//! Filters of directories.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Ldapi, id, pattern, why)
}

/// Attributes of directories.
macro_rules! attributes {
    () => {
        concat!(
            r"objectclass|objectcategory|samaccountname|userpassword|uid|cn|sn|mail|memberof|unicodepwd|givenname|",
            r"employeenumber|homedirectory|uidnumber|gidnumber|userprincipalname|badpwdcount|logoncount|description|",
            r"department|password|role|groupmembership|member",
        )
    };
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.ldapi.break",
        any![
            "(?i)";
            "a filter closed, and a set begun" => r"\*?\)\s*\(\s*[|&!]",
            "a filter closed, and a condition begun" => r"\)\(\s*[\w.;:-]{1,40}\s*[~<>:]?=|\)\s+\(\s*[\w.;:-]{1,40}\s*[~<>:]?=\s*\*",
            "a joker that ends a filter" => r"\*\)+\s*(?:\(|%00|\x00)",
            "a value that ends with a joker and a bracket" => r"=[^()]{0,60}\*\)+\s*$",
            "a set of conditions" => r"\(\s*[|&!]\s*\(\s*[\w.;:-]{1,40}\s*[~<>]?=",
            "conditions in a row" => r"[|&]\s*\(\s*[\w-]{1,40}\s*=\s*[^()=]{0,40}\)\s*(?:\(|\))",
            "or, behind a filter" => r"\)\(\|",
            "and, behind a filter" => r"\)\(&",
            "brackets as LDAP escapes them" => r"\\2[89a]\s*\\2[89a]",
            "a joker at the beginning that ends a filter" => r"^\*+\)\s*(?:[(|&]|$)",
            "or, behind a joker" => r"\*\(\|\(",
            "a set whose first condition is open" => r"^\s*[|&!]\([\w]+=",
            "nothing but a filter" => r"^\s*\([\w.-]{1,40}\s*[~<>]?=\s*[^()]{0,60}\*?\)\s*$",
            "a joker and what ends or joins filters" => r"^\s*\*[()|&]+",
            "a matching rule by its number" => r"\b[\w-]{1,40}:(?:\d+\.){2,}\d+:=",
        ],
        "The text closes and extends a directory filter.",
    ),
    rule(
        "pack.ldapi.attribute",
        any![
            "(?i)";
            "an attribute of a directory compared with a joker" => concat!(
                r"(?:^|[(*|&\s])(?:",
                attributes!(),
                r")\s*[~<>]?=\s*(?:\*|[\w@.]*\*)\s*(?:\)|$|\()",
            ),
        ],
        "The text asks for any value of a directory attribute.",
    ),
];
