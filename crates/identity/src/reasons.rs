//! Every way a caller is not accepted. The sentences help an honest caller and tell a dishonest one nothing new.
//! Exports the reasons of stage `authn` and their list.
//! Used by `verify` and the methods; printed in the reference of problem codes.
//! Start reading at `MISSING`.

use model::{Reason, Stage};

/// No credential was sent.
pub const MISSING: Reason = Reason::new(
    Stage::Authn,
    "authn.missing",
    401,
    "This operation needs a credential and the request carries none.",
    "Send the API key as `Authorization: Bearer pk_live_…` or as `X-API-Key: pk_live_…`.",
    "The request came without `Authorization` and without `X-API-Key`. A key in the query string is never read, because \
     addresses end up in logs. The client has to send its key in a header; make one with `portcullis key create --integration NAME`.",
);

/// The credential is not one we know.
pub const INVALID: Reason = Reason::new(
    Stage::Authn,
    "authn.invalid",
    401,
    "The credential is not valid.",
    "Check that the whole key was copied and that exactly one credential is sent; ask the API's owner for a new key if in doubt.",
    "The credential is unknown, mistyped, sent twice or of a kind that the integration does not accept; the detail says which. \
     `portcullis key check` tells a mistyped key from an unknown one without any server. \
     An unknown key that is well-formed was made by another installation or deleted here.",
);

/// The credential is bound to a certificate or key that the caller did not prove to hold. Listed by the methods whose
/// credentials can be bound.
pub const BINDING_MISMATCH: Reason = Reason::new(
    Stage::Authn,
    "authn.binding_mismatch",
    401,
    "The credential was not sent by its holder.",
    "Send it over a connection that shows the client certificate, or with a proof by the key, that it was issued for.",
    "The credential is bound to a client certificate or a key, and the request proved neither. Whoever copied the credential \
     cannot use it; where its holder is refused, the certificate or key was replaced without a new credential.",
);

/// The credential's time is over.
pub const EXPIRED: Reason = Reason::new(
    Stage::Authn,
    "authn.expired",
    401,
    "The credential has expired.",
    "Use the key that replaced it, or ask the API's owner for a new one.",
    "The key is older than its `max_age`, or it was rotated and the overlap is over; the detail gives the moment. \
     Hand the integration its new key, or make one with `portcullis key rotate ID` before the old one ends.",
);

/// The credential was taken back.
pub const REVOKED: Reason = Reason::new(
    Stage::Authn,
    "authn.revoked",
    401,
    "The credential has been revoked.",
    "Stop using this key and ask the API's owner for a new one.",
    "Somebody revoked this key; `portcullis key list` shows when and why. A revoked key never works again. \
     If it is still being used, find out by whom: it may have leaked. A new one is made with `portcullis key create --integration NAME`.",
);

/// The integration may not be used from this address.
pub const ADDRESS_NOT_ALLOWED: Reason = Reason::new(
    Stage::Authn,
    "authn.address_not_allowed",
    403,
    "The credential may not be used from this network.",
    "Call from the agreed network, or ask the API's owner to add yours.",
    "The key is good, but the integration's `allow_from` does not contain the client's address; the detail names it. \
     Add the network to the integration's file if it is meant to call from there. If it is not, the key may have leaked: rotate it. \
     Behind a proxy, check `trusted_proxies`.",
);

/// The integration is paused.
pub const INTEGRATION_PAUSED: Reason = Reason::new(
    Stage::Authn,
    "authn.integration_paused",
    403,
    "Access for this integration is paused.",
    "Ask the API's owner when it will be resumed; the credential stays valid.",
    "The integration was paused by an operator until somebody resumes it. Its keys stay as they are and work again then. \
     `portcullis integration list` shows who paused it, when and why.",
);

/// The user header cannot be read.
pub const USER_MALFORMED: Reason = Reason::new(
    Stage::Authn,
    "authn.user_malformed",
    400,
    "The header that names the user cannot be read.",
    "Send it once, with 1 to 128 visible ASCII characters and no spaces around them.",
    "The integration's `user_header` was sent twice, empty, too long or with characters that do not belong in a name. \
     It separates limits and stands in the ledger, so an unreadable one is refused, not shortened. The integration has to mend it.",
);

/// Reasons that any method may refuse with.
pub const REASONS: &[&Reason] = &[
    &MISSING,
    &INVALID,
    &EXPIRED,
    &REVOKED,
    &ADDRESS_NOT_ALLOWED,
    &INTEGRATION_PAUSED,
    &USER_MALFORMED,
];
