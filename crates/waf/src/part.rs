//! The texts to inspect, and the facts of the request they came with.
//! Exports `Part`, `Place`, `PartKind`, `RequestFacts`. Borrowed data only.
//! Used by the caller of `inspect`, who cuts the judged message into parts once.
//! Start reading at `Part`.

use crate::field_plan::FieldPlan;

/// Where a text stood in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A segment or the whole of the path.
    Path,
    /// A query parameter.
    Query,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
    /// The body.
    Body,
}

impl Place {
    /// The name used in findings and settings.
    pub const fn name(self) -> &'static str {
        match self {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
            Place::Cookie => "cookie",
            Place::Body => "body",
        }
    }
}

/// Whether the text is a value or the name of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// A value: a JSON leaf, a parameter's value, a header's value.
    Value,
    /// A name: an object key, a parameter's name.
    Name,
}

/// One text to inspect.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Where it stood.
    pub place: Place,
    /// JSON pointer in a body, otherwise the name.
    pub pointer: &'a str,
    /// Value or name.
    pub kind: PartKind,
    /// The text, decoded once by whoever judged the message.
    pub text: &'a [u8],
    /// The paranoia level for this field; `None` takes the plan's.
    pub paranoia: Option<u8>,
    /// The contract declares this field binary: it is not decoded and inspected again.
    pub binary: bool,
    /// The contract declares this field a URL: an address inside is judged strictly.
    pub url: bool,
    /// The same text comes with most messages of its sender, and is no secret: that it is harmless may be remembered.
    pub recurs: bool,
    /// What the contract proves about this field; `None`: nothing, every rule is shown the text.
    pub field: Option<&'a FieldPlan>,
}

impl<'a> Part<'a> {
    /// A value as the contract leaves it: free text at the plan's paranoia level.
    pub fn value(place: Place, pointer: &'a str, text: &'a [u8]) -> Part<'a> {
        Part {
            place,
            pointer,
            kind: PartKind::Value,
            text,
            paranoia: None,
            binary: false,
            url: false,
            recurs: false,
            field: None,
        }
    }

    /// A name: an object key or a parameter name.
    pub fn name(place: Place, pointer: &'a str, text: &'a [u8]) -> Part<'a> {
        Part {
            kind: PartKind::Name,
            ..Part::value(place, pointer, text)
        }
    }

    /// The same part with what was proven about its field when the configuration loaded.
    pub fn proven(self, field: &'a FieldPlan) -> Part<'a> {
        Part {
            field: Some(field),
            ..self
        }
    }
}

/// The facts of a request that rules and exclusions ask for.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestFacts<'a> {
    /// The operation of the contract, as exclusions name it.
    pub operation: &'a str,
    /// The method in upper case.
    pub method: &'a str,
    /// The path as it will be forwarded, without the query.
    pub path: &'a str,
    /// The raw query without the question mark.
    pub query: &'a str,
    /// For example `HTTP/1.1`.
    pub protocol: &'a str,
    /// The address of the client.
    pub client: &'a str,
    /// Headers in order, names as received.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// Length of the body in bytes.
    pub body_bytes: usize,
}
