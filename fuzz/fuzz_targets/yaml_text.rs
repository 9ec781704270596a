#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| targets::yaml_text::run(input));
