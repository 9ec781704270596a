//! One value and one link: transformed, asked, admitted.
//! Exports the part of `Transaction` that finds a match.
//! Used by `run`.
//! Start reading at `Transaction::one`.

use super::super::operator::{Operator, bad_url_encoding, integer};
use super::super::program::{Link, Rule};
use super::super::targets::{Label, Value, key_of, names};
use super::super::texts::TextId;
use super::super::tx_value::TxValue;
use super::{Candidate, Progress, Removed, Transaction};
use crate::transform::Transform;

impl<'r> Transaction<'r> {
    /// One value on its way through a chain, asked at the end or, with multiMatch, after every change.
    pub(super) fn one(
        &mut self,
        rule: &Rule,
        link: &'r Link,
        operator: &'r Operator,
        value: Value,
        chain: &[Transform],
        progress: &mut Progress,
    ) -> bool {
        if self.is_proven_dead(link, &value) {
            return false;
        }
        if !link.multi_match {
            let text = self.store.texts.derive(value.text, chain);
            return self.ask(rule, link, operator, &value, text, progress);
        }
        let mut text = value.text;
        let mut any = self.ask(rule, link, operator, &value, text, progress);
        for transform in chain {
            let next = self.store.texts.step(text, *transform);
            if next != text {
                any |= self.ask(rule, link, operator, &value, next, progress);
            }
            text = next;
        }
        any
    }

    /// Whether the contract's language of this value leaves the link nothing to find.
    fn is_proven_dead(&self, link: &Link, value: &Value) -> bool {
        let Label::Entry(collection, number) = value.label else {
            return false;
        };
        if self.fields.is_empty() || value.variable.is_of_names() {
            return false;
        }
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let field = self
            .store
            .collection(collection)
            .get(number)
            .map_or(0, |entry| entry.field);
        let field = usize::try_from(field).unwrap_or(0).checked_sub(1);
        let live = field.and_then(|field| self.fields.get(field));
        live.is_some_and(|live| !live.has(link.number))
    }

    /// Asks the operator about one text; a match captures, counts and acts.
    fn ask(
        &mut self,
        rule: &Rule,
        link: &Link,
        operator: &Operator,
        value: &Value,
        text: TextId,
        progress: &mut Progress,
    ) -> bool {
        if self.holds(link, operator, text, progress) == link.negated {
            return false;
        }
        if !self.admits(rule, value) {
            return false;
        }
        progress.matched.values.push(Value { text, ..*value });
        progress.chain = link.chain;
        self.act(link, progress);
        true
    }

    /// Whether a match counts: the target was not taken out meanwhile, and the guard agrees.
    fn admits(&self, rule: &Rule, value: &Value) -> bool {
        let removed = self.removed_targets.iter().any(|(removed, wanted)| {
            let applies = match removed {
                Removed::Tag(tag) => rule.tags.contains(tag),
                Removed::Ids(ids) => ids.holds(rule.id),
            };
            applies && names(wanted, value, &self.store)
        });
        if removed {
            return false;
        }
        let Some(guard) = self.guard else { return true };
        guard.admits(&Candidate {
            id: rule.id,
            class: rule.class,
            paranoia: rule.paranoia,
            variable: value.variable.name(),
            key: key_of(value, &self.store),
        })
    }

    fn holds(
        &mut self,
        link: &Link,
        operator: &Operator,
        text: TextId,
        progress: &Progress,
    ) -> bool {
        match operator {
            Operator::Pattern(id) | Operator::Phrases(id) => return self.pattern(link, *id, text),
            Operator::Compare(order, number) => {
                let right = self.number(number, progress);
                return order.holds(integer(self.store.texts.bytes(text)), right);
            }
            Operator::Text(test, argument) => {
                let argument = self.expand(argument, progress);
                return test.holds(self.store.texts.bytes(text), &argument);
            }
            _ => {}
        }
        let bytes = self.store.texts.bytes(text);
        match operator {
            Operator::Bytes(allowed) => !self.store.texts.present(text).is_within(allowed),
            Operator::Addresses(networks) => std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| text.parse().ok())
                .is_some_and(|address| networks.iter().any(|network| network.holds(address))),
            Operator::DetectSqli => {
                self.work = self
                    .work
                    .saturating_add(u64::try_from(bytes.len()).unwrap_or(0));
                self.detector.sqli(bytes).is_some()
            }
            Operator::DetectXss => {
                self.work = self
                    .work
                    .saturating_add(u64::try_from(bytes.len()).unwrap_or(0));
                self.detector.xss(bytes)
            }
            Operator::UrlEncoding => bad_url_encoding(bytes),
            Operator::Utf8 => std::str::from_utf8(bytes).is_err(),
            Operator::Always => true,
            Operator::Pattern(_)
            | Operator::Phrases(_)
            | Operator::Compare(..)
            | Operator::Text(..) => false,
        }
    }

    fn pattern(&mut self, link: &Link, id: u32, text: TextId) -> bool {
        // A negated pattern matches nearly everything: to look for candidates first is lost on it.
        if !link.negated && !self.store.texts.is_candidate(text, id) {
            return false;
        }
        let patterns = &self.rules.patterns;
        let bytes = self.store.texts.bytes(text);
        self.work = self
            .work
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(0));
        let certain = !link.negated && patterns.is_certain(id);
        if !certain && !patterns.is_match(id, bytes) {
            return false;
        }
        if !link.capture {
            return true;
        }
        let Some(groups) = patterns.groups(id, bytes) else {
            return false;
        };
        let found: Vec<Option<Vec<u8>>> = groups
            .iter()
            .take(10)
            .map(|span| {
                span.and_then(|(from, to)| bytes.get(from..to))
                    .map(<[u8]>::to_vec)
            })
            .collect();
        for slot in 0..10 {
            let value = found.get(slot).cloned().flatten();
            self.store
                .set_slot(slot, value.map(|text| TxValue::Text(text.into())));
        }
        true
    }
}
