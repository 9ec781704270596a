//! The nineteen operators of the rule language.
//! Exports `Operator`: compiled once, asked with a text.
//! Used by `run`; patterns and phrases are judged by the `PatternSet` of the rule set.
//! Start reading at `Operator`.

use super::macros::Text;
use crate::bytes::ByteSet;
use std::net::IpAddr;

/// The names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OperatorName {
    BeginsWith,
    Contains,
    DetectSqli,
    DetectXss,
    EndsWith,
    Eq,
    Ge,
    Gt,
    IpMatch,
    Le,
    Lt,
    Pm,
    PmFromFile,
    Rx,
    Streq,
    UnconditionalMatch,
    ValidateByteRange,
    ValidateUrlEncoding,
    ValidateUtf8Encoding,
    Within,
}

impl OperatorName {
    /// The operator of that name; letter case does not matter.
    pub(super) fn named(name: &str) -> Option<OperatorName> {
        Some(match name.to_ascii_lowercase().as_str() {
            "beginswith" => OperatorName::BeginsWith,
            "contains" => OperatorName::Contains,
            "detectsqli" => OperatorName::DetectSqli,
            "detectxss" => OperatorName::DetectXss,
            "endswith" => OperatorName::EndsWith,
            "eq" => OperatorName::Eq,
            "ge" => OperatorName::Ge,
            "gt" => OperatorName::Gt,
            "ipmatch" => OperatorName::IpMatch,
            "le" => OperatorName::Le,
            "lt" => OperatorName::Lt,
            "pm" => OperatorName::Pm,
            "pmf" | "pmfromfile" => OperatorName::PmFromFile,
            "rx" => OperatorName::Rx,
            "streq" => OperatorName::Streq,
            "unconditionalmatch" => OperatorName::UnconditionalMatch,
            "validatebyterange" => OperatorName::ValidateByteRange,
            "validateurlencoding" => OperatorName::ValidateUrlEncoding,
            "validateutf8encoding" => OperatorName::ValidateUtf8Encoding,
            "within" => OperatorName::Within,
            _ => return None,
        })
    }
}

/// A compiled operator.
#[derive(Debug)]
pub(super) enum Operator {
    /// Pattern number in the set of the rules.
    Pattern(u32),
    /// Phrase list number in the same set.
    Phrases(u32),
    Compare(Order, Number),
    Text(TextTest, Text),
    Bytes(ByteSet),
    Addresses(Vec<Network>),
    DetectSqli,
    DetectXss,
    UrlEncoding,
    Utf8,
    Always,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    AtLeast,
    Above,
    AtMost,
    Below,
}

impl Order {
    pub(super) fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Order::Equal => left == right,
            Order::AtLeast => left >= right,
            Order::Above => left > right,
            Order::AtMost => left <= right,
            Order::Below => left < right,
        }
    }
}

#[derive(Debug)]
pub(super) enum Number {
    Fixed(i64),
    /// A slot of the TX collection.
    Slot(usize),
    Text(Text),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextTest {
    Begins,
    Contains,
    Ends,
    Equals,
    Within,
}

impl TextTest {
    pub(super) fn holds(self, text: &[u8], argument: &[u8]) -> bool {
        match self {
            TextTest::Begins => text.starts_with(argument),
            TextTest::Contains => {
                text.len() >= argument.len() && memchr::memmem::find(text, argument).is_some()
            }
            TextTest::Ends => text.ends_with(argument),
            TextTest::Equals => text == argument,
            TextTest::Within => {
                text.len() <= argument.len() && memchr::memmem::find(argument, text).is_some()
            }
        }
    }
}

/// The leading integer of a text, zero without one, as C reads it.
pub(super) fn integer(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let value =
        digits
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .fold(0i64, |value, digit| {
                value
                    .saturating_mul(10)
                    .saturating_add(i64::from(digit - b'0'))
            });
    if negative { -value } else { value }
}

/// `32-36,38-126`.
pub(super) fn byte_ranges(text: &str) -> Result<ByteSet, String> {
    let mut set = ByteSet::default();
    for item in text.split(',') {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) => set.add_range(first, last),
            _ => return Err(format!("`{item}` is not a range of bytes")),
        }
    }
    Ok(set)
}

/// An address with the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    pub(super) fn parse(text: &str) -> Result<Network, String> {
        let wrong = || format!("`{text}` is not an address");
        let (address, prefix) = text
            .trim()
            .split_once('/')
            .map_or((text.trim(), None), |(head, tail)| (head, Some(tail)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => width,
            Some(text) => text
                .parse()
                .ok()
                .filter(|prefix| *prefix <= width)
                .ok_or_else(wrong)?,
        };
        Ok(Network { address, prefix })
    }

    pub(super) fn holds(&self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let shift = 32 - self.prefix;
                u32::from(ours).checked_shr(shift) == u32::from(theirs).checked_shr(shift)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let shift = 128 - self.prefix;
                u128::from(ours).checked_shr(shift) == u128::from(theirs).checked_shr(shift)
            }
            _ => false,
        }
    }
}

/// Whether a percent sign is followed by something else than two hex digits.
pub(super) fn bad_url_encoding(text: &[u8]) -> bool {
    memchr::memchr_iter(b'%', text).any(|at| {
        !matches!(text.get(at + 1..at + 3), Some([high, low]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
    })
}
