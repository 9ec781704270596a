//! API keys as an operator makes, lists, rotates and revokes them. A key's text is shown once and never stored.
//! Exports the `key.*` commands.
//! Used by `COMMANDS`.
//! Start reading at `create::CreateKey`; a key as commands show it is `list::KeyRow`.

mod create;
mod list;
mod revoke;
mod rotate;

use identity::credential::Entropy;
use identity::{ApiKeySettings, Credential};
use model::time::Span;
use model::{KeyId, Timestamp};
use store::{Step, kinds};

use crate::{AdminError, Control};

pub use create::{CreateKey, KeyCreated};
pub use list::{KeyList, KeyRow, ListKeys};
pub use revoke::{KeyRevoked, RevokeKey};
pub use rotate::{KeyRotated, RotateKey};

fn put(record: &Credential) -> Result<Step, AdminError> {
    Ok(Step::put(&kinds::CREDENTIAL, record.id, record)?)
}

/// The rules for keys of a configured integration.
fn rules(control: &Control, integration: &str) -> Result<ApiKeySettings, AdminError> {
    let settings = control.integration(integration)?;
    settings.facts.credentials.api_key.clone().ok_or_else(|| {
        AdminError::asked(
            format!("`{integration}` has no API keys"),
            format!(
                "Write `credentials: {{ api_key: {{}} }}` into integrations/{integration}.yaml."
            ),
        )
    })
}

/// A length of time that was given in this field, for keys of an integration: at most their `max_age`.
fn within_max_age(
    field: &str,
    text: &str,
    integration: &str,
    rules: &ApiKeySettings,
) -> Result<Span, AdminError> {
    let asked = span(field, text)?;
    let max = rules.max_age;
    if asked > max {
        return Err(AdminError::of_argument(
            field,
            format!("`{text}` is longer than a key of `{integration}` may last: {max}"),
            format!(
                "Write {max} at most, or raise `credentials: {{ api_key: {{ max_age }} }}` in integrations/{integration}.yaml."
            ),
        ));
    }
    Ok(asked)
}

/// A length of time that was given in this field.
fn span(field: &str, text: &str) -> Result<Span, AdminError> {
    text.parse().map_err(|_| {
        AdminError::of_argument(
            field,
            format!("`{text}` is not a length of time"),
            "Write 15m, 24h or 90d.",
        )
    })
}

fn entropy(now: Timestamp) -> Entropy {
    Entropy {
        id: KeyId::new(now, crypto::random()),
        random: crypto::random_secret::<32>(),
    }
}
