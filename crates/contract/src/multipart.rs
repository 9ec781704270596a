//! Bodies of several parts (`multipart/form-data`, RFC 7578): taken apart strictly, written again in one spelling.
//! Exports `boundary`, `parse`, `write`, `Part`. Pure. What can be taken apart in two ways is refused.
//! Used by `check_request`; what the parts mean is said in `parts`.
//! Start reading at `parse`.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Most parts of one body.
const PARTS_MAX: usize = 256;
/// Longest fields of one part.
const HEAD_BYTES_MAX: usize = 2 * 1024;
/// Longest name of a part or a file.
const NAME_BYTES_MAX: usize = 255;
/// Longest boundary (RFC 2046 §5.1.1).
const BOUNDARY_BYTES_MAX: usize = 70;

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part<'b> {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    /// Essence of its type in lower case, where it states one.
    pub(crate) kind: Option<String>,
    pub(crate) bytes: Cow<'b, [u8]>,
}

/// The boundary of a content type whose essence is known. One parameter in letters, digits and `-_.+`, which every
/// reader reads alike with and without quotes.
pub(crate) fn boundary(content_type: &str) -> Option<&str> {
    // RFC 9110 §5.6.6: between semicolons a parameter may be missing.
    let pieces = content_type.split(';').skip(1).map(str::trim);
    let mut parameters = pieces.filter(|piece| !piece.is_empty());
    let (Some(parameter), None) = (parameters.next(), parameters.next()) else {
        return None;
    };
    let (name, value) = parameter.split_once('=')?;
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => value,
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    let is_boundary = !value.is_empty()
        && value.len() <= BOUNDARY_BYTES_MAX
        && value.bytes().all(is_plain)
        && name.eq_ignore_ascii_case("boundary");
    is_boundary.then_some(value)
}

/// Takes a body apart. The error names what is wrong.
///
/// Refused besides what RFC 2046 forbids: anything before the first part and behind the last, line ends that are not CR LF, a
/// boundary inside a part that some readers would find, other fields than the two that RFC 7578 knows, and a field twice.
pub(crate) fn parse<'b>(body: &'b [u8], boundary: &str) -> Result<Vec<Part<'b>>, &'static str> {
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    let opening = delimiter.get(2..).unwrap_or_default();
    let mut rest = body
        .strip_prefix(opening)
        .ok_or("does not begin with its boundary")?;
    let mut parts = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            return match end {
                [] | b"\r\n" if !parts.is_empty() => Ok(parts),
                [] | b"\r\n" => Err("has no part"),
                _ => Err("goes on behind its end"),
            };
        }
        if parts.len() >= PARTS_MAX {
            return Err("has too many parts");
        }
        let part = rest
            .strip_prefix(b"\r\n")
            .ok_or("has something behind a boundary")?;
        let length = memchr::memmem::find(part, &delimiter).ok_or("has a part without an end")?;
        let (whole, after) = part.split_at_checked(length).ok_or("is broken")?;
        parts.push(one(whole, opening)?);
        rest = after.get(delimiter.len()..).unwrap_or_default();
    }
}

/// One part: its fields, an empty line, its bytes.
fn one<'b>(whole: &'b [u8], opening: &[u8]) -> Result<Part<'b>, &'static str> {
    let end = memchr::memmem::find(whole, b"\r\n\r\n").ok_or("has a part without an empty line")?;
    if end > HEAD_BYTES_MAX {
        return Err("has a part with too many fields");
    }
    let head = whole.get(..end).unwrap_or_default();
    let bytes = whole.get(end + 4..).unwrap_or_default();
    // A reader that ends lines with LF alone, or does not ask for a line end, would find the boundary here.
    let is_found = memchr::memmem::find_iter(bytes, opening)
        .any(|at| at == 0 || bytes.get(at - 1) == Some(&b'\n'));
    if is_found {
        return Err("has its boundary inside a part");
    }
    let head = std::str::from_utf8(head).map_err(|_| "has fields that are not UTF-8")?;
    let (mut disposition, mut kind) = (None, None);
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':').ok_or("has a broken field")?;
        if line.contains(char::is_control) {
            return Err("has a broken field");
        }
        let place = match name {
            name if name.eq_ignore_ascii_case("content-disposition") => &mut disposition,
            name if name.eq_ignore_ascii_case("content-type") => &mut kind,
            _ => return Err("has a field other than `Content-Disposition` and `Content-Type`"),
        };
        if place.replace(value.trim()).is_some() {
            return Err("has a field twice");
        }
    }
    let disposition = disposition.ok_or("has a part without `Content-Disposition`")?;
    let (name, file_name) = names(disposition)?;
    Ok(Part {
        name,
        file_name,
        kind: kind.map(essence).transpose()?,
        bytes: Cow::Borrowed(bytes),
    })
}

