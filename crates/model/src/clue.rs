//! What a contract says of a field that may name an object.
//! Exports `Clue`.
//! Kept in shapes; read by `likeness`.
//! Start reading at `Clue`.

use std::sync::Arc;

/// What a contract says of a field that may name an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clue {
    /// Where an overlay reaches the field; none where it stands in another file.
    pub target: Option<Arc<str>>,
    /// The schema that its description or its type speaks of: "id of the customer", `$ref: CustomerId`.
    pub told: Option<Arc<str>>,
}
