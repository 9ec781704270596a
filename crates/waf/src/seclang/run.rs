//! Runs the rules of a transaction, phase by phase.
//! Exports `Transaction`, `Event`, `Mode`.
//! Used by `inspect` and by the regression suite.
//! Start reading at `Transaction::phase`: skip, ask, act, log.

mod effects;
mod message;
mod question;

use super::ast::{Disrupt, IdRange};
use super::hits::Hits;
use super::lists::Lists;
use super::memory::{self, Memory};
use super::operator::Operator;
use super::program::{LEVEL_MAX, Link, Quick, Rule, RuleSet, Wanted};
use super::store::Store;
use super::targets::{Label, Matched, Value, resolve};
use super::variable::Variable;
use crate::body::Processor;
use crate::detector::InjectionDetector;
use crate::field_plan::CrsLive;
use crate::finding::Class;

/// Whether a rule that denies ends the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Rules are evaluated and may deny.
    On,
    /// Rules are evaluated and only log.
    DetectionOnly,
    /// No rule is evaluated.
    Off,
}

/// A rule that matched and logs.
#[derive(Clone, Debug)]
pub struct Event {
    /// The id of the rule.
    pub id: u32,
    /// Its class.
    pub class: Class,
    /// Its paranoia level, 0 without one.
    pub paranoia: u8,
    /// What it added to anomaly counters.
    pub score: u32,
    /// The message, expanded.
    pub message: String,
    /// The data it logs, expanded.
    pub data: String,
    /// The variable that matched last, for example `ARGS`.
    pub variable: &'static str,
    /// Its key, for example the name of the argument.
    pub key: Vec<u8>,
    /// The transformations before the match.
    pub chain: Vec<&'static str>,
}

/// A match, before it counts.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'m> {
    /// The id of the rule.
    pub id: u32,
    /// Its class.
    pub class: Class,
    /// Its paranoia level, 0 without one.
    pub paranoia: u8,
    /// The variable that matched, for example `ARGS`.
    pub variable: &'static str,
    /// Its key.
    pub key: &'m [u8],
}

/// Decides whether a match counts: for exclusions and for paranoia per field.
pub trait Guard: std::fmt::Debug {
    /// Whether the match counts.
    fn admits(&self, candidate: &Candidate<'_>) -> bool;
}

/// Where an argument stood that somebody else has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The query.
    Query,
    /// The body.
    Body,
    /// A cookie.
    Cookie,
}

/// One message on its way through the phases.
#[derive(Debug)]
pub struct Transaction<'r> {
    rules: &'r RuleSet,
    store: Store<'r>,
    mode: Mode,
    events: Vec<Event>,
    denied: Option<(u32, u16)>,
    removed_ids: Vec<IdRange>,
    removed_tags: Vec<String>,
    removed_targets: Vec<(Removed, Wanted)>,
    force_body: bool,
    processor: Option<Processor>,
    lists: Lists,
    hits: Hits,
    fields: Vec<&'r CrsLive>,
    work: u64,
    work_max: u64,
    guard: Option<&'r dyn Guard>,
    detector: &'r dyn InjectionDetector,
}

#[derive(Clone, Debug)]
enum Removed {
    Tag(String),
    Ids(IdRange),
}

/// What one rule has collected on its way.
#[derive(Debug, Default)]
struct Progress {
    matched: Matched,
    score: u32,
    chain: usize,
}

impl<'r> Transaction<'r> {
    /// Whether evaluation stopped for want of work.
    pub fn is_exhausted(&self) -> bool {
        self.work() > self.work_max
    }

    /// What was logged so far.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The rule that denied and its status.
    pub fn denied(&self) -> Option<(u32, u16)> {
        self.denied
    }

    /// Bytes read by transformations, automaton, patterns and tokenisers.
    pub fn work(&self) -> u64 {
        self.work.saturating_add(self.store.texts.work)
    }

