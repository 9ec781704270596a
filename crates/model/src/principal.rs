//! Who an accepted credential stands for, as plain data for the judges.
//! Exports `Principal`. The proof that a credential was accepted is `identity::Caller`.
//! Used by identity, policy, gateway and audit.
//! Start reading at `Principal`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::IntegrationId;

/// The facts about a caller that policies may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Principal {
    /// The integration's place in the configuration in force.
    pub id: IntegrationId,
    /// The integration's name.
    pub integration: Arc<str>,
    /// Attributes the integration's file declares (`attributes: { partner: north }`), for conditions
    /// such as `resource.partner == principal.partner`.
    pub attributes: Arc<BTreeMap<String, String>>,
    /// The person behind the call as the integration states it, where it is configured to.
    /// It separates limits and shows in the ledger; it never grants anything.
    pub user: Option<Arc<str>>,
}

/// Facts alone are a supposition: what may be asked about them opens nothing.
impl AsRef<Principal> for Principal {
    fn as_ref(&self) -> &Principal {
        self
    }
}
