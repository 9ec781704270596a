//! Conditions and functions of XPath and XQuery.

use crate::finding::Class;
use crate::pack::{Confirm, Rule};

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Xpathi, id, pattern, why)
}

/// Functions of XPath.
macro_rules! functions {
    () => {
        concat!(
            r"count|string-length|substring(?:-before|-after)?|name|local-name|namespace-uri|position|last|text|node|",
            r"contains|starts-with|not|true|false|string|normalize-space|translate|doc(?:-available)?|id|boolean|",
            r"concat|sum|ends-with|matches",
        )
    };
}

/// How a path begins.
macro_rules! paths {
    () => {
        concat!(
            r"/{1,2}[\w*@]|\.{1,2}/|(?:parent|child|ancestor|following|preceding|self|attribute|name|//|/\*|text|",
            r"local-name|string)\b\s*(?:::|\()|/\*",
        )
    };
}

/// Axes of XPath.
macro_rules! axes {
    () => {
        concat!(
            r"ancestor|ancestor-or-self|child|descendant|descendant-or-self|following|following-sibling|parent|",
            r"preceding|preceding-sibling|attribute|namespace|self",
        )
    };
}

pub(crate) const RULES: &[Rule] = &[
    Rule {
        confirm: Confirm::BreaksOut,
        ..rule(
            "pack.xpathi.condition",
            any![
                "(?i)";
                "a condition that ends, and a path" =>
                    r#"(?:['"\])]\s*(?:or|and|\]\s*\||\|)|\d\s*(?:\]\s*\||\|))\s*(?://|/\*|/\w+(?:\[|/|::))"#,
                "the same, behind a number" => r"\d\s*(?:or|and)\s*(?://[\w*@]|/\*|/\w+(?:\[|::))",
                "a condition that ends, and a function" => concat!(
                    r#"['"\])\d]\s*(?:or|and|\]\s*\||\|)\s*(?:(?:"#,
                    functions!(),
                    r#")\s*\((?:[^()]{0,80}(?:$|\()|[^()]{0,80}\)\s*(?:$|[=<>!|+*'"\])/\[-]|(?:and|or|div|mod)\b)))"#,
                ),
                "a condition that ends, and a step" => r#"['"]\s*\]\s*(?:\||/)"#,
                "a second path" => r"\|\s*/{1,2}(?:\w+|\*|node\(\)|text\(\)|@)",
            ],
            "The text changes an XPath condition.",
        )
    },
    rule(
        "pack.xpathi.function",
        any![
            "(?i)";
            "a function over a path" => concat!(
                r"\b(?:count|name|local-name|string-length|substring|normalize-space|string|text|starts-with|contains)\s*\(\s*(?:",
                paths!(),
                r")",
            ),
        ],
        "The text asks an XPath function about a path.",
    ),
    rule(
        "pack.xpathi.axis",
        any![
            "(?i)";
            "an axis" => concat!(
                r"\b(?:",
                axes!(),
                r#")::(?:\*|(?:node|text|comment|processing-instruction)\s*\(|[\w-]+\s*[\[/\]='"|])"#,
            ),
            "a step with a condition" =>
                r#"(?:^|[^\w*])/{1,2}[\w*]+\[\s*(?:\d+\s*\](?:/|$|\s*[|=<>\])]|['"])|@\w+|position\s*\(|last\s*\(|contains\s*\(|text\s*\(|starts-with|\w+\s*(?:=|\())"#,
            "any element by its place" => r"/\*\[\d+\]",
            "any element, or those with users" =>
                r"(?:^|[^:\w])//(?:\*|users?\b[/\[]|user\s*$|users\s*$|node\(\)|@\*|password|text\(\))",
            "a document from elsewhere" =>
                r#"\bdoc(?:-available)?\s*\(\s*(?:['"]\s*(?:https?:|file:|ftp:|[./x])|concat)"#,
            "a query" => r"\b(?:for\s+\$\w+\s+in|let\s+\$\w+\s*:=|declare\s+(?:variable|function|namespace))\s",
            "a function by its name space" => r"\bfn:",
            "a text from elsewhere" => r"\bunparsed-text\s*\(",
            "everything, and something else" => r"^\s*\*\s*\|",
            "everything" => r"^\s*//\*?\s*$",
            "every attribute" => r"^\s*@\*\s*$",
        ],
        "The text walks an XML document.",
    ),
];
