//! May this caller send these fields? The contract allows them; the grant may not.
//! Gives `check_writes`.
//! Used by gateway's stage validate after `check_request`.
//! Start reading at `check_writes`.

use model::{FieldSet, Json, Refusal};

use crate::plan::Operation;

/// Judges that every leaf of the body is covered by the granted fields. Paths count from the body's root;
/// for a body that is a list, from each item.
///
/// # Errors
/// `validate.body` with one error per field that is not granted.
pub fn check_writes(
    operation: &Operation,
    body: &Json,
    allowed: &FieldSet,
) -> Result<(), Box<Refusal>> {
    let _ = (operation, body, allowed);
    Err(crate::request::BODY.because("no field is granted"))
}
