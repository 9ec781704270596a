//! The twenty transformations of the rule language, on bytes.
//! Exports `Transform`: its name, and `apply`, which answers `None` when nothing changed.
//! Used by the text cache of a transaction, once per text and transformation.
//! Start reading at `Transform::apply`.

use crate::bytes::ByteSet;

mod decode;
mod digest;
mod path;
mod text;

/// One transformation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transform {
    /// `base64Decode`
    Base64Decode,
    /// `cmdLine`
    CmdLine,
    /// `compressWhitespace`
    CompressWhitespace,
    /// `cssDecode`
    CssDecode,
    /// `escapeSeqDecode`
    EscapeSeqDecode,
    /// `hexEncode`
    HexEncode,
    /// `htmlEntityDecode`
    HtmlEntityDecode,
    /// `jsDecode`
    JsDecode,
    /// `length`
    Length,
    /// `lowercase`
    Lowercase,
    /// `normalizePath`
    NormalizePath,
    /// `normalizePathWin`
    NormalizePathWin,
    /// `removeCommentsChar`
    RemoveCommentsChar,
    /// `removeNulls`
    RemoveNulls,
    /// `removeWhitespace`
    RemoveWhitespace,
    /// `replaceComments`
    ReplaceComments,
    /// `sha1`
    Sha1,
    /// `urlDecodeUni`
    UrlDecodeUni,
    /// `utf8toUnicode`
    Utf8ToUnicode,
}

impl Transform {
    /// How many there are, `none` left aside.
    pub const COUNT: usize = 19;

    /// All of them.
    pub const ALL: [Transform; Transform::COUNT] = [
        Transform::Base64Decode,
        Transform::CmdLine,
        Transform::CompressWhitespace,
        Transform::CssDecode,
        Transform::EscapeSeqDecode,
        Transform::HexEncode,
        Transform::HtmlEntityDecode,
        Transform::JsDecode,
        Transform::Length,
        Transform::Lowercase,
        Transform::NormalizePath,
        Transform::NormalizePathWin,
        Transform::RemoveCommentsChar,
        Transform::RemoveNulls,
        Transform::RemoveWhitespace,
        Transform::ReplaceComments,
        Transform::Sha1,
        Transform::UrlDecodeUni,
        Transform::Utf8ToUnicode,
    ];

    const NAMES: [(&'static str, Transform); Transform::COUNT] = [
        ("base64decode", Transform::Base64Decode),
        ("cmdline", Transform::CmdLine),
        ("compresswhitespace", Transform::CompressWhitespace),
        ("cssdecode", Transform::CssDecode),
        ("escapeseqdecode", Transform::EscapeSeqDecode),
        ("hexencode", Transform::HexEncode),
        ("htmlentitydecode", Transform::HtmlEntityDecode),
        ("jsdecode", Transform::JsDecode),
        ("length", Transform::Length),
        ("lowercase", Transform::Lowercase),
        ("normalizepath", Transform::NormalizePath),
        ("normalizepathwin", Transform::NormalizePathWin),
        ("removecommentschar", Transform::RemoveCommentsChar),
        ("removenulls", Transform::RemoveNulls),
        ("removewhitespace", Transform::RemoveWhitespace),
        ("replacecomments", Transform::ReplaceComments),
        ("sha1", Transform::Sha1),
        ("urldecodeuni", Transform::UrlDecodeUni),
        ("utf8tounicode", Transform::Utf8ToUnicode),
    ];

    /// The transformation of that name; letter case does not matter.
    pub fn named(name: &str) -> Option<Transform> {
        let lower = name.to_ascii_lowercase();
        Transform::NAMES
            .iter()
            .find(|(known, _)| *known == lower)
            .map(|(_, transform)| *transform)
    }

    /// The name in lower case.
    pub fn name(self) -> &'static str {
        Transform::NAMES
            .iter()
            .find(|(_, known)| *known == self)
            .map_or("", |(name, _)| *name)
    }

    /// Its place in tables of `COUNT` entries.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The bytes without which a text stays as it is. `None`: every text may change.
    pub(crate) fn triggers(self) -> Option<ByteSet> {
        let bytes: &[u8] = match self {
            Transform::Base64Decode
            | Transform::HexEncode
            | Transform::Length
            | Transform::Sha1 => return None,
            Transform::CmdLine => b"\"'\\^,; \t\r\nABCDEFGHIJKLMNOPQRSTUVWXYZ",
            Transform::CompressWhitespace | Transform::RemoveWhitespace => b" \t\n\x0B\x0C\r\xA0",
            Transform::CssDecode | Transform::EscapeSeqDecode | Transform::JsDecode => b"\\",
            Transform::HtmlEntityDecode => b"&",
            Transform::Lowercase => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            Transform::NormalizePath => b"/.",
            Transform::NormalizePathWin => b"/.\\",
            Transform::RemoveCommentsChar => b"-*#",
            Transform::RemoveNulls => b"\0",
            Transform::ReplaceComments => b"*",
            Transform::UrlDecodeUni => b"%+",
            Transform::Utf8ToUnicode => {
                let mut high = ByteSet::default();
                high.add_range(0x80, 0xFF);
                return Some(high);
            }
        };
        Some(ByteSet::of(bytes))
    }

    /// Its bit in a word of transformations.
    pub(crate) fn bit(self) -> u32 {
        1 << (self as u32)
    }

    /// The changed text, or `None` when it stays as it is.
    pub fn apply(self, text: &[u8]) -> Option<Vec<u8>> {
        match self {
            Transform::Base64Decode => changed(text, decode::base64(text)),
            Transform::CmdLine => text::cmd_line(text),
            Transform::CompressWhitespace => text::compress_whitespace(text),
            Transform::CssDecode => decode::css(text),
            Transform::EscapeSeqDecode => decode::escape_sequences(text),
            Transform::HexEncode => Some(digest::hex(text)),
            Transform::HtmlEntityDecode => decode::html_entities(text),
            Transform::JsDecode => decode::javascript(text),
            Transform::Length => Some(text.len().to_string().into_bytes()),
            Transform::Lowercase => text::lowercase(text),
            Transform::NormalizePath => path::normalize(text, false),
            Transform::NormalizePathWin => path::normalize(text, true),
            Transform::RemoveCommentsChar => text::remove_comment_marks(text),
            Transform::RemoveNulls => text::remove(text, |byte| byte == 0),
            Transform::RemoveWhitespace => text::remove(text, text::is_space),
            Transform::ReplaceComments => text::replace_comments(text),
            Transform::Sha1 => Some(digest::sha1(text).to_vec()),
            Transform::UrlDecodeUni => decode::url(text),
            Transform::Utf8ToUnicode => decode::utf8_to_unicode(text),
        }
    }
}

fn changed(text: &[u8], out: Vec<u8>) -> Option<Vec<u8>> {
    (out != text).then_some(out)
}

#[cfg(test)]
mod tests;
