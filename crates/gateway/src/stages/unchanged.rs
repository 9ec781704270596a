//! Between the look-up that judged an object and the change itself the object may become another one's. Where the upstream
//! gives entity tags, the change is made only on the object that was judged.
//! Exports `LookedUp`, `condition` and `On`.
//! Used by stages `object` (notes the tag) and `upstream` (sends it, RFC 9110 §13.1.1).
//! Start reading at `condition`.

use model::Headers;

/// Longest tag that is sent back.
const TAG_BYTES_MAX: usize = 256;

/// An object as it was when it was judged.
#[derive(Clone, Debug)]
pub struct LookedUp {
    /// The path it was read at.
    pub target: String,
    /// Its entity tag, a strong one.
    tag: Vec<u8>,
}

impl LookedUp {
    /// What a look-up at this path says of the object's state; none where the upstream gives no strong tag, because a
    /// weak one never matches (RFC 9110 §8.8.3.2).
    pub fn of(target: &str, response: &Headers) -> Option<LookedUp> {
        let tag = response.get("etag")?;
        let is_strong = matches!(tag, [b'"', .., b'"']) && tag.len() > 1;
        let is_plain = tag.iter().all(|byte| byte.is_ascii_graphic());
        (is_strong && is_plain && tag.len() <= TAG_BYTES_MAX).then(|| LookedUp {
            target: target.to_owned(),
            tag: tag.to_vec(),
        })
    }
}

/// On which state a change is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On<'l> {
    /// Nothing is known of it: whatever the caller asks for.
    Any,
    /// The state that was judged.
    Judged(&'l [u8]),
    /// The state that was judged, which is also one the caller asks for, or about which the caller asks something else.
    Agreed(&'l [u8]),
    /// None: the caller asks for another state than the one that was judged.
    None,
}

/// On which state a change of the resource at this path is made. The caller's own condition is kept, but it never takes
/// the place of the judged state: `If-Match` is narrowed to it, and other conditions are sent beside it (RFC 9110 §13.2.2
/// asks for `If-Match` first).
pub fn condition<'l>(looked_up: Option<&'l LookedUp>, target: &str, headers: &Headers) -> On<'l> {
    let Some(found) = looked_up.filter(|found| found.target == target) else {
        return On::Any;
    };
    let named = headers.get("if-match").map(|text| text.trim_ascii());
    match named {
        None if headers.get("if-none-match").is_some() => On::Agreed(&found.tag),
        None | Some(b"*") => On::Judged(&found.tag),
        Some(tags) => {
            let mut tags = tags.split(|byte| *byte == b',');
            let is_named = tags.any(|tag| tag.trim_ascii() == found.tag.as_slice());
            if is_named {
                On::Agreed(&found.tag)
            } else {
                On::None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&str, &str)]) -> Headers {
        let mut all = Headers::new();
        for (name, value) in fields {
            all.push(name, value.as_bytes());
        }
        all
    }

    #[test]
    fn only_a_strong_tag_of_the_same_resource_is_sent() {
        let of = |tag: &str| LookedUp::of("/jobs/7", &headers(&[("etag", tag)]));
        let found = of("\"v1\"");
        let sent = |target: &str| condition(found.as_ref(), target, &Headers::new());
        assert_eq!(sent("/jobs/7"), On::Judged(b"\"v1\""));
        assert_eq!(sent("/jobs/7/notes"), On::Any);
        for tag in ["W/\"v1\"", "v1", "\"", "", "\"a b\""] {
            assert!(of(tag).is_none(), "{tag}");
        }
        assert!(LookedUp::of("/jobs/7", &Headers::new()).is_none());
    }

    #[test]
    fn no_condition_of_the_caller_takes_the_place_of_the_judged_state() {
        let found = LookedUp::of("/jobs/7", &headers(&[("etag", "\"v1\"")]));
        let sent = |name: &str, value: &str| {
            condition(found.as_ref(), "/jobs/7", &headers(&[(name, value)]))
        };
        let tag = b"\"v1\"".as_slice();
        assert_eq!(sent("if-match", "*"), On::Judged(tag));
        assert_eq!(sent("if-match", "\"v0\", \"v1\""), On::Agreed(tag));
        assert_eq!(sent("if-none-match", "*"), On::Agreed(tag));
        assert_eq!(sent("if-none-match", "\"v0\""), On::Agreed(tag));
        for other in ["\"v0\"", "W/\"v1\"", "\"v0\", W/\"v1\"", ""] {
            assert_eq!(sent("if-match", other), On::None, "{other}");
        }
    }
}
