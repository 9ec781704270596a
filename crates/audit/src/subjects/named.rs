//! Whose values one record holds.
//! Exports `Named`.
//! Made by `Subjects::of_event`; read by `sealed`, which seals, and by the queue.
//! Start reading at `Named`.

use std::sync::Arc;

use super::table::Subject;

/// The persons of one record.
#[derive(Default)]
pub(crate) struct Named {
    /// Whom an integration states.
    pub stated: Option<Arc<Subject>>,
    /// Each object that is a person: its place among the record's objects, and whose key its id is sealed under.
    pub objects: Vec<(u32, Arc<Subject>)>,
    /// Whoever else may stand in its sentences.
    pub others: Option<Arc<Subject>>,
}

impl Named {
    pub(crate) fn is_empty(&self) -> bool {
        self.stated.is_none() && self.objects.is_empty() && self.others.is_none()
    }

    /// All of them, each once.
    pub(crate) fn all(&self) -> Vec<&Arc<Subject>> {
        let mut all: Vec<&Arc<Subject>> = Vec::with_capacity(1 + self.objects.len());
        let objects = self.objects.iter().map(|(_, subject)| subject);
        for subject in self.stated.iter().chain(objects).chain(&self.others) {
            if !all.iter().any(|known| known.id == subject.id) {
                all.push(subject);
            }
        }
        all
    }
}
