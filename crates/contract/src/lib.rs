//! Is this message what the OpenAPI document promised? Both directions, unknown fields refused by default.
//! Exports `compile`, `Router`, `check_request`, `check_writes`, `check_response`, `leaves`,
//! `fields`, `forwarded`. Pure: texts in, plans out.
//! Used by config (compile, locate) and by gateway's stages route, validate, inspect and response.
//! Start reading at `compile`, then at `check_request`; `plan` names what a compiled contract consists of.

mod advice;
mod bodies;
mod body_format;
mod compile;
mod definition;
mod docs;
mod errors;
mod fields;
mod file;
mod findings;
mod form;
pub mod forwarded;
pub mod language;
mod leaves;
mod lower;
mod media;
mod media_type;
mod multipart;
mod not_carried;
mod overlay;
mod parameters;
mod parts;
mod plan;
mod questions;
mod request;
mod response;
mod response_plan;
mod router;
mod shape;
mod shortened;
mod template;
mod text;
mod typing;
mod validator;
mod words;
mod writes;

use model::Reason;

pub use bodies::BODY;
pub use body_format::BodyFormat;
pub use compile::{Source, UnknownFields, compile};
pub use fields::{Field, fields, language_at};
pub use file::{FileBounds, begins_like};
pub use findings::JudgedParameter;
pub use forwarded::Forwarded;
pub use language::Language;
pub use leaves::{Leaf, leaves};
pub use media::{ACCEPT, FirstResponse, ResponseMedia};
pub use not_carried::NotCarried;
pub use parameters::{UNDECLARED, declared_cookies, fix_undeclared, list_field, write_query};
pub use parts::{PartKind, PartPlan};
pub use plan::{BodyPlan, BodyPlanContent, Contract, Operation, Parameter, Place, Style};
pub use request::{HEADER, PATH, QUERY, ValidRequest, check_request};
pub use response::{Drift, check_response};
pub use response_plan::{ResponsePlan, StatusRange};
pub use router::{Declared, Found, Offered, Route, Router};
pub use template::TemplateSegment;
pub use text::{locate, to_value};
pub use validator::Validator;
pub use writes::check_writes;

/// Every way this room refuses a message.
pub const REASONS: &[&Reason] = &[
    &bodies::BODY,
    &request::CONTENT_TYPE,
    &media::ACCEPT,
    &request::HEADER,
    &request::PATH,
    &request::QUERY,
];
