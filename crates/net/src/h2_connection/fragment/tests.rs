use proptest::prelude::*;

use super::*;
use crate::h2_connection::frames::{Frames, Seen};

/// Lengths of all codes, by byte (RFC 7541 appendix B). The codes follow from them.
const CODE_LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6,
    6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22,
    21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20,
    22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
    21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22,
    22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

/// The code of a byte: among equal lengths codes follow the bytes, and longer codes follow shorter ones.
fn code(byte: u8) -> (u32, u32) {
    let mut bytes: Vec<u8> = (0..=255).collect();
    bytes.sort_by_key(|byte| (CODE_LENGTHS[usize::from(*byte)], *byte));
    let (mut code, mut before) = (0u32, 0u32);
    for one in bytes {
        let length = u32::from(CODE_LENGTHS[usize::from(one)]);
        code <<= length - before;
        before = length;
        if one == byte {
            return (code, length);
        }
        code += 1;
    }
    unreachable!()
}

fn coded(text: &[u8]) -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    for byte in text {
        let (code, length) = code(*byte);
        bits.extend((0..length).rev().map(|at| code >> at & 1 == 1));
    }
    bits.resize(bits.len().next_multiple_of(8), true);
    let octet = |bits: &[bool]| bits.iter().fold(0, |all, bit| all << 1 | u8::from(*bit));
    bits.chunks(8).map(octet).collect()
}

/// A number behind these first bits (RFC 7541 §5.1).
fn number(out: &mut Vec<u8>, first: u8, bits: u32, value: usize) {
    let most = (1 << bits) - 1;
    if value < most {
        out.push(first | u8::try_from(value).unwrap());
        return;
    }
    out.push(first | u8::try_from(most).unwrap());
    let mut left = value - most;
    while left >= 128 {
        out.push(u8::try_from(left % 128).unwrap() | 0x80);
        left /= 128;
    }
    out.push(u8::try_from(left).unwrap());
}

fn string(out: &mut Vec<u8>, text: &[u8], is_coded: bool) {
    let bytes = if is_coded { coded(text) } else { text.to_vec() };
    number(out, if is_coded { 0x80 } else { 0 }, 7, bytes.len());
    out.extend(bytes);
}

/// How a field is written.
#[derive(Clone, Copy, Debug)]
struct Style {
    /// The name: a place of a table, or none.
    place: Option<usize>,
    /// Remembered, not remembered, never.
    form: u8,
    is_coded: bool,
}

fn field(out: &mut Vec<u8>, name: &str, value: &[u8], style: Style) {
    let (first, bits) = [(0x40, 6), (0, 4), (0x10, 4)][usize::from(style.form)];
    number(out, first, bits, style.place.unwrap_or(0));
    if style.place.is_none() {
        string(out, name.as_bytes(), style.is_coded);
    }
    string(out, value, style.is_coded);
}

/// The frames of a block, cut at some places, with padding and priority or without.
fn frames(block: &[u8], cuts: &[usize], is_padded: bool, has_priority: bool) -> Vec<u8> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (block.len() + 1)).collect();
    ends.push(block.len());
    ends.sort_unstable();
    let (mut out, mut start) = (Vec::new(), 0);
    for (n, end) in ends.iter().enumerate() {
        let piece = &block[start..*end];
        start = *end;
        let (mut payload, mut flags) = (Vec::new(), 0);
        if n == 0 && is_padded {
            payload.push(3);
            flags |= PADDED;
        }
        if n == 0 && has_priority {
            payload.extend([0, 0, 0, 0, b'#']);
            flags |= PRIORITY;
        }
        payload.extend(piece);
        if n == 0 && is_padded {
            payload.extend(*b"\x04##");
        }
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        out.extend(&length[1..]);
        out.push(if n == 0 {
            kind::HEADERS
        } else {
            kind::CONTINUATION
        });
        out.extend([flags, 0, 0, 0, 1]);
        out.extend(payload);
    }
    out
}

/// Every path that is found to be cut, with the bytes read in pieces of this size.
fn found(bytes: &[u8], size: usize) -> Vec<CutPath> {
    let (mut frames, mut watch) = (Frames::behind(0), PathWatch::default());
    let mut all = Vec::new();
    for piece in bytes.chunks(size) {
        frames.feed(piece, |seen| match seen {
            Seen::Begin(frame) => watch.begin(&frame),
            Seen::Payload(_, bytes) => all.extend(watch.read(bytes)),
            Seen::End(_) => {}
        });
    }
    all
}

