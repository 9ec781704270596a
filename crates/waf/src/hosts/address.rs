//! Reads a host as the most forgiving resolver would.
//! Exports `read`: dotted, short, decimal, octal, hexadecimal, mapped, enclosed letters, known names.
//! Used by `ssrf` and by the list of allowed hosts.
//! Start reading at `read`.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A host that is an address or a name known to lead to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    v4: Option<Ipv4Addr>,
    v6: Option<Ipv6Addr>,
    metadata_name: bool,
    local_name: bool,
    /// Not the notation people write.
    pub(crate) hidden: bool,
}

impl Found {
    const NOTHING: Found = Found {
        v4: None,
        v6: None,
        metadata_name: false,
        local_name: false,
        hidden: false,
    };

    pub(crate) fn is_metadata(&self) -> bool {
        self.metadata_name
            || self.v4.is_some_and(|address| {
                matches!(
                    address.octets(),
                    [169, 254, ..] | [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16]
                )
            })
            || self.v6 == Some(Ipv6Addr::new(0xFD00, 0xEC2, 0, 0, 0, 0, 0, 0x254))
    }

    pub(crate) fn is_internal(&self) -> bool {
        self.local_name || self.v4.is_some_and(internal_v4) || self.v6.is_some_and(internal_v6)
    }
}

fn internal_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || first == 0
        || first >= 240
        || (first == 100 && (64..128).contains(&second))
        || (first == 198 && (18..20).contains(&second))
}

fn internal_v6(address: Ipv6Addr) -> bool {
    let first = address.segments().first().copied().unwrap_or(0);
    address.is_loopback()
        || address.is_unspecified()
        || first & 0xFE00 == 0xFC00
        || matches!(first & 0xFFC0, 0xFE80 | 0xFEC0)
        || first >= 0xFF00
}

/// The host without brackets and port.
pub(crate) fn without_port(piece: &[u8]) -> &[u8] {
    if let Some(inner) = piece.strip_prefix(b"[") {
        let end = memchr::memchr(b']', inner).unwrap_or(inner.len());
        return inner.get(..end).unwrap_or_default();
    }
    let colons = memchr::memchr_iter(b':', piece).count();
    match memchr::memchr(b':', piece) {
        // A second port; an address of version six with two colons has them side by side.
        Some(at) if colons == 2 && !piece.windows(2).any(|pair| pair == b"::") => {
            piece.get(..at).unwrap_or_default()
        }
        Some(at) if colons == 1 => piece.get(..at).unwrap_or_default(),
        _ => piece,
    }
}

const METADATA_NAMES: [&str; 8] = [
    "rancher-metadata",
    "metadata.oraclecloud.com",
    "metadata.google.internal",
    "metadata",
    "instance-data",
    "metadata.goog",
    "metadata.azure.com",
    "metadata.packet.net",
];

const LOCAL_NAMES: [&str; 9] = [
    "loopback",
    "localhost",
    "localtest.me",
    "lvh.me",
    "vcap.me",
    "lacolhost.com",
    "ip6-localhost",
    "kubernetes.default",
    "host.docker.internal",
];

const LOCAL_SUFFIXES: [&str; 15] = [
    ".r87.me",
    ".oast.site",
    ".default.svc",
    ".localhost",
    ".localtest.me",
    ".lvh.me",
    ".vcap.me",
    ".nip.io",
    ".xip.io",
    ".sslip.io",
    ".burpcollaborator.net",
    ".oastify.com",
    ".oast.fun",
    ".interact.sh",
    ".svc.cluster.local",
];

/// Reads one host. `None`: an ordinary name.
pub(crate) fn read(host: &[u8]) -> Option<Found> {
    if host.is_empty() || host.len() > 253 {
        return None;
    }
    let (text, folded) = plain(host)?;
    let name = text.trim_end_matches('.');
    if METADATA_NAMES.contains(&name) {
        return Some(Found {
            metadata_name: true,
            ..Found::NOTHING
        });
    }
    if LOCAL_NAMES.contains(&name) || LOCAL_SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
        return Some(Found {
            local_name: true,
            hidden: folded,
            ..Found::NOTHING
        });
    }
    if name.contains(':') {
        return version_six(name);
    }
    let (address, odd) = version_four(name)?;
    Some(Found {
        v4: Some(address),
        hidden: odd || folded,
        ..Found::NOTHING
    })
}

