//! Who is calling, and with what credential?
//! Exports `verify -> Caller` and the life of a credential (`credential`). Pure: clock, store and randomness are passed in.
//! Used by gateway::pipeline (stage authn), admin and the command line.
//! Start reading at `verify`; methods are listed in `methods::METHODS`.

mod anonymous;
pub mod api_key;
mod caller;
mod challenge;
pub mod credential;
mod integrations;
mod last_use;
mod method;
pub mod methods;
mod reasons;
mod settings;
mod table;
pub mod verified;
mod verify;

pub use anonymous::anonymous;
pub use api_key::ApiKey;
pub use caller::Caller;
pub use challenge::challenge;
pub use credential::{Credential, State};
pub use integrations::Integrations;
pub use method::{Method, Presented, Verify, VerifyContext};
pub use methods::{ApiKeySettings, check, reasons};
pub use reasons::{
    ADDRESS_NOT_ALLOWED, BINDING_MISMATCH, EXPIRED, INTEGRATION_PAUSED, INVALID, MISSING, REASONS,
    REVOKED, USER_MALFORMED,
};
pub use settings::{IntegrationFacts, Settings};
pub use table::{CredentialTable, Entry};
pub use verified::Verified;
pub use verify::verify;
