//! From the parser's events to a tree.
//! Exports `read` and `read_on`.
//! Used by config and contract.
//! Start reading at `read_on`.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError};
use model::Mistake;

use crate::{ANY_KEY, Entries, MISTAKES_MAX, Node, Rules, Span, Value, scalar};

/// Reads one document.
///
/// # Errors
/// Everything the rules refuse, each with its place; the file name is left to the caller.
pub fn read(text: &str, rules: Rules) -> Result<Node, Vec<Mistake>> {
    match read_on(text, rules) {
        (Some(node), mistakes) if mistakes.is_empty() => Ok(node),
        (_, mistakes) => Err(mistakes),
    }
}

/// Reads one document as far as it goes: where single values are refused, the rest is there with [`Value::Broken`] in
/// their place. None where the text is not YAML, or more is wrong than would be told.
pub fn read_on(text: &str, rules: Rules) -> (Option<Node>, Vec<Mistake>) {
    let mut options = granit_parser::options! {
        strict_indentation: !rules.has_references,
        disallow_directives: !rules.has_references,
        flow_nesting_limit: rules.depth_max,
        block_nesting_limit: rules.depth_max,
    };
    options.set_emit_comments(false);
    let mut composer = Composer {
        text,
        rules,
        parser: Parser::new_from_str_with_options(text, options),
        anchors: HashMap::new(),
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
    rules: Rules,
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    /// What aliases stand for, where they may stand.
    anchors: HashMap<usize, Node>,
    mistakes: Vec<Mistake>,
    nodes: usize,
}

impl<'t> Composer<'t> {
    fn document(&mut self) -> Result<Node, Fatal> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::StreamEnd, span) => return Ok(node(Value::Null, span)),
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
                    return Err(Box::new(span.mistake(
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
        self.count(1, depth, span)?;
        let (made, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.anchored(anchor, span);
                // `Some(None)` is a tag outside the core schema.
                let tag = tag.map(|tag| tag.core_suffix().map(str::to_owned));
                (self.scalar(&text, style, tag, span), anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.anchored(anchor, span);
                self.tagged(
                    tag.is_some(),
                    tag.is_some_and(|t| t.core_suffix() == Some("seq")),
                    span,
                );
                (self.list(span, depth)?, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.anchored(anchor, span);
                self.tagged(
                    tag.is_some(),
                    tag.is_some_and(|t| t.core_suffix() == Some("map")),
                    span,
                );
                (self.map(span, depth)?, anchor)
            }
            Event::Alias(id) => return self.alias(id, depth, span),
            _ => (node(Value::Null, span), 0),
        };
        if anchor != 0 && self.rules.has_references {
            self.anchors.insert(anchor, made.clone());
        }
        Ok(made)
    }

    fn count(&mut self, more: usize, depth: usize, span: Span) -> Result<(), Fatal> {
        self.nodes = self.nodes.saturating_add(more);
        let Rules {
            nodes_max,
            depth_max,
            ..
        } = self.rules;
        if self.nodes <= nodes_max && depth <= depth_max {
            return Ok(());
        }
        let help =
            format!("At most {nodes_max} values and {depth_max} levels are read. Split the file.");
        Err(Box::new(span.mistake(
            "the file is too large or nested too deeply",
            help,
        )))
    }

    fn alias(&mut self, id: usize, depth: usize, span: Span) -> Result<Node, Fatal> {
        if !self.rules.has_references {
            self.mistakes
                .push(span.mistake("aliases are not accepted", ALIAS_HELP));
            return Ok(node(Value::Broken, span));
        }
        let Some(target) = self.anchors.get(&id) else {
            return Err(Box::new(span.mistake(
                "this alias stands inside the value it names",
                "Write the value out; a value cannot contain itself.",
            )));
        };
        let (size, levels) = target.extent();
        self.count(size, depth.saturating_add(levels), span)?;
        Ok(self
            .anchors
            .get(&id)
            .cloned()
            .unwrap_or(node(Value::Broken, span)))
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Node, Fatal> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, end) => {
                    return Ok(node(Value::List(items), self.until(start, end)));
                }
                (event, span) => items.push(self.node(event, span, depth.saturating_add(1))?),
            }
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Node, Fatal> {
        let mut entries = Entries::default();
        let mut lines = HashMap::new();
        loop {
            let (key, is_merge) = match self.next()? {
                (Event::MappingEnd | Event::StreamEnd, end) => {
                    return Ok(node(Value::Map(Box::new(entries)), self.until(start, end)));
                }
                (event, span) => {
                    let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
                    (self.node(event, span, depth.saturating_add(1))?, is_merge)
                }
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth.saturating_add(1))?;
            if is_merge {
                self.mistakes.push(
                    key.span
                        .mistake("merge keys (`<<`) are not accepted", ALIAS_HELP),
                );
                entries.dropped.push(ANY_KEY.to_owned());
            } else {
                self.enter(&mut entries, &mut lines, key, value);
            }
        }
    }

    /// Puts an entry into a map. `lines` has the line of every key that is in it.
    fn enter(
        &mut self,
        entries: &mut Entries,
        lines: &mut HashMap<String, u32>,
        key: Node,
        value: Node,
    ) {
        let span = key.span;
        let key = self.key_text(key);
        if let Some(first) = lines.get(&key) {
            let message = format!("the key `{key}` is written twice");
            let help = format!("It stands in line {first} already. Keep one of the two.");
            self.mistakes.push(span.mistake(message, help));
            return;
        }
        lines.insert(key.clone(), span.line);
        entries.pairs.push((node(Value::Text(key), span), value));
    }

    /// A key is a word, whatever it looks like; lists and maps are none.
    fn key_text(&mut self, key: Node) -> String {
        match key.value {
            Value::Text(text) => text,
            Value::List(_) | Value::Map(_) => {
                self.mistakes.push(
                    key.span
                        .mistake("a key has to be a word", "Write `name: value`."),
                );
                String::new()
            }
            Value::Broken => String::new(),
            _ => key.span.of(self.text).to_owned(),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<Option<String>>,
        span: Span,
    ) -> Node {
        if !self.rules.has_templates && text.contains("${") {
            self.mistakes.push(span.mistake(
                "`${…}` is not expanded here",
                "Templates are not accepted. A secret is a reference in a field for secrets: `env:NAME`, `file:PATH` or \
                 `cred:NAME`. Everything else is written out.",
            ));
            return node(Value::Broken, span);
        }
        let suffix = tag.as_ref().and_then(Option::as_deref);
        let is_known = matches!(suffix, Some("str" | "int" | "float" | "bool" | "null"));
        self.tagged(tag.is_some(), is_known, span);
        let is_plain = match suffix {
            Some(suffix) => suffix != "str",
            None => style == ScalarStyle::Plain,
        };
        if !is_plain {
            return node(Value::Text(text.to_owned()), span);
        }
        let value = scalar::plain(text, self.rules).unwrap_or_else(|| {
            let help = "Write a finite number.";
            self.mistakes
                .push(span.mistake("infinity and not-a-number have no place here", help));
            Value::Broken
        });
        node(value, span)
    }

    fn anchored(&mut self, anchor: usize, span: Span) {
        if anchor != 0 && !self.rules.has_references {
            self.mistakes
                .push(span.mistake("anchors are not accepted", ALIAS_HELP));
        }
    }

    /// Refuses a tag, where none may stand or this one is not known.
    fn tagged(&mut self, has_tag: bool, is_known: bool, span: Span) {
        if has_tag && !self.rules.has_references {
            let help = "Types follow from the field; leave the tag (`!…`) out.";
            self.mistakes
                .push(span.mistake("tags are not accepted", help));
        } else if has_tag && !is_known {
            let help = "Leave the tag (`!…`) out.";
            self.mistakes
                .push(span.mistake("this tag is not known here", help));
        }
    }

    /// From the first byte of a collection to its last, without the white space after it.
    fn until(&self, start: Span, end: Span) -> Span {
        let stop = end.start.saturating_add(end.len).max(start.start);
        let written = self.text.get(start.start..stop).unwrap_or_default();
        Span {
            len: written.trim_end().len(),
            ..start
        }
    }

    fn syntax(&self, error: &ScanError) -> Mistake {
        let start = error
            .marker()
            .byte_offset()
            .unwrap_or(0)
            .min(self.text.len());
        let before = self.text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        let span = Span {
            start,
            len: usize::from(start < self.text.len()),
            line: u32::try_from(line).unwrap_or(u32::MAX),
        };
        let message = format!("this is not YAML: {}", error.info());
        on_char_border(self.text, span).mistake(message, syntax_help(error))
    }
}

fn node(value: Value, span: Span) -> Node {
    Node { span, value }
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

/// Widens a span of one byte to the whole character it stands in.
fn on_char_border(text: &str, mut span: Span) -> Span {
    while span.start > 0 && !text.is_char_boundary(span.start) {
        span.start -= 1;
    }
    let first = text.get(span.start..).and_then(|rest| rest.chars().next());
    span.len = first.map_or(0, char::len_utf8);
    span
}

#[cfg(test)]
mod tests;
