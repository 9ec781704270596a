//! Which patterns may match anything at all, and on which sides of the message.
//! Gives `Hits`. A benign message has next to none, so most rules end at one comparison.
//! Used by `Transaction::phase`.
//! Start reading at `Hits::look`.

use crate::seclang::program::{Gate, RuleSet};
use crate::seclang::proof::Live;
use crate::seclang::sides::{self, SIDES, Sides};
use crate::seclang::store::Store;
use crate::seclang::texts::TextId;

/// Candidates found so far. They are never taken back: too many cost time, never a match.
#[derive(Debug, Default)]
pub(in crate::seclang) struct Hits {
    /// For each pattern the sides on which a text may match it.
    by_pattern: Vec<Sides>,
    /// How many entries of each collection were looked at.
    seen: Vec<usize>,
    /// The text of each single variable that was looked at.
    singles: Vec<Option<TextId>>,
    found: Vec<u64>,
    wanted: Vec<u64>,
}

impl Hits {
    /// Forgets the last message.
    pub(super) fn reset(&mut self, rules: &RuleSet) {
        self.by_pattern.clear();
        self.by_pattern.resize(rules.patterns.len(), 0);
        self.seen.clear();
        self.seen.resize(SIDES, 0);
        self.singles.clear();
        self.singles.resize(SIDES, None);
    }

    /// Whether a text the gate looks at may match its pattern.
    pub(super) fn open(&self, gate: &Gate) -> bool {
        let hits = self.by_pattern.get(gate.pattern).copied().unwrap_or(0);
        hits & gate.sides != 0
    }

    /// Looks at everything new on these sides, as long as `work_max` lasts.
    pub(super) fn look(
        &mut self,
        wanted: Sides,
        store: &mut Store<'_>,
        rules: &RuleSet,
        fields: &[&Live],
        work_max: u64,
    ) {
        for side in sides::each(wanted) {
            let Some((bag, by_name)) = sides::bag_of(side) else {
                self.look_at_single(side, store, rules);
                continue;
            };
            let from = self.seen.get(side).copied().unwrap_or(0);
            let to = store.bag(bag).len();
            for number in from..to {
                let entry = store.bag(bag).get(number).copied();
                if let Some(entry) = entry
                    && let Some(text) = entry.side(by_name)
                {
                    let field = usize::try_from(entry.field).unwrap_or(0);
                    let field = field.checked_sub(1).filter(|_| !by_name);
                    let live = field.and_then(|field| fields.get(field).copied());
                    self.text(side, text, live, store, rules);
                }
                if store.texts.work > work_max {
                    return;
                }
            }
            if let Some(seen) = self.seen.get_mut(side) {
                *seen = to;
            }
        }
    }

    fn look_at_single(&mut self, side: usize, store: &mut Store<'_>, rules: &RuleSet) {
        let text = store.single_of(side);
        let Some(seen) = self.singles.get_mut(side) else {
            return;
        };
        if *seen == text {
            return;
        }
        *seen = text;
        if let Some(text) = text {
            self.text(side, text, None, store, rules);
        }
    }

    fn text(
        &mut self,
        side: usize,
        text: TextId,
        live: Option<&Live>,
        store: &mut Store<'_>,
        rules: &RuleSet,
    ) {
        let asked = rules.asked_of(side);
        self.found.clear();
        self.found.resize(rules.stride(), 0);
        match live {
            None => store.texts.reach(text, asked, &mut self.found),
            Some(live) => {
                let both = asked.iter().zip(&live.patterns);
                self.wanted.clear();
                self.wanted.extend(both.map(|(asked, live)| asked & live));
                if self.wanted.iter().any(|word| *word != 0) {
                    store.texts.reach(text, &self.wanted, &mut self.found);
                }
            }
        }
        for (word, base) in self.found.iter().zip((0usize..).step_by(64)) {
            let mut left = *word;
            while left != 0 {
                let bit = usize::try_from(left.trailing_zeros()).unwrap_or(0);
                left &= left - 1;
                if let Some(hits) = self.by_pattern.get_mut(base + bit) {
                    *hits |= 1 << side;
                }
            }
        }
    }
}
