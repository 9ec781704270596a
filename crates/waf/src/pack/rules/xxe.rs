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
        any![
            "(?i)";
            "a declaration of a document type" => r"<!\s*(?:entity|element|attlist|notation)\b",
            "another file taken in" => r"<\w*:?include\b[^>]{0,200}\bhref\s*=",
            "the name space for that" => r"\bxmlns:xi\s*=",
            "the same, by its address" => r"w3\.org/2001/xinclude",
            "a style sheet from elsewhere" => r"<\?xml-stylesheet\b[^>]{0,100}href",
            "a statement of a style sheet" => r"<xsl:(?:value-of|include|import|copy-of|variable|stylesheet|template)\b",
            "what the processor tells of itself" => r"\bsystem-property\s*\(",
            "where an entity comes from" => r"\bunparsed-entity-uri\b",
            "an entity of the document type" => r"%\w{1,20};\s*(?:%\w|\]|>|&)",
            "a schema from elsewhere" => r"\bxsi:(?:nonamespace)?schemalocation\s*=",
            "a script in a style sheet" => r"<\w+:?script\b[^>]{0,80}implements-prefix",
            "references that unfold" => r"\[\s*(?:\*\w{1,40}\s*,\s*){3,}\*\w{1,40}\s*[\],]",
        ],
        "The text declares or includes an XML entity.",
    ),
    rule(
        "pack.xxe.cdata",
        r#"(?i)<!\[cdata\[\s*(?:<|\]\]>)|<\?xml\b[^>]{0,60}encoding\s*=\s*['"](?:utf-?7|ibm-?037|cp037|ebcdic)|<\?xml\b[^>]{0,120}\?>\s*<!|\+ADw(?:AIQ)?-!?(?:doctype|entity)"#,
        "The text hides markup in a CDATA section.",
    ),
];
