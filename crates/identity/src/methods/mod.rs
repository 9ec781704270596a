//! Every way to prove who is calling: one file per method, registered here.
//! Exports `METHODS`, `check` (the settings of all of them), `reasons` and which header fields carry credentials. To add one: write
//! `methods/NAME.rs`, then add its line here and its settings to `settings::Settings`, in order.
//! Used by `verify`, by config (which checks what the files of integrations say) and by the reference page.
//! Start reading at `METHODS`.

pub(crate) mod api_key;

use model::{Mistake, Reason};

pub use api_key::ApiKeySettings;

use crate::method::Method;
use crate::reasons::REASONS;
use crate::settings::Settings;

/// All methods, sorted by name.
pub const METHODS: &[Method] = &[api_key::METHOD];

/// Header fields that may carry a credential, so that no later stage sees, records or forwards one.
pub fn credential_headers() -> impl Iterator<Item = &'static str> {
    METHODS
        .iter()
        .flat_map(|method| method.headers.iter().copied())
}

/// Whether a field may carry a credential. An upstream gets it only where its api says `pass_credential: true`.
pub fn is_credential(name: &str) -> bool {
    credential_headers().any(|known| known == name)
}

/// Everything wrong with the `credentials` of an integration. Pointers of the mistakes begin there: `/api_key/max_age`.
pub fn check(settings: &Settings) -> Vec<Mistake> {
    let mut found = Vec::new();
    let is_accepted = |method: &Method| (method.is_accepted)(settings);
    if settings.none && METHODS.iter().any(is_accepted) {
        let help = "Give the other kinds of credential to an integration of their own.";
        let message = "whoever shows no credential cannot be who shows one";
        found.push(Mistake::new(message, help).at_pointer("/none"));
    }
    if !settings.none && !METHODS.iter().any(is_accepted) {
        let names: Vec<String> = METHODS.iter().map(|m| format!("`{}`", m.name)).collect();
        let help = format!("List at least one of {}.", names.join(", "));
        found.push(Mistake::new("no kind of credential is listed", help).at_pointer(""));
    }
    for method in METHODS {
        (method.check)(settings, &mut found);
        if let Some(header) = (method.user_header)(settings) {
            user_header(header, &format!("/{}/user_header", method.name), &mut found);
        }
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
fn user_header(written: &str, pointer: &str, found: &mut Vec<Mistake>) {
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

/// Every reason of this room: those all methods share, then those one method alone refuses with.
pub fn reasons() -> Vec<&'static Reason> {
    let mut all = REASONS.to_vec();
    for reason in METHODS.iter().flat_map(|method| method.reasons) {
        if !all.iter().any(|known| known.code == reason.code) {
            all.push(reason);
        }
    }
    all
}
