//! Whether a record names an object, also in a sentence.
//! Exports `names`.
//! Used by the reader, for whoever is to be erased.
//! Start reading at `names`.

use model::Event;

/// Whether a record names this object: among its objects, in its path, in a sentence, or in the name of a field. A short id may be
/// found where it means something else.
pub(super) fn names(event: &Event, kind: &str, id: &str) -> bool {
    let mut objects = event.objects.iter();
    if objects.any(|object| object.kind == kind && object.id == id) {
        return true;
    }
    let texts = [&event.path, &event.detail].into_iter().flatten();
    let errors = event.errors.iter().map(|one| &one.pointer);
    let findings = event.findings.iter().map(|one| &one.pointer);
    let drift = event.drift.iter().map(|one| &one.pointer);
    let mut all = texts.chain(errors).chain(findings).chain(drift);
    all.any(|text| mentions(text, id))
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
