//! Path normalisation of the rule language.
//! Exports `normalize`: double slashes, self references and back references resolved.
//! Used by `Transform::apply`.
//! Start reading at `normalize`.

/// Resolves a path. A leading `..` of a relative path stays.
pub(super) fn normalize(text: &[u8], windows: bool) -> Option<Vec<u8>> {
    let slashed: Vec<u8>;
    let path = if windows && memchr::memchr(b'\\', text).is_some() {
        slashed = text
            .iter()
            .map(|byte| if *byte == b'\\' { b'/' } else { *byte })
            .collect();
        &slashed
    } else {
        text
    };
    let absolute = path.first() == Some(&b'/');
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut directory = false;
    for segment in path.split(|byte| *byte == b'/') {
        directory = matches!(segment, b"" | b"." | b"..");
        match segment {
            b"" | b"." => {}
            b".." => match kept.last() {
                Some(last) if *last != b".." => {
                    kept.pop();
                }
                None if absolute => {}
                _ => kept.push(segment),
            },
            _ => kept.push(segment),
        }
    }
    let mut out = Vec::with_capacity(path.len());
    if absolute {
        out.push(b'/');
    }
    out.extend_from_slice(&kept.join(&b'/'));
    let climbs = kept.last().is_some_and(|last| *last == b"..");
    let closed = !climbs || path.ends_with(b"/");
    if directory && closed && !kept.is_empty() {
        out.push(b'/');
    }
    (out != text).then_some(out)
}
