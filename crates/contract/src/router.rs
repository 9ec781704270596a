//! Which operation is asked for? The whole contract is matched first, then asked for exposure on the listener.
//! Exports `Router`. Segment-exact, concrete before templated, flat cost; ambiguous pairs are refused when it is built.
//! Used by config (build) and gateway's stages route (find) and upstream (leads_to).
//! Start reading at `Router::find`; a trie node is visited at most once per look-up, whatever the templates.

mod encoded;
mod rivals;

use std::collections::HashMap;
use std::sync::Arc;

use model::canonical::{is_encodable_segment, is_plain_segment};
use model::{ListenerId, Method, Mistake};

use crate::template;
use crate::template::TemplateSegment;
use rivals::{Rivals, is_blank};

/// One path of one version, exposed or not: what is declared decides which path a request means.
#[derive(Clone, Debug)]
pub struct Route {
    /// Index of the api version, as the caller counts.
    pub api: usize,
    /// Base path of the version, e.g. `/v2`; empty or `/` for none.
    pub base_path: Arc<str>,
    /// Template segments behind the base path.
    pub segments: Vec<TemplateSegment>,
    /// What is declared there.
    pub declared: Declared,
}

/// What is declared at a path.
#[derive(Clone, Debug)]
pub enum Declared {
    /// An operation.
    Operation {
        /// Its method.
        method: Method,
        /// Its index in its contract.
        operation: usize,
        /// Listeners it is exposed on; none where it is unreachable, whether nobody exposes it or its version is in design.
        listeners: Vec<Arc<str>>,
        /// Parameters that are whole segments and may hold escaped characters that end or divide a path.
        encoded: Vec<Arc<str>>,
    },
    /// A path without any operation.
    Path,
    /// A path of a retired version.
    Retired,
    /// The base path of a retired version: everything below it that no other path declares.
    RetiredBelow,
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// One operation, exposed on this listener.
    Operation {
        /// Index of the api version.
        api: usize,
        /// Index of the operation.
        operation: usize,
        /// Path parameters with their decoded texts, in template order.
        path_values: Vec<(Arc<str>, String)>,
    },
    /// The path has escaped characters that end or divide one, where its contract does not let them stand.
    Encoded,
    /// The path is exposed, the method is not.
    MethodNotAllowed {
        /// Operations that are, in a fixed order of their methods.
        offered: Vec<Offered>,
    },
    /// The path belongs to a retired version.
    Retired {
        /// Index of the api version.
        api: usize,
    },
    /// The path is declared, and nothing of it is exposed on this listener.
    NotExposed {
        /// Index of the api version.
        api: usize,
        /// Index of the operation that has the method, where one has.
        operation: Option<usize>,
    },
    /// A value in the path could make the upstream see another declared path.
    Ambiguous {
        /// Index of the api version.
        api: usize,
        /// Index of the operation that was matched.
        operation: usize,
        /// The other path as declared; none where the value is blank and would shorten the path.
        rival: Option<Arc<str>>,
    },
    /// No such path in any contract.
    NotFound,
}

/// A method that a path offers, and what it means there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The method.
    pub method: Method,
    /// Index of the api version.
    pub api: usize,
    /// Index of the operation.
    pub operation: usize,
}

/// All declared paths of all versions.
#[derive(Clone, Debug, Default)]
pub struct Router {
    root: Node,
    /// Names of the listeners on which something is exposed, at the places of their ids.
    listeners: Vec<Arc<str>>,
    /// Template of every operation, base path included, by api and operation.
    templates: HashMap<(usize, usize), Vec<TemplateSegment>>,
    /// All that is declared, where some value may be read as something else than one segment.
    everything: Option<Arc<rivals::Paths>>,
}

/// What stands behind one path prefix.
#[derive(Clone, Debug, Default)]
struct Node {
    statics: HashMap<Arc<str>, Node>,
    /// Segments with fixed parts, the longest fixed parts first.
    mixed: Vec<(Vec<Arc<str>>, Node)>,
    parameter: Option<Box<Node>>,
    ends: Vec<End>,
    /// Version that declares a path here, where one does.
    declared_by: Option<usize>,
    /// Retired version that declares a path here.
    retired: Option<usize>,
    /// Retired version whose base path ends here.
    retired_below: Option<usize>,
}

