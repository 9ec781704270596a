//! Markup that is left out, and markup that is not.

use super::*;
use crate::detector::{InjectionDetector, Sentences};

fn rest(text: &str) -> String {
    let rest = without_plain(text.as_bytes()).unwrap_or_else(|| text.as_bytes().to_vec());
    String::from_utf8_lossy(&rest).into_owned()
}

#[test]
fn the_elements_are_sorted() {
    assert!(ELEMENTS.is_sorted());
}

#[test]
fn markup_of_mails_is_left_out() {
    for text in [
        "<?xml version=\"1.0\"?>",
        "<!DOCTYPE html>",
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1.dtd\">",
        "<p>",
        "</p>",
        "<BR/>",
        "<p class=\"MsoNormal\" style=\"margin-bottom:12.0pt\">",
        "<span style=\"font-family:&quot;Arial&quot;,sans-serif;color:rgb(0, 0, 0)\">",
        "<td align=right width=100% nowrap>",
        "<a href=\"https://example.com/a?b=1&amp;c=2\" target=\"_blank\">",
        "<a href='mailto:o.brien@example.com'>",
        "<img src=\"cid:image001.png@01DB\" width=\"120\" alt=\"logo\">",
        "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">",
        "<meta charset=\"utf-8\">",
        "<style>p { color: #333 }</style>",
        "<style type=\"text/css\"><!--\n@font-face {font-family:Calibri; panose-1:2 15 5;}\n--></style>",
        "<html xmlns:o=\"urn:schemas-microsoft-com:office:office\">",
        "<!-- the end -->",
        "<!--[if gte mso 9]><xml><o:x v:ext=\"edit\"/></xml><![endif]-->",
        "<o:p></o:p>",
    ] {
        assert_eq!(rest(text).trim(), "", "{text}");
        assert!(!Sentences.xss(text.as_bytes()), "{text}");
    }
    assert_eq!(
        rest("{\"x\":\"<a xmlns=\\\"http://e.example/a\\\"/>\"}"),
        "{\"x\":\" \"}"
    );
}

#[test]
fn what_may_run_something_stays() {
    for text in [
        "<script>",
        "<p onclick=alert(1)>",
        "<p class=\"x\" onclick=\"f\">",
        "<p class=\"x\"onclick=f>",
        "<p class=\"onfocus=alert(1) x\">",
        "<p class=\"/onfocus=x\">",
        "<p title=\"<script>\">",
        "<p title='\" onload=x'>",
        "<a href=\"javascript:alert(1)\">",
        "<a href=\"https://x.example/onfocus=alert%281%29/\">",
        "<a href=\"https://x.example/?a='b\">",
        "<a href=\"//x.example\">",
        "<img src=\"https://x.example/a.png\" onerror=x>",
        "<img src=x>",
        "<p style=\"background:url(x)\">",
        "<p style=\"width: expression(alert(1))\">",
        "<p style=\"x:rgb(alert`1`)\">",
        "<style>@import 'http://e.example/x'</style>",
        "<style>p { behavior: x }</style>",
        "<style>p{}</style",
        "<meta http-equiv=\"refresh\" content=\"0\">",
        "<meta charset=\"utf-7\">",
        "<base href=\"https://x.example\">",
        "<form action=\"https://x.example\">",
        "<input autofocus>",
        "<!-- > -->",
        "<!--#exec cmd=\"ls\"-->",
        "<!--[if IE]><script>x</script><![endif]-->",
        "<!--[if mso]>\" onmouseover=x \"<![endif]-->",
        "<!-- --!><script>x</script> -->",
        "<?xml ><script>alert(1)</script>?>",
        "<p",
        "<p x=\"1\">",
    ] {
        let left = rest(text);
        assert!(
            left.trim().len() + 2 >= text.len() || left.contains('<'),
            "{text}: {left}"
        );
        assert!(left.starts_with('<'), "{text}: {left}");
    }
}

#[test]
fn nothing_that_runs_hides_behind_plain_markup() {
    for text in [
        "<?xml version=\"1.0\"?><script>alert(1)</script>",
        "<a xmlns=\"javascript:alert(1)\" onclick=alert(1)>",
        "<p style=\"width: expression(alert(1))\">",
        "<!DOCTYPE html><svg onload=alert(1)>",
        "<p>x</p><img src=x onerror=alert(1)>",
        "<b><script>alert(1)</script></b>",
        "<a title=\"<b>\" onmouseover=alert(1)>x</a>",
        "<div class=\"a\"><iframe src=\"https://x.example\"></iframe></div>",
    ] {
        assert!(Sentences.xss(text.as_bytes()), "{text}");
    }
}
