//! Bytes that change the message around the text.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule {
        id,
        class: Class::Protocol,
        score: 5,
        paranoia: 1,
        pattern,
        why,
    }
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.protocol.header",
        r"(?i)[\r\n]\s*(?:set-cookie|location|content-(?:type|length|disposition|encoding|security-policy)|transfer-encoding|http/[0-9][\d.]*|host|x-[a-z-]{2,30}|refresh|link|access-control-[a-z-]+|cache-control|status|authorization|cookie|referer|via)\s*[:/ ]\s*\S|[\r\n]\s*(?:get|post|put|delete|head|options|connect|trace)\s+\S+\s+http/|[\r\n](?:mail from|rcpt to|bcc|cc|to|from|subject|data|reply-to|mime-version)\s*:\s*[^\r\n]{0,80}@|%e5%98%8[ad]|(?-u:\xe5\x98[\x8a\x8d])",
        "The text would begin a header or message of its own.",
    ),
    rule("pack.protocol.nul", r"\x00", "The text holds a NUL byte."),
];
