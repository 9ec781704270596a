//! How an answer reads where nothing may be seen: lists and maps are empty, whether the upstream hides something there, leaves
//! them out, says `null` or says nothing at all.
//! Exports the steps of `Walk` that see to it.
//! Used by release.
//! Start reading at `Walk::has_gaps`; which places are meant is worked out in `plan::gaps`.
//!
//! A list that the upstream leaves out has no place among the other members, so that what is empty stands behind them all.
//! An item that is about objects, and shows none, is left out with whatever else it holds.

use std::sync::Arc;

use model::{Json, Text};

use super::{At, Walk};
use crate::plan::{Gaps, Place, Plan, Step};
use crate::rules::Steps;

impl Walk<'_> {
    /// Whether objects may be left out in a place.
    pub(crate) fn has_gaps(&self, at: At<'_>) -> bool {
        let own = at.place.gaps.as_deref();
        if own.is_none() && at.within.count() == 0 {
            return false;
        }
        let hides = |gaps: &Gaps| self.hides(gaps, at.is_many);
        let inside = |place: &Place| place.gaps.as_deref().is_some_and(hides);
        own.is_some_and(hides) || self.levels.any(at.within, inside)
    }

    fn hides(&self, gaps: &Gaps, is_many: bool) -> bool {
        let mut kinds = gaps.kinds.iter();
        self.hides_own(gaps, is_many) || kinds.any(|kind| self.permit.may_hide(*kind))
    }

    /// The same of the operation's own objects.
    fn hides_own(&self, gaps: &Gaps, is_many: bool) -> bool {
        let is_of_many = gaps.has_many || (gaps.has_one && is_many);
        (self.is_gapped && is_of_many) || (self.leaves_out && gaps.has_one)
    }

    /// Whether an item stands for objects of the operation's own, so that it goes where none of them may be seen.
    pub(crate) fn is_about_own(&self, at: At<'_>) -> bool {
        let gaps = at.place.gaps.as_deref();
        self.is_gapped && gaps.is_some_and(|gaps| gaps.has_one || gaps.has_many)
    }

    /// Whether a member is declared to tell of objects beside it that may be left out.
    pub(crate) fn tells(&self, at: At<'_>, key: &str) -> bool {
        let of = |place: &Place| {
            let mut kinds = place.told_by(key).iter();
            kinds.any(|kind| self.permit.may_hide(*kind))
        };
        of(at.place) || (at.within.count() > 0 && self.levels.any(at.within, of))
    }

    /// Writes the members that hold nothing and were not written.
    pub(crate) fn fill(&mut self, plan: &Plan, at: At<'_>, written: &[&Text], is_first: &mut bool) {
        let gaps = at.place.gaps.as_deref();
        for position in gaps.into_iter().flat_map(|gaps| &gaps.filled) {
            let Some((name, place)) = at.place.members.get(*position) else {
                continue;
            };
            if written.iter().any(|known| ***known == **name) {
                continue;
            }
            let mark = self.levels.mark();
            let within = self.levels.enter(at.within, Step::Member(name));
            let below = Self::at(plan, *place, within, at.is_many);
            if let Some(below) = below.filter(|below| self.has_gaps(*below)) {
                self.member_key(name, is_first);
                self.blank(plan, below);
            }
            self.levels.leave(mark);
        }
    }

    /// Writes a place in which nothing may be seen.
    pub(crate) fn blank(&mut self, plan: &Plan, at: At<'_>) {
        if at.place.items.is_some() {
            return self.out.body.extend_from_slice(b"[]");
        }
        self.out.body.push(b'{');
        self.fill(plan, at, &[], &mut true);
        self.out.body.push(b'}');
    }
}

/// What is left of an answer in which nothing may be seen: only the cursor by which the caller goes on.
pub(crate) fn rest(response: &Json, cursor: Option<&Steps>) -> Json {
    let Some(steps) = cursor else {
        return Json::Null;
    };
    let value = steps.iter().try_fold(response, |here, step| here.get(step));
    match value {
        Some(Json::Text(text)) if text.is_empty() => Json::Null,
        Some(value @ (Json::Text(_) | Json::Number(_))) => alone(steps, value.clone()),
        _ => Json::Null,
    }
}

/// A value at some steps, and nothing else.
fn alone(steps: &[Arc<str>], value: Json) -> Json {
    let wrap = |inner: Json, step: &Arc<str>| Json::Object(vec![(Text::new(step), inner)]);
    steps.iter().rev().fold(value, wrap)
}
