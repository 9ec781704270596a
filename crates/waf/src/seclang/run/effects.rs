//! What a match does: variables set, controls taken, an event recorded.
//! Exports the second half of `Transaction`.
//! Used by `run`.
//! Start reading at `Transaction::act`.

use super::super::ast::Control;
use super::super::collection::Collection;
use super::super::compile::compile_target;
use super::super::macros::{Piece, Text};
use super::super::operator::{Number, integer};
use super::super::program::{Link, Rule, Set, SetChange, SetKey};
use super::super::targets::{key_of, name_of};
use super::super::tx_value::TxValue;
use super::super::variable::Variable;
use super::{Event, Mode, Progress, Removed, Transaction};
use crate::body::Processor;

impl Transaction<'_> {
    pub(super) fn number(&self, number: &Number, progress: &Progress) -> i64 {
        match number {
            Number::Fixed(value) => *value,
            Number::Slot(slot) => self.store.slot(*slot).map_or(0, TxValue::number),
            Number::Text(text) => integer(&self.expand(text, progress)),
        }
    }

    pub(super) fn expand(&self, text: &Text, progress: &Progress) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in &text.pieces {
            match piece {
                Piece::Literal(bytes) => out.extend_from_slice(bytes),
                Piece::Tx(name) => {
                    if let Some(value) = self.store.tx(name.as_bytes()) {
                        value.write(&mut out);
                    }
                }
                Piece::MatchedVar => {
                    if let Some(value) = progress.matched.values.last() {
                        out.extend_from_slice(self.store.texts.bytes(value.text));
                    }
                }
                Piece::MatchedVarName => {
                    if let Some(value) = progress.matched.values.last() {
                        out.extend_from_slice(&name_of(value, &self.store));
                    }
                }
                Piece::Variable(variable, selector) => {
                    out.extend_from_slice(self.variable(*variable, selector.as_bytes()));
                }
            }
        }
        out
    }

    /// The first value of a variable, for macros.
    fn variable(&self, variable: Variable, selector: &[u8]) -> &[u8] {
        let collections: &[Collection] = match variable {
            Variable::Args => &[Collection::ArgsGet, Collection::ArgsPost],
            Variable::ArgsGet => &[Collection::ArgsGet],
            Variable::RequestHeaders => &[Collection::Headers],
            Variable::RequestCookies => &[Collection::Cookies],
            Variable::ResponseHeaders => &[Collection::ResponseHeaders],
            _ => {
                return self
                    .store
                    .find_single(variable)
                    .map_or(&[], |text| self.store.texts.bytes(text));
            }
        };
        collections
            .iter()
            .flat_map(|collection| self.store.collection(*collection))
            .find(|entry| self.store.texts.bytes(entry.lower) == selector)
            .map_or(&[], |entry| self.store.texts.bytes(entry.value))
    }

    /// What a matching link does at once, whether or not the chain goes on to match.
    pub(super) fn act(&mut self, link: &Link, progress: &mut Progress) {
        for set in &link.sets {
            self.assign(set, progress);
        }
        for control in &link.controls {
            self.control(control);
        }
    }

    fn assign(&mut self, set: &Set, progress: &mut Progress) {
        let old = |transaction: &Transaction<'_>, key: &SetKey, name: &[u8]| match key {
            SetKey::Slot(slot) => transaction.store.slot(*slot).map_or(0, TxValue::number),
            SetKey::Text(_) => transaction.store.tx(name).map_or(0, TxValue::number),
        };
        let name = match &set.key {
            SetKey::Slot(_) => Vec::new(),
            SetKey::Text(text) => self.expand(text, progress).to_ascii_lowercase(),
        };
        let value = match &set.change {
            SetChange::Unset => None,
            SetChange::Fixed(value) => Some(value.clone()),
            SetChange::Copy(slot) => Some(
                self.store
                    .slot(*slot)
                    .cloned()
                    .unwrap_or_else(|| TxValue::Text(Default::default())),
            ),
            SetChange::Assign(text) => Some(TxValue::Text(self.expand(text, progress).into())),
            SetChange::Add(number) => {
                let amount = self.number(number, progress);
                if set.scores {
                    progress.score = progress
                        .score
                        .saturating_add(u32::try_from(amount).unwrap_or(0));
                }
                Some(TxValue::Number(
                    old(self, &set.key, &name).saturating_add(amount),
                ))
            }
            SetChange::Subtract(number) => {
                let amount = self.number(number, progress);
                Some(TxValue::Number(
                    old(self, &set.key, &name).saturating_sub(amount),
                ))
            }
        };
        match &set.key {
            SetKey::Slot(slot) => self.store.set_slot(*slot, value),
            SetKey::Text(_) => self.store.set_tx(&name, value),
        }
    }

    fn control(&mut self, control: &Control) {
        match control {
            Control::RemoveByTag(tag) => self.removed_tags.push(tag.clone()),
            Control::RemoveById(ids) => self.removed_ids.push(*ids),
            Control::RemoveTargetByTag(tag, target) => {
                if let Ok(wanted) = compile_target(target) {
                    self.removed_targets
                        .push((Removed::Tag(tag.clone()), wanted));
                }
            }
            Control::RemoveTargetById(ids, target) => {
                if let Ok(wanted) = compile_target(target) {
                    self.removed_targets.push((Removed::Ids(*ids), wanted));
                }
            }
            Control::ForceBodyVariable => self.force_body = true,
            Control::AuditEngine => {}
            Control::BodyProcessor(name) => {
                self.processor = Processor::named(name);
                self.name_processor();
            }
            Control::DetectionOnly => self.mode = Mode::DetectionOnly,
            Control::EngineOn => self.mode = Mode::On,
            Control::EngineOff => self.mode = Mode::Off,
        }
    }

    pub(super) fn name_processor(&mut self) {
        let name = self.processor.map_or("", Processor::name);
        self.store
            .single(Variable::ReqbodyProcessor, name.as_bytes());
    }

    pub(super) fn record(&mut self, rule: &Rule, progress: &Progress) {
        let text = |part: &Option<Text>| {
            let bytes = part
                .as_ref()
                .map(|text| self.expand(text, progress))
                .unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let last = progress.matched.values.last();
        let chain = self
            .rules
            .chains
            .get(progress.chain)
            .map(|chain| &**chain)
            .unwrap_or_default();
        let event = Event {
            id: rule.id,
            class: rule.class,
            paranoia: rule.paranoia,
            score: progress.score,
            message: text(&rule.message),
            data: text(&rule.data),
            variable: last.map_or("", |value| value.variable.name()),
            key: last
                .map(|value| key_of(value, &self.store).to_vec())
                .unwrap_or_default(),
            chain: chain.iter().map(|transform| transform.name()).collect(),
        };
        self.events.push(event);
    }
}
