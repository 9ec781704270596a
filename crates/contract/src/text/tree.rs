//! A YAML document as a tree that remembers where each node stands.
//! Exports `Tree`. YAML 1.2 core schema; duplicate keys, merge keys and foreign tags are refused.
//! Used by `to_value` and `locate`.
//! Start reading at `Tree::read`.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use model::Mistake;
use serde_json::{Map, Number, Value};

/// Most nodes of one document after aliases are copied in: an alias bomb ends here.
const NODES_MAX: usize = 4_000_000;

type Place = (usize, usize);

/// One node with its place.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    place: Place,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Scalar(Value),
    List(Vec<Tree>),
    Map(Vec<(String, Place, Tree)>),
}

impl Tree {
    /// Reads one document.
    pub(crate) fn read(text: &str) -> Result<Tree, Mistake> {
        let mut reader = Reader {
            events: Parser::new_from_str(text),
            anchors: HashMap::new(),
            nodes: 0,
            length: text.len(),
        };
        let mut root = None;
        while let Some((event, span)) = reader.next()? {
            match event {
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                Event::StreamEnd => break,
                _ if root.is_some() => {
                    return Err(mistake(
                        "the file has a second document",
                        "keep one document per file; remove `---` and what follows",
                        reader.place(span),
                    ));
                }
                event => root = Some(reader.node(event, span)?),
            }
        }
        root.ok_or_else(|| {
            mistake(
                "the file is empty",
                "write a mapping, for example `openapi: 3.1.0`",
                (0, 0),
            )
        })
    }

    /// The value without places.
    pub(crate) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => Value::Array(items.iter().map(Tree::to_value).collect()),
            Kind::Map(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, _, value)| (key.clone(), value.to_value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// See [`super::locate`].
    pub(crate) fn locate(&self, pointer: &str) -> Option<Place> {
        let (mut here, mut found) = (self, None);
        for step in super::steps(pointer) {
            let next = match &here.kind {
                Kind::Map(members) => members.iter().find(|(key, ..)| *key == step).map(
                    |(_, (start, length), value)| {
                        let (value_start, value_length) = value.place;
                        let end = match value.kind {
                            Kind::Scalar(_) if value_start >= *start => value_start + value_length,
                            _ => start + length,
                        };
                        (value, (*start, end - start))
                    },
                ),
                Kind::List(items) => step
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| items.get(index))
                    .map(|item| (item, item.place)),
                Kind::Scalar(_) => None,
            };
            let Some((value, place)) = next else { break };
            (here, found) = (value, Some(place));
        }
        found.or_else(|| Some(self.beginning()))
    }

    /// The first word of the document; never half of a letter.
    fn beginning(&self) -> Place {
        match &self.kind {
            Kind::Scalar(_) => self.place,
            Kind::Map(members) => match members.first() {
                Some((_, key, _)) if key.0 == self.place.0 => *key,
                _ => (self.place.0, self.place.1.min(1)),
            },
            Kind::List(_) => (self.place.0, self.place.1.min(1)),
        }
    }

    fn size(&self) -> usize {
        match &self.kind {
            Kind::Scalar(_) => 1,
            Kind::List(items) => 1 + items.iter().map(Tree::size).sum::<usize>(),
            Kind::Map(members) => 1 + members.iter().map(|(.., v)| v.size()).sum::<usize>(),
        }
    }
}

struct Reader<'a> {
    events: Parser<'a, granit_parser::StrInput<'a>>,
    anchors: HashMap<usize, Tree>,
    nodes: usize,
    length: usize,
}

