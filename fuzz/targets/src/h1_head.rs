//! HTTP/1.1 heads: nothing panics, and the verdict does not depend on how the bytes were split.

use net::Bounds;
use net::h1::request::Reader;

/// One input.
pub fn run(data: &[u8]) {
    let bounds = Bounds::default();
    let whole = Reader::default().read(data, &bounds);
    let mut reader = Reader::default();
    let mut split = Ok(None);
    for end in 0..=data.len() {
        split = reader.read(&data[..end], &bounds);
        if !matches!(split, Ok(None)) {
            break;
        }
    }
    match (whole, split) {
        (Ok(None), Ok(None)) | (Err(_), Err(_)) => {}
        (Ok(Some(a)), Ok(Some(b))) => {
            assert_eq!(a.consumed, b.consumed);
            assert_eq!(a.head.target, b.head.target);
        }
        (whole, split) => panic!("{:?} but split {:?}", whole.is_ok(), split.is_ok()),
    }
}
