use super::*;

#[test]
fn the_scheme_is_read_in_any_letter_case_and_the_token_kept_whole() {
    assert_eq!(bearer(b"Bearer abc"), Some(&b"abc"[..]));
    assert_eq!(bearer(b"BEARER   abc d"), Some(&b"abc d"[..]));
    assert_eq!(bearer(b"Bearer "), Some(&b""[..]));
    for other in [
        &b"Bearer"[..],
        b"Bearerabc",
        b"Basic abc",
        b"",
        b"Bearer\tabc",
    ] {
        assert_eq!(bearer(other), None);
    }
}

#[test]
fn a_value_that_is_no_text_is_refused() {
    let mut headers = Headers::new();
    headers.push("x-api-key", [0xff, 0xfe]);
    assert!(headers.count("x-api-key") > 0);
    assert_eq!(
        the_one_key(&headers).map_err(|refusal| refusal.reason.code),
        Err("authn.invalid")
    );
}
