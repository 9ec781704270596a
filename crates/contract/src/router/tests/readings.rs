//! Routers of upstreams, written as plainly as possible, beside ours: no request that is let through may mean another
//! declared path to any of them, and whatever all of them read the same is decided by exposure alone.
//! Start reading at `no_upstream_reads_another_path_than_the_one_that_was_allowed`.

use super::*;

/// One declared operation of a random contract.
#[derive(Clone, Debug)]
struct Declaration {
    api: usize,
    template: Vec<String>,
    method: Method,
    listeners: Vec<&'static str>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Live,
    Design,
    Retired,
}

const BASES: [&str; 4] = ["", "/v2", "/a", "/v2/a"];
const METHODS: [Method; 3] = [Method::Get, Method::Head, Method::Delete];

fn contracts() -> impl Strategy<Value = (Vec<Declaration>, Vec<State>)> {
    let segment = prop::sample::select(vec![
        "a", "b", "all", "{}", "{}", "{}", "a{}", "{}:do", "{}-{}",
    ]);
    let template = prop::collection::vec(segment, 1..4);
    let listeners = prop::sample::subsequence(vec!["public", "internal"], 0..=2);
    let method = prop::sample::select(METHODS.to_vec());
    let declaration = (0..BASES.len(), template, method, listeners);
    let state = prop::sample::select(vec![
        State::Live,
        State::Live,
        State::Live,
        State::Design,
        State::Retired,
    ]);
    let states = prop::collection::vec(state, BASES.len());
    (prop::collection::vec(declaration, 1..14), states).prop_map(|(found, states)| {
        let mut known = std::collections::BTreeSet::new();
        let mut kept = Vec::new();
        for (api, template, method, listeners) in found {
            let base = BASES[api].split('/').skip(1);
            let template: Vec<String> = base.chain(template).map(str::to_owned).collect();
            // One declaration of a path and method in all versions: two that are exposed alike would be refused.
            if known.insert((template.clone(), method)) {
                let state = states[api];
                kept.push(Declaration {
                    api,
                    template,
                    method,
                    listeners,
                    state,
                });
            }
        }
        (kept, states)
    })
}

fn paths() -> impl Strategy<Value = Vec<String>> {
    let texts = vec![
        "a",
        "b",
        "all",
        "v2",
        "7",
        "x9",
        "A",
        "ALL",
        "V2",
        "all.json",
        "b.XML",
        "all ",
        "B.",
        "a7",
        "A7",
        "7:do",
        "7:DO",
        "1-2",
        " ",
        "a+",
        "7:do.json",
        "a.",
        "a.json",
        "a+.json",
        "+:do",
        "+:do.json",
        "1-+",
        "+-2",
        "1-.json",
        "\u{FF41}ll",
    ];
    let text = prop::sample::select(texts).prop_map(str::to_owned);
    prop::collection::vec(text, 1..6)
}

/// One template segment with its parameters named by place.
fn named(segment: &str, at: usize) -> String {
    let mut parts = segment.split("{}");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for (number, part) in parts.enumerate() {
        out.push_str(&format!("{{p{at}x{number}}}{part}"));
    }
    out
}

fn router((declarations, states): &(Vec<Declaration>, Vec<State>)) -> Router {
    let mut routes = Vec::new();
    for (operation, one) in declarations.iter().enumerate() {
        let segments = one.template.iter().enumerate();
        let written: Vec<String> = segments.map(|(at, s)| named(s, at)).collect();
        let shape = match one.state {
            State::Retired => Declared::Retired,
            state => Declared::Operation {
                method: one.method,
                operation,
                encoded: Vec::new(),
                listeners: match state {
                    State::Live => one.listeners.iter().map(|name| Arc::from(*name)).collect(),
                    _ => Vec::new(),
                },
            },
        };
        routes.push(declared(
            one.api,
            "",
            &format!("/{}", written.join("/")),
            shape,
        ));
    }
    let retired = states
        .iter()
        .enumerate()
        .filter(|(_, s)| **s == State::Retired);
    routes.extend(retired.map(|(api, _)| declared(api, BASES[api], "", Declared::RetiredBelow)));
    Router::build(routes).unwrap()
}

