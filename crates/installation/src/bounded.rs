//! A file that somebody named, read whole within a bound: `/dev/zero` has no length and no end.
//! Exports `read` and `read_text`.
//! Used here and by the binary for whatever an argument or a setting names.
//! Start reading at `read`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Most bytes of a certificate, or of several in one file.
pub(crate) const CERTIFICATES_BYTES_MAX: usize = 1 << 20;

/// The bytes of a file, a pipe or a device.
///
/// # Errors
/// It cannot be read, or holds more than so many bytes.
pub fn read(path: &Path, max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    if bytes.len() > max {
        let message = format!("it is larger than {max} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// As [`read`], and where it is not UTF-8.
pub fn read_text(path: &Path, max: usize) -> io::Result<String> {
    let bytes = read(path, max)?;
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_not_read_to_it() {
        let error = read(Path::new("/dev/zero"), 1_000).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 1000 bytes");
        assert_eq!(read(Path::new("/dev/null"), 0).unwrap(), b"");
        assert!(read(Path::new("/"), 1_000).is_err());
    }
}
