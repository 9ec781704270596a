//! A moment, as microseconds since 1970 in UTC. Passed in everywhere; nobody below the doors asks a clock.
//! Exports `Timestamp`, `Monotonic` for what must not change when the clock is set, and `Span` for lengths of time as
//! configuration writes them. Pure.
//! Used by every room.
//! Start reading at `Timestamp`.

use std::fmt;
use std::time::Duration;

/// A moment in UTC with microsecond resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Timestamp(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This moment plus a span; saturates.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_add(micros))
    }

    /// This moment less a span; saturates.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_sub(micros))
    }

    /// Time from `earlier` to this moment; zero when `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Parses RFC 3339 (`2027-03-31T12:00:00Z`) or a plain date (`2027-03-31`, its start in UTC).
    pub fn parse(text: &str) -> Option<Timestamp> {
        if let Ok(moment) = text.parse::<jiff::Timestamp>() {
            return Some(Timestamp(moment.as_microsecond()));
        }
        // A time of day without its offset is no moment, and reading the date alone would drop it without a word.
        let date = text.parse::<jiff::civil::Date>().ok()?;
        let is_day = date.to_string() == text;
        let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        is_day.then(|| Timestamp(zoned.timestamp().as_microsecond()))
    }

    /// The HTTP date of RFC 9110 §5.6.7 (`Sun, 06 Nov 1994 08:49:37 GMT`).
    pub fn http_date(self) -> String {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            Err(_) => String::from("Thu, 01 Jan 1970 00:00:00 GMT"),
        }
    }

    /// Parses an HTTP date in the form that is sent today (RFC 9110 §5.6.7, IMF-fixdate).
    pub fn parse_http_date(text: &str) -> Option<Timestamp> {
        let moment = jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S GMT", text).ok()?;
        let zoned = moment
            .to_datetime()
            .ok()?
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()?;
        Some(Timestamp(zoned.timestamp().as_microsecond()))
    }

    /// Adds whole days, for dates such as a credential's end.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        self.plus(Duration::from_secs(u64::from(days) * 86_400))
    }
}

/// A moment of this process's monotonic clock, in microseconds since some start. Nobody can set that clock, so limits,
/// blocks and timeouts count by it. It means nothing to another process and is never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Monotonic(u64);

impl Monotonic {
    /// From microseconds since the start.
    pub const fn from_micros(micros: u64) -> Self {
        Monotonic(micros)
    }

    /// Microseconds since the start.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// This moment plus a span; saturates.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        Monotonic(self.0.saturating_add(micros))
    }

    /// Time from `earlier` to this moment; zero when `earlier` is later.
    pub fn since(self, earlier: Monotonic) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// RFC 3339 in UTC with milliseconds: `2026-11-23T12:00:04.112Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => write!(f, "{}", moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")),
            Err(_) => f.write_str("out-of-range"),
        }
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_i64(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        i64::deserialize(d).map(Timestamp)
    }
}

/// A length of time as configuration writes it: `500ms`, `30s`, `15m`, `24h`, `90d` or `1h30m`; minutes may also be
/// written `min`, as rates write them. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

/// Units of a span, longest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl Span {
    /// Longest length that is accepted: about a hundred years.
    pub const MAX: Span = Span::from_days(36_500);
    /// Regular expression of the text form.
    pub const PATTERN: &'static str = "^([0-9]+(ms|s|m|min|h|d))+$";

    /// A number of seconds.
    pub const fn from_secs(seconds: u32) -> Self {
        Span(Duration::from_secs(seconds as u64))
    }

    /// A number of hours.
    pub const fn from_hours(hours: u16) -> Self {
        Span(Duration::from_secs(hours as u64 * 3600))
    }

    /// A number of days.
    pub const fn from_days(days: u16) -> Self {
        Span(Duration::from_secs(days as u64 * 86_400))
    }

    /// As the standard library has it.
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// Reads whole numbers with units, longest unit first and each once; `None` for anything else,
    /// for nothing at all and for more than [`Span::MAX`].
    pub fn parse(text: &str) -> Option<Span> {
        let (mut rest, mut units, mut total) = (text, UNITS.iter(), 0_u64);
        while !rest.is_empty() {
            let (digits, tail) =
                rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
            let end = tail
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(tail.len());
            let (name, tail) = tail.split_at_checked(end)?;
            let name = if name == "min" { "m" } else { name };
            let (_, millis) = units.find(|(unit, _)| *unit == name)?;
            total = total.checked_add(digits.parse::<u64>().ok()?.checked_mul(*millis)?)?;
            rest = tail;
        }
        let span = Span(Duration::from_millis(total));
        (total > 0 && span <= Span::MAX).then_some(span)
    }
}

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Span::parse(text).ok_or_else(|| {
            format!("`{text}` is not a length of time; write for example `500ms`, `30s`, `15m`, `24h`, `90d` or `1h30m`")
        })
    }
}

