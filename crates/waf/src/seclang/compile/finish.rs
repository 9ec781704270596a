//! What can only be decided when every file was read: targets after updates, markers, patterns, gates.
//! Exports the part of `Builder` that makes the `RuleSet`.
//! Used by `compile`.
//! Start reading at `Builder::finish`.

use super::super::program::{Rule, RuleSet};
use super::super::triggers::Triggers;
use super::lists::{self, Targets};
use super::{Builder, Draft, at, gates};
use crate::serial;
use crate::settings::LoadError;

impl Builder<'_> {
    pub(super) fn finish(mut self) -> Result<RuleSet, Vec<LoadError>> {
        let mut numbers: [Vec<usize>; 5] = Default::default();
        for (number, draft) in self.drafts.iter().enumerate() {
            if let Some(phase) = numbers.get_mut(draft.phase) {
                phase.push(number);
            }
        }
        let mut errors = Vec::new();
        let mut targets = Targets::default();
        let mut rules = Vec::new();
        for (number, draft) in std::mem::take(&mut self.drafts).into_iter().enumerate() {
            match self.connect(number, draft, &numbers, &mut targets) {
                Ok(rule) => rules.push(rule),
                Err(error) => errors.push(error),
            }
        }
        let mut patterns = match self.patterns() {
            Ok(patterns) if errors.is_empty() => patterns,
            Ok(_) => return Err(errors),
            Err(error) => {
                errors.push(error);
                return Err(errors);
            }
        };
        let links = rules.iter_mut().flat_map(|rule: &mut Rule| &mut rule.links);
        for (number, link) in links.enumerate() {
            link.number = number;
        }
        let words = patterns.len().div_ceil(64);
        patterns.gather(&gates::common(&rules, words));
        lists::select_slots(&mut targets.sets, &self.slots);
        Ok(RuleSet {
            serial: serial::next(),
            phases: numbers.map(|numbers| gates::phase(&rules, &numbers)),
            tree: gates::tree(&rules, &self.chains, words),
            asked: gates::asked(&rules, words),
            level_slot: self.slots.find("detection_paranoia_level"),
            triggers: Triggers::default(),
            rules,
            patterns,
            chains: self.chains,
            target_sets: targets.sets,
            slots: self.slots,
            signature: self.signature,
        })
    }

    /// Gives the links their target lists and the rule the place it skips to.
    fn connect(
        &self,
        number: usize,
        draft: Draft,
        phases: &[Vec<usize>; 5],
        targets: &mut Targets,
    ) -> Result<Rule, LoadError> {
        let mut rule = draft.rule;
        let level = rule.paranoia;
        for (link, wanted) in rule.links.iter_mut().zip(&draft.link_targets) {
            let set = targets
                .number(wanted)
                .map_err(|message| at(&draft.file, draft.line, message))?;
            link.targets = set;
            link.gate = gates::gate(link, targets.sets.get(set), level);
        }
        let Some(name) = draft.skip_after else {
            return Ok(rule);
        };
        // A marker stands before the rules that follow it, whatever their phase.
        let marker = self
            .markers
            .iter()
            .find(|(known, before)| *known == name && *before > number);
        let Some((_, before)) = marker else {
            return Err(at(
                &draft.file,
                draft.line,
                format!("no marker {name} follows"),
            ));
        };
        let phase = phases
            .get(draft.phase)
            .map(Vec::as_slice)
            .unwrap_or_default();
        rule.skip_to = Some(phase.partition_point(|rule| rule < before));
        Ok(rule)
    }
}
