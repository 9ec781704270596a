//! What a process that was killed had recorded as about to happen, closed with how it ended.
//! Exports `close`, `longest_call`, and the kind of a change of the root.
//! Used by `open`, after store and ledger were held against each other.
//! Start reading at `close`.

use std::time::Duration;

use audit::Recorder;
use config::Compiled;
use crypto::Keys;
use model::printable::counted;
use model::{Event, Outcome, Text, Word};

use crate::InstallationError;

/// Kind of the records about a change of the root key.
pub(crate) const ROOT: &str = "root.rotate";

/// After its intent a call takes the upstream's timeout at most, and a little for its record. Older intents without an
/// outcome cannot be.
const OUTCOME_MORE: Duration = Duration::from_secs(60);

/// Records the outcome of what a process that was killed had recorded as about to happen, and gives a line about calls that were
/// forwarded: their outcome is not known. `root` is the public id of the present root key.
///
/// # Errors
/// When the ledger cannot be read or written.
pub(crate) fn close(
    recorder: &Recorder,
    keys: &Keys,
    compiled: &Compiled,
    root: &str,
) -> Result<Option<String>, InstallationError> {
    let within = longest_call(compiled).saturating_add(OUTCOME_MORE);
    let open = recorder.ledger().open_intents(within)?;
    let mut outcomes = Vec::with_capacity(open.len());
    let mut calls = 0;
    for intent in open {
        let known = match root_changed(&intent, root) {
            Some(changed) => Some(changed),
            None => control::journal::finished(&intent, recorder, keys, crate::now())?,
        };
        let closed = known.or_else(|| control::journal::lost(&intent));
        outcomes.push(closed.unwrap_or_else(|| {
            calls += 1;
            gateway::record::lost(intent)
        }));
    }
    let pending: Vec<_> = outcomes
        .iter()
        .map(|event| recorder.record(event))
        .collect();
    for recorded in pending {
        recorded.wait()?;
    }
    Ok((calls > 0).then(|| {
        format!(
            "portcullis: {} had been forwarded before the unclean stop, with an outcome that is not known; see `portcullis ledger show --code {}`",
            counted(calls, "write"),
            gateway::reasons::CUT.code
        )
    }))
}

/// How a change of the root key ended: the database has the one or the other. `None` when the intent is none of one.
fn root_changed(intent: &Event, root: &str) -> Option<Event> {
    let is_one = intent.operation.as_deref() == Some(ROOT) && !intent.is_call();
    let new = intent.replaced_by.as_deref().filter(|_| is_one)?;
    let outcome = if new == root {
        Outcome::Done
    } else {
        Outcome::Failed
    };
    Some(Event {
        at: crate::now(),
        kind: Word::new(Text::new_static(ROOT)),
        latest: None,
        operation: None,
        outcome: outcome.into(),
        ..intent.clone()
    })
}

/// The longest time a call of an upstream may take.
pub(crate) fn longest_call(compiled: &Compiled) -> Duration {
    let upstreams = compiled.versions.iter().filter_map(|v| v.upstream.as_ref());
    upstreams
        .map(|upstream| upstream.timeout)
        .max()
        .unwrap_or_default()
}
