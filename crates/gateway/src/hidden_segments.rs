//! The segments of a path that no record shows: those whose parameter is declared to be personal, or worse.
//! Exports `HiddenSegments`. Found once for each configuration.
//! Used by `Snapshot`, which names operations in records.
//! Start reading at `HiddenSegments::hide`.

use std::sync::Arc;

use config::compiled::ApiVersion;
use contract::{Operation, Place, TemplateSegment};
use model::shape::Class;

/// The segments of one operation's paths that no record shows.
#[derive(Clone, Debug, Default)]
pub struct HiddenSegments(Vec<(usize, Arc<str>)>);

impl HiddenSegments {
    /// Those of every operation of a version, in the order of its contract.
    pub(crate) fn of_version(version: &ApiVersion) -> Vec<HiddenSegments> {
        let contract = version.contract.iter();
        let operations = contract.flat_map(|contract| &contract.operations);
        // A path begins with `/`, so its first segment stands behind an empty one.
        let before = version
            .base_path
            .split('/')
            .filter(|s| !s.is_empty())
            .count()
            + 1;
        operations
            .map(|operation| HiddenSegments::new(operation, before))
            .collect()
    }

    fn new(operation: &Operation, before: usize) -> HiddenSegments {
        let segments = operation.segments.iter().enumerate();
        let hidden = segments.filter(|(_, segment)| {
            let names: &[Arc<str>] = match segment {
                TemplateSegment::Static(_) => &[],
                TemplateSegment::Parameter(name) => std::slice::from_ref(name),
                TemplateSegment::Mixed { names, .. } => names,
            };
            names.iter().any(|name| is_personal(operation, name))
        });
        HiddenSegments(
            hidden
                .map(|(index, segment)| (before.saturating_add(index), shown(segment)))
                .collect(),
        )
    }

    /// The path with the names of the parameters in the place of their values; `None` where it has none of these.
    pub(crate) fn hide(&self, path: &str) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let name = |index: usize| self.0.iter().find(|(hidden, _)| *hidden == index);
        let segments = path.split('/').enumerate();
        let segments = segments.map(|(index, text)| name(index).map_or(text, |(_, name)| name));
        Some(segments.collect::<Vec<_>>().join("/"))
    }
}

fn is_personal(operation: &Operation, name: &str) -> bool {
    let mut declared = operation.parameters.iter();
    let declared = declared.find(|one| one.place == Place::Path && one.is_named(name));
    let class = declared
        .and_then(|one| one.shape.root())
        .map(|node| node.class);
    class.is_some_and(|class| class >= Class::Personal)
}

/// A segment as the contract writes it.
fn shown(segment: &TemplateSegment) -> Arc<str> {
    match segment {
        TemplateSegment::Static(text) => Arc::clone(text),
        TemplateSegment::Parameter(name) => format!("{{{name}}}").into(),
        TemplateSegment::Mixed { texts, names } => {
            let mut shown = String::new();
            for (index, text) in texts.iter().enumerate() {
                shown.push_str(text);
                if let Some(name) = names.get(index) {
                    shown.push_str(&format!("{{{name}}}"));
                }
            }
            shown.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_named_and_the_rest_stays() {
        let hidden = HiddenSegments(vec![(3, "{mail}".into()), (5, "{a}-{b}".into())]);
        for (path, expected) in [
            ("/v1/persons/ann@example.org", "/v1/persons/{mail}"),
            (
                "/v1/persons/ann/notes/1-2",
                "/v1/persons/{mail}/notes/{a}-{b}",
            ),
            ("/v1/persons/", "/v1/persons/{mail}"),
            ("/v1/persons", "/v1/persons"),
            ("", ""),
        ] {
            assert_eq!(hidden.hide(path).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(HiddenSegments::default().hide("/v1"), None);
    }
}
