//! Operators and predicates for document databases, written inside a text.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Nosqli, id, pattern, why)
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.nosqli.operator_text",
        r#"(?i)[{\[,(]\s*['"]?\s*\$(?:where|ne|eq|gte?|lte?|n?in|regex|exists|or|and|nor|not|expr|function|accumulator|elemmatch|mod|type|all|size|jsonschema|text|lookup|func|cond|comment|slice|set|unset|inc|push|pull|rename|unionwith|out|merge|match|group|project|search|near|within|options)\b\s*['"]?\s*(?::|\]|=>|=)"#,
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
        r#"(?i)(?:\|\||&&)\s*['"]?\d+['"]?\s*={2,3}\s*['"]?\d|\bthis\.\w+(?:\.\w+)*\s*(?:={2,3}|!={1,2}|[<>]=?|\.match|\.startswith|\.length|\[)|^[^'"]{0,80}['"]\s*(?:\|\||&&)\s*(?:this\b|['"]?\w*['"]?\s*(?:={2,3}|!={1,2}|==)|true\b|1\b|['"\w!(]|sleep)|['"]\s*;\s*(?:return\b|while\s*\(|var\s+\w+|it\s*=|sleep\s*\(|function\b|this\.)|^[^{}]{0,80};\s*return\s*\(?\s*(?:true|1|!0|this|['"])|(?:^\W{0,3}|\bfunction\s*\(\s*\w{0,12}\s*\)\s*\{\s*)return\s*\(?\s*(?:true|1|this\.\w+|!0|['"]?a['"]?\s*==)\s*[;)}]|\bobject\.keys\(\s*this\b|\bdo\s*\{.{0,80}\}\s*while\s*\(|\bnew\s+date\b.{0,80}\bwhile\s*\(|\b(?:true|false|1)\s*,\s*\$(?:where|or|ne|gt)\b"#,
        "The text is a predicate for a database that runs scripts.",
    ),
    rule(
        "pack.nosqli.call",
        r#"(?i)\bdb\s*(?:\.\s*(?:getcollection|adminCommand|runcommand|eval|getcollectionnames|getname|version|users|stores|injection|loadserverscripts|system)\b|\.\w+\.(?:find|findone|insert|insertmany|insertone|remove|deletemany|deleteone|update|updateone|updatemany|drop|aggregate|mapreduce|save|count|distinct)\s*\()|\b(?:tojson|tojsononeline|emit|mapreduce|printjson|objectid)\s*\(\s*(?:db\b|this\b|1\b|\))|\bdropdatabase\s*\(|\bdb\.(?:getusers|getroles|getcollectioninfos|currentop|shutdownserver|killop|getmongo|hostinfo|serverstatus|listcommands)\s*\(|\bemit\s*\(\s*doc\b|\}\s*,\s*\{\s*['"]?\w+['"]?\s*:\s*/|\bmatch\s*\(\s*\w*(?::\w+)?\s*\)\s*(?:detach\s+delete|delete|return|set|remove|where)\b|\}\s*\)\s*return\b[^;]{0,60}(?:union|//)|\bsleep\s*\(\s*\d{3,6}\s*\)\s*(?:;|\|\||&&|\}|$)|\bgetcollectionnames\s*\("#,
        "The text calls a document database.",
    ),
    rule(
        "pack.nosqli.store_protocol",
        r#"(?i)[\r\n]+\s*(?:\*\d+\r?\n\$\d+|(?:flushall|flushdb|config\s+set|slaveof)\s[^\r\n]{0,120}(?:\r|\n|$))|\r\n\s*(?-i:SET|GET|DEL|EVAL|INCR|SAVE|KEYS|HSET|QUIT|AUTH|LPUSH|set|get|del|eval|incr|keys|hset|lpush)\s[^\r\n ]{1,60}(?:\s[^\r\n ]{1,120})?\s*(?:\r|\n|$)|\r\n\s*(?:set|add|replace|append)\s+\S{1,80}\s+\d+\s+\d+\s+\d+\s*\r\n|\bredis\.call\s*\(|\b(?:flushall|flushdb|slaveof\s+\S+\s+\d+|config\s+(?:set|get)\s+(?:dir|dbfilename|\*|requirepass))\b|(?:^|[/"'])_(?:all_docs|all_dbs|find|mapping|cat|cluster|users|replicate|session|security|design)\b\s*(?:[/?"']|$)|"script_fields"|"(?:match_all|query_string|lang|inline)"\s*:"#,
        "The text speaks the protocol of a data store.",
    ),
];
