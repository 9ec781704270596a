//! Which operation is asked for? Segment-exact, static before parameter, flat cost.
//! Gives `Router`. Ambiguous pairs are refused when it is built.
//! Used by config (build) and gateway's stage route (find).
//! Start reading at `Router::find`; a trie node is visited at most once per look-up, whatever the templates.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Method, Mistake};

use crate::plan::TemplateSegment;
use crate::template;

/// One operation on one listener.
#[derive(Clone, Debug)]
pub struct Route {
    /// Listener it is exposed on.
    pub listener: Arc<str>,
    /// Base path of the version, e.g. `/v2`; empty or `/` for none.
    pub base_path: Arc<str>,
    /// Method.
    pub method: Method,
    /// Template segments behind the base path.
    pub segments: Vec<TemplateSegment>,
    /// Index of the api version, as the caller counts.
    pub api: usize,
    /// Index of the operation in its contract.
    pub operation: usize,
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// One operation.
    Operation {
        /// Index of the api version.
        api: usize,
        /// Index of the operation.
        operation: usize,
        /// Path parameters with their decoded texts, in template order.
        path_values: Vec<(Arc<str>, String)>,
    },
    /// The path exists, the method does not.
    MethodNotAllowed {
        /// Methods that do, in a fixed order.
        allowed: Vec<Method>,
    },
    /// No such path on this listener.
    NotFound,
}

/// All routes of all listeners.
#[derive(Clone, Debug, Default)]
pub struct Router {
    listeners: HashMap<Arc<str>, Node>,
}

/// What stands behind one path prefix.
#[derive(Clone, Debug, Default)]
struct Node {
    statics: HashMap<Arc<str>, Node>,
    /// Segments with fixed parts, the longest fixed parts first.
    mixed: Vec<(Vec<Arc<str>>, Node)>,
    parameter: Option<Box<Node>>,
    ends: Vec<End>,
}

/// An operation that ends here.
#[derive(Clone, Debug)]
struct End {
    method: Method,
    api: usize,
    operation: usize,
    names: Vec<Arc<str>>,
    written: String,
}

impl Router {
    /// Builds the router.
    ///
    /// # Errors
    /// One mistake per pair of routes that would answer the same requests, and per broken base path.
    pub fn build(routes: impl IntoIterator<Item = Route>) -> Result<Router, Vec<Mistake>> {
        let mut router = Router::default();
        let mut mistakes = Vec::new();
        for route in routes {
            if let Err(mistake) = router.add(route) {
                mistakes.push(mistake);
            }
        }
        if mistakes.is_empty() {
            Ok(router)
        } else {
            Err(mistakes)
        }
    }

    fn add(&mut self, route: Route) -> Result<(), Mistake> {
        let base = base_segments(&route.base_path)?;
        let segments: Vec<TemplateSegment> = base.into_iter().chain(route.segments).collect();
        let mut here = self.listeners.entry(route.listener.clone()).or_default();
        for segment in &segments {
            here = here.child(segment);
        }
        let end = End {
            method: route.method,
            api: route.api,
            operation: route.operation,
            names: template::names(&segments).map(Arc::from).collect(),
            written: written(&segments),
        };
        if let Some(other) = here.ends.iter().find(|known| known.method == end.method) {
            return Err(Mistake::new(
                format!(
                    "`{} {}` and `{} {}` on listener `{}` answer the same requests",
                    other.method, other.written, end.method, end.written, route.listener
                ),
                "change one base path, or expose only one of the two on this listener",
            ));
        }
        here.ends.push(end);
        here.ends.sort_by_key(|end| end.method);
        Ok(())
    }

