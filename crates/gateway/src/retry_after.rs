//! `Retry-After` of an upstream as seconds, within bounds (RFC 9110 §10.2.3).
//! Exports `seconds`. Pure.
//! Used by stages `answer`, `response` and `upstream`.
//! Start reading at `seconds`.

use model::{Headers, Timestamp};

/// Longest wait that is passed on.
pub const SECONDS_MAX: u32 = 24 * 60 * 60;

/// How long to wait; `None` where the field is missing or neither a number nor a date.
pub fn seconds(headers: &Headers, now: Timestamp) -> Option<u32> {
    let text = headers.text("retry-after")?.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        // More digits than fit are more than the bound.
        return Some(text.parse().unwrap_or(SECONDS_MAX).min(SECONDS_MAX));
    }
    let wait = Timestamp::parse_http_date(text)?.since(now).as_secs();
    Some(u32::try_from(wait).unwrap_or(SECONDS_MAX).min(SECONDS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_within_bounds_whatever_form_it_was_sent_in() {
        let now = Timestamp::parse("1994-11-06T08:49:30Z").unwrap();
        for (sent, wait) in [
            ("7", Some(7)),
            ("0", Some(0)),
            ("99999999999999999999", Some(SECONDS_MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sun, 06 Nov 1994 08:49:23 GMT", Some(0)),
            ("Sat, 06 Nov 2094 08:49:37 GMT", Some(SECONDS_MAX)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let mut headers = Headers::new();
            headers.push("retry-after", sent);
            assert_eq!(seconds(&headers, now), wait, "{sent}");
        }
        assert_eq!(seconds(&Headers::new(), now), None);
    }
}
