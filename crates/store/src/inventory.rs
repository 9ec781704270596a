//! What a store holds, as one sealed statement beside its records: how many there are, and the sum of a keyed mark of each.
//! Exports `Inventory`. Whoever can write the file, and has no key, can neither put an old record back nor take one away
//! without the statement saying so.
//! Used by `Store` alone: read with all records when it is opened, written with every transaction.
//! Start reading at `Inventory::read`, then at `Inventory::after`.
//!
//! Marks follow from a key, and neither they nor their sum stand readable anywhere; so nobody can look for records whose
//! marks add up to the same. The statement and every record at once can be put back still: that is an older store, and the
//! ledger tells (`control::reconcile`).

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::Fault;
use crate::backend::Row;
use crate::seal::{KEY_VERSION_OLD, Mark, Place, Sealer};

/// Name of the statement in the backend's named values.
pub(crate) const INVENTORY: &str = "inventory";

/// Form of the statement: form 1 | version at which the root began 8 | count 8 | sum 32.
const FORM: u8 = 1;
const LENGTH: usize = 1 + 8 + 8 + 32;

/// Messages that one key may seal (see [`crypto::SealKey`]). Every transaction takes at least one version, and one of each
/// key's allowance at most for each version.
const SEALS_MAX: u64 = 1 << 32;

/// What the store holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inventory {
    /// As it stands in the backend; `None` where there is none yet.
    sealed: Option<Vec<u8>>,
    /// The version at which the present root began to seal.
    since: u64,
    count: u64,
    sum: Sum,
    marks: BTreeMap<String, BTreeMap<String, Mark>>,
}

/// Marks added up modulo 2^256: the order of the records plays no part, and one can be added or taken away alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum([u64; 4]);

/// A record that a transaction leaves or takes away.
pub(crate) type Left = (String, String, Option<Mark>);

/// The statement for after a transaction.
pub(crate) struct Next {
    since: u64,
    count: u64,
    sum: Sum,
    left: Vec<Left>,
}

impl Inventory {
    /// Reads the statement and holds the records against it. `None` where there is none, and nothing that only a store with one
    /// could hold.
    ///
    /// # Errors
    /// [`Fault::NotAsWritten`] when the records are not those that were written last.
    pub(crate) fn read(
        sealer: &Sealer,
        sealed: Option<Vec<u8>>,
        rows: &[(String, Row)],
    ) -> Result<Option<Inventory>, Fault> {
        let Some(sealed) = sealed else {
            let is_old = |(_, row): &(String, Row)| row.key_version == KEY_VERSION_OLD;
            return if rows.iter().all(is_old) {
                Ok(None)
            } else {
                Err(not_as_written("the statement of what it holds is missing"))
            };
        };
        let stated = sealer
            .open(Place::Inventory, &sealed)
            .and_then(|plain| parse(&plain))
            .ok_or_else(|| not_as_written("the statement of what it holds does not open"))?;
        let mut found = Inventory {
            sealed: Some(sealed),
            since: stated.since,
            ..Inventory::default()
        };
        for (kind, row) in rows {
            found.keep(kind, &row.id, Some(sealer.mark(kind, row)));
        }
        if found.count != stated.count {
            let (found, stated) = (found.count, stated.count);
            return Err(not_as_written(&format!(
                "it holds {found} records, and held {stated} when it was written last"
            )));
        }
        if found.sum != stated.sum {
            return Err(not_as_written(
                "of its records one at least was replaced by another, such as an older one",
            ));
        }
        Ok(Some(found))
    }

    /// As it stands in the backend.
    pub(crate) fn sealed(&self) -> Option<&[u8]> {
        self.sealed.as_deref()
    }

    /// The mark of a record; `None` when there is none.
    pub(crate) fn mark(&self, kind: &str, id: &str) -> Option<Mark> {
        self.marks.get(kind)?.get(id).copied()
    }

    /// Ids of a kind behind one, in order.
    pub(crate) fn ids_after<'a>(
        &'a self,
        kind: &str,
        after: &'a str,
    ) -> impl Iterator<Item = &'a str> {
        let behind: (Bound<&str>, Bound<&str>) = (Bound::Excluded(after), Bound::Unbounded);
        let ids = self.marks.get(kind).into_iter();
        ids.flat_map(move |ids| ids.range::<str, _>(behind))
            .map(|(id, _)| id.as_str())
    }

    /// The statement for after a transaction that leaves these records, in its order.
    ///
    /// # Errors
    /// [`Fault::WornOut`] when the keys have sealed as much as they may.
    pub(crate) fn after(&self, left: Vec<Left>, version: u64) -> Result<Next, Fault> {
        if version.saturating_sub(self.since) >= SEALS_MAX {
            return Err(Fault::WornOut { max: SEALS_MAX });
        }
        let (mut count, mut sum) = (self.count, self.sum);
        let mut now: BTreeMap<(&str, &str), Option<Mark>> = BTreeMap::new();
        for (kind, id, mark) in &left {
            let before = now.insert((kind.as_str(), id.as_str()), *mark);
            let before = before.unwrap_or_else(|| self.mark(kind, id));
            change(&mut count, &mut sum, before, *mark);
        }
        drop(now);
        Ok(Next {
            since: self.since,
            count,
            sum,
            left,
        })
    }

    /// Takes the statement, as it was sealed, for what the store holds from here on.
    pub(crate) fn adopt(&mut self, next: Next, sealed: Vec<u8>) {
        for (kind, id, mark) in next.left {
            self.keep(&kind, &id, mark);
        }
        self.sealed = Some(sealed);
        self.since = next.since;
    }

    fn keep(&mut self, kind: &str, id: &str, mark: Option<Mark>) {
        let before = match (self.marks.get_mut(kind), mark) {
            (Some(ids), Some(mark)) => ids.insert(id.to_owned(), mark),
            (Some(ids), None) => ids.remove(id),
            (None, Some(mark)) => {
                let ids = BTreeMap::from([(id.to_owned(), mark)]);
                self.marks.insert(kind.to_owned(), ids);
                None
            }
            (None, None) => None,
        };
        change(&mut self.count, &mut self.sum, before, mark);
    }

    /// A statement for a store of which every record is sealed anew, at this version.
    pub(crate) fn anew(left: Vec<Left>, version: u64) -> Result<Next, Fault> {
        let since = version.saturating_sub(1);
        Inventory {
            since,
            ..Inventory::default()
        }
        .after(left, version)
    }
}

