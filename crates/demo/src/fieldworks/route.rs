//! One operation of v2: method, path template, and what it does.
//! Exports `Route`, `Action`, `Own`.
//! Used by the table of `routes` and by `actions`.
//! Start reading at `Action`.

use model::{Method, Response};

use super::Ask;
use crate::data::{Kind, World};

/// What an operation does with the world.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// A page of records.
    List(Kind),
    /// One record, whole.
    Get(Kind),
    /// Some members of one record.
    Part(Kind, &'static [&'static str]),
    /// A new record from the body.
    Create(Kind),
    /// Members of the body over the record, whatever they are.
    Patch(Kind),
    /// One member set to a fixed text.
    Mark(Kind, &'static str, &'static str),
    /// A record taken away.
    Delete(Kind),
    /// Something of its own.
    Own(Own),
}

/// An action with a function of its own.
#[derive(Clone, Copy)]
pub struct Own(pub(crate) fn(&mut World, &Ask<'_>) -> Response);

impl std::fmt::Debug for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Own")
    }
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `operationId` of the contract.
    pub operation: &'static str,
    /// Method.
    pub method: Method,
    /// Path template below the base path.
    pub template: &'static str,
    /// What it does.
    pub action: Action,
}
