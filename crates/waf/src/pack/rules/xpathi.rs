//! Conditions and functions of XPath and XQuery.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Xpathi, id, pattern, why)
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.xpathi.condition",
        r#"(?i)(?:['"\])]\s*(?:or|and|\]\s*\||\|)|\d\s*(?:\]\s*\||\|))\s*(?://|/\*|/\w+(?:\[|/|::))|\d\s*(?:or|and)\s*(?://[\w*@]|/\*|/\w+(?:\[|::))|['"\])\d]\s*(?:or|and|\]\s*\||\|)\s*(?:(?:count|string-length|substring(?:-before|-after)?|name|local-name|namespace-uri|position|last|text|node|contains|starts-with|not|true|false|string|normalize-space|translate|doc(?:-available)?|id|boolean|concat|sum|ends-with|matches)\s*\()|['"]\s*\]\s*(?:\||/)|\|\s*/{1,2}(?:\w+|\*|node\(\)|text\(\)|@)|\b(?:count|name|local-name|string-length|substring|normalize-space|string|text|starts-with|contains)\s*\(\s*(?:/{1,2}[\w*@]|\.{1,2}/|(?:parent|child|ancestor|following|preceding|self|attribute|name|//|/\*|text|local-name|string)\b\s*(?:::|\()|/\*)"#,
        "The text changes an XPath condition.",
    ),
    rule(
        "pack.xpathi.axis",
        r#"(?i)\b(?:ancestor|ancestor-or-self|child|descendant|descendant-or-self|following|following-sibling|parent|preceding|preceding-sibling|attribute|namespace|self)::(?:\*|(?:node|text|comment|processing-instruction)\s*\(|[\w-]+\s*[\[/\]='"|])|(?:^|[^\w*])/{1,2}[\w*]+\[\s*(?:\d+\s*\](?:/|$|\s*[|=<>\])]|['"])|@\w+|position\s*\(|last\s*\(|contains\s*\(|text\s*\(|starts-with|\w+\s*(?:=|\())|/\*\[\d+\]|(?:^|[^:\w])//(?:\*|users?\b[/\[]|user\s*$|users\s*$|node\(\)|@\*|password|text\(\))|\bdoc(?:-available)?\s*\(\s*(?:['"]\s*(?:https?:|file:|ftp:|[./x])|concat)|\b(?:for\s+\$\w+\s+in|let\s+\$\w+\s*:=|declare\s+(?:variable|function|namespace))\s|\bfn:|\bunparsed-text\s*\(|^\s*\*\s*\||^\s*//\*?\s*$|^\s*@\*\s*$"#,
        "The text walks an XML document.",
    ),
];
