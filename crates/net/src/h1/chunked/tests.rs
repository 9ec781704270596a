//! Chunked bodies whole and byte by byte: what keeps the grammar comes out, what breaks it is refused.

use proptest::prelude::*;

use super::*;

fn chunked(side: Side, text: &str, max: usize) -> Result<(Fed, Vec<u8>), ChunkFault> {
    let mut out = Vec::new();
    let whole = Chunked::new(side).feed(text.as_bytes(), &mut out, max);
    // Byte by byte the verdict must be the same.
    let (mut decoder, mut slow) = (Chunked::new(side), Vec::new());
    let steps: Result<Vec<Fed>, ChunkFault> = text
        .as_bytes()
        .chunks(1)
        .map(|byte| decoder.feed(byte, &mut slow, max))
        .collect();
    assert_eq!(whole.is_ok(), steps.is_ok(), "{text:?}");
    whole.map(|fed| (fed, out))
}

#[test]
fn chunk_games_are_refused() {
    for text in [
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "-1\r\n",
        " 5\r\nhello\r\n",
        "5 \r\nhello\r\n",
        "\r\n",
        ";a\r\n",
        "5 \r\nhello\r\n",
        "5\t\r\nhello\r\n",
        "5;a=\"b\r\nhello\r\n",
        "5;a=\"b\\\"\r\nhello\r\n",
        "5;a=b\nhello\r\n",
        "5;a\rb\r\nhello\r\n",
        "5;a=\x01\r\nhello\r\n",
        "5;a={b}\r\nhello\r\n",
        "5;\u{e9}\r\nhello\r\n",
        "5\nhello\n0\n\n",
        "5\r\nhelloX\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "00000000000000005\r\nhello\r\n",
        "fffffffffffffffff\r\n",
        "0\r\nX\r\n\r\n",
        "0\r\n: y\r\n\r\n",
        "0\r\n X: y\r\n\r\n",
        "0\r\nX : y\r\n\r\n",
        "0\r\nX: a\r\n b\r\n\r\n",
        "0\r\nX: y\n\r\n",
        "0\r\nX: y\r\r\n\r\n",
        "0\r\nX: \x01\r\n\r\n",
        "0\r\nGET /smuggled HTTP/1.1\r\n\r\n",
        "0\r\n\rX",
        "0\r\nX\n",
        "5_0\r\n",
        "g\r\n",
        "5\r\r\nhello",
    ] {
        assert!(
            matches!(
                chunked(Side::Request, text, 100),
                Err(ChunkFault::Malformed(_))
            ),
            "{text:?}"
        );
    }
    assert_eq!(
        chunked(Side::Request, "ffffffffffffffff\r\n", 100),
        Err(ChunkFault::TooLarge)
    );
    assert_eq!(
        chunked(Side::Request, "65\r\n", 100),
        Err(ChunkFault::TooLarge)
    );
    let (fed, body) = chunked(Side::Request, "5\r\nhello\r\n0000\r\n\r\nrest", 5).unwrap();
    assert_eq!(
        (fed.consumed, fed.is_done, body.as_slice()),
        (18, true, &b"hello"[..])
    );
}

#[test]
fn trailers_and_extensions_are_dropped_within_a_bound() {
    for side in [Side::Request, Side::Response] {
        for text in [
            "5 ;a=b\r\nhello\r\n0\r\nX: y\r\nZ: z\r\n\r\n",
            "5;a\r\nhello\r\n0;b\r\n\r\n",
            "5; a = \"\\\"; \u{e9}\" ; c\r\nhello\r\n0\r\nContent-Length: 7\r\n\r\n",
            "5;a=\"\\\\\"\r\nhello\r\n0\r\nX:\r\n\r\n",
        ] {
            let (fed, body) = chunked(side, text, 100).unwrap();
            assert!(fed.is_done && body == b"hello", "{text:?}");
            assert_eq!(fed.consumed, text.len(), "{text:?}");
        }
        for (before, behind) in [("0\r\nX: ", "\r\n\r\n"), ("0;a=", "\r\n\r\n"), ("0", ";a")] {
            let filling = if before == "0" { " " } else { "y" };
            let long = format!("{before}{}{behind}", filling.repeat(9000));
            assert!(matches!(
                chunked(side, &long, 100),
                Err(ChunkFault::Malformed(_))
            ));
        }
    }
    let padded = chunked(Side::Response, "5  \r\nhello\r\n0\r\n\r\n", 100);
    assert_eq!(padded.unwrap().1, b"hello", "some servers pad a size");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn chunked_bodies_come_out_as_they_went_in(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
        extension in "(;[a-z]{1,4}(=([a-z]{1,4}|\"([ -!#-\\[^-~]|\\\\[ -~]){0,6}\"))?){0,2}",
        trailer in "([A-Za-z-]{1,6}:[ -~]{0,8}\r\n){0,2}",
        cut in any::<prop::sample::Index>(),
    ) {
        let mut coded = Vec::new();
        for chunk in &chunks {
            coded.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
            coded.extend_from_slice(chunk);
            coded.extend_from_slice(b"\r\n");
        }
        coded.extend_from_slice(format!("0{extension}\r\n{trailer}\r\nGET /next").as_bytes());
        let end = coded.len() - 9;
        let (first, second) = coded.split_at(cut.index(coded.len()));
        let mut decoder = Chunked::new(Side::Request);
        let mut out = Vec::new();
        let one = decoder.feed(first, &mut out, 4096).unwrap();
        let two = decoder.feed(second, &mut out, 4096).unwrap();
        prop_assert_eq!(one.consumed + two.consumed, end);
        prop_assert!(two.is_done);
        prop_assert_eq!(out, chunks.concat());
    }
}
