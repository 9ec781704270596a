//! `Via` (RFC 9110 §7.6.3): each call to an upstream says which gateways it came through, so that one that comes back is known.
//! Exports `Via`. Of what clients send nothing is passed on but names that another Portcullis could have written.
//! Used by stage `http` (`before`) and for every call to an upstream (`after`).
//! Start reading at `Via::before`.

use std::sync::Arc;

use crypto::Keys;
use crypto::text::hex;
use model::{Headers, Protocol};

/// What names of this product begin with.
const PREFIX: &str = "portcullis-";
/// Hexadecimal digits behind it.
const DIGITS: usize = 16;
/// Versions of HTTP as the field writes them.
const VERSIONS: [&str; 3] = ["1.0", "1.1", "2"];
/// Most gateways of this product that one request may come through.
const HOPS_MAX: usize = 8;

/// The name of this installation, the same on all of its nodes. It tells nothing of hosts (RFC 9110 §7.6.3: a pseudonym).
pub struct Via {
    own: String,
    /// The whole field where no gateway of this product was before, by protocol.
    alone: [Arc<str>; 3],
}

/// The request was here before, or has come through more gateways than any route has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop;

impl Via {
    /// The name that belongs to these keys.
    pub fn of(keys: &Keys) -> Via {
        let key = keys.store_records.mac_subkey("http via");
        let mut own = hex(&key.mac(&[]));
        own.truncate(DIGITS);
        own.insert_str(0, PREFIX);
        Via::named(own)
    }

    fn named(own: String) -> Via {
        let alone = VERSIONS.map(|version| format!("{version} {own}").into());
        Via { own, alone }
    }

    /// The gateways of this product that a request came through, as they are passed on; `None` where there are none.
    ///
    /// # Errors
    /// [`Loop`] when this one is among them, or when there are more than eight.
    pub fn before(&self, headers: &Headers) -> Result<Option<String>, Loop> {
        let mut before: Option<String> = None;
        let mut hops = 0;
        let lines = headers.all("via");
        let members = lines.flat_map(|line| line.split(|byte| *byte == b','));
        for (version, name) in members.filter_map(member) {
            hops += 1;
            if name == self.own || hops >= HOPS_MAX {
                return Err(Loop);
            }
            let all = before.get_or_insert_default();
            if !all.is_empty() {
                all.push_str(", ");
            }
            all.push_str(version);
            all.push(' ');
            all.push_str(name);
        }
        Ok(before)
    }

    /// The field for a call: what was before, and this gateway, which got the request by this protocol.
    pub fn after(&self, before: Option<&str>, protocol: Protocol) -> Arc<str> {
        let [http_10, http_11, http_2] = &self.alone;
        let own = match protocol {
            Protocol::Http10 => http_10,
            Protocol::Http11 => http_11,
            Protocol::Http2 => http_2,
        };
        match before {
            Some(before) => format!("{before}, {own}").into(),
            None => Arc::clone(own),
        }
    }
}

/// Version and name of a member that a gateway of this product could have written.
fn member(member: &[u8]) -> Option<(&'static str, &str)> {
    let text = std::str::from_utf8(member).ok()?;
    let mut words = text.split_ascii_whitespace();
    let (written, name) = (words.next()?, words.next()?);
    let mut versions = VERSIONS.into_iter();
    let version = versions.find(|known| *known == written)?;
    let digits = name.strip_prefix(PREFIX)?;
    let is_digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    (digits.len() == DIGITS && digits.bytes().all(is_digit)).then_some((version, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via() -> Via {
        Via::named("portcullis-0123456789abcdef".to_owned())
    }

    fn before(lines: &[&str]) -> Result<Option<String>, Loop> {
        let mut headers = Headers::new();
        for line in lines {
            headers.push("via", line);
        }
        via().before(&headers)
    }

    #[test]
    fn a_request_that_was_here_before_is_known_whoever_stands_between() {
        let own = "1.1 portcullis-0123456789abcdef";
        assert_eq!(before(&[own]), Err(Loop));
        assert_eq!(
            before(&["1.1 proxy", &format!("1.0 a.test:80 (x), {own} (y) , 2 z")]),
            Err(Loop)
        );
        let after = via().after(None, Protocol::Http2);
        assert_eq!(before(&[&after]), Err(Loop));
    }

    #[test]
    fn names_of_other_gateways_are_passed_on_and_nothing_else() {
        assert_eq!(before(&[]), Ok(None));
        for odd in [
            "1.1 somebody",
            "1.1 portcullis-0123456789ABCDEF",
            "1.1 portcullis-0123456789abcde",
            "1.1 portcullis-0123456789abcdeg",
            "9.9 portcullis-fedcba9876543210",
            "portcullis-fedcba9876543210",
            "\u{e9}",
            "",
        ] {
            assert_eq!(before(&[odd]), Ok(None), "{odd}");
        }
        let others = [
            "1.1 x, 1.0 portcullis-fedcba9876543210 (forged)",
            "2 portcullis-00000000000000ff",
        ];
        let kept = before(&others).unwrap().unwrap();
        assert_eq!(
            kept,
            "1.0 portcullis-fedcba9876543210, 2 portcullis-00000000000000ff"
        );
        let all = via().after(Some(&kept), Protocol::Http11);
        let expected = format!("{kept}, 1.1 portcullis-0123456789abcdef");
        assert_eq!(&*all, expected);
    }

    #[test]
    fn no_route_is_longer_than_eight_gateways() {
        let hops = |count: usize| vec!["1.1 portcullis-fedcba9876543210"; count].join(", ");
        assert!(before(&[&hops(7)]).is_ok());
        assert_eq!(before(&[&hops(8)]), Err(Loop));
    }
}
