//! Addresses a server must not be made to call.
//! Exports `judge`. Addresses are parsed, every odd notation included, and compared by range.
//! Used by the pack on values.
//! Start reading at `judge`.

use super::Hit;
use crate::bytes::find_pair;
use crate::finding::Class;

mod address;

const SCHEME: Hit = Hit {
    id: "pack.ssrf.scheme",
    class: Class::Ssrf,
    score: 5,
    paranoia: 1,
    why: "The address uses a scheme that reaches files or raw sockets.",
};

const INTERNAL: Hit = Hit {
    id: "pack.ssrf.internal",
    class: Class::Ssrf,
    score: 5,
    paranoia: 1,
    why: "The address lies in a private, local or link-local range.",
};

const METADATA: Hit = Hit {
    id: "pack.ssrf.metadata",
    class: Class::Ssrf,
    score: 5,
    paranoia: 1,
    why: "The address is a metadata service of a cloud.",
};

const NOTATION: Hit = Hit {
    id: "pack.ssrf.notation",
    class: Class::Ssrf,
    score: 5,
    paranoia: 1,
    why: "The address is written in a notation that hides where it leads.",
};

/// The ids of these rules.
pub(crate) const IDS: [&str; 4] = [SCHEME.id, INTERNAL.id, METADATA.id, NOTATION.id];

const SCHEMES: [&str; 18] = [
    "unix",
    "http+unix",
    "https+unix",
    "gopher",
    "dict",
    "file",
    "ldap",
    "ldaps",
    "tftp",
    "jar",
    "netdoc",
    "phar",
    "expect",
    "rmi",
    "local_file",
    "ogg",
    "ssh2",
    "php",
];

const ADDRESSES_MAX: usize = 32;
/// Longer texts are not one address.
const WHOLE_MAX: usize = 2048;

/// Judges a value. `typed` says the contract declares it a URL.
///
/// A sentence may mention a device's private address; only a value that *is* an address, or a
/// field declared as one, is judged by range. Metadata services and hidden notations never pass.
pub(crate) fn judge(text: &[u8], typed: bool) -> Option<Hit> {
    let trimmed = text.trim_ascii();
    if memchr::memmem::find(trimmed, b"169.254.169.254").is_some() {
        return Some(METADATA);
    }
    if let Some(hit) = judge_whole(trimmed) {
        return Some(hit);
    }
    let mut rest = trimmed;
    let mut tried = 0;
    while let Some(at) = find_pair(rest, *b"//") {
        tried += 1;
        if tried > ADDRESSES_MAX {
            return None;
        }
        let scheme = scheme_before(rest.get(..at).unwrap_or_default());
        let tail = rest.get(at + 2..).unwrap_or_default();
        let whole = tried == 1 && at <= scheme.len() + 1 && !trimmed.contains(&b' ');
        if let Some(hit) = judge_one(&scheme, tail, whole || typed) {
            return Some(hit);
        }
        rest = tail;
    }
    if typed && tried == 0 {
        return judge_host(trimmed, true);
    }
    None
}

/// Schemes after which parsers accept any slashes, or none.
const LOOSE: [&[u8]; 6] = [b"http:", b"https:", b"ftp:", b"ws:", b"wss:", b""];

/// A value that is nothing but an address in a spelling only some parsers accept: `http:127.0.0.1`,
/// `http:\\127.0.0.1`, `///127.0.0.1`, `jar:http://…`, or a parameter that holds one.
fn judge_whole(text: &[u8]) -> Option<Hit> {
    let begins = text
        .first()
        .is_some_and(|byte| b"/\\HhFfWwJjUu".contains(byte));
    let assigned = memchr::memchr(b'=', text).is_some() && memchr::memchr(b'/', text).is_some();
    if text.len() > WHOLE_MAX || !(begins || assigned) || text.contains(&b' ') {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let wraps: [&[u8]; 3] = [b"jar:http", b"jar:file", b"jar:ftp"];
    if wraps.iter().any(|wrap| lower.starts_with(wrap)) {
        return Some(SCHEME);
    }
    let mut address = lower.strip_prefix(b"url:").unwrap_or(&lower);
    if let Some(at) = memchr::memchr(b'=', address) {
        let name = address.get(..at).unwrap_or_default();
        // Of `page.php?url` only the parameter counts.
        let name = name
            .rsplit(|byte| matches!(byte, b'?' | b'&'))
            .next()
            .unwrap_or_default();
        let value = address.get(at + 1..).unwrap_or_default();
        let named = name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte));
        if named && (find_pair(value, *b"//").is_some_and(|at| at <= 8)) {
            address = value;
        }
    }
    let (scheme, tail) = LOOSE
        .iter()
        .find_map(|scheme| address.strip_prefix(*scheme).map(|tail| (*scheme, tail)))?;
    let slashes = tail
        .iter()
        .take_while(|byte| matches!(byte, b'/' | b'\\'))
        .count();
    if scheme.is_empty() && slashes < 2 {
        return None;
    }
    // A share of the company's own network is written with two backslashes and a name.
    let host = tail.get(slashes..).unwrap_or_default();
    judge_host(host.strip_prefix(b"@").unwrap_or(host), true)
}

fn scheme_before(head: &[u8]) -> String {
    let Some(body) = head.strip_suffix(b":") else {
        return String::new();
    };
    let start = body
        .iter()
        .rposition(|byte| {
            !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'-' | b'.' | b'_')
        })
        .map_or(0, |at| at + 1);
    String::from_utf8_lossy(body.get(start..).unwrap_or_default()).to_ascii_lowercase()
}

fn judge_one(scheme: &str, tail: &[u8], strict: bool) -> Option<Hit> {
    let scheme = scheme.strip_prefix("url:").unwrap_or(scheme);
    if SCHEMES.contains(&scheme) {
        return Some(SCHEME);
    }
    if scheme.is_empty() && !strict {
        return None;
    }
    judge_host(tail, strict)
}

/// Judges what follows the two slashes: user, host, port.
fn judge_host(tail: &[u8], strict: bool) -> Option<Hit> {
    let end = tail
        .iter()
        .position(|byte| {
            matches!(
                byte,
                b'/' | b'?' | b'#' | b'\\' | b' ' | b'"' | b'\'' | b'<' | b'>' | b','
            ) || *byte < 0x20
        })
        .unwrap_or(tail.len());
    let authority = tail.get(..end).unwrap_or_default();
    // Every piece between at-signs is a host to some parser.
    for piece in authority.split(|byte| *byte == b'@').take(4) {
        let host = address::without_port(piece);
        let Some(found) = address::read(host) else {
            continue;
        };
        if found.is_metadata() {
            return Some(METADATA);
        }
        if found.hidden && found.is_internal() {
            return Some(NOTATION);
        }
        if strict && found.is_internal() {
            return Some(INTERNAL);
        }
        if strict && found.hidden {
            return Some(NOTATION);
        }
    }
    None
}
