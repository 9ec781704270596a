//! The nouns every room shares: ids, requests, replies, decisions, events, fields.
//! Exports plain data and the parsing of names. Pure: no I/O, no clock, no randomness.
//! Used by every room. A noun enters when three rooms need it.
//! Start reading at `decision` (how we say no) and `request` (the one canonical request).

pub mod canonical;
pub mod clue;
pub mod decision;
pub mod event;
pub mod field;
pub mod headers;
pub mod http;
pub mod ids;
pub mod json;
pub mod likeness;
pub mod mistake;
pub mod mode;
pub mod page;
pub mod payload;
pub mod principal;
pub mod printable;
pub mod shape;
pub mod text;
pub mod time;

pub use canonical::CanonicalRequest;
pub use clue::Clue;
pub use decision::{FieldError, PresentedCredential, ProxyCause, Reason, Refusal, RuleRef, Stage};
pub use event::{Cause, Event, Kind, ObjectRef, Outcome, Word};
pub use field::{FieldPath, FieldSet};
pub use headers::Headers;
pub use http::{Head, Method, Peer, Protocol, Response};
pub use ids::{DecisionId, IntegrationId, KeyId, ListenerId};
pub use json::Json;
pub use mistake::Mistake;
pub use mode::Mode;
pub use page::{Asks, PageField, PageParameter, Reveals, StatedField};
pub use payload::{MessageKind, Payload};
pub use principal::Principal;
pub use shape::Shape;
pub use text::Text;
pub use time::{Monotonic, Timestamp};
