//! One statement of a chain: what it looks at, asks and does.
//! Exports the part of `Builder` that makes a `Link`.
//! Used by `compile`.
//! Start reading at `Builder::link`.

use super::super::ast::{Action, Change, RuleSource, Selector, SetSource};
use super::super::macros::{Piece, Text};
use super::super::operator::{Number, Operator, integer};
use super::super::program::{Link, Quick, Set, SetChange, SetKey};
use super::super::tx_value::TxValue;
use super::super::variable::Variable;
use super::Builder;
use crate::settings::LoadError;
use crate::transform::Transform;

impl Builder<'_> {
    pub(super) fn link(&mut self, source: &RuleSource) -> Result<Link, LoadError> {
        let mut transforms = Vec::new();
        let mut link = Link {
            number: 0,
            targets: 0,
            chain: 0,
            gate: None,
            operator: None,
            negated: false,
            capture: false,
            multi_match: false,
            sets: Vec::new(),
            controls: Vec::new(),
            keeps_match: false,
            quick: None,
        };
        for action in &source.actions {
            match action {
                Action::Transform(transform) => transforms.push(*transform),
                Action::TransformNone => transforms.clear(),
                Action::Capture => link.capture = true,
                Action::MultiMatch => link.multi_match = true,
                Action::Set(set) => link.sets.push(self.set(set)),
                Action::Control(control) => link.controls.push(control.clone()),
                _ => {}
            }
        }
        link.chain = self.chain(transforms);
        if let Some(operator) = &source.operator {
            link.negated = operator.negated;
            link.operator = Some(
                self.operator(operator)
                    .map_err(|message| self.mistake(source.line, message))?,
            );
        }
        link.quick = self.quick(source, &mut link.operator, link.chain);
        let plain = |set: &Set| {
            matches!(
                (&set.key, &set.change),
                (SetKey::Slot(_), SetChange::Fixed(_) | SetChange::Unset)
            )
        };
        let silent = source
            .actions
            .iter()
            .any(|action| matches!(action, Action::Log(false)));
        let chained = source
            .actions
            .iter()
            .any(|action| matches!(action, Action::Chain));
        link.keeps_match = chained || !silent || !link.sets.iter().all(plain);
        Ok(link)
    }

    /// A rule that compares one TX number, without transformation.
    fn quick(
        &mut self,
        source: &RuleSource,
        operator: &mut Option<Operator>,
        chain: usize,
    ) -> Option<Quick> {
        let [target] = source.targets.as_slice() else {
            return None;
        };
        let Selector::Name(name) = &target.selector else {
            return None;
        };
        if target.variable != Variable::Tx || chain != 0 || target.excluded {
            return None;
        }
        match operator.take() {
            Some(Operator::Compare(order, number)) => Some(Quick {
                slot: self.slots.number(name),
                count: target.count,
                order,
                number,
            }),
            other => {
                *operator = other;
                None
            }
        }
    }

    fn chain(&mut self, transforms: Vec<Transform>) -> usize {
        let wanted = transforms.into_boxed_slice();
        if let Some(known) = self.chains.iter().position(|chain| *chain == wanted) {
            return known;
        }
        self.chains.push(wanted);
        self.chains.len() - 1
    }

    fn set(&mut self, source: &SetSource) -> Set {
        let key = match source
            .key
            .fixed()
            .and_then(|key| std::str::from_utf8(key).ok())
        {
            Some(name) => SetKey::Slot(self.slots.number(name)),
            None => {
                self.know(&source.key);
                SetKey::Text(source.key.clone())
            }
        };
        let scores = source.key.fixed().is_some_and(|key| {
            key.starts_with(b"inbound_anomaly_score_pl")
                || key.starts_with(b"outbound_anomaly_score_pl")
        });
        let change = match &source.change {
            Change::Unset => SetChange::Unset,
            Change::Assign(text) => match text.fixed() {
                Some(bytes) => SetChange::Fixed(TxValue::of(bytes)),
                None => {
                    self.know(text);
                    match text.only_tx() {
                        Some(name) => SetChange::Copy(self.slots.number(name)),
                        None => SetChange::Assign(text.clone()),
                    }
                }
            },
            Change::Add(text) => SetChange::Add(self.number(text)),
            Change::Subtract(text) => SetChange::Subtract(self.number(text)),
        };
        Set {
            key,
            change,
            scores,
        }
    }

    pub(super) fn number(&mut self, text: &Text) -> Number {
        if let Some(fixed) = text.fixed() {
            return Number::Fixed(integer(fixed));
        }
        match text.only_tx() {
            Some(name) => Number::Slot(self.slots.number(name)),
            None => {
                self.know(text);
                Number::Text(text.clone())
            }
        }
    }

    /// Gives every TX name of a text its slot.
    pub(super) fn know(&mut self, text: &Text) {
        for piece in &text.pieces {
            if let Piece::Tx(name) = piece {
                self.slots.number(name);
            }
        }
    }
}
