//! Which rules can match the texts a contract admits, decided when the configuration is compiled.
//! Exports `FieldPlans` (by language), `Irrelevant` (counted for `check`). Made by compile only.
//! Used by the gateway's stage `inspect` and by `check`.
//! Start reading at `FieldPlans`.

use std::collections::HashMap;
use std::sync::Arc;

/// What is proven about the fields of each language. It holds as long as the rules and the paranoia stay.
pub(crate) type Proven = HashMap<contract::Language, waf::FieldPlan>;

/// What inspection still has to ask of a text, by the language the contract gives it.
#[derive(Clone, Debug, Default)]
pub struct FieldPlans {
    /// By the numbers of `Contract::languages`.
    pub(crate) plans: Vec<waf::FieldPlan>,
    /// Languages whose texts need not be looked at, by the same numbers: every rule is proven unable to match.
    pub skipped: Vec<bool>,
}

impl FieldPlans {
    /// What is left to ask of texts of this language.
    pub fn get(&self, language: usize) -> Option<&waf::FieldPlan> {
        self.plans.get(language)
    }
}

/// How many rules the contract of one operation makes irrelevant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Irrelevant {
    /// `field-service/v2:createWorkOrder`
    pub scope: Arc<str>,
    /// Declared fields of its requests.
    pub fields: usize,
    /// Fields in which no rule can match.
    pub closed: usize,
    /// Rules that look at such fields, over all fields.
    pub rules: usize,
    /// Those of them that are proven unable to match.
    pub dead: usize,
}
