//! `block.add`: somebody kept out for a while.

use std::time::Duration;

use gateway::blocks::ADDED_MAX;
use model::Monotonic;
use model::event::Blocked;
use model::time::Span;
use policy::block::Subject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Step, kinds};

use super::{
    AddedBlock, added, credential_of, integration_of, left, moment, person_of, stored, subject,
};
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::journal::Change;
use crate::order::Effect;
use crate::{AdminError, Control};

/// Longest block. Whoever has to stay out for longer is paused or has their key revoked.
const LASTS_MAX: Span = Span::from_days(30);

/// Refuses everything from a subject for a while: from the next request on, and over a restart.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddBlock {
    /// Whom: `address:10.1.2.3`, `address:10.0.0.0/8`, `integration:NAME`, `credential:key_…` or `user:INTEGRATION/NAME`.
    #[schemars(length(min = 1, max = 600))]
    pub subject: String,
    /// How long: `30m`, `12h`, up to `30d`.
    #[serde(rename = "for")]
    #[schemars(length(min = 1, max = 32))]
    pub lasts: String,
    /// Why, for the ledger and for whoever lists it.
    #[schemars(length(min = 1, max = 512))]
    pub reason: String,
}

/// A block that was added.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BlockAdded {
    /// Whom it keeps out.
    pub subject: String,
    /// When it ends, UTC.
    pub until: String,
    /// Seconds until then.
    pub seconds_left: u64,
    /// Whether a server runs, which refuses them from now on; otherwise the next start does.
    pub is_running: bool,
}

impl Command for AddBlock {
    const INFO: Info = Info {
        name: "block.add",
        summary: "Refuse everything from a subject for a while",
        permission: Permission::BlocksWrite,
        impact: Impact::Writes,
        records: Some("block.add"),
        example: r#"{"subject":"address:192.0.2.0/24","for":"12h","reason":"scans"}"#,
        version: 1,
    };
    type Out = BlockAdded;

    fn run(self, control: &Control, actor: &Actor) -> Result<BlockAdded, AdminError> {
        let subject = subject(&self.subject)?;
        is_known(control, &subject)?;
        let lasts = lasting(&self.lasts)?;
        if self.reason.trim().is_empty() {
            return Err(AdminError::of_argument(
                "reason",
                "a block needs a reason",
                "Say why, for whoever finds it: --reason \"guesses order numbers, ticket 4711\".",
            ));
        }
        let now = control.now();
        let record = AddedBlock {
            subject: subject.to_string(),
            reason: self.reason,
            by: actor.name.clone(),
            added_at: now,
            until: now.plus(lasts),
        };
        let id = format!("blk_{}", crypto::text::hex(&crypto::random::<8>()));
        let mut turn = control.turn();
        let steps = put(control, &id, &record)?;
        let change = Change {
            integration: integration_of(control, &subject),
            credential: credential_of(&subject),
            person: person_of(&subject),
            blocked: Some(Blocked {
                subject: record.subject.as_str().into(),
                until: record.until,
            }),
            ..Change::new(
                Self::INFO.name,
                actor,
                format!("{subject} until {}: {}", record.until, record.reason),
            )
        };
        let ends = control
            .io
            .as_deref()
            .map_or_else(Monotonic::default, moment)
            .plus(lasts);
        let effect = Effect::Blocked(added(id, subject, &record, ends));
        turn.commit(&change, steps, effect)?;
        Ok(BlockAdded {
            subject: record.subject,
            until: record.until.to_string(),
            seconds_left: lasts.as_secs(),
            is_running: control.io.is_some(),
        })
    }
}

fn lasting(given: &str) -> Result<Duration, AdminError> {
    let lasts = Span::parse(given).filter(|lasts| *lasts <= LASTS_MAX);
    lasts.map(Span::duration).ok_or_else(|| {
        AdminError::of_argument(
            "for",
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
        return Err(AdminError::of_field(
            "subject",
            format!("`{name}` names no persons, so none of them can be blocked"),
            format!(
                "Write `user_header` in integrations/{name}.yaml, or block integration:{name}."
            ),
        ));
    }
    Ok(())
}

/// Puts a block in place of an earlier one of the same subject, and drops those that are over.
fn put(control: &Control, id: &str, record: &AddedBlock) -> Result<Vec<Step>, AdminError> {
    let kept = stored(&control.store)?;
    let is_out = |other: &AddedBlock| {
        other.subject == record.subject || left(other, record.added_at).is_none()
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
