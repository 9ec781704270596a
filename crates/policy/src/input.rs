//! What config hands over: the shapes of the APIs and the grants of the integrations, as plain data.
//! Exports `PolicyInput` and its parts. No behaviour.
//! Made by config; read by `compile`.
//! Start reading at `PolicyInput`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::shape::{Domain, Scalar};
use model::{FieldPath, Json, MessageKind, PageParameter, Reveals, RuleRef, Shape, StatedField};

/// Everything that decides who may do what.
#[derive(Clone, Debug, Default)]
pub struct PolicyInput {
    /// Every version of every api.
    pub apis: Vec<ApiShape>,
    /// Every integration with its grants; roles are already resolved into them.
    pub integrations: Vec<IntegrationGrants>,
    /// Hand-written policies (`policies/*.cedar`).
    pub cedar: Vec<CedarFile>,
    /// Names that hand-written policies may name besides those of `integrations` and their roles.
    pub names: Names,
    /// Versions are missing because they are broken: policies may be about them.
    pub is_partial: bool,
}

/// Integrations and roles that exist although nothing is granted to them here: roles that nobody has, and files that
/// cannot be read at the moment.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Integrations.
    pub integrations: Vec<Arc<str>>,
    /// Roles.
    pub roles: Vec<Arc<str>>,
}

/// One version of an api.
#[derive(Clone, Debug)]
pub struct ApiShape {
    /// `field-service/v2`
    pub name: Arc<str>,
    /// Its operations.
    pub operations: Vec<OperationShape>,
    /// Its object kinds (`objects:`).
    pub objects: Vec<ObjectKind>,
    /// Most objects that one request may have looked up.
    pub lookups_max: usize,
    /// What is declared and could not be read: attributes, kinds, operations. What follows from their absence is not told.
    pub unsure: BTreeSet<Arc<str>>,
}

/// Stands in [`ApiShape::unsure`] where a whole kind of object could not be read: what an operation is about is not known.
pub const UNSURE_OBJECTS: &str = "resource";

/// How many objects one request may have looked up, where the api does not say.
pub const LOOKUPS_DEFAULT: usize = 32;
/// The most that an api may say.
pub const LOOKUPS_MOST: usize = 256;

/// What is known of one operation.
#[derive(Clone, Debug)]
pub struct OperationShape {
    /// Operation id of the contract.
    pub id: Arc<str>,
    /// It may change something: the method is not safe, and the api does not say that it only reads.
    pub is_write: bool,
    /// Fields of the successful answer; empty when it has no body.
    pub response: Arc<Shape>,
    /// Fields of the request body; empty when it has none.
    pub request: Arc<Shape>,
    /// The request body may be something else than JSON: a form.
    pub takes_forms: bool,
    /// What its request body is as a whole: what `$` or `$file` in `writes` can stand for.
    pub body_kind: MessageKind,
    /// What its answer is as a whole: what `$` or `$file` in `fields` can stand for.
    pub response_kind: MessageKind,
    /// Why a declared request body is not carried, where none of its types is: a sentence with the place in the contract.
    pub lost_body: Option<Arc<str>>,
    /// Declared answers that report an error with a JSON body.
    pub errors: Vec<ErrorShape>,
    /// Declared parameters; those of the path in its order.
    pub parameters: Vec<ParameterShape>,
    /// The parameter the path ends with: a read of such a path answers with the object that it names.
    pub ends_in: Option<Arc<str>>,
    /// What its body is to the object that the path names.
    pub body: BodyMeaning,
    /// A body that is a list may be steps to carry out (`application/json-patch+json`).
    pub takes_steps: bool,
}

/// What the body of a write is to the object at the path it is sent to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyMeaning {
    /// Something to do with it, or something below it (POST).
    #[default]
    Action,
    /// A change of it: what is left out stays (PATCH, RFC 7396).
    Change,
    /// What it will be: what is left out is gone (PUT, RFC 9110 §9.3.4).
    Replacement,
}

/// One declared answer that reports an error.
#[derive(Clone, Debug)]
pub struct ErrorShape {
    /// Which of the operation's declared answers it is, as the contract counts them.
    pub response: usize,
    /// Fields of its body.
    pub shape: Arc<Shape>,
}

