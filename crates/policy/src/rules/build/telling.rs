//! Granted fields that probably tell of nested objects which are left out: a count of a list beside it, an id of one of its items.
//! Exports the part of `Build` that says so at the grant.
//! Used by `Build::integration`.
//! Start reading at `Build::note_telling`.

use std::collections::BTreeSet;

use model::likeness;

use super::super::{Entry, Integration, Operation};
use super::Build;
use crate::parameters::ParameterNote;
use crate::plan::{KindId, Place, Plan};

/// Words for a number of things.
const COUNTS: [&str; 6] = ["count", "total", "size", "length", "num", "sum"];
/// Words for what names a thing.
const IDS: [&str; 5] = ["id", "uuid", "guid", "key", "ref"];
/// Words for one of a row.
const ENDS: [&str; 6] = ["first", "last", "next", "previous", "latest", "oldest"];

/// A field that tells of others.
struct Told {
    /// Steps to it, as they are written in a grant.
    path: Vec<String>,
    /// The list beside it.
    list: String,
    kind: KindId,
    /// It is declared as a count or a cursor, so that it is withheld.
    is_declared: bool,
}

impl Build {
    /// What stands beside lists of nested objects and tells of them.
    pub(super) fn note_telling(&mut self, done: &Integration) {
        let mut notes = Vec::new();
        for (reference, entry) in done.entries.iter() {
            if let Some(operation) = self.rules.op(reference) {
                self.told_in(operation, entry, done, &mut notes);
            }
        }
        for note in notes {
            if !self.rules.parameter_notes.contains(&note) {
                self.rules.parameter_notes.push(note);
            }
        }
    }

    fn told_in(
        &self,
        operation: &Operation,
        entry: &Entry,
        done: &Integration,
        notes: &mut Vec<ParameterNote>,
    ) {
        for (bit, grant) in (0u32..).zip(&entry.grants) {
            let plan = entry.plan(operation, 1u64.checked_shl(bit).unwrap_or(0));
            let mut search = Search {
                plan: &plan,
                done,
                seen: BTreeSet::new(),
                found: Vec::new(),
            };
            for start in plan.starts() {
                search.place(start, &mut Vec::new());
            }
            let told = search.found.into_iter();
            notes.extend(told.map(|told| ParameterNote {
                rule: grant.rule.clone(),
                message: self.told_note(operation, &told),
                help: if told.is_declared {
                    "Take it out of `fields`, or say in the overlay that it tells nothing of them (`x-portcullis-page: plain`)."
                } else {
                    "Take it out of `fields`, or say in the overlay what it is: `x-portcullis-page: count` withholds it where objects may be left out, `plain` says that it tells nothing of them."
                }
                .into(),
            }));
        }
    }

    fn told_note(&self, operation: &Operation, told: &Told) -> String {
        let schema = self.rules.kind(told.kind).map_or("object", |k| &*k.schema);
        let (path, list, id) = (told.path.join("."), &told.list, &operation.id);
        if told.is_declared {
            format!("`{path}` of `{id}` is withheld: a `{schema}` may be left out beside it")
        } else {
            format!(
                "`{path}` of `{id}` may tell of a `{schema}` that is left out of `{list}` beside it"
            )
        }
    }
}

struct Search<'p> {
    plan: &'p Plan,
    done: &'p Integration,
    seen: BTreeSet<usize>,
    found: Vec<Told>,
}

impl Search<'_> {
    fn place(&mut self, index: usize, at: &mut Vec<String>) {
        let Some(place) = self.plan.place(index).filter(|_| self.seen.insert(index)) else {
            return;
        };
        for (name, below) in &place.members {
            let Some(below) = *below else { continue };
            at.push(name.to_string());
            self.told(place, name, below, at);
            self.place(below, at);
            at.pop();
        }
        for below in place.items.iter().chain(&place.values) {
            at.push("*".to_owned());
            self.place(*below, at);
            at.pop();
        }
    }

    /// Notes a value that tells of a list of nested objects beside it.
    fn told(&mut self, place: &Place, name: &str, below: usize, at: &[String]) {
        let here = self.plan.place(below);
        if !here
            .is_some_and(|here| here.leaf.is_some() && here.page != Some(model::PageField::Plain))
        {
            return;
        }
        let is_hidden = |kind: &&KindId| self.done.may_hide(**kind);
        let declared = place.told_by(name).iter().find(is_hidden);
        let lists = place.members.iter().filter_map(|(list, below)| {
            let kinds = &self.plan.place((*below)?)?.gaps.as_ref()?.kinds;
            Some((list, *kinds.iter().find(is_hidden)?))
        });
        let told = lists
            .filter(|(list, _)| declared.is_some() || speaks_of(name, list))
            .map(|(list, kind)| Told {
                path: at.to_vec(),
                list: list.to_string(),
                kind,
                is_declared: declared.is_some(),
            })
            .next();
        self.found.extend(told);
    }
}

/// Whether a name speaks of a list: `stopCount`, `totalStops` and `firstStopId` of `stops`, `count` and `firstId` of `items`.
fn speaks_of(name: &str, list: &str) -> bool {
    let (words, list) = (likeness::words(name), likeness::words(list));
    let is_one_of = |all: &[&str]| words.iter().any(|word| all.contains(&word.as_str()));
    let is_count = is_one_of(&COUNTS);
    let has_id = is_one_of(&IDS) && words.len() > 1;
    let of_list = |word: &String| {
        list.last()
            .is_some_and(|last| last == word || likeness::words(word).last() == Some(last))
    };
    let says_more = words.iter().any(of_list);
    let is_bare = matches!(words.as_slice(), [one] if one == "count" || one == "total");
    let is_end = words.len() == 2 && is_one_of(&ENDS);
    (is_count && (says_more || is_bare)) || (has_id && (says_more || is_end))
}

#[cfg(test)]
mod tests {
    use super::speaks_of;

    #[test]
    fn counts_and_ids_of_a_list_are_known_by_their_names() {
        for (name, list) in [
            ("count", "items"),
            ("total", "items"),
            ("firstId", "items"),
            ("stopCount", "stops"),
            ("totalStops", "stops"),
            ("number_of_stops_total", "stops"),
            ("lastStopId", "stops"),
            ("stopIds", "stops"),
        ] {
            assert!(speaks_of(name, list), "{name} beside {list}");
        }
        for (name, list) in [
            ("id", "items"),
            ("customerId", "stops"),
            ("totalPrice", "lines"),
            ("status", "stops"),
            ("name", "items"),
            ("stop", "stops"),
        ] {
            assert!(!speaks_of(name, list), "{name} beside {list}");
        }
    }
}
