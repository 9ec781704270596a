//! May they, on this object, seeing which fields, how often?
//! Exports `compile`, `decide` -> `Permit`, `access`, `near_misses`, `Counted`, and the modules `limit`, `block`, `address`. Pure.
//! Used by config (compile), gateway::pipeline (decide, release, limits) and the CLI (access, explain).
//! Start reading at `decide`; how fields and objects are judged is written at `release`.

pub mod access;
pub mod address;
pub mod block;
mod cedar;
mod counted;
mod decide;
mod enforcement;
mod errors;
mod fast;
pub mod input;
pub mod limit;
mod named;
mod names;
pub mod near;
mod nested;
mod object;
pub mod pages;
pub mod parameters;
mod permit;
mod place;
mod plan;
pub mod rate;
mod reads;
mod reasons;
mod release;
mod root;
pub mod rules;
mod scope;
mod standing;

pub use access::{AccessMatrix, AccessRow, How, NearMiss, Nearness, access};
pub use address::{AddressSet, client_address, client_key};
pub use counted::{ChosenBy, Counted, CountedPart, OfLimit};
pub use decide::{Question, decide};
pub use enforcement::{By, Enforcement, Judged};
pub use errors::Concealment;
pub use input::{
    ApiShape, BodyMeaning, CedarFile, Condition, DenyAs, ErrorShape, FixedSource, FixedTarget,
    FixedValue, Grant, IntegrationGrants, LOOKUPS_DEFAULT, LOOKUPS_MOST, Listed, Mask, Names,
    ObjectKind, OperationShape, ParameterPlace, ParameterShape, PolicyInput, Source, Spot,
    UNSURE_OBJECTS,
};
pub use names::policy_names;
pub use near::{Evidence, ObjectEvidence, near_misses};
pub use object::object_in_path;
pub use pages::{PagePlace, Pages};
pub use parameters::{
    Fixed, PARAMETER_NOT_GRANTED, ParameterAccess, ParameterNote, ParameterRefusal, ParameterUse,
    Sent, VALUE_FIXED,
};
pub use permit::Permit;
pub use rate::{Rate, Span, Strikes};
pub use reasons::{
    ABSENT, CONDITION_FAILED, CREATE_DENIED, ID_DIFFERS, OBJECT_DENIED, OPERATION_NOT_GRANTED,
    PATCH_STEPS, TOO_DEEP, TOO_MANY,
};
pub use rules::{OperationRef, Rules, compile};
pub use standing::{Lookup, Released, RequestFacts, Standing};

#[cfg(test)]
mod tests;

/// Every reason of this room, for the reference of problem codes.
pub const REASONS: &[&model::Reason] = &[
    &address::DENIED,
    &address::FORWARDED,
    &reasons::ABSENT,
    &reasons::CONDITION_FAILED,
    &reasons::CREATE_DENIED,
    &reasons::OBJECT_DENIED,
    &reasons::OPERATION_NOT_GRANTED,
    &reasons::ID_DIFFERS,
    &reasons::PATCH_STEPS,
    &reasons::TOO_DEEP,
    &reasons::TOO_MANY,
    &block::BLOCKED,
    &limit::EXCEEDED,
    &parameters::PARAMETER_NOT_GRANTED,
    &parameters::VALUE_FIXED,
];
