mod encoded;
mod readings;

use super::*;
use proptest::prelude::*;

fn on(listeners: &[&str], method: Method, base: &str, template: &str, operation: usize) -> Route {
    Route {
        api: 0,
        base_path: Arc::from(base),
        segments: template::segments(template).unwrap(),
        declared: Declared::Operation {
            method,
            operation,
            listeners: listeners.iter().map(|name| Arc::from(*name)).collect(),
            encoded: Vec::new(),
        },
    }
}

fn route(method: Method, base: &str, template: &str, operation: usize) -> Route {
    on(&["public"], method, base, template, operation)
}

fn declared(api: usize, base: &str, template: &str, declared: Declared) -> Route {
    let segments = match template {
        "" => Vec::new(),
        template => template::segments(template).unwrap(),
    };
    Route {
        api,
        base_path: Arc::from(base),
        segments,
        declared,
    }
}

fn find(router: &Router, method: Method, path: &str) -> Found {
    let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
    router.find(router.listener("public"), method, &segments)
}

fn offered(found: Found) -> Vec<Method> {
    match found {
        Found::MethodNotAllowed { offered } => offered.iter().map(|one| one.method).collect(),
        other => panic!("{other:?}"),
    }
}

fn number(found: &Found) -> Option<usize> {
    match found {
        Found::Operation { operation, .. } => Some(*operation),
        _ => None,
    }
}

#[test]
fn matching_is_segment_exact_and_static_wins() {
    let router = Router::build([
        route(Method::Get, "/v2", "/sites/{id}", 1),
        route(Method::Get, "/v2", "/sites/mine", 2),
        route(Method::Post, "/v2", "/sites/{id}", 3),
        route(Method::Get, "/v2", "/sites/{id}/files/{name}.{kind}", 4),
        route(Method::Get, "/v2", "/sites/mine/open", 5),
        route(Method::Get, "/v2", "/sites/", 6),
    ])
    .unwrap();
    let get = |path| number(&find(&router, Method::Get, path));
    assert_eq!(get("/v2/sites/9"), Some(1));
    assert_eq!(get("/v2/sites/mine"), Some(2));
    assert_eq!(get("/v2/sites/mine/files/a.b"), Some(4));
    assert_eq!(get("/v2/sites/"), Some(6));
    for path in [
        "/v2/sites",
        "/v2/sites/9/other",
        "/v2/sites/9/",
        "/sites/9",
        "/v2",
        "/v2/sites/9/files/a",
        "/v2/Sites/9",
    ] {
        assert_eq!(find(&router, Method::Get, path), Found::NotFound, "{path}");
    }
    assert_eq!(
        offered(find(&router, Method::Post, "/v2/sites/mine")),
        [Method::Get, Method::Head]
    );
    assert_eq!(
        offered(find(&router, Method::Put, "/v2/sites/9")),
        [Method::Get, Method::Head, Method::Post]
    );
    let head = find(&router, Method::Head, "/v2/sites/9");
    assert_eq!(head, find(&router, Method::Get, "/v2/sites/9"));
    assert_eq!(
        router.find(router.listener("internal"), Method::Get, &["v2".into()]),
        Found::NotFound
    );
    let Found::Operation { path_values, .. } =
        find(&router, Method::Get, "/v2/sites/7/files/a.b.c")
    else {
        panic!("not found");
    };
    let values: Vec<_> = path_values
        .iter()
        .map(|(n, v)| (&**n, v.as_str()))
        .collect();
    assert_eq!(values, [("id", "7"), ("name", "a"), ("kind", "b.c")]);
}

#[test]
fn routes_that_answer_the_same_requests_are_refused() {
    let wrong = |routes: [Route; 2]| Router::build(routes).unwrap_err().remove(0).message;
    let message = wrong([
        route(Method::Get, "/v2", "/sites/{a}", 1),
        route(Method::Get, "/", "/v2/sites/{b}", 2),
    ]);
    assert!(
        message.contains("/v2/sites/{a}") && message.contains("/v2/sites/{b}"),
        "{message}"
    );
    for base in ["v2", "/v2/", "/{x}", "/a//b", "/.."] {
        assert!(
            Router::build([route(Method::Get, base, "/a", 1)]).is_err(),
            "{base}"
        );
    }
    assert!(
        Router::build([
            route(Method::Get, "/v2", "/sites/{a}", 1),
            route(Method::Post, "/v2", "/sites/{b}", 2),
        ])
        .is_ok()
    );
}

