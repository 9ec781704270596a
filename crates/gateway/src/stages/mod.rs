//! The stages of the road, one file each, in the order of the product contract.
//! Each asks its judge, tells the exchange what it learned, and hands on a proof or stops.
//! Used by `pipeline::run` only.
//! Start reading at `pipeline::run`.

pub mod address_limit;
pub mod authn;
pub mod authz;
pub mod browsers;
pub mod calls;
pub mod cursors;
pub mod drifted;
pub mod http;
pub mod inspect;
pub mod ip;
pub mod lifecycle;
pub mod limit;
pub mod object;
pub mod outcome;
pub mod pages;
pub mod parameters;
pub mod response;
pub mod route;
pub mod tls;
pub mod transform;
pub mod unchanged;
pub mod upstream;
pub mod validate;
