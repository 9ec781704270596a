//! `ledger.rotate_signer`: another key signs the ledger from here on.

use audit::Ends;
use model::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::{AdminError, Control};

/// Kind of the record, which the ledger itself writes.
const KIND: &str = "ledger.signer";

/// Has a new key sign the ledger from here on. The present key signs a record that names it, and never again.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSigner {
    /// Why, for the ledger.
    #[schemars(length(min = 1, max = 512))]
    pub reason: String,
    /// Whether somebody else may have the present key: whoever verifies with it alone is told so from here on.
    pub compromised: Option<bool>,
}

/// A ledger that another key signs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SignerRotated {
    /// Number of the epoch that began; the first one is 0.
    pub epoch: u64,
    /// Number of the record that began it.
    pub record: u64,
    /// Who signed before, as `ledger verify --public-key` takes it.
    pub previous_key: String,
    /// Who signs now, in the same form. Whoever verifies should learn it from you, and not from the ledger.
    pub public_key: String,
    /// The first checkpoint of the new key, in lines; null where the disk did not take it yet.
    pub checkpoint: Option<String>,
}

impl Command for RotateSigner {
    const INFO: Info = Info {
        name: "ledger.rotate_signer",
        summary: "Have a new key sign the ledger from here on, named by a record that the present key signs",
        permission: Permission::LedgerRotate,
        impact: Impact::Destructive,
        records: Some(KIND),
        example: r#"{"reason":"yearly change"}"#,
        version: 1,
    };
    type Out = SignerRotated;

    fn run(self, control: &Control, actor: &Actor) -> Result<SignerRotated, AdminError> {
        if self.reason.trim().is_empty() {
            return Err(AdminError::of_argument(
                "reason",
                "a change of the signer needs a reason",
                "Say why, for whoever verifies the ledger: --reason \"yearly change\".",
            ));
        }
        let ends = if self.compromised == Some(true) {
            Ends::Compromised
        } else {
            Ends::Routine
        };
        // The record is the change: what is not recorded did not happen, so it needs no intent.
        let event = control.event(KIND, Outcome::Done, actor, &self.reason);
        let rotated = control.recorder()?.rotate_signer(event, ends)?;
        Ok(SignerRotated {
            epoch: rotated.epoch,
            record: rotated.record,
            previous_key: rotated.from.to_string(),
            public_key: rotated.to.to_string(),
            checkpoint: rotated.checkpoint.map(|signed| signed.text.clone()),
        })
    }
}
