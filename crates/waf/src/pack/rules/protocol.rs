//! Bytes that change the message around the text.

use crate::finding::Class;
use crate::pack::{Confirm, Rule};

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Protocol, id, pattern, why)
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.protocol.header",
        r"(?i)(?:[\r\n]|\\r\\n|\\n)\s*(?:set-cookie2?|content-(?:length|encoding|security-policy)|transfer-encoding|x-[a-z-]{2,30}|access-control-[a-z-]+)\s*:\s*\S|[\r\n]\s*remote-addr[\s]*:|[\r\n]\s*http/[0-9][\d.]*\s+\d{3}|(?:[\r\n]|\\r\\n)\s*content-type\s*:\s*[a-z]+/[a-z]|(?:[\r\n]|\\r\\n)\s*(?:location|refresh|link|referer)\s*:[^\r\n]{0,40}(?:https?:|//|javascript:|data:)|[\r\n]\s*(?:get|post|put|delete|head|options|connect|trace|patch)\s+\S+\s+http/|\r\n\r\n\s*<html|%e5%98%8[ad]|(?-u:\xe5\x98[\x8a\x8d])|(?-u:(?:\xc4[\x8a\x8d]|\xe0\x80[\x8a\x8d])+\s*(?:set-cookie|location|[a-z]+-[a-z]+)\s*:)|(?:\\r|\\n)(?:\\[rnt]|\s)*(?:set-cookie|location|host)\s*:|%0[ad](?:%0[ad])?[a-z]{1,20}-[a-z-]{1,20}:|%0[ad](?:%0[ad])?(?:location|host)(?::|%3a)|%%0[ad]0[ad]|^[^\r\n:]{0,80}\r\n\s*(?:host|via|status|cookie|authorization|cache-control)\s*:\s*\S+\s*$",
        "The text would begin a header or message of its own.",
    ),
    rule(
        "pack.protocol.mail",
        r"(?i)^[^\s:]{0,80}[\r\n]+\s*(?:bcc|cc|to|from|reply-to|mime-version)\s*:\s*[^\r\n]{0,80}@|[\r\n]\s*(?:mail from|rcpt to)\s*:|[\r\n]+(?-i:(?:DATA|QUIT|EHLO|HELO|VRFY|EXPN|RSET)(?:\s*[\r\n]|\s+\S+\s*$))|(?:^|[\r\n])\s*(?-i:[A-Z]{1,2}\d{2,4}\s+(?:CAPABILITY|FETCH|LOGOUT|CREATE|DELETE|SELECT|LOGIN|EXPUNGE|STORE|NOOP|LIST|SEARCH|EXAMINE|RENAME|AUTHENTICATE)(?:\s|$))",
        "The text would add a recipient or command to a mail.",
    ),
    Rule {
        confirm: Confirm::EndsName,
        ..rule("pack.protocol.nul", r"\x00", "The text holds a NUL byte.")
    },
];
