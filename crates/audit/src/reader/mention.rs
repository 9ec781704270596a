//! Whether a record names an object by what is sealed under the key of somebody, also in a sentence.
//! Exports `Sought`.
//! Used by the reader, for whoever is to be erased.
//! Start reading at `Sought::is_in`.

use model::Event;
use model::event::Personal;
use serde::Deserialize;

/// The sealed values of a record as it stands in the ledger.
#[derive(Default, Deserialize)]
struct Brief {
    #[serde(default)]
    personal: Vec<Personal>,
}

/// An object, and under whose key its name is looked for.
pub(super) struct Sought<'s> {
    pub subject: &'s str,
    /// Any where there is none.
    pub api: Option<&'s str>,
    pub kind: &'s str,
    pub id: &'s str,
}

impl Sought<'_> {
    /// Whether a record, opened and as it stands in the ledger, names this object under that key: as one of its objects, or in its
    /// path, a sentence or the name of a field, unless that is about an object with a key of its own. A short id may be found
    /// where it means something else.
    pub(super) fn is_in(&self, event: &Event, json: &str) -> bool {
        if self.api.is_some_and(|api| api != event.api_name()) {
            return false;
        }
        let record: Brief = serde_json::from_str(json).unwrap_or_default();
        let ours = record.personal.iter();
        let ours = ours.filter(|one| one.subjects.iter().any(|known| &**known == self.subject));
        let places = ours.filter_map(|one| usize::try_from(one.object?).ok());
        let mut objects = places.filter_map(|place| event.objects.get(place));
        if objects.any(|object| object.kind == self.kind && object.id == self.id) {
            return true;
        }
        let is_another = event.objects.iter().any(|object| object.id == self.id);
        !is_another && self.is_said(event)
    }

    fn is_said(&self, event: &Event) -> bool {
        let texts = [&event.path, &event.detail].into_iter().flatten();
        let errors = event.errors.iter().map(|one| &one.pointer);
        let findings = event.findings.iter().map(|one| &one.pointer);
        let drift = event.drift.iter().map(|one| &one.pointer);
        let mut all = texts.chain(errors).chain(findings).chain(drift);
        all.any(|text| mentions(text, self.id))
    }
}

/// Whether the id stands in a text for itself, and not within a longer word.
fn mentions(text: &str, id: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut found = text.match_indices(id);
    found.any(|(at, _)| {
        let (before, rest) = text.split_at_checked(at).unwrap_or_default();
        let after = rest.get(id.len()..).unwrap_or_default();
        !is_part(before.chars().next_back()) && !is_part(after.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_for_itself_wherever_it_stands() {
        for text in [
            "c-7",
            "no grant holds for Customer:c-7 as it is",
            "/items/c-7/name",
            "(c-7)",
        ] {
            assert!(mentions(text, "c-7"), "{text}");
        }
        for text in ["c-77", "xc-7", "c-", "", "C-7"] {
            assert!(!mentions(text, "c-7"), "{text}");
        }
    }
}
