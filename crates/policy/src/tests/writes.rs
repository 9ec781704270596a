//! Whatever `check` accepts in `writes` may be sent: a body of exactly the granted fields passes, and nothing beside them does.

use std::ops::ControlFlow;

use model::FieldSet;
use proptest::prelude::*;

use super::*;
use crate::rules::write_path;

/// A declared message.
#[derive(Clone, Debug)]
enum Kind {
    Leaf,
    Object(Vec<(&'static str, Kind)>),
    List(Box<Kind>),
    Map(Box<Kind>),
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn kinds() -> impl Strategy<Value = Kind> {
    let leaf = Just(Kind::Leaf);
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::btree_map(0usize..NAMES.len(), inner.clone(), 1..4).prop_map(
                |fields| {
                    Kind::Object(
                        fields
                            .into_iter()
                            .map(|(n, kind)| (NAMES[n], kind))
                            .collect(),
                    )
                }
            ),
            inner.clone().prop_map(|kind| Kind::List(Box::new(kind))),
            inner.prop_map(|kind| Kind::Map(Box::new(kind))),
        ]
    })
}

fn shape_of(kind: &Kind, out: &mut Shape) -> NodeId {
    let id = out.nodes.len();
    out.nodes.push(Node {
        is_leaf: matches!(kind, Kind::Leaf),
        ..Node::default()
    });
    match kind {
        Kind::Leaf => {}
        Kind::Object(fields) => {
            for (name, kind) in fields {
                let field = Field {
                    node: shape_of(kind, out),
                    is_required: false,
                    is_read_only: false,
                    is_write_only: false,
                    clue: None,
                };
                out.nodes[id].fields.insert((*name).into(), field);
            }
        }
        Kind::List(item) => out.nodes[id].items = Some(shape_of(item, out)),
        Kind::Map(value) => out.nodes[id].values = Some(shape_of(value, out)),
    }
    id
}

/// Every path that an operator could write for the message, those that end in the middle included.
fn paths_of(kind: &Kind, at: &str, out: &mut Vec<String>) {
    let below = |step: &str| match at {
        "" => step.to_owned(),
        at => format!("{at}.{step}"),
    };
    if !at.is_empty() {
        out.push(at.to_owned());
    }
    match kind {
        Kind::Leaf => {}
        Kind::Object(fields) => {
            fields
                .iter()
                .for_each(|(name, kind)| paths_of(kind, &below(name), out));
        }
        Kind::List(inner) | Kind::Map(inner) => paths_of(inner, &below("*"), out),
    }
}

/// A message with every value there is, or only those below one of the paths; `counts` says how long its lists are.
fn message(
    kind: &Kind,
    at: &str,
    granted: &[String],
    counts: &mut Vec<usize>,
    is_cut: bool,
) -> Option<Json> {
    let is_whole = granted.iter().any(|path| path == at) && !at.is_empty();
    let is_way = is_whole
        || granted
            .iter()
            .any(|path| at.is_empty() || path.starts_with(&format!("{at}.")));
    if is_cut && !is_way {
        return None;
    }
    let is_cut = is_cut && !is_whole;
    let below = |step: &str| match at {
        "" => step.to_owned(),
        at => format!("{at}.{step}"),
    };
    let count = |counts: &mut Vec<usize>| counts.pop().unwrap_or(1);
    Some(match kind {
        Kind::Leaf if is_cut => return None,
        Kind::Leaf => Json::Text("x".into()),
        Kind::Object(fields) => {
            let values = fields.iter().filter_map(|(name, kind)| {
                Some((
                    (*name).into(),
                    message(kind, &below(name), granted, counts, is_cut)?,
                ))
            });
            Json::Object(values.collect())
        }
        Kind::List(inner) => {
            let items = (0..count(counts))
                .filter_map(|_| message(inner, &below("*"), granted, counts, is_cut));
            Json::List(items.collect())
        }
        Kind::Map(inner) => {
            let values = (0..count(counts)).filter_map(|n| {
                Some((
                    format!("k{n}").into(),
                    message(inner, &below("*"), granted, counts, is_cut)?,
                ))
            });
            Json::Object(values.collect())
        }
    })
}

/// Values of a message outside the paths, by the letter.
fn outside(value: &Json, at: &str, granted: &[String], out: &mut Vec<String>) {
    let below = |step: &str| match at {
        "" => step.to_owned(),
        at => format!("{at}.{step}"),
    };
    let is_covered = |path: &str| {
        granted.iter().any(|g| {
            path == g
                || path
                    .strip_prefix(g.as_str())
                    .is_some_and(|rest| rest.starts_with('.'))
        })
    };
    match value {
        Json::Object(members) => members.iter().for_each(|(key, value)| {
            let step = if key.starts_with('k') { "*" } else { &**key };
            outside(value, &below(step), granted, out);
        }),
        Json::List(items) => items
            .iter()
            .for_each(|value| outside(value, &below("*"), granted, out)),
        _ if is_covered(at) => {}
        _ => out.push(at.to_owned()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_body_of_exactly_the_granted_fields_may_be_sent(
        kind in kinds(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
        mut counts in prop::collection::vec(0usize..3, 12),
    ) {
        let mut all = Vec::new();
        paths_of(&kind, "", &mut all);
        prop_assume!(!all.is_empty());
        let granted: Vec<String> = picks.iter().map(|pick| pick.get(&all).clone()).collect();
        let mut declared = Shape::default();
        shape_of(&kind, &mut declared);
        let mut set = FieldSet::default();
        for path in &granted {
            let path = FieldPath::parse(path).unwrap().remove(0);
            prop_assert!(write_path(&declared, &path, "op").is_ok(), "{path}");
            set.add(&path.steps);
        }
        let told = |body: &Json| {
            let mut places = 0;
            let _ = set.outside(body, &mut |_| {
                places += 1;
                ControlFlow::Continue(())
            });
            places
        };
        let mut more = counts.clone();
        let body = message(&kind, "", &granted, &mut counts, true).unwrap();
        prop_assert_eq!(told(&body), 0, "{:?} {:?}", granted, body);
        // The whole message is refused exactly where it holds a value beside them.
        let whole = message(&kind, "", &granted, &mut more, false).unwrap();
        let mut beside = Vec::new();
        outside(&whole, "", &granted, &mut beside);
        prop_assert!(told(&whole) > 0 || beside.is_empty(), "{:?} {:?}", granted, whole);
    }
}
