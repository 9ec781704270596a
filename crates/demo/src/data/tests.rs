use super::*;

fn bytes(world: &World) -> Vec<u8> {
    let mut out = Vec::new();
    for kind in Kind::ALL {
        for record in world.all(kind) {
            model::json::write(record, &mut out);
        }
    }
    out
}

#[test]
fn one_seed_grows_one_world() {
    assert_eq!(bytes(&World::grow(7)), bytes(&World::grow(7)));
    assert_ne!(bytes(&World::grow(7)), bytes(&World::grow(8)));
}

#[test]
fn every_shelf_is_filled_as_promised() {
    let world = World::grow(1);
    assert_eq!(world.count(Kind::Customer), 400);
    assert_eq!(world.count(Kind::WorkOrder), 1_200);
    for kind in Kind::ALL {
        assert!(world.count(kind) > 1, "{kind:?}");
    }
}

#[test]
fn the_work_orders_of_the_tour_are_the_same_for_every_seed() {
    for seed in [0, 1, 99] {
        let world = World::grow(seed);
        let fate = |id: &str| {
            let order = world.get(Kind::WorkOrder, id).unwrap();
            (
                text(order, "status").to_owned(),
                text(order, "assignment.partnerId").to_owned(),
            )
        };
        assert_eq!(fate("4711"), ("completed".into(), "north-star".into()));
        assert_eq!(fate("4712"), ("in_progress".into(), "blue-river".into()));
        assert_eq!(
            text(world.get(Kind::Asset, "20001").unwrap(), "telemetryRef"),
            "thermo"
        );
        assert_eq!(text(world.get(Kind::Customer, "9").unwrap(), "id"), "9");
    }
}

#[test]
fn account_numbers_carry_a_right_check() {
    let world = World::grow(3);
    for customer in world.all(Kind::Customer) {
        let iban = text(customer, "iban");
        let (front, account) = iban.split_at(4);
        let digits: String = account
            .chars()
            .chain(front.chars())
            .map(|c| c.to_digit(36).unwrap().to_string())
            .collect();
        let rest = digits
            .bytes()
            .fold(0u32, |sum, d| (sum * 10 + u32::from(d - b'0')) % 97);
        assert_eq!(rest, 1, "{iban}");
    }
}

#[test]
fn ids_are_listed_in_the_order_of_their_numbers() {
    let world = World::grow(1);
    let first: Vec<&str> = world
        .all(Kind::Customer)
        .take(11)
        .map(|c| text(c, "id"))
        .collect();
    assert_eq!(first.last(), Some(&"11"));
    let next = world.after(Kind::Customer, "9").next().unwrap();
    assert_eq!(text(next, "id"), "10");
    assert_eq!(world.free_id(Kind::Customer), "401");
}
