//! Whether `:path` was given a fragment (`/a#b`): the library cuts it off before anybody else can see it.
//! Exports `PathWatch`, `CutPath`. Reads fields of a header block as the bytes come, and keeps no field and no table.
//! Used by the meter, which sees what the library reads.
//! Start reading at `PathWatch::read`; RFC 9113 §8.3.1, RFC 7541 §5 and §6.

use super::frames::{Frame, kind};

/// Flags of HEADERS (RFC 9113 §6.2).
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
/// Octets of a priority.
const PRIORITY_OCTETS: u8 = 5;
/// A request has so many pseudo-fields, and they come first (RFC 9113 §8.3): what stands behind them is no path.
const PSEUDO_FIELDS: u8 = 4;
/// Places of `:path` in the static table, and the first one behind that table (RFC 7541 appendix A).
const PATH_PLACES: [u32; 2] = [4, 5];
const FIRST_REMEMBERED: u32 = 62;
/// Longer ones are broken off by the library.
const INTEGER_SHIFT_MAX: u32 = 28;

/// Symbols of the Huffman code in the order of their codes, as far as they can stand in a path (RFC 7541 appendix B).
const SYMBOLS: &[u8; 96] =
    b"012aceiost %-./3456789=A_bdfghlmnpru:BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz&*,;XZ!\"()?'+|#>\0$@[]~^}<`{\\";
/// How many of them have a code of how many bits. The codes of one length follow each other, and so do the lengths.
const LENGTHS: [(u32, u32); 11] = [
    (5, 10),
    (6, 26),
    (7, 32),
    (8, 6),
    (10, 5),
    (11, 3),
    (12, 2),
    (13, 6),
    (14, 2),
    (15, 3),
    (19, 1),
];
/// The code of `:`, with which names of pseudo-fields begin.
const COLON: (u8, u32) = (0b101_1100, 7);

/// A path as the library leaves it, by its digest: a request is compared with it, and paths are long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CutPath(u64);

impl CutPath {
    const EMPTY: CutPath = CutPath(0xcbf2_9ce4_8422_2325);

    /// This path.
    pub(super) fn of(path: &str) -> CutPath {
        path.bytes().fold(CutPath::EMPTY, CutPath::with)
    }

    /// FNV-1a. Whoever finds two paths of one digest gets the wrong one of their own requests refused.
    fn with(self, byte: u8) -> CutPath {
        CutPath((self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}

/// A reader of header blocks that looks for literal paths.
///
/// A path that is sent as a reference to an earlier one was a literal when it came first. Only a block that is malformed can bring it
/// behind the other fields, where nobody looks; no proxy writes that, and what was cut off reaches nobody (docs/http-strictness.md).
#[derive(Clone, Debug, Default)]
pub(super) struct PathWatch {
    /// Octets before the block: length of the padding, priority.
    is_padded: bool,
    priority_left: u8,
    /// Octets of the block in this frame.
    block_left: u32,
    fields: u8,
    expects: Expects,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expects {
    /// The first octet of a field.
    Field,
    /// More of a number: it is this much so far, and what it stands for.
    Number(u32, u32, Number),
    /// The length of a literal name.
    NameLength,
    /// The first octet of a name of so many, coded or not.
    Name { left: u32, is_coded: bool },
    /// Octets that nobody looks at: so many.
    Passed(u32, After),
    /// The length of a value, of a path or not.
    ValueLength(bool),
    /// A path.
    Path(Text),
    /// Whatever else the block holds.
    #[default]
    Nothing,
}

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    /// An index of a whole field.
    Field,
    /// A size of the table.
    Size,
    /// An index of a name.
    Name,
    /// The length of a name; whether it is coded.
    NameLength(bool),
    /// The length of a value: whether it is coded, and of a path.
    ValueLength(bool, bool),
}

/// What follows passed octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// A value that is no path.
    Value,
    /// One that may be.
    Path,
    /// The next field.
    Field,
}

/// A path so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Text {
    left: u32,
    is_coded: bool,
    bits: u32,
    bits_count: u32,
    path: CutPath,
}

impl PathWatch {
    /// A frame begins.
    pub(super) fn begin(&mut self, frame: &Frame) {
        match frame.kind {
            kind::HEADERS => {
                self.is_padded = frame.flags & PADDED != 0;
                self.priority_left = if frame.flags & PRIORITY != 0 {
                    PRIORITY_OCTETS
                } else {
                    0
                };
                self.block_left = frame.length;
                self.fields = 0;
                self.expects = Expects::Field;
            }
            kind::CONTINUATION => self.block_left = frame.length,
            _ => {}
        }
    }

