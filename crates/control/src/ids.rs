//! New ids: the time in front, so that they sort by age, and randomness behind it.
//! Exports `fresh`.
//! Used for keys and for changes.
//! Start reading at `fresh`.

use model::Timestamp;

/// The bits of a UUID of version 7 (RFC 9562 §5.7).
pub(crate) fn fresh(now: Timestamp) -> u128 {
    let millis = u128::try_from(now.micros() / 1000).unwrap_or(0) & ((1 << 48) - 1);
    let random = u128::from_le_bytes(crypto::random::<16>()) & ((1 << 80) - 1);
    let bits = (millis << 80) | random;
    let bits = (bits & !(0xf << 76)) | (0x7 << 76);
    (bits & !(0b11 << 62)) | (0b10 << 62)
}