#[test]
fn an_operation_that_is_not_exposed_is_not_reached_through_a_template_beside_it() {
    let router = Router::build([
        on(&["public"], Method::Delete, "/v2", "/jobs/{id}", 1),
        on(&["internal"], Method::Delete, "/v2", "/jobs/all", 2),
        on(&[], Method::Delete, "/v2", "/jobs/none", 3),
        on(&[], Method::Get, "/v2", "/jobs/other", 4),
        declared(0, "/v2", "/jobs/idle", Declared::Path),
    ])
    .unwrap();
    let delete = |path| find(&router, Method::Delete, path);
    assert_eq!(number(&delete("/v2/jobs/7")), Some(1));
    for path in [
        "/v2/jobs/all",
        "/v2/jobs/none",
        "/v2/jobs/other",
        "/v2/jobs/idle",
    ] {
        assert!(matches!(delete(path), Found::NotExposed { .. }), "{path}");
    }
    let internal = |path: &str| {
        let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        router.find(router.listener("internal"), Method::Delete, &segments)
    };
    assert_eq!(number(&internal("/v2/jobs/all")), Some(2));
    assert!(matches!(internal("/v2/jobs/7"), Found::NotExposed { .. }));
}

#[test]
fn a_value_that_takes_its_own_template_away_is_ambiguous() {
    let router = Router::build([
        route(Method::Delete, "/v2", "/jobs/job-{number}", 1),
        on(&[], Method::Delete, "/v2", "/jobs/{id}", 2),
        route(Method::Delete, "/v2", "/days/{from}-{to}", 3),
        on(&[], Method::Delete, "/v2", "/days/{id}", 4),
        // Nothing looser is declared beside this one.
        route(Method::Delete, "/v2", "/files/file-{number}", 5),
        // The ending is the contract's own, not a value's.
        route(Method::Delete, "/v2", "/notes/{name}.json", 6),
        on(&[], Method::Delete, "/v2", "/notes/{name}", 7),
    ])
    .unwrap();
    for path in [
        "/v2/days/1-+",
        "/v2/days/+-2",
        "/v2/days/1-.",
        "/v2/days/1-.json",
        "/v2/days/ -+.json",
    ] {
        let found = find(&router, Method::Delete, path);
        assert!(
            matches!(found, Found::Ambiguous { .. }),
            "{path}: {found:?}"
        );
    }
    for (path, operation) in [
        ("/v2/jobs/job-7", 1),
        ("/v2/days/1-2", 3),
        ("/v2/days/1-2.json", 3),
        ("/v2/files/file-+", 5),
        ("/v2/notes/x.json", 6),
    ] {
        let found = find(&router, Method::Delete, path);
        assert_eq!(number(&found), Some(operation), "{path}: {found:?}");
    }
    let found = find(&router, Method::Delete, "/v2/jobs/job-+");
    assert!(
        matches!(&found, Found::Ambiguous { rival: Some(rival), .. } if &**rival == "/v2/jobs/{id}"),
        "{found:?}"
    );
}

#[test]
fn a_value_that_an_upstream_could_read_as_another_path_is_ambiguous() {
    let router = Router::build([
        route(Method::Delete, "/v2", "/jobs/{id}", 1),
        on(&[], Method::Delete, "/v2", "/jobs/all", 2),
        on(&[], Method::Delete, "/v2", "/jobs/{id}/runs", 3),
        route(Method::Delete, "/v2", "/jobs/{id}/{part}", 4),
        on(&[], Method::Delete, "/v2", "/jobs/first/{part}", 5),
        on(&[], Method::Post, "/v2", "/jobs/{id}:cancel", 6),
        on(&[], Method::Get, "/v2", "/orders/count.json", 7),
        route(Method::Get, "/v2", "/orders/{id}", 8),
        route(Method::Get, "/v2", "/report.{format}", 9),
        on(&[], Method::Get, "/v2", "/report", 10),
    ])
    .unwrap();
    let is_ambiguous =
        |method, path: &str| matches!(find(&router, method, path), Found::Ambiguous { .. });
    for path in [
        "/v2/jobs/ALL",
        "/v2/jobs/all.json",
        "/v2/jobs/All.XML",
        "/v2/jobs/all ",
        "/v2/jobs/all.",
        "/v2/jobs/\u{FF41}ll",
        "/v2/jobs/ ",
        "/v2/jobs/...",
        "/v2/jobs/7/RUNS",
        "/v2/jobs/7/runs.json",
        "/v2/jobs/FIRST/x",
        "/v2/jobs/7:CANCEL",
        "/v2/jobs/7:cancel.json",
    ] {
        assert!(
            is_ambiguous(Method::Delete, path),
            "{path}: {:?}",
            find(&router, Method::Delete, path)
        );
    }
    for path in [
        "/v2/orders/count",
        "/v2/orders/COUNT",
        "/v2/orders/count.xml",
    ] {
        assert!(
            is_ambiguous(Method::Get, path),
            "{path}: {:?}",
            find(&router, Method::Get, path)
        );
    }
    for (path, operation) in [
        ("/v2/jobs/7", 1),
        ("/v2/jobs/all1", 1),
        ("/v2/jobs/v1.0", 1),
        ("/v2/jobs/7/7", 4),
    ] {
        assert_eq!(
            number(&find(&router, Method::Delete, path)),
            Some(operation),
            "{path}"
        );
    }
    // What two fixed texts have in common is the contract's own: no value brings it about.
    assert_eq!(
        number(&find(&router, Method::Get, "/v2/report.json")),
        Some(9)
    );
}

