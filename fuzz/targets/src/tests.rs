//! Each target on inputs near to what it reads, so that none of them can stop compiling or lose its promise unnoticed.

use proptest::prelude::*;

use super::*;

/// Bytes of which many mean something to the readers.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[ -~]{0,6}",
        2 => prop::sample::select(vec![
            "\r\n", "\r\n\r\n", "--", "--@", "--@\r\n", "\r\n--@--", "{\"a\":1}", "[]", "\"", ":", "a: 1\n", "- ", "&x", "*x",
            "GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "Host: a\r\n", "Content-Length: 1\r\n", "a=b&c=d", "%41", "${", "\0",
            "Content-Disposition: form-data; name=\"note\"\r\n\r\n", "Content-Disposition: form-data; name=\"tags\"\r\n\r\n",
            "Content-Disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n", "2026-01-01",
            "resource.status == \"done\"", "openapi: 3.1.0\n", "paths: {}\n", "SecRule ARGS \"@rx a\" \"id:1,pass\"\n", "20/s", "15m",
        ]).prop_map(str::to_owned),
    ];
    let texts = prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![6 => texts, 1 => prop::collection::vec(any::<u8>(), 0..40)]
}

fn text() -> impl Strategy<Value = String> {
    bytes().prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// A body of parts that is mostly in order.
fn parts() -> impl Strategy<Value = Vec<u8>> {
    let names = prop::sample::select(vec![
        "note", "count", "tags", "meta", "photo", "photos", "other",
    ]);
    let part = (names, any::<bool>(), bytes()).prop_map(|(name, is_file, value)| {
        let file = if is_file {
            "; filename=\"f\"\r\nContent-Type: image/png"
        } else {
            ""
        };
        let head = format!("--@\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        [head.as_bytes(), &value, b"\r\n"].concat()
    });
    let whole = prop::collection::vec(part, 0..5)
        .prop_map(|parts| [&parts.concat()[..], b"--@--\r\n"].concat());
    prop_oneof![4 => whole, 1 => bytes()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn readers_of_bytes_keep_their_promises(data in bytes(), more in bytes(), which: u8, picks: [u8; 3]) {
        json::run(&data);
        h1_head::run(&data);
        h1_response::run(&data);
        ledger_export::run(&data);
        waf_inspect::run(&data);
        waf_rules::run(&data);
        waf_transaction::run(&data);
        waf_bodies::run((which, &more, &data));
        waf_transforms::run((picks, &data));
    }

    #[test]
    fn readers_of_texts_keep_their_promises(one in text(), other in text(), body in bytes(), which: u8) {
        canonical_request::run((&one, "gate.test", vec![("accept", &other)]));
        check_request::run((which, &one, &other, &one, &body));
        condition::run(&one);
        field_path::run(&one);
        openapi::run(&one);
        values::run(&one);
        yaml_text::run(&one);
    }

    #[test]
    fn bodies_of_parts_are_read_as_other_readers_do(boundary in "[a-zA-Z0-9]{1,8}", body in parts()) {
        multipart::run((&boundary, &body));
    }

    #[test]
    fn times_and_rates_are_read_as_they_are_printed(
        value in prop_oneof!["[0-9]{1,4}(ms|s|m|h|d)", "20[0-9]{2}-0[1-9]-1[0-9]T1[0-9]:2[0-9]:3[0-9]Z", "[0-9]{1,3}/(s|min|h)"],
    ) {
        values::run(&value);
    }
}

proptest! {
    // A whole configuration is compiled each time.
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn a_configuration_is_compiled_or_mistaken(which: u8, text in text()) {
        configuration::run((which, &text));
    }
}
