//! How suspicious inspection is: levels, bounds, and findings that are known to be wrong.
//! Exports `Sensitivity`. Checked when a configuration loads.
//! Used by `plan`, which holds one, and by `run`, which counts by it.
//! Start reading at `Sensitivity`.

use crate::finding::{Class, Finding};
use crate::hosts::{HOSTS_MAX, Hosts};
use crate::settings::{Exclusion, LoadError, Settings};

/// How suspicious inspection is.
#[derive(Debug)]
pub(crate) struct Sensitivity {
    /// The level of fields that have none of their own.
    pub(crate) paranoia: u8,
    /// The score that refuses a message.
    pub(crate) threshold: u32,
    /// Bytes that patterns may read of one message.
    pub(crate) work_max: u64,
    pub(crate) exclusions: Vec<CompiledExclusion>,
    pub(crate) hosts: Hosts,
}

impl Sensitivity {
    /// As the settings say; what is wrong in them is added to the errors.
    pub(crate) fn new(settings: &Settings, errors: &mut Vec<LoadError>) -> Sensitivity {
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
        if settings.internal_hosts.len() > HOSTS_MAX {
            errors.push(LoadError::setting(
                format!("{} internal hosts", settings.internal_hosts.len()),
                format!("At most {HOSTS_MAX} are compared; `*.plant.internal` stands for many."),
            ));
        }
        let exclusions = settings
            .exclusions
            .iter()
            .filter_map(|exclusion| exclude(exclusion).map_err(|error| errors.push(error)).ok())
            .collect();
        Sensitivity {
            paranoia: settings.paranoia,
            threshold: settings.threshold,
            work_max: settings.work_max,
            exclusions,
            hosts: Hosts(settings.internal_hosts.clone()),
        }
    }

    /// Whether an exclusion covers the finding at this time, in Unix seconds.
    pub(crate) fn excludes(&self, operation: &str, finding: &Finding, now: i64) -> bool {
        let mut exclusions = self.exclusions.iter();
        exclusions.any(|exclusion| exclusion.covers(operation, finding, now))
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
    fn covers(&self, operation: &str, finding: &Finding, now: i64) -> bool {
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
