//! Runs the rules of a directory over parts that somebody else has cut.
//! Exports `inspect`, which turns the events of a transaction into findings.
//! Used by `inspect::inspect` when the plan holds rules from a directory.
//! Start reading at `inspect`.

use crate::detector::Sentences;
use crate::field_plan::{CrsLive, Remaining};
use crate::finding::Finding;
use crate::part::{Part, PartKind, Place, RequestFacts};
use crate::plan::Plan;
use crate::run::Run;
use crate::seclang::{Candidate, Event, Guard, Head, Mode, RuleSet, Scope, Source, Transaction};
use std::cell::RefCell;

mod words;

/// Shows the request to the rules and reports what they find.
pub(crate) fn inspect(
    plan: &Plan,
    rules: &RuleSet,
    parts: &[Part<'_>],
    request: &RequestFacts<'_>,
    run: &mut Run<'_>,
) {
    let keys: Vec<Vec<u8>> = parts.iter().map(key).collect();
    let plan_paranoia = plan.sensitivity.paranoia;
    let wanted = parts
        .iter()
        .filter_map(|part| part.paranoia)
        .max()
        .unwrap_or(plan_paranoia);
    let guard = Fields {
        parts,
        keys: &keys,
        paranoia: plan_paranoia,
        has_pack: plan.pack.is_some(),
        run: &*run,
        excluded: RefCell::new(Vec::new()),
        hints: RefCell::new(Vec::new()),
    };
    let mut transaction = prepared(rules, request, &guard, wanted.max(plan_paranoia));
    for (part, key) in parts.iter().zip(&keys) {
        let source = match part.place {
            Place::Query => Source::Query,
            Place::Cookie => Source::Cookie,
            Place::Path | Place::Header | Place::Body => continue,
        };
        transaction.proven(source, key, part.text, scope(part), live(part, plan));
    }
    transaction.phase(1);
    for (part, key) in parts
        .iter()
        .zip(&keys)
        .filter(|(part, _)| part.place == Place::Body)
    {
        transaction.proven(Source::Body, key, part.text, scope(part), live(part, plan));
    }
    transaction.body_length(request.body_bytes);
    transaction.phase(2);
    let work = transaction.work();
    let denied = transaction.denied();
    let found: Vec<Finding> = transaction
        .events()
        .iter()
        .filter(|event| event.score > 0)
        .map(|event| finding(event, &guard))
        .collect();
    let by = denied.and_then(|(id, _)| denier(id, &transaction, &guard));
    drop(transaction);
    let excluded = guard.excluded.into_inner();
    let hints = guard.hints.into_inner();
    run.excluded(excluded);
    for finding in found {
        run.report(finding);
    }
    run.hints(hints);
    run.work = run.work.saturating_add(work);
    if let Some((id, _)) = denied {
        run.deny(id, by);
    }
}

/// A rule that denies by itself scores nothing; its field is known all the same.
fn denier(id: u32, transaction: &Transaction<'_>, guard: &Fields<'_>) -> Option<Finding> {
    let mut events = transaction.events().iter().rev();
    let event = events.find(|event| event.id == id)?;
    Some(Finding {
        score: guard.run.sensitivity.threshold,
        ..finding(event, guard)
    })
}

/// What is left to ask about a part; the text itself stays in the message for rules that count.
fn live<'p>(part: &Part<'p>, plan: &Plan) -> Option<&'p CrsLive> {
    plan.remaining(part).and_then(Remaining::directed)
}

fn scope(part: &Part<'_>) -> Scope {
    match part.kind {
        PartKind::Name => Scope::Name,
        PartKind::Value => Scope::Value,
    }
}

/// A transaction that judges by the plan: its levels, its threshold, its guard, its work.
fn prepared<'t>(
    rules: &'t RuleSet,
    request: &RequestFacts<'_>,
    guard: &'t Fields<'t>,
    level: u8,
) -> Transaction<'t> {
    let sensitivity = guard.run.sensitivity;
    let mut target = request.path.as_bytes().to_vec();
    if !request.query.is_empty() {
        target.push(b'?');
        target.extend_from_slice(request.query.as_bytes());
    }
    let head = Head {
        method: request.method.as_bytes(),
        target: &target,
        protocol: request.protocol.as_bytes(),
        client: request.client,
        unique_id: "",
        is_cut: true,
    };
    let headers = request.headers.iter();
    let headers = headers.map(|(name, value)| (name.as_bytes(), *value));
    let mut transaction = Transaction::begin(rules, &head, headers, Mode::On);
    transaction.guarded_by(guard);
    transaction.detects_with(&Sentences);
    transaction.limit_work(sensitivity.work_max);
    transaction.set("blocking_paranoia_level", i64::from(level));
    transaction.set("detection_paranoia_level", i64::from(level));
    transaction.set(
        "inbound_anomaly_score_threshold",
        i64::from(sensitivity.threshold),
    );
    transaction
}

