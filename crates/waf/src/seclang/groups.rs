//! Target lists resolved once per phase, and their texts at the end of each chain.
//! Gives `Groups`. Everything lies in four vectors, so that a phase allocates next to nothing.
//! Used by `run`.
//! Start reading at `Groups::get`.

use super::program::{Link, RuleSet, TargetSet};
use super::store::Store;
use super::targets::{Matched, Value, resolve};
use super::texts::{TextId, marked};
use std::ops::Range;

/// The groups of one phase.
#[derive(Debug, Default)]
pub(super) struct Groups {
    lists: Vec<Option<Range<usize>>>,
    values: Vec<Value>,
    groups: Vec<Option<Group>>,
    derived: Vec<TextId>,
    unions: Vec<u64>,
}

/// Where a group lies.
#[derive(Clone, Debug)]
pub(super) struct Group {
    values: Range<usize>,
    derived: usize,
    /// All patterns that may match any text of the group, once asked for.
    union: Option<usize>,
}

impl Group {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }
}

impl Groups {
    /// Forgets the last phase.
    pub(super) fn reset(&mut self, rules: &RuleSet) {
        self.lists.clear();
        self.lists.resize(rules.target_sets.len(), None);
        self.groups.clear();
        self.groups.resize(rules.groups, None);
        self.values.clear();
        self.derived.clear();
        self.unions.clear();
    }

    /// The group of a link; with `scan` its patterns are known too.
    pub(super) fn get(
        &mut self,
        link: &Link,
        set: &TargetSet,
        store: &mut Store<'_>,
        rules: &RuleSet,
        scan: bool,
    ) -> Group {
        let known = self.groups.get(link.group).cloned().flatten();
        let mut group = match known {
            Some(group) => group,
            None => self.make(link, set, store, rules),
        };
        if scan && group.union.is_none() {
            group.union = Some(self.unite(&group, store, rules));
        }
        if let Some(place) = self.groups.get_mut(link.group) {
            *place = Some(group.clone());
        }
        group
    }

    fn make(
        &mut self,
        link: &Link,
        set: &TargetSet,
        store: &mut Store<'_>,
        rules: &RuleSet,
    ) -> Group {
        let chain = rules
            .chains
            .get(link.chain)
            .map(|chain| &**chain)
            .unwrap_or_default();
        let values = self.list(link.targets, set, store);
        let derived = self.derived.len();
        for value in self.values.get(values.clone()).unwrap_or_default() {
            self.derived.push(store.texts.derive(value.text, chain));
        }
        Group {
            values,
            derived,
            union: None,
        }
    }

    /// The values of a target list that stays the same for the whole phase.
    pub(super) fn list(
        &mut self,
        number: usize,
        set: &TargetSet,
        store: &mut Store<'_>,
    ) -> Range<usize> {
        if let Some(known) = self.lists.get(number).cloned().flatten() {
            return known;
        }
        let from = self.values.len();
        resolve(set, store, &Matched::default(), &mut self.values);
        let range = from..self.values.len();
        if let Some(place) = self.lists.get_mut(number) {
            *place = Some(range.clone());
        }
        range
    }

    fn unite(&mut self, group: &Group, store: &mut Store<'_>, rules: &RuleSet) -> usize {
        let words = rules.patterns.len().div_ceil(64);
        let from = self.unions.len();
        self.unions.resize(from + words, 0);
        let texts = self
            .derived
            .get(group.derived..group.derived + group.len())
            .unwrap_or_default();
        for text in texts {
            store.texts.scan(*text);
            let all = self.unions.get_mut(from..).unwrap_or_default();
            for (all, one) in all.iter_mut().zip(store.texts.candidates(*text)) {
                *all |= one;
            }
        }
        from
    }

    /// Whether a pattern may match any text of the group.
    pub(super) fn may_match(&self, group: &Group, pattern: u32) -> bool {
        let union = group
            .union
            .and_then(|from| self.unions.get(from..))
            .unwrap_or_default();
        marked(union, pattern)
    }

    /// A value of the group and its text at the end of the chain.
    pub(super) fn at(&self, group: &Group, number: usize) -> Option<(Value, TextId)> {
        let value = self.value(group.values.start + number)?;
        Some((value, *self.derived.get(group.derived + number)?))
    }

    /// A value of a list.
    pub(super) fn value(&self, number: usize) -> Option<Value> {
        self.values.get(number).copied()
    }
}
