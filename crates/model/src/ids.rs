//! Identifiers with a visible prefix, and the rules for configured names.
//! Exports `DecisionId`, `KeyId`, `IntegrationId`, `ListenerId`, `is_name`. Pure: the random part is passed in.
//! Used by every room.
//! Start reading at `prefixed!`; `uuid_v7` is the one place where ids are made.

use std::fmt;

use crate::{Text, Timestamp};

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 26 characters of Crockford base32, the text form of 128 bits that sorts like the number.
fn base32(bits: u128) -> [u8; 26] {
    let mut rest = bits;
    let mut out = [b'0'; 26];
    for letter in out.iter_mut().rev() {
        let five = usize::try_from(rest & 31).unwrap_or(0);
        *letter = CROCKFORD.get(five).copied().unwrap_or(b'0');
        rest >>= 5;
    }
    out
}

fn read_base32(text: &str) -> Option<u128> {
    if text.len() != 26 {
        return None;
    }
    let mut bits: u128 = 0;
    for byte in text.bytes() {
        let five = CROCKFORD
            .iter()
            .position(|c| *c == byte.to_ascii_uppercase())?;
        bits = bits
            .checked_mul(32)?
            .checked_add(u128::try_from(five).ok()?)?;
    }
    Some(bits)
}

/// Random bytes in a new id.
pub const RANDOM_BYTES: usize = 10;

/// The bits of a UUID of version 7 (RFC 9562 §5.7): the millisecond in front, so that ids sort by age, and nothing but
/// randomness behind it. A counter there would tell whoever holds two ids how many were given out between them.
fn uuid_v7(now: Timestamp, random: [u8; RANDOM_BYTES]) -> u128 {
    let millis = u128::try_from(now.micros() / 1000).unwrap_or(0) & ((1 << 48) - 1);
    let random = random
        .into_iter()
        .fold(0, |bits: u128, byte| (bits << 8) | u128::from(byte));
    let (version, variant) = (0x7 << 76, 0b10 << 62);
    let free = !((0xf << 76) | (0b11 << 62));
    (millis << 80) | (random & free) | version | variant
}

macro_rules! prefixed {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// A new id: the millisecond, then the random bytes.
            pub fn new(now: Timestamp, random: [u8; RANDOM_BYTES]) -> Self {
                $name(uuid_v7(now, random))
            }

            /// From 128 bits, normally a UUID version 7 so that ids sort by time.
            pub const fn from_bits(bits: u128) -> Self {
                $name(bits)
            }

            /// The 128 bits.
            pub const fn bits(self) -> u128 {
                self.0
            }

            /// The moment in it, to the millisecond: when it was made, by the clock of then.
            pub fn moment(self) -> Timestamp {
                let millis = i64::try_from(self.0 >> 80).unwrap_or_default();
                Timestamp::from_micros(millis.saturating_mul(1_000))
            }

            /// The text form, on the stack: ids are printed several times for each request.
            pub fn ascii(self) -> [u8; $prefix.len() + 26] {
                let mut out = [0; $prefix.len() + 26];
                let (prefix, random) = out.split_at_mut($prefix.len());
                prefix.copy_from_slice($prefix.as_bytes());
                random.copy_from_slice(&base32(self.0));
                out
            }

            /// The text form as a short text.
            pub fn text(self) -> Text {
                Text::new(std::str::from_utf8(&self.ascii()).unwrap_or_default())
            }

            /// Reads the text form; letter case of the random part does not matter.
            pub fn parse(text: &str) -> Option<Self> {
                read_base32(text.strip_prefix($prefix)?).map($name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(std::str::from_utf8(&self.ascii()).unwrap_or_default())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(std::str::from_utf8(&self.ascii()).unwrap_or_default())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                $name::parse(&text)
                    .ok_or_else(|| serde::de::Error::custom(concat!("not an id of the form ", $prefix, "…")))
            }
        }
    };
}

prefixed!(
    /// A decision: one request, allowed or refused. Also the reference the caller is given.
    DecisionId, "dec_"
);
prefixed!(
    /// A credential's public name; says nothing about its secret.
    KeyId, "key_"
);

/// An integration of the configuration in force, by its place in it. Good for the configuration that gave it, and for no
/// other: what outlives a configuration names the integration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntegrationId(u32);

impl IntegrationId {
    /// The integration at this place.
    pub const fn new(place: u32) -> Self {
        IntegrationId(place)
    }

    /// The place, for tables.
    pub const fn place(self) -> usize {
        self.0 as usize
    }
}

/// A listener as a router knows it. Good for the configuration that gave it, and for no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenerId(u16);

impl ListenerId {
    /// A listener on which nothing is exposed.
    pub const NOTHING_EXPOSED: ListenerId = ListenerId(u16::MAX);

    /// The listener at this place. Beyond 65,534 listeners nothing is exposed.
    pub fn new(place: usize) -> Self {
        u16::try_from(place).map_or(Self::NOTHING_EXPOSED, ListenerId)
    }
}

/// Whether `text` may name an integration, api, version, role, listener or flow:
/// 1 to 63 of `a-z`, `0-9`, `-`, beginning with a letter, not ending with `-`.
pub fn is_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_keeps_order() {
        let (low, high) = (DecisionId::from_bits(7), DecisionId::from_bits(u128::MAX));
        assert_eq!(DecisionId::parse(&low.to_string()), Some(low));
        assert_eq!(DecisionId::parse(&high.to_string()), Some(high));
        assert!(low.to_string() < high.to_string());
        assert_eq!(low.to_string().len(), 30);
    }

    #[test]
    fn a_new_id_holds_its_millisecond_and_randomness_and_nothing_else() {
        let at = Timestamp::from_micros;
        let none = DecisionId::new(at(1_795_000_000_123_456), [0; RANDOM_BYTES]);
        assert_eq!(none.bits() >> 80, 1_795_000_000_123);
        assert_eq!(none.moment(), at(1_795_000_000_123_000));
        // The microseconds below it are not told, and every other bit is one of version, variant or chance.
        assert_eq!(
            none,
            DecisionId::new(at(1_795_000_000_123_000), [0; RANDOM_BYTES])
        );
        assert_eq!(none.bits() & ((1 << 80) - 1), (0x7 << 76) | (0b10 << 62));
        let all = DecisionId::new(at(1_795_000_000_123_456), [0xff; RANDOM_BYTES]);
        assert_eq!((all.bits() ^ none.bits()).count_ones(), 74);
        assert!(all < DecisionId::new(at(1_795_000_000_124_000), [0; RANDOM_BYTES]));
    }

    #[test]
    fn foreign_prefixes_lengths_and_overflow_are_refused() {
        assert_eq!(KeyId::parse(&DecisionId::from_bits(7).to_string()), None);
        assert_eq!(KeyId::parse("key_7"), None);
        assert_eq!(KeyId::parse(&format!("key_{}", "Z".repeat(26))), None);
    }

    #[test]
    fn names_are_lower_case_words() {
        assert!(is_name("field-service") && is_name("v2"));
        assert!(!is_name("") && !is_name("-a") && !is_name("a-") && !is_name("A") && !is_name("ä"));
    }
}
