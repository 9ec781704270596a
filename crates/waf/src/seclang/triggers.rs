//! Which transformations can change a text, told by its bytes.
//! Exports `Triggers`.
//! Used by `texts`: a transformation that no byte wakes leaves the text as it is.
//! Start reading at `Triggers::of`.

use crate::bytes::ByteSet;
use crate::transform::Transform;

/// Which transformations a byte wakes.
#[derive(Debug)]
pub(super) struct Triggers {
    by_byte: Box<[u32; 256]>,
    always: u32,
}

impl Default for Triggers {
    fn default() -> Triggers {
        let mut triggers = Triggers {
            by_byte: Box::new([0; 256]),
            always: 0,
        };
        for transform in Transform::ALL {
            let Some(bytes) = transform.triggers() else {
                triggers.always |= transform.bit();
                continue;
            };
            for byte in bytes.iter() {
                if let Some(woken) = triggers.by_byte.get_mut(usize::from(byte)) {
                    *woken |= transform.bit();
                }
            }
        }
        triggers
    }
}

impl Triggers {
    /// The bytes of a text, and the transformations that may change it.
    pub(super) fn of(&self, text: &[u8]) -> (ByteSet, u32) {
        let woken = text.iter().fold(self.always, |woken, byte| {
            woken | self.by_byte.get(usize::from(*byte)).copied().unwrap_or(0)
        });
        (ByteSet::of(text), woken)
    }
}
