use super::*;

fn texts(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<(String, String)> {
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    pairs
        .iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

#[test]
fn forms_keep_names_without_values() {
    let found = texts(&urlencoded(b"a=1&b&c=%41+x&&=v"));
    let wanted = [("a", "1"), ("b", ""), ("c", "A x"), ("", "v")];
    assert_eq!(
        found,
        wanted.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn json_leaves_are_named_by_path_and_repeated_names_stay() {
    let body = parse(
        Some(Processor::Json),
        b"",
        br#"{"a":{"b":[1,"x"]},"a":true,"n":null}"#,
    );
    let found = texts(&body.arguments);
    let wanted = [
        ("json.a.b", "1"),
        ("json.a.b", "x"),
        ("json.a", "true"),
        ("json.n", ""),
    ];
    assert_eq!(
        found,
        wanted.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert!(parse(Some(Processor::Json), b"", b"{\"a\":1").malformed);
}

#[test]
fn xml_gives_text_and_attributes() {
    let body = parse(
        Some(Processor::Xml),
        b"",
        b"<a x='1&lt;2'><b>t&amp;u</b><![CDATA[<c>]]></a>",
    );
    assert_eq!(body.xml_text.as_deref(), Some(b"t&u<c>".as_slice()));
    assert_eq!(body.xml_attributes, [b"1<2".to_vec()]);
}

#[test]
fn multipart_gives_fields_files_and_headers() {
    let raw = b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--B--\r\n";
    let body = parse(
        Some(Processor::Multipart),
        b"multipart/form-data; boundary=B",
        raw,
    );
    assert_eq!(texts(&body.arguments), [("a".to_owned(), "1".to_owned())]);
    assert_eq!(
        body.files,
        [File {
            field: b"f".to_vec(),
            name: b"x.txt".to_vec(),
            bytes: 5
        }]
    );
    assert_eq!(body.part_headers.len(), 3);
    assert!(!body.malformed);
}
