//! Public operations: only by name, only within limits, never about a person, and always said.

use config::{compile, render};

use super::{base, options};

const FILE: &str = "integrations/anonymous.yaml";

const GOOD: &str = "owner: platform@brightline.example
purpose: What anybody may read
review_by: 2027-03-31
credentials: { none: true }
limits: [ { per: address, rate: 60/min }, { per: integration, rate: 600/min } ]
grants:
  - { api: field-service/v2, operations: [listWorkOrders], fields: [id] }
";

/// Whether this compiles, and what is said of it.
fn told(name: &str, text: &str) -> (bool, Vec<String>) {
    let mut files = base();
    files.insert(name, text.as_bytes().to_vec());
    let (is_good, all) = match compile(&files, options()) {
        Ok((_, warnings)) => (true, warnings),
        Err(mistakes) => (false, mistakes),
    };
    (is_good, all.iter().map(|one| render(one, &files)).collect())
}

#[test]
fn what_becomes_public_is_said_with_its_line() {
    let (is_good, said) = told(FILE, GOOD);
    let said: Vec<_> = said.iter().filter(|one| one.contains("anybody")).collect();
    assert!(is_good && said.len() == 1, "{said:?}");
    let what = "anybody may call `field-service/v2:listWorkOrders` without a credential";
    assert!(
        said[0].contains(what) && said[0].contains("anonymous.yaml:4:"),
        "{said:?}"
    );
}

#[test]
fn nobody_is_accepted_without_a_credential_by_another_name_or_without_limits() {
    for (from, to, what) in [
        ("{ none: true }", "{ api_key: {} }", "`anonymous` is kept"),
        (
            "{ none: true }",
            "{ none: true, api_key: {} }",
            "cannot be who shows one",
        ),
        ("{ none: true }", "{}", "no kind of credential is listed"),
        (
            "{ per: address, rate: 60/min }, { per: integration, rate: 600/min }",
            "",
            "as often as they like",
        ),
        (
            "{ per: address, rate: 60/min }, { per: integration, rate: 600/min }",
            "{ per: integration, concurrency: 9 }",
            "as often as they like",
        ),
        (
            "{ per: address, rate: 60/min }, { per: integration, rate: 600/min }",
            "{ per: query.status, rate: 60/min }",
            "as often as they like",
        ),
        (
            "{ per: address, rate: 60/min }, { per: integration, rate: 600/min }",
            "{ per: integration, rate: 60/min, operations: [listWorkOrders] }",
            "as often as they like",
        ),
        (
            "fields: [id]",
            "fields: [id], when: principal.partner == resource.partner",
            "nobody is known here",
        ),
    ] {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD);
        let (is_good, said) = told(FILE, &text);
        assert!(
            !is_good && said.iter().any(|one| one.contains(what)),
            "{what}: {said:?}"
        );
    }
    let (is_good, said) = told("integrations/strangers.yaml", GOOD);
    assert!(
        !is_good && said.len() == 1 && said[0].contains("only the integration `anonymous`"),
        "{said:?}"
    );
    let of_role = GOOD.replace("grants:", "roles: [partner]\ngrants:");
    let (is_good, said) = told(FILE, &of_role);
    assert!(
        !is_good && said.iter().any(|one| one.contains("of the role `partner`")),
        "{said:?}"
    );
}
