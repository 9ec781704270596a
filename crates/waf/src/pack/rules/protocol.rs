//! Bytes that change the message around the text.

use crate::finding::Class;
use crate::pack::{Confirm, Rule};

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Protocol, id, pattern, why)
}

pub(crate) const RULES: &[Rule] = &[
    Rule {
        confirm: Confirm::BeginsField,
        ..rule(
            "pack.protocol.header",
            any![
                "(?i)";
                "a field of an answer behind a line end" =>
                    r"(?:[\r\n]|\\r\\n|\\n)\s*(?:set-cookie2?|content-(?:length|encoding|security-policy)|transfer-encoding|x-[a-z-]{2,30}|access-control-[a-z-]+)\s*:\s*\S",
                "an address that a server writes itself" => r"[\r\n]\s*remote-addr[\s]*:",
                "a whole answer behind a line end" => r"[\r\n]\s*http/[0-9][\d.]*\s+\d{3}",
                "a content type behind a line end" => r"(?:[\r\n]|\\r\\n)\s*content-type\s*:\s*[a-z]+/[a-z]",
                "an address behind a line end" =>
                    r"(?:[\r\n]|\\r\\n)\s*(?:location|refresh|link|referer)\s*:[^\r\n]{0,40}(?:https?:|//|javascript:|data:)",
                "a second request behind a line end" =>
                    r"[\r\n]\s*(?:get|post|put|delete|head|options|connect|trace|patch)\s+\S+\s+http/",
                "an empty line and a page" => r"\r\n\r\n\s*<html",
                "a letter whose low byte is a line end, percent-encoded" => r"%e5%98%8[ad]",
                "the same, as bytes" => r"(?-u:\xe5\x98[\x8a\x8d])",
                "the same, before a field" =>
                    r"(?-u:(?:\xc4[\x8a\x8d]|\xe0\x80[\x8a\x8d])+\s*(?:set-cookie|location|[a-z]+-[a-z]+)\s*:)",
                "a line end by its escape, before a field" => r"(?:\\r|\\n)(?:\\[rnt]|\s)*(?:set-cookie|location|host)\s*:",
                "an encoded line end before a field" => r"%0[ad](?:%0[ad])?[a-z]{1,20}-[a-z-]{1,20}:",
                "the same, before an address" => r"%0[ad](?:%0[ad])?(?:location|host)(?::|%3a)",
                "a line end encoded twice" => r"%%0[ad]0[ad]",
                "a field of a request behind a line end" =>
                    r"^[^\r\n:]{0,80}\r\n\s*(?:host|via|status|cookie|authorization|cache-control)\s*:\s*\S+\s*$",
            ],
            "The text would begin a header or message of its own.",
        )
    },
    rule(
        "pack.protocol.mail",
        any![
            "(?i)";
            "a header of a mail behind a line end" =>
                r"^[^\s:]{0,80}[\r\n]+\s*(?:bcc|cc|to|from|reply-to|mime-version)\s*:\s*[^\r\n]{0,80}@",
            "a command of a mail server behind a line end" => r"[\r\n]\s*(?:mail from|rcpt to)\s*:",
            "the same, in capitals" => r"[\r\n]+(?-i:(?:DATA|QUIT|EHLO|HELO|VRFY|EXPN|RSET)(?:\s*[\r\n]|\s+\S+\s*$))",
            "a tagged command of a mailbox" =>
                r"(?:^|[\r\n])\s*(?-i:[A-Z]{1,2}\d{2,4}\s+(?:CAPABILITY|FETCH|LOGOUT|CREATE|DELETE|SELECT|LOGIN|EXPUNGE|STORE|NOOP|LIST|SEARCH|EXAMINE|RENAME|AUTHENTICATE)(?:\s|$))",
        ],
        "The text would add a recipient or command to a mail.",
    ),
    Rule {
        confirm: Confirm::EndsName,
        ..rule("pack.protocol.nul", r"\x00", "The text holds a NUL byte.")
    },
];
