//! The chunked coding (RFC 9112 §7.1), decoded strictly and in any splitting of the bytes.
//! Exports `Chunked`. Extensions and trailers are read over within a bound and dropped; those of requests have to keep the grammar.
//! Used by both sides' bodies.
//! Start reading at `Chunked::feed`.

use model::http::is_token_byte;

/// Most hexadecimal digits of a chunk's size.
const DIGITS_MAX: u8 = 16;
/// Most bytes of extensions and trailers that are read over in one body.
const SKIPPED_MAX: usize = 8 * 1024;

/// Whose body it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A caller's: extensions and trailers are dropped where they keep the grammar (RFC 9112 §7.1.1, §7.1.2). What breaks it, two
    /// readers end at different places.
    Request,
    /// An upstream's: whatever stands there is dropped, also the blanks that some servers write behind a size.
    Response,
}

/// Why the bytes are not an acceptable chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkFault {
    /// Broken grammar, in words.
    Malformed(&'static str),
    /// More data than allowed.
    TooLarge,
}

/// What `feed` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fed {
    /// Bytes taken from the input.
    pub consumed: usize,
    /// The body is complete; what follows belongs to the next message.
    pub is_done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size {
        digits: u8,
        size: u64,
    },
    /// Blanks between a size and its extensions.
    Blank {
        size: u64,
    },
    Extension {
        size: u64,
        quoting: Quoting,
    },
    SizeLf {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataCr,
    DataLf,
    TrailerStart,
    TrailerName,
    Trailer,
    TrailerLf,
    EndLf,
    Done,
}

/// Where an extension's value stands (RFC 9110 §5.6.4): a quoted one ends with its quote and never with the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quoting {
    Outside,
    Inside,
    Escaped,
}

/// A decoder for one body.
#[derive(Clone, Copy, Debug)]
pub struct Chunked {
    state: State,
    side: Side,
    skipped: usize,
}

impl Chunked {
    /// Before the first chunk.
    pub fn new(side: Side) -> Self {
        Chunked {
            state: State::Size { digits: 0, size: 0 },
            side,
            skipped: 0,
        }
    }

