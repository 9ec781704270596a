//! One inspection under way: what it has cost and found so far.
//! Exports `Run`.
//! Used by everything that shows a message to rules; `inspect` begins and ends it.
//! Start reading at `Run::report`.

use crate::finding::{Class, Finding, Findings};
use crate::part::{Part, Place};
use crate::scan::Candidates;
use crate::sensitivity::Sensitivity;

/// Findings kept per message; more would tell nobody anything new.
const FINDINGS_MAX: usize = 64;

/// The state of one inspection.
pub(crate) struct Run<'p> {
    pub(crate) sensitivity: &'p Sensitivity,
    operation: &'p str,
    now: i64,
    /// Bytes read by patterns so far: the clock of a crate that has no clock.
    pub(crate) work: u64,
    /// How often something was found so far, whatever came of it.
    pub(crate) reports: u64,
    pub(crate) scratch: Candidates,
    found: Findings,
}

impl<'p> Run<'p> {
    /// Nothing found yet. `now` is Unix seconds and decides which exclusions still apply.
    pub(crate) fn new(sensitivity: &'p Sensitivity, operation: &'p str, now: i64) -> Run<'p> {
        Run {
            sensitivity,
            operation,
            now,
            work: 0,
            reports: 0,
            scratch: Candidates::default(),
            found: Findings::default(),
        }
    }

    /// What was found, and whether it is enough to refuse the message.
    pub(crate) fn finish(mut self) -> Findings {
        self.found.refuse |= self.found.score >= self.sensitivity.threshold;
        self.found
    }

    /// Whether the message may cost more.
    pub(crate) fn exhausted(&self) -> bool {
        self.work > self.sensitivity.work_max
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
        if self
            .sensitivity
            .excludes(self.operation, &finding, self.now)
        {
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
        self.sensitivity.excludes(self.operation, finding, self.now)
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
                score: self.sensitivity.threshold,
                paranoia: 1,
                why: "A rule denied the request as a whole.".to_owned(),
            });
            self.found.score = self.found.score.saturating_add(finding.score);
            self.found.findings.push(finding);
        }
    }

    /// The deadline fails closed: no exclusion applies to it.
    pub(crate) fn out_of_work(&mut self, part: &Part<'_>) {
        let score = self.sensitivity.threshold;
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
