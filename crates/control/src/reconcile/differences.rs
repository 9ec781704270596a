//! Where the store lets somebody in whom the ledger keeps out, and the other way round.
//! Exports `differences`, `Difference`.
//! Used by `reconcile`.
//! Start reading at `differences`.

use identity::{Credential, credential};
use model::event::Blocked;
use model::{KeyId, Timestamp};
use policy::block::Subject;
use store::{Fault, Step, kinds};

use super::held::Held;
use super::recorded::{Key, Recorded};
use crate::commands::{AddedBlock, IntegrationState, left};

/// A difference between store and ledger.
#[derive(Default)]
pub(super) struct Difference {
    pub integration: Option<String>,
    pub credential: Option<KeyId>,
    pub person: Option<String>,
    pub blocked: Option<Blocked>,
    /// What each says, and what holds.
    pub detail: String,
    /// What makes it hold; nothing where the store is the stricter one.
    pub steps: Vec<Step>,
}

/// Every difference, with what makes the stricter of both hold.
pub(super) fn differences(
    recorded: &Recorded,
    held: &Held,
    now: Timestamp,
) -> Result<Vec<Difference>, Fault> {
    let mut found = Vec::new();
    for (id, key) in &recorded.keys {
        found.extend(of_key(*id, key, held.credentials.get(id), now)?);
    }
    for (name, state) in &recorded.pauses {
        found.extend(of_pause(name, state.as_ref(), held)?);
    }
    for (subject, (block, event)) in &recorded.blocks {
        let difference = of_block(subject, block.as_ref(), held, now)?;
        found.extend(difference.map(|difference| Difference {
            integration: event.integration.as_deref().map(ToOwned::to_owned),
            person: event.person.as_deref().map(ToOwned::to_owned),
            credential: match subject.parse() {
                Ok(Subject::Credential(id)) => Some(id),
                _ => None,
            },
            blocked: event.blocked.clone(),
            ..difference
        }));
    }
    Ok(found)
}

fn of_key(
    id: KeyId,
    key: &Key,
    held: Option<&Credential>,
    now: Timestamp,
) -> Result<Option<Difference>, Fault> {
    let difference = |detail: String, steps| Difference {
        integration: key.integration.clone(),
        credential: Some(id),
        detail,
        steps,
        ..Difference::default()
    };
    let Some(held) = held else {
        let is_missed = key.is_given_out == Some(true) && key.revoked.is_none();
        return Ok(is_missed.then(|| {
            let detail = "the ledger says that it was made, and the store does not have it: it is refused. Make another";
            difference(detail.to_owned(), Vec::new())
        }));
    };
    let mut wanted = held.clone();
    let mut said = Vec::new();
    if let Some((at, reason)) = &key.revoked
        && held.revoked_at.is_none()
    {
        wanted = credential::revoke(&wanted, reason, *at);
        said.push(format!("revoked at {at} ({reason})"));
    }
    if key.is_given_out == Some(false) && held.revoked_at.is_none() {
        let reason = "it was made and never handed out";
        wanted = credential::revoke(&wanted, reason, now);
        said.push(format!(
            "no key that anybody was given: {reason}; it is revoked"
        ));
    }
    if let Some((by, until)) = key.replaced
        && held.overlap_until.is_none_or(|held| held > until)
    {
        wanted.overlap_until = Some(until);
        wanted.replaced_by = wanted.replaced_by.or(by);
        said.push(format!("replaced, working until {until}"));
    }
    if said.is_empty() {
        return Ok(None);
    }
    let detail = format!(
        "the store had it usable as if nothing had happened; by the ledger it is {}",
        said.join(", and ")
    );
    let put = Step::put(&kinds::CREDENTIAL, id, &wanted)?;
    Ok(Some(difference(detail, vec![put])))
}

fn of_pause(
    name: &str,
    state: Option<&IntegrationState>,
    held: &Held,
) -> Result<Option<Difference>, Fault> {
    let (detail, steps) = match (state, held.pauses.get(name)) {
        (Some(_), Some(_)) | (None, None) => return Ok(None),
        (Some(state), None) => (
            format!(
                "the ledger says that it is paused ({}), and the store did not: it is",
                state.reason
            ),
            vec![Step::put(&kinds::INTEGRATION_STATE, name, state)?],
        ),
        (None, Some(_)) => (
            format!(
                "the ledger says that it was resumed, and the store that it is paused: it stays paused until `portcullis integration resume {name}`"
            ),
            Vec::new(),
        ),
    };
    Ok(Some(Difference {
        integration: Some(name.to_owned()),
        detail,
        steps,
        ..Difference::default()
    }))
}

fn of_block(
    subject: &str,
    block: Option<&AddedBlock>,
    held: &Held,
    now: Timestamp,
) -> Result<Option<Difference>, Fault> {
    let same = || {
        held.blocks
            .iter()
            .filter(move |(_, kept)| kept.subject == subject)
    };
    let kept = same().filter_map(|(_, kept)| left(kept, now)).max();
    let Some(block) = block else {
        return Ok(kept.map(|_| Difference {
            detail: format!(
                "the ledger says that the block of {subject} was lifted, and the store has it: it stays until it is over or lifted"
            ),
            ..Difference::default()
        }));
    };
    // The moment of the record is a little later than that of the block, and a block is over when its time is.
    let is_kept = same().any(|(_, kept)| kept.until >= block.until && left(kept, now).is_some());
    if is_kept || left(block, now).is_none() {
        return Ok(None);
    }
    let mut steps: Vec<Step> = same()
        .map(|(id, _)| Step::delete(&kinds::BLOCK, id))
        .collect();
    let id = format!("blk_{}", crypto::text::hex(&crypto::random::<8>()));
    steps.push(Step::put(&kinds::BLOCK, id, block)?);
    Ok(Some(Difference {
        detail: format!(
            "the ledger says that {subject} is blocked until {} ({}), and the store did not: it is",
            block.until, block.reason
        ),
        steps,
        ..Difference::default()
    }))
}
