//! The list of pattern rules. A new file of rules is one line here.
//! Exports `all`.
//! Used by `Pack::compile`.
//! Start reading at `all`.

use super::Rule;

mod jndi;
mod ldapi;
mod nosqli;
mod protocol;
mod prototype;
mod rce;
mod rfi;
mod secret;
mod sqli;
mod ssrf;
mod ssti;
mod traversal;
mod xpathi;
mod xss;
mod xxe;

/// Every pattern rule of the pack.
pub(crate) fn all() -> Vec<Rule> {
    [
        jndi::RULES,
        ldapi::RULES,
        nosqli::RULES,
        protocol::RULES,
        prototype::RULES,
        rce::RULES,
        rfi::RULES,
        secret::RULES,
        sqli::RULES,
        ssrf::RULES,
        ssti::RULES,
        traversal::RULES,
        xpathi::RULES,
        xss::RULES,
        xxe::RULES,
    ]
    .concat()
}