impl<'a> Reader<'a> {
    /// The next event that carries data.
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Mistake> {
        loop {
            match self.events.next_event() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok(found)) => return Ok(Some(found)),
                Some(Err(error)) => return Err(self.syntax(&error)),
                None => return Ok(None),
            }
        }
    }

    fn expect(&mut self) -> Result<(Event<'a>, Span), Mistake> {
        match self.next()? {
            Some(found) => Ok(found),
            None => Err(mistake(
                "the text ends too early",
                "complete the document",
                (self.length, 0),
            )),
        }
    }

    fn syntax(&self, error: &ScanError) -> Mistake {
        let at = error.marker().byte_offset().unwrap_or(0).min(self.length);
        mistake(
            format!("this is not valid YAML: {}", error.info()),
            "check indentation, quotes and the colon behind each key near this place",
            (at, usize::from(at < self.length)),
        )
    }

    fn place(&self, span: Span) -> Place {
        let start = span.start.byte_offset().unwrap_or(0).min(self.length);
        let end = span.end.byte_offset().unwrap_or(start).min(self.length);
        (start, end.saturating_sub(start))
    }

    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Tree, Mistake> {
        let place = self.place(span);
        self.count(1, place)?;
        let (kind, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_ref().map(|tag| tag.core_suffix().map(str::to_owned));
                (Kind::Scalar(scalar(&text, style, tag, place)?), anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                foreign(tag.is_some_and(|t| t.core_suffix() != Some("seq")), place)?;
                (self.list()?, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                foreign(tag.is_some_and(|t| t.core_suffix() != Some("map")), place)?;
                (self.map()?, anchor)
            }
            Event::Alias(id) => return self.alias(id, place),
            _ => return Err(mistake("a value is missing here", "write a value", place)),
        };
        let tree = Tree { place, kind };
        if anchor != 0 {
            self.anchors.insert(anchor, tree.clone());
        }
        Ok(tree)
    }

    fn alias(&mut self, id: usize, place: Place) -> Result<Tree, Mistake> {
        let Some(target) = self.anchors.get(&id).cloned() else {
            return Err(mistake(
                "this alias stands inside the value it names",
                "write the value out; a value cannot contain itself",
                place,
            ));
        };
        self.count(target.size(), place)?;
        Ok(target)
    }

    fn count(&mut self, more: usize, place: Place) -> Result<(), Mistake> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > NODES_MAX {
            return Err(mistake(
                format!("the document has more than {NODES_MAX} values"),
                "split the document, or write fewer aliases",
                place,
            ));
        }
        Ok(())
    }

    fn list(&mut self) -> Result<Kind, Mistake> {
        let mut items = Vec::new();
        loop {
            match self.expect()? {
                (Event::SequenceEnd, _) => return Ok(Kind::List(items)),
                (event, span) => items.push(self.node(event, span)?),
            }
        }
    }

    fn map(&mut self) -> Result<Kind, Mistake> {
        let (mut members, mut seen) = (Vec::new(), HashSet::new());
        loop {
            let (event, span) = self.expect()?;
            let place = self.place(span);
            let key = match event {
                Event::MappingEnd => return Ok(Kind::Map(members)),
                Event::Scalar(text, style, ..) => {
                    if text == "<<" && style == ScalarStyle::Plain {
                        return Err(mistake(
                            "merge keys (`<<`) are not part of YAML 1.2",
                            "write the merged keys out",
                            place,
                        ));
                    }
                    text.into_owned()
                }
                _ => {
                    return Err(mistake(
                        "a key must be a plain text",
                        "write the key as text",
                        place,
                    ));
                }
            };
            if !seen.insert(key.clone()) {
                return Err(mistake(
                    format!("the key `{key}` occurs twice in this mapping"),
                    "keep one of the two; readers disagree about which one counts",
                    place,
                ));
            }
            let (event, span) = self.expect()?;
            members.push((key, place, self.node(event, span)?));
        }
    }
}

fn mistake(message: impl Into<String>, help: &str, (start, length): Place) -> Mistake {
    Mistake::new(message, help).at(start, length)
}

fn foreign(is_foreign: bool, place: Place) -> Result<(), Mistake> {
    if is_foreign {
        return Err(mistake(
            "this tag is not known here",
            "remove the tag",
            place,
        ));
    }
    Ok(())
}

/// A scalar by the core schema of YAML 1.2 §10.3. `tag` is `Some(None)` for a tag outside the core.
fn scalar(
    text: &str,
    style: ScalarStyle,
    tag: Option<Option<String>>,
    place: Place,
) -> Result<Value, Mistake> {
    match tag {
        Some(Some(core)) if core == "str" => return Ok(Value::String(text.to_owned())),
        Some(Some(core)) if matches!(core.as_str(), "int" | "float" | "bool" | "null") => {}
        Some(_) => foreign(true, place)?,
        None if style != ScalarStyle::Plain => return Ok(Value::String(text.to_owned())),
        None => {}
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "-.inf" | ".nan" | ".NaN" | ".NAN" => {
            return Err(mistake(
                "infinity and not-a-number have no place here",
                "write a finite number",
                place,
            ));
        }
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    })
}

fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return None;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().map(Number::from);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return u64::from_str_radix(digits, 8).ok().map(Number::from);
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    if let Ok(whole) = plain.parse::<u64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = plain.parse::<i64>() {
        return Some(whole.into());
    }
    let is_float = plain.contains(|c: char| c.is_ascii_digit())
        && plain
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    let float = plain.parse::<f64>().ok().filter(|_| is_float)?;
    Number::from_f64(float)
}
