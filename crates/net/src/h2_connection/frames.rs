//! Where frames begin and end in a stream of HTTP/2 bytes, in pieces as they come.
//! Exports `Frames`, `Frame`. Looks at frame headers and the first word of a payload, hands payloads on, keeps nothing else.
//! Used by the meter, in both directions.
//! Start reading at `Frames::feed`; RFC 9113 §4.1.

/// Octets of a frame header.
const HEADER: usize = 9;
/// Octets of a payload's first word.
const WORD: u32 = 4;

/// Flag of DATA and HEADERS: the last of its stream.
pub(super) const END_STREAM: u8 = 0x1;
/// Flag of SETTINGS and PING: an answer to one of ours.
pub(super) const ACK: u8 = 0x1;
/// Flag of HEADERS and CONTINUATION: the header block is whole.
pub(super) const END_HEADERS: u8 = 0x4;

/// Types of frames (RFC 9113 §6).
pub(super) mod kind {
    pub(in super::super) const DATA: u8 = 0;
    pub(in super::super) const HEADERS: u8 = 1;
    pub(in super::super) const RST_STREAM: u8 = 3;
    pub(in super::super) const SETTINGS: u8 = 4;
    pub(in super::super) const CONTINUATION: u8 = 9;
}

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) length: u32,
    /// First four octets of the payload, as far as there are any: the error code of RST_STREAM.
    pub(super) word: u32,
}

/// What a piece of bytes brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen<'b> {
    /// The header of a frame is complete.
    Begin(Frame),
    /// These octets belong to its payload.
    Payload(Frame, &'b [u8]),
    /// Its payload is, too.
    End(Frame),
}

/// A reader of one direction.
#[derive(Clone, Debug)]
pub(super) struct Frames {
    /// Octets to pass over before the first frame.
    preface_left: usize,
    header: u128,
    header_read: usize,
    frame: Frame,
    payload_left: u32,
}

impl Frames {
    /// A reader that passes over a preface of so many octets.
    pub(super) fn behind(preface: usize) -> Frames {
        Frames {
            preface_left: preface,
            header: 0,
            header_read: 0,
            frame: Frame {
                kind: 0,
                flags: 0,
                stream: 0,
                length: 0,
                word: 0,
            },
            payload_left: 0,
        }
    }

    /// Reads on; `on` hears of every frame that begins and ends in these bytes, and of its payload in pieces as it comes.
    pub(super) fn feed<'b>(&mut self, bytes: &'b [u8], mut on: impl FnMut(Seen<'b>)) {
        let mut rest = bytes.get(self.preface_left..).unwrap_or_default();
        self.preface_left = self.preface_left.saturating_sub(bytes.len());
        while let Some((first, behind)) = rest.split_first() {
            if self.header_read < HEADER {
                rest = behind;
                self.header = self.header << 8 | u128::from(*first);
                self.header_read += 1;
                if self.header_read == HEADER {
                    self.begin();
                    on(Seen::Begin(self.frame));
                    self.end_if_done(&mut on);
                }
                continue;
            }
            let left = usize::try_from(self.payload_left).unwrap_or(usize::MAX);
            let (piece, behind) = rest.split_at_checked(left).unwrap_or((rest, &[]));
            let words = WORD.saturating_sub(self.frame.length - self.payload_left);
            for octet in piece
                .iter()
                .take(usize::try_from(words).unwrap_or_default())
            {
                self.frame.word = self.frame.word << 8 | u32::from(*octet);
            }
            self.payload_left -= u32::try_from(piece.len()).unwrap_or(self.payload_left);
            rest = behind;
            on(Seen::Payload(self.frame, piece));
            self.end_if_done(&mut on);
        }
    }

    fn begin(&mut self) {
        let [.., a, b, c, kind, flags, w, x, y, z] = self.header.to_be_bytes();
        self.frame = Frame {
            kind,
            flags,
            stream: u32::from_be_bytes([w & 0x7f, x, y, z]),
            length: u32::from_be_bytes([0, a, b, c]),
            word: 0,
        };
        self.payload_left = self.frame.length;
    }

    fn end_if_done<'b>(&mut self, on: &mut impl FnMut(Seen<'b>)) {
        if self.payload_left == 0 {
            (self.header, self.header_read) = (0, 0);
            on(Seen::End(self.frame));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut bytes = length[1..].to_vec();
        bytes.extend([kind, flags, 0, 0, 0, 1]);
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn frames_are_found_however_the_bytes_are_cut() {
        let all = [
            b"PRI".to_vec(),
            frame(kind::SETTINGS, 0, &[]),
            frame(kind::RST_STREAM, 0, &[0, 0, 0, 8]),
            frame(kind::DATA, END_STREAM, &[7; 300]),
            frame(kind::HEADERS, END_HEADERS, &[1, 2]),
        ]
        .concat();
        for size in [1, 2, 3, 7, 11, 100, 1000] {
            let mut frames = Frames::behind(3);
            let mut ended = Vec::new();
            let (mut begun, mut payload) = (0, 0);
            for piece in all.chunks(size) {
                frames.feed(piece, |seen| match seen {
                    Seen::Begin(_) => begun += 1,
                    Seen::Payload(frame, bytes) => {
                        assert!(!bytes.is_empty() && bytes.len() <= frame.length as usize);
                        payload += bytes.len();
                    }
                    Seen::End(f) => ended.push((f.kind, f.flags, f.length, f.word)),
                });
            }
            let expected = [
                (4, 0, 0, 0),
                (3, 0, 4, 8),
                (0, 1, 300, 0x0707_0707),
                (1, 4, 2, 0x0102),
            ];
            assert_eq!(
                (begun, payload, &ended[..]),
                (4, 306, &expected[..]),
                "in pieces of {size}"
            );
        }
    }
}
