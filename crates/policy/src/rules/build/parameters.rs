//! What grants say of parameters: values they fix, and which parameters may be used with them.
//! Exports the part of `Build` that works out `ParameterRules`.
//! Used by `Build::integration`.
//! Start reading at `Build::parameters`.

use std::sync::Arc;

use model::Json;

use super::super::check::{self, listed};
use super::super::{EntryGrant, Integration, OperationRef};
use super::Build;
use crate::cedar::Checked;
use crate::input::{FixedSource, FixedTarget, Grant, IntegrationGrants, Spot};
use crate::parameters::{self, Fixed};

impl Build {
    /// Works out which parameters may be used, once it is known what the integration may see by all its grants.
    pub(super) fn parameters(&mut self, integration: &mut Integration) {
        let mut done = Vec::new();
        for (reference, entry) in integration.entries.iter() {
            let Some(operation) = self.rules.op(reference) else {
                continue;
            };
            let scene = parameters::BuildInput {
                operation,
                kinds: &self.rules.kinds,
                inside: &|kind| integration.always_inside(&self.rules, kind),
            };
            done.push((reference, parameters::build(entry, &scene)));
        }
        let mut notes = Vec::new();
        for (reference, (rules, found)) in done {
            if let Some(entry) = integration.entries.get_mut(&reference) {
                entry.parameters = rules;
            }
            notes.extend(found);
        }
        // Roles say the same for each integration that has them.
        for note in notes {
            if !self.rules.parameter_notes.contains(&note) {
                self.rules.parameter_notes.push(note);
            }
        }
    }

    /// The values a grant fixes, for one integration.
    pub(super) fn fixed(&mut self, grant: &Grant, integration: &IntegrationGrants) -> Vec<Fixed> {
        let mut found = Vec::new();
        for at in &grant.set {
            let value = match &at.value.source {
                FixedSource::Literal(value) => Some(value.clone()),
                FixedSource::Attribute(name) => integration
                    .attributes
                    .get(&**name)
                    .map(|text| Json::Text(text.as_str().into())),
            };
            let Some(value) = value else {
                let FixedSource::Attribute(name) = &at.value.source else {
                    continue;
                };
                let message = format!(
                    "`set` asks for `principal.{name}`, which `{}` does not have",
                    integration.name
                );
                let help = format!("add `attributes: {{ {name}: … }}` to the integration");
                if !integration.is_partial {
                    self.mistake_at(&grant.rule.file, at.spot, message, help);
                }
                continue;
            };
            found.push(Fixed {
                target: at.value.target.clone(),
                value,
            });
        }
        found.sort_by(|a, b| a.target.cmp(&b.target));
        found
    }

    /// Whether the values that grants of one operation fix are there to be fixed, and are the same: a grant without a
    /// value would open what another one closes.
    pub(super) fn check_fixed(
        &mut self,
        reference: OperationRef,
        draft: &[(EntryGrant, Option<Checked>)],
    ) {
        let Some(operation) = self.rules.op(reference) else {
            return;
        };
        let mut found = Vec::new();
        let first = draft.first().map(|(grant, _)| grant);
        for (grant, _) in draft {
            for fixed in &grant.fixed {
                let fault = match &fixed.target {
                    FixedTarget::Query(name) => query_fault(operation, name),
                    FixedTarget::Body(steps) => {
                        let path = model::FieldPath {
                            is_from_root: false,
                            is_file: false,
                            steps: steps.clone(),
                        };
                        check::write_path(&operation.request, &path, &operation.id).err()
                    }
                };
                found.extend(fault.map(|fault| (place(grant), fault)));
            }
            if let Some(first) = first.filter(|first| first.fixed != grant.fixed) {
                let message = format!(
                    "`{}` is also granted at {}, with other values in `set`",
                    operation.id, first.rule
                );
                let help = "write the same `set` in both: what one grant fixes, the other would leave open";
                found.push((place(grant), (message, help.to_owned())));
            }
        }
        for ((file, spot), (message, help)) in found {
            self.mistake_at(&file, spot, message, help);
        }
    }
}

/// Where a whole grant stands.
fn place(grant: &EntryGrant) -> (Arc<str>, Spot) {
    (grant.rule.file.clone(), grant.whole)
}

fn query_fault(operation: &super::super::Operation, name: &str) -> Option<check::Fault> {
    let query = || {
        let all = operation.parameters.iter();
        all.filter(|p| p.place == crate::input::ParameterPlace::Query)
    };
    if query().any(|p| *p.name == *name) {
        return None;
    }
    let names: Vec<&str> = query().map(|p| &*p.name).collect();
    let help = match check::nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `query.{near}`?"),
        None if names.is_empty() => "the operation has no query parameters".to_owned(),
        None => format!("its query parameters are {}", listed(&names)),
    };
    Some((
        format!(
            "`{name}` in `set` is no query parameter of `{}`",
            operation.id
        ),
        help,
    ))
}
