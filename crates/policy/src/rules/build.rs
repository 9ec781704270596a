//! From the operators' words to the compiled pieces, with every mistake named at its line.
//! Exports `Build::run`.
//! Used by `compile`.
//! Start reading at `Build::run`.

mod about;
mod comparisons;
mod domains;
mod enforced;
mod fields;
mod grants;
mod idle;
mod kinds;
mod likely;
mod lists;
mod nested;
mod parameters;
mod places;
mod principals;
mod references;
mod shadowed;
mod shown;
mod sorted;
mod telling;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use model::likeness::Likely;
use model::shape::Scalar;
use model::{FieldPath, Mistake, RuleRef};

use super::{Operation, OperationRef, Rules};
use crate::cedar::{
    self, AttributeType, Checked, NO_OBJECT, Resources, SetCache, Types, TypesDraft, Wrong,
};
use crate::input::{Listed, ParameterPlace, PolicyInput, Spot};
use crate::plan::{Plan, Trees};
pub(crate) use enforced::is_told_by_path;
use principals::KnownPrincipals;

/// A hand-written policy that passed the validator.
struct Written {
    rule: RuleRef,
    /// All of it.
    spot: Spot,
    checked: Checked,
    fields: Vec<Listed<FieldPath>>,
    writes: Vec<Listed<FieldPath>>,
    errors: Vec<Listed<FieldPath>>,
    deny_as: Option<crate::input::DenyAs>,
}

/// Conditions already checked, because roles repeat them for every integration.
type ConditionCache = HashMap<(Arc<str>, OperationRef), Result<Checked, Vec<Wrong>>>;

/// The work in progress.
#[derive(Default)]
pub(super) struct Build {
    rules: Rules,
    mistakes: Vec<Mistake>,
    conditions: ConditionCache,
    sets: SetCache,
    plans: HashMap<(OperationRef, String), Arc<Plan>>,
    trees: HashMap<String, Arc<Trees>>,
    beings: KnownPrincipals,
    /// Conditions of which was said what they do not do; roles repeat them for every integration.
    judged: HashSet<(RuleRef, OperationRef)>,
    known: HashMap<Arc<str>, Arc<likely::Known>>,
    likely: HashMap<OperationRef, Arc<Vec<Likely>>>,
    /// Of which versions not everything is known; see [`crate::input::ApiShape::unsure`].
    unsure: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// Not all grants of the integration at hand are known.
    is_partial: bool,
}

impl Build {
    /// Compiles everything; all mistakes are collected.
    pub fn run(mut self, input: PolicyInput) -> Result<Rules, Vec<Mistake>> {
        for api in &input.apis {
            self.api(api);
            if !api.unsure.is_empty() {
                self.unsure.insert(api.name.clone(), api.unsure.clone());
            }
        }
        let faults = crate::parameters::stated(&self.rules);
        self.mistakes.extend(faults);
        let Some(types) = self.types(&input) else {
            return Err(self.mistakes);
        };
        self.beings = KnownPrincipals::of(&input);
        let written = self.written(&input, &types);
        for integration in input.integrations {
            self.integration(integration, &types, &written);
        }
        if self.mistakes.is_empty() {
            Ok(self.rules)
        } else {
            Err(self.mistakes)
        }
    }

    fn mistake(&mut self, rule: &RuleRef, message: impl Into<String>, help: impl Into<String>) {
        self.mistake_at(&rule.file, Spot::line(rule.line), message, help);
    }

    /// A mistake in one part of a grant.
    fn mistake_at(
        &mut self,
        file: &str,
        spot: Spot,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let mut mistake = Mistake::new(message, help).in_file(file).at_line(spot.line);
        mistake.span = spot.span;
        if !self.mistakes.contains(&mistake) {
            self.mistakes.push(mistake);
        }
    }

    /// The schema for the validator, generated from the contracts.
    fn types(&mut self, input: &PolicyInput) -> Option<Types> {
        let mut draft = TypesDraft::default();
        for integration in &input.integrations {
            for name in integration.attributes.keys() {
                draft.principal_attribute(name);
            }
        }
        for kind in &self.rules.kinds {
            let attributes: Vec<(Arc<str>, AttributeType)> = kind
                .attributes
                .iter()
                .map(|a| (a.name.clone(), a.kind))
                .collect();
            let space = cedar::namespace(&kind.api);
            let name = kind.type_text.rsplit("::").next().unwrap_or_default();
            draft.kind(&space, name, &attributes);
        }
        for operation in &self.rules.operations {
            let own = self.resource_types(operation);
            let parents = self.parent_types(operation);
            let of = |place: ParameterPlace| -> Vec<(Arc<str>, Scalar)> {
                let here = operation.parameters.iter().filter(|p| p.place == place);
                here.map(|p| (p.name.clone(), p.scalar)).collect()
            };
            draft.operation(
                &cedar::namespace(&operation.api),
                &operation.id,
                Resources {
                    own: &own,
                    parents: &parents,
                },
                &of(ParameterPlace::Path),
                &of(ParameterPlace::Query),
            );
        }
        match draft.finish() {
            Ok(types) => Some(types),
            Err(message) => {
                let help = "rename the schema or attribute that the message names";
                self.mistakes.push(Mistake::new(
                    format!("no policy schema can be made of the contracts: {message}"),
                    help,
                ));
                None
            }
        }
    }

    /// Types of the other objects that the path names.
    fn parent_types(&self, operation: &Operation) -> Vec<String> {
        let named = operation.named.iter().filter(|named| {
            let parameter = operation.parameters.get(named.parameter);
            parameter.is_some_and(|p| p.place == ParameterPlace::Path)
        });
        let kinds = named.filter(|named| !operation.resources.contains(&named.kind));
        let mut types: Vec<String> = kinds
            .filter_map(|named| self.rules.kind(named.kind))
            .map(|kind| kind.type_text.clone())
            .collect();
        types.sort();
        types.dedup();
        types
    }

    fn resource_types(&self, operation: &Operation) -> Vec<String> {
        let types: Vec<String> = operation
            .resources
            .iter()
            .filter_map(|kind| self.rules.kind(*kind))
            .map(|kind| kind.type_text.clone())
            .collect();
        if types.is_empty() {
            vec![NO_OBJECT.to_owned()]
        } else {
            types
        }
    }
}
