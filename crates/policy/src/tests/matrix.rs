use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[test]
fn the_matrix_lists_calls_fields_and_writes() {
    let mut masked = grant(4, "getCustomer", "", "id iban", "");
    masked.masks = vec![listed(
        (FieldPath::parse("iban").unwrap().remove(0), Mask::Last4),
        4,
    )];
    let rules = rules(vec![
        grant(
            1,
            "updateOrder",
            "resource.status == \"open\"",
            "id customer.id lines.*.sku",
            "notes assignment",
        ),
        masked,
    ]);
    let matrix = access(&rules, "north").unwrap();
    let rows: Vec<String> = matrix
        .rows
        .iter()
        .map(|r| {
            format!(
                "{} {} {:?} {}",
                r.operation,
                r.field,
                r.how,
                r.condition.as_deref().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "getCustomer  Call -",
            "getCustomer iban Masked(Last4) -",
            "getCustomer id Full -",
            "updateOrder  Call resource.status == \"open\"",
            "updateOrder assignment.partnerId Write resource.status == \"open\"",
            "updateOrder customer.id Full resource.status == \"open\"",
            "updateOrder id Full resource.status == \"open\"",
            "updateOrder lines.*.sku Full resource.status == \"open\"",
            "updateOrder notes Write resource.status == \"open\"",
        ]
    );
    assert_eq!(
        matrix.sight("field-service/v2", "getCustomer", "iban"),
        Some(How::Masked(Mask::Last4))
    );
    assert_eq!(access(&rules, "nobody"), None);
}

/// Paths of the scalars in a value, with list positions as `*`.
fn paths(value: &Json, at: &str, out: &mut BTreeSet<String>) {
    let below = |step: &str| {
        if at.is_empty() {
            step.to_owned()
        } else {
            format!("{at}.{step}")
        }
    };
    match value {
        Json::Object(members) => members
            .iter()
            .for_each(|(key, value)| paths(value, &below(key), out)),
        Json::List(items) => items
            .iter()
            .for_each(|value| paths(value, &below("*"), out)),
        _ => drop(out.insert(at.to_owned())),
    }
}

/// An answer with a value in every declared place and some that nobody declared.
fn full(id: &str, status: &str, partner: &str) -> String {
    format!(
        r#"{{"id":"{id}","number":"n","status":"{status}","notes":"x","priority":3,"assignment":{{"partnerId":"{partner}","hidden":1}},
        "customer":{{"id":"c","legalName":"l","iban":"i","partner":"p","hidden":2}},"lines":[{{"sku":"s","price":1,"cost":2,"hidden":3}}],
        "token":"t","pin":"p","undeclared":{{"id":"7"}}}}"#
    )
}

const FIELDS: [&str; 14] = [
    "id",
    "number",
    "status",
    "notes",
    "priority",
    "assignment",
    "assignment.partnerId",
    "customer",
    "customer.id",
    "customer.iban",
    "lines",
    "lines.*",
    "lines.*.sku",
    "lines.*.cost",
];

const CONDITIONS: [&str; 4] = [
    "",
    "resource.status == \"open\"",
    "resource.partner == principal.partner",
    "!(resource.status == \"open\") && resource.priority > 2",
];

fn holds(condition: usize, status: &str, partner: &str) -> bool {
    match condition {
        0 => true,
        1 => status == "open",
        2 => partner == "north",
        _ => status != "open",
    }
}

/// Whether a list of fields covers a concrete path, by the letter.
fn covers(field: &str, path: &str) -> bool {
    path == field
        || path
            .strip_prefix(field)
            .is_some_and(|rest| rest.starts_with('.'))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// For random grants and objects, a field leaves if and only if some grant that holds for the object covers it,
    /// and the matrix, asked grant by grant, says the same.
    #[test]
    fn a_field_leaves_exactly_when_access_says_so(
        grants in prop::collection::vec((0usize..4, prop::collection::btree_set(0usize..FIELDS.len(), 0..6)), 1..6),
        objects in prop::collection::vec((prop::sample::select(vec!["open", "done"]), prop::sample::select(vec!["north", "south"])), 1..5),
    ) {
        let list: Vec<Grant> = (1u32..)
            .zip(&grants)
            .map(|(line, (condition, fields))| {
                let fields: Vec<&str> = fields.iter().map(|f| FIELDS[*f]).collect();
                grant(line * 10, "listOrders", CONDITIONS[*condition], &fields.join(" "), "")
            })
            .collect();
        let rules = rules(list);
        let matrix = access(&rules, "north").unwrap();
        let items: Vec<String> = objects.iter().enumerate().map(|(i, (s, p))| full(&i.to_string(), s, p)).collect();
        let upstream = json(&format!(r#"{{"items":[{}],"nextCursor":"c","other":1}}"#, items.join(",")));
        let call = call("listOrders", "");
        let released = call.before(&rules, &[]).unwrap().release(&call.facts(), Some(&upstream)).unwrap();
        let out = json(std::str::from_utf8(&released.body).unwrap());
        let Some(Json::List(left)) = out.get("items") else { panic!("no items") };
        let mut left = left.iter();
        let mut seen = 0;
        for (index, (status, partner)) in objects.iter().enumerate() {
            let held: Vec<u32> = (1u32..).zip(&grants).filter(|(_, (c, _))| holds(*c, status, partner)).map(|(l, _)| l * 10).collect();
            if held.is_empty() {
                seen += 1;
                continue;
            }
            let (mut all, mut got) = (BTreeSet::new(), BTreeSet::new());
            paths(&json(&items[index]), "", &mut all);
            paths(left.next().unwrap(), "", &mut got);
            let by_letter: BTreeSet<String> = all.iter().filter(|path| {
                let is_declared = !path.contains("hidden") && !path.starts_with("undeclared") && *path != "token" && *path != "pin";
                is_declared && held.iter().any(|line| {
                    let (_, fields) = &grants[usize::try_from(line / 10 - 1).unwrap()];
                    fields.iter().any(|f| covers(FIELDS[*f], path))
                })
            }).cloned().collect();
            let by_matrix: BTreeSet<String> = matrix.rows.iter()
                .filter(|row| row.how == How::Full && held.iter().any(|l| row.rule == rule(*l).to_string()))
                .filter_map(|row| row.field.strip_prefix("items.*.").map(str::to_owned))
                .filter(|path| all.contains(path))
                .collect();
            prop_assert_eq!(&got, &by_letter);
            prop_assert_eq!(&got, &by_matrix);
        }
        prop_assert_eq!(released.withheld, seen);
        prop_assert!(left.next().is_none());
    }
}
