//! What `init` writes has to compile as it stands, and to open nothing.
use std::path::Path;

use config::{Files, Options};
use model::Timestamp;

use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn planned(text: &str, upstream: Option<&str>) -> (Facts, Vec<Planned>) {
    let contract = read("shop.openapi.yaml", text).unwrap();
    let facts = Facts::of(
        Path::new("shop.openapi.yaml"),
        None,
        upstream.map(str::to_owned),
        &contract,
        text,
    )
    .unwrap();
    let kek = crypto::Kek::generate_text();
    let planned = files(&facts, text, kek.expose(), NOW);
    (facts, planned)
}

fn demo_contract() -> &'static str {
    let files = demo::GATE_FILES.iter();
    files
        .into_iter()
        .find(|(path, _)| path.ends_with("v2.openapi.yaml"))
        .unwrap()
        .1
}

fn compiles(planned: &[Planned]) -> config::Compiled {
    let mut files = Files::new();
    for file in planned
        .iter()
        .filter(|file| config::files::is_wanted(&file.path))
    {
        files.insert(file.path.clone(), file.text.clone().into_bytes());
    }
    let (compiled, _) = config::compile(&files, Options { now: NOW })
        .unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    compiled
}

#[test]
fn the_demos_contract_becomes_a_configuration_that_opens_nothing() {
    let (facts, planned) = planned(demo_contract(), Some("http://127.0.0.1:9101"));
    let compiled = compiles(&planned);
    assert_eq!(compiled.operation_counts(), (0, facts.operations.len()));
    assert!(
        policy::access(&compiled.rules, "example")
            .unwrap()
            .rows
            .is_empty()
    );
    assert_eq!(
        (
            facts.name.as_str(),
            facts.version.as_str(),
            facts.base_path.as_str()
        ),
        ("shop", "v2", "/v2")
    );
    assert!(
        facts
            .objects
            .iter()
            .any(|object| object.schema == "WorkOrder" && object.resolve == "getWorkOrder")
    );
    assert!(facts.classes.iter().any(
        |(target, class)| target.ends_with("Customer.properties.email") && *class == "personal"
    ));
}

#[test]
fn what_probably_names_an_object_is_proposed_and_compiles() {
    let (facts, planned) = planned(demo_contract(), None);
    let said = |name: &str, kind: &str| {
        let mut all = facts.references.iter();
        all.any(|(target, found)| target.ends_with(name) && found == kind)
    };
    for (name, kind) in [
        ("ServiceRequestNew.properties.customerId", "Customer"),
        ("ServiceRequestNew.properties.assetId", "Asset"),
        ("InvoiceNew.properties.workOrderId", "WorkOrder"),
        ("VisitAssignment.properties.technicianId", "Technician"),
    ] {
        assert!(said(name, kind), "{name}: {:#?}", facts.references);
    }
    let overlay = planned.iter().find(|f| f.path.starts_with("overlays/"));
    assert!(
        overlay
            .unwrap()
            .text
            .contains("x-portcullis-refers-to: Asset } } # guessed")
    );
}

#[test]
fn what_stands_in_comments_compiles_once_it_is_moved_in() {
    let (_, mut planned) = planned(demo_contract(), Some("http://127.0.0.1:9101"));
    for file in &mut planned {
        if file.path == "apis/shop.yaml" {
            let text = file
                .text
                .replace("expose: {}", "expose:")
                .replace("    #  local:", "      local:")
                .replace("    #    - ", "        - ")
                .replace("    # objects:", "    objects:");
            file.text = text.replace("    #   ", "      ");
        }
        if file.path == "integrations/example.yaml" {
            file.text = file
                .text
                .replace("grants: []", "grants:")
                .replace("\n#  - api", "\n  - api")
                .replace("\n#    operations", "\n    operations")
                .replace("\n#    fields", "\n    fields");
        }
    }
    let (exposed, declared) = compiles(&planned).operation_counts();
    assert_eq!(exposed, declared);
}

#[test]
fn a_small_contract_without_upstream_is_enough() {
    let text = r#"{"openapi":"3.0.3","info":{"title":"Shop","version":"1"},"paths":{"/x":{"get":{"operationId":"listX","responses":{"204":{"description":"d"}}}}}}"#;
    let (_, planned) = planned(text, None);
    compiles(&planned);
    assert!(
        planned
            .iter()
            .any(|file| file.path == "apis/shop.v1.openapi.json")
    );
    let kek = planned
        .iter()
        .find(|file| file.path == "secrets/kek")
        .unwrap();
    assert!(kek.is_secret && crypto::Kek::parse(&kek.text).is_ok());
}
