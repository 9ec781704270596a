#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| targets::waf_inspect::run(input));
