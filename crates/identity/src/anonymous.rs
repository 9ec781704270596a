//! Whom a call without any credential stands for.
//! Exports `anonymous`. Off unless the configuration has an integration that accepts no credential.
//! Used by gateway::pipeline (stage authn), once `verify` has found no credential.
//! Start reading at `anonymous`.

use std::net::IpAddr;
use std::sync::Arc;

use model::{Refusal, Timestamp};

use crate::verified::{Binding, Scopes};
use crate::{Caller, MISSING, Verified, VerifyContext};

/// The caller that a request without a credential stands for, where there is one for it: `refused` has to say that no credential
/// was shown ([`MISSING`]), because one that is shown and bad never becomes nobody. Which operations such a caller
/// may use is for its grants to say.
///
/// # Errors
/// `refused`, where some credential was shown, or where nobody is accepted without one: not in this configuration, not from this
/// address, or not while an operator has paused it.
pub fn anonymous(
    refused: Box<Refusal>,
    address: IpAddr,
    world: &VerifyContext<'_>,
) -> Result<Caller, Box<Refusal>> {
    if refused.reason != &MISSING {
        return Err(refused);
    }
    let Some((facts, credential)) = world.integrations.anonymous() else {
        return Err(refused);
    };
    if facts.is_paused || !(world.is_allowed_from)(facts, address) {
        return Err(refused);
    }
    let verified = Verified {
        credential: Arc::clone(credential),
        scopes: Scopes::All,
        binding: Binding::Bearer,
        person: None,
        expires_at: Timestamp::from_micros(i64::MAX),
    };
    Ok(Caller::new(facts.principal(None), verified))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crypto::MacKey;
    use model::IntegrationId;

    use super::*;
    use crate::{CredentialTable, IntegrationFacts, Integrations, Settings, methods};

    fn facts(name: &str, is_public: bool, is_paused: bool) -> IntegrationFacts {
        IntegrationFacts {
            id: IntegrationId::default(),
            name: name.into(),
            attributes: Arc::new(BTreeMap::new()),
            is_paused,
            credentials: Settings {
                none: is_public,
                ..Settings::default()
            },
            user_header: None,
        }
    }

    fn ask(
        all: Vec<IntegrationFacts>,
        refused: Box<Refusal>,
        address: &str,
    ) -> Result<Caller, Box<Refusal>> {
        let integrations: Integrations = all.into_iter().collect();
        let home: IpAddr = "10.0.0.1".parse().unwrap();
        let world = VerifyContext {
            table: &CredentialTable::default(),
            digest_key: &MacKey::new(b"pepper"),
            integrations: &integrations,
            is_allowed_from: &|_, address| address == home,
        };
        anonymous(refused, address.parse().unwrap(), &world)
    }

    #[test]
    fn only_who_shows_nothing_is_nobody() {
        let public = || vec![facts("crm", false, false), facts("anonymous", true, false)];
        for reason in methods::reasons() {
            let caller = ask(public(), reason.because(""), "10.0.0.1");
            match caller {
                Ok(caller) => {
                    assert_eq!(reason.code, MISSING.code);
                    assert!(caller.is_anonymous() && &**caller.integration() == "anonymous");
                    assert_eq!(caller.principal().user, None);
                }
                Err(refusal) => {
                    assert_eq!(refusal.reason.code, reason.code);
                    assert_ne!(reason.code, MISSING.code);
                }
            }
        }
    }

    #[test]
    fn nobody_is_accepted_where_it_is_off_paused_or_elsewhere() {
        for (all, address) in [
            (vec![], "10.0.0.1"),
            (vec![facts("anonymous", false, false)], "10.0.0.1"),
            (vec![facts("anonymous", true, true)], "10.0.0.1"),
            (vec![facts("anonymous", true, false)], "10.0.0.2"),
        ] {
            let refused = ask(all, MISSING.because("no header"), address).unwrap_err();
            assert_eq!(
                (refused.reason.code, &*refused.detail),
                (MISSING.code, "no header")
            );
        }
    }
}
