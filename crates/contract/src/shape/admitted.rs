//! What schemas admit of one sort of values (texts, whole numbers), through `$ref` and composition.
//! Exports `Walk`. Errs on the side of more values: what is too deep or cannot be resolved admits any.
//! Used by `texts` and `domain`, which say what one schema admits by itself.
//! Start reading at `Walk::all`.

use serde_json::Value;

use crate::docs::{At, Docs};

/// Deepest composition that is followed.
const DEPTH_MAX: usize = 12;

/// How one sort of values is put together. `None` is none at all.
pub(super) struct Walk<T> {
    /// Any value.
    pub any: T,
    /// What the keywords of a schema by itself admit.
    pub own: fn(&At<'_>) -> Option<T>,
    /// What both admit.
    pub both: fn(Option<T>, Option<T>) -> Option<T>,
    /// What one of the two admits.
    pub either: fn(Option<T>, Option<T>) -> Option<T>,
    /// What is left of it by keywords that narrow whatever was found.
    pub narrowed: fn(Option<T>, &At<'_>) -> Option<T>,
}

impl<T: Clone> Walk<T> {
    /// What any of these schemas admits.
    pub(super) fn all(&self, docs: &Docs, is_30: bool, places: &[At<'_>]) -> Option<T> {
        let each = places
            .iter()
            .map(|place| self.admitted(docs, is_30, place, DEPTH_MAX));
        each.fold(None, self.either)
    }

    fn admitted(&self, docs: &Docs, is_30: bool, at: &At<'_>, depth: usize) -> Option<T> {
        if depth == 0 {
            return Some(self.any.clone());
        }
        if at.value == &Value::Bool(false) {
            return None;
        }
        let mut found = Some(self.any.clone());
        if let Some(reference) = at.text("$ref") {
            if let Ok(target) = docs.resolve(at, reference) {
                found = self.admitted(docs, is_30, &target, depth - 1);
            }
            // 3.0 ignores the siblings of `$ref`.
            if is_30 {
                return found;
            }
        }
        found = (self.both)(found, (self.own)(at));
        for part in at.get("allOf").iter().flat_map(At::items) {
            found = (self.both)(found, self.admitted(docs, is_30, &part, depth - 1));
        }
        for word in ["anyOf", "oneOf"] {
            let Some(list) = at.get(word) else { continue };
            let branches = list
                .items()
                .map(|branch| self.admitted(docs, is_30, &branch, depth - 1));
            found = (self.both)(found, branches.fold(None, self.either));
        }
        (self.narrowed)(found, at)
    }
}
