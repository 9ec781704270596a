#![no_main]

libfuzzer_sys::fuzz_target!(|input: ([u8; 3], &[u8])| targets::waf_transforms::run(input));
