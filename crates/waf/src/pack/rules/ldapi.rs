//! Filters of directories.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Ldapi, id, pattern, why)
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.ldapi.break",
        r"(?i)\*?\)\s*\(\s*[|&!]|\)\s*\(\s*[\w.;:-]{1,40}\s*(?:[~<>:]?=|=\*)|\*\)+\s*(?:\(|%00|\x00)|=[^()]{0,60}\*\)+\s*$|\(\s*[|&!]\s*\(\s*[\w.;:-]{1,40}\s*[~<>]?=|[|&]\s*\(\s*[\w-]{1,40}\s*=\s*[^()=]{0,40}\)\s*(?:\(|\))|\)\(\||\)\(&|\\2[89a]\s*\\2[89a]|^\*+\)\s*(?:[(|&]|$)|\*\(\|\(|^\s*[|&!]\([\w]+=|^\s*\([\w.-]{1,40}\s*[~<>]?=\s*[^()]{0,60}\*?\)\s*$|^\s*\*[()|&]+|\b[\w-]{1,40}:(?:\d+\.){2,}\d+:=",
        "The text closes and extends a directory filter.",
    ),
    rule(
        "pack.ldapi.attribute",
        r"(?i)(?:^|[(*|&\s])(?:objectclass|objectcategory|samaccountname|userpassword|uid|cn|sn|mail|memberof|unicodepwd|givenname|employeenumber|homedirectory|uidnumber|gidnumber|userprincipalname|badpwdcount|logoncount|description|department|password|role|groupmembership|member)\s*[~<>]?=\s*(?:\*|[\w@.]*\*)\s*(?:\)|$|\()",
        "The text asks for any value of a directory attribute.",
    ),
];