impl Next {
    /// As it goes to the backend.
    pub(crate) fn seal(&self, sealer: &Sealer) -> Vec<u8> {
        let mut plain = Vec::with_capacity(LENGTH);
        plain.push(FORM);
        plain.extend_from_slice(&self.since.to_le_bytes());
        plain.extend_from_slice(&self.count.to_le_bytes());
        plain.extend(self.sum.0.iter().flat_map(|word| word.to_le_bytes()));
        sealer.seal(Place::Inventory, &plain)
    }
}

/// What a statement says.
#[derive(Debug, PartialEq, Eq)]
struct Stated {
    since: u64,
    count: u64,
    sum: Sum,
}

/// Reads what a seal held.
fn parse(plain: &[u8]) -> Option<Stated> {
    let (&FORM, rest) = plain.split_first()? else {
        return None;
    };
    let (words, rest) = rest.as_chunks::<8>();
    let words: [u64; 6] = <[[u8; 8]; 6]>::try_from(words)
        .ok()?
        .map(u64::from_le_bytes);
    let [since, count, a, b, c, d] = words;
    rest.is_empty().then_some(Stated {
        since,
        count,
        sum: Sum([a, b, c, d]),
    })
}

fn change(count: &mut u64, sum: &mut Sum, before: Option<Mark>, now: Option<Mark>) {
    if let Some(mark) = before {
        *count = count.wrapping_sub(1);
        sum.take(&mark);
    }
    if let Some(mark) = now {
        *count = count.wrapping_add(1);
        sum.add(&mark);
    }
}

impl Sum {
    fn add(&mut self, mark: &Mark) {
        let mut carry = false;
        for (word, other) in self.0.iter_mut().zip(words(mark)) {
            let (sum, first) = word.overflowing_add(other);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = first || second;
        }
    }

    fn take(&mut self, mark: &Mark) {
        let mut borrow = false;
        for (word, other) in self.0.iter_mut().zip(words(mark)) {
            let (rest, first) = word.overflowing_sub(other);
            let (rest, second) = rest.overflowing_sub(u64::from(borrow));
            *word = rest;
            borrow = first || second;
        }
    }
}

fn words(mark: &Mark) -> impl Iterator<Item = u64> {
    let (words, _) = mark.as_chunks::<8>();
    words.iter().map(|word| u64::from_le_bytes(*word))
}

fn not_as_written(what: &str) -> Fault {
    Fault::NotAsWritten {
        what: what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_statement_is_as_long_as_it_is_and_of_one_form() {
        let mut plain = vec![0; LENGTH];
        assert_eq!(parse(&plain), None, "form 0");
        plain[0] = FORM;
        let nothing = Stated {
            since: 0,
            count: 0,
            sum: Sum::default(),
        };
        assert_eq!(parse(&plain), Some(nothing));
        for length in 0..LENGTH {
            assert_eq!(parse(&plain[..length]), None, "{length}");
        }
        plain.push(0);
        assert_eq!(parse(&plain), None);
    }

    #[test]
    fn a_key_seals_no_more_than_it_may() {
        let new = Inventory::anew(Vec::new(), 7).unwrap();
        let mut inventory = Inventory::default();
        inventory.adopt(new, Vec::new());
        assert!(inventory.after(Vec::new(), 5 + SEALS_MAX).is_ok());
        assert!(matches!(
            inventory.after(Vec::new(), 6 + SEALS_MAX),
            Err(Fault::WornOut { .. })
        ));
    }

    proptest! {
        /// Whatever was added and taken away on the way, the sum is that of what is left.
        #[test]
        fn the_sum_is_that_of_what_is_left(steps in prop::collection::vec((0..5_u8, prop::option::of(any::<Mark>())), 0..60)) {
            let mut inventory = Inventory::default();
            let mut map = BTreeMap::new();
            for chunk in steps.chunks(3) {
                let left = chunk.iter().map(|(id, mark)| ("kind".to_owned(), id.to_string(), *mark)).collect();
                let next = inventory.after(left, 1).unwrap();
                let (count, sum) = (next.count, next.sum);
                inventory.adopt(next, Vec::new());
                prop_assert_eq!((inventory.count, inventory.sum), (count, sum));
                for (id, mark) in chunk {
                    match mark {
                        Some(mark) => drop(map.insert(*id, *mark)),
                        None => drop(map.remove(id)),
                    }
                }
            }
            let mut sum = Sum::default();
            map.values().rev().for_each(|mark| sum.add(mark));
            prop_assert_eq!((inventory.count, inventory.sum), (map.len() as u64, sum));
        }
    }
}
