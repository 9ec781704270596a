//! Every kind of request body: one file per kind, listed here.
//! Exports `declared`, `kind`, `BodyKind` (one line of the list), and what all kinds share: `BODY`, `judged`, `whole_body`. To add one: write
//! `bodies/NAME.rs`, add it here and its variant to `BodyFormat`.
//! Used by `compile`, which asks which kind a media type is, and by `check_request`.
//! Start reading at `BodyKind`.

pub(crate) mod file;
mod form;
mod json;
pub(crate) mod multipart;
pub(crate) mod text;

use std::sync::Arc;

use model::{FieldError, Json, Mistake, Mode, Payload, Reason, Refusal, Stage};

use crate::body_format::BodyFormat;
use crate::docs::{At, Docs};
use crate::errors::{Subject, explain};
use crate::findings::Findings;
use crate::parts::PartPlan;
use crate::plan::{BodyPlanContent, Operation};

/// The body is not what the contract promised.
pub const BODY: Reason = Reason::new(
    Stage::Validate,
    "validate.body",
    400,
    "The request body does not match the contract.",
    "Correct the fields named in `errors` and send the request again.",
    "The body is not strict JSON, form data or plain text as declared, is missing or unexpected, or a field breaks the schema of the contract \
     (unknown fields are refused unless the schema or `unknown_fields: allow` admits them). The errors name each field; \
     the integration has to send what the contract declares, or the contract has to be corrected.",
);

/// One kind of body.
pub(crate) struct BodyKind {
    /// Whether a declared media type is read so.
    pub(crate) declared: fn(&DeclaredMedia<'_>) -> Reading,
    /// Whether the parameters of a content type that was sent may be.
    pub(crate) takes_parameters: TakesParameters,
    /// Reads a body that was sent, and writes it again from what was read.
    pub(crate) read: fn(&SentBody<'_>, &mut Findings) -> Result<ReadBody, Box<Refusal>>,
}

/// Of the content type as it was sent, and its parameters alone. The error says what is expected of them.
pub(crate) type TakesParameters = fn(&str, &str) -> Result<(), &'static str>;

/// All kinds. A media type is of the first that takes it for one of its own.
const BODIES: [BodyFormat; 5] = [
    BodyFormat::Form,
    BodyFormat::Json,
    BodyFormat::Multipart,
    BodyFormat::Text,
    BodyFormat::File,
];

/// A media type that a contract declares for a body.
pub(crate) struct DeclaredMedia<'d> {
    pub(crate) docs: &'d Docs,
    /// Type and subtype in lower case.
    pub(crate) essence: &'d str,
    pub(crate) media: &'d At<'d>,
    /// All types of this message, as they are written.
    pub(crate) all: &'d [(&'d str, At<'d>)],
}

/// Whether a kind of body reads a declared media type.
pub(crate) enum Reading {
    /// It is none of its own.
    Other,
    /// It reads it; with the parts it has, where it has some.
    Read(Vec<PartPlan>),
    /// It is one of its own, but says something that would not be kept.
    NotCarried(Box<Mistake>),
}

impl Reading {
    /// Reads what is its own, whatever it says.
    fn own(is_own: bool) -> Reading {
        if is_own {
            Reading::Read(Vec::new())
        } else {
            Reading::Other
        }
    }
}

/// A body that was sent.
pub(crate) struct SentBody<'s> {
    pub(crate) operation: &'s Operation,
    /// The plan for its content type.
    pub(crate) content: &'s BodyPlanContent,
    /// Its content type as it was sent.
    pub(crate) content_type: &'s str,
    pub(crate) bytes: &'s [u8],
}

/// A body that was read.
pub(crate) struct ReadBody {
    /// As it is judged.
    pub(crate) payload: Payload,
    /// As it is forwarded.
    pub(crate) bytes: Vec<u8>,
    /// The content type to forward.
    pub(crate) content_type: Arc<str>,
}

/// How a declared media type is read.
///
/// # Errors
/// Nothing here can judge it: why not, and where the contract says so.
pub(crate) fn declared(
    media: &DeclaredMedia<'_>,
) -> Result<(BodyFormat, Vec<PartPlan>), Box<Mistake>> {
    for format in BODIES {
        match (kind(format).declared)(media) {
            Reading::Other => {}
            Reading::Read(parts) => return Ok((format, parts)),
            Reading::NotCarried(why) => return Err(why),
        }
    }
    // The last kind says of every other type why it is none of its own.
    let message = format!("`{}` is no media type that is carried", media.essence);
    let help = "declare the body in JSON";
    Err(Box::new(media.docs.mistake(media.media, message, help)))
}

/// The kind of this format.
pub(crate) const fn kind(format: BodyFormat) -> &'static BodyKind {
    match format {
        BodyFormat::Form => &form::BODY_KIND,
        BodyFormat::Json => &json::BODY_KIND,
        BodyFormat::Multipart => &multipart::BODY_KIND,
        BodyFormat::Text => &text::BODY_KIND,
        BodyFormat::File => &file::BODY_KIND,
    }
}

/// `charset=utf-8`, or none.
pub(crate) fn takes_charset(_sent: &str, parameters: &str) -> Result<(), &'static str> {
    // RFC 9110 §5.6.6: between semicolons a parameter may be missing.
    let pieces = parameters.split(';').map(str::trim);
    let mut pieces = pieces.filter(|piece| !piece.is_empty());
    let is_utf8 = |parameter: &str| {
        ["charset=utf-8", "charset=\"utf-8\""]
            .iter()
            .any(|known| parameter.eq_ignore_ascii_case(known))
    };
    if pieces.next().is_none_or(is_utf8) && pieces.next().is_none() {
        Ok(())
    } else {
        Err("only the parameter `charset=utf-8` is accepted")
    }
}

/// Holds the value of a body against its schema.
pub(crate) fn judged(
    content: &BodyPlanContent,
    value: &Json,
    found: &mut Findings,
) -> Result<(), Box<Refusal>> {
    if found.mode == Mode::Off || content.validator.is_valid(value) {
        return Ok(());
    }
    let subject = Subject {
        place: "body",
        name: "",
        validator: &content.validator,
        value,
        shape: &content.shape,
    };
    explain(&subject).into_iter().for_each(|e| found.broken(e));
    found.settle(&BODY)
}

pub(crate) fn whole_body(keyword: &str, detail: &str, fix: &str) -> Box<Refusal> {
    body_error(String::new(), keyword, detail, fix)
}

pub(crate) fn body_error(pointer: String, keyword: &str, detail: &str, fix: &str) -> Box<Refusal> {
    let private = format!("{keyword}: {detail}");
    BODY.because(private)
        .with_errors(vec![body_problem(pointer, keyword, detail, fix)])
}

pub(crate) fn body_problem(pointer: String, keyword: &str, detail: &str, fix: &str) -> FieldError {
    FieldError {
        place: "body",
        pointer,
        keyword: keyword.into(),
        detail: detail.into(),
        fix: fix.into(),
    }
}
