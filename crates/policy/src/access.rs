//! What can they see? The effective matrix, computed from the very pieces that release uses.
//! Gives `access`, `AccessMatrix`, `AccessRow`.
//! Used by the CLI (`access`, `can`), plans and reviews.
//! Start reading at `access`.

use std::sync::Arc;

use model::RuleRef;

use crate::input::Mask;
use crate::rules::Rules;

/// Everything one integration may see and send.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct AccessMatrix {
    /// Integration.
    pub integration: Arc<str>,
    /// Rows, sorted.
    pub rows: Vec<AccessRow>,
}

/// One field of one operation under one grant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct AccessRow {
    /// `field-service/v2`
    pub api: Arc<str>,
    /// Operation id.
    pub operation: Arc<str>,
    /// Path from the answer's root (or the request's, for writes), `items.*.customer.id`; empty for "no field".
    pub field: String,
    /// How.
    pub how: How,
    /// The condition under which, as written.
    pub condition: Option<Arc<str>>,
    /// Data class of the field.
    pub class: &'static str,
    /// `integrations/accounting.yaml:18`
    pub rule: String,
}

/// How a field is accessible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// May call the operation; says nothing of fields.
    Call,
    /// Sees the value.
    Full,
    /// Sees it in part.
    Masked(Mask),
    /// May send it.
    Write,
}

/// The effective matrix of one integration; `None` when there is no such integration.
pub fn access(rules: &Rules, integration: &str) -> Option<AccessMatrix> {
    let _ = (rules, integration);
    None
}

/// Why a request was nearly allowed. For the operator, never for the caller.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct NearMiss {
    /// The grant or policy.
    pub rule: RuleRef,
    /// What is missing, in one sentence.
    pub text: String,
}
