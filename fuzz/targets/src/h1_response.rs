//! Heads of upstreams' answers: nothing panics, and the verdict does not depend on how the bytes were split.

use net::h1::response::Reader;

/// One input.
pub fn run(data: &[u8]) {
    let whole = Reader::default().read(data, false);
    let mut reader = Reader::default();
    let mut split = Ok(None);
    for end in 0..=data.len() {
        split = reader.read(&data[..end], false);
        if !matches!(split, Ok(None)) {
            break;
        }
    }
    match (whole, split) {
        (Ok(None), Ok(None)) | (Err(_), Err(_)) => {}
        (Ok(Some(a)), Ok(Some(b))) => assert_eq!((a.status, a.consumed), (b.status, b.consumed)),
        (whole, split) => panic!("{:?} but split {:?}", whole.is_ok(), split.is_ok()),
    }
}
