//! `block.lift`: a block ended before its time.

use model::event::Blocked;
use policy::block::Subject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Step, kinds};

use super::{
    AddedBlock, credential_of, in_force, integration_of, left, person_of, stored, subject,
};
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::journal::Change;
use crate::order::Effect;
use crate::{AdminError, Control};

/// Ends a block, and forgets the refusals that led to it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftBlock {
    /// Whom it keeps out, as `block.list` shows it.
    #[schemars(length(min = 1, max = 600))]
    pub subject: String,
    /// Why, for the ledger.
    #[schemars(length(min = 1, max = 512))]
    pub reason: Option<String>,
}

/// A block that was lifted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BlockLifted {
    /// Whom it kept out.
    pub subject: String,
    /// Always true: what is not blocked is an error.
    pub was_blocked: bool,
}

impl Command for LiftBlock {
    const INFO: Info = Info {
        name: "block.lift",
        summary: "End a block, and forget the refusals that led to it",
        permission: Permission::BlocksWrite,
        impact: Impact::Writes,
        records: Some("block.lift"),
        example: r#"{"subject":"address:192.0.2.0/24","reason":"their scanner is off"}"#,
        version: 1,
    };
    type Out = BlockLifted;

    fn run(self, control: &Control, actor: &Actor) -> Result<BlockLifted, AdminError> {
        let subject = subject(&self.subject)?;
        let now = control.now();
        let mut turn = control.turn();
        let same = |record: &AddedBlock| record.subject == subject.to_string();
        let kept = stored(&control.store)?;
        let ours: Vec<&(String, AddedBlock)> =
            kept.iter().filter(|(_, record)| same(record)).collect();
        let was_in_force = match &control.io {
            Some(io) => in_force(io).iter().any(|one| one.subject == subject),
            None => ours.iter().any(|(_, record)| left(record, now).is_some()),
        };
        if !was_in_force {
            return Err(not_blocked(control, &subject));
        }
        let why = self
            .reason
            .map_or_else(String::new, |why| format!(": {why}"));
        let change = Change {
            integration: integration_of(control, &subject),
            credential: credential_of(&subject),
            person: person_of(&subject),
            blocked: Some(Blocked {
                subject: subject.to_string().as_str().into(),
                until: now,
            }),
            ..Change::new(Self::INFO.name, actor, format!("{subject}{why}"))
        };
        let steps = ours.iter().map(|(id, _)| Step::delete(&kinds::BLOCK, id));
        turn.commit(&change, steps.collect(), Effect::Lifted(subject.clone()))?;
        Ok(BlockLifted {
            subject: subject.to_string(),
            was_blocked: true,
        })
    }
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
