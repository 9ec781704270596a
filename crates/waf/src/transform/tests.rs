use super::*;

fn check(transform: Transform, rows: &[(&str, &str)]) {
    for (input, expected) in rows {
        let out = transform
            .apply(input.as_bytes())
            .unwrap_or_else(|| input.as_bytes().to_vec());
        assert_eq!(
            String::from_utf8_lossy(&out),
            *expected,
            "{} of {input:?}",
            transform.name()
        );
    }
}

#[test]
fn decoders_follow_the_reference_engine() {
    check(
        Transform::UrlDecodeUni,
        &[
            ("a+b%20c", "a b c"),
            ("%u0041%uff1c", "A<"),
            ("100%", "100%"),
            ("%zz", "%zz"),
        ],
    );
    check(
        Transform::JsDecode,
        &[
            ("\\x41\\u0042\\103\\q", "ABCq"),
            ("\\n", "\n"),
            ("end\\", "end\\"),
        ],
    );
    check(
        Transform::CssDecode,
        &[("\\65 x\\70ression", "expression"), ("a\\", "a")],
    );
    check(
        Transform::HtmlEntityDecode,
        &[
            ("&lt;&#60;&#x3c;&quot", "<<<\""),
            ("&unknown;", "&unknown;"),
            ("a & b", "a & b"),
        ],
    );
    check(
        Transform::Utf8ToUnicode,
        &[("aé", "a%u00e9"), ("plain", "plain")],
    );
    check(Transform::EscapeSeqDecode, &[("\\x41\\101\\q", "AA\\q")]);
    check(Transform::Base64Decode, &[("aGVsbG8=", "hello")]);
}

#[test]
fn folding_and_removal() {
    check(
        Transform::CmdLine,
        &[
            ("C:\\\\>\"NET\" ,USER /x", "c:>net user/x"),
            ("cat ^/etc", "cat/etc"),
        ],
    );
    check(
        Transform::ReplaceComments,
        &[("a/*b*/c/*d", "a c "), ("x", "x")],
    );
    check(Transform::RemoveCommentsChar, &[("a--b#c/*d*/", "abcd")]);
    check(Transform::CompressWhitespace, &[("a \t b", "a b")]);
    check(Transform::RemoveWhitespace, &[("a \t b", "ab")]);
    check(Transform::Length, &[("abcd", "4")]);
}

#[test]
fn paths_are_resolved() {
    check(
        Transform::NormalizePath,
        &[
            ("/a//b/./c/../d", "/a/b/d"),
            ("/../etc/passwd", "/etc/passwd"),
            ("../../etc/", "../../etc/"),
            ("a/b/..", "a/"),
            ("/a/b/", "/a/b/"),
            ("/", "/"),
            ("a", "a"),
        ],
    );
    check(Transform::NormalizePathWin, &[("c:\\a\\..\\b", "c:/b")]);
}

#[test]
fn sha1_matches_its_published_example() {
    let digest = Transform::Sha1.apply(b"abc").unwrap();
    check(Transform::HexEncode, &[("AZ", "415a")]);
    assert_eq!(
        digest::hex(&digest),
        b"a9993e364706816aba3e25717850c26c9cd0d89d"
    );
}