/// The names of `form-data; name="…"; filename="…"`.
fn names(disposition: &str) -> Result<(String, Option<String>), &'static str> {
    const BROKEN: &str =
        "has a `Content-Disposition` other than `form-data; name=\"…\"; filename=\"…\"`";
    let rest = disposition.strip_prefix("form-data").ok_or(BROKEN)?;
    let rest = rest.strip_prefix(';').ok_or(BROKEN)?.trim_start();
    let (name, rest) = quoted(rest, "name=\"").ok_or(BROKEN)?;
    if name.is_empty() {
        return Err("has a part without a name");
    }
    if has_other_reading(&name, &ESCAPES) || name.contains(is_unseen) {
        return Err(
            "has a part whose name holds `%22`, `%0D`, `%0A`, `%00` or letters that nobody sees",
        );
    }
    if rest.is_empty() {
        return Ok((name, None));
    }
    let rest = rest.strip_prefix(';').ok_or(BROKEN)?.trim_start();
    match quoted(rest, "filename=\"") {
        Some((file_name, "")) if is_file_name(&file_name) => Ok((name, Some(file_name))),
        Some((_, "")) => Err(
            "has a file name that is empty, or holds `;`, `=?`, `/` or another sign for it, a drive, `%2F`, `%5C`, `%22`, `%0D`, `%0A`, `%00` \
             or letters that nobody sees",
        ),
        _ => Err(BROKEN),
    }
}

/// A quoted value and what follows. Without backslashes: some readers take them for escapes, some do not.
fn quoted<'t>(text: &'t str, opening: &str) -> Option<(String, &'t str)> {
    let (value, rest) = text.strip_prefix(opening)?.split_once('"')?;
    let is_plain = value.len() <= NAME_BYTES_MAX && !value.contains('\\');
    is_plain.then(|| (value.to_owned(), rest.trim_start()))
}

/// What browsers write for quotes and line ends in names (WHATWG HTML §4.10.21.8), and what ends a text for programs in C.
/// A reader that decodes them would see another field, or a line that nobody judged.
const ESCAPES: [&str; 4] = ["%22", "%0d", "%0a", "%00"];

/// What leads to another folder or to another reading of a file name: some readers split a field at every `;`, some decode
/// escapes or the encoded words of RFC 2047, and some systems turn signs that look like `/` and `\` into these.
const WAYS: [&str; 12] = [
    "/", ";", "=?", "%2f", "%5c", "\u{2044}", "\u{2215}", "\u{2216}", "\u{29f8}", "\u{fe68}",
    "\u{ff0f}", "\u{ff3c}",
];

/// A name, and no way to another folder, for no reader.
fn is_file_name(name: &str) -> bool {
    let mut letters = name.chars();
    let is_on_a_drive = letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && letters.next() == Some(':');
    !has_other_reading(name, &ESCAPES)
        && !has_other_reading(name, &WAYS)
        && !is_on_a_drive
        && !name.contains(is_unseen)
        && name.contains(|letter| letter != '.')
}

fn has_other_reading(name: &str, pieces: &[&str]) -> bool {
    let lower = name.to_ascii_lowercase();
    pieces.iter().any(|piece| lower.contains(piece))
}

/// Letters that are not seen and change how others are: `gpj.exe` shows as `exe.jpg` behind U+202E. Joiners are left alone, which
/// names in several scripts need.
fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\u{061c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// A type without parameters but `charset=utf-8`.
fn essence(kind: &str) -> Result<String, &'static str> {
    let (essence, parameter) = kind.split_once(';').unwrap_or((kind, ""));
    let is_known = parameter.is_empty() || parameter.trim().eq_ignore_ascii_case("charset=utf-8");
    let is_type = essence
        .trim()
        .split_once('/')
        .is_some_and(|(family, name)| {
            let is_token =
                |word: &str| !word.is_empty() && word.bytes().all(model::http::is_token_byte);
            is_token(family) && is_token(name)
        });
    if is_known && is_type {
        Ok(essence.trim().to_ascii_lowercase())
    } else {
        Err("has a part whose type is broken or carries parameters other than `charset=utf-8`")
    }
}

