//! Body readers and transformations: nothing panics, whatever the bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waf::body::{Processor, cookies, parse, urlencoded};
use waf::seclang::Transform;

fuzz_target!(|input: (u8, &[u8])| {
    let (which, bytes) = input;
    let names = ["URLENCODED", "MULTIPART", "JSON", "XML"];
    let processor = names.get(usize::from(which) % names.len()).and_then(|name| Processor::named(name));
    let _ = parse(processor, b"multipart/form-data; boundary=B", bytes);
    let _ = (urlencoded(bytes), cookies(bytes));
    for transform in Transform::ALL {
        let _ = transform.apply(bytes);
    }
});
