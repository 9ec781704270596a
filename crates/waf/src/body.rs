//! Bodies become arguments, files and texts that rules can ask for.
//! Exports `parse` for the four types, `urlencoded` and `cookies`.
//! Used by a transaction; whoever has parsed a body already hands over a `Body` instead.
//! Start reading at `parse`.

mod form;
mod json;
mod multipart;
mod xml;

pub(crate) use form::percent_decoded;
pub use form::{cookies, urlencoded};

/// How many arguments, headers or files one body may bring; more are not kept.
pub(crate) const ITEMS_MAX: usize = 8192;

/// What a body holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// Names and values.
    pub arguments: Vec<(Vec<u8>, Vec<u8>)>,
    /// Files of a multipart body.
    pub files: Vec<File>,
    /// Part name and header line of a multipart body.
    pub part_headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// All text of an XML document.
    pub xml_text: Option<Vec<u8>>,
    /// All attribute values of an XML document.
    pub xml_attributes: Vec<Vec<u8>>,
    /// The body is not what its type says.
    pub malformed: bool,
}

/// A file of a multipart body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// The field it came in.
    pub field: Vec<u8>,
    /// The name it was given.
    pub name: Vec<u8>,
    /// Its length.
    pub bytes: usize,
}

/// The reader of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processor {
    /// `application/x-www-form-urlencoded`
    Urlencoded,
    /// `multipart/form-data`
    Multipart,
    /// JSON
    Json,
    /// XML
    Xml,
}

impl Processor {
    /// The name rules know it by.
    pub fn name(self) -> &'static str {
        match self {
            Processor::Urlencoded => "URLENCODED",
            Processor::Multipart => "MULTIPART",
            Processor::Json => "JSON",
            Processor::Xml => "XML",
        }
    }

    /// The reader of that name.
    pub fn named(name: &str) -> Option<Processor> {
        [
            Processor::Urlencoded,
            Processor::Multipart,
            Processor::Json,
            Processor::Xml,
        ]
        .into_iter()
        .find(|processor| processor.name().eq_ignore_ascii_case(name))
    }

    /// The reader for a content type.
    pub fn for_type(content_type: &[u8]) -> Option<Processor> {
        let essence = content_type
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default();
        let essence = String::from_utf8_lossy(essence.trim_ascii()).to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Some(Processor::Urlencoded),
            "multipart/form-data" => Some(Processor::Multipart),
            "text/xml" | "application/xml" | "application/soap+xml" => Some(Processor::Xml),
            "application/json" => Some(Processor::Json),
            other if other.ends_with("+json") => Some(Processor::Json),
            other if other.ends_with("+xml") => Some(Processor::Xml),
            _ => None,
        }
    }
}

/// Reads a body. Without a reader it holds nothing.
pub fn parse(processor: Option<Processor>, content_type: &[u8], raw: &[u8]) -> Body {
    match processor {
        None => Body::default(),
        Some(Processor::Urlencoded) => Body {
            arguments: urlencoded(raw),
            ..Body::default()
        },
        Some(Processor::Multipart) => multipart::parse(content_type, raw),
        Some(Processor::Json) => json::parse(raw),
        Some(Processor::Xml) => xml::parse(raw),
    }
}

#[cfg(test)]
mod tests;
