//! URLs of the upstream in what leaves of its answers: its name and port are nobody's to know, and lead past the gateway.
//! Exports `rewritten`: what lies below the version's base path is written as ours, anything else of the upstream is withheld.
//! Pure. Used by stage `response` on JSON that was let out, behind the field filter.
//! Start reading at `rewritten`.

use config::values::Origin;
use memchr::memmem;

/// A body without the upstream's URLs.
#[derive(Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The body to send instead.
    pub body: Vec<u8>,
    /// Some led elsewhere than to the api, and stars stand in their place.
    pub is_withheld: bool,
}

/// What stands for a URL that leads elsewhere.
const HIDDEN: &[u8] = b"***";

/// A place in the body that names the upstream.
struct Place {
    /// Where the URL begins.
    start: usize,
    /// Where its path begins.
    path: usize,
    /// It has a name and a password.
    has_user: bool,
}

/// JSON text with the URLs of these targets written as ours; `None` where there is none. `own` is what scheme and host become:
/// `https://api.example.com`, or nothing where it is not known how callers reach us, so that a path is left (RFC 3986 §4.2).
pub fn rewritten(body: &[u8], targets: &[Origin], base_path: &str, own: &str) -> Option<Rewritten> {
    let mut out = Rewritten {
        body: Vec::new(),
        is_withheld: false,
    };
    let mut done = 0;
    for slashes in memmem::find_iter(body, b"//") {
        // What was covered already, as the end of a URL that held another one.
        if slashes < done {
            continue;
        }
        let Some(place) = place(body, slashes, targets).filter(|place| place.start >= done) else {
            continue;
        };
        out.body.extend_from_slice(body.get(done..place.start)?);
        let rest = body.get(place.path..)?;
        let length = rest.iter().take_while(|byte| !ends_url(**byte)).count();
        let path = rest.get(..length)?;
        if is_below(path, base_path.as_bytes()) && !place.has_user {
            out.body.extend_from_slice(own.as_bytes());
            // A reference without host needs a path.
            if own.is_empty() && path.first() != Some(&b'/') {
                out.body.push(b'/');
            }
            done = place.path;
        } else {
            out.body.extend_from_slice(HIDDEN);
            out.is_withheld = true;
            done = place.path + length;
        }
    }
    if done == 0 {
        return None;
    }
    out.body.extend_from_slice(body.get(done..)?);
    Some(out)
}

/// The URL whose `//` stands here, where its host and port are a target's.
fn place(body: &[u8], slashes: usize, targets: &[Origin]) -> Option<Place> {
    let before = body.get(..slashes)?;
    let scheme = [b"http:".as_slice(), b"https:"];
    let is_written = |scheme: &&&[u8]| {
        let tail = before.len().checked_sub(scheme.len());
        tail.and_then(|at| before.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(scheme))
    };
    let scheme = scheme.iter().find(is_written);
    // Without a scheme it is one of the base's, unless the slashes are part of a path.
    let is_bare = || {
        let last = before.last();
        !last.is_some_and(|byte| byte.is_ascii_alphanumeric() || b":/._-%~".contains(byte))
    };
    if scheme.is_none() && !is_bare() {
        return None;
    }
    let rest = body.get(slashes + 2..)?;
    let ends = |byte: &u8| ends_url(*byte) || b"/?#".contains(byte);
    let length = rest.iter().position(ends).unwrap_or(rest.len());
    let authority = std::str::from_utf8(rest.get(..length)?).ok()?;
    let (user, place) = match authority.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, authority),
    };
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (place, ""),
    };
    let host = host.trim_matches(['[', ']']).trim_end_matches('.');
    let is_port = |known: u16| match (port, scheme) {
        ("", Some(scheme)) => known == if scheme.len() == 5 { 80 } else { 443 },
        ("", None) => matches!(known, 80 | 443),
        (port, _) => port.parse() == Ok(known),
    };
    let is_known = targets
        .iter()
        .any(|target| target.host.eq_ignore_ascii_case(host) && is_port(target.port));
    is_known.then(|| Place {
        start: slashes - scheme.map_or(0, |scheme| scheme.len()),
        path: slashes + 2 + length,
        has_user: user.is_some(),
    })
}

