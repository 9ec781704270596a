use super::*;
use proptest::prelude::*;

fn route(method: Method, base: &str, template: &str, operation: usize) -> Route {
    Route {
        listener: Arc::from("public"),
        base_path: Arc::from(base),
        method,
        segments: template::segments(template).unwrap(),
        api: 0,
        operation,
    }
}

fn find(router: &Router, method: Method, path: &str) -> Found {
    let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
    router.find("public", method, &segments)
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
        find(&router, Method::Post, "/v2/sites/mine"),
        Found::MethodNotAllowed {
            allowed: vec![Method::Get]
        }
    );
    assert_eq!(
        find(&router, Method::Head, "/v2/sites/9"),
        Found::MethodNotAllowed {
            allowed: vec![Method::Get, Method::Post]
        }
    );
    assert_eq!(
        router.find("internal", Method::Get, &["v2".into()]),
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
            listener: Arc::from("public"), base_path: Arc::from(""), method: Method::Get,
            segments: segments.clone(), api: 0, operation: index,
        });
        let router = Router::build(routes).unwrap();
        let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        prop_assert_eq!(number(&router.find("public", Method::Get, &segments)), naive(&parsed, &segments));
    }
}