    /// Reads on in the payload of HEADERS and CONTINUATION. Gives a path behind which a fragment begins in these bytes; a block has
    /// one at the most that is a request.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<CutPath> {
        let mut rest = bytes;
        while self.expects != Expects::Nothing
            && let Some((octet, behind)) = rest.split_first()
        {
            rest = behind;
            if std::mem::take(&mut self.is_padded) {
                // The padding stands at the end, and is as long as this octet says.
                self.block_left = self.block_left.saturating_sub(1 + u32::from(*octet));
            } else if self.priority_left > 0 {
                self.priority_left -= 1;
                self.block_left = self.block_left.saturating_sub(1);
            } else if self.block_left > 0 {
                self.block_left -= 1;
                if let Some(cut) = self.octet(*octet) {
                    self.expects = Expects::Nothing;
                    return Some(cut);
                }
            } else {
                return None;
            }
        }
        None
    }

    fn octet(&mut self, octet: u8) -> Option<CutPath> {
        match self.expects {
            Expects::Field => self.field(octet),
            Expects::Number(value, shift, what) => {
                let value = value.saturating_add(u32::from(octet & 0x7f) << shift);
                if octet & 0x80 == 0 {
                    self.number(value, what);
                } else if shift < INTEGER_SHIFT_MAX - 7 {
                    self.expects = Expects::Number(value, shift + 7, what);
                } else {
                    self.expects = Expects::Nothing;
                }
            }
            Expects::NameLength => {
                self.prefixed(octet, 7, Number::NameLength(octet & 0x80 != 0));
            }
            Expects::Name { left, is_coded } => {
                let is_pseudo = if is_coded {
                    octet >> (8 - COLON.1) == COLON.0
                } else {
                    octet == b':'
                };
                self.name_is(is_pseudo, left - 1);
            }
            Expects::Passed(left, after) => self.pass(left - 1, after),
            Expects::ValueLength(is_path) => {
                let what = Number::ValueLength(octet & 0x80 != 0, is_path);
                self.prefixed(octet, 7, what);
            }
            Expects::Path(text) => return self.path(text, octet),
            Expects::Nothing => {}
        }
        None
    }

    /// RFC 7541 §6: what kind of a field this is.
    fn field(&mut self, octet: u8) {
        match octet.leading_zeros() {
            0 => self.prefixed(octet, 7, Number::Field),
            1 => self.prefixed(octet, 6, Number::Name),
            2 => self.prefixed(octet, 5, Number::Size),
            _ => self.prefixed(octet, 4, Number::Name),
        }
    }

    /// RFC 7541 §5.1: a number in the last bits of this octet, or one that begins there.
    fn prefixed(&mut self, octet: u8, bits: u32, what: Number) {
        let most = (1u32 << bits) - 1;
        let value = u32::from(octet) & most;
        if value == most {
            self.expects = Expects::Number(value, 0, what);
        } else {
            self.number(value, what);
        }
    }

