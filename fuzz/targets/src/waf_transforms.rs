//! Transformations, alone and after one another: nothing panics, and no text grows beyond a fixed factor.

use waf::seclang::Transform;

/// A NUL or a foreign byte becomes at most six characters.
const GROWTH_MAX: usize = 6;

/// One input.
pub fn run(input: ([u8; 3], &[u8])) {
    let (picks, bytes) = input;
    for transform in Transform::ALL {
        let once = transform.apply(bytes);
        assert!(
            once.map_or(0, |text| text.len()) <= bytes.len() * GROWTH_MAX + 64,
            "{transform:?}"
        );
    }
    let mut text = bytes.to_vec();
    for pick in picks {
        if let Some(transform) = Transform::ALL.get(usize::from(pick) % Transform::ALL.len()) {
            text = transform.apply(&text).unwrap_or(text);
        }
    }
}
