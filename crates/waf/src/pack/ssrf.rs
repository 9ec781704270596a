//! Addresses a server must not be made to call.
//! Exports `judge` and `Reach`. Addresses are parsed, every odd notation included, and compared by range; names by their form.
//! Used by the pack on values.
//! Start reading at `judge`.

use super::Hit;
use crate::bytes::find_pair;
use crate::finding::Class;
use crate::hosts::Hosts;
use crate::hosts::address;
use crate::hosts::names::{self, Name};

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

const NAME: Hit = Hit {
    id: "pack.ssrf.name",
    class: Class::Ssrf,
    score: 5,
    paranoia: 1,
    why: "The address names a host that only an internal network knows.",
};

/// The ids of these rules.
pub(crate) const IDS: [&str; 5] = [SCHEME.id, INTERNAL.id, METADATA.id, NOTATION.id, NAME.id];

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

/// What is known of a text before it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach<'h> {
    /// The contract declares the field an address.
    pub(crate) is_typed: bool,
    /// Internal hosts that addresses may lead to.
    pub(crate) hosts: &'h Hosts,
}

/// How much an address is believed to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// One among other words.
    Mentioned,
    /// The text is an address and nothing else.
    Whole,
    /// The field is for addresses.
    Typed,
}

/// Judges a value.
///
/// A sentence may mention a device's private address; only a value that *is* an address, or a field declared as one, is
/// judged by range and by name. Metadata services and hidden notations never pass.
pub(crate) fn judge(text: &[u8], reach: Reach<'_>) -> Option<Hit> {
    let trimmed = text.trim_ascii();
    if memchr::memmem::find(trimmed, b"169.254.169.254").is_some() {
        return Some(METADATA);
    }
    if let Some(hit) = judge_whole(trimmed, reach) {
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
        let is_first = tried == 1 && at <= scheme.len() + 1;
        let standing = if reach.is_typed {
            Standing::Typed
        } else if is_first && !trimmed.contains(&b' ') {
            Standing::Whole
        } else {
            Standing::Mentioned
        };
        if let Some(hit) = judge_one(&scheme, tail, (standing, is_first), reach.hosts) {
            return Some(hit);
        }
        rest = tail;
    }
    if reach.is_typed && tried == 0 {
        return judge_host(
            trimmed,
            Standing::Typed,
            names::is_host_and_port(trimmed),
            reach.hosts,
        );
    }
    None
}

/// Schemes after which parsers accept any slashes, or none.
const LOOSE: [&[u8]; 6] = [b"http:", b"https:", b"ftp:", b"ws:", b"wss:", b""];

/// A value that is nothing but an address in a spelling only some parsers accept: `http:127.0.0.1`,
/// `http:\\127.0.0.1`, `///127.0.0.1`, `jar:http://…`, or a parameter that holds one.
fn judge_whole(text: &[u8], reach: Reach<'_>) -> Option<Hit> {
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
    let host = host.strip_prefix(b"@").unwrap_or(host);
    let (standing, is_named) = if reach.is_typed {
        (Standing::Typed, true)
    } else {
        (Standing::Whole, names::is_called_by_pages(scheme))
    };
    judge_host(host, standing, is_named, reach.hosts)
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

fn judge_one(
    scheme: &str,
    tail: &[u8],
    (standing, is_first): (Standing, bool),
    hosts: &Hosts,
) -> Option<Hit> {
    let scheme = scheme.strip_prefix("url:").unwrap_or(scheme);
    if SCHEMES.contains(&scheme) {
        return Some(SCHEME);
    }
    if scheme.is_empty() && standing == Standing::Mentioned {
        return None;
    }
    // In `https://host/a//b` the second pair of slashes begins no host.
    let is_named = match standing {
        Standing::Mentioned => false,
        Standing::Whole => names::is_called_by_pages(scheme.as_bytes()),
        Standing::Typed => names::is_called(scheme) || (is_first && scheme.is_empty()),
    };
    judge_host(tail, standing, is_named, hosts)
}

/// Judges what follows the two slashes: user, host, port. `is_named` says that a name there is looked up and called.
fn judge_host(tail: &[u8], standing: Standing, is_named: bool, hosts: &Hosts) -> Option<Hit> {
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
    let is_strict = standing != Standing::Mentioned;
    let mut last: &[u8] = b"";
    // Every piece between at-signs is a host to some parser.
    for piece in authority.split(|byte| *byte == b'@').take(4) {
        last = piece;
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
        if is_strict && found.is_internal() && !hosts.allow(host) {
            return Some(INTERNAL);
        }
        if is_strict && found.hidden {
            return Some(NOTATION);
        }
    }
    let host = address::without_port(last);
    let is_refused = match names::read(host).filter(|_| is_named)? {
        Name::Internal => true,
        // `http://intranet/wiki` is what people paste into a note; a port is what services have.
        Name::Single => standing == Standing::Typed || names::has_port(last),
    };
    (is_refused && !hosts.allow(host)).then_some(NAME)
}

#[cfg(test)]
mod tests;
