use model::json::{Bounds, parse};
use model::shape::Field;
use model::{FieldPath, Reveals};

use super::*;
use crate::input::ParameterPlace;
use crate::parameters::Usable;

fn asks(fields: &str, page: Option<PageParameter>) -> Option<Arc<Asks>> {
    let paths = fields.split_whitespace();
    let paths = paths.flat_map(|path| FieldPath::parse(path).unwrap());
    Some(Arc::new(Asks {
        reveals: page.is_none().then(|| Reveals::Fields(paths.collect())),
        page,
        ..Asks::default()
    }))
}

fn object(fields: &[(&str, NodeId)]) -> Node {
    let field = |(name, node): &(&str, NodeId)| {
        let field = Field {
            node: *node,
            is_required: false,
            is_read_only: false,
            is_write_only: false,
            clue: None,
        };
        (Arc::from(*name), field)
    };
    Node {
        fields: fields.iter().map(field).collect(),
        ..Node::default()
    }
}

fn leaf(asks: Option<Arc<Asks>>) -> Node {
    Node {
        asks,
        is_leaf: true,
        ..Node::default()
    }
}

/// `{owner, filter: {and: [filter], name, more: {*: any}}, page: {size, after}, said}`; nothing is said of `said` and `more`.
fn shape() -> Shape {
    let list = Node {
        items: Some(2),
        ..Node::default()
    };
    let map = Node {
        values: Some(8),
        ..Node::default()
    };
    let size = PageParameter::Size {
        usual: Some(4),
        max: Some(9),
    };
    Shape {
        nodes: vec![
            object(&[("owner", 1), ("filter", 2), ("page", 5), ("said", 8)]),
            leaf(asks("owner", None)),
            object(&[("and", 3), ("name", 4), ("more", 9)]),
            list,
            leaf(asks("name", None)),
            object(&[("size", 6), ("after", 7)]),
            leaf(asks("", Some(size))),
            leaf(asks("", Some(PageParameter::Cursor))),
            leaf(None),
            map,
        ],
    }
}

fn rule(place: &BodyPlace) -> ParameterRule {
    ParameterRule {
        name: place.steps.join(".").into(),
        place: ParameterPlace::Body,
        is_neutral: false,
        listed: 1,
        usable: Usable::Always(1),
        refused: Vec::new(),
    }
}

/// The places a body asks by: `/owner owner` where it is declared, `/said -` where nothing is said.
fn told(shape: &Shape, fixed: &[(&str, &str)], body: &str) -> Vec<String> {
    let asks = BodyAsks::new(shape, false);
    let known = asks.places.iter().filter(|place| place.asks.is_some());
    let rules = BodyRules {
        known: known.map(|place| (place.node, rule(place))).collect(),
        unsaid: Vec::new(),
    };
    let fixed: Vec<Fixed> = fixed
        .iter()
        .map(|(target, value)| Fixed {
            target: FixedTarget::parse(target).unwrap(),
            value: Json::Text((*value).into()),
        })
        .collect();
    let mut found = Vec::new();
    let mut tell = |at: &At<'_>, rule: Option<&ParameterRule>, _: &Json| {
        found.push(format!(
            "{} {}",
            at.pointer(),
            rule.map_or("-", |rule| &rule.name)
        ));
    };
    let body = parse(body.as_bytes(), Bounds::default()).unwrap();
    Walk {
        rules: &rules,
        asks: &asks,
        shape,
        fixed: &fixed,
        tell: &mut tell,
    }
    .body(&body);
    found
}

