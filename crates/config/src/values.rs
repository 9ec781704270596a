//! The small written forms a configuration uses: sizes, addresses, days, origins. Rates come from policy, spans of time from model.
//! Exports one type for each, with its grammar, its range and its JSON Schema.
//! Used by the kinds of configuration files.
//! Start reading at `TextValue`; each type below is one `FromStr`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use model::Timestamp;

/// A value written as text with a grammar of its own.
///
/// The error of `FromStr` is what is wrong, then a line break, then how to mend it.
pub trait TextValue: FromStr<Err = String> {
    /// Name in the JSON Schema.
    const NAME: &'static str;
    /// What is expected, with an example.
    const EXPECTED: &'static str;
    /// Regular expression for editors; the parser is stricter.
    const PATTERN: &'static str;
    /// What to write instead of a bare number, where that can be told.
    fn instead_of(_number: i64) -> Option<String> {
        None
    }
}

/// Reading and JSON Schema of a [`TextValue`].
macro_rules! text_value {
    ($type:ty) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct Reader;
                impl serde::de::Visitor<'_> for Reader {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(<$type as crate::values::TextValue>::EXPECTED)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<$type, E> {
                        use crate::values::TextValue;
                        Err(match <$type as TextValue>::instead_of(number) {
                            Some(help) => E::custom(format!(
                                "{} is expected here, not the number {number}\n{help}",
                                <$type as TextValue>::EXPECTED
                            )),
                            None => E::invalid_type(serde::de::Unexpected::Signed(number), &self),
                        })
                    }
                }
                d.deserialize_str(Reader)
            }
        }
        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                <$type as crate::values::TextValue>::NAME.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "format": <$type as crate::values::TextValue>::NAME,
                    "pattern": <$type as crate::values::TextValue>::PATTERN,
                })
            }
        }
    };
}
pub(crate) use text_value;

/// A number of bytes: a whole number and `B`, `KiB`, `MiB` or `GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl FromStr for ByteSize {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let help = match meant(text) {
                Some(size) => format!("Did you mean `{size}`?"),
                None => "Write a whole number and a unit: 512B, 64KiB, 1MiB.".into(),
            };
            format!("`{text}` is not a size\n{help}")
        };
        let (digits, unit) = split_unit(text).ok_or_else(wrong)?;
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        let factor = match unit {
            "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(wrong()),
        };
        number.checked_mul(factor).map(ByteSize).ok_or_else(wrong)
    }
}

/// What a size with another unit was probably meant to be: `64kb`, `1 MB`, `2g`.
fn meant(text: &str) -> Option<String> {
    let (digits, unit) = split_unit(text)?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "b" | "byte" | "bytes" => "B",
        "k" | "kb" | "kib" => "KiB",
        "m" | "mb" | "mib" => "MiB",
        "g" | "gb" | "gib" => "GiB",
        _ => return None,
    };
    Some(format!("{digits}{unit}"))
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |size: &&(u64, &str)| self.0 != 0 && self.0.is_multiple_of(size.0);
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let (size, unit) = units.iter().find(fits).copied().unwrap_or((1, "B"));
        write!(f, "{}{unit}", self.0 / size)
    }
}

impl TextValue for ByteSize {
    const NAME: &'static str = "size";
    const EXPECTED: &'static str = "a size such as `64KiB` or `1MiB`";
    const PATTERN: &'static str = "^[0-9]+(B|KiB|MiB|GiB)$";
    fn instead_of(number: i64) -> Option<String> {
        let size = ByteSize(u64::try_from(number).ok()?);
        Some(format!("Write `{size}`."))
    }
}
text_value!(ByteSize);

/// A range of addresses (`10.0.0.0/8`, `2001:db8::/32`) or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRange(pub IpNet);

impl FromStr for AddressRange {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(AddressRange(IpNet::from(address)));
        }
        let Ok(net) = text.parse::<IpNet>() else {
            return Err(format!(
                "`{text}` is not a range of addresses\nWrite an address and a prefix length: 10.0.0.0/8, 192.0.2.7/32, 2001:db8::/32."
            ));
        };
        if net.trunc() != net {
            return Err(format!(
                "`{text}` has bits set behind its prefix\nWrite `{}` for the whole range, or `{}` for the one address.",
                net.trunc(),
                net.addr()
            ));
        }
        Ok(AddressRange(net))
    }
}

