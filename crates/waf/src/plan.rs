//! Settings and rule files become a `Plan`, once, when a configuration loads.
//! Exports `compile`, `compile_again` and `Plan`. A mistake refuses the load and names file and line.
//! Used by whoever holds the configuration; `inspect` reads the plan.
//! Start reading at `compile`.

use crate::pack::Pack;
use crate::seclang::RuleSet;
use crate::sensitivity::Sensitivity;
use crate::settings::{LoadError, RuleFiles, Settings};
use std::sync::Arc;

/// Compiled settings. Immutable, shared between threads, swapped as a whole.
#[derive(Debug)]
pub struct Plan {
    pub(crate) sensitivity: Sensitivity,
    /// One for all plans of a process.
    pub(crate) pack: Option<Arc<Pack>>,
    /// Shared with the plans that were made from this one.
    pub(crate) directed: Option<Arc<RuleSet>>,
}

impl Plan {
    /// The paranoia level of fields that have none of their own.
    pub fn paranoia(&self) -> u8 {
        self.sensitivity.paranoia
    }

    /// The score that refuses a message.
    pub fn threshold(&self) -> u32 {
        self.sensitivity.threshold
    }

    /// How many rules the plan holds.
    pub fn rules(&self) -> usize {
        let ours = self.pack.as_deref().map_or(0, Pack::len);
        ours + self.directed.as_deref().map_or(0, RuleSet::len)
    }

    /// The ids of all rules, as findings and exclusions name them.
    pub fn rule_ids(&self) -> Vec<String> {
        let ours = self.pack.iter().flat_map(|pack| pack.ids());
        let ours = ours.map(str::to_owned);
        let theirs = self.directed.iter().flat_map(|rules| rules.ids());
        ours.chain(theirs.map(|id| id.to_string())).collect()
    }

    /// Whether a rule has this id.
    pub fn has_rule(&self, id: &str) -> bool {
        let is_ours = |pack: &Pack| pack.ids().any(|known| known == id);
        let is_theirs = |rules: &RuleSet| rules.ids().any(|known| id.parse() == Ok(known));
        self.pack.as_deref().is_some_and(is_ours) || self.directed.as_deref().is_some_and(is_theirs)
    }

    /// What the rules of the directory call themselves, with their version.
    pub fn signature(&self) -> Option<&str> {
        self.directed.as_deref().map(RuleSet::signature)
    }

    /// Whether `inspect` needs the headers of the request: rules from a directory ask for them.
    pub fn wants_headers(&self) -> bool {
        self.directed.is_some()
    }
}

/// Compiles settings and the files they name. Nothing is skipped: an unknown construct is a mistake.
pub fn compile(settings: &Settings, files: &RuleFiles) -> Result<Plan, Vec<LoadError>> {
    made(settings, || {
        let load = || RuleSet::load(files).map(Arc::new);
        (!files.rules.is_empty()).then(load).transpose()
    })
}

/// Compiles settings for the rules another plan holds already. Reading rules takes a while, and mostly they did not
/// change; the caller vouches that they come from the same files.
pub fn compile_again(settings: &Settings, before: &Plan) -> Result<Plan, Vec<LoadError>> {
    made(settings, || Ok(before.directed.clone()))
}

fn made(
    settings: &Settings,
    rules: impl FnOnce() -> Result<Option<Arc<RuleSet>>, Vec<LoadError>>,
) -> Result<Plan, Vec<LoadError>> {
    let mut errors = Vec::new();
    let sensitivity = Sensitivity::new(settings, &mut errors);
    let pack = match settings.default_pack.then(Pack::shared) {
        None => None,
        Some(Ok(pack)) => Some(pack),
        Some(Err(error)) => {
            errors.push(error);
            None
        }
    };
    let directed = rules().unwrap_or_else(|more| {
        errors.extend(more);
        None
    });
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Plan {
        sensitivity,
        pack,
        directed,
    })
}
