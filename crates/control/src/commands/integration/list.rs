//! `integration.list`: who is connected, and whether anything is due.

use config::compiled::IntegrationSettings;
use identity::Credential;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IntegrationState, pauses};
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::{AdminError, Control};

/// Lists the integrations with owner, review date, credentials, and who paused them when and why.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListIntegrations {}

/// The integrations.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IntegrationList {
    /// One for each file in integrations/.
    pub integrations: Vec<IntegrationRow>,
}

/// One integration.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IntegrationRow {
    /// Its name.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// What it is for.
    pub purpose: String,
    /// When somebody has to look at it again, UTC.
    pub review_by: String,
    /// Whether that is over.
    pub is_review_due: bool,
    /// Roles its grants come from.
    pub roles: Vec<String>,
    /// Whether its calls are refused.
    pub is_paused: bool,
    /// The pause, where there is one.
    pub paused: Option<Pause>,
    /// Keys that can be used now.
    pub keys_usable: usize,
    /// When one of its keys was used last, UTC.
    pub last_used_at: Option<String>,
}

/// A pause of an integration.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Pause {
    /// Since when, UTC.
    pub at: Option<String>,
    /// Who paused it; earlier versions did not keep it.
    pub by: Option<String>,
    /// Why.
    pub reason: String,
}

impl Command for ListIntegrations {
    const INFO: Info = Info {
        name: "integration.list",
        summary: "List integrations with owner, keys, review date and who paused them",
        permission: Permission::IntegrationsRead,
        impact: Impact::ReadOnly,
        records: None,
        example: "{}",
        version: 1,
    };
    type Out = IntegrationList;

    fn run(self, control: &Control, _: &Actor) -> Result<IntegrationList, AdminError> {
        let compiled = (control.compiled)();
        let credentials = control.credentials()?;
        let pauses = pauses(&control.store)?;
        let rows = compiled.integrations.values().map(|settings| {
            let own = credentials.iter();
            let own = own.filter(|one| *one.integration == *settings.name);
            row(control, settings, own, pauses.get(&*settings.name))
        });
        Ok(IntegrationList {
            integrations: rows.collect(),
        })
    }
}

fn row<'a>(
    control: &Control,
    settings: &IntegrationSettings,
    own: impl Iterator<Item = &'a Credential> + Clone,
    pause: Option<&IntegrationState>,
) -> IntegrationRow {
    let rules = settings.facts.credentials.api_key.as_ref();
    let max_age = rules.map(|rules| rules.max_age);
    let now = control.now();
    let usable = own
        .clone()
        .filter(|key| key.state(max_age, now).is_usable());
    let last_used_at = own.filter_map(|key| control.last_used(key)).max();
    IntegrationRow {
        name: settings.name.to_string(),
        owner: settings.owner.to_string(),
        purpose: settings.purpose.to_string(),
        review_by: settings.review_by.to_string(),
        is_review_due: settings.review_by <= now,
        roles: settings.roles.iter().map(ToString::to_string).collect(),
        is_paused: pause.is_some(),
        paused: pause.map(|state| Pause {
            at: state.paused_at.map(|at| at.to_string()),
            by: state.by.clone(),
            reason: state.reason.clone(),
        }),
        keys_usable: usable.count(),
        last_used_at: last_used_at.map(|at| at.to_string()),
    }
}
