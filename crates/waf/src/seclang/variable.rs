//! The variables that rules ask for, by name.
//! Exports `Variable`.
//! Used by everything that reads or runs rules.
//! Start reading at `Variable`.

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
