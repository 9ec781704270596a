#![no_main]

libfuzzer_sys::fuzz_target!(|input: (&str, &[u8])| targets::multipart::run(input));
