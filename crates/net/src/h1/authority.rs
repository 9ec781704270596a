//! The one spelling of host and port: lower case, no trailing dot, no user part, a plain port.
//! Exports `canonical`. Pure.
//! Used by both protocols' requests.
//! Start reading at `canonical`.

use std::net::Ipv6Addr;

/// Longest authority: a DNS name and a port.
const BYTES_MAX: usize = 260;

/// The canonical spelling, or `None` when there is more than one way to read it.
pub fn canonical(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    if text.len() > BYTES_MAX {
        return None;
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (inside, after) = rest.split_once(']')?;
            inside.parse::<Ipv6Addr>().ok()?;
            (text.get(..inside.len() + 2)?, after)
        }
        None => match text.find(':') {
            Some(at) => text.split_at_checked(at)?,
            None => (text, ""),
        },
    };
    let is_name = host.starts_with('[') || is_name(host);
    if !is_name || !(port.is_empty() || is_port(port.strip_prefix(':')?)) {
        return None;
    }
    Some(text.to_ascii_lowercase())
}

/// Dot-separated, no empty label, so no leading, doubled or trailing dot.
fn is_name(host: &str) -> bool {
    host.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    })
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit())
        && !port.starts_with('0')
        && port.parse::<u16>().is_ok_and(|p| p > 0)
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn one_spelling_is_left() {
        for (given, expected) in [
            ("Gate.Test:8443", Some("gate.test:8443")),
            ("10.0.0.1", Some("10.0.0.1")),
            ("[::1]:80", Some("[::1]:80")),
            ("field_works", Some("field_works")),
            ("", None),
            (":80", None),
            ("a.", None),
            ("a..b", None),
            (".a", None),
            ("a:", None),
            ("a:0", None),
            ("a:080", None),
            ("a:65536", None),
            ("a:+80", None),
            ("user@a", None),
            ("a/b", None),
            ("a b", None),
            ("a,b", None),
            ("a\tb", None),
            ("bücher.test", None),
            ("[::1", None),
            ("[::g]", None),
            ("[::1]x", None),
            ("::1", None),
        ] {
            assert_eq!(
                canonical(given.as_bytes()).as_deref(),
                expected,
                "{given:?}"
            );
        }
    }
}
