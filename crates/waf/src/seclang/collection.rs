//! The collections of a message that rules select from.
//! Exports `Collection`, and `collections_of` a variable.
//! Used by `sides`, `store` and `targets`.
//! Start reading at `Collection`.

use super::variable::Variable;

/// The collections rules select from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Collection {
    ArgsGet,
    ArgsPost,
    Cookies,
    Files,
    Headers,
    PartHeaders,
    ResponseHeaders,
    XmlText,
    XmlAttributes,
}

impl Collection {
    pub(super) const COUNT: usize = 9;

    pub(super) const ALL: [Collection; Collection::COUNT] = [
        Collection::ArgsGet,
        Collection::ArgsPost,
        Collection::Cookies,
        Collection::Files,
        Collection::Headers,
        Collection::PartHeaders,
        Collection::ResponseHeaders,
        Collection::XmlText,
        Collection::XmlAttributes,
    ];
}

/// The collections a variable gathers, and whether it gathers their names.
pub(super) fn collections_of(variable: Variable) -> &'static [(Collection, bool)] {
    match variable {
        Variable::Args => &[(Collection::ArgsGet, false), (Collection::ArgsPost, false)],
        Variable::ArgsNames => &[(Collection::ArgsGet, true), (Collection::ArgsPost, true)],
        Variable::ArgsGet => &[(Collection::ArgsGet, false)],
        Variable::ArgsGetNames => &[(Collection::ArgsGet, true)],
        Variable::Files => &[(Collection::Files, false)],
        Variable::FilesNames => &[(Collection::Files, true)],
        Variable::MultipartPartHeaders => &[(Collection::PartHeaders, false)],
        Variable::RequestCookies => &[(Collection::Cookies, false)],
        Variable::RequestCookiesNames => &[(Collection::Cookies, true)],
        Variable::RequestHeaders => &[(Collection::Headers, false)],
        Variable::RequestHeadersNames => &[(Collection::Headers, true)],
        Variable::ResponseHeaders => &[(Collection::ResponseHeaders, false)],
        Variable::XmlText => &[(Collection::XmlText, false)],
        Variable::XmlAttributes => &[(Collection::XmlAttributes, false)],
        _ => &[],
    }
}
