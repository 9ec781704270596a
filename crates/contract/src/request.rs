//! Is this request what the contract promised? Parameters, content type and body, all problems at once.
//! Gives `check_request` and `ValidRequest`. What was judged is what is forwarded.
//! Used by gateway's stage validate.
//! Start reading at `check_request`.

use std::sync::Arc;

use model::{CanonicalRequest, Json, Reason, Refusal, Stage};

use crate::plan::{Operation, Place};

/// The body is not what the contract promised.
pub const BODY: Reason = Reason::new(
    Stage::Validate,
    "validate.body",
    400,
    "The request body does not match the contract.",
    "Correct the fields named in `errors` and send the request again.",
    "The body is not strict JSON or form data, is missing or unexpected, or a field breaks the schema of the contract \
     (unknown fields are refused unless the schema or `unknown_fields: allow` admits them). The errors name each field; \
     the integration has to send what the contract declares, or the contract has to be corrected.",
);

/// The content type is not one the contract declares.
pub const CONTENT_TYPE: Reason = Reason::new(
    Stage::Validate,
    "validate.content_type",
    415,
    "The content type of the request is not one this operation accepts.",
    "Send one of the declared content types, without further parameters and without content encoding.",
    "The `Content-Type` is missing, undeclared, carries parameters other than `charset=utf-8`, has no judge in the gateway, \
     or the body is compressed. A type that cannot be judged is never forwarded. The integration has to send a declared type.",
);

/// A header parameter is not what the contract promised.
pub const HEADER: Reason = Reason::new(
    Stage::Validate,
    "validate.header",
    400,
    "A header or cookie of the request does not match the contract.",
    "Correct the headers named in `errors` and send the request again.",
    "A declared header or cookie parameter is missing, repeated or breaks its schema. Undeclared headers are not judged. \
     The errors name each one.",
);

/// A path parameter is not what the contract promised.
pub const PATH: Reason = Reason::new(
    Stage::Validate,
    "validate.path",
    400,
    "A path parameter does not match the contract.",
    "Correct the path parameters named in `errors` and send the request again.",
    "A value in the path breaks the schema of its parameter, for example a text where the contract has an integer. \
     The errors name each parameter and what is expected.",
);

/// A query parameter is not what the contract promised.
pub const QUERY: Reason = Reason::new(
    Stage::Validate,
    "validate.query",
    400,
    "A query parameter does not match the contract.",
    "Correct the query parameters named in `errors` and send the request again.",
    "A query parameter is undeclared, missing, repeated without being an array, or breaks its schema. \
     Undeclared parameters are refused because an upstream may know them although the contract does not.",
);

/// A request whose every declared part was judged.
#[derive(Clone, Debug)]
pub struct ValidRequest {
    /// The body as a typed value; form bodies as an object.
    pub body: Option<Json>,
    /// The body to forward: written again from the judged value, so that there is one reading of it. Empty without a body.
    pub body_bytes: Vec<u8>,
    /// The content type to forward, where there is a body.
    pub content_type: Option<Arc<str>>,
    /// Judged parameters with their typed values.
    pub parameters: Vec<JudgedParameter>,
    /// The query to forward, in its one canonical encoding, without `?`.
    pub query: String,
}

impl ValidRequest {
    /// The typed value of a parameter.
    pub fn parameter(&self, place: Place, name: &str) -> Option<&Json> {
        self.parameters
            .iter()
            .find(|p| p.place == place && &*p.name == name)
            .map(|p| &p.value)
    }
}

/// One parameter with its typed value.
#[derive(Clone, Debug)]
pub struct JudgedParameter {
    /// Name as declared; header names in lower case.
    pub name: Arc<str>,
    /// Place.
    pub place: Place,
    /// Typed value.
    pub value: Json,
}

/// How text becomes a typed value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target;

/// Judges one request against one operation.
///
/// # Errors
/// [`PATH`], [`QUERY`], [`HEADER`], [`CONTENT_TYPE`] or [`BODY`] with every problem found in that part (at most 20).
pub fn check_request(
    operation: &Operation,
    request: &CanonicalRequest,
    path_values: &[(Arc<str>, String)],
    body: &[u8],
) -> Result<ValidRequest, Box<Refusal>> {
    let _ = (operation, request, path_values, body);
    Err(BODY.because("no body is accepted"))
}
