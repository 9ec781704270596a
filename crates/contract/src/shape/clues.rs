//! What a contract says of a field that may name an object, and where an overlay reaches it.
//! Exports `clue` (of a field) and `target` (of any place).
//! Used by shapes of requests and by parameters.
//! Start reading at `clue`; whether a declared kind is meant is worked out later (`model::likeness`).

use std::sync::Arc;

use model::{Clue, likeness};

use super::Names;
use crate::docs::{At, Docs};

/// How an id is spoken of in descriptions.
const SPOKEN: [&str; 6] = [
    "id of ",
    "ids of ",
    "identifier of ",
    "identifiers of ",
    "uuid of ",
    "reference to ",
];
/// Most words of a description that may name a schema.
const WORDS_MAX: usize = 3;
/// Words that end what a description speaks of.
const FOLLOWING: [&str; 16] = [
    "that", "to", "which", "who", "of", "in", "on", "for", "this", "is", "as", "from", "with",
    "by", "if", "where",
];
/// Lists whose items a target counts.
const LISTS: [&str; 6] = [
    "allOf",
    "anyOf",
    "oneOf",
    "parameters",
    "prefixItems",
    "servers",
];

/// The clue of a declared field; none where it cannot hold an id, or nothing suggests one.
pub(super) fn clue(docs: &Docs, names: &Names, name: &str, places: &[At<'_>]) -> Option<Arc<Clue>> {
    let place = places.first()?;
    let leads = docs.follow(place).unwrap_or_else(|_| place.clone());
    if is_choice(place) || is_choice(&leads) {
        return None;
    }
    let words = likeness::words(name);
    let told = told(names, place);
    let is_likely = told.is_some()
        || likeness::may_name(name)
        || names.spoken(&words).is_some()
        || names.is_in_path(&words);
    is_likely.then(|| {
        Arc::new(Clue {
            target: target(place),
            told,
        })
    })
}

/// A value out of a fixed few is no id.
fn is_choice(at: &At<'_>) -> bool {
    let is_boolean = at.text("type") == Some("boolean");
    is_boolean || at.get("enum").is_some() || at.get("const").is_some()
}

/// The schema that its description or its own schema speaks of.
fn told(names: &Names, at: &At<'_>) -> Option<Arc<str>> {
    let by_type = at.text("$ref").and_then(|reference| {
        let words = likeness::words(reference.rsplit('/').next()?);
        let (last, stem) = words.split_last()?;
        (last == "id").then(|| names.spoken(stem)).flatten()
    });
    let described = || {
        let text = at.text("description")?.to_lowercase();
        let (_, rest) = SPOKEN.iter().find_map(|spoken| text.split_once(spoken))?;
        let articles = ["the ", "a ", "an ", "this ", "its "];
        let rest = articles
            .iter()
            .find_map(|article| rest.strip_prefix(article))
            .unwrap_or(rest);
        let sentence = rest.split(['.', ',', ';', ':', '(', ')', '\n']).next()?;
        let words: Vec<&str> = sentence.split_whitespace().collect();
        // The words up to one that begins something else: "the account model" is no account.
        let noun = words.iter().take_while(|word| !FOLLOWING.contains(word));
        let noun: Vec<&str> = noun.copied().take(WORDS_MAX.saturating_add(1)).collect();
        (noun.len() <= WORDS_MAX)
            .then(|| names.spoken(&likeness::words(&noun.join(" "))))
            .flatten()
    };
    by_type.or_else(described).cloned()
}

/// The place as an overlay names it; none where it stands in another file.
pub(crate) fn target(at: &At<'_>) -> Option<Arc<str>> {
    if at.doc != 0 {
        return None;
    }
    let mut out = String::from("$");
    let mut is_list = false;
    for step in at.pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let is_plain = !step.is_empty()
            && step
                .chars()
                .all(|c| c.is_alphanumeric() || "_-".contains(c));
        match step.as_str() {
            index if is_list && index.bytes().all(|b| b.is_ascii_digit()) => {
                out.push_str(&format!("[{index}]"));
            }
            name if is_plain => out.push_str(&format!(".{name}")),
            name if name.contains(['\'', '"', '\\']) => return None,
            name => out.push_str(&format!("['{name}']")),
        }
        is_list = LISTS.contains(&step.as_str());
    }
    Some(out.into())
}
