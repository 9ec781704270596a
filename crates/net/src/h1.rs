//! The strict HTTP/1.1 codec: bytes in, a head or a refusal out. What can be read in two ways is refused.
//! Exports `request::Reader`, `response::parse`, `chunked::Chunked`, `write`. Pure: no socket, no clock, no task.
//! Used by the connections of callers and by the upstreams' side. Decision: docs/decisions/002.
//! Start reading at `request::Reader::read`.

pub mod authority;
pub(crate) mod body;
pub mod chunked;
mod framing;
mod lines;
pub mod request;
pub mod response;
pub mod write;

pub(crate) use framing::length as framing_length;

/// Most header fields any head may have, whatever the bounds say: the slot table lives on the stack.
pub const FIELDS_CEILING: usize = 128;

#[cfg(test)]
mod tests;
