//! Bodies and answers that are files: which media types can be declared for one, how long it may be, and whether it begins
//! like its type.
//! Exports `FileBounds`, `is_file_type`, `wrong_length`, `wrong_beginning`, and `begins_like` for the gateway. Pure. Nothing of a file is read but its first bytes and its length.
//! Used when contracts are read, and by the judges of requests and answers.
//! Start reading at `wrong_beginning`.

use crate::media_type::may_be_json;

/// How many bytes a file may have, as its schema says (`minLength` and `maxLength`; OpenAPI 3.1 counts octets where a
/// string is binary).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileBounds {
    /// Fewest.
    pub min: u64,
    /// Most, where one is declared.
    pub max: Option<u64>,
}

/// What is wrong with a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongFile {
    pub(crate) keyword: &'static str,
    pub(crate) detail: String,
    pub(crate) fix: String,
}

/// Types whose files begin with known bytes: a file that begins otherwise is something else than it is said to be.
const BEGINNINGS: [(&str, &[&[u8]]); 8] = [
    ("application/gzip", &[b"\x1f\x8b"]),
    ("application/pdf", &[b"%PDF-"]),
    ("application/zip", ZIP),
    ("image/bmp", &[b"BM"]),
    ("image/gif", &[b"GIF87a", b"GIF89a"]),
    ("image/jpeg", &[b"\xff\xd8\xff"]),
    ("image/png", &[b"\x89PNG\r\n\x1a\n"]),
    ("image/tiff", &[b"II*\0", b"MM\0*"]),
];

/// A ZIP archive, and an empty one.
const ZIP: &[&[u8]] = &[b"PK\x03\x04", b"PK\x05\x06"];

/// Families of types whose files are ZIP archives.
const ZIP_FAMILIES: [&str; 2] = [
    "application/vnd.oasis.opendocument.",
    "application/vnd.openxmlformats-officedocument.",
];

/// Whether a body of this type can be declared as a file. Types with values in them are not: JSON and forms are judged
/// field by field, several parts need a judge of their own, XML names entities that its reader follows, and a stream of
/// events has no end. A range is no type: which judge would be asked is to be known beforehand.
pub(crate) fn is_file_type(essence: &str) -> bool {
    let Some((family, name)) = essence.split_once('/') else {
        return false;
    };
    let is_xml = name == "xml" || name.ends_with("+xml");
    !may_be_json(essence)
        && !name.contains("json")
        && !essence.contains('*')
        && !is_xml
        && !matches!(family, "multipart" | "message")
        && !matches!(
            essence,
            "application/x-www-form-urlencoded" | "text/event-stream"
        )
}

/// What is wrong with the length of a file; `None` when nothing is.
pub(crate) fn wrong_length(bounds: FileBounds, bytes: &[u8]) -> Option<WrongFile> {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if length < bounds.min {
        return Some(WrongFile {
            keyword: "minLength",
            detail: "too short".into(),
            fix: format!("send at least {} bytes", bounds.min),
        });
    }
    let max = bounds.max.filter(|max| length > *max)?;
    Some(WrongFile {
        keyword: "maxLength",
        detail: "too long".into(),
        fix: format!("send at most {max} bytes"),
    })
}

/// What is wrong with the beginning of a file of this type; `None` when nothing is. A file that begins otherwise is of another
/// type than it states, and only the declared ones are granted: no mode of checking lets it pass.
pub(crate) fn wrong_beginning(essence: &str, bytes: &[u8]) -> Option<WrongFile> {
    (!begins_like(essence, bytes)).then(|| WrongFile {
        keyword: "contentMediaType",
        detail: format!("it does not begin like `{essence}`"),
        fix: "send the file itself, with the type that it has".into(),
    })
}

/// Whether a file begins like its type (essence in lower case). Of a type without a known beginning every file does.
pub fn begins_like(essence: &str, bytes: &[u8]) -> bool {
    let begins = |known: &&[u8]| bytes.starts_with(known);
    match essence {
        // Four bytes of length stand between the two names; other kinds of RIFF are sounds and films.
        "image/webp" => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        _ => beginnings(essence).is_none_or(|all| all.iter().any(begins)),
    }
}

fn beginnings(essence: &str) -> Option<&'static [&'static [u8]]> {
    if ZIP_FAMILIES
        .iter()
        .any(|family| essence.starts_with(family))
    {
        return Some(ZIP);
    }
    let known = BEGINNINGS.iter().find(|(kind, _)| *kind == essence);
    known.map(|(_, beginnings)| *beginnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_has_no_values_in_it() {
        for kind in [
            "application/pdf",
            "image/png",
            "application/octet-stream",
            "text/csv",
            "text/html",
            "application/vnd.oasis.opendocument.text",
        ] {
            assert!(is_file_type(kind), "{kind}");
        }
        for kind in [
            "application/json",
            "application/problem+json",
            "application/x-ndjson",
            "image/svg+xml",
            "application/xml",
            "text/xml",
            "multipart/form-data",
            "application/x-www-form-urlencoded",
            "text/event-stream",
            "message/rfc822",
            "image/*",
            "*/*",
            "pdf",
            "",
        ] {
            assert!(!is_file_type(kind), "{kind}");
        }
    }

    #[test]
    fn a_file_begins_like_its_type_and_has_a_length_within_its_bounds() {
        let keyword = |kind, bytes: &[u8]| wrong_beginning(kind, bytes).map(|w| w.keyword);
        assert_eq!(keyword("application/pdf", b"%PDF-1.7"), None);
        assert_eq!(keyword("image/png", b"\x89PNG\r\n\x1a\nrest"), None);
        assert_eq!(keyword("image/webp", b"RIFF\x10\0\0\0WEBPVP8 "), None);
        assert_eq!(keyword("application/octet-stream", b"MZ"), None);
        let excel = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        assert_eq!(keyword(excel, b"PK\x03\x04"), None);
        for (kind, bytes) in [
            ("application/pdf", &b"MZ\x90"[..]),
            ("application/pdf", b""),
            ("image/png", b"<script>"),
            ("image/webp", b"RIFF\x10\0\0\0WAVEfmt "),
            ("image/webp", b"RIFF"),
            (excel, b"\xd0\xcf\x11\xe0"),
        ] {
            assert_eq!(keyword(kind, bytes), Some("contentMediaType"), "{kind}");
        }
        let bounds = FileBounds {
            min: 2,
            max: Some(4),
        };
        let lengths: Vec<_> = (1..6_usize)
            .map(|length| wrong_length(bounds, &vec![b'x'; length]).map(|w| w.keyword))
            .collect();
        assert_eq!(
            lengths,
            [Some("minLength"), None, None, None, Some("maxLength")]
        );
    }
}
