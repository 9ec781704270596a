//! Bounds that several stages share, and how text is cut to one.
//! Exports `RESPONSE_BOUNDS`, `DETAIL_BYTES_MAX`, `PATH_BYTES_MAX` and `bounded`.
//! Used by the stages and by what writes records.
//! Start reading at `bounded`.

use model::Text;
use model::json::Bounds;

/// What an answer may cost: its size is bounded by the upstream's settings, its depth and width here.
pub const RESPONSE_BOUNDS: Bounds = Bounds {
    depth: 64,
    values: 1_000_000,
    digits: 128,
};

/// Longest path kept in a record, in bytes.
pub const PATH_BYTES_MAX: usize = 512;
/// Most objects named in a record.
pub const OBJECTS_MAX: usize = policy::Released::OBJECTS_MAX;
/// Longest user agent kept in a record.
pub const USER_AGENT_BYTES_MAX: usize = 256;
/// Longest private detail kept in a record, in bytes.
pub const DETAIL_BYTES_MAX: usize = 1024;

/// Shortens text for the record, at a character boundary.
pub fn bounded(text: &str, bytes_max: usize) -> Text {
    let end = (0..=bytes_max.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    Text::new(text.get(..end).unwrap_or_default())
}
