//! What `access` and `can` say of parameters is what happens to requests that use them.

use demo::CallResponse;
use demo::split_mix::SplitMix64;
use serde_json::Value;
use testkit::{Gate, Key, Scale, Server, run};

use super::cases::{ALL, granted, upstream};
use super::jobs::{self, Spec};
use crate::{call, program, serve};

const NOWHERE: ([u8; 4], u16) = ([127, 0, 0, 1], 9);

fn told(gate: &Gate, arguments: &[&str]) -> testkit::Ended {
    run(program(), gate, arguments)
}

fn json(gate: &Gate, arguments: &[&str]) -> Value {
    let ended = told(gate, &[arguments, &["-o", "json"]].concat());
    serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"))
}

#[test]
fn access_and_can_name_the_parameters_that_may_be_used_those_that_may_not_and_the_fixed_ones() {
    let mut listing = granted(None, &ALL, false);
    listing.grants[0].query = Some(vec!["limit", "status"]);
    let specs = [
        granted(Some(0), &["id", "name", "owner"], true),
        listing,
        granted(None, &ALL, false),
    ];
    let gate = jobs::gate(NOWHERE.into(), &specs);
    let access = told(&gate, &["access", "asker-0"]).stdout;
    let can = told(&gate, &["can", "asker-0", "listJobs"]).stdout;
    for text in [&access, &can] {
        for words in [
            "limit  cursor  q  sort (name)  expand",
            "minMargin, sort=margin: it asks about `margin`, which is not seen in full   integrations/asker-0.yaml:7",
            "sort (any other value), legacy, x-status (header): nothing says what it asks about",
            "query.owner = own",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
    let listing = told(&gate, &["access", "asker-1"]).stdout;
    assert!(
        listing.contains("asks     limit  status  x-status (header)\n")
            && listing.contains("sort, expand, legacy: `query` leaves it out"),
        "{listing}"
    );
    let everything = told(&gate, &["access", "asker-2"]).stdout;
    assert!(!everything.contains("refuses"), "{everything}");
}

#[test]
fn can_refuses_a_query_as_the_gateway_would() {
    let spec = granted(Some(0), &["id", "name", "owner"], true);
    let gate = jobs::gate(NOWHERE.into(), &[spec]);
    for (query, code, words) in [
        ("q=an", Value::Null, "asker-0 may call listJobs"),
        ("owner=own", Value::Null, "asker-0 may call listJobs"),
        (
            "owner=other",
            "authz.value_fixed".into(),
            "query.owner is fixed: own",
        ),
        (
            "minMargin=3",
            "authz.parameter_not_granted".into(),
            "minMargin",
        ),
        ("sort=margin", "authz.parameter_not_granted".into(), "sort"),
        (
            "statu=open",
            "validate.query".into(),
            "did you mean `status`?",
        ),
    ] {
        let said = json(&gate, &["can", "asker-0", "listJobs", "--query", query]);
        assert_eq!(said["code"], code, "{query}: {said}");
        assert_eq!(
            said["verdict"] == "no",
            code != Value::Null,
            "{query}: {said}"
        );
        let why = said["why"].as_str().unwrap();
        assert!(
            why.to_lowercase().contains(&words.to_lowercase()),
            "{query}: {said}"
        );
    }
}

#[test]
fn what_depends_on_the_request_is_said_to_depend() {
    let mut spec = granted(None, &["id"], false);
    let all = granted(None, &ALL, false).grants.remove(0);
    spec.grants.push(all);
    let gate = jobs::gate(NOWHERE.into(), &[spec]);
    // Both grants of the operation now ask for another network.
    let mut networks = ["10.0.0.0/8", "192.168.0.0/16"].iter();
    let text = gate.text("integrations/asker-0.yaml");
    let lines = text.lines().map(|line| {
        if line.contains("[listJobs]") {
            let network = networks.next().unwrap();
            format!("{line}\n    when: context.network.address.isInRange(ip(\"{network}\"))\n")
        } else {
            format!("{line}\n")
        }
    });
    let text: String = lines.collect();
    gate.write("integrations/asker-0.yaml", text);
    let said = told(&gate, &["access", "asker-0"]);
    let words =
        "`status`, which is not seen in full, while this grant holds   integrations/asker-0.yaml:7";
    assert!(said.stdout.contains(words), "{said:?}");
}

/// Values of each parameter that a request tries. A cursor cannot be made up.
const TRIED: [(&str, &[&str]); 9] = [
    ("limit", &["2"]),
    ("status", &["open"]),
    ("owner", &["other"]),
    ("q", &["an"]),
    ("minMargin", &["3"]),
    ("sort", &["name", "margin", "priority", "own"]),
    ("expand", &["x"]),
    ("legacy", &["own"]),
    ("x-status", &["open"]),
];

/// The code of the refusal that the document of `access` foretells.
fn foretold(parameter: &Value, value: &str) -> Option<&'static str> {
    let holds = |list: &str| {
        let list = parameter[list].as_array().unwrap();
        list.iter().any(|one| one == value)
    };
    match parameter["use"].as_str().unwrap() {
        "usable" => None,
        "by_value" if holds("values") => None,
        "by_value" | "refused" => Some("authz.parameter_not_granted"),
        "fixed" if parameter["value"] == value => None,
        "fixed" => Some("authz.value_fixed"),
        other => panic!("{other}: nothing here asks about the request"),
    }
}

fn sent(server: &Server, key: &Key, name: &str, value: &str) -> CallResponse {
    let call = match name {
        "x-status" => call("GET", "/v1/w/1/jobs").with("X-Status", value),
        name => call("GET", &format!("/v1/w/1/jobs?{name}={value}")),
    };
    server.send(&call, Some(key))
}

#[test]
fn what_access_says_of_parameters_is_what_happens_to_requests() {
    let mut dice = SplitMix64::new(77);
    let specs: Vec<Spec> = (0..Scale::pick(24, 60, 60))
        .map(|_| Spec::random(&mut dice))
        .collect();
    let upstream = upstream();
    let server = serve(jobs::gate(upstream.address(), &specs));
    let mut counts = [0, 0];
    for (index, spec) in specs.iter().enumerate() {
        let who = format!("asker-{index}");
        let key = server.quick_key(&who, &[]);
        let document = json(&server.gate, &["access", &who]);
        let parameters = document["parameters"].as_array().unwrap();
        for (name, value) in TRIED
            .iter()
            .flat_map(|(name, values)| values.iter().map(move |value| (name, value)))
        {
            let is_it = |p: &&Value| p["operation"] == "listJobs" && p["name"] == *name;
            let parameter = parameters.iter().find(is_it).unwrap();
            let expected = foretold(parameter, value);
            let code = sent(&server, &key, name, value).code();
            assert_eq!(
                code.as_deref(),
                expected,
                "{name}={value}: {parameter} {spec:?}"
            );
            counts[usize::from(expected.is_some())] += 1;
        }
    }
    // Both kinds have to occur, or nothing was compared.
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
}

#[test]
fn what_access_lists_beside_a_list_is_what_leaves_with_it() {
    let mut dice = SplitMix64::new(78);
    let specs: Vec<Spec> = (0..Scale::pick(24, 60, 60))
        .map(|_| Spec::random(&mut dice))
        .collect();
    let upstream = upstream();
    let server = serve(jobs::gate(upstream.address(), &specs));
    let (mut wrong, mut counts) = (Vec::new(), [0, 0]);
    for (index, spec) in specs.iter().enumerate() {
        let who = format!("asker-{index}");
        let key = server.quick_key(&who, &[]);
        let rows = json(&server.gate, &["access", &who])["rows"].clone();
        for (operation, path) in [("listJobs", "jobs"), ("listPlainJobs", "plain-jobs")] {
            let response = server.send(&call("GET", &format!("/v1/w/1/{path}")), Some(&key));
            let body: Value = serde_json::from_slice(&response.body).unwrap();
            for name in ["total", "pages", "note", "generated", "next"] {
                let is_row = |row: &&Value| row["operation"] == operation && row["field"] == name;
                let rows = rows.as_array().unwrap().iter().filter(is_row);
                let listed: Vec<&Value> = rows.collect();
                let leaves = body.get(name).is_some();
                counts[usize::from(leaves)] += 1;
                // Beside other grants, what a condition lets leave depends on the objects.
                let is_sure =
                    spec.grants.len() == 1 || listed.iter().any(|r| r["condition"].is_null());
                let is_wrong = if listed.is_empty() {
                    leaves
                } else {
                    is_sure && !leaves
                };
                if is_wrong {
                    wrong.push(format!("{operation} {name}: {listed:?}, {body}, {spec:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Both have to occur, or nothing was compared.
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
}
