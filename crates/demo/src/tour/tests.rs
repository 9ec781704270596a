use super::*;
use crate::call::Call;

/// Answers everything alike.
struct Deaf(CallResponse);

impl Env for Deaf {
    fn send(&mut self, _call: &Call, _key: Option<&str>) -> Result<CallResponse, String> {
        Ok(self.0.clone())
    }
    fn key(&mut self, integration: &str) -> Result<String, String> {
        Ok(integration.to_owned())
    }
    fn fresh_key(&mut self, _integration: &str) -> Result<FreshKey, String> {
        Ok(FreshKey {
            id: "key_1".into(),
            text: "text".into(),
        })
    }
    fn revoke(&mut self, _id: &str) -> Result<(), String> {
        Ok(())
    }
    fn why(&mut self, _decision: &str) -> Option<String> {
        None
    }
    fn verify_ledger(&mut self, is_tampered: bool) -> Result<LedgerView, String> {
        Ok(LedgerView {
            is_intact: !is_tampered,
            first_bad: is_tampered.then_some(7),
            says: "12 records".into(),
        })
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> CallResponse {
    let headers = headers
        .iter()
        .map(|(n, v)| (n.to_string(), v.to_string()))
        .collect();
    CallResponse {
        status,
        headers,
        body: body.as_bytes().to_vec(),
    }
}

#[test]
fn the_tour_makes_more_than_twenty_calls_and_checks_each() {
    let steps = steps();
    let calls = steps
        .iter()
        .filter(|s| !matches!(s.act, Act::Ledger { .. }))
        .count();
    assert!(calls >= 20, "{calls}");
    assert!(
        steps
            .iter()
            .all(|s| !s.checks.is_empty() || matches!(s.act, Act::Ledger { .. }))
    );
    assert!(
        steps
            .iter()
            .all(|s| s.title.len() < 90 && s.shows.ends_with('.'))
    );
}

#[test]
fn an_open_gate_is_called_wrong() {
    let mut out = Vec::new();
    let careless = answer(200, &[], r#"{"id":"4711","internalNotes":"x"}"#);
    let outcome = run(&steps(), &mut Deaf(careless), &mut out).unwrap();
    assert!(outcome.wrong > 30, "{outcome:?}");
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("NOT ALL RIGHT") && text.contains("WRONG"));
}

#[test]
fn a_right_answer_passes_its_checks() {
    let refused = answer(
        401,
        &[
            ("www-authenticate", "Bearer realm=\"x\""),
            ("proxy-status", "portcullis"),
            ("portcullis-decision", "dec_1"),
        ],
        r#"{"code":"authn.missing"}"#,
    );
    let mut out = Vec::new();
    let outcome = run(&steps()[..1], &mut Deaf(refused), &mut out).unwrap();
    assert_eq!((outcome.wrong, outcome.calls, outcome.checks), (0, 1, 4));
}

#[test]
fn twins_may_differ_in_decision_and_date_only() {
    let one = answer(
        404,
        &[("portcullis-decision", "dec_1"), ("date", "a")],
        r#"{"id":"dec_1"}"#,
    );
    let same = answer(
        404,
        &[("portcullis-decision", "dec_2"), ("date", "b")],
        r#"{"id":"dec_2"}"#,
    );
    let other = answer(
        404,
        &[("portcullis-decision", "dec_2"), ("x-hint", "b")],
        r#"{"id":"dec_2"}"#,
    );
    assert!(check::same_bytes(&one, &same).is_empty());
    assert_eq!(check::same_bytes(&one, &other).len(), 1);
}

#[test]
fn checks_read_members_items_and_errors() {
    let page = answer(
        200,
        &[("retry-after", "7")],
        r#"{"items":[{"a":{"b":"x"}},{"a":{"b":"x"}}],"lines":[{"q":1,"p":2}]}"#,
    );
    assert!(Check::EachItem("a.b", "x").judge(&page).is_ok());
    assert!(Check::EachItem("a.b", "y").judge(&page).is_err());
    assert!(Check::Members("lines.0", &["p", "q"]).judge(&page).is_ok());
    assert!(
        Check::HeaderNumber("retry-after", 1, 9)
            .judge(&page)
            .is_ok()
    );
    let none = answer(200, &[], r#"{"items":[]}"#);
    assert!(
        Check::EachItem("a.b", "x").judge(&none).is_err(),
        "an empty list shows nothing"
    );
    let problem = answer(
        400,
        &[],
        r#"{"errors":[{"pointer":"/email","keyword":"type","fix":"send a string"}]}"#,
    );
    assert!(Check::ErrorAt("/email", "type").judge(&problem).is_ok());
    assert!(Check::ErrorAt("/role", "type").judge(&problem).is_err());
}
