//! What drafts of operations are finished with: built validators, shapes and languages.
//! Exports `Workshop`.
//! Used by `operations` and `parts`.
//! Start reading at `Workshop`.

use model::Mistake;

use crate::definition::Definition;
use crate::docs::{At, Docs};
use crate::language::Languages;
use crate::lower::Direction;
use crate::shape::{Names, ShapeRules, shape_of};
use crate::validator::{Built, Validator};

/// What turning a draft into an operation needs.
pub(super) struct Workshop<'w, 'a> {
    pub(super) docs: &'a Docs,
    pub(super) names: &'a Names,
    pub(super) all: &'w [Definition<'a>],
    pub(super) built: &'w mut Built,
    pub(super) languages: &'w mut Languages,
    pub(super) is_30: bool,
    pub(super) closes: bool,
}

impl Workshop<'_, '_> {
    pub(super) fn validator(&mut self, id: usize) -> Result<Validator, Mistake> {
        self.built.get(id, self.all).map_err(|why| {
            let help =
                "correct the schema; it has to be valid in the dialect of its OpenAPI version";
            let message = format!("this schema cannot be compiled: {why}");
            match self.all.get(id) {
                Some(definition) => self.docs.mistake(&definition.origin, message, help),
                None => Mistake::new(message, help),
            }
        })
    }

    pub(super) fn shape(&mut self, places: &[At<'_>], direction: Direction) -> model::Shape {
        let rules = ShapeRules {
            direction,
            is_30: self.is_30,
            closes: self.closes,
        };
        shape_of(self.docs, self.names, self.languages, places, rules)
    }
}
