//! Records of schema 1, which said in sentences and lines of text what a record says in fields today.
//! Exports `complete`, and makes the parts of an event from lines.
//! Used where an event is read; nothing writes these forms any more, and nothing else reads a sentence.
//! Start reading at `complete`.

use super::from_line::FromLine;
use super::parts::{Blocked, Drift, ErrorAt, Finding, ObjectRef};
use super::words::{Cause, Word};
use super::{Event, SCHEMA};
use crate::{RuleRef, Text, Timestamp};

/// Between the subject of a block and the moment it ends.
const BLOCKED: &str = " is blocked until ";
/// Begins the detail of a refusal for a look-up that failed.
const LOOKED_UP: &str = "the look-up was answered with ";

impl FromLine for ObjectRef {
    /// `WorkOrder:4711`
    fn from_line(line: &str) -> Self {
        let (kind, id) = line.split_once(':').unwrap_or(("", line));
        ObjectRef {
            kind: kind.into(),
            id: id.into(),
            is_person: false,
        }
    }
}

impl FromLine for ErrorAt {
    /// `body /email type`
    fn from_line(line: &str) -> Self {
        let (place, rest) = line.split_once(' ').unwrap_or(("", line));
        let (pointer, keyword) = rest.rsplit_once(' ').unwrap_or((rest, ""));
        ErrorAt {
            place: place.into(),
            pointer: pointer.into(),
            keyword: keyword.into(),
        }
    }
}

impl FromLine for Drift {
    /// `/email type`
    fn from_line(line: &str) -> Self {
        let (pointer, keyword) = line.rsplit_once(' ').unwrap_or((line, ""));
        Drift {
            pointer: pointer.into(),
            keyword: keyword.into(),
        }
    }
}

impl FromLine for Finding {
    /// `inspect.sqli body:/note 942100 score=5 paranoia=1 via=percent>base64 what=counted`: read from both ends, because
    /// only the pointer can hold blanks. Any other line is kept where the rule stands, without a class.
    fn from_line(line: &str) -> Self {
        finding(line).unwrap_or_else(|| Finding {
            rule: line.into(),
            ..Finding::default()
        })
    }
}

fn finding(line: &str) -> Option<Finding> {
    let (class, rest) = line.split_once(' ')?;
    let (rest, what) = last(rest, "what=")?;
    let (rest, steps) = last(rest, "via=")?;
    let (rest, paranoia) = last(rest, "paranoia=")?;
    let (rest, score) = last(rest, "score=")?;
    let (rest, rule) = rest.rsplit_once(' ')?;
    let (place, pointer) = rest.split_once(':')?;
    let steps = steps.split('>').filter(|step| !step.is_empty());
    Some(Finding {
        class: class.into(),
        place: place.into(),
        pointer: pointer.into(),
        rule: rule.into(),
        score: score.parse().ok()?,
        paranoia: paranoia.parse().ok()?,
        steps: steps.map(Text::from).collect(),
        what: Word::new(what),
    })
}

/// Takes `NAME=VALUE` off the end.
fn last<'l>(line: &'l str, name: &str) -> Option<(&'l str, &'l str)> {
    let (rest, word) = line.rsplit_once(' ')?;
    Some((rest, word.strip_prefix(name)?))
}

impl FromLine for RuleRef {
    /// `integrations/accounting.yaml:18`
    fn from_line(line: &str) -> Self {
        let place = line
            .rsplit_once(':')
            .and_then(|(file, number)| Some((file, number.parse().ok()?)));
        let (file, line) = place.unwrap_or((line, 0));
        RuleRef {
            file: file.into(),
            line,
        }
    }
}

/// Turns what a record of schema 1 says in sentences into the fields of today. A record of today is left as it is.
pub(super) fn complete(event: &mut Event) {
    if event.schema.number() >= SCHEMA {
        return;
    }
    event.schema = super::Schema::default();
    left_out(event);
    if let Some((blocked, own)) = event.detail.as_deref().and_then(block_in) {
        event.blocked = Some(blocked);
        event.detail = Some(own).filter(|own| !own.is_empty());
    }
    let detail = event.detail.clone().unwrap_or_default();
    if event.code.is_some() {
        event.cause = cause(event.rule.as_ref(), &detail).map(Word::Known);
    }
    event.lookup_status = detail
        .strip_prefix(LOOKED_UP)
        .and_then(|status| status.parse().ok());
    let is_of_caller = event
        .code
        .as_deref()
        .is_some_and(|c| c.starts_with("authn."));
    if event.integration.is_none() && is_of_caller {
        event.integration = detail.split('`').nth(1).map(Text::new);
    }
}