/// One declared parameter.
#[derive(Clone, Debug)]
pub struct ParameterShape {
    /// Name.
    pub name: Arc<str>,
    /// Where it is sent.
    pub place: ParameterPlace,
    /// Type of one value.
    pub scalar: Scalar,
    /// The values it can have, where the contract names or bounds them.
    pub domain: Option<Arc<Domain>>,
    /// The kind its value names (`x-portcullis-refers-to`).
    pub refers_to: Option<Arc<str>>,
    /// Where an overlay reaches it.
    pub at: Option<Arc<str>>,
    /// The fields it asks about (`x-portcullis-filters`); `None` where nothing is declared.
    pub reveals: Option<Reveals>,
    /// Those fields again, each with the place where it is named.
    pub stated: Vec<StatedField>,
    /// Its part in paging (`x-portcullis-page`).
    pub page: Option<PageParameter>,
}

/// Where a parameter is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParameterPlace {
    /// A segment of the path.
    Path,
    /// The query.
    Query,
    /// A header field or a cookie: not visible to conditions.
    Header,
    /// A place of a body that is a question: declared in the body's shape.
    Body,
}

/// One object kind: a schema of the contract whose instances are judged one by one.
#[derive(Clone, Debug)]
pub struct ObjectKind {
    /// Where it is configured.
    pub rule: RuleRef,
    /// Name of the schema.
    pub schema: Arc<str>,
    /// Where its id is found in a request.
    pub id: Source,
    /// Operation by which it is looked up before a write.
    pub resolve: Option<Arc<str>>,
    /// Attributes that conditions may ask for.
    pub attributes: Vec<(Arc<str>, Source)>,
    /// Whether each of them is a person: their ids are sealed in the ledger.
    pub is_person: bool,
}

/// Where a value is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `path.workOrderId`
    Path(Arc<str>),
    /// `body.assignment.partnerId`: in the object itself, wherever it appears.
    Body(Vec<Arc<str>>),
}

impl Source {
    /// Reads `path.x` or `body.a.b`.
    ///
    /// # Errors
    /// A sentence that says what is expected.
    pub fn parse(text: &str) -> Result<Source, String> {
        let mut steps = text.split('.');
        let place = steps.next().unwrap_or_default();
        let steps: Vec<Arc<str>> = steps.map(Arc::from).collect();
        if steps.is_empty() || steps.iter().any(|s| s.is_empty()) {
            return Err(format!(
                "`{text}` names no value; write `path.NAME` or `body.FIELD.FIELD`"
            ));
        }
        match (place, steps.as_slice()) {
            ("path", [name]) => Ok(Source::Path(name.clone())),
            ("body", _) => Ok(Source::Body(steps)),
            _ => Err(format!(
                "`{text}` is neither `path.NAME` nor `body.FIELD.FIELD`"
            )),
        }
    }
}

/// One integration and everything granted to it.
#[derive(Clone, Debug, Default)]
pub struct IntegrationGrants {
    /// Its name.
    pub name: Arc<str>,
    /// Its declared attributes, for `principal.partner`.
    pub attributes: BTreeMap<String, String>,
    /// Names of its roles, for `principal in Portcullis::Role::"partner"` in hand-written policies.
    pub roles: Vec<Arc<str>>,
    /// Its grants, those of its roles included.
    pub grants: Vec<Grant>,
    /// Some of its grants or attributes are missing because they are broken.
    pub is_partial: bool,
}

/// One grant: operations, for objects that satisfy a condition, with the fields that may be seen and sent.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Where it is written.
    pub rule: RuleRef,
    /// All of its bytes in that file, where they are known.
    pub span: Option<(usize, usize)>,
    /// The role it comes from, if it comes from one.
    pub role: Option<Arc<str>>,
    /// `field-service/v2`
    pub api: Arc<str>,
    /// Operation ids.
    pub operations: Vec<Listed<Arc<str>>>,
    /// Cedar condition.
    pub when: Option<Condition>,
    /// What may be seen.
    pub fields: Vec<Listed<FieldPath>>,
    /// What may be seen only in part; each lies within `fields`.
    pub masks: Vec<Listed<(FieldPath, Mask)>>,
    /// What may be seen of answers that report an error.
    pub errors: Vec<Listed<FieldPath>>,
    /// What may be sent.
    pub writes: Vec<Listed<FieldPath>>,
    /// How a refused object reads; the listener's default when not said.
    pub deny_as: Option<DenyAs>,
    /// The query parameters that may be used; `None` for all that are usable.
    pub query: Option<Vec<Listed<Arc<str>>>>,
    /// Values the gateway writes into the request.
    pub set: Vec<Listed<FixedValue>>,
}

