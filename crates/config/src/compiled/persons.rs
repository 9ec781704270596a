//! Which values of requests name persons, so that records can seal them.
//! Exports `OperationPersons` (of one operation) and `PersonPath` (of paths that no operation was found for).
//! Made by `compile::persons`; read by the gateway, per request the first and after early refusals the second.
//! Start reading at `OperationPersons`.

use std::sync::Arc;

use contract::TemplateSegment;

/// Most segments of a path that is searched for persons.
const SEGMENTS_MAX: usize = 64;

/// What of an operation is about persons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationPersons {
    /// Path parameters that name one, each with the kind of object: `customerId`, `Customer`.
    pub in_path: Vec<(Arc<str>, Arc<str>)>,
    /// Whether the sentences of a record may name one.
    pub may_be_named: bool,
}

/// A path up to the last parameter that names a person, as people who mistype it come near it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonPath {
    /// Segments of the base path and the template.
    pub(crate) segments: Vec<TemplateSegment>,
    /// Parameters that name persons, with the kind of each.
    pub(crate) persons: Vec<(Arc<str>, Arc<str>)>,
}

impl PersonPath {
    /// The persons that a path begins with, kind and id of each, whether an operation is declared below it or not. Case of fixed
    /// segments, empty and dot segments and escapes do not matter: what is recorded of a refused path may be read as one of ours.
    pub fn named_in(&self, path: &str) -> Vec<(Arc<str>, String)> {
        let found = self.named(&segments_of(path, true));
        // `..` takes a segment away, for some who read it, and is a segment like any other for the rest.
        if found.is_some() || !path.contains("..") && !path.contains('%') {
            return found.unwrap_or_default();
        }
        self.named(&segments_of(path, false)).unwrap_or_default()
    }

    fn named(&self, found: &[String]) -> Option<Vec<(Arc<str>, String)>> {
        if found.len() < self.segments.len() {
            return None;
        }
        let mut named = Vec::new();
        for (segment, text) in self.segments.iter().zip(found) {
            for (name, id) in segment.values(text)? {
                let kinds = self.persons.iter().filter(|(known, _)| *known == name);
                named.extend(kinds.map(|(_, kind)| (Arc::clone(kind), id.clone())));
            }
        }
        Some(named)
    }
}

/// Segments of a path as sent, decoded leniently.
fn segments_of(path: &str, goes_up: bool) -> Vec<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut segments: Vec<String> = Vec::new();
    for segment in path.split(['/', '\\']).take(SEGMENTS_MAX) {
        let text = decoded(segment.split(';').next().unwrap_or_default());
        match text.as_str() {
            "" | "." => {}
            ".." if goes_up => drop(segments.pop()),
            ".." => {}
            _ => segments.push(text),
        }
    }
    segments
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| after.split_at_checked(2))
            .flatten();
        let value = escaped.and_then(|(digits, after)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, after))
        });
        let (byte, after) = value.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> PersonPath {
        let parameter = |name: &str| TemplateSegment::Parameter(name.into());
        let fixed = |text: &str| TemplateSegment::Static(text.into());
        PersonPath {
            segments: vec![
                fixed("v2"),
                fixed("sites"),
                parameter("siteId"),
                fixed("customers"),
                parameter("customerId"),
            ],
            persons: vec![("customerId".into(), "Customer".into())],
        }
    }

    #[test]
    fn a_person_is_found_in_a_path_however_it_is_written_and_whatever_stands_below() {
        for written in [
            "/v2/sites/s-1/customers/c-7",
            "/v2/sites/s-1/customers/c-7/undeclared/x?y=z",
            "//v2/./sites/s-1/CUSTOMERS/%63-7;v=1",
            "/v2/sites/s-1/x/../customers/c%2d7/",
            "/v2/sites/s-1/customers/%2e%2E/c-7",
        ] {
            let named = path().named_in(written);
            assert_eq!(
                named,
                [(Arc::from("Customer"), String::from("c-7"))],
                "{written}"
            );
        }
        for other in [
            "/v2/sites/s-1/customers",
            "/v1/sites/s-1/customers/c-7",
            "/",
            "",
            "/v2/sites/s-1/customer/c-7",
        ] {
            assert!(path().named_in(other).is_empty(), "{other}");
        }
    }

    #[test]
    fn escapes_that_are_none_stay_as_they_are() {
        assert_eq!(decoded("%zz%4"), "%zz%4");
        assert_eq!(decoded("%C3%A9%ff"), "é\u{fffd}");
    }
}
