//! Lookups that logging libraries resolve.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Jndi, id, pattern, why)
}

/// What logging libraries look up, and how such a name can be hidden.
macro_rules! lookups {
    () => {
        concat!(
            r"jndi|lower|upper|env|sys|java|date|ctx|bundle|main|map|marker|log4j|web|docker|k8s|kubernetes|spring|",
            r"script|dns|url|base64|base64decoder|base64encoder|const|file|xml|urlencoder|urldecoder|sd|event|hostname|",
            r"\w{0,10}:-|\w{0,10}::-|::|\$\{",
        )
    };
}

pub(crate) const RULES: &[Rule] = &[rule(
    "pack.jndi.lookup",
    any![
        "(?i)";
        "a lookup by name, by default value or inside another" => concat!(
            r"\$\{\s*(?:",
            lookups!(),
            r")\s*(?::|\}|-|\$|[a-z:])",
        ),
        "a directory to ask" => r"\bjndi\s*:\s*(?:ldaps?|rmi|dns|nis|iiop|corba|nds|https?|\$\{)",
        "the same, percent-encoded" => r"\$%7bjndi",
        "a lookup inside a lookup" => r"\$\{[^}]{0,80}\$\{[^}]{0,80}:",
        "a lookup that begins with a letter of its name" => r"j\$\{",
        "a letter made by a default value" => r"\$\{[^}]{0,20}:-[a-z:/]\}",
    ],
    "The text is a lookup that a logging library would resolve.",
)];
