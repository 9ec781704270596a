//! Document types, entities and inclusions of XML.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Xxe, id, pattern, why)
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.xxe.doctype",
        r#"(?i)<!\s*doctype\s+[^>\[]{0,200}(?:\[|\bsystem\b|\bpublic\s+['"][^'"]*['"]\s+['"](?:file|http|ftp|php|jar|expect|gopher|netdoc|/))"#,
        "The text declares an XML document type.",
    ),
    rule(
        "pack.xxe.entity",
        r"(?i)<!\s*(?:entity|element|attlist|notation)\b|<\w*:?include\b[^>]{0,200}\bhref\s*=|\bxmlns:xi\s*=|w3\.org/2001/xinclude|<\?xml-stylesheet\b[^>]{0,100}href|<xsl:(?:value-of|include|import|copy-of|variable|stylesheet|template)\b|\bsystem-property\s*\(|\bunparsed-entity-uri\b|%\w{1,20};\s*(?:%\w|\]|>|&)|\bxsi:(?:nonamespace)?schemalocation\s*=|<\w+:?script\b[^>]{0,80}implements-prefix|\[\s*(?:\*\w{1,40}\s*,\s*){3,}\*\w{1,40}\s*[\],]",
        "The text declares or includes an XML entity.",
    ),
    rule(
        "pack.xxe.cdata",
        r#"(?i)<!\[cdata\[\s*(?:<|\]\]>)|<\?xml\b[^>]{0,60}encoding\s*=\s*['"](?:utf-?7|ibm-?037|cp037|ebcdic)|<\?xml\b[^>]{0,120}\?>\s*<!|\+ADw(?:AIQ)?-!?(?:doctype|entity)"#,
        "The text hides markup in a CDATA section.",
    ),
];