    /// Finds the operation for a request. Segments are decoded, as `CanonicalRequest::segments` gives them.
    pub fn find(&self, listener: &str, method: Method, segments: &[String]) -> Found {
        let mut values = Vec::new();
        let Some(node) = self
            .listeners
            .get(listener)
            .and_then(|root| root.find(segments, &mut values))
        else {
            return Found::NotFound;
        };
        // The path decides first: checks belong to the most exact path, never to a looser one that has the method.
        let Some(end) = node.ends.iter().find(|end| end.method == method) else {
            return Found::MethodNotAllowed {
                allowed: node.ends.iter().map(|end| end.method).collect(),
            };
        };
        Found::Operation {
            api: end.api,
            operation: end.operation,
            path_values: end.names.iter().cloned().zip(values).collect(),
        }
    }
}

impl Node {
    fn child(&mut self, segment: &TemplateSegment) -> &mut Node {
        match segment {
            TemplateSegment::Static(text) => self.statics.entry(text.clone()).or_default(),
            TemplateSegment::Parameter(_) => self.parameter.get_or_insert_default(),
            TemplateSegment::Mixed { texts, .. } => self.mixed_child(texts),
        }
    }

    fn mixed_child(&mut self, texts: &[Arc<str>]) -> &mut Node {
        let rank = |texts: &[Arc<str>]| {
            let length: usize = texts.iter().map(|t| t.len()).sum();
            (std::cmp::Reverse(length), texts.to_vec())
        };
        let wanted = rank(texts);
        let at = self
            .mixed
            .partition_point(|(known, _)| rank(known) < wanted);
        if self.mixed.get(at).is_none_or(|(known, _)| known != texts) {
            self.mixed.insert(at, (texts.to_vec(), Node::default()));
        }
        let index = at.min(self.mixed.len().saturating_sub(1));
        match self.mixed.get_mut(index) {
            Some((_, node)) => node,
            // The entry was inserted above; this arm only satisfies the compiler without a panic.
            None => self.parameter.get_or_insert_default(),
        }
    }

    /// The node with an operation whose path is the most exact one: static before mixed before parameter, from left to right.
    fn find(&self, segments: &[String], values: &mut Vec<String>) -> Option<&Node> {
        let Some((first, rest)) = segments.split_first() else {
            return (!self.ends.is_empty()).then_some(self);
        };
        if let Some(child) = self.statics.get(first.as_str())
            && let Some(found) = child.find(rest, values)
        {
            return Some(found);
        }
        // A parameter is never empty: `/sites/` is not `/sites/{siteId}` (fp07).
        if first.is_empty() {
            return None;
        }
        let depth = values.len();
        for (texts, child) in &self.mixed {
            if let Some(matched) = template::match_mixed(texts, first) {
                values.extend(matched);
                if let Some(found) = child.find(rest, values) {
                    return Some(found);
                }
                values.truncate(depth);
            }
        }
        let child = self.parameter.as_deref()?;
        values.push(first.clone());
        let found = child.find(rest, values);
        if found.is_none() {
            values.truncate(depth);
        }
        found
    }
}

fn base_segments(base: &str) -> Result<Vec<TemplateSegment>, Mistake> {
    if base.is_empty() || base == "/" {
        return Ok(Vec::new());
    }
    let is_plain = |segment: &TemplateSegment| matches!(segment, TemplateSegment::Static(text) if !text.is_empty());
    match template::segments(base) {
        Ok(segments) if segments.iter().all(is_plain) => Ok(segments),
        _ => Err(Mistake::new(
            format!("`{base}` is not a base path"),
            "write it like `/v2`: it begins with `/`, does not end with one, and has no parameters",
        )),
    }
}

fn written(segments: &[TemplateSegment]) -> String {
    let mut out = String::new();
    for segment in segments {
        out.push('/');
        match segment {
            TemplateSegment::Static(text) => out.push_str(text),
            TemplateSegment::Parameter(name) => out.push_str(&format!("{{{name}}}")),
            TemplateSegment::Mixed { texts, names } => {
                let mut names = names.iter();
                for text in texts {
                    out.push_str(text);
                    out.extend(names.next().map(|name| format!("{{{name}}}")));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
