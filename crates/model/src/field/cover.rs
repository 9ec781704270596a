//! Which values of a message lie outside a list of fields. One reading for everybody who asks.
//! Exports `FieldSet::outside` and `At`.
//! Used by contract (what may be sent) and policy (what may be sent under the grants that hold).
//! Start reading at `FieldSet::outside`.
//!
//! Paths count from the root; `*` is each item of a list or each value of a map, also where the root itself is a list.
//! An empty list or object holds nothing: it is covered where the paths lead through it. The root may always be empty.

use std::ops::ControlFlow;

use super::FieldSet;
use crate::Json;

/// A place of a message.
#[derive(Clone, Copy, Debug)]
pub struct At<'p> {
    above: Option<&'p At<'p>>,
    step: Step<'p>,
}

/// The last step to a place.
#[derive(Clone, Copy, Debug)]
enum Step<'p> {
    Root,
    Name(&'p str),
    Index(usize),
}

impl<'p> At<'p> {
    /// The whole message.
    pub const fn root() -> At<'p> {
        At {
            above: None,
            step: Step::Root,
        }
    }

    /// A member of the object here.
    pub const fn member(&'p self, name: &'p str) -> At<'p> {
        At {
            above: Some(self),
            step: Step::Name(name),
        }
    }

    /// An item of the list here.
    pub const fn item(&'p self, index: usize) -> At<'p> {
        At {
            above: Some(self),
            step: Step::Index(index),
        }
    }

    /// The steps from the root, as they are written.
    pub fn steps(&self) -> Vec<String> {
        let mut steps = Vec::new();
        let mut here = Some(self);
        while let Some(at) = here {
            match at.step {
                Step::Root => {}
                Step::Name(name) => steps.push(name.to_owned()),
                Step::Index(index) => steps.push(index.to_string()),
            }
            here = at.above;
        }
        steps.reverse();
        steps
    }

    /// The place as a JSON pointer (RFC 6901 §3).
    pub fn pointer(&self) -> String {
        let steps = self.steps();
        let escaped = steps
            .iter()
            .map(|s| s.replace('~', "~0").replace('/', "~1"));
        escaped.map(|step| format!("/{step}")).collect()
    }

    fn is_root(&self) -> bool {
        self.above.is_none()
    }
}

