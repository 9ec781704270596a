//! What the fuzz targets try, as plain functions: one file per target.
//! Exports a module for each; `run` ends with a panic where a promise is broken.
//! Used by `fuzz/fuzz_targets`, which libFuzzer calls, and by the tests here, which try each of them a little on every build.
//! Start reading at the target that interests you.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken promise ends a target with a panic"
)]

pub mod canonical_request;
pub mod check_request;
pub mod condition;
pub mod configuration;
pub mod field_path;
pub mod h1_head;
pub mod h1_response;
pub mod json;
pub mod ledger_export;
pub mod multipart;
pub mod openapi;
pub mod values;
pub mod waf_bodies;
pub mod waf_inspect;
pub mod waf_rules;
pub mod waf_transaction;
pub mod waf_transforms;
pub mod yaml_text;

#[cfg(test)]
mod tests;
