#![no_main]

libfuzzer_sys::fuzz_target!(|input: (u8, &str)| targets::configuration::run(input));
