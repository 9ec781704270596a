//! Markup that mails and editors write and that browsers show without running anything.
//! Exports `without_plain`: the text without it.
//! Used by the detector for sentences and by rules about script.
//! Start reading at `without_plain`.
//!
//! Nothing that is left out may hide something in another place: a text also lands in attributes and comments of a page. So
//! values hold no sign that ends one, none that calls, and no assignment beside that of the attribute itself.

/// Longest piece that is looked at.
const PIECE_MAX: usize = 4096;
/// Most attributes of one element.
const ATTRIBUTES_MAX: usize = 24;

/// The text without the elements, comments, declarations and style sheets that run nothing; each leaves a blank, so that nothing
/// grows together. `None` when it holds none of them.
pub(crate) fn without_plain(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    if let Some(length) = number(text) {
        out.push(b' ');
        rest = text.get(length..).unwrap_or_default();
    }
    while let Some(at) = memchr::memchr3(b'<', b' ', b'\n', rest) {
        let (before, found) = rest.split_at(at);
        out.extend_from_slice(before);
        let length = plain(found).unwrap_or(0);
        out.push(if length > 0 {
            b' '
        } else {
            found.first().copied().unwrap_or(b' ')
        });
        rest = found.get(length.max(1)..).unwrap_or_default();
        if let Some(length) = number(rest).filter(|_| length > 0) {
            rest = rest.get(length..).unwrap_or_default();
        }
    }
    out.extend_from_slice(rest);
    (out.len() != text.len()).then_some(out)
}

/// How long the plain piece is that begins here.
fn plain(text: &[u8]) -> Option<usize> {
    let near = text.get(..text.len().min(PIECE_MAX)).unwrap_or(text);
    if let Some(tail) = near.strip_prefix(b" ").or_else(|| near.strip_prefix(b"\n")) {
        let number = number(tail).map(|length| length + 1);
        return number.or_else(|| loose_attribute(near));
    }
    declaration(near)
        .or_else(|| comment(near))
        .or_else(|| style_sheet(near))
        .or_else(|| element(near))
}

fn begins<'t>(text: &'t [u8], word: &[u8]) -> Option<&'t [u8]> {
    text.split_at_checked(word.len())
        .filter(|(head, _)| head.eq_ignore_ascii_case(word))
        .map(|(_, tail)| tail)
}

/// How much of `text` was read when `tail` is left.
fn used(text: &[u8], tail: &[u8]) -> usize {
    text.len().saturating_sub(tail.len())
}

/// The declaration of an XML document, and a document type without entities.
fn declaration(text: &[u8]) -> Option<usize> {
    if let Some(tail) = begins(text, b"<?xml ") {
        // To a browser it is a comment that ends at the first `>`: what stands behind that one is read.
        let end = memchr::memmem::find(tail, b"?>")?;
        let is_whole = memchr::memchr2(b'<', b'>', tail.get(..end)?).is_none();
        return is_whole.then_some(used(text, tail) + end + 2);
    }
    let tail = begins(text, b"<!doctype html>").or_else(|| {
        let tail = begins(text, b"<!doctype html public \"-//w3c//dtd ")?;
        let end = memchr::memchr(b'>', tail)?;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b" ./:\"-\r\n".contains(byte);
        tail.get(..end)?.iter().all(is_name).then_some(())?;
        tail.get(end + 1..)
    })?;
    Some(used(text, tail))
}