#[test]
fn the_code_is_that_of_the_rfc() {
    // RFC 7541 §C.4.1 and §C.4.3.
    let example = [
        0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff,
    ];
    assert_eq!(coded(b"www.example.com"), example);
    assert_eq!(
        coded(b"custom-value"),
        [0x25, 0xa8, 0x49, 0xe9, 0x5b, 0xb8, 0xe8, 0xb4, 0xbf]
    );
    assert_eq!(coded(b":path"), [0xb9, 0x58, 0xd3, 0x3f]);
    let listed: u32 = LENGTHS.iter().map(|(_, count)| count).sum();
    assert_eq!(usize::try_from(listed).unwrap(), SYMBOLS.len());
    for byte in b' '..=b'~' {
        let bytes = coded(&[byte]);
        let mut text = Text {
            left: 0,
            is_coded: true,
            bits: bytes
                .iter()
                .fold(0, |all, octet| all << 8 | u32::from(*octet)),
            bits_count: 8 * u32::try_from(bytes.len()).unwrap(),
            path: CutPath::EMPTY,
        };
        assert!(
            matches!(text.symbol(), Coded::Symbol(symbol) if symbol == byte),
            "{byte}"
        );
    }
}

const STYLES: [(Option<usize>, &str); 6] = [
    (Some(4), ""),
    (Some(5), ""),
    (Some(62), ""),
    (Some(4000), ""),
    (None, ":path"),
    (None, ":PATH"),
];

fn a_style() -> impl Strategy<Value = (Style, &'static str)> {
    (
        prop::sample::select(STYLES.to_vec()),
        0_u8..3,
        any::<bool>(),
    )
        .prop_map(|((place, name), form, is_coded)| {
            let style = Style {
                place,
                form,
                is_coded,
            };
            (style, name)
        })
}

proptest! {
    /// However a block is written and cut: a path with a fragment is found, once, and one without is not; what stands in other fields,
    /// in padding and priority is passed over.
    #[test]
    fn a_fragment_is_found_however_it_is_written(
        path in "[!-\"$-~]{0,40}",
        fragment in prop::option::of("[ -~]{0,10}"),
        (style, name) in a_style(),
        at in 0_usize..4,
        other in "[ -~]{0,20}#",
        has_size in any::<bool>(),
        (is_padded, has_priority) in any::<(bool, bool)>(),
        cuts in prop::collection::vec(any::<usize>(), 0..4),
        size in 1_usize..80,
    ) {
        let mut block = Vec::new();
        if has_size {
            number(&mut block, 0x20, 5, 4096);
        }
        let plain = |place| Style { place: Some(place), form: style.form, is_coded: style.is_coded };
        for n in 0..4 {
            match n {
                _ if n == at => {
                    let whole = match &fragment {
                        Some(fragment) => format!("{path}#{fragment}"),
                        None => path.clone(),
                    };
                    field(&mut block, name, whole.as_bytes(), style);
                }
                0 => number(&mut block, 0x80, 7, 2),
                1 => field(&mut block, "", b"localhost", plain(1)),
                2 => number(&mut block, 0x80, 7, 300),
                // `host`, and then a name of no pseudo-field.
                _ if has_size => field(&mut block, "", other.as_bytes(), plain(38)),
                _ => field(&mut block, "x-colour", other.as_bytes(), Style { place: None, ..style }),
            }
        }
        // Behind the pseudo-fields a remembered name may be any.
        field(&mut block, "", other.as_bytes(), plain(70));
        let bytes = frames(&block, &cuts, is_padded, has_priority);
        let twice = [&bytes[..], &bytes].concat();
        let expected = fragment.map(|_| CutPath::of(if path.is_empty() { "/" } else { &path }));
        let expected: Vec<CutPath> = expected.into_iter().flat_map(|cut| [cut; 2]).collect();
        prop_assert_eq!(found(&twice, size), expected);
    }

    /// No bytes are too strange for it.
    #[test]
    fn any_bytes_are_read(block in prop::collection::vec(any::<u8>(), 0..300), is_padded in any::<bool>(), size in 1_usize..50) {
        let bytes = frames(&block, &[7, 100], is_padded, !is_padded);
        found(&bytes, size);
    }
}
