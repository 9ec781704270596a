//! Judges the parts of one message against a plan.
//! Exports `inspect`. Pure and total: the same parts and plan give the same findings.
//! Used by stage `inspect` of the gateway.
//! Start reading at `inspect`.

use crate::finding::{Class, Finding, Findings};
use crate::part::{Part, Place, RequestFacts};
use crate::plan::Plan;
use crate::prove::Remaining;
use crate::scan::Candidates;

/// Findings kept per message; more would tell nobody anything new.
const FINDINGS_MAX: usize = 64;

/// Inspects every part. `now` is Unix seconds and decides which exclusions still apply.
pub fn inspect(parts: &[Part<'_>], request: &RequestFacts<'_>, plan: &Plan, now: i64) -> Findings {
    let mut run = Run {
        plan,
        operation: request.operation,
        now,
        work: 0,
        reports: 0,
        scratch: Candidates::default(),
        found: Findings::default(),
    };
    for part in parts {
        if let Some(pack) = &plan.pack {
            let field = part.field.and_then(|field| field.covers(plan, part));
            pack.inspect(part, field.and_then(Remaining::pack), &mut run);
        }
        if run.work > plan.work_max {
            run.out_of_work(part);
            break;
        }
    }
    if let Some(rules) = &plan.directed
        && !run.exhausted()
    {
        crate::directed::inspect(rules, parts, request, &mut run);
        if let Some(part) = parts.first().filter(|_| run.exhausted()) {
            run.out_of_work(part);
        }
    }
    run.found.refuse |= run.found.score >= plan.threshold;
    run.found
}

/// The state of one inspection.
pub(crate) struct Run<'p> {
    pub(crate) plan: &'p Plan,
    operation: &'p str,
    now: i64,
    /// Bytes read by patterns so far: the clock of a crate that has no clock.
    pub(crate) work: u64,
    /// How often something was found so far, whatever came of it.
    pub(crate) reports: u64,
    pub(crate) scratch: Candidates,
    found: Findings,
}

impl Run<'_> {
    /// Whether the message may cost more.
    pub(crate) fn exhausted(&self) -> bool {
        self.work > self.plan.work_max
    }

    /// Adds the cost of reading `bytes` once.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.work = self
            .work
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Counts a finding, once per rule and field.
    pub(crate) fn report(&mut self, finding: Finding) {
        self.reports = self.reports.saturating_add(1);
        let same = |known: &Finding| known.rule == finding.rule && known.pointer == finding.pointer;
        let found = &mut self.found;
        if found.findings.iter().any(same) || found.excluded.iter().any(same) {
            return;
        }
        let mut exclusions = self.plan.exclusions.iter();
        if exclusions.any(|exclusion| exclusion.covers(self.operation, &finding, self.now)) {
            if found.excluded.len() < FINDINGS_MAX {
                found.excluded.push(finding);
            }
            return;
        }
        found.score = found.score.saturating_add(finding.score);
        if found.findings.len() < FINDINGS_MAX {
            found.findings.push(finding);
        }
    }

    /// Whether an exclusion covers the finding now.
    pub(crate) fn is_excluded(&self, finding: &Finding) -> bool {
        let mut exclusions = self.plan.exclusions.iter();
        exclusions.any(|exclusion| exclusion.covers(self.operation, finding, self.now))
    }

    /// Keeps findings that an exclusion silenced.
    pub(crate) fn excluded(&mut self, findings: Vec<Finding>) {
        let room = FINDINGS_MAX.saturating_sub(self.found.excluded.len());
        self.found.excluded.extend(findings.into_iter().take(room));
    }

    /// Hints count where something else was found in the same field; elsewhere they are only told.
    pub(crate) fn hints(&mut self, hints: Vec<Finding>) {
        let in_company = |hint: &Finding| {
            let mut known = self.found.findings.iter();
            known.any(|known| known.pointer == hint.pointer)
        };
        let (counted, told): (Vec<_>, Vec<_>) = hints.into_iter().partition(in_company);
        for finding in counted {
            self.report(finding);
        }
        for finding in told {
            let same =
                |known: &Finding| known.rule == finding.rule && known.pointer == finding.pointer;
            let room = self.found.excluded.len() < FINDINGS_MAX;
            if room && !self.found.excluded.iter().any(same) {
                self.found.excluded.push(Finding {
                    score: 0,
                    ..finding
                });
            }
        }
    }

    /// A rule of a directory denied. Mostly it only counts what was found before; otherwise `by` says what it saw.
    pub(crate) fn deny(&mut self, id: u32, by: Option<Finding>) {
        self.found.refuse = true;
        if self.found.findings.is_empty() {
            let finding = by.unwrap_or_else(|| Finding {
                class: Class::Protocol,
                rule: id.to_string(),
                place: Place::Path,
                pointer: String::new(),
                chain: Vec::new(),
                score: self.plan.threshold,
                paranoia: 1,
                why: "A rule denied the request as a whole.".to_owned(),
            });
            self.found.score = self.found.score.saturating_add(finding.score);
            self.found.findings.push(finding);
        }
    }

    /// The deadline fails closed: no exclusion applies to it.
    fn out_of_work(&mut self, part: &Part<'_>) {
        let score = self.plan.threshold;
        self.found.score = self.found.score.saturating_add(score);
        self.found.findings.push(Finding {
            class: Class::Deadline,
            rule: "pack.deadline".to_owned(),
            place: part.place,
            pointer: part.pointer.to_owned(),
            chain: Vec::new(),
            score,
            paranoia: 1,
            why: format!(
                "patterns read {} bytes, more than `work_max` allows",
                self.work
            ),
        });
    }
}

#[cfg(test)]
mod tests;
