//! Lookups that logging libraries resolve.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Jndi, id, pattern, why)
}

pub(crate) const RULES: &[Rule] = &[rule(
    "pack.jndi.lookup",
    r"(?i)\$\{\s*(?:jndi|lower|upper|env|sys|java|date|ctx|bundle|main|map|marker|log4j|web|docker|k8s|kubernetes|spring|script|dns|url|base64|base64decoder|base64encoder|const|file|xml|urlencoder|urldecoder|sd|event|hostname|\w{0,10}:-|\w{0,10}::-|::|\$\{)\s*(?::|\}|-|\$|[a-z:])|\bjndi\s*:\s*(?:ldaps?|rmi|dns|nis|iiop|corba|nds|https?|\$\{)|\$%7bjndi|\$\{[^}]{0,80}\$\{[^}]{0,80}:|j\$\{|\$\{[^}]{0,20}:-[a-z:/]\}",
    "The text is a lookup that a logging library would resolve.",
)];
