use std::time::Instant;

use super::*;

fn many(integrations: usize, grants: usize) -> Arc<Rules> {
    let all = (0..integrations)
        .map(|i| {
            let name = format!("n{i}");
            let list = (0..grants)
                .map(|g| {
                    let operation = [
                        "getOrder",
                        "listOrders",
                        "updateOrder",
                        "createOrder",
                        "getCustomer",
                    ][g % 5];
                    let line = u32::try_from(g + 1).unwrap();
                    let (when, fields) = match operation {
                        "getCustomer" => ("", "id"),
                        _ => ("resource.partner == principal.partner", "id status"),
                    };
                    grant(line, operation, when, fields, "")
                })
                .collect();
            integration(&name, list)
        })
        .chain([integration(
            "north",
            vec![grant(
                1,
                "getOrder",
                "resource.status == \"completed\"",
                "id number status lines.*.{sku,price} customer.{id,legalName}",
                "",
            )],
        )])
        .collect();
    Arc::new(
        compile(PolicyInput {
            apis: vec![api()],
            integrations: all,
            cedar: Vec::new(),
            names: Names::default(),
            is_partial: false,
        })
        .unwrap(),
    )
}

fn micros_per_round(rounds: u32, mut round: impl FnMut()) -> f64 {
    let best = (0..7).map(|_| {
        let start = Instant::now();
        (0..rounds).for_each(|_| round());
        start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
    });
    best.fold(f64::MAX, f64::min)
}

const ANSWER: &str = r#"{"id":"7","number":"WO-7","status":"completed","notes":"private","priority":2,
 "assignment":{"partnerId":"north"},"customer":{"id":"c1","legalName":"Acme","iban":"DE02120300000000202051","partner":"north"},
 "lines":[{"sku":"a","price":5,"cost":3},{"sku":"b","price":1.50,"cost":1}],"token":"t","pin":"1","extra":"e"}"#;

#[test]
#[ignore = "prints figures; run by hand"]
fn figures() {
    let started = Instant::now();
    let rules = many(1_000, 10);
    println!("compile 1000 x 10: {:?}", started.elapsed());
    let get = call("getOrder orderId=7", "");
    let (upstream, facts) = (json(ANSWER), get.facts());
    let decide = micros_per_round(2_000, || drop(get.decide(&rules)));
    let both = micros_per_round(2_000, || {
        let permit = get.decide(&rules).unwrap();
        std::hint::black_box(permit.release(&facts, Some(&upstream)).unwrap());
    });
    println!("decide {decide:.2} us, decide + release {both:.2} us");
}

#[test]
fn cost_does_not_grow_with_the_number_of_rules() {
    let cost = |rules: &Arc<Rules>| {
        let get = call("getOrder orderId=7", "");
        let (upstream, facts) = (json(ANSWER), get.facts());
        micros_per_round(300, || {
            let permit = get.decide(rules).unwrap();
            std::hint::black_box(permit.release(&facts, Some(&upstream)).unwrap());
        })
    };
    let (few, many) = (many(1, 10), many(300, 10));
    // The machine may be busy: one quiet moment in five is enough to tell growth from noise.
    let is_flat = (0..5).any(|_| cost(&many) <= 1.2 * cost(&few));
    assert!(is_flat, "300 integrations cost more than one");
}