    fn number(&mut self, value: u32, what: Number) {
        match what {
            Number::Size => self.expects = Expects::Field,
            Number::Field => self.next_field(),
            Number::Name if value == 0 => self.expects = Expects::NameLength,
            // Which name a remembered one is nobody knows here. In this place it is the name of a pseudo-field.
            Number::Name => {
                let is_path = PATH_PLACES.contains(&value) || value >= FIRST_REMEMBERED;
                self.expects = Expects::ValueLength(is_path);
            }
            Number::NameLength(_) if value == 0 => self.expects = Expects::Nothing,
            Number::NameLength(is_coded) => {
                self.expects = Expects::Name {
                    left: value,
                    is_coded,
                };
            }
            Number::ValueLength(is_coded, true) if value > 0 => {
                self.expects = Expects::Path(Text {
                    left: value,
                    is_coded,
                    bits: 0,
                    bits_count: 0,
                    path: CutPath::EMPTY,
                });
            }
            Number::ValueLength(..) => self.pass(value, After::Field),
        }
    }

    /// A literal name. Whatever pseudo-field it is, a fragment has no place in it.
    fn name_is(&mut self, is_pseudo: bool, left: u32) {
        let after = if is_pseudo { After::Path } else { After::Value };
        self.pass(left, after);
    }

    fn pass(&mut self, left: u32, after: After) {
        match (left, after) {
            (1.., _) => self.expects = Expects::Passed(left, after),
            (0, After::Value) => self.expects = Expects::ValueLength(false),
            (0, After::Path) => self.expects = Expects::ValueLength(true),
            (0, After::Field) => self.next_field(),
        }
    }

    fn next_field(&mut self) {
        self.fields += 1;
        self.expects = if self.fields < PSEUDO_FIELDS {
            Expects::Field
        } else {
            Expects::Nothing
        };
    }

    fn path(&mut self, mut text: Text, octet: u8) -> Option<CutPath> {
        text.left -= 1;
        if !text.is_coded {
            if text.takes(octet) {
                return Some(text.cut());
            }
        } else {
            text.bits = text.bits << 8 | u32::from(octet);
            text.bits_count += 8;
            loop {
                match text.symbol() {
                    Coded::Symbol(symbol) if text.takes(symbol) => return Some(text.cut()),
                    Coded::Symbol(_) => {}
                    Coded::More => break,
                    // No path has such a byte: the request is refused for it.
                    Coded::Other => {
                        self.pass(text.left, After::Field);
                        return None;
                    }
                }
            }
        }
        if text.left > 0 {
            self.expects = Expects::Path(text);
        } else {
            self.next_field();
        }
        None
    }
}

/// What the bits at hand are.
enum Coded {
    Symbol(u8),
    /// They are not enough.
    More,
    /// Something that no path may hold.
    Other,
}

impl Text {
    /// Takes one more byte; whether a fragment begins with it.
    fn takes(&mut self, byte: u8) -> bool {
        if byte == b'#' {
            return true;
        }
        self.path = self.path.with(byte);
        false
    }

    /// What the library makes of it.
    fn cut(&self) -> CutPath {
        if self.path == CutPath::EMPTY {
            CutPath::of("/")
        } else {
            self.path
        }
    }

    /// The next symbol. At most 18 bits are left over, and eight are added at a time.
    fn symbol(&mut self) -> Coded {
        let (mut first, mut place, mut before) = (0u32, 0u32, 0u32);
        for (length, count) in LENGTHS {
            first <<= length - before;
            let Some(behind) = self.bits_count.checked_sub(length) else {
                return Coded::More;
            };
            let code = self.bits >> behind & ((1 << length) - 1);
            if let Some(at) = code.checked_sub(first).filter(|at| *at < count) {
                self.bits_count = behind;
                let symbol = SYMBOLS.get(usize::try_from(place + at).unwrap_or(usize::MAX));
                return symbol.map_or(Coded::Other, |symbol| Coded::Symbol(*symbol));
            }
            (first, place, before) = (first + count, place + count, length);
        }
        Coded::Other
    }
}

#[cfg(test)]
mod tests;