type Fit = (u8, std::cmp::Reverse<usize>, String);

/// How exactly one segment of a template fits; the smaller the better. Tries every split of the text.
fn fit(template: &str, text: &str) -> Option<Fit> {
    fn splits(parts: &[&str], text: &str) -> bool {
        match parts {
            [] => text.is_empty(),
            [last] => text.len() > last.len() && text.ends_with(last),
            [part, rest @ ..] => text.char_indices().skip(1).any(|(at, _)| {
                let after = text.get(at..).and_then(|rest| rest.strip_prefix(part));
                after.is_some_and(|after| splits(rest, after))
            }),
        }
    }
    let parts: Vec<&str> = template.split("{}").collect();
    let fixed = std::cmp::Reverse(parts.iter().map(|part| part.len()).sum());
    match parts.as_slice() {
        [whole] => (*whole == text).then_some((0, fixed, String::new())),
        ["", ""] => (!text.is_empty()).then_some((2, fixed, String::new())),
        [first, rest @ ..] => {
            let after = text.strip_prefix(first);
            let is_fit = after.is_some_and(|after| splits(rest, after));
            is_fit.then_some((1, fixed, template.to_owned()))
        }
        [] => None,
    }
}

fn rank(template: &[String], path: &[String]) -> Option<Vec<Fit>> {
    let fits = template
        .iter()
        .zip(path)
        .map(|(template, text)| fit(template, text));
    (template.len() == path.len())
        .then(|| fits.collect())
        .flatten()
}

/// The template a plain OpenAPI router calls for this path: concrete before templated, from left to right.
fn chosen<'d>(declarations: &'d [Declaration], path: &[String]) -> Option<&'d [String]> {
    let templates = declarations.iter().map(|d| d.template.as_slice());
    let ranked = templates.filter_map(|template| Some((rank(template, path)?, template)));
    ranked
        .min_by(|a, b| a.0.cmp(&b.0))
        .map(|(_, template)| template)
}

/// What different upstreams make of a path before they route it.
fn readings(path: &[String]) -> Vec<Vec<String>> {
    let each = |change: &dyn Fn(&str) -> String| path.iter().map(|s| change(s)).collect::<Vec<_>>();
    let last = |change: &dyn Fn(&str) -> String| {
        let (last, front) = path.split_last().unwrap();
        front
            .iter()
            .cloned()
            .chain([change(last)])
            .collect::<Vec<_>>()
    };
    let without_format = |s: &str| match s.split_once('.') {
        Some((stem, "json" | "XML" | "xml")) => stem.to_owned(),
        _ => s.to_owned(),
    };
    let mut all = vec![
        path.to_vec(),
        each(&|s| s.to_lowercase()),
        each(&|s| s.trim().trim_end_matches('.').to_owned()),
        each(&|s| s.replace('+', " ").trim().to_owned()),
        each(&|s| s.replace('\u{FF41}', "a")),
        last(&|s| without_format(s)),
        last(&|s| without_format(&s.to_lowercase())),
    ];
    // A blank at the end is a trailing slash to an upstream that trims, and that one is trimmed as well.
    let shortened = all
        .iter()
        .filter(|path| path.last().is_some_and(String::is_empty));
    let shortened: Vec<Vec<String>> = shortened
        .map(|path| path[..path.len() - 1].to_vec())
        .collect();
    all.extend(shortened);
    all
}

/// The operation with this method at this template, if it is live and exposed here. A HEAD is the GET of an api that declares
/// no HEAD there.
fn exposed(
    declarations: &[Declaration],
    template: &[String],
    method: Method,
    listener: &str,
) -> Option<usize> {
    let of = |method: Method| {
        declarations.iter().position(|d| {
            d.state == State::Live
                && d.template == template
                && d.method == method
                && d.listeners.contains(&listener)
        })
    };
    let declares_head = |api: usize| {
        let mut same = declarations.iter().filter(|d| d.template == template);
        same.any(|d| d.method == Method::Head && d.api == api)
    };
    match (of(method), method) {
        (None, Method::Head) => {
            of(Method::Get).filter(|get| !declares_head(declarations[*get].api))
        }
        (found, _) => found,
    }
}