/// One value that a grant fixes.
#[derive(Clone, Debug, PartialEq)]
pub struct FixedValue {
    /// Where it stands in the request.
    pub target: FixedTarget,
    /// What stands there.
    pub source: FixedSource,
}

/// A place of the request that a grant fixes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FixedTarget {
    /// `query.partnerId`
    Query(Arc<str>),
    /// `body.assignment.partner`
    Body(Vec<Arc<str>>),
}

/// Where a fixed value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum FixedSource {
    /// `principal.partner`
    Attribute(Arc<str>),
    /// `"open"`, `20`, `true`
    Literal(Json),
}

impl FixedTarget {
    /// Reads `query.NAME` or `body.FIELD.FIELD`.
    ///
    /// # Errors
    /// A sentence that says what is expected.
    pub fn parse(text: &str) -> Result<FixedTarget, String> {
        let expected = || format!("`{text}` is neither `query.NAME` nor `body.FIELD`");
        match text.split_once('.') {
            Some(("query", name)) if !name.is_empty() => Ok(FixedTarget::Query(name.into())),
            Some(("body", path)) if path.split('.').all(|s| !s.is_empty() && s != "*") => {
                Ok(FixedTarget::Body(path.split('.').map(Arc::from).collect()))
            }
            _ => Err(expected()),
        }
    }
}

impl FixedSource {
    /// Reads `principal.NAME`, or a literal as JSON writes it.
    ///
    /// # Errors
    /// A sentence that says what is expected.
    pub fn parse(text: &str) -> Result<FixedSource, String> {
        if let Some(name) = text.strip_prefix("principal.").filter(|n| !n.is_empty()) {
            return Ok(FixedSource::Attribute(name.into()));
        }
        let literal = model::json::parse(text.as_bytes(), model::json::Bounds::default());
        match literal {
            Ok(value @ (Json::Text(_) | Json::Number(_) | Json::Bool(_))) => {
                Ok(FixedSource::Literal(value))
            }
            _ => Err(format!(
                "`{text}` is neither `principal.NAME` nor a literal such as `\"open\"`, `20` or `true`"
            )),
        }
    }
}

impl std::fmt::Display for FixedTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FixedTarget::Query(name) => write!(f, "query.{name}"),
            FixedTarget::Body(steps) => write!(f, "body.{}", steps.join(".")),
        }
    }
}

/// A Cedar condition and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `resource.status == "completed"`
    pub text: Arc<str>,
    /// Where it is written.
    pub rule: RuleRef,
    /// Its bytes in that file, where they are known.
    pub span: Option<(usize, usize)>,
}

/// An entry of a list and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The entry.
    pub value: T,
    /// Line and bytes in the grant's file.
    pub spot: Spot,
}

/// Where a part of a grant stands in the grant's file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// Line, counted from 1.
    pub line: u32,
    /// Offset and number of the bytes, where they are known.
    pub span: Option<(usize, usize)>,
}

impl Spot {
    /// A place of which only the line is known.
    pub fn line(line: u32) -> Spot {
        Spot { line, span: None }
    }
}

/// How a value is shown in part.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Mask {
    /// `***` for strings, `null` for everything else.
    Redact,
    /// The last four characters of strings of at least eight, otherwise as `redact`.
    Last4,
}

impl Mask {
    /// The word used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Mask::Redact => "redact",
            Mask::Last4 => "last4",
        }
    }
}

/// How a refused object reads to the caller.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DenyAs {
    /// 403: it may exist, you may not have it.
    Forbidden,
    /// 404: the same bytes as for an object that does not exist.
    NotFound,
}

/// One file of hand-written policies.
#[derive(Clone, Debug)]
pub struct CedarFile {
    /// File, relative to the configuration directory.
    pub file: Arc<str>,
    /// Its text.
    pub text: String,
}
