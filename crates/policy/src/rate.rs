//! How operators write speeds and spans: `600/min`, `20 refusals/min`, `15m`, `90d`.
//! Exports `Rate`, `Strikes`, `Span`, all readable by serde and described by JSON Schema.
//! Used by config (settings), limit and block.
//! Start reading at `Rate`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub use model::time::Span;

/// So many per span, `600/min`, `10/s`, `5000/h`, `100000/d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many; at least 1.
    pub count: u32,
    /// Within which span.
    pub per: Duration,
}

impl Rate {
    /// The rate in one word, for a place that changes as a whole: the number, then the span in whole seconds.
    pub fn to_word(self) -> u64 {
        let seconds = u32::try_from(self.per.as_secs()).unwrap_or(u32::MAX);
        u64::from(self.count) << 32 | u64::from(seconds)
    }

    /// What [`Rate::to_word`] gave.
    pub fn from_word(word: u64) -> Rate {
        Rate {
            count: u32::try_from(word >> 32).unwrap_or(u32::MAX),
            per: Duration::from_secs(word & u64::from(u32::MAX)),
        }
    }
}

/// So many refusals per span, `20 refusals/min`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Strikes(pub Rate);

/// The unit of a rate and its length.
fn rate_unit(text: &str) -> Option<u64> {
    match text {
        "s" | "sec" | "second" => Some(1),
        "min" | "minute" => Some(60),
        "h" | "hour" => Some(3_600),
        "d" | "day" => Some(86_400),
        _ => None,
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a rate; write a number and a span such as `600/min`, `10/s`, `5000/h` or `100000/d`"
            )
        };
        let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
        let count = whole(count.trim()).ok_or_else(wrong)?;
        let seconds = rate_unit(unit.trim()).ok_or_else(wrong)?;
        if count == 0 {
            return Err(format!("`{text}` allows nothing; the smallest rate is 1"));
        }
        Ok(Rate {
            count,
            per: Duration::from_secs(seconds),
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.as_secs() {
            1 => "s",
            60 => "min",
            3_600 => "h",
            _ => "d",
        };
        write!(f, "{}/{unit}", self.count)
    }
}

impl FromStr for Strikes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a number of refusals per span; write for example `20 refusals/min`"
            )
        };
        let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
        let mut words = count.split_whitespace();
        let (Some(count), Some("refusals" | "refusal"), None) =
            (words.next(), words.next(), words.next())
        else {
            return Err(wrong());
        };
        format!("{count}/{unit}")
            .parse()
            .map(Strikes)
            .map_err(|_: String| wrong())
    }
}

impl fmt::Display for Strikes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.0.to_string();
        let (count, unit) = rate.split_once('/').unwrap_or((&rate, "s"));
        write!(f, "{count} refusals/{unit}")
    }
}

/// A plain decimal number without sign or leading zero.
fn whole(text: &str) -> Option<u32> {
    let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_padded = text.len() > 1 && text.starts_with('0');
    (is_plain && !is_padded)
        .then(|| text.parse().ok())
        .flatten()
}

/// Reading, writing and describing a type that is one word of text.
macro_rules! text_form {
    ($type:ident, $pattern:literal, $doc:literal) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "description": $doc })
            }
        }
    };
}

text_form!(
    Rate,
    "^[1-9][0-9]* ?/ ?(s|sec|second|min|minute|h|hour|d|day)$",
    "So many per span, such as `600/min`."
);
text_form!(
    Strikes,
    "^[1-9][0-9]* refusals?/(s|sec|second|min|minute|h|hour|d|day)$",
    "So many refusals per span, such as `20 refusals/min`."
);
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_and_print() {
        let rate: Rate = "600/min".parse().unwrap();
        assert_eq!((rate.count, rate.per), (600, Duration::from_secs(60)));
        for text in ["600/min", "10/s", "5000/h", "1/d"] {
            let rate = text.parse::<Rate>().unwrap();
            assert_eq!(rate.to_string(), text);
            assert_eq!(Rate::from_word(rate.to_word()), rate);
        }
        for text in [
            "",
            "600",
            "0/min",
            "-1/s",
            "1.5/s",
            "1/fortnight",
            "01/s",
            "99999999999/s",
        ] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn strikes_name_what_is_counted() {
        let strikes: Strikes = "20 refusals/min".parse().unwrap();
        assert_eq!(strikes.0.count, 20);
        assert_eq!(strikes.to_string(), "20 refusals/min");
        assert!("20/min".parse::<Strikes>().is_err());
        assert!("20 requests/min".parse::<Strikes>().is_err());
    }

    #[test]
    fn settings_read_from_text_with_a_helpful_error() {
        let rate: Rate = serde_json::from_str("\"60/min\"").unwrap();
        assert_eq!(rate.count, 60);
        let error = serde_json::from_str::<Span>("\"soon\"").unwrap_err();
        assert!(error.to_string().contains("15m"));
    }
}
