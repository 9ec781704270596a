//! Strict JSON reading: one pass, bounded, one reading of every document or none.
//! Exports `parse`, its `Bounds` and the `Problem` it reports. Pure.
//! Used by contract (bodies, JSON parameters, contracts as JSON text), the response stage and the demo.
//! Start reading at `parse`; `Reader` has one function per production of RFC 8259.

use std::collections::HashSet;

use super::{Json, plain};
use crate::Text;

/// What a document may cost at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Nested arrays and objects.
    pub depth: usize,
    /// Values in the whole document.
    pub values: usize,
    /// Bytes of one number as written.
    pub digits: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            depth: 64,
            values: 100_000,
            digits: 128,
        }
    }
}

/// Why a document was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Byte offset.
    pub offset: usize,
    /// JSON pointer of the place being read.
    pub pointer: String,
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// Not JSON by RFC 8259.
    Syntax,
    /// A key occurs twice in one object, also when one is written with escapes.
    DuplicateKey,
    /// Deeper than allowed.
    TooDeep,
    /// More values than allowed.
    TooLarge,
    /// A number with more digits or a larger exponent than allowed.
    Number,
    /// Not UTF-8, a byte order mark, or a lone surrogate escape.
    Encoding,
}

impl std::fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ProblemKind::Syntax => "something is missing or out of place",
            ProblemKind::DuplicateKey => "a key occurs twice in one object",
            ProblemKind::TooDeep => "it is nested too deeply",
            ProblemKind::TooLarge => "it holds too many values",
            ProblemKind::Number => "a number has too many digits or too large an exponent",
            ProblemKind::Encoding => {
                "it is not UTF-8, begins with a byte order mark or holds half a surrogate pair"
            }
        })
    }
}

/// Largest exponent that is accepted, in either direction; beyond it readers disagree (infinity, zero, error).
const EXPONENT_MAX: i32 = 400;
/// Objects up to this size look for duplicates by scanning, larger ones by hashing.
const SCAN_MAX: usize = 16;

/// Reads one document.
///
/// Refused besides what RFC 8259 forbids: duplicate keys (compared after unescaping), a byte order mark, lone
/// surrogates, numbers no IEEE 754 double can hold, and anything beyond `bounds`.
///
/// # Errors
/// The first problem with its place.
pub fn parse(text: &[u8], bounds: Bounds) -> Result<Json, Problem> {
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => return Err(problem(ProblemKind::Encoding, error.valid_up_to())),
    };
    // RFC 8259 §8.1: a byte order mark must not be sent; some readers skip it, some do not.
    if text.starts_with('\u{feff}') {
        return Err(problem(ProblemKind::Encoding, 0));
    }
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        values: 0,
        bounds,
    };
    reader.space();
    let value = reader.value(0)?;
    reader.space();
    if reader.at < reader.bytes.len() {
        return Err(problem(ProblemKind::Syntax, reader.at));
    }
    Ok(value)
}

fn problem(kind: ProblemKind, offset: usize) -> Problem {
    Problem {
        kind,
        offset,
        pointer: String::new(),
    }
}

