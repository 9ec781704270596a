//! Where a message ends: Content-Length, Transfer-Encoding and Connection, each with one acceptable spelling.
//! Exports `Framing`. RFC 9112 §6 with every optional tolerance left out.
//! Used by `request` and `response`.
//! Start reading at `Framing::take`.

/// The framing fields of one head.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Framing {
    pub(super) length: Option<u64>,
    pub(super) is_chunked: bool,
    pub(super) says_close: bool,
    pub(super) says_keep_alive: bool,
}

impl Framing {
    /// Takes a field when it is a framing one. `Ok(true)`: it is not to be passed on.
    pub(super) fn take(&mut self, name: &str, value: &[u8]) -> Result<bool, &'static str> {
        if name.eq_ignore_ascii_case("content-length") {
            if self.length.is_some() {
                return Err("content-length is sent more than once");
            }
            self.length = Some(length(value)?);
            return Ok(true);
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            if self.is_chunked {
                return Err("transfer-encoding is sent more than once");
            }
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err("transfer-encoding is not exactly `chunked`");
            }
            self.is_chunked = true;
            return Ok(true);
        }
        if name.eq_ignore_ascii_case("connection") {
            self.connection(value);
        }
        Ok(false)
    }

    /// RFC 9112 §6.1: both together are an attack or a fault.
    pub(super) fn settle(&self) -> Result<(), &'static str> {
        if self.is_chunked && self.length.is_some() {
            return Err("content-length and transfer-encoding are sent together");
        }
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) {
        for token in tokens(value) {
            self.says_close |= token.eq_ignore_ascii_case(b"close");
            self.says_keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
        }
    }
}

/// The trimmed members of a comma-separated list; empty ones are left out.
pub(super) fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|b| *b == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}

/// Plain decimal digits without sign, list, leading zero or surplus (RFC 9110 §8.6 allows less than is seen).
pub(crate) fn length(value: &[u8]) -> Result<u64, &'static str> {
    if value.is_empty() || value.len() > 18 || !value.iter().all(u8::is_ascii_digit) {
        return Err("content-length is not a plain number");
    }
    if value.len() > 1 && value.first() == Some(&b'0') {
        return Err("content-length has a leading zero");
    }
    Ok(value
        .iter()
        .fold(0, |n, digit| n * 10 + u64::from(digit - b'0')))
}
