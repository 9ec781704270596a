//! Blocks as an operator sees, adds and lifts them.
//! Exports the `block.*` commands, and what keeps people's blocks over a restart: `AddedBlock`, `added_blocks`.
//! Used by `COMMANDS`, by whoever starts a server, and by its maintenance.
//! Start reading at `add`.

use std::time::Duration;

use gateway::Io;
use gateway::blocks::{ADDED_MAX, Added, Block, Origin};
use model::time::Span;
use model::{Monotonic, Timestamp};
use policy::block::{Subject, remaining, shell_quoted};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Filter, Step, Store, kinds};

use crate::journal::Change;
use crate::order::Effect;
use crate::owner::text;
use crate::{AdminError, Control};

/// Longest block. Whoever has to stay out for longer is paused or has their key revoked.
const LASTS_MAX: Span = Span::from_days(30);
/// Most blocks that are listed: all of people's, and the longest of the others.
const LISTED_MAX: usize = ADDED_MAX + 1_000;
/// Longest reason that is kept.
const REASON_BYTES_MAX: usize = 512;

/// A block that a person added, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddedBlock {
    /// Whom it keeps out, in its text form.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// Who added it.
    pub by: String,
    /// When.
    pub added_at: Timestamp,
    /// When it ends.
    pub until: Timestamp,
}

/// A block as commands show it.
struct Shown {
    subject: Subject,
    left: Duration,
    by: Option<String>,
    reason: String,
    added_at: Option<Timestamp>,
    decision: Option<String>,
}

/// Every block in force.
pub fn list(control: &Control, _arguments: &Value, _who: &str) -> Result<Value, AdminError> {
    let now = control.now();
    let mut shown: Vec<Shown> = match &control.io {
        Some(io) => in_force(io).iter().map(|one| of_block(io, one)).collect(),
        None => stored(&control.store)?
            .into_iter()
            .filter_map(|(_, record)| of_record(&record, now))
            .collect(),
    };
    // A flood from many addresses begins many: people's first, then those that last longest.
    shown.sort_by_key(|one| (one.by.is_none(), std::cmp::Reverse(one.left)));
    let rows: Vec<Value> = shown
        .iter()
        .take(LISTED_MAX)
        .map(|one| row(one, now))
        .collect();
    Ok(json!({
        "schema_version": 1, "blocks": rows, "in_force": shown.len(), "is_running": control.io.is_some(),
    }))
}

/// Adds a block. It holds from the next request on, and over a restart.
pub fn add(control: &Control, arguments: &Value, who: &str) -> Result<Value, AdminError> {
    let subject = subject(arguments)?;
    is_known(control, &subject)?;
    let lasts = lasting(text(arguments, "for")?)?;
    let reason = text(arguments, "reason")?;
    if reason.trim().is_empty() || reason.len() > REASON_BYTES_MAX {
        return Err(AdminError::asked(
            "a block needs a reason of 1 to 512 characters",
            "Say why, for whoever finds it: --reason \"guesses order numbers, ticket 4711\".",
        ));
    }
    let now = control.now();
    let record = AddedBlock {
        subject: subject.to_string(),
        reason: reason.to_owned(),
        by: who.to_owned(),
        added_at: now,
        until: now.plus(lasts),
    };
    let id = format!("blk_{}", crypto::text::hex(&crypto::random::<8>()));
    let mut turn = control.turn();
    let steps = put(control, &id, &record)?;
    let change = Change {
        kind: "block.add",
        who,
        integration: integration_of(control, &subject),
        credential: credential_of(&subject),
        detail: format!("{subject} until {}: {reason}", record.until),
    };
    let ends = control
        .io
        .as_deref()
        .map_or_else(Monotonic::default, moment)
        .plus(lasts);
    let effect = Effect::Blocked(added(id, subject, &record, ends));
    turn.commit(&change, steps, effect)?;
    Ok(json!({
        "schema_version": 1, "subject": record.subject, "until": record.until.to_string(),
        "seconds_left": lasts.as_secs(), "is_running": control.io.is_some(),
    }))
}