/// A comment, also one that only the word processor of a mail program reads (`<!--[if mso]>`).
fn comment(text: &[u8]) -> Option<usize> {
    for word in [
        b"<![endif]-->".as_slice(),
        b"<!--<![endif]-->",
        b"<![endif]>",
        b"<![if !mso]>",
    ] {
        if let Some(tail) = begins(text, word) {
            return Some(used(text, tail));
        }
    }
    let tail = begins(text, b"<!--")?;
    let end = memchr::memmem::find(tail, b"-->")?;
    let inner = tail.get(..end)?;
    // `<!-->` and `<!--->` end at once, and `--!>` ends one too (HTML §13.2.5.43).
    let ends_early = inner.starts_with(b">")
        || inner.starts_with(b"->")
        || memchr::memmem::find(inner, b"--!>").is_some();
    let condition = inner.trim_ascii_start();
    let is_plain = match condition.strip_prefix(b"[") {
        Some(condition) => {
            let end = memchr::memchr(b']', condition)?;
            let condition = condition.get(..end)?;
            memchr::memmem::find(condition, b"mso").is_some()
        }
        // A server that assembles pages reads `<!--#` and `<!--esi`.
        None => {
            !condition.starts_with(b"#")
                && begins(condition, b"esi").is_none()
                && memchr::memchr2(b'<', b'>', inner).is_none()
        }
    };
    (is_plain && !ends_early && is_quiet(inner)).then_some(used(text, tail) + end + 3)
}

/// A style sheet that only says how things look.
fn style_sheet(text: &[u8]) -> Option<usize> {
    let tail = begins(text, b"<style")?;
    let end = memchr::memchr(b'>', tail)?;
    let head = tail.get(..end)?;
    let is_type = |byte: &u8| byte.is_ascii_alphanumeric() || b" =\"/:;-".contains(byte);
    let has_room = head.is_empty() || head.starts_with(b" ");
    if !has_room || !head.iter().all(is_type) || !is_quiet(head) {
        return None;
    }
    let tail = tail.get(end + 1..)?;
    let end = memchr::memmem::find(tail, b"</style>")?;
    let sheet = tail.get(..end)?;
    // Mail programs put the whole sheet into a comment of markup, which style sheets pass over.
    let inner = sheet.trim_ascii();
    let inner = inner.strip_prefix(b"<!--").unwrap_or(inner);
    let inner = inner.strip_suffix(b"-->").unwrap_or(inner);
    is_plain_style(inner).then_some(used(text, tail) + end + 8)
}

/// Elements that show text and do nothing.
const ELEMENTS: [&[u8]; 74] = [
    b"a",
    b"abbr",
    b"address",
    b"article",
    b"aside",
    b"b",
    b"big",
    b"blockquote",
    b"body",
    b"br",
    b"caption",
    b"center",
    b"cite",
    b"code",
    b"col",
    b"colgroup",
    b"dd",
    b"del",
    b"div",
    b"dl",
    b"dt",
    b"em",
    b"figcaption",
    b"figure",
    b"font",
    b"footer",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"h5",
    b"h6",
    b"head",
    b"header",
    b"hr",
    b"html",
    b"i",
    b"img",
    b"ins",
    b"kbd",
    b"label",
    b"li",
    b"main",
    b"mark",
    b"meta",
    b"nav",
    b"o:p",
    b"ol",
    b"p",
    b"pre",
    b"q",
    b"s",
    b"samp",
    b"section",
    b"small",
    b"span",
    b"st1:place",
    b"strike",
    b"strong",
    b"sub",
    b"sup",
    b"table",
    b"tbody",
    b"td",
    b"tfoot",
    b"th",
    b"thead",
    b"time",
    b"title",
    b"tr",
    b"tt",
    b"u",
    b"ul",
    b"wbr",
];

fn element(text: &[u8]) -> Option<usize> {
    let tail = text.strip_prefix(b"<")?;
    let (is_end, tail) = match tail.strip_prefix(b"/") {
        Some(tail) => (true, tail),
        None => (false, tail),
    };
    let length = tail
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b':'))?;
    let (name, mut tail) = tail.split_at_checked(length)?;
    let name = name.to_ascii_lowercase();
    ELEMENTS.binary_search(&name.as_slice()).ok()?;
    for _ in 0..ATTRIBUTES_MAX {
        let trimmed = tail.trim_ascii_start();
        if let Some(tail) = begins(trimmed, b">").or_else(|| begins(trimmed, b"/>")) {
            return Some(used(text, tail));
        }
        // Between a name and an attribute stands a blank.
        if is_end || trimmed.len() == tail.len() {
            return None;
        }
        tail = attribute(&name, trimmed)?;
    }
    None
}

