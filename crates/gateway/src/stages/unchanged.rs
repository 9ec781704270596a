//! Between the look-up that judged an object and the change itself the object may become another one's. Where the upstream
//! gives entity tags, the change is made only on the object that was judged.
//! Gives `LookedUp`, `condition` and the reason for a change that came too late.
//! Used by stages `object` (notes the tag) and `upstream` (sends it, RFC 9110 §13.1.1).
//! Start reading at `condition`.

use model::{Headers, Reason, Stage};

/// The object is not the one that was judged any more.
pub const CHANGED: Reason = Reason::new(
    Stage::Object,
    "object.changed",
    409,
    "The object changed while the request was judged.",
    "Read the object again, and send the request again if it still applies.",
    "Before a change the object is looked up and judged, and the change is made on that very state (`If-Match` with the entity tag \
     of the look-up). The upstream answered 412: somebody else changed the object in between, or a first \
     attempt of this call got through whose answer was lost.",
);

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
    pub fn of(target: &str, answer: &Headers) -> Option<LookedUp> {
        let tag = answer.get("etag")?;
        let is_strong = matches!(tag, [b'"', .., b'"']) && tag.len() > 1;
        let is_plain = tag.iter().all(|byte| byte.is_ascii_graphic());
        (is_strong && is_plain && tag.len() <= TAG_BYTES_MAX).then(|| LookedUp {
            target: target.to_owned(),
            tag: tag.to_vec(),
        })
    }
}

/// The tag to send with a change of the resource at this path; none where the caller set a condition of its own, or the
/// tag belongs to another resource.
pub fn condition<'l>(
    looked_up: Option<&'l LookedUp>,
    target: &str,
    headers: &Headers,
) -> Option<&'l [u8]> {
    const OWN: [&str; 3] = ["if-match", "if-none-match", "if-unmodified-since"];
    let is_free = OWN.iter().all(|name| headers.get(name).is_none());
    let fitting = looked_up.filter(|found| is_free && found.target == target)?;
    Some(&fitting.tag)
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
        let sent = |target: &str, own: &[(&str, &str)]| {
            condition(found.as_ref(), target, &headers(own)).map(<[u8]>::to_vec)
        };
        assert_eq!(sent("/jobs/7", &[]).as_deref(), Some(b"\"v1\"".as_slice()));
        assert_eq!(sent("/jobs/7/notes", &[]), None);
        assert_eq!(sent("/jobs/7", &[("if-match", "\"v0\"")]), None);
        assert_eq!(sent("/jobs/7", &[("if-none-match", "*")]), None);
        for tag in ["W/\"v1\"", "v1", "\"", "", "\"a b\""] {
            assert!(of(tag).is_none(), "{tag}");
        }
        assert!(LookedUp::of("/jobs/7", &Headers::new()).is_none());
    }
}
