//! What the tags and the id of a rule say about it, and how its pattern is read.
//! Exports `paranoia`, `class`, `in_byte_mode`.
//! Used by `compile`.
//! Start reading at `class`.

use crate::finding::Class;

/// Rules may write a byte as `\x{hh}`; in byte mode it is `\xhh`.
pub(super) fn in_byte_mode(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, tail)) = rest.split_once("\\x{") {
        out.push_str(before);
        let digits = tail.split_once('}').filter(|(digits, _)| digits.len() == 2);
        match digits {
            Some((digits, after)) => {
                out.push_str("\\x");
                out.push_str(digits);
                rest = after;
            }
            None => {
                out.push_str("\\x{");
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    out
}

pub(super) fn paranoia(tags: &[String]) -> u8 {
    tags.iter()
        .find_map(|tag| tag.strip_prefix("paranoia-level/"))
        .and_then(|level| level.parse().ok())
        .unwrap_or(0)
}

/// The class of a rule: by its attack tag, else by the family its id belongs to.
pub(super) fn class(id: u32, tags: &[String]) -> Class {
    let by_tag = tags.iter().find_map(|tag| {
        Some(match tag.strip_prefix("attack-")? {
            "sqli" => Class::Sqli,
            "xss" => Class::Xss,
            "rce" | "injection-php" | "injection-java" | "injection-generic" => Class::Rce,
            "lfi" => Class::Traversal,
            "rfi" => Class::Rfi,
            "ssrf" => Class::Ssrf,
            "ssti" => Class::Ssti,
            "ldap" => Class::Ldapi,
            "fixation" => Class::Session,
            "reputation-scanner" => Class::Scanner,
            "disclosure" => Class::Leak,
            _ => return None,
        })
    });
    by_tag.unwrap_or(match id / 1000 {
        913 => Class::Scanner,
        930 => Class::Traversal,
        931 => Class::Rfi,
        932..=934 | 944 => Class::Rce,
        941 => Class::Xss,
        942 => Class::Sqli,
        943 => Class::Session,
        950..=956 => Class::Leak,
        _ => Class::Protocol,
    })
}
