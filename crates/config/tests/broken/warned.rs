//! Settings that are in order each for itself and do not do what they seem to: said with their place.
//! Start reading at `edited`.

use config::{Unread, compile, render};

use super::{base, options, warned};

/// The warnings of the good configuration with one edit of a file.
fn edited(file: &str, from: &str, to: &str) -> String {
    let mut files = base();
    let text = files.text(file).unwrap().to_owned();
    assert!(text.contains(from), "{from}");
    files.insert(file, text.replacen(from, to, 1).into_bytes());
    let (_, warnings) = compile(&files, options()).unwrap();
    warnings.iter().map(|one| render(one, &files)).collect()
}

#[test]
fn proxies_that_are_trusted_by_the_million_are_said() {
    for range in [
        "0.0.0.0/0",
        "128.0.0.0/1",
        "10.0.0.0/7",
        "\"::/0\"",
        "\"2000::/3\"",
    ] {
        let said = warned(("[10.0.0.0/8]", &format!("[10.0.0.0/8, {range}]")));
        let range = range.trim_matches('"');
        assert!(
            said.contains(&format!("`{range}` trusts so many addresses")),
            "{said}"
        );
        assert!(said.contains("portcullis.yaml:12:"), "{said}");
    }
    for range in [
        "172.16.0.0/12",
        "\"fc00::/7\"",
        "\"2001:db8::/32\"",
        "192.0.2.1",
    ] {
        assert_eq!(
            warned(("[10.0.0.0/8]", &format!("[{range}]"))),
            "",
            "{range}"
        );
    }
}

#[test]
fn more_connections_of_one_address_than_there_are_are_said() {
    let with = |text: &str| warned(("  body_bytes_max: 1MiB\n", text));
    let said = with("  connections_max: 100\n  connections_per_address_max: 101\n");
    assert!(
        said.contains("101 connections of one address are never reached"),
        "{said}"
    );
    assert!(said.contains("portcullis.yaml:17:"), "{said}");
    assert_eq!(
        with("  connections_max: 100\n  connections_per_address_max: 100\n"),
        ""
    );
    // What nobody wrote needs no correction.
    assert_eq!(with("  connections_max: 100\n"), "");
}

#[test]
fn a_body_that_is_not_carried_says_why_and_where() {
    let said = edited(
        "apis/field-service.v2.openapi.yaml",
        "          application/json:\n            schema: { $ref: \"#/components/schemas/NewWorkOrder\" }\n",
        "          application/json:\n            schema: { $ref: \"#/components/schemas/NewWorkOrder\" }\n          application/pdf: {}\n",
    );
    for words in [
        "the body of `createWorkOrder` in `application/pdf` is not carried",
        "it is a file, and `application/json` beside it is none",
        "callers get 415",
        "field-service.v2.openapi.yaml:",
    ] {
        let flat = said.replace("\n  │ ", " ").replace("\n        ", " ");
        assert!(flat.contains(words), "{words}: {said}");
    }
}

#[test]
fn an_empty_directory_where_something_was_meant_is_said() {
    let told = |path: &str| {
        let mut files = base();
        files.insert_entry(path, Unread::Empty);
        match compile(&files, options()) {
            Ok((_, warnings)) => warnings
                .iter()
                .map(|one| format!("warning {}", one.message))
                .collect(),
            Err(mistakes) => mistakes
                .iter()
                .map(|one| one.message.clone())
                .collect::<Vec<_>>(),
        }
    };
    for path in [
        "integrations/acme.yaml",
        "apis/a.json",
        "policies/night.cedar",
    ] {
        assert_eq!(
            told(path),
            ["this is an empty directory where a file was meant"],
            "{path}"
        );
    }
    assert_eq!(told("connections"), ["`connections/` is not offered yet"]);
    assert_eq!(
        told("integrations/partners"),
        ["warning nothing lies in this directory"]
    );
    for path in ["policies", "tls", "notes"] {
        assert_eq!(told(path), Vec::<String>::new(), "{path}");
    }
}