/// The last line of findings counted those that were left out.
fn left_out(event: &mut Event) {
    let is_line = |one: &Finding| one.class.is_empty();
    let lines = event.findings.iter().filter(|one| is_line(one));
    let counts = lines.filter_map(|one| {
        let number = one.rule.strip_prefix("and ")?.strip_suffix(" more")?;
        number.parse::<u32>().ok()
    });
    let sum = counts.fold(0, u32::saturating_add);
    event.findings_more = Some(sum).filter(|sum| *sum > 0);
    event.findings.retain(|one| !is_line(one));
}

/// The block that a detail begins with, and the rest of the detail.
fn block_in(detail: &str) -> Option<(Blocked, Text)> {
    let (subject, rest) = detail.split_once(BLOCKED)?;
    // A block that began with the refusal ends with `; `, one that led to it with `: `.
    let ends = ["; ", ": "];
    let (until, own) = ends.into_iter().find_map(|end| {
        let (until, own) = rest.split_once(end)?;
        Some((Timestamp::parse(until)?, own))
    })?;
    let subject = subject.into();
    Some((Blocked { subject, until }, own.into()))
}

fn cause(rule: Option<&RuleRef>, detail: &str) -> Option<Cause> {
    let is_policy = rule.is_some_and(|rule| rule.file.starts_with("policies/"));
    let begins = |words: &str| detail.starts_with(words);
    if is_policy {
        return Some(Cause::Policy);
    }
    if begins("no grant's condition holds for ") {
        let is_parent = detail.ends_with(", which the path names");
        return Some(if is_parent {
            Cause::ParentCondition
        } else {
            Cause::Condition
        });
    }
    if begins("the request names ") {
        return Some(Cause::Reference);
    }
    if begins("no grant that holds for this object lets ") {
        return Some(Cause::Writes);
    }
    let is_ambiguous = detail.contains("could read the path of");
    is_ambiguous.then_some(Cause::AmbiguousPath)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Event {
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn a_block_in_a_detail_hides_none_of_its_cause() {
        let event = read(
            r#"{"at":1,"kind":"request","outcome":"refuse","code":"object.denied","rule":"integrations/crm.yaml:9",
            "detail":"user:crm/ann lee is blocked until 2026-11-30T10:00:00.000Z; no grant's condition holds for Site:1"}"#,
        );
        let blocked = event.blocked.unwrap();
        assert_eq!(blocked.subject, "user:crm/ann lee");
        assert_eq!(blocked.until.to_string(), "2026-11-30T10:00:00.000Z");
        assert_eq!(
            event.detail.unwrap(),
            "no grant's condition holds for Site:1"
        );
        assert_eq!(event.cause, Some(Cause::Condition.into()));
        assert_eq!(event.rule.unwrap().line, 9);
    }

    #[test]
    fn a_sentence_is_read_for_its_cause_once() {
        let caused = |rule: &str, detail: &str| cause(Some(&RuleRef::from_line(rule)), detail);
        let grant = "integrations/crm.yaml:9";
        for (rule, detail, expected) in [
            (
                "policies/cancelled.cedar:2",
                "anything",
                Some(Cause::Policy),
            ),
            (
                grant,
                "no grant's condition holds for Site:1 as it is",
                Some(Cause::Condition),
            ),
            (
                grant,
                "no grant's condition holds for Site:1, which the path names",
                Some(Cause::ParentCondition),
            ),
            (
                grant,
                "the request names Job:1, which no grant lets the integration read",
                Some(Cause::Reference),
            ),
            (
                grant,
                "no grant that holds for this object lets `/a` be sent",
                Some(Cause::Writes),
            ),
            (
                grant,
                "`x` cannot be looked up: an upstream could read the path of `y` as another one",
                Some(Cause::AmbiguousPath),
            ),
            (
                grant,
                "the answer of the look-up does not show Site:1",
                None,
            ),
        ] {
            assert_eq!(caused(rule, detail), expected, "{detail}");
        }
    }

    #[test]
    fn lines_of_findings_become_findings_whatever_a_key_is_called() {
        let event = read(
            r#"{"at":1,"kind":"request","outcome":"refuse","findings":[
            "inspect.sqli body:/a b=c d 942100 score=5 paranoia=2 via=percent>base64 what=counted","and 24 more"]}"#,
        );
        let [one] = event.findings.as_slice() else {
            panic!("{event:?}")
        };
        assert_eq!((&*one.pointer, &*one.rule), ("/a b=c d", "942100"));
        assert_eq!((one.score, one.paranoia, one.steps.len()), (5, 2, 2));
        assert_eq!(event.findings_more, Some(24));
    }

    #[test]
    fn a_refused_credential_names_its_integration() {
        let event = read(
            r#"{"at":1,"kind":"request","outcome":"refuse","code":"authn.integration_paused",
            "detail":"`crm` is paused; key_x was used"}"#,
        );
        assert_eq!(event.integration.unwrap(), "crm");
    }
}
