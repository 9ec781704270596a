//! How free text is inspected: the settings of detection, and findings known to be wrong.
//! Gives `compile`.
//! Used by `compile` of the whole.
//! Start reading at `compile`.

use std::sync::Arc;

use model::{Mistake, Timestamp};
use waf::{Plan, RuleFiles, Settings};

use super::bounds::filled;
use crate::read::SERVER_FILE;
use crate::report::Report;
use crate::server::{Exclusion, Server};
use crate::spanned::At;

/// Compiles the plan of detection.
pub(super) fn compile(server: &Server, now: Timestamp, report: &mut Report) -> Option<Arc<Plan>> {
    let file: Arc<str> = SERVER_FILE.into();
    let written = &server.inspection;
    let paranoia = filled(written.paranoia.as_ref(), 1, (1, 4), &file, report);
    let threshold = filled(written.threshold.as_ref(), 5, (1, 1_000), &file, report);
    let exclusions = written.exclusions.iter();
    let settings = Settings {
        paranoia: u8::try_from(paranoia).unwrap_or(1).clamp(1, 4),
        threshold: threshold.max(1),
        exclusions: exclusions
            .filter_map(|at| exclusion(at, now, &file, report))
            .collect(),
        ..Settings::default()
    };
    match waf::compile(&settings, &RuleFiles::none()) {
        Ok(plan) => Some(Arc::new(plan)),
        Err(errors) => {
            for error in errors {
                let mistake = Mistake::new(error.message, error.help).in_file(SERVER_FILE);
                report.add(mistake);
            }
            None
        }
    }
}

fn exclusion(
    at: &At<Exclusion>,
    now: Timestamp,
    file: &Arc<str>,
    report: &mut Report,
) -> Option<waf::Exclusion> {
    let place = at.place(file);
    if at.owner.trim().is_empty() || at.reason.trim().is_empty() {
        report.wrong(
            &place,
            "an exclusion needs an owner and a reason",
            "Say who answers for it and why it is right.",
        );
        return None;
    }
    if at.rules.is_empty() {
        report.wrong(
            &place,
            "the exclusion silences no rule",
            "List rule ids or classes: `rules: [sqli]`.",
        );
        return None;
    }
    if at.expires.value.0 < now {
        let message = format!("the exclusion ended on {}", at.expires.value);
        report.wrong(
            &at.expires.place(file),
            message,
            "Take it out, or look at it again and move the day.",
        );
        return None;
    }
    Some(waf::Exclusion {
        operation: at
            .operation
            .as_ref()
            .map(|operation| operation.value.clone()),
        pointer: at.pointer.value.clone(),
        rules: at.rules.iter().map(|rule| rule.value.clone()).collect(),
        owner: at.owner.clone(),
        expires: at.expires.value.to_string(),
        reason: at.reason.clone(),
    })
}
