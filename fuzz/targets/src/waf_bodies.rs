//! Body readers, forms and cookies: nothing panics, whatever the bytes, and no reader gives more than it was given.

use waf::body::{Processor, cookies, parse, urlencoded};

const TYPES: [&[u8]; 4] = [
    b"multipart/form-data; boundary=B",
    b"multipart/form-data; boundary=\"a b\"; charset=x",
    b"application/json",
    b"text/xml; boundary=",
];

/// One input.
pub fn run(input: (u8, &[u8], &[u8])) {
    let (which, own_type, bytes) = input;
    for name in ["URLENCODED", "MULTIPART", "JSON", "XML"] {
        let processor = Processor::named(name);
        let content_type = TYPES
            .get(usize::from(which) % 5)
            .copied()
            .unwrap_or(own_type);
        let body = parse(processor, content_type, bytes);
        assert!(
            body.arguments
                .iter()
                .all(|(_, value)| value.len() <= bytes.len() * 3 + 400)
        );
        assert!(body.files.iter().all(|file| file.bytes <= bytes.len()));
    }
    let _ = Processor::for_type(own_type);
    let given: usize = urlencoded(bytes)
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert!(given <= bytes.len());
    let given: usize = cookies(bytes)
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert!(given <= bytes.len());
}