    /// Whether the body is complete.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Decodes what has arrived; data is appended to `out`, which never grows beyond `max`.
    ///
    /// # Errors
    /// [`ChunkFault`]; the decoder is of no use afterwards.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>, max: usize) -> Result<Fed, ChunkFault> {
        let mut rest = input;
        while let (Some((&byte, after)), false) = (rest.split_first(), self.is_done()) {
            if let State::Data { left } = self.state {
                let take = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let (data, after) = rest.split_at_checked(take).unwrap_or((rest, &[]));
                if max.saturating_sub(out.len()) < data.len() {
                    return Err(ChunkFault::TooLarge);
                }
                out.extend_from_slice(data);
                rest = after;
                let left = left - take as u64;
                self.state = if left == 0 {
                    State::DataCr
                } else {
                    State::Data { left }
                };
                continue;
            }
            self.state = self.step(byte)?;
            if let State::Data { left } = self.state
                && left > (max.saturating_sub(out.len())) as u64
            {
                // Refused when announced: nothing of an oversized chunk is waited for.
                return Err(ChunkFault::TooLarge);
            }
            rest = after;
        }
        Ok(Fed {
            consumed: input.len() - rest.len(),
            is_done: self.is_done(),
        })
    }

    fn step(&mut self, byte: u8) -> Result<State, ChunkFault> {
        let broken = |what| Err(ChunkFault::Malformed(what));
        match (self.state, byte) {
            (State::Size { digits, size }, b) if b.is_ascii_hexdigit() => {
                if digits >= DIGITS_MAX {
                    return broken("a chunk size has too many digits");
                }
                let digit = char::from(b).to_digit(16).unwrap_or_default();
                Ok(State::Size {
                    digits: digits + 1,
                    size: size << 4 | u64::from(digit),
                })
            }
            (State::Size { digits: 0, .. }, _) => {
                broken("a chunk size does not begin with a digit")
            }
            (State::Size { size, .. }, b'\r') => Ok(State::SizeLf { size }),
            (State::Size { size, .. }, b';') => self.extended(size, byte, Quoting::Outside),
            (State::Size { size, .. } | State::Blank { size }, b' ' | b'\t') => {
                self.skip(byte)?;
                Ok(State::Blank { size })
            }
            (State::Size { .. }, _) => broken("a chunk size is not plain hexadecimal"),
            (State::Blank { size }, b';') => self.extended(size, byte, Quoting::Outside),
            (State::Blank { size }, b'\r') if self.side == Side::Response => {
                Ok(State::SizeLf { size })
            }
            (State::Blank { size }, _) if self.side == Side::Response => {
                self.extended(size, byte, Quoting::Outside)
            }
            (State::Blank { .. }, _) => broken("blanks behind a chunk size, and no extension"),
            (State::Extension { size, quoting }, b) => self.extension(size, quoting, b),
            (State::SizeLf { size: 0 }, b'\n') => Ok(State::TrailerStart),
            (State::SizeLf { size }, b'\n') => Ok(State::Data { left: size }),
            (State::SizeLf { .. }, _) => broken("a chunk size does not end with CR LF"),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Size { digits: 0, size: 0 }),
            (State::DataCr | State::DataLf, _) => {
                broken("a chunk does not end where its size says")
            }
            (State::TrailerStart, b'\r') => Ok(State::EndLf),
            (State::Trailer, b'\r') => Ok(State::TrailerLf),
            (State::TrailerStart | State::TrailerName, b) if self.side == Side::Request => {
                self.trailer_name(b)
            }
            (State::TrailerStart | State::TrailerName | State::Trailer, b) => {
                self.skip(b)?;
                Ok(State::Trailer)
            }
            (State::TrailerLf, b'\n') => Ok(State::TrailerStart),
            (State::TrailerLf, _) => broken("a trailer does not end with CR LF"),
            (State::EndLf, b'\n') => Ok(State::Done),
            (State::EndLf, _) => broken("the last chunk does not end with CR LF"),
            (State::Data { .. } | State::Done, _) => Ok(self.state),
        }
    }

    /// One byte behind a size, up to the end of its line.
    fn extension(&mut self, size: u64, quoting: Quoting, byte: u8) -> Result<State, ChunkFault> {
        if byte == b'\r' {
            return if quoting == Quoting::Outside || self.side == Side::Response {
                Ok(State::SizeLf { size })
            } else {
                Err(ChunkFault::Malformed(
                    "a line ends inside a quoted extension",
                ))
            };
        }
        let next = match (quoting, byte) {
            (Quoting::Outside, b'"') | (Quoting::Escaped, _) => Quoting::Inside,
            (Quoting::Inside, b'"') => Quoting::Outside,
            (Quoting::Inside, b'\\') => Quoting::Escaped,
            (Quoting::Inside, _) => Quoting::Inside,
            (Quoting::Outside, b) => {
                let is_plain = is_token_byte(b) || matches!(b, b';' | b'=' | b' ' | b'\t');
                if !is_plain && self.side == Side::Request {
                    return Err(ChunkFault::Malformed(
                        "a chunk extension is not `;name=value`",
                    ));
                }
                Quoting::Outside
            }
        };
        self.extended(size, byte, next)
    }

    fn extended(&mut self, size: u64, byte: u8, quoting: Quoting) -> Result<State, ChunkFault> {
        self.skip(byte)?;
        Ok(State::Extension { size, quoting })
    }

    /// One byte of a trailer up to its colon. `self.state` says whether the name has begun.
    fn trailer_name(&mut self, byte: u8) -> Result<State, ChunkFault> {
        self.skip(byte)?;
        match byte {
            b if is_token_byte(b) => Ok(State::TrailerName),
            b':' if self.state == State::TrailerName => Ok(State::Trailer),
            _ => Err(ChunkFault::Malformed("a trailer is not `name: value`")),
        }
    }

    fn skip(&mut self, byte: u8) -> Result<(), ChunkFault> {
        self.skipped += 1;
        if self.skipped > SKIPPED_MAX {
            return Err(ChunkFault::Malformed("extensions or trailers are too long"));
        }
        if byte != b'\t' && byte.is_ascii_control() {
            return Err(ChunkFault::Malformed(
                "extensions or trailers hold control bytes",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