/// What every boundary of ours begins with; digits follow.
const BOUNDARY_PREFIX: &[u8] = b"portcullis-part-";
/// So many digits.
const BOUNDARY_DIGITS: usize = 12;

/// Writes the parts in their one spelling, and the boundary between them.
///
/// The boundary is our own and stands in no part, at no place. The one that they came with would be found there by readers
/// that end lines with CR alone or look for it in the middle of a line; they would see parts that nobody judged.
pub(crate) fn write(parts: &[Part<'_>]) -> (Vec<u8>, String) {
    let boundary = unused_boundary(parts);
    let length = parts.iter().map(|part| part.bytes.len() + 512).sum();
    let mut out: Vec<u8> = Vec::with_capacity(length);
    let mut add = |pieces: &[&[u8]]| pieces.iter().for_each(|piece| out.extend_from_slice(piece));
    for part in parts {
        add(&[
            b"--",
            boundary.as_bytes(),
            b"\r\ncontent-disposition: form-data; name=\"",
        ]);
        add(&[part.name.as_bytes(), b"\""]);
        if let Some(file_name) = &part.file_name {
            add(&[b"; filename=\"", file_name.as_bytes(), b"\""]);
        }
        if let Some(kind) = &part.kind {
            add(&[b"\r\ncontent-type: ", kind.as_bytes()]);
        }
        add(&[b"\r\n\r\n", &part.bytes, b"\r\n"]);
    }
    add(&[b"--", boundary.as_bytes(), b"--\r\n"]);
    (out, boundary)
}

/// The first boundary of ours that none of the texts and bytes holds. One pass over them, whatever they hold.
fn unused_boundary(parts: &[Part<'_>]) -> String {
    let finder = memchr::memmem::Finder::new(BOUNDARY_PREFIX);
    let mut used = BTreeSet::new();
    for part in parts {
        let file_name = part.file_name.as_deref().unwrap_or_default();
        let kind = part.kind.as_deref().unwrap_or_default();
        for text in [
            part.name.as_bytes(),
            file_name.as_bytes(),
            kind.as_bytes(),
            &part.bytes,
        ] {
            used.extend(finder.find_iter(text).filter_map(|at| number_at(text, at)));
        }
    }
    // They are in order, so that the first one that is missing is where the count and the number part.
    let free = (0u64..).zip(&used).find(|(number, used)| number != *used);
    let number = free.map_or(used.len() as u64, |(number, _)| number);
    let prefix = String::from_utf8_lossy(BOUNDARY_PREFIX);
    format!("{prefix}{number:0BOUNDARY_DIGITS$}")
}

/// The number of the boundary that begins here, if it is one.
fn number_at(text: &[u8], at: usize) -> Option<u64> {
    let start = at + BOUNDARY_PREFIX.len();
    let digits = text.get(start..start + BOUNDARY_DIGITS)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: &str = "content-disposition: form-data; name=\"a\"";

    fn parsed(body: &str) -> Result<Vec<Part<'_>>, &'static str> {
        parse(body.as_bytes(), "b")
    }

    #[test]
    fn a_boundary_has_one_spelling() {
        for (kind, expected) in [
            ("multipart/form-data; boundary=a-b_C.1+", Some("a-b_C.1+")),
            ("multipart/form-data;Boundary=\"----x\"", Some("----x")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=a b", None),
            ("multipart/form-data; boundary=\"a", None),
            ("multipart/form-data; boundary=a; boundary=b", None),
            ("multipart/form-data; boundary=x;", Some("x")),
            ("multipart/form-data; ; boundary=\"x\" ;", Some("x")),
            ("multipart/form-data; boundary=x; boundary=y", None),
            ("multipart/form-data; charset=utf-8", None),
            ("multipart/form-data; boundary=a'b", None),
        ] {
            assert_eq!(boundary(kind), expected, "{kind}");
        }
        assert_eq!(boundary(&format!("m/f; boundary={}", "x".repeat(71))), None);
    }

    #[test]
    fn parts_are_taken_apart() {
        let body = format!(
            "--b\r\n{HEAD}\r\n\r\nx\r\n--b\r\nContent-Type: Image/PNG\r\nContent-Disposition: form-data; name=\"f ü\"; filename=\"a b.png\"\r\n\r\n\r\n\r\n--b--\r\n"
        );
        let parts = parsed(&body).unwrap();
        assert_eq!((parts[0].name.as_str(), &*parts[0].bytes), ("a", &b"x"[..]));
        assert_eq!(parts[1].name, "f ü");
        assert_eq!(parts[1].file_name.as_deref(), Some("a b.png"));
        assert_eq!(parts[1].kind.as_deref(), Some("image/png"));
        assert_eq!(&*parts[1].bytes, b"\r\n");
    }

    #[test]
    fn what_can_be_taken_apart_in_two_ways_is_refused() {
        for (body, word) in [
            (format!("x--b\r\n{HEAD}\r\n\r\nx\r\n--b--"), "begin"),
            (format!("\r\n--b\r\n{HEAD}\r\n\r\nx\r\n--b--"), "begin"),
            (format!("--b\r\n{HEAD}\r\n\r\nx\r\n--b--\r\nmore"), "end"),
            (format!("--b\r\n{HEAD}\r\n\r\nx\r\n--b--\r\n\r\n"), "end"),
            ("--b--".to_owned(), "no part"),
            (format!("--b\r\n{HEAD}\r\n\r\nx"), "without an end"),
            (format!("--b\n{HEAD}\n\nx\n--b--"), "behind a boundary"),
            (
                format!("--b \r\n{HEAD}\r\n\r\nx\r\n--b--"),
                "behind a boundary",
            ),
            (format!("--b\r\n{HEAD}\r\n\r\nx\n--b--\r\n--b--"), "inside"),
            (format!("--b\r\n{HEAD}\r\n\r\n--b--\r\n--b--"), "empty line"),
            (
                format!("--b\r\n{HEAD}\r\n\r\nx\r\n--bc\r\n--b--"),
                "behind a boundary",
            ),
            (format!("--b\r\n{HEAD}\r\nx\r\n--b--"), "empty line"),
            (
                format!("--b\r\n{HEAD}\r\n{HEAD}\r\n\r\nx\r\n--b--"),
                "twice",
            ),
            (
                format!("--b\r\n{HEAD}\r\ncontent-transfer-encoding: base64\r\n\r\nx\r\n--b--"),
                "a field other",
            ),
            (
                format!("--b\r\n{HEAD}\r\n folded\r\n\r\nx\r\n--b--"),
                "broken field",
            ),
            (
                "--b\r\ncontent-type: text/plain\r\n\r\nx\r\n--b--".to_owned(),
                "without `Content-D",
            ),
        ] {
            let why = parsed(&body).expect_err(&body);
            assert!(why.contains(word), "{body:?}: {why}");
        }
        let many = format!("--b\r\n{HEAD}\r\n\r\nx\r\n").repeat(257) + "--b--";
        assert_eq!(parsed(&many), Err("has too many parts"));
    }

    #[test]
    fn names_and_types_have_one_spelling() {
        for names in [
            "form-data",
            "attachment; name=\"a\"",
            "form-data; name=a",
            "form-data; name=\"\"",
            "form-data; name=\"a\\\"b\"",
            "form-data; name=\"a\"; name=\"b\"",
            "form-data; filename=\"x\"; name=\"a\"",
            "form-data; name=\"a\"; filename=\"../x\"",
            "form-data; name=\"a\"; filename=\"..\"",
            "form-data; name=\"a\"; filename=\"\"",
            "form-data; name=\"a\"; filename=\"c:\\x\"",
            "form-data; name=\"a\"; filename=\"x; name=b\"",
            "form-data; name=\"a\"; filename=\"..%2Fx\"",
            "form-data; name=\"a\"; filename=\"=?utf-8?q?=2E=2E=2Fx?=\"",
            "form-data; name=\"a\"; filename*=UTF-8''x",
            "form-data; name=\"a\"; filename=\"x\"; filename*=UTF-8''y",
            "form-data; name=\"a\"x",
            "form-data; name=\"a%0D%0Ax\"",
            "form-data; name=\"a%22; filename=%22x\"",
            "form-data; name=\"a\u{202e}b\"",
            "form-data; name=\"a\"; filename=\"x%0d%0aContent-Type: text/html\"",
            "form-data; name=\"a\"; filename=\"x%22 y\"",
            "form-data; name=\"a\"; filename=\"x%00.png\"",
            "form-data; name=\"a\"; filename=\"\u{202e}gpj.exe\"",
            "form-data; name=\"a\"; filename=\"x\u{2066}y\"",
            "form-data; name=\"a\"; filename=\"x\u{2028}y\"",
            "form-data; name=\"a\"; filename=\"..\u{2215}x\"",
            "form-data; name=\"a\"; filename=\"..\u{ff0f}x\"",
            "form-data; name=\"a\"; filename=\"..\u{ff3c}x\"",
            "form-data; name=\"a\"; filename=\"C:x\"",
        ] {
            let body = format!("--b\r\ncontent-disposition: {names}\r\n\r\nx\r\n--b--");
            assert!(parsed(&body).is_err(), "{names}");
        }
        for kind in [
            "text",
            "text/plain; charset=utf-7",
            "text/plain; a=b; c=d",
            "/",
            "a b/c",
        ] {
            let body = format!("--b\r\n{HEAD}\r\ncontent-type: {kind}\r\n\r\nx\r\n--b--");
            assert!(parsed(&body).is_err(), "{kind}");
        }
    }

    #[test]
    fn names_that_people_give_to_files_pass() {
        for name in [
            "report (final) 100%.pdf",
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}.txt",
            "\u{1f468}\u{200d}\u{1f469}.png",
            "12:30 photo.jpg",
            ".profile",
        ] {
            let body = format!("--b\r\n{HEAD}; filename=\"{name}\"\r\n\r\nx\r\n--b--");
            let parts = parsed(&body).unwrap();
            assert_eq!(parts[0].file_name.as_deref(), Some(name));
        }
    }

    #[test]
    fn the_boundary_that_is_written_is_the_first_that_no_part_holds() {
        let part = |bytes: &'static str| Part {
            name: "a".into(),
            file_name: None,
            kind: None,
            bytes: Cow::Borrowed(bytes.as_bytes()),
        };
        let ours = |number: u64| format!("portcullis-part-{number:012}");
        for (bytes, number) in [
            ("", 0),
            ("portcullis-part-00000000000", 0),
            ("xportcullis-part-000000000000y", 1),
            ("portcullis-part-000000000001", 0),
            (
                "portcullis-part-000000000001portcullis-part-000000000000",
                2,
            ),
            ("portcullis-part-portcullis-part-000000000000", 1),
        ] {
            let (_, boundary) = write(&[part(bytes)]);
            assert_eq!(boundary, ours(number), "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn no_reader_finds_a_boundary_where_we_wrote_none(
            bytes in "(--b|\r|\n| |x|--|portcullis-part-|00000000000[0-3]|content-disposition: form-data; name=\"a\"){0,24}",
            name in "(b|portcullis-part-|00000000000[0-3]){1,4}",
        ) {
            let part = Part { name, file_name: None, kind: None, bytes: Cow::Owned(bytes.into_bytes()) };
            let (written, boundary) = write(&[part.clone(), part]);
            // Wherever a reader looks for it: before each part and at the end, nowhere else.
            let found = memchr::memmem::find_iter(&written, boundary.as_bytes()).count();
            prop_assert_eq!(found, 3);
        }

        #[test]
        fn what_was_taken_apart_is_written_as_it_is_read(
            names in prop::collection::vec("[^\"%\\\\\\p{C}\\p{Zl}\\p{Zp}]{1,20}", 1..5),
            bytes in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let parts: Vec<Part<'_>> = names
                .iter()
                .map(|name| Part {
                    name: name.clone(),
                    file_name: is_file_name(name).then(|| name.clone()),
                    kind: (name.len() > 3).then(|| "text/csv".to_owned()),
                    bytes: Cow::Borrowed(&bytes),
                })
                .collect();
            let (written, boundary) = write(&parts);
            prop_assert_eq!(parse(&written, &boundary), Ok(parts));
        }

        #[test]
        fn arbitrary_bytes_never_panic_and_what_is_read_reads_the_same_again(
            body in "(--b|\r\n|\n|--|a|: |;|content-disposition: form-data; name=\"a\"|filename=\"f\"){0,14}"
        ) {
            if let Ok(parts) = parsed(&body) {
                let (again, boundary) = write(&parts);
                prop_assert_eq!(parse(&again, &boundary), Ok(parts));
            }
        }
    }
}
