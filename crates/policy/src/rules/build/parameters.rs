//! What grants say of parameters: values they fix, and which parameters may be used with them.
//! Exports the part of `Build` that works out `ParameterRules`.
//! Used by `Build::integration`.
//! Start reading at `Build::parameters`.

use std::sync::Arc;

use model::Json;
use model::shape::{Domain, Scalar};

use super::super::check::{self, listed};
use super::super::{EntryGrant, Integration, Operation, OperationRef};
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

    /// Whether an operation takes the values that a grant fixes: every call of one that does not would be refused. Literals for the
    /// query are held against their whole schema where the configuration is read.
    pub(super) fn check_values(
        &mut self,
        grant: &Grant,
        integration: &IntegrationGrants,
        reference: OperationRef,
    ) {
        let Some(operation) = self.rules.op(reference) else {
            return;
        };
        let mut found = Vec::new();
        for at in &grant.set {
            let (value, words) = match &at.value.source {
                FixedSource::Attribute(name) => match integration.attributes.get(&**name) {
                    Some(text) => (
                        Json::Text(text.as_str().into()),
                        format!("`principal.{name}`, which is `{text}`,"),
                    ),
                    None => continue,
                },
                FixedSource::Literal(_) if matches!(at.value.target, FixedTarget::Query(_)) => {
                    continue;
                }
                FixedSource::Literal(value) => (value.clone(), format!("`{}`", shown(value))),
            };
            if !may_be(operation, &at.value.target, &value) {
                let (target, id) = (&at.value.target, &operation.id);
                let message =
                    format!("`set` fixes `{target}` to {words} and `{id}` takes no such value");
                let help = "write a value that the contract admits, or correct the contract";
                found.push((at.spot, message, help));
            }
        }
        for (spot, message, help) in found {
            self.mistake_at(&grant.rule.file, spot, message, help);
        }
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

fn shown(value: &Json) -> String {
    let mut text = Vec::new();
    model::json::write(value, &mut text);
    String::from_utf8_lossy(&text).chars().take(64).collect()
}

/// Whether the contract may admit this value there, as far as types, lists of values and bounds tell.
fn may_be(operation: &Operation, target: &FixedTarget, value: &Json) -> bool {
    let text = match value {
        Json::Text(text) => text.as_str().to_owned(),
        other => shown(other),
    };
    match target {
        FixedTarget::Query(name) => {
            let mut all = operation.parameters.iter();
            let found =
                all.find(|p| p.place == crate::input::ParameterPlace::Query && p.name == *name);
            // In the query every value is written as a text.
            found.is_none_or(|found| fits(found.scalar, found.domain.as_deref(), &text))
        }
        FixedTarget::Body(steps) => {
            let shape = &operation.request;
            let node = steps.iter().try_fold(shape.root(), |node, step| {
                let field = node?.fields.get(&**step)?;
                Some(shape.node(field.node))
            });
            let Some(node) = node.flatten().filter(|node| node.is_leaf) else {
                return true;
            };
            let is_text = matches!(value, Json::Text(_));
            let is_typed = match node.scalar {
                Scalar::Text => true,
                Scalar::Integer | Scalar::Number | Scalar::Boolean => !is_text,
            };
            is_typed && fits(node.scalar, node.domain.as_deref(), &text)
        }
    }
}

/// Whether a text may be a value of this type and one of these.
fn fits(scalar: Scalar, domain: Option<&Domain>, text: &str) -> bool {
    let number = || text.parse::<f64>().ok().filter(|number| number.is_finite());
    let is_typed = match scalar {
        Scalar::Text => true,
        Scalar::Integer => number().is_some_and(|number| number.fract() == 0.0),
        Scalar::Number => number().is_some(),
        Scalar::Boolean => matches!(text, "true" | "false"),
    };
    let is_one = match domain {
        None => true,
        Some(Domain::Texts(texts)) => texts.iter().any(|known| **known == *text),
        Some(Domain::Whole(least, most)) => text.parse::<i64>().is_ok_and(|number| {
            least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
        }),
    };
    is_typed && is_one
}
