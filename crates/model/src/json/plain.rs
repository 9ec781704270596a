//! How far a string goes on without anything that JSON escapes.
//! Exports `length`. Pure.
//! Used by the reader and the writer.
//! Start reading at `length`.

/// Bytes up to the first quote, backslash or control byte; all of them when there is none.
///
/// Eight at a time as one number: in `marks` the highest bit of every byte that ends the run is set. Subtracting
/// may borrow from the next byte, so bits above the lowest one can be wrong; the lowest is always right.
pub(super) fn length(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let marks = marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return index * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    if tail.is_empty() {
        return bytes.len();
    }
    // The last eight again where there are so many: what they share with the words before is known to be plain.
    let (last, start) = match bytes.last_chunk::<8>() {
        Some(last) => (*last, bytes.len() - 8),
        None => (padded(tail), 0),
    };
    let marks = marks(u64::from_le_bytes(last));
    (start + marks.trailing_zeros() as usize / 8).min(bytes.len())
}

/// Fewer than eight bytes, with plain ones behind them.
fn padded(bytes: &[u8]) -> [u8; 8] {
    let mut room = [b' '; 8];
    room.iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
    room
}

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH: u64 = ONES << 7;

fn marks(word: u64) -> u64 {
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = is_zero(word ^ (ONES * b'"' as u64));
    let backslash = is_zero(word ^ (ONES * b'\\' as u64));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGH
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn the_first_byte_that_needs_an_escape_ends_a_run_wherever_it_stands() {
        for end in [b'"', b'\\', 0, 0x1f] {
            for (at, size) in (0..50).flat_map(|size| (0..size).map(move |at| (at, size))) {
                let mut bytes = vec![b'a'; size];
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = end;
                }
                assert_eq!(length(&bytes), at);
                // What stands behind the first one changes nothing.
                bytes.iter_mut().skip(at).for_each(|byte| *byte = end);
                assert_eq!(length(&bytes), at);
            }
        }
        assert_eq!(length("grün, größer als 16 Byte lang".as_bytes()), 32);
        assert_eq!(length(b""), 0);
    }
}
