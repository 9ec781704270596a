//! The `WWW-Authenticate` challenge (RFC 6750 §3): what the caller may know about getting in.
//! Exports `challenge`.
//! Used by the gateway when it renders a refusal of 401 or one that names a missing scope.
//! Start reading at `challenge`.

use model::Refusal;

use crate::MISSING;

const REALM: &str = "Bearer realm=\"portcullis\"";

/// The value of `WWW-Authenticate` for a refusal, where one belongs there.
pub fn challenge(refusal: &Refusal) -> Option<String> {
    // A hidden object must answer like an absent one, so that a concealed refusal challenges nobody.
    if refusal.conceal.is_some() {
        return None;
    }
    if let (403, Some(scope)) = (refusal.status, &refusal.scope) {
        let (say, scope) = (quoted(refusal.reason.say), quoted(scope));
        return Some(format!(
            "{REALM}, error=\"insufficient_scope\", error_description=\"{say}\", scope=\"{scope}\""
        ));
    }
    if refusal.status != 401 {
        return None;
    }
    // RFC 6750 §3.1: a request without any credential is told no error code.
    if refusal.reason.code == MISSING.code {
        return Some(REALM.to_owned());
    }
    Some(format!(
        "{REALM}, error=\"invalid_token\", error_description=\"{}\"",
        quoted(refusal.reason.say)
    ))
}

/// The characters RFC 6750 §3 allows in `error_description` and `scope`; others become `?`.
fn quoted(text: &str) -> String {
    let allowed = |c: char| matches!(c, '\x20'..='\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
    text.chars()
        .map(|c| if allowed(c) { c } else { '?' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EXPIRED, INTEGRATION_PAUSED};

    #[test]
    fn a_missing_credential_is_told_the_scheme_only() {
        let told = challenge(&MISSING.because("private"));
        assert_eq!(told.as_deref(), Some("Bearer realm=\"portcullis\""));
    }

    #[test]
    fn a_bad_credential_is_told_the_error_and_no_private_detail() {
        let told = challenge(&EXPIRED.because("private"));
        let expected = "Bearer realm=\"portcullis\", error=\"invalid_token\", error_description=\"The credential has expired.\"";
        assert_eq!(told.as_deref(), Some(expected));
    }

    #[test]
    fn a_missing_scope_is_named_and_cannot_break_out_of_its_quotes() {
        let mut refusal = INTEGRATION_PAUSED.because("private");
        assert_eq!(challenge(&refusal), None);
        refusal.scope = Some(String::from("field-service/v2:list\", x=\"\r\n"));
        let told = challenge(&refusal).unwrap();
        assert!(
            told.ends_with("scope=\"field-service/v2:list?, x=???\""),
            "{told}"
        );
        refusal.conceal = Some(&MISSING);
        assert_eq!(challenge(&refusal), None);
    }
}