/// What is left behind a plain attribute.
fn attribute<'t>(element: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'_');
    let length = text.iter().position(|byte| !is_name(byte))?;
    let (name, tail) = text.split_at_checked(length)?;
    let name = name.to_ascii_lowercase();
    let Some(tail) = tail.strip_prefix(b"=") else {
        return (name == b"nowrap" || name == b"noshade").then_some(tail);
    };
    let (value, tail) = value(tail)?;
    let is_plain = match name.as_slice() {
        b"href" => element == b"a" && is_plain_address(value),
        b"src" => element == b"img" && is_plain_address(value),
        b"style" => is_plain_style(value),
        b"content" | b"http-equiv" | b"charset" => element == b"meta" && is_plain_type(value),
        b"align"
        | b"alink"
        | b"alt"
        | b"bgcolor"
        | b"border"
        | b"cellpadding"
        | b"cellspacing"
        | b"class"
        | b"clear"
        | b"color"
        | b"colspan"
        | b"data-outlook-trace"
        | b"datetime"
        | b"dir"
        | b"face"
        | b"height"
        | b"hspace"
        | b"id"
        | b"lang"
        | b"link"
        | b"name"
        | b"rel"
        | b"role"
        | b"rowspan"
        | b"size"
        | b"start"
        | b"summary"
        | b"target"
        | b"text"
        | b"title"
        | b"type"
        | b"valign"
        | b"value"
        | b"vlink"
        | b"vspace"
        | b"width"
        | b"xml:lang" => element != b"meta" && is_plain_value(value),
        name => name.starts_with(b"xmlns") && is_plain_name_space(value),
    };
    is_plain.then_some(tail)
}

/// The value of an attribute and what is left behind it. Nested JSON puts a backslash before each quote.
fn value(text: &[u8]) -> Option<(&[u8], &[u8])> {
    for quote in [b"\\\"".as_slice(), b"\"", b"'"] {
        if let Some(tail) = text.strip_prefix(quote) {
            let end = memchr::memmem::find(tail, quote)?;
            let (value, tail) = tail.split_at_checked(end)?;
            return Some((value, tail.get(quote.len()..)?));
        }
    }
    let is_bare = |byte: &u8| byte.is_ascii_alphanumeric() || b"#%.-_".contains(byte);
    let end = text.iter().position(|byte| !is_bare(byte))?;
    (end > 0).then(|| text.split_at(end))
}

/// No sign that ends a value, calls or assigns.
fn is_plain_value(value: &[u8]) -> bool {
    let is_plain = |byte: &u8| {
        byte.is_ascii_alphanumeric() || b" #%.,:;_-+!?*@&/\r\n".contains(byte) || *byte >= 0x80
    };
    value.iter().all(is_plain) && is_quiet(value)
}

/// The type of a page, which is all that `meta` may say here.
fn is_plain_type(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let is_type = lower
        .strip_prefix(b"text/html; charset=".as_slice())
        .or_else(|| lower.strip_prefix(b"text/html;charset=".as_slice()))
        .unwrap_or(&lower);
    // UTF-7 would let other signs be markup.
    matches!(
        is_type,
        b"content-type"
            | b"utf-8"
            | b"us-ascii"
            | b"iso-8859-1"
            | b"iso-8859-15"
            | b"windows-1252"
            | b"text/html"
    )
}

fn is_plain_name_space(value: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b":/.-_#~".contains(byte);
    value.iter().all(is_plain)
}

/// An address that is opened when somebody asks for it, or a picture.
fn is_plain_address(value: &[u8]) -> bool {
    let schemes = [
        b"https://".as_slice(),
        b"http://",
        b"mailto:",
        b"tel:",
        b"cid:",
        b"#",
    ];
    let Some(rest) = schemes.iter().find_map(|scheme| begins(value, scheme)) else {
        return false;
    };
    let is_plain = |byte: &u8| {
        byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&*+,;=%|".contains(byte) || *byte >= 0x80
    };
    let question = memchr::memchr(b'?', rest).unwrap_or(rest.len());
    let path = rest.get(..question).unwrap_or_default();
    rest.iter().all(is_plain) && !path.contains(&b'=') && is_quiet(rest)
}

