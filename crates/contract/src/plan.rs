//! What a compiled contract consists of: operations with their parameters, bodies and answers.
//! Exports `Contract`, `Operation` and their parts. Plain data; made by `compile` only.
//! Used by config (grants, exposure), policy (shapes), gateway and the judges of this room.
//! Start reading at `Operation`.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::json::Bounds;
use model::{MessageKind, Method, PageParameter, Reveals, Shape, StatedField};

use crate::body_format::BodyFormat;
use crate::file::FileBounds;
use crate::media::ResponseMedia;
use crate::not_carried::NotCarried;
use crate::parts::PartPlan;
use crate::response_plan::{ResponsePlan, StatusRange, successes};
use crate::template::TemplateSegment;
use crate::validator::Validator;

/// One OpenAPI document, compiled.
#[derive(Clone, Debug)]
pub struct Contract {
    /// `info.title`.
    pub title: String,
    /// `info.version`, as written.
    pub version: String,
    /// Operations in the order of the document.
    pub operations: Vec<Operation>,
    /// Paths that are declared without an operation, or whose operations an overlay took away. A request for one of them
    /// means it, and nothing that a looser template offers.
    pub idle_paths: Vec<Vec<TemplateSegment>>,
    /// Names that object kinds can have: those under `components.schemas`, and for schemas in files of their own that
    /// have no such name, the file's name without its endings (`models/WorkOrder.yml` is `WorkOrder`).
    pub schemas: BTreeSet<Arc<str>>,
    /// What the contract says about texts. Nodes of request shapes and leaves refer to it by number; the first four are
    /// free, integer, number and boolean.
    pub languages: Vec<crate::Language>,
    /// What was read but is not used, for `check` and `lint`: sentences.
    pub notes: Vec<String>,
}

impl Contract {
    /// The operation with this `operationId`, with its index.
    pub fn operation(&self, id: &str) -> Option<(usize, &Operation)> {
        self.operations
            .iter()
            .enumerate()
            .find(|(_, operation)| &*operation.id == id)
    }
}

/// One method on one path template.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `operationId`.
    pub id: Arc<str>,
    /// Method.
    pub method: Method,
    /// Path template as written, e.g. `/work-orders/{workOrderId}`.
    pub template: Arc<str>,
    /// The template in segments.
    pub segments: Vec<TemplateSegment>,
    /// Declared parameters, those of the path item included.
    pub parameters: Vec<Parameter>,
    /// The request body, where one is declared.
    pub body: Option<BodyPlan>,
    /// Fields of the request body (content types united); empty where none is declared.
    pub request_shape: Shape,
    /// Answers by status.
    pub responses: Vec<ResponsePlan>,
    /// Fields of successful JSON answers (statuses united); empty where none is declared.
    pub success_shape: Shape,
    /// Media types of the answers.
    pub media: ResponseMedia,
    /// `deprecated: true`.
    pub is_deprecated: bool,
    /// First line of `summary` or `description`.
    pub summary: Option<String>,
    /// Scopes named by `security`, as written (`scheme: scope scope`).
    pub security: Vec<String>,
    /// What a request body may cost.
    pub bounds: Bounds,
}

impl Operation {
    /// Whether a request body may be something else than JSON.
    pub fn takes_forms(&self) -> bool {
        let mut contents = self.body.iter().flat_map(|body| &body.contents);
        contents.any(|content| content.format != BodyFormat::Json)
    }

    /// What the request body is as a whole.
    pub fn body_kind(&self) -> MessageKind {
        let contents = self.body.iter().flat_map(|body| &body.contents);
        BodyFormat::common(contents.map(|content| content.format))
    }

    /// What successful answers are as a whole; those without a body are like any.
    pub fn response_kind(&self) -> MessageKind {
        let declared = successes(&self.responses).into_iter();
        let declared = declared.filter(|response| !response.content_types.is_empty());
        BodyFormat::common(declared.map(|response| response.format))
    }

    /// Shape of successful JSON answers: those of the 2xx class, else `default`.
    pub fn response_shape(&self) -> Option<&Shape> {
        (!self.success_shape.is_empty()).then_some(&self.success_shape)
    }

    /// The plan for an answer with this status: exact, else its family, else `default` (OpenAPI §4.8.16).
    pub fn response(&self, status: u16) -> Option<&ResponsePlan> {
        self.responses.get(self.response_index(status)?)
    }

    /// Whether this very status is declared, not only its family or `default`.
    pub fn declares(&self, status: u16) -> bool {
        let exact = StatusRange::Exactly(status);
        self.responses
            .iter()
            .any(|response| response.status == exact)
    }

