//! Bytes as text and back: hex, base64, base64url and base62; and CRC-32 for mistyped keys.
//! Exports `hex`, `base64`, `base64url`, `base62` with their strict readers, and `crc32`.
//! Used by identity (credential format), audit (checkpoints) and the key hierarchy.
//! Start reading anywhere; each function stands alone.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(u32::from(four), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|b| [digit(b >> 4), digit(b & 15)])
        .collect()
}

/// Reads hex of either case; `None` for an odd length or another character.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| {
        char::from(b)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect()
}

/// Base64 with padding (RFC 4648 §4).
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads base64 with padding; `None` for anything not canonical.
pub fn unbase64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Base64url without padding (RFC 4648 §5, RFC 7515 §2).
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url without padding; `None` for anything not canonical.
pub fn unbase64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Characters of [`base62`] of 32 bytes: 62^43 is just above 2^256.
pub const BASE62_LEN_32: usize = 43;

/// 32 bytes as 43 letters and digits, most significant first. A double click selects all of it.
pub fn base62(bytes: &[u8; 32]) -> String {
    let mut number = *bytes;
    let mut digits = [b'0'; BASE62_LEN_32];
    for digit in digits.iter_mut().rev() {
        *digit = letter(divide_by_62(&mut number));
    }
    zeroize::Zeroize::zeroize(&mut number);
    let text = digits.iter().map(|b| char::from(*b)).collect();
    zeroize::Zeroize::zeroize(&mut digits);
    text
}

/// Reads what [`base62`] wrote; `None` for another length, another character or a number of more than 256 bits.
pub fn unbase62(text: &str) -> Option<[u8; 32]> {
    if text.len() != BASE62_LEN_32 {
        return None;
    }
    let mut number = [0_u8; 32];
    for byte in text.bytes() {
        let mut carry = u16::from(digit(byte)?);
        for part in number.iter_mut().rev() {
            carry += u16::from(*part) * 62;
            *part = low_byte(carry);
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(number)
}

/// A 32-bit number as 6 letters and digits, most significant first.
pub fn base62_u32(mut number: u32) -> String {
    let mut digits = ['0'; 6];
    for place in digits.iter_mut().rev() {
        *place = char::from(letter(u8::try_from(number % 62).unwrap_or(0)));
        number /= 62;
    }
    digits.iter().collect()
}

/// Divides a big-endian number in place and gives the remainder.
fn divide_by_62(number: &mut [u8; 32]) -> u8 {
    let mut rest = 0_u16;
    for part in number.iter_mut() {
        let dividend = rest << 8 | u16::from(*part);
        *part = low_byte(dividend / 62);
        rest = dividend % 62;
    }
    low_byte(rest)
}

fn low_byte(number: u16) -> u8 {
    let [_, low] = number.to_be_bytes();
    low
}

fn letter(digit: u8) -> u8 {
    BASE62.get(usize::from(digit)).copied().unwrap_or(b'0')
}

fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'A'..=b'Z' => Some(letter - b'A' + 10),
        b'a'..=b'z' => Some(letter - b'a' + 36),
        _ => None,
    }
}

/// CRC-32 as in zlib and Ethernet (reflected polynomial 0xEDB88320). Finds typing errors; proves nothing.
pub fn crc32(bytes: &[u8]) -> u32 {
    // The remainders of single bytes. Every request with a key asks for them.
    static OF_BYTE: LazyLock<[u32; 256]> = LazyLock::new(|| {
        let step = |crc: u32| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1));
        let mut byte = 0..=255u32;
        [(); 256].map(|()| (0..8).fold(byte.next().unwrap_or(0), |crc, _| step(crc)))
    });
    let of_byte = &*OF_BYTE;
    let step = |crc: u32, byte: &u8| {
        let [low, ..] = crc.to_le_bytes();
        let known = of_byte.get(usize::from(low ^ byte)).copied();
        (crc >> 8) ^ known.unwrap_or(0)
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn crc32_gives_the_catalogued_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn base62_covers_the_whole_range_and_no_more() {
        assert_eq!(base62(&[0; 32]), "0".repeat(43));
        assert_eq!(unbase62(&base62(&[255; 32])), Some([255; 32]));
        assert_eq!(unbase62(&"z".repeat(43)), None);
        assert_eq!(unbase62(&"0".repeat(42)), None);
        assert_eq!(unbase62(&format!("{}-", "0".repeat(42))), None);
        assert_eq!(base62_u32(61), "00000z");
        assert_eq!(base62_u32(u32::MAX), "4gfFC3");
    }

    #[test]
    fn readers_are_strict() {
        assert_eq!(unhex("0aFF"), Some(vec![10, 255]));
        assert!(unhex("0").is_none() && unhex("0g").is_none() && unhex("é").is_none());
        assert!(unbase64("AA").is_none() && unbase64("AB==").is_none());
        assert!(unbase64url("AA==").is_none() && unbase64url("A+A").is_none());
    }

    proptest! {
        #[test]
        fn every_text_form_round_trips(bytes: Vec<u8>, word: [u8; 32]) {
            prop_assert_eq!(unhex(&hex(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(unbase64(&base64(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(unbase64url(&base64url(&bytes)), Some(bytes));
            prop_assert_eq!(unbase62(&base62(&word)), Some(word));
        }

        #[test]
        fn base62_keeps_the_order_of_numbers(a: [u8; 32], b: [u8; 32]) {
            prop_assert_eq!(a.cmp(&b), base62(&a).cmp(&base62(&b)));
        }
    }
}
