#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| targets::openapi::run(input));