#[test]
fn every_place_of_a_body_is_told_by_its_declaration_or_as_undeclared() {
    let shape = shape();
    for (body, expected) in [
        ("{}", vec![]),
        (r#"{"owner":"x"}"#, vec!["/owner owner"]),
        (r#"{"owner":["x","y"]}"#, vec!["/owner owner"]),
        (r#"{"owner":{"not":"x"}}"#, vec!["/owner owner"]),
        (r#"{"filter":{},"page":{}}"#, vec![]),
        (
            r#"{"filter":{"name":"x"}}"#,
            vec!["/filter/name filter.name"],
        ),
        (
            r#"{"filter":{"and":[{"name":"x"},{"and":[{"name":"y","odd":1}]}]}}"#,
            vec![
                "/filter/and/0/name filter.name",
                "/filter/and/1/and/0/name filter.name",
                "/filter/and/1/and/0/odd -",
            ],
        ),
        (r#"{"filter":{"more":{"a":1}}}"#, vec!["/filter/more -"]),
        (r#"{"filter":"name eq x"}"#, vec!["/filter -"]),
        (
            r#"{"filter":null,"said":1,"new/one":1}"#,
            vec!["/filter -", "/said -", "/new~1one -"],
        ),
        (
            r#"{"page":{"size":1,"after":"x"}}"#,
            vec!["/page/size page.size", "/page/after page.after"],
        ),
        (r#"[{"owner":"x"}]"#, vec!["/0 -"]),
        (r#""owner eq x""#, vec![" -"]),
    ] {
        assert_eq!(told(&shape, &[], body), expected, "{body}");
    }
}

#[test]
fn what_the_gateway_wrote_asks_nothing_and_what_stands_beside_it_does() {
    let mut shape = shape();
    let fixed = [("body.filter.name", "x")];
    for (body, expected) in [
        (r#"{"filter":{"name":"x"}}"#, vec![]),
        (r#"{"filter":{"name":"x","odd":1}}"#, vec!["/filter/odd -"]),
        (
            r#"{"filter":{"and":[{"name":"x"}],"name":"x"}}"#,
            vec!["/filter/and/0/name filter.name"],
        ),
    ] {
        assert_eq!(told(&shape, &fixed, body), expected, "{body}");
    }
    // A declaration above: asked by only where the caller sent something of its own below.
    shape.nodes[2].asks = asks("name owner", None);
    assert_eq!(
        told(&shape, &fixed, r#"{"filter":{"name":"x"}}"#),
        Vec::<String>::new()
    );
    let more = r#"{"filter":{"name":"x","odd":1}}"#;
    assert_eq!(told(&shape, &fixed, more), ["/filter filter"]);
}

#[test]
fn a_declaration_speaks_for_everything_below_it_beside_what_is_declared_there() {
    let mut shape = shape();
    shape.nodes[0].asks = asks("owner", None);
    let body = r#"{"said":1,"odd":{"x":[1]},"owner":"x"}"#;
    assert_eq!(told(&shape, &[], body), [" ", "/owner owner"]);
    assert_eq!(told(&shape, &[], r#""owner eq x""#), [" "]);
}

#[test]
fn pages_are_asked_for_where_one_place_outside_lists_says_so() {
    let pages = |shape: &Shape, takes_forms| -> Vec<String> {
        let found = BodyAsks::new(shape, takes_forms);
        let names = found
            .pages()
            .map(|(place, _)| place.steps().unwrap().join("."));
        names.collect()
    };
    let mut shape = shape();
    assert_eq!(pages(&shape, false), ["page.after", "page.size"]);
    assert_eq!(
        pages(&shape, true),
        Vec::<String>::new(),
        "forms are not written again"
    );
    let names: Vec<String> = BodyAsks::new(&shape, false)
        .places
        .iter()
        .map(|place| place.steps.join("."))
        .collect();
    assert_eq!(
        names,
        [
            "filter.more",
            "filter.name",
            "owner",
            "page.after",
            "page.size",
            "said"
        ]
    );
    // Reached by a list as well, a place is no one place.
    let page = shape.nodes[0].fields["page"].clone();
    shape.nodes[2].fields.insert("page".into(), page);
    assert_eq!(pages(&shape, false), Vec::<String>::new());
}

#[test]
fn a_body_of_many_forms_is_named_within_bounds() {
    // Each level leads to the next one twice: more paths than anybody could walk.
    let levels = 60;
    let mut nodes: Vec<Node> = (0..levels)
        .map(|level| object(&[("a", level + 1), ("b", level + 1)]))
        .collect();
    nodes.push(leaf(asks("owner", None)));
    let found = BodyAsks::new(&Shape { nodes }, false);
    assert!(found.places.len() <= PLACES_MAX);
    assert!(found.leads(Some(0)) && found.leads(Some(levels)));
}