impl Problem {
    /// Puts a step in front: the pointer grows while the error travels outwards, so that success pays nothing.
    fn under(mut self, step: &str) -> Problem {
        let escaped = step.replace('~', "~0").replace('/', "~1");
        self.pointer = format!("/{escaped}{}", self.pointer);
        self
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    values: usize,
    bounds: Bounds,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn wrong<T>(&self, kind: ProblemKind) -> Result<T, Problem> {
        Err(problem(kind, self.at))
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, Problem> {
        self.values += 1;
        if self.values > self.bounds.values {
            return self.wrong(ProblemKind::TooLarge);
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => Ok(Json::Text(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => self.wrong(ProblemKind::Syntax),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, Problem> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return self.wrong(ProblemKind::Syntax);
        }
        self.at += word.len();
        Ok(value)
    }

    fn enter(&mut self, depth: usize) -> Result<(), Problem> {
        if depth >= self.bounds.depth {
            return self.wrong(ProblemKind::TooDeep);
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Result<Json, Problem> {
        self.enter(depth)?;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::List(items));
        }
        loop {
            let item = self.value(depth + 1);
            items.push(item.map_err(|p| p.under(&items.len().to_string()))?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Json::List(items));
                }
                _ => return self.wrong(ProblemKind::Syntax),
            }
            self.space();
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, Problem> {
        self.enter(depth)?;
        let mut members: Vec<(Text, Json)> = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(members));
        }
        let mut seen = Seen::default();
        loop {
            let start = self.at;
            if self.peek() != Some(b'"') {
                return self.wrong(ProblemKind::Syntax);
            }
            let key = self.string()?;
            if !seen.is_new(&members, &key) {
                return Err(problem(ProblemKind::DuplicateKey, start).under(&key));
            }
            self.space();
            if self.peek() != Some(b':') {
                return self.wrong(ProblemKind::Syntax);
            }
            self.at += 1;
            self.space();
            let value = self.value(depth + 1).map_err(|p| p.under(&key))?;
            members.push((key, value));
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Json::Object(members));
                }
                _ => return self.wrong(ProblemKind::Syntax),
            }
            self.space();
        }
    }

    /// A string, from its opening quote.
    fn string(&mut self) -> Result<Text, Problem> {
        self.at += 1;
        let start = self.at;
        let first = self.plain_run();
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Text::new(first));
        }
        let mut out = String::with_capacity(first.len() + 16);
        out.push_str(first);
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Text::from(out));
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return self.wrong(ProblemKind::Syntax),
                None => return Err(problem(ProblemKind::Syntax, start)),
            }
            out.push_str(self.plain_run());
        }
    }

    /// Skips to the next quote, backslash or control byte.
    fn plain_run(&mut self) -> &'a str {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let start = self.at;
        self.at += plain::length(rest);
        // Both ends stand beside ASCII bytes or the end, so this is always a character boundary.
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn escape(&mut self) -> Result<char, Problem> {
        let start = self.at;
        self.at += 1;
        let letter = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(start),
            _ => return self.wrong(ProblemKind::Syntax),
        };
        self.at += 1;
        Ok(letter)
    }

    fn unicode(&mut self, start: usize) -> Result<char, Problem> {
        let high = self.four_digits()?;
        let code = match high {
            0xd800..=0xdbff => {
                let pair = self.bytes.get(self.at..self.at + 2);
                if pair != Some(b"\\u".as_slice()) {
                    return Err(problem(ProblemKind::Encoding, start));
                }
                self.at += 1;
                let low = self.four_digits()?;
                if !(0xdc00..=0xdfff).contains(&low) {
                    return Err(problem(ProblemKind::Encoding, start));
                }
                0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(|| problem(ProblemKind::Encoding, start))
    }

    /// The digits behind `u`.
    fn four_digits(&mut self) -> Result<u32, Problem> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            let Some(digit) = digit else {
                return self.wrong(ProblemKind::Syntax);
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<Json, Problem> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return self.wrong(ProblemKind::Syntax),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let mut has_exponent = false;
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            has_exponent = true;
            let sign = self.at;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
            let exponent = self.text.get(sign..self.at).unwrap_or_default();
            if !exponent
                .parse::<i32>()
                .is_ok_and(|e| e.unsigned_abs() <= EXPONENT_MAX.unsigned_abs())
            {
                return Err(problem(ProblemKind::Number, start));
            }
        }
        let written = self.text.get(start..self.at).unwrap_or_default();
        if written.len() > self.bounds.digits {
            return Err(problem(ProblemKind::Number, start));
        }
        // Without an exponent the length bound keeps it finite.
        if has_exponent && !written.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(problem(ProblemKind::Number, start));
        }
        Ok(Json::Number(written.into()))
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Problem> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            return self.wrong(ProblemKind::Syntax);
        }
        Ok(())
    }
}

/// Keys of one object. The hash is keyed at random, so that a sender cannot make keys collide.
#[derive(Default)]
struct Seen {
    large: Option<HashSet<Text>>,
}

impl Seen {
    fn is_new(&mut self, members: &[(Text, Json)], key: &Text) -> bool {
        if members.len() < SCAN_MAX {
            return members.iter().all(|(known, _)| known != key);
        }
        let large = self
            .large
            .get_or_insert_with(|| members.iter().map(|(known, _)| known.clone()).collect());
        large.insert(key.clone())
    }
}

#[cfg(test)]
mod tests;
