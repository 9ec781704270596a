//! Operators and predicates for document databases, written inside a text.

use crate::finding::Class;
use crate::pack::{Confirm, Rule};

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Nosqli, id, pattern, why)
}

/// Operators of document databases, without their sign.
macro_rules! operators {
    () => {
        concat!(
            r"where|ne|eq|gte?|lte?|n?in|regex|exists|or|and|nor|not|expr|function|accumulator|elemmatch|mod|type|all|",
            r"size|jsonschema|text|lookup|func|cond|comment|slice|set|unset|inc|push|pull|rename|unionwith|out|merge|",
            r"match|group|project|search|near|within|options",
        )
    };
}

/// Methods of a collection.
macro_rules! methods {
    () => {
        concat!(
            r"find|findone|insert|insertmany|insertone|remove|deletemany|deleteone|update|updateone|updatemany|drop|",
            r"aggregate|mapreduce|save|count|distinct",
        )
    };
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.nosqli.operator_text",
        any![
            "(?i)";
            "an operator as a key" => concat!(
                r#"[{\[,(]\s*['"]?\s*\$(?:"#,
                operators!(),
                r#")\b\s*['"]?\s*(?::|\]|=>|=)"#,
            ),
        ],
        "The text holds an operator of a document database.",
    ),
    rule(
        "pack.nosqli.bare_operator",
        r"(?i)^\s*\$(?:where|not|nor|and|or|elemmatch|exists|text|regex|ne|eq|gte?|lte?|n?in|expr|jsonschema|function)\s*$",
        "The text is an operator of a document database.",
    ),
    rule(
        "pack.nosqli.bracket",
        r#"(?i)\[\s*['"]?\$[a-z]\w{1,13}['"]?\s*\]|(?:^|[&?\s,])\w*\[(?:%24|\$)[a-z]\w*\]?|(?:^|[^\w$])\$(?:where|nin|elemmatch|jsonschema|regex|exists|accumulator)\b\s*(?:['"]\s*)?[:=]"#,
        "The text names a parameter with a database operator.",
    ),
    rule(
        "pack.nosqli.predicate",
        any![
            "(?i)";
            "a comparison of numbers, joined to a condition" => r#"(?:\|\||&&)\s*['"]?\d+['"]?\s*={2,3}\s*['"]?\d"#,
            "a field of the document compared" =>
                r"\bthis\.\w+(?:\.\w+)*\s*(?:={2,3}|!={1,2}|[<>]=?|\.match|\.startswith|\.length|\[)",
            "a quotation that ends, and a condition" =>
                r#"^[^'"]{0,80}['"]\s*(?:\|\||&&)\s*(?:this\b|['"]?\w*['"]?\s*(?:={2,3}|!={1,2}|==)|true\b|1\b|['"\w!(]|sleep)"#,
            "a quotation that ends, and a statement" =>
                r#"['"]\s*;\s*(?:return\b|while\s*\(|var\s+\w+|it\s*=|sleep\s*\(|function\b|this\.)"#,
            "a statement that ends, and an answer" => r#"^[^{}]{0,80};\s*return\s*\(?\s*(?:true|1|!0|this|['"])"#,
            "an answer that is always true" =>
                r#"(?:^\W{0,3}|\bfunction\s*\(\s*\w{0,12}\s*\)\s*\{\s*)return\s*\(?\s*(?:true|1|this\.\w+|!0|['"]?a['"]?\s*==)\s*[;)}]"#,
            "the document's own keys" => r"\bobject\.keys\(\s*this\b",
            "a loop that makes the database wait" => r"\bdo\s*\{.{0,80}\}\s*while\s*\(",
            "a loop over time" => r"\bnew\s+date\b.{0,80}\bwhile\s*\(",
            "a value that ends, and an operator" => r"\b(?:true|false|1)\s*,\s*\$(?:where|or|ne|gt)\b",
        ],
        "The text is a predicate for a database that runs scripts.",
    ),
    rule(
        "pack.nosqli.call",
        any![
            "(?i)";
            "a method of a database or a collection" => concat!(
                r"\bdb\s*(?:\.\s*(?:getcollection|adminCommand|runcommand|eval|getcollectionnames|getname|version|users|stores|injection|loadserverscripts|system)\b|\.\w+\.(?:",
                methods!(),
                r")\s*\()",
            ),
            "a function of the shell over what is stored" =>
                r"\b(?:tojson|tojsononeline|emit|mapreduce|printjson|objectid)\s*\(\s*(?:db\b|this\b|1\b|\))",
            "a database dropped" => r"\bdropdatabase\s*\(",
            "what only an administrator asks" =>
                r"\bdb\.(?:getusers|getroles|getcollectioninfos|currentop|shutdownserver|killop|getmongo|hostinfo|serverstatus|listcommands)\s*\(",
            "a view of a document database that gives all" => r"\bemit\s*\(\s*doc\b",
            "a second condition with a pattern" => r#"\}\s*,\s*\{\s*['"]?\w+['"]?\s*:\s*/"#,
            "a step of a graph query that changes or shows nodes" =>
                r"\bmatch\s*\(\s*\w*(?::\w+)?\s*\)\s*(?:detach\s+delete|delete|return|set|remove|where)\b",
            "a graph query that ends, and another one" => r"\}\s*\)\s*return\b[^;]{0,60}(?:union|//)",
            "a wait" => r"\bsleep\s*\(\s*\d{3,6}\s*\)\s*(?:;|\|\||&&|\}|$)",
            "the names of all collections" => r"\bgetcollectionnames\s*\(",
        ],
        "The text calls a document database.",
    ),
    Rule {
        confirm: Confirm::BeginsField,
        ..rule(
            "pack.nosqli.store_line",
            any![
                "(?i)";
                "a line that a key-value store reads as a command" =>
                    r"[\r\n]+\s*(?:\*\d+\r?\n\$\d+|(?:flushall|flushdb|config\s+set|slaveof)\s[^\r\n]{0,120}(?:\r|\n|$))",
                "the same, by the names of commands" =>
                    r"\r\n\s*(?-i:SET|GET|DEL|EVAL|INCR|SAVE|KEYS|HSET|QUIT|AUTH|LPUSH|set|get|del|eval|incr|keys|hset|lpush)\s[^\r\n ]{1,60}(?:\s[^\r\n ]{1,120})?\s*(?:\r|\n|$)",
                "a line that a cache reads as a command" =>
                    r"\r\n\s*(?:set|add|replace|append)\s+\S{1,80}\s+\d+\s+\d+\s+\d+\s*\r\n",
            ],
            "The text begins a line of its own in the protocol of a data store.",
        )
    },
    rule(
        "pack.nosqli.store_protocol",
        any![
            "(?i)";
            "a script of a key-value store" => r"\bredis\.call\s*\(",
            "a command that an attack ends with" =>
                r"\b(?:flushall|flushdb|slaveof\s+\S+\s+\d+|config\s+(?:set|get)\s+(?:dir|dbfilename|\*|requirepass))\b",
            "an address of a document database or search engine" =>
                r#"(?:^|[/"'])_(?:all_docs|all_dbs|find|mapping|cat|cluster|users|replicate|session|security|design)\b\s*(?:[/?"']|$)"#,
            "a script in a search" => r#""script_fields""#,
            "a search for everything, or in a language" => r#""(?:match_all|query_string|lang|inline)"\s*:"#,
        ],
        "The text speaks the protocol of a data store.",
    ),
];
