//! A tree with a wrong part taken out, or a missing one filled in, so that the rest of the file can be read on.
//! Exports `names`, `fill`, `is_filled` and `drop_entry`. Every change follows a mistake that is told, so nothing ever runs
//! with the result.
//! Used by `de::typed`.
//! Start reading at `drop_entry`.

use yaml::{ANY_KEY, Node, Span, Value};

/// The names that lead to a place, with `*` for the entries of lists. The path was collected from the leaf to the root.
pub fn names(root: &Node, path: &[usize]) -> Vec<String> {
    let mut here = Some(root);
    let mut names = Vec::new();
    for index in path.iter().rev() {
        let Some(node) = here else { break };
        let (name, below) = match &node.value {
            Value::Map(entries) => match entries.pairs.get(*index) {
                Some((key, value)) => (key.as_text().unwrap_or_default(), Some(value)),
                None => break,
            },
            Value::List(items) => ("*", items.get(*index)),
            _ => break,
        };
        names.push(name.to_owned());
        here = below;
    }
    names
}

/// The node at a path that was collected from the leaf to the root.
fn reach<'n>(root: &'n mut Node, path: &[usize]) -> Option<&'n mut Node> {
    path.iter()
        .rev()
        .try_fold(root, |node, index| match &mut node.value {
            Value::Map(entries) => entries.pairs.get_mut(*index).map(|(_, value)| value),
            Value::List(items) => items.get_mut(*index),
            _ => None,
        })
}

/// Puts a value in the place of a field that is missing, once, so that the rest of the entry can be read. The mistake is
/// told, so nothing ever runs with this value.
pub fn fill(root: &mut Node, path: &[usize], field: &'static str) -> bool {
    let (Some(value), Some(Value::Map(entries))) = (
        stand_in(field),
        reach(root, path).map(|node| &mut node.value),
    ) else {
        return false;
    };
    if entries.filled.contains(&field) {
        return false;
    }
    entries.filled.push(field);
    let node = |value| Node {
        span: Span::default(),
        value,
    };
    let key = node(Value::Text(field.to_owned()));
    entries.pairs.push((key, node(value)));
    true
}

/// What stands for a required field that is missing or wrong; none for what other files depend on.
fn stand_in(field: &str) -> Option<Value> {
    let text = match field {
        "owner" | "purpose" | "reason" | "cert" | "dir" => "-",
        "review_by" | "expires" => "2999-12-31",
        "address" => "127.0.0.1:0",
        "kek" | "key" => "env:X",
        "rate" => "1/s",
        "after" => "20 refusals/min",
        "for" => "15m",
        "state" => "active",
        "path" => "/",
        "per" => "integration",
        "paranoia" => return Some(Value::Number(4.into())),
        "targets" | "grants" | "operations" | "rules" => return Some(Value::List(Vec::new())),
        "listeners" | "versions" | "keys" | "credentials" => {
            return Some(Value::Map(Box::default()));
        }
        _ => return None,
    };
    Some(Value::Text(text.to_owned()))
}

/// Whether the node at this path, or one above it, stands for a missing field.
pub fn is_filled(root: &Node, path: &[usize]) -> bool {
    let mut here = Some(root);
    for index in path.iter().rev() {
        here = match here.map(|node| &node.value) {
            Some(Value::Map(entries)) => entries.pairs.get(*index).map(|(_, value)| value),
            Some(Value::List(items)) => items.get(*index),
            _ => None,
        };
        // No line of a file is numbered 0.
        if here.is_some_and(|node| node.span.line == 0) {
            return true;
        }
    }
    false
}

/// Takes the entry at this path out of the tree; its name stays known as dropped.
pub fn drop_entry(node: &mut Node, path: &[usize], is_unknown_key: bool) -> bool {
    // The path was collected from the leaf to the root.
    let Some((first, rest)) = path.split_last() else {
        return false;
    };
    match &mut node.value {
        Value::List(items) if rest.is_empty() && *first < items.len() => {
            items.remove(*first);
            true
        }
        Value::Map(entries) if rest.is_empty() && *first < entries.pairs.len() => {
            let (key, _) = entries.pairs.remove(*first);
            let name = if is_unknown_key {
                Some(ANY_KEY)
            } else {
                key.as_text()
            };
            entries.dropped.extend(name.map(str::to_owned));
            true
        }
        Value::List(items) => items
            .get_mut(*first)
            .is_some_and(|item| drop_entry(item, rest, is_unknown_key)),
        Value::Map(entries) => entries
            .pairs
            .get_mut(*first)
            .is_some_and(|(_, value)| drop_entry(value, rest, is_unknown_key)),
        _ => false,
    }
}
