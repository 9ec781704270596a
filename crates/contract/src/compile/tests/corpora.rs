//! Large public documents: each compiles, or every mistake is true and has a place.

use std::path::PathBuf;

use super::*;

/// The folder of a corpus, or a word that it is not there.
pub(super) fn corpus(below: &str) -> Option<PathBuf> {
    let root = std::env::var("PORTCULLIS_CORPORA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora").into());
    let path = PathBuf::from(root).join(below);
    if !path.exists() {
        println!("SKIP: nothing at {}", path.display());
        return None;
    }
    Some(path)
}

fn attempt(folder: &str, file: &str) -> Option<Result<Contract, Vec<Mistake>>> {
    let folder = corpus(folder)?;
    let text = std::fs::read_to_string(folder.join(file)).ok()?;
    let load = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let start = std::time::Instant::now();
    let result = compile(&Source {
        file,
        text: &text,
        overlay: None,
        load: &load,
        unknown_fields: UnknownFields::Refuse,
        bounds: Bounds::default(),
    });
    match &result {
        Ok(contract) => println!(
            "{file}: {} operations, {} schemas, {} shape nodes in {:?}",
            contract.operations.len(),
            contract.schemas.len(),
            contract
                .operations
                .iter()
                .map(|o| o.request_shape.nodes.len())
                .sum::<usize>(),
            start.elapsed()
        ),
        Err(mistakes) => {
            println!(
                "{file}: {} mistakes in {:?}",
                mistakes.len(),
                start.elapsed()
            );
            for mistake in mistakes {
                println!(
                    "  {}: {:?} {} ({})",
                    mistake.file, mistake.pointer, mistake.message, mistake.help
                );
            }
        }
    }
    Some(result)
}

#[test]
fn an_accounting_contract_of_thirty_thousand_lines_compiles() {
    if let Some(result) = attempt("openapi/xero", "xero_accounting.yaml") {
        let contract = result.unwrap();
        assert!(contract.operations.len() > 200);
    }
}

#[test]
fn a_contract_without_operations_compiles_or_says_why() {
    if let Some(Err(mistakes)) = attempt("openapi/xero", "xero-webhooks.yaml") {
        assert!(mistakes.iter().all(|m| m.span.is_some()), "{mistakes:?}");
    }
}

#[test]
fn a_contract_in_thousands_of_files_compiles_or_names_true_places() {
    let folder = "openapi/digitalocean/specification";
    match attempt(folder, "DigitalOcean-public.v2.yaml") {
        Some(Ok(contract)) => assert!(contract.operations.len() > 400),
        Some(Err(mistakes)) => {
            assert!(
                mistakes
                    .iter()
                    .all(|m| !m.file.is_empty() && m.span.is_some())
            );
        }
        None => {}
    }
}
