//! What the contracts prove about the rules: for each language a contract gives its fields, the rules that remain.
//! Gives `prove`.
//! Used by `inspection`.
//! Start reading at `prove`.

use std::collections::{BTreeSet, HashMap};

use contract::{Contract, Language};
use waf::{FieldLanguage, FieldPlan, Plan};

use crate::api::Mode;
use crate::compile::apis::Apis;
use crate::compiled::{ApiVersion, FieldPlans};

/// Gives every version what remains to ask of its fields.
pub(super) fn prove(plan: &Plan, apis: &mut Apis) {
    let mut proven = HashMap::new();
    for version in &mut apis.versions {
        let Some(contract) = version.contract.clone() else {
            continue;
        };
        let used = used(&contract, version);
        version.fields = of_contract(plan, &contract, &used, &mut proven);
    }
}

/// The languages of fields that inspection will see. Proofs cost time, and only these are asked for.
fn used(contract: &Contract, version: &ApiVersion) -> BTreeSet<usize> {
    let inspected = contract
        .operations
        .iter()
        .zip(&version.operations)
        .filter(|(_, plan)| plan.inspect != Mode::Off && !plan.listeners.is_empty());
    let fields = inspected.flat_map(|(operation, _)| contract::fields(operation));
    let always = [
        contract::language::FREE,
        contract::language::INTEGER,
        contract::language::NUMBER,
        contract::language::BOOLEAN,
    ];
    fields.map(|field| field.language).chain(always).collect()
}

fn of_contract(
    plan: &Plan,
    contract: &Contract,
    used: &BTreeSet<usize>,
    proven: &mut HashMap<Language, FieldPlan>,
) -> FieldPlans {
    let mut of = |language: &Language| {
        let known = proven.entry(language.clone());
        known
            .or_insert_with(|| plan.field(&translated(language)))
            .clone()
    };
    let languages = contract.languages.iter().enumerate();
    let plans: Vec<FieldPlan> = languages
        .map(|(number, language)| match used.contains(&number) {
            true => of(language),
            // Nothing is said about it, so nothing is left out.
            false => of(&Language::Free),
        })
        .collect();
    // Rules of directories count what was sent and add up its length, so they are shown all of it.
    let skipped = plans
        .iter()
        .map(|plan_of_field| plan_of_field.is_closed() && !plan.wants_headers())
        .collect();
    FieldPlans { plans, skipped }
}

/// The contract's word for a language as detection knows it. The two rooms do not know each other.
fn translated(language: &Language) -> FieldLanguage {
    match language {
        Language::Free => FieldLanguage::Free,
        Language::Integer => FieldLanguage::Integer,
        Language::Number => FieldLanguage::Number,
        Language::Boolean => FieldLanguage::Boolean,
        Language::Uuid => FieldLanguage::Uuid,
        Language::Date => FieldLanguage::Date,
        Language::DateTime => FieldLanguage::DateTime,
        Language::Values(values) => {
            FieldLanguage::Values(values.iter().map(|value| value.to_string()).collect())
        }
        Language::Pattern { source, length_max } => FieldLanguage::Pattern {
            source: source.to_string(),
            length_max: *length_max,
        },
    }
}