#[test]
fn versions_in_design_and_retired_ones_keep_their_paths() {
    let router = Router::build([
        on(&["public"], Method::Get, "/", "/{tenant}/jobs/{id}", 1),
        on(&["public"], Method::Get, "/", "/v0/jobs/open", 2),
        declared(1, "/v0", "", Declared::RetiredBelow),
        declared(1, "/v0", "/jobs/{id}", Declared::Retired),
        declared(
            2,
            "/v3",
            "/jobs/{id}",
            Declared::Operation {
                method: Method::Get,
                operation: 0,
                listeners: Vec::new(),
                encoded: Vec::new(),
            },
        ),
    ])
    .unwrap();
    let get = |path| find(&router, Method::Get, path);
    assert_eq!(number(&get("/acme/jobs/7")), Some(1));
    assert_eq!(number(&get("/v0/jobs/open")), Some(2));
    for path in ["/v0/jobs/7", "/v0/jobs/7/x", "/v0", "/v0/"] {
        assert_eq!(get(path), Found::Retired { api: 1 }, "{path}");
    }
    assert_eq!(
        get("/v3/jobs/7"),
        Found::NotExposed {
            api: 2,
            operation: Some(0)
        }
    );
    for path in ["/V0/jobs/7", "/V3/jobs/7", "/v3 /jobs/7"] {
        assert!(
            matches!(get(path), Found::Ambiguous { .. }),
            "{path}: {:?}",
            get(path)
        );
    }
}

#[test]
fn a_path_that_is_written_here_leads_where_it_should_or_is_not_written() {
    let router = Router::build([
        route(Method::Get, "/v2", "/jobs/{id}", 1),
        on(&[], Method::Get, "/v2", "/jobs/all", 2),
        on(&[], Method::Get, "/v2", "/jobs/{id}/runs/{run}", 3),
    ])
    .unwrap();
    let leads = |operation, values: &[(&str, &str)]| {
        let values: Vec<(Arc<str>, String)> = values
            .iter()
            .map(|(name, value)| (Arc::from(*name), (*value).to_owned()))
            .collect();
        router.leads_to(0, operation, &values)
    };
    assert!(leads(1, &[("id", "7")]) && leads(3, &[("run", "1"), ("id", "7")]) && leads(2, &[]));
    for odd in [
        "all", "ALL", "all.json", "", " ", ".", "..", "a/b", "../x", "a%2Fb", "7;x", "7?x", "7#x",
        "a\\b", "7\n", "7/runs/1",
    ] {
        assert!(!leads(1, &[("id", odd)]), "{odd:?}");
    }
    assert!(!leads(1, &[]) && !leads(9, &[("id", "7")]));
}

/// Slow and obviously right: compares every template, keeps the most exact one from left to right.
fn naive(templates: &[Vec<TemplateSegment>], segments: &[String]) -> Option<usize> {
    let rank = |template: &Vec<TemplateSegment>| -> Option<Vec<u8>> {
        if template.len() != segments.len() {
            return None;
        }
        template
            .iter()
            .zip(segments)
            .map(|(t, s)| match t {
                TemplateSegment::Static(text) => (**text == **s).then_some(0),
                _ => (!s.is_empty()).then_some(1),
            })
            .collect()
    };
    templates
        .iter()
        .enumerate()
        .filter_map(|(index, template)| Some((rank(template)?, index)))
        .min()
        .map(|(_, index)| index)
}

proptest! {
    #[test]
    fn find_agrees_with_a_naive_matcher(
        templates in prop::collection::btree_set("(/(a|b|\\{p\\})){1,4}", 1..12),
        path in "(/(a|b|c|)){1,4}",
    ) {
        let mut known = std::collections::BTreeSet::new();
        let mut parsed = Vec::new();
        for template in &templates {
            // One name per place, as a template may name a parameter once.
            let mut n = 0;
            let pieces: Vec<String> = template.split('/').skip(1).map(|p| {
                n += 1;
                if p == "{p}" { format!("{{p{n}}}") } else { p.to_owned() }
            }).collect();
            if known.insert(pieces.clone()) {
                parsed.push(template::segments(&format!("/{}", pieces.join("/"))).unwrap());
            }
        }
        let routes = parsed.iter().enumerate().map(|(index, segments)| Route {
            api: 0, base_path: Arc::from(""), segments: segments.clone(),
            declared: Declared::Operation { method: Method::Get, operation: index, listeners: vec![Arc::from("public")], encoded: Vec::new() },
        });
        let router = Router::build(routes).unwrap();
        let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        let chosen = naive(&parsed, &segments);
        match router.find(router.listener("public"), Method::Get, &segments) {
            // Where templates cross, upstreams differ: refused, although one of them fits best.
            Found::Ambiguous { operation, .. } => {
                let alone = |template: &Vec<TemplateSegment>| naive(std::slice::from_ref(template), &segments);
                let fitting = parsed.iter().filter(|template| alone(template).is_some());
                prop_assert_eq!(chosen, Some(operation));
                prop_assert!(fitting.count() > 1);
            }
            found => prop_assert_eq!(number(&found), chosen),
        }
    }
}