/// Whether the path lies below the base path of a retired version, which the template that fits reaches by a parameter only.
fn is_below_retired(states: &[State], exact: Option<&[String]>, path: &[String]) -> bool {
    let retired = BASES
        .iter()
        .zip(states)
        .filter(|(_, s)| **s == State::Retired);
    retired.into_iter().any(|(base, _)| {
        let base: Vec<&str> = base.split('/').skip(1).collect();
        let is_here = path.len() >= base.len() && base.iter().zip(path).all(|(a, b)| a == b);
        let is_written =
            exact.is_some_and(|template| base.iter().zip(template).all(|(a, b)| a == b));
        is_here && !is_written
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_upstream_reads_another_path_than_the_one_that_was_allowed(
        contract in contracts(), path in paths(), method in prop::sample::select(METHODS.to_vec()),
    ) {
        let router = router(&contract);
        let declarations = &contract.0;
        let exact = chosen(declarations, &path);
        let wanted = |method| exposed(declarations, exact?, method, "public");
        let read: Vec<_> = readings(&path).iter().filter_map(|read| chosen(declarations, read)).collect();
        match router.find(router.listener("public"), method, &path) {
            Found::Operation { operation, .. } => {
                prop_assert_eq!(wanted(method), Some(operation));
                prop_assert!(read.iter().all(|template| Some(*template) == exact), "{:?}", read);
            }
            // Refused although it is exposed: only a caller who could have called it anyway is told so.
            Found::Ambiguous { operation, .. } => prop_assert_eq!(wanted(method), Some(operation)),
            Found::MethodNotAllowed { offered } => {
                let known: Vec<(Method, usize)> = METHODS.into_iter().filter_map(|m| Some((m, wanted(m)?))).collect();
                let offered: Vec<(Method, usize)> = offered.iter().map(|one| (one.method, one.operation)).collect();
                prop_assert_eq!(offered, known);
            }
            // Everything below its base path is a retired version's, but for what another version writes out there.
            Found::Retired { .. } if is_below_retired(&contract.1, exact, &path) => {}
            Found::Retired { .. } | Found::NotExposed { .. } | Found::NotFound | Found::Encoded => {
                prop_assert!(METHODS.into_iter().all(|m| wanted(m).is_none()));
            }
        }
    }

    #[test]
    fn values_like_no_fixed_text_are_decided_by_exposure_alone(
        contract in contracts(), numbers in prop::collection::vec(10u32..99, 12), index in any::<prop::sample::Index>(),
    ) {
        // A request made from one of the templates, whoever it means.
        let router = router(&contract);
        let declarations = &contract.0;
        let one = index.get(declarations);
        let mut numbers = numbers.iter();
        let path: Vec<String> = one.template.iter().map(|segment| {
            let mut parts = segment.split("{}");
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |text, part| format!("{text}{}{part}", numbers.next().unwrap()))
        }).collect();
        let exact = chosen(declarations, &path).unwrap();
        let wanted = exposed(declarations, exact, one.method, "internal");
        // Where two templates cross, a request that fits both has two readings.
        let is_looser = |other: &[String]| {
            let sample: Vec<String> = exact.iter().map(|s| s.replace("{}", "\u{E001}")).collect();
            rank(other, &sample).is_some()
        };
        let mut others = declarations.iter().map(|d| &*d.template).filter(|t| rank(t, &path).is_some());
        match router.find(router.listener("internal"), one.method, &path) {
            Found::Operation { operation, .. } => prop_assert_eq!(wanted, Some(operation)),
            Found::Ambiguous { .. } => prop_assert!(others.any(|t| !is_looser(t)), "{:?}", path),
            _ => prop_assert_eq!(wanted, None),
        }
    }
}
