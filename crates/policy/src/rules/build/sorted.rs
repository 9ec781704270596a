//! Which conditions and policies ask about what: the request, the objects an operation is about, others its path names.
//! Exports `Sorted`.
//! Used by `Build::entry`.
//! Start reading at `Sorted::grant`.

use std::collections::BTreeMap;

use model::RuleRef;

use super::super::{Kind, Operation, Rules};
use crate::cedar::{Checked, Member};
use crate::input::ParameterPlace;

/// Conditions and policies of one integration and one operation.
pub(super) struct Sorted<'a> {
    /// Types of the objects the operation is about.
    own: Vec<&'a str>,
    /// Types of the others that its path names, with their position in [`Operation::named`].
    parents: Vec<(usize, &'a str)>,
    /// Kinds of those.
    parent_kinds: Vec<(usize, &'a Kind)>,
    /// Bits of the grants without a condition.
    pub always: u64,
    pub on_object: u64,
    pub on_named: u64,
    pub on_request: u64,
    pub at_request: Vec<(Member, &'a Checked)>,
    pub at_object: Vec<(Member, &'a Checked)>,
    pub at_named: BTreeMap<usize, Vec<(Member, &'a Checked)>>,
}

impl<'a> Sorted<'a> {
    pub fn of(rules: &'a Rules, operation: &'a Operation) -> Sorted<'a> {
        let type_of = |kind| rules.kind(kind).map(|kind| &*kind.type_text);
        let in_path = operation.named.iter().enumerate().filter(|(_, named)| {
            let parameter = operation.parameters.get(named.parameter);
            parameter.is_some_and(|p| p.place == ParameterPlace::Path)
        });
        Sorted {
            own: operation
                .resources
                .iter()
                .filter_map(|kind| type_of(*kind))
                .collect(),
            parents: in_path
                .clone()
                .filter_map(|(index, named)| Some((index, type_of(named.kind)?)))
                .collect(),
            parent_kinds: in_path
                .filter_map(|(index, named)| Some((index, rules.kind(named.kind)?)))
                .collect(),
            always: 0,
            on_object: 0,
            on_named: 0,
            on_request: 0,
            at_request: Vec::new(),
            at_object: Vec::new(),
            at_named: BTreeMap::new(),
        }
    }

    /// A grant asks about one thing: what its condition fits. What stands at the answer's root may be about another object
    /// that the path names; where the condition fits that one too, it is asked about it before the root leaves.
    pub fn grant(
        &mut self,
        bit: u32,
        rule: &RuleRef,
        checked: Option<&'a Checked>,
        has_root: bool,
    ) {
        let member = Member {
            grant: Some(bit),
            rule: rule.clone(),
        };
        let mask = 1u64.checked_shl(bit).unwrap_or(0);
        let Some(checked) = checked else {
            self.always |= mask;
            return;
        };
        if !checked.needs.is_on_object {
            return self.at_request.push((member, checked));
        }
        if let Some(part) = &checked.part {
            self.on_request |= mask;
            self.at_request.push((member.clone(), part));
        }
        let parents = self.parents_of(checked);
        if !parents.is_empty() && !self.is_about_own(checked) {
            self.on_named |= mask;
            for index in parents {
                let members = self.at_named.entry(index).or_default();
                members.push((member.clone(), checked));
            }
        } else if self.own.is_empty() {
            // There is no object to wait for.
            self.on_request &= !mask;
            self.at_request
                .retain(|(known, _)| known.grant != Some(bit));
            self.at_request.push((member, checked));
        } else {
            self.on_object |= mask;
            if has_root {
                self.close_root(&member, checked);
            }
            self.at_object.push((member, checked));
        }
    }

    /// Asks a condition about the others that the path names as well, where they have everything it asks for.
    fn close_root(&mut self, member: &Member, checked: &'a Checked) {
        let needs = &checked.needs;
        let fits = |kind: &Kind| {
            let has = |name: &String| kind.attributes.iter().any(|a| *a.name == **name);
            needs.scope.is_none()
                && !needs.is_on_identity
                && needs.object_attributes.iter().all(has)
        };
        let fitting = self.parent_kinds.iter().filter(|(_, kind)| fits(kind));
        for (index, _) in fitting {
            let members = self.at_named.entry(*index).or_default();
            members.push((member.clone(), checked));
        }
    }

    /// A policy that forbids asks about everything that it may fit.
    pub fn forbid(&mut self, rule: &RuleRef, checked: &'a Checked) {
        let member = Member {
            grant: None,
            rule: rule.clone(),
        };
        if !checked.needs.is_on_object {
            return self.at_request.push((member, checked));
        }
        for index in self.parents_of(checked) {
            let members = self.at_named.entry(index).or_default();
            members.push((member.clone(), checked));
        }
        match &checked.needs.scope {
            // About objects of another type only.
            Some(scope) if !self.own.contains(&scope.as_str()) => {}
            _ if self.own.is_empty() => self.at_request.push((member, checked)),
            _ => self.at_object.push((member, checked)),
        }
    }

    /// The others that the path names and this is about.
    fn parents_of(&self, checked: &Checked) -> Vec<usize> {
        let is_meant = |type_name: &str| match &checked.needs.scope {
            Some(scope) => scope == type_name,
            None => checked.needs.named.contains(type_name),
        };
        let meant = self.parents.iter().filter(|(_, name)| is_meant(name));
        meant.map(|(index, _)| *index).collect()
    }

    fn is_about_own(&self, checked: &Checked) -> bool {
        let mut own = self.own.iter();
        match &checked.needs.scope {
            Some(scope) => own.any(|name| scope == name),
            None => own.any(|name| checked.needs.named.contains(*name)),
        }
    }
}