/// Ends a block, and forgets the refusals that led to it.
pub fn lift(control: &Control, arguments: &Value, who: &str) -> Result<Value, AdminError> {
    let subject = subject(arguments)?;
    let now = control.now();
    let mut turn = control.turn();
    let same = |record: &AddedBlock| record.subject == subject.to_string();
    let kept = stored(&control.store)?;
    let ours: Vec<&(String, AddedBlock)> = kept.iter().filter(|(_, record)| same(record)).collect();
    let was_in_force = match &control.io {
        Some(io) => in_force(io).iter().any(|one| one.subject == subject),
        None => ours
            .iter()
            .any(|(_, record)| of_record(record, now).is_some()),
    };
    if !was_in_force {
        return Err(not_blocked(control, &subject));
    }
    let why = arguments.get("reason").and_then(Value::as_str);
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    let change = Change {
        kind: "block.lift",
        who,
        integration: integration_of(control, &subject),
        credential: credential_of(&subject),
        detail: format!("{subject}{why}"),
    };
    let steps = ours.iter().map(|(id, _)| Step::delete(&kinds::BLOCK, id));
    turn.commit(&change, steps.collect(), Effect::Lifted(subject.clone()))?;
    Ok(json!({ "schema_version": 1, "subject": subject.to_string(), "was_blocked": true }))
}

/// Blocks in force that keep out whoever a record is about: their address, credential, integration or person.
pub(crate) fn touching(io: &Io, event: &model::Event) -> Vec<String> {
    let address = event.address.as_deref().and_then(|text| text.parse().ok());
    let credential = event.credential.as_deref();
    let is_meant = |subject: &Subject| match subject {
        Subject::Address(_) => address.is_some_and(|address| subject.has_address(address)),
        Subject::Credential(id) => Some(&*id.text()) == credential,
        Subject::Integration(name) => Some(name.as_str()) == event.integration.as_deref(),
        Subject::User { integration, user } => {
            Some(integration.as_str()) == event.integration.as_deref()
                && Some(user.as_str()) == event.user.as_deref()
        }
    };
    let (now, moment) = (io.clock.now(), moment(io));
    let blocks = io.blocks.list(moment);
    let meant = blocks.iter().filter(|block| is_meant(&block.subject));
    let sentence = |block: &Block| {
        let until = now.plus(block.left(moment));
        format!(
            "{} until {until} ({}); end it with `portcullis block lift {}`",
            block.subject,
            block.because(),
            shell_quoted(&block.subject.to_string())
        )
    };
    meant.map(sentence).collect()
}

/// People's blocks, with their ends by the clock of this process.
///
/// # Errors
/// When the store cannot be read.
pub fn added_blocks(
    store: &Store,
    now: Timestamp,
    moment: Monotonic,
) -> Result<Vec<Added>, store::Fault> {
    let in_force = |(id, record): (String, AddedBlock)| {
        let subject = record.subject.parse().ok()?;
        let left = remaining(record.added_at, record.until, now);
        (!left.is_zero()).then(|| added(id, subject, &record, moment.plus(left)))
    };
    Ok(stored(store)?.into_iter().filter_map(in_force).collect())
}

/// Puts a block in place of an earlier one of the same subject, and drops those that are over.
fn put(control: &Control, id: &str, record: &AddedBlock) -> Result<Vec<Step>, AdminError> {
    let kept = stored(&control.store)?;
    let is_out = |other: &AddedBlock| {
        other.subject == record.subject || of_record(other, record.added_at).is_none()
    };
    let out = kept.iter().filter(|(_, other)| is_out(other));
    let mut steps: Vec<Step> = out.map(|(id, _)| Step::delete(&kinds::BLOCK, id)).collect();
    if kept.len() - steps.len() >= ADDED_MAX {
        return Err(AdminError::asked(
            format!("{ADDED_MAX} blocks are in force already"),
            "Block a network instead of its addresses, pause the integration, or lift some: `portcullis block list`.",
        ));
    }
    steps.push(Step::put(&kinds::BLOCK, id, record)?);
    Ok(steps)
}

fn stored(store: &Store) -> Result<Vec<(String, AddedBlock)>, store::Fault> {
    // One more than there can be: those that are over stay until the next one is added.
    let rows = store.list_all::<AddedBlock>(&kinds::BLOCK, Filter::All, 2 * ADDED_MAX)?;
    Ok(rows.into_iter().map(|row| (row.id, row.value)).collect())
}

fn added(id: String, subject: Subject, record: &AddedBlock, ends: Monotonic) -> Added {
    Added {
        id,
        subject,
        reason: record.reason.clone(),
        by: record.by.clone(),
        added_at: record.added_at,
        ends,
    }
}

fn moment(io: &Io) -> Monotonic {
    io.clock.monotonic(io.clock.tick())
}

fn in_force(io: &Io) -> Vec<Block> {
    io.blocks.list(moment(io))
}