/// Whether no URL goes on with this byte: blanks, quotes, and the backslash of a JSON escape.
fn ends_url(byte: u8) -> bool {
    byte <= b' ' || byte >= 0x7f || b"\"\\<>`{}|^".contains(&byte)
}

/// Whether a path lies below the api's.
fn is_below(path: &[u8], base: &[u8]) -> bool {
    let rest = path.strip_prefix(base);
    rest.is_some_and(|rest| rest.first().is_none_or(|byte| b"/?#".contains(byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn targets() -> Vec<Origin> {
        [
            "http://orders.internal:9101",
            "https://spare.internal",
            "http://[::1]:80",
        ]
        .map(|text| text.parse().unwrap())
        .to_vec()
    }

    fn told(body: &str, own: &str) -> String {
        let done = rewritten(body.as_bytes(), &targets(), "/v2", own);
        done.map_or_else(
            || body.to_owned(),
            |done| String::from_utf8(done.body).unwrap(),
        )
    }

    #[test]
    fn urls_below_the_base_path_become_ours() {
        let own = "https://api.example";
        for (url, ours) in [
            (
                "http://orders.internal:9101/v2/orders?page=2",
                "https://api.example/v2/orders?page=2",
            ),
            ("HTTP://Orders.Internal:9101/v2", "https://api.example/v2"),
            ("//orders.internal:9101/v2#a", "https://api.example/v2#a"),
            ("https://spare.internal/v2/", "https://api.example/v2/"),
            ("https://spare.internal:443/v2/", "https://api.example/v2/"),
            ("https://spare.internal./v2/", "https://api.example/v2/"),
            ("http://[::1]/v2/x", "https://api.example/v2/x"),
        ] {
            let body = format!("{{\"next\":\"{url}\",\"text\":\"see <{url}> or {url}\"}}");
            assert_eq!(told(&body, own), body.replace(url, ours), "{url}");
        }
        let body = "{\"next\":\"http://orders.internal:9101/v2/a?b=c\"}";
        assert_eq!(told(body, ""), "{\"next\":\"/v2/a?b=c\"}");
    }

    #[test]
    fn other_urls_of_the_upstream_are_withheld_and_those_of_others_stay() {
        for (url, kept) in [
            ("http://orders.internal:9101/admin?x=1", "***"),
            ("http://orders.internal:9101", "***"),
            ("http://orders.internal:9101/v20/a", "***"),
            ("http://user:secret@orders.internal:9101/v2/a", "***"),
            (
                "http://orders.internal:9102/v2/a",
                "http://orders.internal:9102/v2/a",
            ),
            ("http://orders.internal/v2/a", "http://orders.internal/v2/a"),
            ("http://spare.internal/v2/a", "http://spare.internal/v2/a"),
            (
                "https://example.com/?to=//v2",
                "https://example.com/?to=//v2",
            ),
            ("a//orders.internal:9101/v2", "a//orders.internal:9101/v2"),
        ] {
            let body = format!("{{\"a\":\"{url}\",\"b\":\"x\"}}");
            assert_eq!(
                told(&body, "https://api.example"),
                body.replace(url, kept),
                "{url}"
            );
        }
        // With an empty base path everything of the upstream is the api's.
        let all = rewritten(b"\"http://orders.internal:9101\"", &targets(), "", "").unwrap();
        assert_eq!((all.body, all.is_withheld), (b"\"/\"".to_vec(), false));
    }

    proptest! {
        #[test]
        fn what_is_left_is_json_and_names_no_target(
            texts in prop::collection::vec("(http://|https://|//|orders\\.internal:9101|spare\\.internal|/v2|/|x| |\\\\|\"|@|é){0,12}", 0..6),
        ) {
            let body = serde_json::to_vec(&texts).unwrap();
            if let Some(done) = rewritten(&body, &targets(), "/v2", "https://api.example") {
                let again: Result<Vec<String>, _> = serde_json::from_slice(&done.body);
                prop_assert!(again.is_ok());
                let left = rewritten(&done.body, &targets(), "/v2", "https://api.example");
                prop_assert_eq!(left, None);
            }
        }
    }
}
