//! Prototype keys inside a text.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::PrototypePollution, id, pattern, why)
}

pub(crate) const RULES: &[Rule] = &[rule(
    "pack.prototype_pollution.text",
    r#"(?i)__proto__|\bconstructor\s*(?:\.|\[\s*['"]?|\]\s*\[|['"]\s*:\s*\{\s*['"])\s*prototype\b|\bobject\.prototype\b|\b__(?:define|lookup)[gs]etter__"#,
    "The text reaches the prototype of objects.",
)];