/// The name rules know a part by: `json.items.0.note` for a body, the name itself elsewhere.
fn key(part: &Part<'_>) -> Vec<u8> {
    match part.place {
        Place::Body if part.kind == PartKind::Value => {
            format!("json{}", part.pointer.replace('/', ".")).into_bytes()
        }
        Place::Path | Place::Query | Place::Header | Place::Cookie
            if part.kind == PartKind::Value =>
        {
            part.pointer.as_bytes().to_vec()
        }
        // A name is judged itself: rules that ask for names read the key.
        _ => part.text.to_vec(),
    }
}

/// Paranoia and exclusions by field.
struct Fields<'f> {
    parts: &'f [Part<'f>],
    keys: &'f [Vec<u8>],
    paranoia: u8,
    /// The rules that come with the product read the message as well.
    has_pack: bool,
    run: &'f Run<'f>,
    excluded: RefCell<Vec<Finding>>,
    /// Matches that count only in company.
    hints: RefCell<Vec<Finding>>,
}

impl std::fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fields")
            .field("parts", &self.parts.len())
            .finish()
    }
}

impl<'f> Fields<'f> {
    fn part(&self, variable: &str, key: &[u8]) -> Option<&Part<'f>> {
        let place = |place: Place| match variable {
            "ARGS" | "ARGS_NAMES" => matches!(place, Place::Query | Place::Body),
            "ARGS_GET" | "ARGS_GET_NAMES" => place == Place::Query,
            "REQUEST_COOKIES" | "REQUEST_COOKIES_NAMES" => place == Place::Cookie,
            "REQUEST_HEADERS" => place == Place::Header,
            _ => false,
        };
        let mut both = self.parts.iter().zip(self.keys);
        both.find(|(part, known)| place(part.place) && known.eq_ignore_ascii_case(key))
            .map(|(part, _)| part)
    }

    fn locate(&self, variable: &str, key: &[u8]) -> (Place, String) {
        if let Some(part) = self.part(variable, key) {
            return (part.place, part.pointer.to_owned());
        }
        let place = match variable {
            "REQUEST_HEADERS" | "REQUEST_HEADERS_NAMES" => Place::Header,
            "REQUEST_COOKIES" | "REQUEST_COOKIES_NAMES" => Place::Cookie,
            "QUERY_STRING" | "ARGS_GET" | "ARGS_GET_NAMES" => Place::Query,
            "ARGS" | "ARGS_NAMES" | "REQUEST_BODY" | "XML" | "FILES" => Place::Body,
            _ => Place::Path,
        };
        (place, String::from_utf8_lossy(key).into_owned())
    }
}

impl Fields<'_> {
    /// A value people write, which the default pack has read as well.
    fn is_free_text(&self, part: Option<&Part<'_>>) -> bool {
        let by_people = |part: &Part<'_>| {
            part.kind == PartKind::Value && matches!(part.place, Place::Body | Place::Query)
        };
        self.has_pack && part.is_some_and(by_people)
    }
}

/// What a hint adds once it counts: the score of a critical rule, which all of them are.
const HINT: u32 = 5;

impl Guard for Fields<'_> {
    fn admits(&self, candidate: &Candidate<'_>) -> bool {
        let part = self.part(candidate.variable, candidate.key);
        let allowed = part.and_then(|part| part.paranoia).unwrap_or(self.paranoia);
        if candidate.paranoia > allowed {
            return false;
        }
        let may_hint = allowed == 1 && words::matches_words(candidate.id);
        if !may_hint && self.run.sensitivity.exclusions.is_empty() {
            return true;
        }
        let (place, pointer) = self.locate(candidate.variable, candidate.key);
        let finding = Finding {
            class: candidate.class,
            rule: candidate.id.to_string(),
            place,
            pointer,
            chain: Vec::new(),
            score: 0,
            paranoia: candidate.paranoia,
            why: "An exclusion silenced the rule for this field.".to_owned(),
        };
        if self.run.is_excluded(&finding) {
            self.excluded.borrow_mut().push(finding);
            return false;
        }
        if may_hint && self.is_free_text(part) {
            self.hints.borrow_mut().push(Finding {
                score: HINT,
                why: "The rule is met by ordinary words; on free text it counts only beside another finding."
                    .to_owned(),
                ..finding
            });
            return false;
        }
        true
    }
}

fn finding(event: &Event, fields: &Fields<'_>) -> Finding {
    let (place, pointer) = fields.locate(event.variable, &event.key);
    Finding {
        class: event.class,
        rule: event.id.to_string(),
        place,
        pointer,
        chain: event.chain.clone(),
        score: event.score,
        paranoia: event.paranoia,
        why: event.message.clone(),
    }
}

#[cfg(test)]
mod tests;
