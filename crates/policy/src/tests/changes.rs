//! What a write makes of an object: changes, replacements, lists below it, ids in bodies, several grants.

use proptest::prelude::*;

use super::*;

const OWN: &str = "resource.partner == principal.partner";

fn order(id: &str, status: &str, partner: &str) -> String {
    format!(
        r#"{{"id":"{id}","status":"{status}","notes":"n","assignment":{{"partnerId":"{partner}"}}}}"#
    )
}

/// Operations besides those of every test: name, body, what it means.
fn with(grants: Vec<Grant>, more: &[(&str, &str)]) -> PolicyInput {
    let mut input = input(grants);
    for (name, body) in more {
        let below = if name.starts_with("add") {
            "path orderId/"
        } else {
            "path orderId"
        };
        let mut operation = operation(name, "", body, &[below]);
        operation.takes_steps = name.ends_with("Steps");
        input.apis[0].operations.push(operation);
    }
    input
}

fn told(rules: &Arc<Rules>, text: &str, body: &str, known: &[(&str, &str)]) -> String {
    match call(text, body).before(rules, known) {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => said(&refusal),
    }
}

const BODY: &str = "{id,status,notes,assignment:{partnerId}}";
const HIDDEN: &str = "object.denied as object.absent 404";

#[test]
fn a_replacement_is_judged_by_the_body_alone() {
    let grants = vec![grant(
        1,
        "putOrder updateOrder",
        OWN,
        "",
        "status notes assignment.partnerId",
    )];
    let rules = Arc::new(compile(with(grants, &[("putOrder", BODY)])).unwrap());
    let known = order("1", "open", "north");
    let known = [("1", known.as_str())];
    let put = |body: &str| told(&rules, "putOrder orderId=1", body, &known);
    // What is left out is gone afterwards.
    assert_eq!(put(r#"{"notes":"x"}"#), HIDDEN);
    assert_eq!(put(r#"{"notes":"x","assignment":{}}"#), HIDDEN);
    assert_eq!(
        put(r#"{"notes":"x","assignment":{"partnerId":"south"}}"#),
        HIDDEN
    );
    assert_eq!(
        put(r#"{"notes":"x","assignment":{"partnerId":"north"}}"#),
        "ok"
    );
    // A change leaves it as it is.
    assert_eq!(
        told(&rules, "updateOrder orderId=1", r#"{"notes":"x"}"#, &known),
        "ok"
    );
    let other = order("1", "open", "south");
    let own = r#"{"assignment":{"partnerId":"north"}}"#;
    assert_eq!(
        told(&rules, "putOrder orderId=1", own, &[("1", &other)]),
        HIDDEN
    );
}

#[test]
fn what_no_body_can_hold_is_not_removed_by_leaving_it_out() {
    for body in ["{notes}", "{notes,assignment:{partnerId^}}"] {
        let grants = vec![grant(1, "putOrder", OWN, "", "notes")];
        let rules = Arc::new(compile(with(grants, &[("putOrder", body)])).unwrap());
        let known = order("1", "open", "north");
        let sent = told(
            &rules,
            "putOrder orderId=1",
            r#"{"notes":"x"}"#,
            &[("1", &known)],
        );
        assert_eq!(sent, "ok", "{body}");
    }
}

#[test]
fn a_replacement_that_could_never_pass_is_a_mistake() {
    let found = mistakes(with(
        vec![grant(5, "putOrder", OWN, "", "notes")],
        &[("putOrder", BODY)],
    ));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("integrations/test.yaml:5 `putOrder` replaces a `WorkOrder`"));
    assert!(found[0].contains("`partner`"), "{found:?}");
}

#[test]
fn the_id_in_a_body_is_that_of_the_path() {
    let open = "resource.status == \"open\"";
    let grants = vec![
        grant(1, "putOrder updateOrder sendOrder", open, "", "id status"),
        grant(4, "addNote", open, "", "id notes"),
    ];
    let more = [
        ("putOrder", BODY),
        ("sendOrder", BODY),
        ("addNote", "{id,notes}"),
    ];
    let mut input = with(grants, &more);
    input.apis[0].operations[2].request = shape(BODY);
    let rules = Arc::new(compile(input).unwrap());
    let (one, two) = (order("1", "open", "north"), order("2", "open", "north"));
    let known = [("1", one.as_str()), ("2", two.as_str())];
    for name in ["putOrder", "updateOrder", "sendOrder"] {
        let send = |id: &str| {
            let body = format!(r#"{{"id":{id},"status":"open"}}"#);
            told(&rules, &format!("{name} orderId=1"), &body, &known)
        };
        assert_eq!(send("\"1\""), "ok", "{name}");
        assert_eq!(send("1"), "ok", "{name}");
        for other in ["\"2\"", "2", "null", "[\"1\"]", "{}"] {
            assert_eq!(send(other), "object.id_differs 400", "{name} {other}");
        }
    }
    let refusal = call("putOrder orderId=1", r#"{"id":"2"}"#)
        .before(&rules, &known)
        .unwrap_err();
    assert_eq!(refusal.errors[0].pointer, "/id");
    // Below the object, an id is that of something else.
    assert_eq!(
        told(
            &rules,
            "addNote orderId=1",
            r#"{"id":"n7","notes":"x"}"#,
            &known
        ),
        "ok"
    );
}

#[test]
fn an_object_with_its_id_in_the_body_is_changed_where_the_path_says() {
    let mut input = with(vec![grant(1, "updateOrder", OWN, "", "id notes")], &[]);
    input.apis[0].operations[2].request = shape(BODY);
    input.apis[0].objects[0].id = Source::parse("body.id").unwrap();
    let rules = Arc::new(compile(input).unwrap());
    let (mine, other) = (
        order("own", "open", "north"),
        order("foreign", "open", "south"),
    );
    let known = [("own", mine.as_str()), ("foreign", other.as_str())];
    let send = |text: &str, body: &str| told(&rules, text, body, &known);
    assert_eq!(
        send("updateOrder orderId=foreign", r#"{"id":"own","notes":"x"}"#),
        "object.id_differs 400"
    );
    assert_eq!(
        send("updateOrder orderId=foreign", r#"{"notes":"x"}"#),
        HIDDEN
    );
    assert_eq!(send("updateOrder orderId=own", r#"{"notes":"x"}"#), "ok");
}

#[test]
fn a_list_below_an_object_is_not_taken_for_the_object() {
    let child = format!("[{ORDER}]");
    let grants = vec![
        grant(
            1,
            "addNotes addChildren addMore",
            OWN,
            "",
            "*.{text,status} *.{id,assignment} items.*.{id,assignment}",
        ),
        grant(4, "getOrder", "", "id", ""),
    ];
    let more = [
        ("addNotes", "[{text,status}]"),
        ("addChildren", child.as_str()),
        (
            "addMore",
            "{items:[WorkOrder{id,status,assignment:{partnerId}}]}",
        ),
    ];
    let mut input = with(grants, &more);
    // One grant for each, so that `writes` fits the body.
    let all = std::mem::take(&mut input.integrations[0].grants);
    let writes = [
        "*.{text,status}",
        "*.{id,assignment}",
        "items.*.{id,assignment}",
    ];
    let mut split: Vec<Grant> = ["addNotes", "addChildren", "addMore"]
        .iter()
        .zip(writes)
        .map(|(name, writes)| grant(1, name, OWN, "", writes))
        .collect();
    split.push(all[1].clone());
    input.integrations[0].grants = split;
    let rules = Arc::new(compile(input).unwrap());
    let (mine, other) = (order("1", "open", "north"), order("2", "open", "south"));
    let known = [("1", mine.as_str()), ("2", other.as_str())];
    let send = |text: &str, body: &str| told(&rules, text, body, &known);
    let notes = r#"[{"text":"a","status":"x"},{"text":"b"}]"#;
    assert_eq!(send("addNotes orderId=1", notes), "ok");
    assert_eq!(send("addNotes orderId=2", notes), HIDDEN);
    let item =
        |id: &str, partner: &str| format!(r#"{{{id}"assignment":{{"partnerId":"{partner}"}}}}"#);
    for name in ["addChildren", "addMore"] {
        let list = |items: &[String]| match name {
            "addMore" => format!(r#"{{"items":[{}]}}"#, items.join(",")),
            _ => format!("[{}]", items.join(",")),
        };
        let send = |id: &str, items: &[String]| send(&format!("{name} orderId={id}"), &list(items));
        let (own, foreign) = (item("", "north"), item("", "south"));
        assert_eq!(send("1", std::slice::from_ref(&own)), "ok", "{name}");
        assert_eq!(send("1", &[own.clone(), own.clone()]), "ok", "{name}");
        assert_eq!(
            send("1", &[own.clone(), foreign]),
            "object.create_denied 403",
            "{name}"
        );
        assert_eq!(send("2", std::slice::from_ref(&own)), HIDDEN, "{name}");
        // The id of an object that is there: it is judged as it is, whatever the body says.
        assert_eq!(
            send("1", &[item(r#""id":"2","#, "north")]),
            HIDDEN,
            "{name}"
        );
        assert_eq!(send("1", &[item(r#""id":"7","#, "north")]), "ok", "{name}");
    }
}

#[test]
fn steps_of_a_patch_document_do_not_pass_a_condition() {
    let both = "{status,assignment:{partnerId},notes}";
    let grants = |when: &str| vec![grant(1, "updateSteps", when, "", "notes")];
    let mut conditional = with(grants(OWN), &[("updateSteps", both)]);
    let steps = r#"[{"op":"replace","path":"/assignment/partnerId","value":"south"}]"#;
    let known = order("1", "open", "north");
    let send = |rules: &Arc<Rules>, body: &str| {
        told(rules, "updateSteps orderId=1", body, &[("1", &known)])
    };
    let rules = Arc::new(compile(conditional.clone()).unwrap());
    assert_eq!(send(&rules, steps), "object.patch_steps 415");
    assert_eq!(send(&rules, r#"{"notes":"x"}"#), "ok");
    // Where nothing else is accepted, the grant is a mistake.
    let last = conditional.apis[0].operations.last_mut().unwrap();
    last.request = shape("[{op,path,value}]");
    conditional.integrations[0].grants =
        vec![grant(1, "updateSteps", OWN, "", "*.{op,path,value}")];
    let found = mistakes(conditional);
    assert!(
        found.len() == 1 && found[0].contains("takes steps"),
        "{found:?}"
    );
}

#[test]
fn a_body_too_deep_to_be_judged_is_told_as_a_bound() {
    let mut input = with(vec![grant(1, "updateOrder", OWN, "", "extra")], &[]);
    let mut open = Shape::default();
    open.nodes.push(Node {
        is_open: true,
        ..Node::default()
    });
    open.nodes.push(Node {
        is_open: true,
        is_leaf: true,
        ..Node::default()
    });
    let field = Field {
        node: 1,
        is_required: false,
        is_read_only: false,
        is_write_only: false,
        clue: None,
    };
    open.nodes[0].fields.insert("extra".into(), field);
    input.apis[0].operations[2].request = Arc::new(open);
    let rules = Arc::new(compile(input).unwrap());
    let known = order("1", "open", "north");
    let nested = |depth: usize| format!("{}1{}", r#"{"extra":"#.repeat(depth), "}".repeat(depth));
    let send = |depth: usize| {
        told(
            &rules,
            "updateOrder orderId=1",
            &nested(depth),
            &[("1", &known)],
        )
    };
    assert_eq!(send(16), "ok");
    assert_eq!(send(17), "object.too_deep 400");
}

#[test]
fn a_marked_object_is_named_by_its_id() {
    let body = "{status,customer:Other{id,note}}";
    let mut input = with(
        vec![
            grant(1, "createOrder", "", "", "customer"),
            grant(4, "getCustomer", OWN, "", ""),
        ],
        &[],
    );
    let mut request = (*shape(body)).clone();
    let node = request.nodes[0].fields["customer"].node;
    request.nodes[node].refers_to = Some("Customer".into());
    input.apis[0].operations[4].request = Arc::new(request);
    let rules = Arc::new(compile(input).unwrap());
    let known = [
        ("c1", r#"{"id":"c1","partner":"north"}"#),
        ("c2", r#"{"id":"c2","partner":"south"}"#),
    ];
    let send = |customer: &str| {
        told(
            &rules,
            "createOrder",
            &format!(r#"{{"customer":{customer}}}"#),
            &known,
        )
    };
    assert_eq!(send(r#"{"id":"c1","note":"n"}"#), "ok");
    assert_eq!(send(r#"{"id":"c2"}"#), HIDDEN);
    assert_eq!(send(r#""c2""#), HIDDEN);
    assert_eq!(send(r#"{"note":"c2"}"#), HIDDEN);
}

#[test]
fn what_looks_like_a_reference_is_said_with_the_line_to_add() {
    let clue = |target: &str| {
        Some(Arc::new(model::Clue {
            target: Some(target.into()),
            told: None,
        }))
    };
    let mut input = with(
        vec![
            grant(3, "createOrder", "", "", "status payer lines"),
            grant(4, "getCustomer", OWN, "", ""),
        ],
        &[],
    );
    let mut request =
        (*shape("{status,payer:{customerId},lines:[{customerIds:[a]}],buyerCustomerId}")).clone();
    for node in &mut request.nodes {
        for (name, field) in &mut node.fields {
            field.clue = clue(&format!("$.there.{name}"));
        }
    }
    input.apis[0].operations[4].request = Arc::new(request);
    let notes = |input: PolicyInput| -> Vec<String> {
        let rules = compile(input).unwrap();
        let notes = rules.parameter_notes().iter();
        let notes = notes.filter(|note| note.message.contains("looks like"));
        notes
            .map(|note| format!("{} {} | {}", note.rule, note.message, note.help))
            .collect()
    };
    let found = notes(input.clone());
    assert_eq!(found.len(), 2, "{found:#?}");
    let line =
        "`- { target: \"$.there.customerId\", update: { x-portcullis-refers-to: Customer } }`";
    assert!(
        found[0].starts_with("integrations/test.yaml:3") && found[0].contains(line),
        "{found:#?}"
    );
    // Said: nothing more to say. And whoever sees all of them can name none that is hidden.
    for kind in ["Customer", model::shape::NO_KIND] {
        let mut said = input.clone();
        let mut request = (*said.apis[0].operations[4].request).clone();
        for node in request.nodes.iter_mut().filter(|node| node.is_leaf) {
            node.refers_to = Some(kind.into());
        }
        said.apis[0].operations[4].request = Arc::new(request);
        assert!(notes(said).is_empty(), "{kind}");
    }
    input.integrations[0].grants[1].when = None;
    assert!(notes(input).is_empty());
}

/// What a grant of the property asks, and what it lets be sent.
const ASKED: [(&str, &str, &str); 5] = [
    ("", "", ""),
    (OWN, "partner", "north"),
    ("resource.status == \"open\"", "status", "open"),
    ("resource.status == \"done\"", "status", "done"),
    ("resource.partner == \"south\"", "partner", "south"),
];
const SENT: [&str; 3] = ["status", "notes", "assignment"];

/// An order as far as the conditions ask.
#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    status: Option<&'static str>,
    partner: Option<&'static str>,
}

fn holds(asked: usize, state: &State) -> bool {
    match ASKED[asked] {
        (_, "partner", value) => state.partner == Some(value),
        (_, "status", value) => state.status == Some(value),
        _ => true,
    }
}

/// What a request sends of one attribute.
#[derive(Clone, Copy, Debug)]
enum Said {
    Nothing,
    Null,
    Value(&'static str),
}

fn said_of(values: [&'static str; 2]) -> impl Strategy<Value = Said> {
    prop_oneof![
        Just(Said::Nothing),
        Just(Said::Null),
        Just(Said::Value(values[0])),
        Just(Said::Value(values[1]))
    ]
}

fn after(now: Option<&'static str>, said: Said, is_put: bool) -> Option<&'static str> {
    match said {
        Said::Nothing if is_put => None,
        Said::Nothing => now,
        Said::Null => None,
        Said::Value(value) => Some(value),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_write_passes_exactly_where_grants_that_hold_before_and_after_cover_it(
        grants in prop::collection::vec((0..ASKED.len(), prop::collection::vec(any::<bool>(), 3)), 1..4),
        now in (prop::option::of(prop::sample::select(vec!["open", "done"])), prop::option::of(prop::sample::select(vec!["north", "south"]))),
        status in said_of(["open", "done"]),
        partner in said_of(["north", "south"]),
        has_notes in any::<bool>(),
        is_put in any::<bool>(),
    ) {
        let name = if is_put { "putOrder" } else { "updateOrder" };
        let all: Vec<Grant> = grants.iter().zip(1..).map(|((asked, fields), line)| {
            let writes: Vec<&str> = SENT.iter().zip(fields).filter(|(_, is)| **is).map(|(f, _)| *f).collect();
            grant(line, name, ASKED[*asked].0, "", &writes.join(" "))
        }).collect();
        let Ok(rules) = compile(with(all, &[("putOrder", BODY)])) else {
            // Only a replacement that may not carry what every grant asks for is refused beforehand.
            prop_assert!(is_put);
            return Ok(());
        };
        let rules = Arc::new(rules);
        let before = State { status: now.0, partner: now.1 };
        let then = State { status: after(now.0, status, is_put), partner: after(now.1, partner, is_put) };
        let mut members: Vec<String> = Vec::new();
        let mut sent: Vec<&str> = Vec::new();
        match status {
            Said::Nothing => {}
            Said::Null => members.push(r#""status":null"#.into()),
            Said::Value(value) => members.push(format!(r#""status":"{value}""#)),
        }
        match partner {
            Said::Nothing => {}
            Said::Null => members.push(r#""assignment":null"#.into()),
            Said::Value(value) => members.push(format!(r#""assignment":{{"partnerId":"{value}"}}"#)),
        }
        if !matches!(status, Said::Nothing) { sent.push("status"); }
        if !matches!(partner, Said::Nothing) { sent.push("assignment"); }
        if has_notes { sent.push("notes"); members.push(r#""notes":"x""#.into()); }
        let body = format!("{{{}}}", members.join(","));
        let held: Vec<&(usize, Vec<bool>)> = grants.iter().filter(|(asked, _)| holds(*asked, &before) && holds(*asked, &then)).collect();
        let covered = |field: &str| held.iter().any(|(_, fields)| SENT.iter().zip(fields).any(|(f, is)| *f == field && *is));
        let passes = !held.is_empty() && sent.iter().all(|field| covered(field));
        let mut known: Vec<String> = vec![r#""id":"1""#.into()];
        known.extend(before.status.map(|v| format!(r#""status":"{v}""#)));
        known.extend(before.partner.map(|v| format!(r#""assignment":{{"partnerId":"{v}"}}"#)));
        let known = format!("{{{}}}", known.join(","));
        let asked = call(&format!("{name} orderId=1"), &body);
        // The fields that no grant at all lets be sent are refused before.
        let permit = asked.decide(&rules).unwrap();
        let mut is_outside = false;
        let _ = permit.writes().outside(&json(&body), &mut |_| { is_outside = true; std::ops::ControlFlow::Break(()) });
        let outcome = asked.before(&rules, &[("1", &known)]);
        let is_passed = !is_outside && outcome.is_ok();
        prop_assert_eq!(is_passed, passes, "{:?} {} {} {:?}", grants, name, body, before);
    }
}
