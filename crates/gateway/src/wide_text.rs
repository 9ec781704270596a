//! Texts in UTF-16 and UTF-32: their ASCII letters are those of any other text with zero bytes between them, in either order of bytes.
//! Exports `without_zeros`, `narrowed`, and `widened`, which puts what was changed back.
//! Used by the guard against leaks and by the search for our own keys, on files: no other body holds a zero byte.
//! Start reading at `narrowed`.

use std::borrow::Cow;

/// The bytes without the zeros among them.
pub fn without_zeros(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.contains(&0) {
        bytes.iter().copied().filter(|byte| *byte != 0).collect()
    } else {
        Cow::Borrowed(bytes)
    }
}

/// The text of a file in UTF-16 or UTF-32 without the zeros between its letters, which is where keys and numbers are found. `None`
/// for any other file.
pub fn narrowed(bytes: &[u8]) -> Option<Vec<u8>> {
    /// Enough to tell: half of a text of ASCII letters in UTF-16 are zero bytes.
    const LOOKED_AT: usize = 256;
    let start = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let has_mark = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff");
    let zeros = start.iter().filter(|byte| **byte == 0).count();
    let is_wide = has_mark || zeros >= start.len().div_ceil(3).max(2);
    is_wide.then(|| without_zeros(bytes).into_owned())
}

/// The wide text with the bytes of a narrow one of the same length, as [`narrowed`] made it, in their places.
pub fn widened(wide: &[u8], narrow: &[u8]) -> Vec<u8> {
    let mut letters = narrow.iter();
    let byte = |byte: &u8| match byte {
        0 => 0,
        _ => letters.next().copied().unwrap_or(b'*'),
    };
    wide.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_not_changed_comes_back_as_it_was(bytes in prop::collection::vec(0u8..4, 0..40)) {
            let narrow = without_zeros(&bytes);
            prop_assert!(!narrow.contains(&0));
            prop_assert_eq!(widened(&bytes, &narrow), bytes.clone());
        }
    }
}