/// Lower case ASCII; enclosed digits and letters and other dots folded as IDNA does.
fn plain(host: &[u8]) -> Option<(String, bool)> {
    let text = std::str::from_utf8(host).ok()?;
    let mut out = String::with_capacity(text.len());
    let mut folded = false;
    for letter in text.chars() {
        if letter.is_ascii() {
            out.push(letter.to_ascii_lowercase());
            continue;
        }
        folded = true;
        let code = u32::from(letter);
        let twin = match code {
            0x3002 | 0xFF0E | 0xFF61 => '.',
            0x24EA | 0x24FF => '0',
            0x2460..=0x2468 => digit(code - 0x2460 + 1),
            0x2080..=0x2089 => digit(code - 0x2080),
            0x2776..=0x277E => digit(code - 0x2776 + 1),
            0x24B6..=0x24CF => ascii_letter(code - 0x24B6),
            0x24D0..=0x24E9 => ascii_letter(code - 0x24D0),
            0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0)?.to_ascii_lowercase(),
            _ => return None,
        };
        out.push(twin);
    }
    Some((out, folded))
}

fn digit(value: u32) -> char {
    char::from_digit(value, 10).unwrap_or('0')
}

fn ascii_letter(value: u32) -> char {
    char::from_u32(u32::from('a') + value).unwrap_or('a')
}

fn version_six(text: &str) -> Option<Found> {
    let text = text.split('%').next().unwrap_or(text);
    let address: Ipv6Addr = text.parse().ok()?;
    let segments = address.segments();
    let mapped = match segments {
        [0, 0, 0, 0, 0, 0xFFFF, ..] | [0x64, 0xFF9B, 0, 0, 0, 0, ..] => low_v4(&segments),
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => low_v4(&segments),
        // NAT64 of one network (RFC 8215), and addresses of hosts behind ISATAP (RFC 5214 §6.1).
        [0x64, 0xFF9B, 1, ..] | [_, _, _, _, 0 | 0x200, 0x5EFE, ..] => low_v4(&segments),
        // Teredo (RFC 4380 §4) writes the client's address inverted.
        [0x2001, 0, _, _, _, _, high, low] => {
            Some(Ipv4Addr::from((u32::from(!high) << 16) | u32::from(!low)))
        }
        [0x2002, high, low, ..] => Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))),
        _ => None,
    };
    Some(Found {
        v4: mapped,
        v6: Some(address),
        hidden: mapped.is_some(),
        ..Found::NOTHING
    })
}

fn low_v4(segments: &[u16; 8]) -> Option<Ipv4Addr> {
    let [.., high, low] = segments;
    Some(Ipv4Addr::from((u32::from(*high) << 16) | u32::from(*low)))
}

/// One to four numbers, each decimal, octal or hexadecimal, the last one filling the rest.
fn version_four(text: &str) -> Option<(Ipv4Addr, bool)> {
    let fields: Vec<&str> = text.split('.').collect();
    if fields.len() > 4 {
        return None;
    }
    let mut odd = fields.len() != 4;
    let mut numbers = Vec::with_capacity(4);
    for field in &fields {
        let (number, strange) = number(field)?;
        odd |= strange;
        numbers.push(number);
    }
    let (last, heads) = numbers.split_last()?;
    // A bare small number is a number, not a host; zero is this very host.
    if heads.is_empty() && *last != 0 && *last < 1 << 24 {
        return None;
    }
    let mut value: u64 = 0;
    for (head, shift) in heads.iter().zip([24, 16, 8]) {
        // Old parsers keep the low byte of a field that is too large.
        odd |= *head > 255;
        value |= (head & 0xFF) << shift;
    }
    let room = 8 * (4 - heads.len());
    value |= last & ((1u64 << room) - 1);
    Some((Ipv4Addr::from(u32::try_from(value).ok()?), odd))
}

fn number(field: &str) -> Option<(u64, bool)> {
    if let Some(hex) = field.strip_prefix("0x") {
        return u64::from_str_radix(if hex.is_empty() { "0" } else { hex }, 16)
            .ok()
            .map(|value| (value, true));
    }
    if field.is_empty() || !field.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if field.len() > 1 && field.starts_with('0') {
        return u64::from_str_radix(field, 8)
            .or_else(|_| field.parse())
            .ok()
            .map(|value| (value, true));
    }
    field.parse().ok().map(|value| (value, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(text: &str) -> Option<(String, bool)> {
        read(text.as_bytes())
            .and_then(|found| found.v4.map(|address| (address.to_string(), found.hidden)))
    }

    #[test]
    fn odd_notations_lead_where_resolvers_go() {
        for text in [
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "0x7f.0.0.1",
            "①②⑦.⓪.⓪.①",
            "::ffff:127.0.0.1",
        ] {
            assert_eq!(v4(text), Some(("127.0.0.1".to_owned(), true)), "{text}");
        }
        assert_eq!(v4("127.0.0.1"), Some(("127.0.0.1".to_owned(), false)));
    }

    #[test]
    fn ordinary_hosts_and_numbers_are_not_addresses() {
        for text in ["example.com", "4711", "a.b.c.d", "pump-7"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }
}