    /// Runs the rules of phase 1 to 5 in order, until one denies.
    pub fn phase(&mut self, phase: usize) {
        let rules = self.rules;
        let Some(list) = phase
            .checked_sub(1)
            .and_then(|phase| rules.phases.get(phase))
        else {
            return;
        };
        self.lists.reset(rules.target_sets.len());
        let left = self.work_max.saturating_sub(self.work);
        self.hits.lower(self.level());
        self.hits
            .look(list.sides, &mut self.store, rules, &self.fields, left);
        let mut place = 0;
        while let Some(step) = list.steps.get(place) {
            place += 1;
            if step.gate.is_some_and(|gate| !self.hits.open(&gate)) {
                continue;
            }
            let Some(rule) = rules.rules.get(step.rule) else {
                return;
            };
            if self.mode == Mode::Off
                || self.is_exhausted()
                || (self.denied.is_some() && phase != 5)
            {
                return;
            }
            if self.is_removed(rule) || !self.rule(rule) {
                continue;
            }
            if let Some(to) = rule.skip_to {
                place = to;
            }
        }
    }

    /// The paranoia level the rules run at, once they or the caller have said so.
    fn level(&self) -> u8 {
        let slot = self.rules.level_slot.and_then(|slot| self.store.slot(slot));
        slot.map_or(LEVEL_MAX, |level| {
            let level = level.number().clamp(1, i64::from(LEVEL_MAX));
            u8::try_from(level).unwrap_or(LEVEL_MAX)
        })
    }

    fn is_removed(&self, rule: &Rule) -> bool {
        rule.links.is_empty()
            || self.removed_ids.iter().any(|ids| ids.holds(rule.id))
            || self.removed_tags.iter().any(|tag| rule.tags.contains(tag))
    }

    /// Evaluates a chain; true when every link matched.
    fn rule(&mut self, rule: &'r Rule) -> bool {
        let mut progress = Progress::default();
        for link in &rule.links {
            let matched = match (&link.quick, &link.operator) {
                (Some(quick), _) => self.quick(quick, link, &mut progress),
                (None, None) => {
                    self.act(link, &mut progress);
                    true
                }
                (None, Some(operator)) => self.link(rule, link, operator, &mut progress),
            };
            if !matched {
                return false;
            }
        }
        if rule.log {
            self.record(rule, &progress);
        }
        if rule.disrupt == Disrupt::Deny && self.mode == Mode::On {
            self.denied = Some((rule.id, rule.status));
        }
        true
    }

    fn quick(&mut self, quick: &Quick, link: &Link, progress: &mut Progress) -> bool {
        let left = match (self.store.slot(quick.slot), quick.count) {
            (value, true) => i64::from(value.is_some()),
            (Some(value), false) => value.number(),
            (None, false) => return false,
        };
        let right = self.number(&quick.number, progress);
        if quick.order.holds(left, right) == link.negated {
            return false;
        }
        if link.keeps_match {
            let text = self.store.texts.add(left.to_string().as_bytes());
            let name = self
                .rules
                .slots
                .names
                .get(quick.slot)
                .map(String::as_str)
                .unwrap_or_default();
            let label = Label::Text(self.store.texts.add(name.as_bytes()));
            progress.matched.values.push(Value {
                text,
                variable: Variable::Tx,
                label,
            });
        }
        self.act(link, progress);
        true
    }

    fn link(
        &mut self,
        rule: &Rule,
        link: &'r Link,
        operator: &'r Operator,
        progress: &mut Progress,
    ) -> bool {
        if link.gate.is_some_and(|gate| !self.hits.open(&gate)) {
            return false;
        }
        let rules = self.rules;
        let Some(set) = rules.target_sets.get(link.targets) else {
            return false;
        };
        let chain = rules
            .chains
            .get(link.chain)
            .map(|chain| &**chain)
            .unwrap_or_default();
        let mut any = false;
        if set.dynamic {
            let mut values = Vec::new();
            resolve(set, &mut self.store, &progress.matched, &mut values);
            for value in values {
                any |= self.one(rule, link, operator, value, chain, progress);
            }
            return any;
        }
        for number in self.lists.get(link.targets, set, &mut self.store) {
            if let Some(value) = self.lists.value(number) {
                any |= self.one(rule, link, operator, value, chain, progress);
            }
        }
        any
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        memory::give(Memory {
            store: self.store.take_memory(),
            lists: std::mem::take(&mut self.lists),
            hits: std::mem::take(&mut self.hits),
        });
    }
}

#[cfg(test)]
mod tests;
