//! The question asked of the demo's configuration.
use super::*;

fn verdict(line: &[&str]) -> Result<(bool, String), CommandError> {
    let mut texts = config::Files::new();
    for (path, text) in demo::gate::files(&demo::Ports::default()) {
        texts.insert(path, text.into_bytes());
    }
    let (compiled, _) = files::compile(&texts, installation::now()).unwrap();
    let arguments = command().get_matches_from([&["can"], line].concat());
    let asked = asked(&arguments, &compiled)?;
    let evaluation = can::ask(&asked, &compiled);
    Ok((
        evaluation.verdict == Verdict::Yes,
        can::text(&asked, &evaluation, &[]),
    ))
}

fn is_yes(line: &[&str]) -> bool {
    verdict(line).unwrap().0
}

const GET: &str = "field-service/v2:getWorkOrder";
const LIST: &str = "field-service/v2:listWorkOrders";
const UPDATE: &str = "field-service/v2:updateWorkOrder";
const DONE: &str =
    r#"{"id":"wo_1","status":"completed","customer":{"id":"c","taxId":"t"},"notes":"x"}"#;
const OPEN: &str = r#"{"id":"wo_1","status":"open"}"#;

#[test]
fn the_objects_state_decides() {
    assert!(is_yes(&["accounting", GET, "--object", DONE]));
    assert!(!is_yes(&["accounting", GET, "--object", OPEN]));
    assert!(is_yes(&["accounting", LIST, "--object", DONE]));
    assert!(!is_yes(&["accounting", LIST, "--object", OPEN]));
    assert!(!is_yes(&["thermo", GET, "--object", DONE]));
}

#[test]
fn without_an_object_it_is_undecided_and_the_condition_is_told() {
    let (is_yes, text) = verdict(&["accounting", GET]).unwrap();
    assert!(
        !is_yes
            && text.starts_with("undecided")
            && text.contains("resource.status == \"completed\"")
            && text.contains("integrations/accounting.yaml:"),
        "{text}"
    );
}

#[test]
fn fields_are_judged_with_and_without_an_object() {
    let (_, text) = verdict(&["accounting", GET, "--field", "customer.taxId"]).unwrap();
    assert!(text.starts_with("undecided"), "{text}");
    let (_, text) = verdict(&["accounting", GET, "--field", "customer.email"]).unwrap();
    assert!(text.starts_with("no"), "{text}");
    // Nothing has to be judged for an invoice.
    let invoice = "field-service/v2:getInvoice";
    assert!(is_yes(&["accounting", invoice, "--field", "totals.gross"]));
    assert!(is_yes(&[
        "accounting",
        GET,
        "--field",
        "customer.taxId",
        "--object",
        DONE
    ]));
    assert!(!is_yes(&[
        "accounting",
        GET,
        "--field",
        "notes",
        "--object",
        DONE
    ]));
}

#[test]
fn a_change_is_judged_by_object_and_body() {
    let body = r#"{"externalRefs":{"accounting":"r"}}"#;
    assert!(is_yes(&[
        "accounting",
        UPDATE,
        "--object",
        DONE,
        "--body",
        body
    ]));
    assert!(!is_yes(&[
        "accounting",
        UPDATE,
        "--object",
        OPEN,
        "--body",
        body
    ]));
    assert!(!is_yes(&[
        "accounting",
        UPDATE,
        "--object",
        DONE,
        "--body",
        r#"{"status":"open"}"#
    ]));
}

#[test]
fn what_is_not_granted_names_the_nearest() {
    let (is_yes, text) = verdict(&["crm", "getTechnician"]).unwrap();
    assert!(
        !is_yes && text.contains("authz.operation_not_granted"),
        "{text}"
    );
}

#[test]
fn unknown_names_say_what_was_meant() {
    assert!(
        verdict(&["acounting", GET])
            .unwrap_err()
            .remedy
            .contains("accounting")
    );
    assert!(
        verdict(&["accounting", "getWorkOrdr"])
            .unwrap_err()
            .remedy
            .contains("getWorkOrder")
    );
    assert_eq!(
        verdict(&["accounting", "getWorkOrder"]).unwrap_err().exit,
        Exit::Usage
    );
}

#[test]
fn an_operation_on_the_wrong_listener_is_out_of_reach() {
    assert!(!is_yes(&[
        "accounting",
        "getTechnician",
        "--listener",
        "public"
    ]));
    assert!(!is_yes(&["accounting", GET, "--from", "203.0.113.7"]));
}
