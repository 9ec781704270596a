//! What a contract says about the texts of a field.
//! Exports `Language` and `Languages`, the list a contract's shapes point into.
//! Made by `shape`; read by whoever proves that a rule cannot match such texts.
//! Start reading at `Language`.

use std::collections::HashMap;
use std::sync::Arc;

/// Number of [`Language::Free`] in every list.
pub const FREE: usize = 0;
/// Number of [`Language::Integer`] in every list.
pub const INTEGER: usize = 1;
/// Number of [`Language::Number`] in every list.
pub const NUMBER: usize = 2;
/// Number of [`Language::Boolean`] in every list.
pub const BOOLEAN: usize = 3;
/// Number of [`Language::Address`] in every list.
pub const ADDRESS: usize = 4;

/// Most languages of one contract. Beyond it a text counts as free.
const LANGUAGES_MAX: usize = 4_096;

/// The texts a place admits. Never narrower than the schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Anything.
    Free,
    /// A JSON number that is written with digits and a sign only.
    Integer,
    /// A JSON number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An address that somebody may call: `format: uri`, `uri-reference`, `iri`, `iri-reference` (RFC 3986, RFC 3987) or
    /// `url`. It proves nothing; inspection asks more of such texts, whether a schema vouched for them or not.
    Address,
    /// `format: uuid`
    Uuid,
    /// `format: date`
    Date,
    /// `format: date-time`
    DateTime,
    /// One of these texts (`enum`, `const`), in order, each once.
    Values(Vec<Arc<str>>),
    /// Texts in which a pattern matches; anchors are the pattern's own.
    Pattern {
        /// The pattern as the contract writes it.
        source: Arc<str>,
        /// `maxLength`, in characters.
        length_max: Option<usize>,
    },
}

/// Every language of a contract once, by number.
#[derive(Clone, Debug)]
pub(crate) struct Languages {
    pub(crate) all: Vec<Language>,
    known: HashMap<Language, usize>,
}

impl Default for Languages {
    fn default() -> Self {
        let mut languages = Languages {
            all: Vec::new(),
            known: HashMap::new(),
        };
        // Those that every list begins with, in the order of their numbers.
        for language in [
            Language::Free,
            Language::Integer,
            Language::Number,
            Language::Boolean,
            Language::Address,
        ] {
            languages.number(language);
        }
        languages
    }
}

impl Languages {
    /// The number of a language.
    pub(crate) fn number(&mut self, language: Language) -> usize {
        if let Some(known) = self.known.get(&language) {
            return *known;
        }
        let number = self.all.len();
        if number >= LANGUAGES_MAX {
            return FREE;
        }
        self.all.push(language.clone());
        self.known.insert(language, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_one_number_and_the_fixed_ones_are_first() {
        let mut languages = Languages::default();
        assert_eq!(languages.number(Language::Free), FREE);
        assert_eq!(languages.number(Language::Integer), INTEGER);
        assert_eq!(languages.number(Language::Number), NUMBER);
        assert_eq!(languages.number(Language::Boolean), BOOLEAN);
        assert_eq!(languages.number(Language::Address), ADDRESS);
        let first = languages.number(Language::Uuid);
        assert_eq!((first, languages.number(Language::Uuid)), (5, 5));
    }

    #[test]
    fn beyond_the_bound_a_text_counts_as_free() {
        let mut languages = Languages::default();
        for number in 0..LANGUAGES_MAX {
            languages.number(Language::Values(vec![number.to_string().into()]));
        }
        assert_eq!(languages.number(Language::Uuid), FREE);
        assert_eq!(languages.all.len(), LANGUAGES_MAX);
    }
}
