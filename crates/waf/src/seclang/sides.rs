//! Where texts stand, as bits: each collection's values, each collection's names, each single variable.
//! Exports `Sides`. A pattern that no text of a rule's sides may match costs the rule one comparison.
//! Used by `compile`, which gives every link its sides, and by `run`.
//! Start reading at `of_collection`.

use super::collection::Collection;
use super::variable::Variable;

/// A set of sides, one bit each.
pub(super) type Sides = u64;

/// How many sides there can be.
pub(super) const SIDES: usize = 64;

const COLLECTION_SIDES: usize = Collection::COUNT * 2;

/// The side of a collection: of its values or of its names.
pub(super) const fn of_collection(collection: Collection, by_name: bool) -> usize {
    collection as usize * 2 + by_name as usize
}

/// The side of a variable that has one value.
pub(super) const fn of_single(variable: Variable) -> usize {
    of_single_first() + variable as usize
}

/// The sides of single variables begin where those of collections end.
pub(super) const fn of_single_first() -> usize {
    COLLECTION_SIDES
}

/// The collection a side belongs to, and whether it shows names. `None`: a single variable.
pub(super) fn collection_of(side: usize) -> Option<(Collection, bool)> {
    let collection = Collection::ALL.get(side / 2)?;
    Some((*collection, side % 2 == 1))
}

/// The sides of a set, in ascending order.
pub(super) fn each(sides: Sides) -> impl Iterator<Item = usize> {
    let mut left = sides;
    std::iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        let side = usize::try_from(left.trailing_zeros()).ok()?;
        left &= left - 1;
        Some(side)
    })
}
