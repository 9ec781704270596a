#![no_main]

libfuzzer_sys::fuzz_target!(|input: (u8, &[u8], &[u8])| targets::waf_bodies::run(input));