impl FieldSet {
    /// Tells every outermost place of a message that none of the paths covers, until it is told to stop.
    pub fn outside(
        &self,
        message: &Json,
        tell: &mut dyn FnMut(&At<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        walk(message, &[self], &At::root(), tell)
    }
}

fn walk(
    value: &Json,
    sets: &[&FieldSet],
    at: &At<'_>,
    tell: &mut dyn FnMut(&At<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    if sets.iter().any(|set| set.is_whole) {
        return ControlFlow::Continue(());
    }
    let below = |step| At {
        above: Some(at),
        step,
    };
    let is_way = match value {
        Json::Object(members) if !members.is_empty() => {
            return members.iter().try_for_each(|(key, value)| {
                let named = sets.iter().filter_map(|set| set.fields.get(key.as_str()));
                let each = sets.iter().filter_map(|set| set.each.as_deref());
                enter(value, named.chain(each), &below(Step::Name(key)), tell)
            });
        }
        Json::List(items) if !items.is_empty() => {
            return items.iter().enumerate().try_for_each(|(index, value)| {
                let each = sets.iter().filter_map(|set| set.each.as_deref());
                enter(value, each, &below(Step::Index(index)), tell)
            });
        }
        Json::Object(_) => sets
            .iter()
            .any(|set| set.each.is_some() || !set.fields.is_empty()),
        Json::List(_) => sets.iter().any(|set| set.each.is_some()),
        _ => return tell(at),
    };
    if is_way || at.is_root() {
        ControlFlow::Continue(())
    } else {
        tell(at)
    }
}

fn enter<'s>(
    value: &Json,
    mut sets: impl Iterator<Item = &'s FieldSet>,
    at: &At<'_>,
    tell: &mut dyn FnMut(&At<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    // One path is the rule, two are a name beside a `*`.
    match (sets.next(), sets.next()) {
        (None, _) => tell(at),
        (Some(one), None) => walk(value, &[one], at, tell),
        (Some(one), Some(other)) => {
            let all: Vec<&FieldSet> = [one, other].into_iter().chain(sets).collect();
            walk(value, &all, at, tell)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FieldPath;
    use crate::json::{self, Bounds};

    fn outside(entries: &str, body: &str) -> Vec<String> {
        let paths: Vec<FieldPath> = entries
            .split_whitespace()
            .flat_map(|entry| FieldPath::parse(entry).unwrap())
            .collect();
        let body = json::parse(body.as_bytes(), Bounds::default()).unwrap();
        let mut found = Vec::new();
        let _ = FieldSet::of(&paths).outside(&body, &mut |at| {
            found.push(at.pointer());
            ControlFlow::Continue(())
        });
        found
    }

    #[test]
    fn what_no_path_covers_is_told_with_its_place() {
        for (entries, body, told) in [
            ("a.b", r#"{"a":{"b":1,"c":2},"d":[3]}"#, vec!["/a/c", "/d"]),
            (
                "lines.*.sku",
                r#"{"lines":[{"sku":1},{"price":2}]}"#,
                vec!["/lines/1/price"],
            ),
            (
                "*.sku",
                r#"[{"sku":1},{"price":2},7]"#,
                vec!["/1/price", "/2"],
            ),
            ("sku", r#"[{"sku":1}]"#, vec!["/0"]),
            (
                "tags.*.value tags.own",
                r#"{"tags":{"x":{"value":1},"own":{"other":2},"y":3}}"#,
                vec!["/tags/y"],
            ),
            (
                "tags.*.value tags.own.kind",
                r#"{"tags":{"own":{"kind":1,"value":2,"z":3}}}"#,
                vec!["/tags/own/z"],
            ),
            (
                "a",
                r#"{"a":{"deep":[1]},"x/y":1,"x~y":2}"#,
                vec!["/x~1y", "/x~0y"],
            ),
            ("", "{}", vec![]),
            ("", r#"{"a":1}"#, vec!["/a"]),
            ("", r#""text""#, vec![""]),
        ] {
            assert_eq!(outside(entries, body), told, "{entries} {body}");
        }
    }

    #[test]
    fn an_empty_container_is_covered_where_the_paths_lead_through_it() {
        for (entries, body, told) in [
            ("lines.*.sku", r#"{"lines":[]}"#, vec![]),
            ("lines.*.sku", r#"{"lines":[{},{"sku":1}]}"#, vec![]),
            ("*.sku", "[]", vec![]),
            ("*.sku", "[{}]", vec![]),
            ("refs.own", r#"{"refs":{}}"#, vec![]),
            ("tags.*", r#"{"tags":{}}"#, vec![]),
            // Of another sort than what the paths lead through, or nothing they lead through.
            ("refs.own", r#"{"refs":[]}"#, vec!["/refs"]),
            ("refs.own", r#"{"refs":null}"#, vec!["/refs"]),
            ("refs.own", r#"{"lines":[]}"#, vec!["/lines"]),
            ("refs.own", r#"{"lines":{}}"#, vec!["/lines"]),
        ] {
            assert_eq!(outside(entries, body), told, "{entries} {body}");
        }
    }

    #[test]
    fn telling_ends_when_it_is_told_to() {
        let set = FieldSet::default();
        let body = json::parse(br#"{"a":1,"b":2}"#, Bounds::default()).unwrap();
        let mut count = 0;
        let ended = set.outside(&body, &mut |_| {
            count += 1;
            ControlFlow::Break(())
        });
        assert_eq!((ended, count), (ControlFlow::Break(()), 1));
    }
}
