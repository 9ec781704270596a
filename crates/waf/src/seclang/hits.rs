//! Which patterns may match anything at all, and on which sides of the message.
//! Exports `Hits`. A benign message has next to none, so most rules end at one comparison.
//! Used by `Transaction::phase`.
//! Start reading at `Hits::look`.

use super::prefilter_cache::PrefilterCache;
use super::program::{Gate, LEVEL_MAX, RuleSet};
use super::sides::{self, SIDES, Sides};
use super::store::Store;
use super::texts::TextId;
use crate::field_plan::CrsLive;

/// Candidates found so far. They are never taken back: too many cost time, never a match.
#[derive(Debug, Default)]
pub(super) struct Hits {
    /// For each pattern the sides on which a text may match it.
    by_pattern: Vec<Sides>,
    /// How many entries of each collection were looked at.
    seen: Vec<usize>,
    /// The text of each single variable that was looked at.
    singles: Vec<Option<TextId>>,
    /// Patterns of rules above this level were not looked for.
    level: u8,
    familiar: PrefilterCache,
    found: Vec<u64>,
    wanted: Vec<u64>,
}

impl Hits {
    /// Forgets the last message.
    pub(super) fn reset(&mut self, rules: &RuleSet) {
        self.level = LEVEL_MAX;
        self.familiar.belong(rules.serial, rules.stride());
        self.by_pattern.clear();
        self.by_pattern.resize(rules.patterns.len(), 0);
        self.seen.clear();
        self.seen.resize(SIDES, 0);
        self.singles.clear();
        self.singles.resize(SIDES, None);
    }

    /// Whether a text the gate looks at may match its pattern.
    pub(super) fn open(&self, gate: &Gate) -> bool {
        if gate.level > self.level {
            // The rules skip what is above their level; if they do not, nothing is known here.
            return true;
        }
        let hits = self.by_pattern.get(gate.pattern).copied().unwrap_or(0);
        hits & gate.sides != 0
    }

    /// From now on nothing is looked for that only rules above the level ask. It never rises again: what was
    /// looked at before would lack it.
    pub(super) fn lower(&mut self, level: u8) {
        self.level = self.level.min(level);
    }

    /// Looks at everything new on these sides, as long as `work_max` lasts.
    pub(super) fn look(
        &mut self,
        wanted: Sides,
        store: &mut Store<'_>,
        rules: &RuleSet,
        fields: &[&CrsLive],
        work_max: u64,
    ) {
        for side in sides::each(wanted) {
            let Some((collection, by_name)) = sides::collection_of(side) else {
                self.look_at_single(side, store, rules);
                continue;
            };
            let from = self.seen.get(side).copied().unwrap_or(0);
            let to = store.collection(collection).len();
            for number in from..to {
                let entry = store.collection(collection).get(number).copied();
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
        live: Option<&CrsLive>,
        store: &mut Store<'_>,
        rules: &RuleSet,
    ) {
        let asked = rules.asked_of(self.level, side);
        self.found.clear();
        self.found.resize(rules.stride(), 0);
        match live {
            None => self.ask(side, text, asked, store),
            Some(live) => {
                let both = asked.iter().zip(&live.patterns);
                self.wanted.clear();
                self.wanted.extend(both.map(|(asked, live)| asked & live));
                if self.wanted.iter().any(|word| *word != 0) {
                    store.texts.reach(text, &self.wanted, &mut self.found);
                }
            }
        }
        self.note(side);
    }

    /// Asks everything that rules ask about a side; texts that come with every message are asked once.
    fn ask(&mut self, side: usize, text: TextId, asked: &[u64], store: &mut Store<'_>) {
        if let Some((found, work)) = self.familiar.get(self.level, side, store.texts.bytes(text)) {
            self.found.copy_from_slice(found);
            store.texts.work = store.texts.work.saturating_add(work);
            return;
        }
        let before = store.texts.work;
        store.texts.reach(text, asked, &mut self.found);
        let work = store.texts.work.saturating_sub(before);
        let bytes = store.texts.bytes(text);
        self.familiar
            .put(self.level, side, bytes, &self.found, work);
    }

    /// Keeps the patterns found, with the side they were found on.
    fn note(&mut self, side: usize) {
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
