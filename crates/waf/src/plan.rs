//! Settings and rule files become a `Plan`, once, when a configuration loads.
//! Exports `compile`, `compile_again` and `Plan`. A mistake refuses the load and names file and line.
//! Used by whoever holds the configuration; `inspect` reads the plan.
//! Start reading at `compile`.

use crate::finding::{Class, Finding};
use crate::pack::Pack;
use crate::seclang::RuleSet;
use crate::settings::{Exclusion, LoadError, RuleFiles, Settings};
use std::sync::Arc;

/// Compiled settings. Immutable, shared between threads, swapped as a whole.
#[derive(Debug)]
pub struct Plan {
    pub(crate) paranoia: u8,
    pub(crate) threshold: u32,
    pub(crate) work_max: u64,
    pub(crate) exclusions: Vec<CompiledExclusion>,
    /// One for all plans of a process.
    pub(crate) pack: Option<Arc<Pack>>,
    /// Shared with the plans that were made from this one.
    pub(crate) directed: Option<Arc<RuleSet>>,
}

impl Plan {
    /// The paranoia level of fields that have none of their own.
    pub fn paranoia(&self) -> u8 {
        self.paranoia
    }

    /// The score that refuses a message.
    pub fn threshold(&self) -> u32 {
        self.threshold
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

#[derive(Debug)]
pub(crate) struct CompiledExclusion {
    operation: Option<String>,
    segments: Vec<String>,
    pointer: String,
    rules: Vec<String>,
    classes: Vec<Class>,
    /// Unix seconds of the first moment it no longer applies.
    ends: i64,
}

impl CompiledExclusion {
    pub(crate) fn covers(&self, operation: &str, finding: &Finding, now: i64) -> bool {
        now < self.ends
            && self
                .operation
                .as_deref()
                .is_none_or(|name| name == operation)
            && (self.classes.contains(&finding.class) || self.rules.contains(&finding.rule))
            && self.covers_pointer(&finding.pointer)
    }

    fn covers_pointer(&self, pointer: &str) -> bool {
        if self.pointer == pointer {
            return true;
        }
        let mut ours = self.segments.iter();
        let mut theirs = pointer.split('/');
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(pattern), Some(segment)) if pattern == "*" || pattern == segment => {}
                _ => return false,
            }
        }
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
    if !(1..=4).contains(&settings.paranoia) {
        errors.push(LoadError::setting(
            format!("paranoia is {}", settings.paranoia),
            "Choose a level from 1 to 4.",
        ));
    }
    if settings.threshold == 0 {
        errors.push(LoadError::setting(
            "threshold is 0",
            "Choose at least 1; 5 is the score of one critical rule.",
        ));
    }
    let exclusions = settings
        .exclusions
        .iter()
        .filter_map(|exclusion| exclude(exclusion).map_err(|error| errors.push(error)).ok())
        .collect();
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
        paranoia: settings.paranoia,
        threshold: settings.threshold,
        work_max: settings.work_max,
        exclusions,
        pack,
        directed,
    })
}

fn exclude(exclusion: &Exclusion) -> Result<CompiledExclusion, LoadError> {
    let at = format!("exclusion for `{}`", exclusion.pointer);
    if exclusion.owner.trim().is_empty() {
        return Err(LoadError::setting(
            format!("{at} has no owner"),
            "Name the person or team that answers for it.",
        ));
    }
    if exclusion.rules.is_empty() {
        return Err(LoadError::setting(
            format!("{at} names no rule"),
            "List the rule ids or classes it silences.",
        ));
    }
    let Some(ends) = day(&exclusion.expires) else {
        return Err(LoadError::setting(
            format!(
                "{at} expires on `{}`, which is not a day",
                exclusion.expires
            ),
            "Write the day as YYYY-MM-DD.",
        ));
    };
    Ok(CompiledExclusion {
        operation: exclusion.operation.clone(),
        segments: exclusion.pointer.split('/').map(str::to_owned).collect(),
        pointer: exclusion.pointer.clone(),
        classes: exclusion
            .rules
            .iter()
            .filter_map(|rule| Class::named(rule))
            .collect(),
        rules: exclusion.rules.clone(),
        ends,
    })
}

/// Unix seconds at the beginning of a day in the Gregorian calendar.
fn day(text: &str) -> Option<i64> {
    let mut fields = text.split('-');
    let (year, month, day) = (fields.next()?, fields.next()?, fields.next()?);
    if fields.next().is_some() || year.len() != 4 || month.len() != 2 || day.len() != 2 {
        return None;
    }
    let (year, month, day): (i64, i64, i64) =
        (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from civil: years begin in March, so the leap day is the last of its year.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some((era * 146_097 + day_of_era - 719_468) * 86_400)
}

#[cfg(test)]
mod tests;
