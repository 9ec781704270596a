#![no_main]

libfuzzer_sys::fuzz_target!(|input: (&str, &str, Vec<(&str, &str)>)| targets::canonical_request::run(input));
