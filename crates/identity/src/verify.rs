//! The one road from a request to a caller.
//! Exports `verify`. Exactly one credential, of one method, of an integration that may be used now and from here.
//! Used by gateway::pipeline (stage authn).
//! Start reading at `verify`.

use std::sync::Arc;

use model::{Headers, Refusal, Timestamp};

use crate::methods::{METHODS, credential_headers};
use crate::verified::Binding;
use crate::{
    ADDRESS_NOT_ALLOWED, BINDING_MISMATCH, Caller, INTEGRATION_PAUSED, INVALID, IntegrationFacts,
    MISSING, Method, Presented, USER_MALFORMED, Verified, VerifyContext,
};

/// Who is calling. The credential's own state is judged first, then its integration, then the address.
///
/// # Errors
/// A refusal of stage `authn`; its detail never holds any part of what was presented.
pub fn verify(
    presented: &Presented<'_>,
    world: &VerifyContext<'_>,
    now: Timestamp,
) -> Result<Caller, Box<Refusal>> {
    let method = the_one_method(presented)?;
    let (verified, facts) = (method.verify)(presented, world, now)?;
    let named = |refusal| verified.credential.refused(refusal);
    bound(&verified, presented).map_err(named)?;
    let facts = integration(&verified, facts, method, presented, world).map_err(named)?;
    // Whom the credential proves, nobody can override with a header.
    let user = match &verified.person {
        Some(person) => Some(Arc::clone(person)),
        None => user(presented.headers, facts.user_header.as_deref()).map_err(named)?,
    };
    Ok(Caller::new(facts.principal(user), verified))
}

/// The method whose credential was sent, if exactly one was.
fn the_one_method(presented: &Presented<'_>) -> Result<&'static Method, Box<Refusal>> {
    let headers = presented.headers;
    let mut seen = METHODS.iter().filter(|method| (method.sees)(presented));
    match (seen.next(), seen.next()) {
        (Some(method), None) => Ok(method),
        (Some(_), Some(_)) => Err(INVALID.because("credentials of more than one kind were sent")),
        (None, _) if credential_headers().any(|name| headers.count(name) > 0) => {
            Err(INVALID.because("no accepted method reads the scheme of this Authorization header"))
        }
        (None, _) => Err(MISSING.because("no header carries a credential")),
    }
}

/// Whether a credential that is bound to a certificate came with it. A key's proof was checked by the method that reads it.
fn bound(verified: &Verified, presented: &Presented<'_>) -> Result<(), Box<Refusal>> {
    let Binding::Certificate(expected) = verified.binding else {
        return Ok(());
    };
    let tls = presented.peer.tls.as_ref();
    if tls.and_then(|tls| tls.client_certificate) == Some(expected) {
        Ok(())
    } else {
        let id = verified.credential.id;
        Err(BINDING_MISMATCH.because(format!(
            "{id} is bound to a client certificate that was not shown"
        )))
    }
}

/// The credential's integration, if it may be used now, with this method and from this address.
fn integration<'a>(
    verified: &Verified,
    facts: Option<&'a IntegrationFacts>,
    method: &Method,
    presented: &Presented<'_>,
    world: &VerifyContext<'_>,
) -> Result<&'a IntegrationFacts, Box<Refusal>> {
    let record = &verified.credential;
    let Some(facts) = facts else {
        return Err(INVALID.because(format!(
            "{} belongs to `{}`, which is no longer configured",
            record.id, record.integration
        )));
    };
    if !(method.is_accepted)(&facts.credentials) {
        return Err(INVALID.because(format!(
            "`{}` does not accept credentials of kind {}",
            facts.name, method.name
        )));
    }
    if facts.is_paused {
        return Err(INTEGRATION_PAUSED.because(format!(
            "`{}` is paused; {} was used",
            facts.name, record.id
        )));
    }
    if !(world.is_allowed_from)(facts, presented.address) {
        return Err(ADDRESS_NOT_ALLOWED.because(format!(
            "{} is not in allow_from of `{}`; {} was used",
            presented.address, facts.name, record.id
        )));
    }
    Ok(facts)
}

/// The person behind the call, where the integration is configured to name one.
fn user(headers: &Headers, header: Option<&str>) -> Result<Option<Arc<str>>, Box<Refusal>> {
    let Some(header) = header else {
        return Ok(None);
    };
    let mut values = headers.all(header);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(USER_MALFORMED.because(format!("`{header}` was sent more than once")));
    }
    let is_plain = (1..=USER_LEN_MAX).contains(&value.len())
        && value.trim_ascii() == value
        && value.iter().all(|byte| matches!(byte, 0x20..=0x7e));
    match std::str::from_utf8(value) {
        Ok(name) if is_plain => Ok(Some(Arc::from(name))),
        _ => Err(USER_MALFORMED.because(format!(
            "`{header}` is empty, too long or not visible ASCII ({} bytes)",
            value.len()
        ))),
    }
}

/// Longest name of a user.
const USER_LEN_MAX: usize = 128;

#[cfg(test)]
mod tests;
