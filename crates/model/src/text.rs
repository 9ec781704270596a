//! Short texts, of which bodies and records are made by the thousand.
//! Exports `Text`, `shared` and `shown`. Pure.
//! Used by `Json` and `Event`.
//! Start reading at `Text`.

use std::fmt::Display;
use std::sync::Arc;

/// Short text, shared text or static text: making or copying one rarely takes memory from the heap.
pub type Text = smol_str::SmolStr;

/// A name that others hold too: copied when short, shared when long.
pub fn shared(name: &Arc<str>) -> Text {
    if name.len() <= Text::INLINE_CAP {
        Text::new(name)
    } else {
        Text::from(Arc::clone(name))
    }
}

/// A value as it prints, without a detour over the heap when that is short.
pub fn shown(value: &impl Display) -> Text {
    smol_str::format_smolstr!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_shared_and_a_short_one_copied() {
        let long: Arc<str> = "a name of more than twenty-three bytes".into();
        assert_eq!(shared(&long), *long);
        assert_eq!(shared(&"short".into()), "short");
        let held = shared(&long);
        assert_eq!(Arc::strong_count(&long), 2, "{held}");
        assert_eq!(shown(&4711), "4711");
    }
}
