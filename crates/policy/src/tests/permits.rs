//! A permit is one caller's, for one operation; what was judged for another one does not fit into it.

use super::*;

/// Somebody who was accepted, told apart from others of the same integration.
#[derive(Clone, Debug, PartialEq)]
struct Accepted(Principal, u8);

impl AsRef<Principal> for Accepted {
    fn as_ref(&self) -> &Principal {
        &self.0
    }
}

#[test]
fn a_permit_says_whose_it_is_and_what_for() {
    let rules = rules(vec![
        grant(1, "getOrder", "true", "id", ""),
        grant(2, "listOrders", "true", "id", ""),
    ]);
    for (operation, number) in [("getOrder orderId=1", 1), ("listOrders", 2)] {
        let caller = Accepted(caller("north", &rules), number);
        let call = call(operation, "");
        let question = call.question(&caller, &rules);
        let permit = decide(&question, &rules).unwrap();
        assert_eq!(permit.caller(), &caller);
        assert_eq!(permit.operation(), question.operation);
    }
}

#[test]
fn an_id_of_another_configuration_finds_nobody() {
    let rules = rules(vec![grant(1, "listOrders", "true", "id", "")]);
    let call = call("listOrders", "");
    let good = caller("north", &rules);
    assert!(decide(&call.question(&good, &rules), &rules).is_ok());
    // Where somebody else stands at that place, or nobody does.
    for (id, name) in [(good.id.place(), "south"), (7, "north")] {
        let stranger = Principal {
            id: IntegrationId::new(id.try_into().unwrap()),
            integration: name.into(),
            ..Principal::default()
        };
        let refusal = decide(&call.question(&stranger, &rules), &rules).unwrap_err();
        assert_eq!(refusal.reason, &OPERATION_NOT_GRANTED, "{name}");
        let operation = rules.operation("field-service/v2", "listOrders").unwrap();
        assert!(rules.fixed(&stranger, operation).is_empty());
    }
}

#[test]
fn a_look_up_of_one_permit_clears_no_other() {
    let when = "resource.status == \"open\"";
    let rules = rules(vec![grant(1, "updateOrder", when, "id", "notes")]);
    let look_up = |text: &str| {
        let call = call(text, r#"{"notes":"x"}"#);
        let mut permit = call.decide(&rules).unwrap();
        let lookups = permit.before(&call.facts()).unwrap();
        (call, permit, lookups)
    };
    let (call, mut mine, _) = look_up("updateOrder orderId=1");
    let (_, _, others) = look_up("updateOrder orderId=2");
    let open = json(r#"{"id":"2","status":"open"}"#);
    let refusal = mine.judge(&others[0], &call.facts(), Some(&open));
    let refusal = refusal.unwrap_err();
    assert!(
        refusal.detail.contains("was not asked for"),
        "{}",
        refusal.detail
    );
    assert!(!mine.is_cleared());
    // And what is not cleared releases nothing.
    assert!(mine.release(&call.facts(), Some(&open)).is_err());
}
