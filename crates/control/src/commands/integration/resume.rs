//! `integration.resume`: a paused integration may call again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IntegrationPaused, Wanted, set};
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::{AdminError, Control};

/// Lets a paused integration call again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeIntegration {
    /// Name of the integration: its file in integrations/.
    #[schemars(length(min = 1, max = 128))]
    pub integration: String,
}

impl Command for ResumeIntegration {
    const INFO: Info = Info {
        name: "integration.resume",
        summary: "Let a paused integration call again",
        permission: Permission::IntegrationsWrite,
        impact: Impact::Writes,
        records: Some("integration.resume"),
        example: r#"{"integration":"crm"}"#,
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
            is_paused: false,
            reason: None,
        };
        set(control, actor, &wanted)
    }
}