impl TextValue for AddressRange {
    const NAME: &'static str = "address-range";
    const EXPECTED: &'static str = "a range of addresses such as `10.0.0.0/8`";
    const PATTERN: &'static str = "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$";
}
text_value!(AddressRange);

/// Address and port to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenAddress(pub std::net::SocketAddr);

impl FromStr for ListenAddress {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(ListenAddress).map_err(|_| {
            format!("`{text}` is not an address with a port\nWrite an IP address and a port: \"127.0.0.1:8443\", \"[::]:8443\".")
        })
    }
}

impl TextValue for ListenAddress {
    const NAME: &'static str = "listen-address";
    const EXPECTED: &'static str = "an address with a port such as `127.0.0.1:8443`";
    const PATTERN: &'static str = r"^(\[[0-9A-Fa-f:.]+\]|[0-9.]+):[0-9]{1,5}$";
}
text_value!(ListenAddress);

/// A day in UTC: `2027-03-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub Timestamp);

impl FromStr for Day {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let is_shaped = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let day = is_shaped.then(|| Timestamp::parse(text)).flatten();
        day.map(Day)
            .ok_or_else(|| format!("`{text}` is not a day\nWrite year, month and day: 2027-03-31."))
    }
}

impl TextValue for Day {
    const NAME: &'static str = "date";
    const EXPECTED: &'static str = "a day such as `2027-03-31`";
    const PATTERN: &'static str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
}
text_value!(Day);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(text.split('T').next().unwrap_or_default())
    }
}

/// Origin of an upstream: `http://127.0.0.1:9101` or `https://erp.example`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// `https` was written.
    pub is_tls: bool,
    /// Host name (lower case) or address; IPv6 addresses without brackets.
    pub host: String,
    /// Port; 80 or 443 where none was written.
    pub port: u16,
}

impl FromStr for Origin {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (is_tls, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => {
                let what = match text.split_once("://") {
                    Some((scheme, _)) => {
                        format!(
                            "`{text}` has the scheme `{scheme}`; upstreams are called by http or https"
                        )
                    }
                    None => format!("`{text}` has no scheme"),
                };
                return Err(format!(
                    "{what}\nWrite `http://HOST:PORT` or `https://HOST:PORT`."
                ));
            }
        };
        if rest.contains(['/', '?', '#', '@']) {
            return Err("an upstream target is scheme, host and port only\nLeave path, query and credentials out; the \
                        contract's paths are appended."
                .into());
        }
        let wrong = || {
            format!(
                "`{text}` has no valid host or port\nWrite `http://HOST:PORT` or `https://HOST:PORT`."
            )
        };
        let (host, port) = split_port(rest).ok_or_else(wrong)?;
        let port = match port {
            Some(digits) => digits.parse().ok().filter(|p| *p != 0).ok_or_else(wrong)?,
            None if is_tls => 443,
            None => 80,
        };
        Ok(Origin {
            is_tls,
            host: host.to_ascii_lowercase(),
            port,
        })
    }
}

/// Host and port of `host`, `host:port`, `[v6]` and `[v6]:port`.
fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        return match after {
            "" => Some((host, None)),
            _ => Some((host, Some(after.strip_prefix(':')?))),
        };
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_host = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    ((1..=253).contains(&host.len()) && host.bytes().all(is_host)).then_some((host, port))
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

impl TextValue for Origin {
    const NAME: &'static str = "origin";
    const EXPECTED: &'static str = "an origin such as `https://erp.example:8443`";
    const PATTERN: &'static str = "^https?://[^/?#@]+$";
}
text_value!(Origin);

/// Splits digits from the unit after them.
fn split_unit(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|b| !b.is_ascii_digit())?;
    (end > 0).then(|| text.split_at_checked(end)).flatten()
}

#[cfg(test)]
mod tests;
