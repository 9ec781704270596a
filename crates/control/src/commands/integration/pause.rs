//! `integration.pause`: every call of an integration refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Wanted, set};
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::{AdminError, Control};

/// Refuses every call of an integration until it is resumed. One that is paused already gets the new reason, where one is given.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseIntegration {
    /// Name of the integration: its file in integrations/.
    #[schemars(length(min = 1, max = 128))]
    pub integration: String,
    /// Why, for the ledger and for whoever lists it.
    #[schemars(length(min = 1, max = 512))]
    pub reason: Option<String>,
}

/// Whether an integration is paused now.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IntegrationPaused {
    /// Name of the integration.
    pub integration: String,
    /// Whether its calls are refused.
    pub is_paused: bool,
    /// Whether it was so before, so that nothing had to be done.
    #[serde(skip)]
    pub(crate) was_so: bool,
}

impl Command for PauseIntegration {
    const INFO: Info = Info {
        name: "integration.pause",
        summary: "Refuse every call of an integration until it is resumed",
        permission: Permission::IntegrationsWrite,
        impact: Impact::Writes,
        records: Some("integration.pause"),
        example: r#"{"integration":"crm","reason":"sends duplicates since release 7.2"}"#,
        version: 1,
    };
    type Out = IntegrationPaused;

    fn has_changed(out: &IntegrationPaused) -> bool {
        !out.was_so
    }

    fn run(self, control: &Control, actor: &Actor) -> Result<IntegrationPaused, AdminError> {
        let wanted = Wanted {
            kind: Self::INFO.name,
            integration: &self.integration,
            is_paused: true,
            reason: self.reason.as_deref(),
        };
        set(control, actor, &wanted)
    }
}
