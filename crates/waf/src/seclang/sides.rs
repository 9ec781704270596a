//! Where texts stand, as bits: each collection's values, each collection's names, each single variable.
//! Exports `Sides`. A pattern that no text of a rule's sides may match costs the rule one comparison.
//! Used by `compile`, which gives every link its sides, and by `run`.
//! Start reading at `of_set`.

use super::ast::Variable;
use super::program::{TargetSet, Wanted};
use super::store::Bag;

/// A set of sides, one bit each.
pub(super) type Sides = u64;

/// How many sides there can be.
pub(super) const SIDES: usize = 64;

const BAG_SIDES: usize = Bag::COUNT * 2;

/// The side of a collection: of its values or of its names.
pub(super) const fn of_bag(bag: Bag, by_name: bool) -> usize {
    bag as usize * 2 + by_name as usize
}

/// The side of a variable that has one value.
pub(super) const fn of_single(variable: Variable) -> usize {
    of_single_first() + variable as usize
}

/// The sides of single variables begin where those of collections end.
pub(super) const fn of_single_first() -> usize {
    BAG_SIDES
}

/// The collection a side belongs to, and whether it shows names. `None`: a single variable.
pub(super) fn bag_of(side: usize) -> Option<(Bag, bool)> {
    let bag = Bag::ALL.get(side / 2)?;
    Some((*bag, side % 2 == 1))
}

/// All sides a target list looks at. `None`: it looks at something that is made while rules run.
pub(super) fn of_set(set: &TargetSet) -> Option<Sides> {
    set.wanted
        .iter()
        .try_fold(0, |sides, wanted| Some(sides | of_wanted(wanted)?))
}

fn of_wanted(wanted: &Wanted) -> Option<Sides> {
    let made = matches!(
        wanted.variable,
        Variable::Tx
            | Variable::MatchedVar
            | Variable::MatchedVars
            | Variable::ArgsCombinedSize
            | Variable::FilesCombinedSize
    );
    if wanted.count || made {
        return None;
    }
    let bags = bags_of(wanted.variable);
    if bags.is_empty() {
        return Some(1 << of_single(wanted.variable));
    }
    let sides = bags.iter().map(|(bag, by_name)| of_bag(*bag, *by_name));
    Some(sides.fold(0, |all, side| all | 1 << side))
}

/// The collections a variable gathers, and whether it gathers their names.
pub(super) fn bags_of(variable: Variable) -> &'static [(Bag, bool)] {
    match variable {
        Variable::Args => &[(Bag::ArgsGet, false), (Bag::ArgsPost, false)],
        Variable::ArgsNames => &[(Bag::ArgsGet, true), (Bag::ArgsPost, true)],
        Variable::ArgsGet => &[(Bag::ArgsGet, false)],
        Variable::ArgsGetNames => &[(Bag::ArgsGet, true)],
        Variable::Files => &[(Bag::Files, false)],
        Variable::FilesNames => &[(Bag::Files, true)],
        Variable::MultipartPartHeaders => &[(Bag::PartHeaders, false)],
        Variable::RequestCookies => &[(Bag::Cookies, false)],
        Variable::RequestCookiesNames => &[(Bag::Cookies, true)],
        Variable::RequestHeaders => &[(Bag::Headers, false)],
        Variable::RequestHeadersNames => &[(Bag::Headers, true)],
        Variable::ResponseHeaders => &[(Bag::ResponseHeaders, false)],
        Variable::XmlText => &[(Bag::XmlText, false)],
        Variable::XmlAttributes => &[(Bag::XmlAttributes, false)],
        _ => &[],
    }
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
