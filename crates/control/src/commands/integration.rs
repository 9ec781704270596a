//! Integrations as an operator sees, pauses and resumes them.
//! Exports the `integration.*` commands, and what keeps a pause over a restart: `IntegrationState`, `paused`.
//! Used by `COMMANDS` and by the owner of the running state.
//! Start reading at `pause::PauseIntegration`.

mod list;
mod pause;
mod resume;

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Filter, Step, Store, kinds};

use crate::actor::Actor;
use crate::journal::Change;
use crate::order::Effect;
use crate::{AdminError, Control};

pub use list::{IntegrationList, IntegrationRow, ListIntegrations, Pause};
pub use pause::{IntegrationPaused, PauseIntegration};
pub use resume::ResumeIntegration;

/// What an operator decided about an integration beside its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntegrationState {
    /// Since when it is paused.
    pub paused_at: Option<Timestamp>,
    /// Who paused or resumed it. Versions before did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    pub reason: String,
}

/// Names of the paused integrations.
///
/// # Errors
/// When the store cannot be read.
pub fn paused(store: &Store) -> Result<BTreeSet<String>, store::Fault> {
    Ok(pauses(store)?.into_keys().collect())
}

/// The pauses in force, by the name of their integration.
pub(crate) fn pauses(store: &Store) -> Result<BTreeMap<String, IntegrationState>, store::Fault> {
    let rows =
        store.list_all::<IntegrationState>(&kinds::INTEGRATION_STATE, Filter::All, 10_000)?;
    let paused = rows.into_iter().filter(|row| row.value.paused_at.is_some());
    Ok(paused.map(|row| (row.id, row.value)).collect())
}

/// What is to become of an integration.
struct Wanted<'a> {
    kind: &'static str,
    integration: &'a str,
    is_paused: bool,
    reason: Option<&'a str>,
}

impl Wanted<'_> {
    /// Why, where nobody said it.
    fn why(&self) -> &str {
        let usual = if self.is_paused {
            "paused by an operator"
        } else {
            "resumed"
        };
        self.reason.unwrap_or(usual)
    }

    /// Whether what the store holds is what is wanted: a pause keeps its reason unless another one is given.
    fn is_kept(&self, pause: Option<&IntegrationState>) -> bool {
        match pause {
            Some(pause) => self.is_paused && self.reason.is_none_or(|why| why == pause.reason),
            None => !self.is_paused,
        }
    }
}

/// Pauses an integration, or ends its pause. What holds already is left as it is, and nothing is recorded.
fn set(
    control: &Control,
    actor: &Actor,
    wanted: &Wanted<'_>,
) -> Result<IntegrationPaused, AdminError> {
    let name = wanted.integration;
    control.integration(name)?;
    let mut turn = control.turn();
    let effect = Effect::Paused(name.to_owned(), wanted.is_paused);
    let mut kept = pauses(&control.store)?;
    let kept = kept.remove(name);
    let was_so = wanted.is_kept(kept.as_ref()) && turn.holds(&effect);
    let answer = IntegrationPaused {
        integration: name.to_owned(),
        is_paused: wanted.is_paused,
        was_so,
    };
    if was_so {
        return Ok(answer);
    }
    // Another reason for the same pause does not make it begin again.
    let since = kept.and_then(|pause| pause.paused_at);
    let state = IntegrationState {
        paused_at: wanted
            .is_paused
            .then(|| since.unwrap_or_else(|| control.now())),
        by: Some(actor.name.clone()),
        reason: wanted.why().to_owned(),
    };
    let change = Change {
        integration: Some(name.to_owned()),
        ..Change::new(wanted.kind, actor, wanted.why())
    };
    let steps = vec![Step::put(&kinds::INTEGRATION_STATE, name, &state)?];
    turn.commit(&change, steps, effect)?;
    Ok(answer)
}