    /// Which of the declared answers an answer with this status is.
    pub fn response_index(&self, status: u16) -> Option<usize> {
        let find = |wanted: StatusRange| self.responses.iter().position(|a| a.status == wanted);
        find(StatusRange::Exactly(status))
            .or_else(|| find(StatusRange::Family(status / 100)))
            .or_else(|| find(StatusRange::Default))
    }

    /// Declared answers that report an error with a JSON body, with their numbers. `default` reports errors where
    /// successes are declared beside it.
    pub fn error_responses(&self) -> impl Iterator<Item = (usize, &ResponsePlan)> {
        let successes = successes(&self.responses);
        let success: Vec<StatusRange> = successes.iter().map(|response| response.status).collect();
        let responses = self.responses.iter().enumerate();
        responses.filter(move |(_, response)| {
            let is_error = match response.status {
                StatusRange::Exactly(status) => status >= 400,
                StatusRange::Family(family) => family >= 4,
                StatusRange::Default => !success.contains(&StatusRange::Default),
            };
            is_error && !response.shape.is_empty()
        })
    }

    /// The declared parameter of this place and name.
    pub fn parameter(&self, place: Place, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.place == place && parameter.is_named(name))
    }
}

/// Where a parameter travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// In a path segment.
    Path,
    /// In the query.
    Query,
    /// In a header field.
    Header,
    /// In the cookie header.
    Cookie,
}

impl Place {
    /// `path`, `query`, `header` or `cookie`.
    pub const fn name(self) -> &'static str {
        match self {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
            Place::Cookie => "cookie",
        }
    }
}

/// How a value is written as text (OpenAPI "style").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `a,b` (path and header).
    Simple,
    /// `name=a&name=b` or `name=a,b` (query and cookie).
    Form,
    /// `a b` (query).
    SpaceDelimited,
    /// `a|b` (query).
    PipeDelimited,
    /// `name[key]=value` (query).
    DeepObject,
    /// The value is JSON text (`content: application/json`).
    Json,
}

/// One declared parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Name as declared; header names in lower case.
    pub name: Arc<str>,
    /// Place.
    pub place: Place,
    /// `required: true`.
    pub is_required: bool,
    /// Style.
    pub style: Style,
    /// `explode`.
    pub is_exploded: bool,
    /// `allowEmptyValue: true`.
    pub may_be_empty: bool,
    /// Judge of the typed value.
    pub validator: Validator,
    /// Shape of the value; the root node carries `refers_to` and class.
    pub shape: Shape,
    /// Name of the object kind the value refers to.
    pub refers_to: Option<Arc<str>>,
    /// Where an overlay reaches it; none where it stands in another file.
    pub at: Option<Arc<str>>,
    /// The fields it asks about (`x-portcullis-filters`); `None` where nothing is declared.
    pub reveals: Option<Reveals>,
    /// Those fields again, each with the place where it is named.
    pub stated: Vec<StatedField>,
    /// Its part in paging (`x-portcullis-page`).
    pub page: Option<PageParameter>,
    /// Its value may hold escaped characters that end or divide a path (`x-portcullis-allow-encoded`). Of path parameters only.
    pub may_be_encoded: bool,
    /// How text becomes a typed value.
    pub(crate) target: crate::typing::Target,
}

impl Parameter {
    /// Whether this is the parameter's name; header names ignore case.
    pub fn is_named(&self, name: &str) -> bool {
        match self.place {
            Place::Header => self.name.eq_ignore_ascii_case(name),
            _ => &*self.name == name,
        }
    }
}

/// The declared request body.
#[derive(Clone, Debug)]
pub struct BodyPlan {
    /// `required: true`.
    pub is_required: bool,
    /// Content types that can be judged.
    pub contents: Vec<BodyPlanContent>,
    /// Content types that are declared but not carried; requests with them are refused with 415.
    pub not_carried: Vec<NotCarried>,
}

/// One content type of a request body.
#[derive(Clone, Debug)]
pub struct BodyPlanContent {
    /// Essence in lower case, e.g. `application/merge-patch+json`.
    pub content_type: Arc<str>,
    /// How it is read.
    pub format: BodyFormat,
    /// Judge of the value.
    pub validator: Validator,
    /// Fields of this body.
    pub shape: Shape,
    /// Its parts, where it has some.
    pub parts: Vec<PartPlan>,
    /// How long it may be, where it is a file.
    pub bytes: FileBounds,
    /// How form texts become typed values.
    pub(crate) target: crate::typing::Target,
}
