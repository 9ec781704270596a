//! One YAML 1.2 document as a tree with places: the strict half of reading.
//! Exports `parse`, and `parse_on`, which goes on after single refused values. Duplicate keys, anchors, aliases, tags, directives, second documents, tabs and `${…}` are refused.
//! Used by `read`, which turns the tree into typed files, and by `render`, which hides secrets.
//! Start reading at `parse`.

use granit_parser::{Event, Parser, ScalarStyle, ScanError};
use model::Mistake;

use crate::spanned::Span;

/// Deepest nesting that is accepted.
pub const DEPTH_MAX: usize = 32;
/// Most values in one file.
pub const NODES_MAX: usize = 100_000;
/// Most mistakes reported for one file.
pub const MISTAKES_MAX: usize = 20;

/// One value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text; also whatever plain word is none of the above (`no`, `on`, `2027-03-31`).
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Names with values.
    Map(Entries),
    /// Something that was reported already.
    Broken,
}

/// The entries of a map, and the names of those that were already found wrong and taken out.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    /// Key and value in the order written.
    pub pairs: Vec<(Node, Node)>,
    /// Keys whose value was reported; their absence is no second mistake.
    pub dropped: Vec<String>,
    /// Fields that are missing and were filled with a value that stands for them, so that the rest could be read.
    pub filled: Vec<&'static str>,
}

/// Stands for whatever an unknown key was meant to be. No YAML holds it as a key.
pub const ANY_KEY: &str = "\u{0}any";

impl Node {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads one document.
///
/// # Errors
/// Everything the strict reading refuses, each with its place; the file name is left to the caller.
pub fn parse(text: &str) -> Result<Node, Vec<Mistake>> {
    match parse_on(text) {
        (Some(node), mistakes) if mistakes.is_empty() => Ok(node),
        (_, mistakes) => Err(mistakes),
    }
}

/// Reads one document as far as it goes: where single values are refused, the rest is there with [`Value::Broken`] in
/// their place. None where the text is not YAML, or more is wrong than would be told.
pub fn parse_on(text: &str) -> (Option<Node>, Vec<Mistake>) {
    let mut options = granit_parser::options! {
        strict_indentation: true,
        disallow_directives: true,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    options.set_emit_comments(false);
    let mut composer = Composer {
        text,
        parser: Parser::new_from_str_with_options(text, options),
        mistakes: Vec::new(),
        nodes: 0,
    };
    match composer.document() {
        Ok(node) if composer.mistakes.len() < MISTAKES_MAX => (Some(node), composer.mistakes),
        Ok(_) => (None, composer.mistakes),
        Err(fatal) => {
            composer.mistakes.push(*fatal);
            (None, composer.mistakes)
        }
    }
}

/// A mistake after which reading cannot go on.
type Fatal = Box<Mistake>;

struct Composer<'t> {
    text: &'t str,
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    mistakes: Vec<Mistake>,
    nodes: usize,
}

impl<'t> Composer<'t> {
    fn document(&mut self) -> Result<Node, Fatal> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::StreamEnd, span) => return Ok(null(span)),
                (event, span) => {
                    let root = self.node(event, span, 0)?;
                    self.end()?;
                    return Ok(root);
                }
            }
        }
    }

    /// Nothing may follow the first document.
    fn end(&mut self) -> Result<(), Fatal> {
        loop {
            match self.next()? {
                (Event::DocumentEnd, _) => {}
                (Event::DocumentStart(..), span) => {
                    return Err(Box::new(at(
                        span,
                        "a second document begins here",
                        "Write one document per file; put the second one into its own file.",
                    )));
                }
                _ => return Ok(()),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Fatal> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let range = span.byte_range().unwrap_or_default();
                let span = Span {
                    start: range.start,
                    len: range.len(),
                    line: u32::try_from(span.start.line()).unwrap_or(u32::MAX),
                };
                Ok((event, span))
            }
            Some(Err(error)) => Err(Box::new(self.syntax(&error))),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Fatal> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > NODES_MAX || depth > DEPTH_MAX {
            let (message, help) = (
                "the file is too large or nested too deeply",
                format!(
                    "At most {NODES_MAX} values and {DEPTH_MAX} levels are read. Split the file."
                ),
            );
            return Err(Box::new(at(span, message, help)));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_extras(anchor != 0, tag.is_some(), span);
                Ok(self.scalar(&text, style, span))
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_extras(anchor != 0, tag.is_some(), span);
                self.list(span, depth)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_extras(anchor != 0, tag.is_some(), span);
                self.map(span, depth)
            }
            Event::Alias(_) => {
                self.mistakes
                    .push(at(span, "aliases are not accepted", ALIAS_HELP));
                Ok(broken(span))
            }
            _ => Ok(null(span)),
        }
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Node, Fatal> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, end) => {
                    let span = self.until(start, end);
                    return Ok(Node {
                        span,
                        value: Value::List(items),
                    });
                }
                (event, span) => items.push(self.node(event, span, depth.saturating_add(1))?),
            }
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Node, Fatal> {
        let mut entries = Entries::default();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd | Event::StreamEnd, end) => {
                    let span = self.until(start, end);
                    return Ok(Node {
                        span,
                        value: Value::Map(entries),
                    });
                }
                (event, span) => self.node(event, span, depth.saturating_add(1))?,
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth.saturating_add(1))?;
            self.enter(&mut entries, key, value);
        }
    }

    fn enter(&mut self, entries: &mut Entries, key: Node, value: Node) {
        let key = self.key_text(key);
        let name = key.as_text().unwrap_or_default();
        if name == "<<" {
            self.mistakes.push(at(
                key.span,
                "merge keys (`<<`) are not accepted",
                ALIAS_HELP,
            ));
            entries.dropped.push(ANY_KEY.to_owned());
            return;
        }
        let earlier = entries
            .pairs
            .iter()
            .find(|(k, _)| k.as_text() == Some(name));
        if let Some((first, _)) = earlier {
            let message = format!("the key `{name}` is written twice");
            let help = format!(
                "It stands in line {} already. Keep one of the two.",
                first.span.line
            );
            self.mistakes.push(at(key.span, message, help));
            return;
        }
        entries.pairs.push((key, value));
    }

    /// A key is a word, whatever it looks like; lists and maps are none.
    fn key_text(&mut self, key: Node) -> Node {
        let span = key.span;
        let text = match key.value {
            Value::Text(text) => text,
            Value::List(_) | Value::Map(_) => {
                self.mistakes
                    .push(at(span, "a key has to be a word", "Write `name: value`."));
                String::new()
            }
            Value::Broken => String::new(),
            _ => slice(self.text, span).to_owned(),
        };
        Node {
            span,
            value: Value::Text(text),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) -> Node {
        if text.contains("${") {
            self.mistakes.push(at(
                span,
                "`${…}` is not expanded here",
                "Templates are not accepted. A secret is a reference in a field for secrets: `env:NAME`, `file:PATH` or \
                 `cred:NAME`. Everything else is written out.",
            ));
            return broken(span);
        }
        let value = match style {
            ScalarStyle::Plain => plain(text),
            _ => Value::Text(text.to_owned()),
        };
        Node { span, value }
    }

    fn refuse_extras(&mut self, has_anchor: bool, has_tag: bool, span: Span) {
        if has_anchor {
            self.mistakes
                .push(at(span, "anchors are not accepted", ALIAS_HELP));
        }
        if has_tag {
            let help = "Types follow from the field; leave the tag (`!…`) out.";
            self.mistakes.push(at(span, "tags are not accepted", help));
        }
    }

    /// From the first byte of a collection to its last, without the white space after it.
    fn until(&self, start: Span, end: Span) -> Span {
        let stop = end.start.saturating_add(end.len).max(start.start);
        let written = self
            .text
            .get(start.start..stop)
            .unwrap_or_default()
            .trim_end();
        Span {
            len: written.len(),
            ..start
        }
    }

    fn syntax(&self, error: &ScanError) -> Mistake {
        let start = error
            .marker()
            .byte_offset()
            .unwrap_or(0)
            .min(self.text.len());
        let line = self
            .text
            .get(..start)
            .unwrap_or_default()
            .matches('\n')
            .count();
        let span = Span {
            start,
            len: usize::from(start < self.text.len()),
            line: u32::try_from(line.saturating_add(1)).unwrap_or(u32::MAX),
        };
        let span = on_char_border(self.text, span);
        at(
            span,
            format!("this is not YAML: {}", error.info()),
            syntax_help(error),
        )
    }
}

