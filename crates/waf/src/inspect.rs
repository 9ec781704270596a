//! Judges the parts of one message against a plan.
//! Exports `inspect`. Pure and total: the same parts and plan give the same findings.
//! Used by stage `inspect` of the gateway.
//! Start reading at `inspect`.

use crate::field_plan::Remaining;
use crate::finding::Findings;
use crate::part::{Part, RequestFacts};
use crate::plan::Plan;
use crate::run::Run;

/// Inspects every part. `now` is Unix seconds and decides which exclusions still apply.
pub fn inspect(parts: &[Part<'_>], request: &RequestFacts<'_>, plan: &Plan, now: i64) -> Findings {
    let mut run = Run::new(&plan.sensitivity, request.operation, now);
    for part in parts {
        if let Some(pack) = &plan.pack {
            let field = plan.remaining(part);
            pack.inspect(part, field.and_then(Remaining::pack), &mut run);
        }
        if run.exhausted() {
            run.out_of_work(part);
            break;
        }
    }
    if let Some(rules) = &plan.directed
        && !run.exhausted()
    {
        crate::directed::inspect(plan, rules, parts, request, &mut run);
        if let Some(part) = parts.first().filter(|_| run.exhausted()) {
            run.out_of_work(part);
        }
    }
    run.finish()
}

#[cfg(test)]
mod tests;
