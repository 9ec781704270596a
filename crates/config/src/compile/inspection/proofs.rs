//! What the contracts prove about the rules: for each language a contract gives its fields, the rules that remain.
//! Exports `prove`.
//! Used by `inspection`.
//! Start reading at `prove`.

use std::collections::{BTreeSet, HashSet};

use contract::forwarded::{FIELDS, ForwardedField};
use contract::{Contract, Language};
use model::Mode;
use waf::{FieldLanguage, FieldPlan, Plan};

use crate::compile::draft::Apis;
use crate::compiled::{ApiVersion, FieldPlans, Proven};

/// Gives every version what remains to ask of its fields. What `known` says already is not proven again.
pub(super) fn prove(plan: &Plan, apis: &mut Apis, known: Option<&Proven>) -> Proven {
    let versions = apis.versions.iter();
    let used: Vec<BTreeSet<usize>> = versions.map(used).collect();
    let forwarded: Vec<Language> = FIELDS.iter().map(ForwardedField::language).collect();
    let mut wanted: Vec<&Language> = vec![&Language::Free];
    wanted.extend(&forwarded);
    for (version, used) in apis.versions.iter().zip(&used) {
        let languages = version.contract.iter().flat_map(|c| c.languages.iter());
        let inspected = languages.enumerate().filter(|(n, _)| used.contains(n));
        wanted.extend(inspected.map(|(_, language)| language));
    }
    let proven = proven(plan, &wanted, known);
    for (version, used) in apis.versions.iter_mut().zip(&used) {
        if let Some(contract) = &version.contract {
            version.fields = of_contract(plan, contract, used, &proven);
        }
    }
    proven
}

/// What remains of the fields that travel on undeclared, in their order; empty where nothing was proven.
pub(super) fn of_forwarded(proven: &Proven) -> Vec<FieldPlan> {
    let plans = FIELDS
        .iter()
        .map(|field| proven.get(&field.language()).cloned());
    plans.collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// Every wanted language once, those that are not known proven together.
fn proven(plan: &Plan, wanted: &[&Language], known: Option<&Proven>) -> Proven {
    let mut proven = Proven::new();
    let mut new: Vec<&Language> = Vec::new();
    let mut met: HashSet<&Language> = HashSet::new();
    for language in wanted.iter().copied().filter(|one| met.insert(one)) {
        match known.and_then(|known| known.get(language)) {
            Some(plan) => {
                proven.insert(language.clone(), plan.clone());
            }
            None => new.push(language),
        }
    }
    let asked: Vec<FieldLanguage> = new.iter().copied().map(translated).collect();
    proven.extend(new.into_iter().cloned().zip(plan.fields(&asked)));
    proven
}

/// The languages of fields that inspection will see. Proofs cost time, and only these are asked for.
fn used(version: &ApiVersion) -> BTreeSet<usize> {
    let Some(contract) = &version.contract else {
        return BTreeSet::new();
    };
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
        contract::language::ADDRESS,
    ];
    fields.map(|field| field.language).chain(always).collect()
}

fn of_contract(
    plan: &Plan,
    contract: &Contract,
    used: &BTreeSet<usize>,
    proven: &Proven,
) -> FieldPlans {
    let languages = contract.languages.iter().enumerate();
    // Of a language that no inspected field has nothing is said, so nothing is left out.
    let plans: Vec<FieldPlan> = languages
        .filter_map(|(number, language)| {
            if used.contains(&number) {
                proven.get(language)
            } else {
                proven.get(&Language::Free)
            }
        })
        .cloned()
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
        // An address is looked at whole.
        Language::Free | Language::Address => FieldLanguage::Free,
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
