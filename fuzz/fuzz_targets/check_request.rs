#![no_main]

libfuzzer_sys::fuzz_target!(|input: (u8, &str, &str, &str, &[u8])| targets::check_request::run(input));
