//! What inspection saw, as a record keeps it: bounded, and without any text of the message.
//! Exports `new`, `all` and `note`.
//! Used by the stages `inspect` and `response`, and by the replay.
//! Start reading at `note`.

use model::Event;
use model::event::{Finding, Treatment};
use waf::Findings;

use crate::bounds::bounded;

/// Most findings kept of one message; the rest is counted.
const FINDINGS_MAX: usize = 16;
/// Longest pointer kept, in bytes.
pub(crate) const POINTER_BYTES_MAX: usize = 200;
/// Most decoding steps kept.
const STEPS_MAX: usize = 12;

/// A finding of detection, as a record keeps it.
pub fn new(found: &waf::Finding, what: Treatment) -> Finding {
    let steps = found.chain.iter().take(STEPS_MAX);
    Finding {
        class: found.class.code().into(),
        place: found.place.name().into(),
        pointer: bounded(&found.pointer, POINTER_BYTES_MAX),
        rule: found.rule.as_str().into(),
        score: found.score,
        paranoia: found.paranoia,
        steps: steps.map(|step| (*step).into()).collect(),
        what: what.into(),
    }
}

/// What was found in one message: what counts first, then what an exclusion silences.
pub fn all(found: &Findings) -> impl Iterator<Item = Finding> {
    let counted = found.findings.iter();
    let excluded = found.excluded.iter();
    counted
        .map(|one| new(one, Treatment::Counted))
        .chain(excluded.map(|one| new(one, Treatment::Excluded)))
}

/// Adds the findings of one message to its record; how many there were beyond the bound is counted.
pub fn note(event: &mut Event, mut found: impl Iterator<Item = Finding>) {
    event.findings.extend(found.by_ref().take(FINDINGS_MAX));
    if let Some(more) = u32::try_from(found.count()).ok().filter(|more| *more > 0) {
        let before = event.findings_more.unwrap_or(0);
        event.findings_more = Some(before.saturating_add(more));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pointer: &str) -> waf::Finding {
        waf::Finding {
            class: waf::Class::Sqli,
            place: waf::Place::Body,
            pointer: pointer.into(),
            rule: "942100".into(),
            score: 5,
            paranoia: 1,
            chain: vec!["percent", "base64"],
            why: String::new(),
        }
    }

    #[test]
    fn a_record_keeps_a_bounded_number_of_bounded_findings() {
        let long = "/x".repeat(10_000);
        let mut event = Event::default();
        let many = (0..40).map(|_| new(&found(&long), Treatment::Counted));
        note(&mut event, many);
        assert_eq!(event.findings.len(), FINDINGS_MAX);
        assert_eq!(event.findings_more, Some(24));
        let kept = event.findings.first().unwrap();
        assert_eq!((kept.pointer.len(), kept.steps.len()), (200, 2));
        // The response is a message of its own; both are counted together.
        note(
            &mut event,
            (0..17).map(|_| new(&found("/y"), Treatment::Masked)),
        );
        assert_eq!((event.findings.len(), event.findings_more), (32, Some(25)));
    }
}