/// An operation that ends here.
#[derive(Clone, Debug)]
struct End {
    method: Method,
    api: usize,
    operation: usize,
    listeners: Vec<ListenerId>,
    names: Vec<Arc<str>>,
    written: String,
    /// Where a parameter is a whole segment.
    whole: Vec<usize>,
    /// Which of these may hold escaped characters that end or divide a path, as bits by their places.
    encoded: u64,
    rivals: Rivals,
}

/// Where a path leads.
enum Place<'n> {
    Path(&'n Node),
    RetiredBelow(usize),
}

impl Router {
    /// Builds the router.
    ///
    /// # Errors
    /// One mistake per pair of routes that would answer the same requests, and per broken base path.
    pub fn build(routes: impl IntoIterator<Item = Route>) -> Result<Router, Vec<Mistake>> {
        let mut router = Router::default();
        let mut mistakes = Vec::new();
        let mut declared = rivals::Paths::default();
        for route in routes {
            if let Err(mistake) = router.add(route, &mut declared) {
                mistakes.push(mistake);
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let mut is_encoded = false;
        let templates = std::mem::take(&mut router.templates);
        router.root.each_end(&mut |end| {
            if let Some(template) = templates.get(&(end.api, end.operation)) {
                end.rivals = declared.rivals(template);
            }
            is_encoded |= end.encoded != 0;
        });
        router.templates = templates;
        router.everything = is_encoded.then(|| Arc::new(declared));
        Ok(router)
    }

    fn add(&mut self, route: Route, declared: &mut rivals::Paths) -> Result<(), Mistake> {
        let base = base_segments(&route.base_path)?;
        let segments: Vec<TemplateSegment> = base.into_iter().chain(route.segments).collect();
        let mut here = &mut self.root;
        for segment in &segments {
            here = here.child(segment);
        }
        let api = route.api;
        match route.declared {
            Declared::Operation {
                method,
                operation,
                listeners,
                encoded,
            } => {
                let end = End {
                    method,
                    api,
                    operation,
                    listeners: listeners
                        .into_iter()
                        .map(|name| intern(&mut self.listeners, name))
                        .filter(|id| *id != ListenerId::NOTHING_EXPOSED)
                        .collect(),
                    names: template::names(&segments).map(Arc::from).collect(),
                    written: written(&segments),
                    whole: whole(&segments),
                    encoded: places_of(&encoded, &segments),
                    rivals: Rivals::default(),
                };
                here.end(end, &self.listeners)?;
                here.declared_by.get_or_insert(api);
                declared.insert(&segments, written(&segments));
                self.templates.insert((api, operation), segments);
            }
            Declared::Path => {
                here.declared_by.get_or_insert(api);
                declared.insert(&segments, written(&segments));
            }
            Declared::Retired => {
                here.retired.get_or_insert(api);
                declared.insert(&segments, written(&segments));
            }
            Declared::RetiredBelow => {
                here.retired_below.get_or_insert(api);
                declared.insert_below(&segments, written(&segments));
            }
        }
        Ok(())
    }

    /// The listener with this name, for [`Router::find`]. Asked once for each configuration, not for each request.
    pub fn listener(&self, name: &str) -> ListenerId {
        let place = self.listeners.iter().position(|known| **known == *name);
        place.map_or(ListenerId::NOTHING_EXPOSED, ListenerId::new)
    }

    /// Finds the operation for a request. Segments are decoded, as `CanonicalRequest::segments` gives them.
    pub fn find(&self, listener: ListenerId, method: Method, segments: &[String]) -> Found {
        self.find_encoded(listener, method, segments, 0)
    }

    /// The same where the segments with these bits have escaped characters that end or divide a path (`CanonicalRequest::encoded`): they
    /// may stand only where the contract says so, and never where an upstream that decodes them too early, or once too often, would read
    /// another declared path.
    pub fn find_encoded(
        &self,
        listener: ListenerId,
        method: Method,
        segments: &[String],
        encoded: u64,
    ) -> Found {
        let mut values = Vec::new();
        let node = match self.root.find(segments, &mut values) {
            Some(Place::Path(node)) => node,
            Some(Place::RetiredBelow(api)) => return Found::Retired { api },
            None => return Found::NotFound,
        };
        // The path decides first: checks belong to the most exact path, never to a looser one that has the method.
        let Some(end) = node.end_of(method, listener) else {
            return node.without(method, listener);
        };
        if encoded & !end.encoded != 0 {
            return Found::Encoded;
        }
        let rival = end
            .rival(segments)
            .or_else(|| self.early(end, segments, encoded));
        if let Some(rival) = rival {
            return Found::Ambiguous {
                api: end.api,
                operation: end.operation,
                rival,
            };
        }
        Found::Operation {
            api: end.api,
            operation: end.operation,
            path_values: end.names.iter().cloned().zip(values).collect(),
        }
    }

    /// What an upstream could see that does not decode these segments when and as often as it should.
    fn early(&self, end: &End, segments: &[String], encoded: u64) -> Option<Option<Arc<str>>> {
        if encoded == 0 {
            return None;
        }
        let known = self.templates.get(&(end.api, end.operation));
        let (Some(everything), Some(template)) = (&self.everything, known) else {
            return Some(None);
        };
        let Some(readings) = encoded::readings(segments, encoded) else {
            return Some(None);
        };
        let mut rivals = readings
            .iter()
            .filter_map(|read| everything.like(read, template));
        rivals.next().map(|written| Some(Arc::clone(written)))
    }

    /// Whether a path written from this operation's template and these values leads to this operation and to no other
    /// declared path, however the upstream reads it. For calls the gateway makes itself, whose values may come from bodies.
    pub fn leads_to(&self, api: usize, operation: usize, values: &[(Arc<str>, String)]) -> bool {
        let Some(template) = self.templates.get(&(api, operation)) else {
            return false;
        };
        let segments = template.iter().map(|segment| filled(segment, values));
        let Some(segments) = segments.collect::<Option<Vec<_>>>() else {
            return false;
        };
        let odd = segments.iter().enumerate().filter(|(place, segment)| {
            // A fixed text was checked when the contract was read.
            !matches!(template.get(*place), Some(TemplateSegment::Static(_)))
                && !is_plain_segment(segment)
        });
        let encoded = odd.fold(0, |bits, (place, _)| bits | bit(place));
        let Some(Place::Path(node)) = self.root.find(&segments, &mut Vec::new()) else {
            return false;
        };
        let own = node
            .ends
            .iter()
            .find(|end| (end.api, end.operation) == (api, operation));
        own.is_some_and(|end| {
            encoded & !end.encoded == 0
                && end.rival(&segments).is_none()
                && self.early(end, &segments, encoded).is_none()
        })
    }
}

/// The id of a listener, which is its place among the names.
fn intern(listeners: &mut Vec<Arc<str>>, name: Arc<str>) -> ListenerId {
    let known = listeners.iter().position(|known| *known == name);
    ListenerId::new(known.unwrap_or_else(|| {
        listeners.push(name);
        listeners.len() - 1
    }))
}

fn name_of(id: ListenerId, listeners: &[Arc<str>]) -> &str {
    let mut all = listeners.iter().enumerate();
    let named = all.find(|(place, _)| ListenerId::new(*place) == id);
    named.map_or("", |(_, name)| name)
}

/// One segment of a path that is about to be written; none where it could not be one segment.
fn filled(segment: &TemplateSegment, values: &[(Arc<str>, String)]) -> Option<String> {
    let value = |name: &Arc<str>| {
        values
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    };
    let text = match segment {
        TemplateSegment::Static(text) => return Some(text.to_string()),
        TemplateSegment::Parameter(name) => value(name)?.to_owned(),
        TemplateSegment::Mixed { texts, names } => {
            let mut text = String::new();
            let mut names = names.iter();
            for fixed in texts {
                text.push_str(fixed);
                if let Some(name) = names.next() {
                    text.push_str(value(name).filter(|value| !value.is_empty())?);
                }
            }
            text
        }
    };
    is_encodable_segment(&text).then_some(text)
}

impl End {
    /// What else the upstream could see in these segments: another declared path, or a shorter one.
    fn rival(&self, segments: &[String]) -> Option<Option<Arc<str>>> {
        let mut values = self.whole.iter().filter_map(|at| segments.get(*at));
        if values.any(|value| is_blank(value)) {
            return Some(None);
        }
        self.rivals
            .in_path(segments)
            .map(|written| Some(written.clone()))
    }
}

impl Node {
    /// The operation that answers this method on this listener. A HEAD that nobody declares is the GET without its body: whoever
    /// offers GET has to answer it (RFC 9110 §9.1, §9.3.2). One that is declared and not exposed was left out on purpose.
    fn end_of(&self, method: Method, listener: ListenerId) -> Option<&End> {
        let exposed = |method: Method| {
            let mut ends = self.ends.iter();
            ends.find(|end| end.method == method && end.listeners.contains(&listener))
        };
        let declares_head = |api: usize| {
            let mut ends = self.ends.iter();
            ends.any(|end| end.method == Method::Head && end.api == api)
        };
        match (exposed(method), method) {
            (None, Method::Head) => exposed(Method::Get).filter(|get| !declares_head(get.api)),
            (end, _) => end,
        }
    }

    /// What this path says to a method that is not exposed here.
    fn without(&self, method: Method, listener: ListenerId) -> Found {
        let offered = Method::ALL.into_iter().filter_map(|method| {
            let end = self.end_of(method, listener)?;
            Some(Offered {
                method,
                api: end.api,
                operation: end.operation,
            })
        });
        let offered: Vec<Offered> = offered.collect();
        if !offered.is_empty() {
            return Found::MethodNotAllowed { offered };
        }
        if let Some(api) = self.retired {
            return Found::Retired { api };
        }
        match (
            self.ends.iter().find(|end| end.method == method),
            self.declared_by,
        ) {
            (Some(end), _) => Found::NotExposed {
                api: end.api,
                operation: Some(end.operation),
            },
            (None, Some(api)) => Found::NotExposed {
                api,
                operation: None,
            },
            (None, None) => Found::NotFound,
        }
    }

    /// Adds an operation. Two may have the same path and method while no listener exposes both.
    fn end(&mut self, end: End, listeners: &[Arc<str>]) -> Result<(), Mistake> {
        for listener in &end.listeners {
            let is_same =
                |known: &&End| known.method == end.method && known.listeners.contains(listener);
            if let Some(other) = self.ends.iter().find(is_same) {
                let listener = name_of(*listener, listeners);
                return Err(Mistake::new(
                    format!(
                        "`{} {}` and `{} {}` on listener `{listener}` answer the same requests",
                        other.method, other.written, end.method, end.written
                    ),
                    "change one base path, or expose only one of the two on this listener",
                ));
            }
        }
        self.ends.push(end);
        self.ends.sort_by_key(|end| end.method);
        Ok(())
    }

    fn each_end(&mut self, act: &mut impl FnMut(&mut End)) {
        self.ends.iter_mut().for_each(&mut *act);
        let mixed = self.mixed.iter_mut().map(|(_, node)| node);
        let below = self
            .statics
            .values_mut()
            .chain(mixed)
            .chain(self.parameter.as_deref_mut());
        for node in below {
            node.each_end(act);
        }
    }

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

    /// Whether a path ends here.
    fn is_declared(&self) -> bool {
        self.declared_by.or(self.retired).is_some()
    }

    /// The most exact declared path: static before mixed before parameter before "everything below", from left to right.
    fn find(&self, segments: &[String], values: &mut Vec<String>) -> Option<Place<'_>> {
        self.within(segments, values)
            .or(self.retired_below.map(Place::RetiredBelow))
    }

    fn within(&self, segments: &[String], values: &mut Vec<String>) -> Option<Place<'_>> {
        let Some((first, rest)) = segments.split_first() else {
            return self.is_declared().then_some(Place::Path(self));
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

/// The places of these parameters, as bits.
fn places_of(names: &[Arc<str>], segments: &[TemplateSegment]) -> u64 {
    let named = segments.iter().enumerate().filter(
        |(_, segment)| matches!(segment, TemplateSegment::Parameter(name) if names.contains(name)),
    );
    named.fold(0, |bits, (place, _)| bits | bit(place))
}

/// The bit of a segment. No request has more than 64.
fn bit(place: usize) -> u64 {
    let place = u32::try_from(place).unwrap_or(u32::MAX);
    1_u64.checked_shl(place).unwrap_or(0)
}

/// Where a parameter is a whole segment.
fn whole(segments: &[TemplateSegment]) -> Vec<usize> {
    let all = segments.iter().enumerate();
    all.filter(|(_, segment)| matches!(segment, TemplateSegment::Parameter(_)))
        .map(|(at, _)| at)
        .collect()
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