fn of_block(io: &Io, block: &Block) -> Shown {
    let (by, added_at, decision, reason) = match &block.origin {
        Origin::Person(added) => (
            Some(added.by.clone()),
            Some(added.added_at),
            None,
            added.reason.clone(),
        ),
        Origin::Refusals { decision, .. } => {
            (None, None, Some(decision.to_string()), block.because())
        }
    };
    Shown {
        subject: block.subject.clone(),
        left: block.left(moment(io)),
        by,
        reason,
        added_at,
        decision,
    }
}

fn of_record(record: &AddedBlock, now: Timestamp) -> Option<Shown> {
    let left = remaining(record.added_at, record.until, now);
    let subject = record.subject.parse().ok()?;
    (!left.is_zero()).then(|| Shown {
        subject,
        left,
        by: Some(record.by.clone()),
        reason: record.reason.clone(),
        added_at: Some(record.added_at),
        decision: None,
    })
}

fn row(shown: &Shown, now: Timestamp) -> Value {
    let is_added = shown.by.is_some();
    let holds_for = match shown.subject {
        // What refusals led to is held against strangers there: they were counted at the address, not at a caller.
        Subject::Address(_) if !is_added => "strangers",
        Subject::Address(_) => "everybody",
        Subject::Credential(_) => "credential",
        Subject::Integration(_) => "integration",
        Subject::User { .. } => "user",
    };
    json!({
        "subject": shown.subject.to_string(),
        "holds_for": holds_for,
        "until": now.plus(shown.left).to_string(),
        "seconds_left": shown.left.as_secs(),
        "by": shown.by,
        "added_at": shown.added_at.map(|at| at.to_string()),
        "reason": shown.reason,
        "decision": shown.decision,
        "survives_restart": is_added,
    })
}

fn subject(arguments: &Value) -> Result<Subject, AdminError> {
    let given = text(arguments, "subject")?;
    given.parse().map_err(|why: String| {
        AdminError::asked(
            why,
            "`portcullis block list` shows every block as it is written here.",
        )
    })
}

fn lasting(given: &str) -> Result<Duration, AdminError> {
    let lasts = Span::parse(given).filter(|lasts| *lasts <= LASTS_MAX);
    lasts.map(Span::duration).ok_or_else(|| {
        AdminError::asked(
            format!("a block cannot last `{given}`"),
            "Write 10m, 12h or up to 30d. For longer, pause the integration or revoke the key.",
        )
    })
}

/// Whether there is such a subject: a slip would block nobody and say that it did.
fn is_known(control: &Control, subject: &Subject) -> Result<(), AdminError> {
    let (name, needs_user) = match subject {
        Subject::Address(_) => return Ok(()),
        Subject::Credential(id) => return control.credential(&id.to_string()).map(drop),
        Subject::Integration(name) => (name, false),
        Subject::User { integration, .. } => (integration, true),
    };
    let settings = control.integration(name)?;
    if needs_user && settings.facts.user_header.is_none() {
        return Err(AdminError::asked(
            format!("`{name}` names no persons, so none of them can be blocked"),
            format!(
                "Write `user_header` in integrations/{name}.yaml, or block integration:{name}."
            ),
        ));
    }
    Ok(())
}

fn not_blocked(control: &Control, subject: &Subject) -> AdminError {
    let Some(io) = &control.io else {
        return AdminError::asked(
            format!("{subject} is not blocked"),
            "No server is running: only blocks that people added are kept, and `portcullis block list` shows them.",
        );
    };
    // Somebody who lifts an address may have meant the network around it.
    let around = in_force(io).into_iter().find(|block| match subject {
        Subject::Address(network) => block.subject.has_address(network.addr()),
        _ => false,
    });
    let help = match around {
        Some(block) => format!("It is within {}, which is: lift that one.", block.subject),
        None => "`portcullis block list` shows every block. One of an address and one of a credential are two.".to_owned(),
    };
    AdminError::asked(format!("{subject} is not blocked"), help)
}

fn integration_of(control: &Control, subject: &Subject) -> Option<String> {
    match subject {
        Subject::Address(_) => None,
        Subject::Integration(name) => Some(name.clone()),
        Subject::User { integration, .. } => Some(integration.clone()),
        Subject::Credential(id) => {
            let found = control.credential(&id.to_string()).ok()?;
            Some(found.integration)
        }
    }
}

fn credential_of(subject: &Subject) -> Option<model::KeyId> {
    match subject {
        Subject::Credential(id) => Some(*id),
        _ => None,
    }
}