const ALIAS_HELP: &str = "Write the value out where it is used; a reader of this file should not have to look elsewhere.";

fn syntax_help(error: &ScanError) -> &'static str {
    use granit_parser::ErrorKind as Kind;
    match error.kind() {
        Kind::TabNotAllowed
        | Kind::TabInBlockIndentation
        | Kind::TabInIndentation
        | Kind::TabInPlainScalar
        | Kind::TabAtBlockScalarStart => "Indent with spaces; YAML does not take tabs.",
        Kind::DirectiveDisallowed => "Leave the line that begins with `%` out.",
        Kind::UnclosedQuotedScalar => "Close the quote.",
        Kind::UnclosedFlowCollection { .. } | Kind::MismatchedFlowCollectionEnd { .. } => {
            "Close the bracket."
        }
        Kind::RecursionLimitExceeded => "The nesting is too deep. Write it flatter.",
        Kind::UnknownAnchor => ALIAS_HELP,
        Kind::MappingValueNotAllowed => {
            "Quote text that contains `: `, and indent the lines of one map alike."
        }
        Kind::UnexpectedCharacter { .. } => "Quote text that begins with `@`, `` ` `` or `%`.",
        _ => "Check the indentation, the colons and the quotes around this place.",
    }
}

/// The core schema of YAML 1.2.2 §10.3.2, without hexadecimal and octal numbers, infinities and NaN.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let is_number = text
        .bytes()
        .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
        && text.bytes().any(|b| b.is_ascii_digit());
    if !is_number {
        return Value::Text(text.to_owned());
    }
    if let Ok(int) = text.parse::<i64>() {
        return Value::Int(int);
    }
    match text.parse::<f64>() {
        Ok(float) => Value::Float(float),
        Err(_) => Value::Text(text.to_owned()),
    }
}

fn null(span: Span) -> Node {
    Node {
        span,
        value: Value::Null,
    }
}

fn broken(span: Span) -> Node {
    Node {
        span,
        value: Value::Broken,
    }
}

fn slice(text: &str, span: Span) -> &str {
    text.get(span.start..span.start.saturating_add(span.len))
        .unwrap_or_default()
}

/// Widens a span of one byte to the whole character it stands in.
fn on_char_border(text: &str, mut span: Span) -> Span {
    while span.start > 0 && !text.is_char_boundary(span.start) {
        span.start -= 1;
    }
    let first = text.get(span.start..).and_then(|rest| rest.chars().next());
    span.len = first.map_or(0, char::len_utf8);
    span
}

/// A mistake at a span.
pub fn at(span: Span, message: impl Into<String>, help: impl Into<String>) -> Mistake {
    Mistake::new(message, help)
        .at(span.start, span.len)
        .at_line(span.line)
}

#[cfg(test)]
mod tests;
