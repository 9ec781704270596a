//! What every method of authentication has in common.
//! Exports `Method` (one line of the registry), `Presented` (what the caller showed) and `VerifyContext` (what we know).
//! Used by `verify` and `methods`.
//! Start reading at `Method`.

use std::fmt;
use std::net::IpAddr;

use crypto::MacKey;
use model::{Headers, Mistake, Peer, Reason, Refusal, Timestamp};

use crate::settings::Settings;
use crate::{CredentialTable, IntegrationFacts, Integrations, Verified};

/// Finds the presented credential and decides whether it may still be used; with what is known of its integration, which
/// is looked up by its name here and nowhere later.
pub type Verify = for<'w> fn(
    &Presented<'_>,
    &VerifyContext<'w>,
    Timestamp,
) -> Result<(Verified, Option<&'w IntegrationFacts>), Box<Refusal>>;

/// One way to prove who is calling.
#[derive(Debug)]
pub struct Method {
    /// Name in ledger, metrics and configuration (`credentials: { NAME: … }`).
    pub name: &'static str,
    /// One sentence for the reference page.
    pub about: &'static str,
    /// Header fields (lower case) that may carry this credential. None of them is ever forwarded or recorded.
    pub headers: &'static [&'static str],
    /// Reasons this method refuses with.
    pub reasons: &'static [&'static Reason],
    /// Whether the integration's settings accept this method.
    pub is_accepted: fn(&Settings) -> bool,
    /// Adds what is wrong with this method's settings; pointers begin at `credentials` (`/NAME/FIELD`).
    pub check: fn(&Settings, &mut Vec<Mistake>),
    /// Header in which an integration that uses this method names the person behind a call, as written.
    pub user_header: fn(&Settings) -> Option<&str>,
    /// Whether the request carries a credential of this kind, good or bad.
    pub sees: fn(&Presented<'_>) -> bool,
    /// Finds the credential and decides whether it may still be used.
    pub verify: Verify,
}

/// What the caller showed.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// Method of the request; proofs of possession are bound to it.
    pub method: model::Method,
    /// Host and port the caller asked for, lower case.
    pub authority: &'a str,
    /// Path, without the query (RFC 9449 §4.2 binds a proof to no more).
    pub path: &'a str,
    /// Header fields of the request.
    pub headers: &'a Headers,
    /// The other end of the connection; methods bound to a client certificate read it.
    pub peer: &'a Peer,
    /// Address of the client: the first hop that is no trusted proxy.
    pub address: IpAddr,
}

/// What we know. All of it comes from one snapshot.
#[derive(Clone, Copy)]
pub struct VerifyContext<'a> {
    /// Every credential.
    pub table: &'a CredentialTable,
    /// Key of the credential digests ([`crypto::Keys::api_key_digest`]).
    pub digest_key: &'a MacKey,
    /// Every integration.
    pub integrations: &'a Integrations,
    /// Whether an integration may be used from an address (its `allow_from`).
    pub is_allowed_from: &'a dyn Fn(&IntegrationFacts, IpAddr) -> bool,
}

impl fmt::Debug for VerifyContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyContext")
            .field("table", self.table)
            .finish_non_exhaustive()
    }
}
