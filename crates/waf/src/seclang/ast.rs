//! A rule as written, understood but not yet connected.
//! Exports the types `parse` fills and `compile` reads.
//! Plain data.
//! Start reading at `Statement`.

use super::macros::Text;
use super::operator::OperatorName;
use super::transform::Transform;

/// One directive, understood.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    Rule(RuleSource),
    Marker(String),
    Signature(String),
    DefaultAction(Vec<Action>),
    UpdateTarget { ids: IdRange, targets: Vec<Target> },
    RemoveById(IdRange),
    RemoveByTag(String),
}

/// An inclusive range of rule ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IdRange {
    pub(super) first: u32,
    pub(super) last: u32,
}

impl IdRange {
    pub(super) fn holds(self, id: u32) -> bool {
        (self.first..=self.last).contains(&id)
    }
}

/// A `SecRule`, or a `SecAction` when there is no operator.
#[derive(Clone, Debug)]
pub(super) struct RuleSource {
    pub(super) line: u32,
    pub(super) targets: Vec<Target>,
    pub(super) operator: Option<OperatorSource>,
    pub(super) actions: Vec<Action>,
}

#[derive(Clone, Debug)]
pub(super) struct OperatorSource {
    pub(super) negated: bool,
    pub(super) name: OperatorName,
    pub(super) argument: String,
}

/// One item of a target list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) variable: Variable,
    pub(super) selector: Selector,
    /// `&`: how many there are.
    pub(super) count: bool,
    /// `!`: taken out again.
    pub(super) excluded: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Selector {
    All,
    /// Lower case.
    Name(String),
    /// The pattern between slashes.
    Pattern(String),
}

/// The variables CRS v4 asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Variable {
    Args,
    ArgsNames,
    ArgsGet,
    ArgsGetNames,
    ArgsCombinedSize,
    Files,
    FilesNames,
    FilesCombinedSize,
    MatchedVar,
    MatchedVars,
    MultipartPartHeaders,
    QueryString,
    RemoteAddr,
    ReqbodyProcessor,
    RequestBasename,
    RequestBody,
    RequestBodyLength,
    RequestCookies,
    RequestCookiesNames,
    RequestFilename,
    RequestHeaders,
    RequestHeadersNames,
    RequestLine,
    RequestMethod,
    RequestProtocol,
    RequestUri,
    RequestUriRaw,
    ResponseBody,
    ResponseHeaders,
    ResponseStatus,
    Tx,
    UniqueId,
    XmlText,
    XmlAttributes,
}

impl Variable {
    /// How many there are: `XML` counts twice.
    pub(super) const COUNT: usize = 34;

    const NAMES: [(&'static str, Variable); 33] = [
        ("ARGS", Variable::Args),
        ("ARGS_NAMES", Variable::ArgsNames),
        ("ARGS_GET", Variable::ArgsGet),
        ("ARGS_GET_NAMES", Variable::ArgsGetNames),
        ("ARGS_COMBINED_SIZE", Variable::ArgsCombinedSize),
        ("FILES", Variable::Files),
        ("FILES_NAMES", Variable::FilesNames),
        ("FILES_COMBINED_SIZE", Variable::FilesCombinedSize),
        ("MATCHED_VAR", Variable::MatchedVar),
        ("MATCHED_VARS", Variable::MatchedVars),
        ("MULTIPART_PART_HEADERS", Variable::MultipartPartHeaders),
        ("QUERY_STRING", Variable::QueryString),
        ("REMOTE_ADDR", Variable::RemoteAddr),
        ("REQBODY_PROCESSOR", Variable::ReqbodyProcessor),
        ("REQUEST_BASENAME", Variable::RequestBasename),
        ("REQUEST_BODY", Variable::RequestBody),
        ("REQUEST_BODY_LENGTH", Variable::RequestBodyLength),
        ("REQUEST_COOKIES", Variable::RequestCookies),
        ("REQUEST_COOKIES_NAMES", Variable::RequestCookiesNames),
        ("REQUEST_FILENAME", Variable::RequestFilename),
        ("REQUEST_HEADERS", Variable::RequestHeaders),
        ("REQUEST_HEADERS_NAMES", Variable::RequestHeadersNames),
        ("REQUEST_LINE", Variable::RequestLine),
        ("REQUEST_METHOD", Variable::RequestMethod),
        ("REQUEST_PROTOCOL", Variable::RequestProtocol),
        ("REQUEST_URI", Variable::RequestUri),
        ("REQUEST_URI_RAW", Variable::RequestUriRaw),
        ("RESPONSE_BODY", Variable::ResponseBody),
        ("RESPONSE_HEADERS", Variable::ResponseHeaders),
        ("RESPONSE_STATUS", Variable::ResponseStatus),
        ("TX", Variable::Tx),
        ("UNIQUE_ID", Variable::UniqueId),
        ("XML", Variable::XmlText),
    ];

    /// The variable of that name; `XML` needs its selector to become one of two.
    pub(super) fn named(name: &str) -> Option<Variable> {
        let upper = name.to_ascii_uppercase();
        Variable::NAMES
            .iter()
            .find(|(known, _)| *known == upper)
            .map(|(_, variable)| *variable)
    }

    /// Whether its values are names of a collection.
    pub(super) fn is_of_names(self) -> bool {
        matches!(
            self,
            Variable::ArgsNames
                | Variable::ArgsGetNames
                | Variable::FilesNames
                | Variable::RequestCookiesNames
                | Variable::RequestHeadersNames
        )
    }

    /// The name as rules write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Variable::XmlAttributes => "XML",
            other => Variable::NAMES
                .iter()
                .find(|(_, known)| *known == other)
                .map_or("", |(name, _)| *name),
        }
    }
}

/// One action as written.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Id(u32),
    Phase(u8),
    Transform(Transform),
    TransformNone,
    MultiMatch,
    Capture,
    Chain,
    Disrupt(Disrupt),
    Status(u16),
    Log(bool),
    /// `auditlog` and `noauditlog`: there is no audit log of this engine, the ledger records.
    AuditLog,
    Message(Text),
    Data(Text),
    Tag(String),
    Version,
    Severity(u8),
    Set(SetSource),
    Control(Control),
    SkipAfter(String),
    /// `initcol`: persistent collections hold nothing in a pure engine.
    Collection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disrupt {
    Pass,
    Block,
    Deny,
}

#[derive(Clone, Debug)]
pub(super) struct SetSource {
    pub(super) key: Text,
    pub(super) change: Change,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    Unset,
    Assign(Text),
    Add(Text),
    Subtract(Text),
}

/// `ctl:` in the kinds CRS v4 uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Control {
    RemoveByTag(String),
    RemoveById(IdRange),
    RemoveTargetByTag(String, Target),
    RemoveTargetById(IdRange, Target),
    ForceBodyVariable,
    AuditEngine,
    BodyProcessor(String),
    DetectionOnly,
    EngineOn,
    EngineOff,
}
