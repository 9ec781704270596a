//! Which pages of browsers may call a version and read its answers (CORS, as the Fetch standard defines it).
//! Exports `Browsers` and `PageOrigin`, as written.
//! Used by the files of apis; the gateway answers by what compile makes of it.
//! Start reading at `Browsers`.

use std::fmt;
use std::str::FromStr;

use model::time::Span as Period;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::spanned::At;
use crate::values::{Origin, TextValue, text_value};

/// Which pages of browsers may call a version and read its answers. Methods and headers that they may use are those of the contract. What
/// a browser asks before a call is answered by the gateway, without a credential, and counted for each address by the listener's
/// `address_limit`. See `docs/public.md`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Browsers {
    /// Origins of the pages, as browsers write them: `https://app.example`, `http://localhost:3000`. At least one.
    pub origins: At<Vec<At<PageOrigin>>>,
    /// Whether browsers may send cookies and client certificates along. A call is accepted by its credential all the same. Default `false`.
    #[serde(default)]
    pub credentials: bool,
    /// How long a browser may remember what it was told. From `1s` to `24h`. Default `10m`.
    #[serde(default)]
    pub max_age: Option<At<Period>>,
}

/// The origin of a page, exactly as browsers write it in `Origin` (RFC 6454 §6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageOrigin(pub String);

impl FromStr for PageOrigin {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "*" => {
                return Err(
                    "`*` would let every page read answers\nList the origins of your own pages."
                        .into(),
                );
            }
            "null" => {
                return Err("`null` is the origin of pages that hide theirs, whoever made them\nList the origins of your own pages.".into());
            }
            _ => {}
        }
        let origin: Origin = text.parse().map_err(|why: String| {
            let what = why.split('\n').next().unwrap_or_default().to_owned();
            format!("{what}\nWrite it like `https://app.example`.")
        })?;
        let as_sent = as_sent(&origin);
        if as_sent == text {
            Ok(PageOrigin(as_sent))
        } else {
            Err(format!(
                "no browser writes this origin as `{text}`\nWrite `{as_sent}`."
            ))
        }
    }
}

/// An origin as browsers write it: lower case, without the port that its scheme has anyway.
fn as_sent(origin: &Origin) -> String {
    let (scheme, usual) = if origin.is_tls {
        ("https", 443)
    } else {
        ("http", 80)
    };
    let host = if origin.host.contains(':') {
        format!("[{}]", origin.host)
    } else {
        origin.host.clone()
    };
    if origin.port == usual {
        format!("{scheme}://{host}")
    } else {
        format!("{scheme}://{host}:{}", origin.port)
    }
}

impl fmt::Display for PageOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TextValue for PageOrigin {
    const NAME: &'static str = "page-origin";
    const EXPECTED: &'static str = "the origin of a page such as `https://app.example`";
    const PATTERN: &'static str = "^https?://[^/?#@*]+$";
}
text_value!(PageOrigin);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for text in [
            "https://app.example",
            "http://localhost:3000",
            "https://[::1]:8443",
        ] {
            assert_eq!(text.parse::<PageOrigin>().unwrap().to_string(), text);
        }
        for (text, help) in [
            ("https://App.example", "Write `https://app.example`."),
            ("https://app.example:443", "Write `https://app.example`."),
            ("http://app.example:80", "Write `http://app.example`."),
            ("https://app.example/", "Write it like"),
            ("app.example", "Write it like"),
            ("*", "List the origins"),
            ("null", "List the origins"),
            ("https://*.example", "Write it like"),
        ] {
            let why = text.parse::<PageOrigin>().unwrap_err();
            assert!(why.contains(help), "{text}: {why}");
        }
    }
}