/// The shortest form that reads back as the same span: `90d`, `1h30m`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        for (name, size) in UNITS {
            if rest >= size {
                write!(f, "{}{name}", rest / size)?;
                rest %= size;
            }
        }
        Ok(())
    }
}

impl serde::Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_str(SpanVisitor)
    }
}

/// Reads the written form; of a bare number it says which unit is missing.
struct SpanVisitor;

impl serde::de::Visitor<'_> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time such as `30s`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Span, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Span, E> {
        Err(E::custom(format!(
            "`{number}` has no unit; write for example `{}s` or `{}ms`",
            number.unsigned_abs(),
            number.unsigned_abs()
        )))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Span, E> {
        self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl schemars::JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": Span::PATTERN,
            "description": "A length of time, such as `30s`, `15m`, `24h`, `90d` or `1h30m`.",
        })
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize as _;
    use serde::de::IntoDeserializer as _;
    use serde::de::value::{I64Deserializer, StrDeserializer};

    use super::*;

    #[test]
    fn spans_read_and_print_in_the_shortest_form() {
        let same = [
            "500ms",
            "30s",
            "15m",
            "24h",
            "90d",
            "1h30m",
            "36500d",
            "15min",
            "1h30min5s",
        ];
        let printed = [
            "500ms", "30s", "15m", "1d", "90d", "1h30m", "36500d", "15m", "1h30m5s",
        ];
        for (text, expected) in same.into_iter().zip(printed) {
            assert_eq!(
                Span::parse(text).map(|s| s.to_string()).as_deref(),
                Some(expected)
            );
        }
        for text in [
            "",
            "5",
            "h",
            "0s",
            "-1s",
            "1.5h",
            "30m1h",
            "1h1h",
            "1min1m",
            "1m1min",
            "5 s",
            "36501d",
            "36500d1ms",
            "99999999999999999999s",
            "5H",
            "5é",
        ] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_length_of_time_without_a_unit_is_told_what_it_lacks() {
        // As the reader of configuration files gives it.
        let number: I64Deserializer<serde::de::value::Error> = 4_i64.into_deserializer();
        let wrong = Span::deserialize(number).unwrap_err().to_string();
        assert_eq!(wrong, "`4` has no unit; write for example `4s` or `4ms`");
        let text: StrDeserializer<'_, serde::de::value::Error> = "4s".into_deserializer();
        assert_eq!(Span::deserialize(text), Ok(Span::from_secs(4)));
    }

    #[test]
    fn reads_dates_and_moments_and_prints_utc() {
        let day = Timestamp::parse("2027-03-31").map(|t| t.to_string());
        assert_eq!(day.as_deref(), Some("2027-03-31T00:00:00.000Z"));
        let moment = Timestamp::parse("1994-11-06T09:49:37+01:00").map(Timestamp::http_date);
        assert_eq!(moment.as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!(Timestamp::parse("31.3.2027"), None);
        for unclear in [
            "2027-03-31T12:00:00",
            "2027-03-31 12:00",
            "2027-03-31T12",
            "20270331",
            "2027-03-31[Europe/Berlin]",
            "+002027-03-31",
            " 2027-03-31",
            "2027-W13-3",
        ] {
            assert_eq!(Timestamp::parse(unclear), None, "{unclear}");
        }
    }

    #[test]
    fn arithmetic_saturates_instead_of_overflowing() {
        let end = Timestamp::from_micros(i64::MAX);
        assert_eq!(end.plus(Duration::from_secs(1)), end);
        assert_eq!(Timestamp::from_micros(0).since(end), Duration::ZERO);
    }
}
