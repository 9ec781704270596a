//! What a record holds besides plain words and numbers: actors, objects, field errors, findings, drift, blocks.
//! Exports `ActorRef`, `ObjectRef`, `ErrorAt`, `Finding`, `Drift`, `Blocked`, `Personal`.
//! Made by the stages of the gateway; read by `explain`.
//! Start reading at `ObjectRef`. What records of schema 1 have as a line of text is read from that as well.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::from_line::also_a_line;
use super::words::{AuthenticatedBy, Treatment, Word};
use crate::{FieldError, Text, Timestamp};

/// An object that was asked for, looked up, evaluated or let out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(remote = "Self", default)]
pub struct ObjectRef {
    /// `WorkOrder`
    pub kind: Text,
    /// `4711`; empty where it is a person's and cannot be read.
    pub id: Text,
    /// Whether it is a person: their id is never written but sealed under a key of theirs.
    #[serde(rename = "person", skip_serializing_if = "std::ops::Not::not")]
    pub is_person: bool,
}

impl ObjectRef {
    /// Whether both name the same object.
    pub fn is_same(&self, other: &ObjectRef) -> bool {
        (&self.kind, &self.id) == (&other.kind, &other.id)
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

/// How it is known who made a change, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActorRef {
    /// By what.
    pub authenticated_by: Word<AuthenticatedBy>,
    /// Number of the user of the operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Number of the process that asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<u32>,
    /// What they call themselves, where that is not the account's name. Anybody can write anything there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_itself: Option<Text>,
}

/// One thing wrong with one field. What was found there is told to the caller and not recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", default)]
pub struct ErrorAt {
    /// `path`, `query`, `header` or `body`.
    pub place: Text,
    /// JSON pointer in the body, or the parameter's name.
    pub pointer: Text,
    /// The keyword of the contract that failed (`type`, `required`, …), `notGranted`, or the class of attack.
    pub keyword: Text,
}

impl From<&FieldError> for ErrorAt {
    fn from(error: &FieldError) -> Self {
        ErrorAt {
            place: Text::new_static(error.place),
            pointer: Text::new(&error.pointer),
            keyword: Text::new(&error.keyword),
        }
    }
}

impl fmt::Display for ErrorAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.place, self.pointer, self.keyword)
    }
}

/// One thing that inspection saw. Holds no text of the message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", default)]
pub struct Finding {
    /// `inspect.sqli`, or `response.leak`.
    pub class: Text,
    /// `body`, `query`, `header`, `path`, `cookie`, or `answer`.
    pub place: Text,
    /// JSON pointer in a body or response, otherwise the name.
    pub pointer: Text,
    /// The rule.
    pub rule: Text,
    /// What it added to the score.
    pub score: u32,
    /// The paranoia level of the rule.
    pub paranoia: u8,
    /// How the text was decoded before the rule matched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Text>,
    /// What came of it.
    pub what: Word<Treatment>,
}

/// One difference between an upstream's response and the contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", default)]
pub struct Drift {
    /// JSON pointer in the response.
    pub pointer: Text,
    /// The keyword of the contract that failed.
    pub keyword: Text,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pointer, self.keyword)
    }
}

/// Whom a block keeps out, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// As `portcullis block lift` takes it: `user:crm/ann lee`.
    pub subject: Text,
    /// Microseconds since 1970, UTC.
    pub until: Timestamp,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is blocked until {}", self.subject, self.until)
    }
}

/// Fields of a record that name persons, sealed so that they can be read while the keys of all of these persons are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Personal {
    /// Whose they are: numbers in hex that follow from no name.
    pub subjects: Vec<Text>,
    /// Of the fields of one of the record's `objects`: which one, counted from 0. They are fields of the record itself otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<u32>,
    /// The fields, sealed, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Text>,
    /// Why they cannot be read: `erased`, or `damaged` where a key is missing or does not open them. Never written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Text>,
}

also_a_line!(ObjectRef, ErrorAt, Finding, Drift);
