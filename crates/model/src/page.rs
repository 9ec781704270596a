//! What a list's parameters ask about, and what its answer says of the page besides its objects.
//! Exports `Reveals`, `StatedField`, `PageParameter`, `Asks` and `PageField`: facts of a contract as plain data.
//! Made by contract (from overlays); read by policy (which parameters may be used) and gateway (cursors, counts).
//! Start reading at `Reveals`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::FieldPath;

/// The fields a parameter asks about (`x-portcullis-filters`): whoever may use it learns something of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reveals {
    /// These, whatever its value is; none for a parameter that tells nothing, such as the size of a page.
    Fields(Vec<FieldPath>),
    /// These, by value: `sort: { createdAt: [createdAt], margin: [totals.margin] }`. Other values are not usable.
    ByValue(BTreeMap<Arc<str>, Vec<FieldPath>>),
}

impl Reveals {
    /// What is asked about where both are said of one thing: everything that either names, and only values that both name.
    #[must_use]
    pub fn and(self, other: Reveals) -> Reveals {
        match (self, other) {
            (Reveals::ByValue(values), Reveals::ByValue(mut more)) => {
                let both = values.into_iter().filter_map(|(value, mut paths)| {
                    paths.extend(more.remove(&value)?);
                    Some((value, paths))
                });
                Reveals::ByValue(both.collect())
            }
            (one, other) => Reveals::Fields(one.paths().chain(other.paths()).cloned().collect()),
        }
    }

    /// Every field that is named.
    pub fn paths(&self) -> impl Iterator<Item = &FieldPath> {
        let (all, by_value) = match self {
            Reveals::Fields(paths) => (Some(paths), None),
            Reveals::ByValue(values) => (None, Some(values.values().flatten())),
        };
        all.into_iter()
            .flatten()
            .chain(by_value.into_iter().flatten())
    }
}

/// One field that a parameter is declared to ask about, and where that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedField {
    /// The field.
    pub path: FieldPath,
    /// File of the contract or overlay, as the contract names it.
    pub file: Arc<str>,
    /// JSON pointer in it.
    pub pointer: Arc<str>,
}

/// What a place of a request body asks about, where the operation only reads: what a parameter would say of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// The fields it asks about (`x-portcullis-filters`); `None` where it is only said which part it has in paging.
    pub reveals: Option<Reveals>,
    /// Those fields again, each with the place where it is named.
    pub stated: Vec<StatedField>,
    /// Its part in paging (`x-portcullis-page`).
    pub page: Option<PageParameter>,
}

/// The part a parameter has in paging (`x-portcullis-page`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageParameter {
    /// Where the page begins: what an earlier answer's cursor said.
    Cursor,
    /// How many items a page has.
    Size {
        /// When it is not sent (`default`).
        usual: Option<u32>,
        /// At most (`maximum`).
        max: Option<u32>,
    },
}

/// What a field beside the objects says of the page (`x-portcullis-page`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageField {
    /// Where the next page begins.
    Cursor,
    /// How many objects, or how many pages of them, there are.
    Count,
    /// Nothing about the objects.
    Plain,
}

impl PageField {
    /// The words used in overlays.
    pub const WORDS: [&'static str; 3] = ["cursor", "count", "plain"];

    /// Reads the word used in overlays.
    pub fn parse(word: &str) -> Option<PageField> {
        match word {
            "cursor" => Some(PageField::Cursor),
            "count" => Some(PageField::Count),
            "plain" => Some(PageField::Plain),
            _ => None,
        }
    }
}

impl PageParameter {
    /// The words used in overlays.
    pub const WORDS: [&'static str; 2] = ["cursor", "size"];
}
