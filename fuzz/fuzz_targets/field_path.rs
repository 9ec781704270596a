#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| targets::field_path::run(input));
