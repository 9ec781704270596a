//! Every way to prove who is calling: one file per method, one line per file.
//! Gives `METHODS`. To add one: write `methods/NAME.rs` and add its line here, in order.
//! Used by `verify` and the reference page.
//! Start reading at `METHODS`.

mod api_key;

use crate::Method;

/// All methods, sorted by name.
pub const METHODS: &[Method] = &[api_key::METHOD];

/// Header fields that may carry a credential, so that no later stage sees, records or forwards one.
pub fn credential_headers() -> impl Iterator<Item = &'static str> {
    METHODS
        .iter()
        .flat_map(|method| method.headers.iter().copied())
}