/// A style without addresses and code; colours and sizes may be worked out.
fn is_plain_style(style: &[u8]) -> bool {
    let lower = style.to_ascii_lowercase();
    let mut rest = lower.as_slice();
    let mut out = Vec::with_capacity(rest.len());
    'pieces: while let Some((first, tail)) = rest.split_first() {
        for word in [b"&quot;".as_slice(), b"&apos;", b"/*", b"*/"] {
            if let Some(tail) = rest.strip_prefix(word) {
                out.push(b' ');
                rest = tail;
                continue 'pieces;
            }
        }
        for call in [b"rgb(".as_slice(), b"rgba(", b"hsl(", b"calc("] {
            let inner = rest.strip_prefix(call).and_then(|tail| {
                let end = memchr::memchr(b')', tail)?;
                let is_sum = |byte: &u8| byte.is_ascii_alphanumeric() || b" ,.%+-*/".contains(byte);
                tail.get(..end)?
                    .iter()
                    .all(is_sum)
                    .then(|| tail.get(end + 1..))?
            });
            if let Some(tail) = inner {
                out.push(b' ');
                rest = tail;
                continue 'pieces;
            }
        }
        out.push(*first);
        rest = tail;
    }
    let is_plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || b" :;#.,%-_!{}@\"'\n\r\t>".contains(byte);
    let words = [
        b"binding".as_slice(),
        b"behavio",
        b"import",
        b"expression",
        b"script",
    ];
    !style.is_empty()
        && out.iter().all(is_plain)
        && !words
            .iter()
            .any(|word| memchr::memmem::find(&out, word).is_some())
}

/// No handler, no call and no script, wherever the text may land.
fn is_quiet(text: &[u8]) -> bool {
    if memchr::memchr3(b'(', b'`', b'\\', text).is_some() {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let is_handler = |at: usize| {
        let stands_free = at.checked_sub(1).and_then(|before| lower.get(before));
        let letters = lower
            .get(at + 2..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let behind = lower
            .get(at + 2 + letters..)
            .unwrap_or_default()
            .trim_ascii_start();
        letters > 2
            && stands_free.is_none_or(|byte| !byte.is_ascii_alphanumeric())
            && behind.starts_with(b"=")
    };
    memchr::memmem::find(&lower, b"script").is_none()
        && !memchr::memmem::find_iter(&lower, b"on").any(is_handler)
}

/// A number that belongs to a word which reads like a handler (`onload = 23 kg`): whatever reads it as one runs a number.
fn number(text: &[u8]) -> Option<usize> {
    let tail = begins(text, b"on")?;
    let letters = tail
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let tail = tail
        .get(letters..)?
        .trim_ascii_start()
        .strip_prefix(b"=")?
        .trim_ascii_start();
    let digits = tail
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
        .count();
    let starts = tail.first().is_some_and(u8::is_ascii_digit);
    let tail = tail.get(digits..)?;
    let ends = tail.first().is_none_or(u8::is_ascii_whitespace);
    (letters > 2 && starts && ends).then_some(used(text, tail))
}

/// An attribute whose element is not plain, but which adds nothing to it: a style or the name of a vocabulary.
fn loose_attribute(text: &[u8]) -> Option<usize> {
    let (is_style, tail) = match begins(text, b" style=") {
        Some(tail) => (true, tail),
        None => {
            let tail = begins(text, b" xmlns")?;
            let is_name =
                |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_');
            let name = tail.iter().take_while(|byte| is_name(byte)).count();
            (false, tail.get(name..)?.strip_prefix(b"=")?)
        }
    };
    // Without quotes it would end where a browser says.
    let is_quoted = tail.starts_with(b"\"") || tail.starts_with(b"\\\"");
    let (value, tail) = value(tail).filter(|_| is_quoted)?;
    let is_plain = if is_style {
        is_plain_style(value)
    } else {
        is_plain_name_space(value)
    };
    is_plain.then_some(used(text, tail))
}

#[cfg(test)]
mod tests;
