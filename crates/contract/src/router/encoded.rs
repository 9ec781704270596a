//! Values with escaped characters that end or divide a path, where the contract lets them stand: how upstreams could read them.
//! Exports `readings`.
//! Used by `Router`, which refuses a value with which any of these readings is another declared path.
//! Start reading at `readings`.

/// How an upstream takes a decoded segment apart. Each is a habit of its own, met with and without the others.
#[derive(Clone, Copy, Debug)]
struct Habits {
    /// A slash divides.
    slash: bool,
    /// So does a backslash.
    backslash: bool,
    /// What stands behind a `;` is taken for parameters of the segment.
    semicolon: bool,
    /// The path ends before a `?` or `#`.
    end: bool,
}

impl Habits {
    /// Every way to have them.
    fn all() -> impl Iterator<Item = Habits> {
        (0..16_u8).map(|bits| Habits {
            slash: bits & 1 != 0,
            backslash: bits & 2 != 0,
            semicolon: bits & 4 != 0,
            end: bits & 8 != 0,
        })
    }
}

/// What upstreams could read in place of these segments, those with bits in `encoded` decoded too early or once too often. `None` where
/// one of them is no path at all: a dot segment, an empty one, a control character.
pub(super) fn readings(segments: &[String], encoded: u64) -> Option<Vec<Vec<String>>> {
    let mut all = Vec::new();
    for is_twice in [false, true] {
        for habits in Habits::all() {
            let read = reading(segments, encoded, habits, is_twice)?;
            if !all.contains(&read) {
                all.push(read);
            }
        }
    }
    Some(all)
}

fn reading(
    segments: &[String],
    encoded: u64,
    habits: Habits,
    is_twice: bool,
) -> Option<Vec<String>> {
    let divides = |letter| (habits.slash && letter == '/') || (habits.backslash && letter == '\\');
    let mut read = Vec::with_capacity(segments.len());
    for (place, segment) in segments.iter().enumerate() {
        if encoded >> place & 1 == 0 {
            read.push(segment.clone());
            continue;
        }
        let text = if is_twice {
            decoded(segment)?
        } else {
            segment.clone()
        };
        let end = text.find(['?', '#']).filter(|_| habits.end);
        let kept = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
        for piece in kept.split(divides) {
            let own = piece.split(';').next().unwrap_or_default();
            let piece = if habits.semicolon { own } else { piece };
            if matches!(piece, "" | "." | "..") || piece.contains(char::is_control) {
                return None;
            }
            read.push(piece.to_owned());
        }
        if end.is_some() {
            return Some(read);
        }
    }
    Some(read)
}

/// The text decoded once more, as far as it holds escapes. `None` where that is no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let digits = digits.filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}
