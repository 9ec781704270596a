//! The facts `verify` needs of an integration, and what all methods share when they check their settings.
//! Gives `IntegrationFacts`, `check` and `user_header`.
//! Used by config, which reads `methods::Settings` from an integration's file and makes the facts.
//! Start reading at `check`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::{IntegrationId, Mistake, Principal};

use crate::methods::{METHODS, Settings, credential_headers};

/// Everything wrong with the `credentials` of an integration. Pointers of the mistakes begin there: `/api_key/max_age`.
pub fn check(settings: &Settings) -> Vec<Mistake> {
    let mut found = Vec::new();
    if !METHODS.iter().any(|method| (method.is_accepted)(settings)) {
        let names: Vec<String> = METHODS.iter().map(|m| format!("`{}`", m.name)).collect();
        let help = format!("List at least one of {}.", names.join(", "));
        found.push(Mistake::new("no kind of credential is listed", help).at_pointer(""));
    }
    for method in METHODS {
        (method.check)(settings, &mut found);
    }
    found
}

/// Headers a caller cannot use to name a person: they mean something else already.
const HEADERS_TAKEN: &[&str] = &[
    "accept",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-for",
];

/// Checks the name of a header that is to name the person behind a call.
pub(crate) fn user_header(written: &str, pointer: &str, found: &mut Vec<Mistake>) {
    let name = written.to_ascii_lowercase();
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let is_taken = || {
        HEADERS_TAKEN.contains(&name.as_str())
            || credential_headers().any(|taken| taken == name)
            || model::canonical::is_dropped_from_clients(&name)
    };
    if name.is_empty() || name.len() > 64 || !name.bytes().all(is_token) {
        let help = "Write it like `X-Acting-User`.";
        found.push(Mistake::new("this is not the name of a header", help).at_pointer(pointer));
    } else if is_taken() {
        let message = format!("the header `{written}` has another meaning");
        let help = "It is dropped from requests or used otherwise. Choose one of your own, like `X-Acting-User`.";
        found.push(Mistake::new(message, help).at_pointer(pointer));
    }
}

/// What `verify` needs to know of one integration.
#[derive(Clone, Debug)]
pub struct IntegrationFacts {
    /// Its place in the configuration.
    pub id: IntegrationId,
    /// Name, as the credential records it.
    pub name: Arc<str>,
    /// Attributes for conditions.
    pub attributes: Arc<BTreeMap<String, String>>,
    /// Paused by an operator: its credentials are refused until it is resumed.
    pub is_paused: bool,
    /// Accepted kinds of credential.
    pub credentials: Settings,
    /// Header (lower case) in which the integration names the person behind a call.
    pub user_header: Option<String>,
}

impl IntegrationFacts {
    /// The facts policies may ask for, of a call by this integration for this person.
    pub fn principal(&self, user: Option<Arc<str>>) -> Principal {
        Principal {
            id: self.id,
            integration: Arc::clone(&self.name),
            attributes: Arc::clone(&self.attributes),
            user,
        }
    }
}

/// Integrations by name.
pub type Integrations = HashMap<Arc<str>, IntegrationFacts>;
