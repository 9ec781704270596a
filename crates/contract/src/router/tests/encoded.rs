//! Values with escaped slashes and the like: they stand only where the contract lets them, and no upstream that decodes them too early
//! or too often reads another declared path.
//! Start reading at `no_upstream_that_decodes_early_reads_another_declared_path`.

use super::*;

/// The operation 0 at this template, whose parameter `path` may hold such characters, beside others that may not.
fn router(own: &str, others: &[&str]) -> Router {
    let mut first = route(Method::Get, "/v1", own, 0);
    if let Declared::Operation { encoded, .. } = &mut first.declared {
        encoded.push(Arc::from("path"));
    }
    let others = others.iter().enumerate();
    let others = others.map(|(at, template)| route(Method::Get, "/v1", template, at + 1));
    Router::build(std::iter::once(first).chain(others)).unwrap()
}

/// Finds the path whose decoded segments these are.
fn find(router: &Router, segments: &[&str]) -> Found {
    let segments: Vec<String> = segments
        .iter()
        .map(|segment| (*segment).to_owned())
        .collect();
    let is_odd = |segment: &str| segment.contains(['/', '\\', '%', '?', '#', ';']);
    let odd = segments
        .iter()
        .enumerate()
        .filter(|(_, segment)| is_odd(segment));
    let encoded = odd.fold(0, |bits, (place, _)| bits | 1 << place);
    router.find_encoded(router.listener("public"), Method::Get, &segments, encoded)
}

#[test]
fn such_a_value_stands_where_the_contract_lets_it() {
    let router = router(
        "/files/{path}/of/{owner}",
        &["/plain/{path}", "/mixed/{path}.txt"],
    );
    let value = "a/b c\\d;e?f#g%h";
    let found = find(&router, &["v1", "files", value, "of", "me"]);
    let Found::Operation { path_values, .. } = found else {
        panic!("{found:?}");
    };
    assert_eq!(path_values[0].1, value);
    for segments in [
        &["v1", "files", "a", "of", "a/b"][..],
        &["v1", "files", "a/b", "of", "a/b"],
        &["v1", "plain", "a/b"],
        &["v1", "mixed", "a/b.txt"],
    ] {
        assert_eq!(find(&router, segments), Found::Encoded, "{segments:?}");
    }
    // Not even fixed text may be written so.
    assert_eq!(
        find(&router, &["v1/files", "a", "of", "me"]),
        Found::NotFound
    );
}

#[test]
fn a_value_that_leads_elsewhere_when_it_is_decoded_early_is_refused() {
    let router = router(
        "/files/{path}",
        &[
            "/files/all",
            "/files/{path}/meta",
            "/admin",
            "/files/{a}/{b}/{c}",
        ],
    );
    for value in ["a/b", "a;v=1", "a?b", "a#b", "100%", "a%20b", "a\\b"] {
        let found = find(&router, &["v1", "files", value]);
        assert!(
            matches!(found, Found::Operation { operation: 0, .. }),
            "{value}: {found:?}"
        );
    }
    for value in [
        "a/meta",
        "a/META",
        "a/meta.json",
        "a%2Fmeta",
        "a\\meta",
        "a/meta;v=1",
        "a/meta?x",
        "all;v=1",
        "all?x",
        "all#x",
        "ALL;v",
        "%61ll",
        "a/b/c",
        "../admin",
        "a/../all",
        "a%2F..%2Fall",
        "..;/admin",
        "a//b",
        "/a",
        "a/",
        ";a",
        "?a",
        "%00",
        "%2e%2e",
        "%2e",
        "%ff",
    ] {
        let found = find(&router, &["v1", "files", value]);
        assert!(
            matches!(found, Found::Ambiguous { .. }),
            "{value}: {found:?}"
        );
    }
}

#[test]
fn a_look_up_of_such_a_value_needs_the_same_permission() {
    let router = router("/files/{path}", &["/files/{path}/meta", "/plain/{path}"]);
    let leads = |operation: usize, value: &str| {
        router.leads_to(0, operation, &[(Arc::from("path"), value.to_owned())])
    };
    assert!(leads(0, "a") && leads(0, "a/b") && leads(2, "a"));
    for (operation, value) in [
        (0, "a/meta"),
        (0, ".."),
        (0, "a/.."),
        (0, "a\u{7}"),
        (1, "a/b"),
        (2, "a/b"),
        (2, ""),
    ] {
        assert!(!leads(operation, value), "{operation} {value}");
    }
}

/// What a careless upstream makes of a path whose escapes it decodes before it takes the path apart.
fn decoded_first(segments: &[String], times: usize, cuts: &str) -> Vec<String> {
    let mut text = segments.join("/");
    for _ in 0..times {
        for (escape, letter) in [
            ("%2F", "/"),
            ("%5C", "\\"),
            ("%3B", ";"),
            ("%3F", "?"),
            ("%23", "#"),
            ("%25", "%"),
        ] {
            text = text.replace(escape, letter);
        }
    }
    if cuts.contains('?') {
        text.truncate(text.find(['?', '#']).unwrap_or(text.len()));
    }
    if cuts.contains('\\') {
        text = text.replace('\\', "/");
    }
    let mut read: Vec<String> = Vec::new();
    for piece in text.split('/') {
        let piece = if cuts.contains(';') {
            piece.split(';').next().unwrap()
        } else {
            piece
        };
        match piece {
            "." => {}
            ".." => drop(read.pop()),
            piece => read.push(piece.to_owned()),
        }
    }
    read
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn no_upstream_that_decodes_early_reads_another_declared_path(
        others in prop::collection::vec(prop::sample::select(vec![
            "/files/all", "/files/{path}/meta", "/files/{a}/{b}", "/admin", "/files", "/files/{a}/{b}/{c}", "/files/all/{b}", "/{x}/all",
        ]), 0..4),
        value in prop::collection::vec(prop::sample::select(vec![
            "a", "all", "meta", "admin", "..", ".", "/", "\\", ";", "?", "#", "%2F", "%5C", "%3B", "%3F", "%23", "%25", "%",
        ]), 1..7),
    ) {
        let value = value.concat();
        // These two are no path to anybody, and are refused before there is a route.
        prop_assume!(value != "." && value != "..");
        let others: std::collections::BTreeSet<&str> = others.into_iter().collect();
        let others: Vec<&str> = others.into_iter().collect();
        let router = router("/files/{path}", &others);
        let Found::Operation { operation: 0, .. } = find(&router, &["v1", "files", &value]) else {
            return Ok(());
        };
        let segments: Vec<String> = ["v1", "files", &value].map(str::to_owned).to_vec();
        for times in [0, 1] {
            for cuts in ["", "?", ";", "\\", "?;", "?\\", ";\\", "?;\\"] {
                let read = decoded_first(&segments, times, cuts);
                let found = router.find(router.listener("public"), Method::Get, &read);
                let is_other = matches!(found, Found::Operation { operation: 1.., .. });
                prop_assert!(!is_other, "{value}: {read:?} is {found:?}");
            }
        }
    }
}
