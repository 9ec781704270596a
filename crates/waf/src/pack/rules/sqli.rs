//! SQL that the tokenising detector does not see, or sees only in one dialect.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule {
        id,
        class: Class::Sqli,
        score: 5,
        paranoia: 1,
        pattern,
        why,
    }
}

pub(crate) const RULES: &[Rule] = &[rule(
    "pack.sqli.union",
    r#"(?i)\bunion\b[\s(+]+(?:all|distinct)?[\s(+]*select\b[\s(+]+(?:null|\d|['"@*(`]|0x|[\w.\x60]+\s*(?:,|\(|from\b))"#,
    "The text appends a second query.",
)];
