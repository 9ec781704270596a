//! Reads a `yaml::Node` into a typed file, with a place and a remedy for everything that does not fit.
//! Exports `typed`, which gives what could be read and what could not. A part that is wrong is reported, taken out, and the rest is read on, so that one run shows all.
//! Used by `read`. Nothing here knows which kinds of files exist.
//! Start reading at `typed`.

mod repair;

use std::fmt;

use model::Mistake;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use yaml::{ANY_KEY, MISTAKES_MAX, Node, Span, Value};

use crate::not_offered;
use crate::spanned::{AT, NOTED};
use repair::{drop_entry, fill, is_filled, names};

/// A file as far as it could be read.
pub struct Read<T> {
    /// What it says, without the parts that are wrong; none where nothing of it can be used.
    pub value: Option<T>,
    /// All mistakes found, at most [`MISTAKES_MAX`].
    pub mistakes: Vec<Mistake>,
    /// The parts that are not in the value.
    pub lost: Lost,
}

/// The parts of a file that could not be read, as names from its root: what follows from their absence is no mistake.
#[derive(Clone, Debug, Default)]
pub struct Lost(Vec<Vec<String>>);

impl Lost {
    /// Whether something is lost at this place or below it. Entries of lists are all called `*`.
    pub fn has(&self, path: &[&str]) -> bool {
        self.0.iter().any(|lost| {
            let names = lost.iter().map(String::as_str);
            lost.len() >= path.len() && names.zip(path).all(|(lost, name)| lost == *name)
        })
    }
}

/// Reads the tree as `T`.
pub fn typed<T: DeserializeOwned>(mut root: Node) -> Read<T> {
    let (mut mistakes, mut lost) = (Vec::new(), Lost::default());
    let value = loop {
        let error = match T::deserialize(NodeReader(&root)) {
            Ok(value) => break Some(value),
            Err(error) => error,
        };
        let mut names = names(&root, &error.path);
        if !error.is_consequence && !is_filled(&root, &error.path) {
            mistakes.push(error.mistake(&root));
        }
        if mistakes.len() >= MISTAKES_MAX {
            break None;
        }
        if let Some(field) = error
            .lacking
            .filter(|field| fill(&mut root, &error.path, field))
        {
            names.push(field.to_owned());
        } else if !drop_entry(&mut root, &error.path, error.is_unknown_key) {
            break None;
        }
        if let (Some(meant), Some(last)) = (error.meant, names.last_mut()) {
            *last = meant;
        }
        lost.0.push(names);
    };
    Read {
        value,
        mistakes,
        lost,
    }
}

/// Why a part could not be read.
#[derive(Debug)]
pub struct DeError {
    /// What is wrong and how to fix it; boxed, because an error travels through every layer of serde.
    words: Box<(String, String)>,
    span: Option<Span>,
    /// Positions from the leaf up to the root.
    path: Vec<usize>,
    /// Name of a field that is missing, before it is known whether it had been dropped.
    missing: Option<&'static str>,
    /// The same, kept: what could be filled in.
    lacking: Option<&'static str>,
    /// The known key that an unknown one is nearest to.
    meant: Option<String>,
    /// Follows from a mistake that was reported before.
    is_consequence: bool,
    /// A key that is not known: perhaps the one that will be missed.
    is_unknown_key: bool,
}

impl DeError {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        DeError {
            words: Box::new((message.into(), help.into())),
            span: None,
            path: Vec::new(),
            missing: None,
            lacking: None,
            meant: None,
            is_consequence: false,
            is_unknown_key: false,
        }
    }

    /// About something that was told already.
    fn consequence() -> Self {
        DeError {
            is_consequence: true,
            ..DeError::new("", "")
        }
    }

    fn at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }

    fn below(mut self, index: usize) -> Self {
        self.path.push(index);
        self
    }

    fn mistake(&self, root: &Node) -> Mistake {
        let place = self.span.unwrap_or(root.span);
        place.mistake(self.words.0.clone(), self.words.1.clone())
    }
}

impl fmt::Display for DeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.0)
    }
}

impl std::error::Error for DeError {}

impl de::Error for DeError {
    /// What stands before the line break (or the semicolon) is what is wrong, the rest is how to mend it.
    fn custom<T: fmt::Display>(text: T) -> Self {
        let text = text.to_string();
        match text.split_once('\n').or_else(|| text.split_once("; ")) {
            Some((message, help)) => DeError::new(message, sentence(help)),
            None => DeError::new(text, ""),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected_words(&expected.to_string());
        let message = match found {
            Unexpected::Unit => format!("nothing stands here; {expected} is expected"),
            _ => format!("{expected} is expected here, not {}", found_words(&found)),
        };
        DeError::new(message, type_help(&found))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        DeError::new(
            format!("{expected} is expected here, not {}", found_words(&found)),
            "",
        )
    }

    fn missing_field(field: &'static str) -> Self {
        let mut error = DeError::new(
            format!("`{field}` is missing"),
            format!("Add `{field}: …` here."),
        );
        error.missing = Some(field);
        error.lacking = Some(field);
        error
    }
}

/// What serde calls by the names of our types, in the words of the operator.
fn expected_words(text: &str) -> String {
    match text {
        "a string" => "text".into(),
        "a boolean" => "`true` or `false`".into(),
        "u16" | "u32" | "u64" => "a whole number".into(),
        _ if text.starts_with("struct ") => "a map of settings (`{ name: value }`)".into(),
        _ => text.into(),
    }
}

/// With a capital letter and a full stop.
pub fn sentence(text: &str) -> String {
    let text = text.replace("?; ", "? ");
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    let stop = if text.ends_with(['.', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

fn found_words(found: &Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value}"),
        Unexpected::Str(_) => "text".into(),
        Unexpected::Unit => "nothing".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "a map".into(),
        other => other.to_string(),
    }
}

fn type_help(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_)
        | Unexpected::Unsigned(_)
        | Unexpected::Signed(_)
        | Unexpected::Float(_) => "If the text is meant literally, put it in quotes.",
        Unexpected::Unit => "Write a value, or leave the key out.",
        Unexpected::Seq => "Write the value without brackets or dashes.",
        Unexpected::Map => "Write a single value instead of names with values.",
        _ => "See the reference of the configuration for what belongs here.",
    }
}

/// Reads one node.
#[derive(Clone, Copy)]
struct NodeReader<'t>(&'t Node);

impl<'t> NodeReader<'t> {
    fn unexpected(self) -> Unexpected<'t> {
        match &self.0.value {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => Unexpected::Signed(whole),
                None => Unexpected::Float(number.as_f64().unwrap_or_default()),
            },
            Value::Text(text) => Unexpected::Str(text),
            Value::List(_) => Unexpected::Seq,
            Value::Map(_) => Unexpected::Map,
            Value::Broken => Unexpected::Other("something unreadable"),
        }
    }

    /// The whole number, if it is one that fits.
    fn whole(self) -> Option<i64> {
        match &self.0.value {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    fn wrong<'de, V: Visitor<'de>>(self, visitor: &V) -> DeError {
        de::Error::invalid_type(self.unexpected(), visitor)
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match (&self.0.value, self.whole()) {
            (Value::Text(text), _) => visitor.visit_str(text),
            // Refused as well, but a value that knows numbers can say how it is written.
            (_, Some(whole)) => visitor.visit_i64(whole),
            _ => Err(self.wrong(&visitor)),
        }
        .map_err(|error| error.at(self.0.span))
    }

    fn int<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self.whole() {
            Some(whole) => visitor.visit_i64(whole),
            None => Err(self.wrong(&visitor)),
        }
        .map_err(|error| error.at(self.0.span))
    }

    fn list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.0.value {
            Value::List(items) => visitor.visit_seq(Items { items, next: 0 }),
            Value::Text(_) | Value::Map(_) => Err(DeError::new(
                "a list is expected here",
                "Write `[first, second]`, or one line beginning with `- ` for each.",
            )),
            _ => Err(self.wrong(&visitor)),
        }
        .map_err(|error| error.at(self.0.span))
    }

    fn map<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        let Value::Map(entries) = &self.0.value else {
            return Err(self.wrong(&visitor).at(self.0.span));
        };
        let pairs = Pairs {
            pairs: &entries.pairs,
            next: 0,
        };
        visitor.visit_map(pairs).map_err(|mut error| {
            if let Some(field) = error.missing.take() {
                error.is_consequence = entries
                    .dropped
                    .iter()
                    .any(|name| name == field || name == ANY_KEY);
            }
            error.at(first_line_place(self.0))
        })
    }
}

/// A map as a whole is pointed at by its first key.
fn first_line_place(node: &Node) -> Span {
    match &node.value {
        Value::Map(entries) => entries.pairs.first().map_or(node.span, |(key, _)| key.span),
        _ => node.span,
    }
}

impl<'de> Deserializer<'de> for NodeReader<'_> {
    type Error = DeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.0.value {
            Value::Null => visitor
                .visit_unit()
                .map_err(|error: DeError| error.at(self.0.span)),
            Value::Bool(value) => visitor
                .visit_bool(*value)
                .map_err(|error: DeError| error.at(self.0.span)),
            Value::Number(_) if self.whole().is_some() => self.int(visitor),
            Value::Number(number) => visitor
                .visit_f64(number.as_f64().unwrap_or_default())
                .map_err(|error: DeError| error.at(self.0.span)),
            Value::Text(_) => self.text(visitor),
            Value::List(_) => self.list(visitor),
            Value::Map(_) => self.map(visitor),
            Value::Broken => Err(DeError::consequence().at(self.0.span)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.0.value {
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Text(text) => Err(bool_snag(text)),
            _ => Err(self.wrong(&visitor)),
        }
        .map_err(|error| error.at(self.0.span))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        // A key without a value is refused: it reads as if something had been set.
        visitor.visit_some(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        if let Value::Map(entries) = &self.0.value {
            for (index, (key, _)) in entries.pairs.iter().enumerate() {
                let word = key.as_text().unwrap_or_default();
                if !fields.contains(&word) {
                    return Err(unknown_key(name, word, fields).at(key.span).below(index));
                }
            }
        }
        self.map(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        match name {
            AT => visitor.visit_seq(Placed {
                node: self.0,
                next: 0,
            }),
            NOTED => visitor.visit_seq(WithPlaces {
                node: self.0,
                next: 0,
            }),
            _ => self.list(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        let choices = || format!("Write one of {}.", listed(variants));
        let error = match &self.0.value {
            Value::Text(text) => match variants.iter().find(|variant| *variant == text) {
                Some(variant) => return visitor.visit_enum(Word(variant)),
                None => DeError::new(
                    format!("`{text}` is not known here"),
                    nearest(text, variants).unwrap_or_else(choices),
                ),
            },
            _ => DeError::new("a word is expected here", choices()),
        };
        Err(error.at(self.0.span))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.text(visitor)
    }
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.text(visitor)
    }
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.text(visitor)
    }
    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.int(visitor)
    }
    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.int(visitor)
    }
    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.int(visitor)
    }
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.list(visitor)
    }
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.map(visitor)
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u128 f32 f64 char bytes byte_buf unit unit_struct tuple ignored_any
    }
}

fn bool_snag(text: &str) -> DeError {
    let help = match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" => "Write `true`. In YAML 1.2 the words yes and on are plain text.",
        "no" | "off" | "n" => "Write `false`. In YAML 1.2 the words no and off are plain text.",
        _ => "Write `true` or `false`, without quotes.",
    };
    DeError::new("`true` or `false` is expected here, not text", help)
}

fn unknown_key(kind: &str, word: &str, fields: &[&str]) -> DeError {
    if let Some(help) = not_offered::setting(kind, word) {
        let error = DeError::new(format!("`{word}` is not offered yet"), help);
        return DeError {
            is_unknown_key: true,
            ..error
        };
    }
    let meant = nearest_word(word, fields);
    let help = match meant {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None if fields.is_empty() => "Nothing can be set here.".into(),
        None => format!("Known here: {}.", listed(fields)),
    };
    DeError {
        is_unknown_key: true,
        meant: meant.map(str::to_owned),
        ..DeError::new(format!("unknown key `{word}`"), help)
    }
}

/// "Did you mean" for the nearest of the words, where one is near enough.
pub fn nearest<S: AsRef<str>>(word: &str, known: &[S]) -> Option<String> {
    nearest_word(word, known).map(|word| format!("Did you mean `{word}`?"))
}

/// The nearest of the words, where one is near enough.
pub(crate) fn nearest_word<'k, S: AsRef<str>>(word: &str, known: &'k [S]) -> Option<&'k str> {
    let word = word.get(..64).unwrap_or(word);
    let score = |other: &str| strsim::jaro_winkler(&word.to_lowercase(), &other.to_lowercase());
    let best = known
        .iter()
        .map(|other| (score(other.as_ref()), other.as_ref()))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 >= 0.8).then_some(best.1)
}

/// `a`, `b` and `c`; at most twelve.
pub fn listed<S: AsRef<str>>(words: &[S]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .take(12)
        .map(|w| format!("`{}`", w.as_ref()))
        .collect();
    let more = if words.len() > 12 { ", …" } else { "" };
    format!("{}{more}", quoted.join(", "))
}

struct Items<'t> {
    items: &'t [Node],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = DeError;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DeError> {
        let index = self.next;
        let Some(node) = self.items.get(index) else {
            return Ok(None);
        };
        self.next = index.saturating_add(1);
        if matches!(node.value, Value::Broken) {
            return Err(DeError::consequence().below(index));
        }
        let value = seed.deserialize(NodeReader(node));
        value
            .map(Some)
            .map_err(|error| error.at(node.span).below(index))
    }
}

struct Pairs<'t> {
    pairs: &'t [(Node, Node)],
    next: usize,
}

impl<'de> MapAccess<'de> for Pairs<'_> {
    type Error = DeError;
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DeError> {
        let Some((key, _)) = self.pairs.get(self.next) else {
            return Ok(None);
        };
        let read = seed.deserialize(NodeReader(key));
        read.map(Some)
            .map_err(|error| error.at(key.span).below(self.next))
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, DeError> {
        let index = self.next;
        self.next = index.saturating_add(1);
        let Some((key, value)) = self.pairs.get(index) else {
            return Err(DeError::new("a value is missing", ""));
        };
        if matches!(value.value, Value::Broken) {
            return Err(DeError::consequence().below(index));
        }
        // A key without a value is pointed at by its name; there is nothing else to see.
        let span = if value.span.len == 0 {
            key.span
        } else {
            value.span
        };
        let read = seed.deserialize(NodeReader(value));
        read.map_err(|mut error| {
            if error.span.is_some_and(|s| s.len == 0) {
                error.span = None;
            }
            error.at(span).below(index)
        })
    }
}

/// Start, length, line and the value itself: what `At` reads.
struct Placed<'t> {
    node: &'t Node,
    next: u8,
}

impl<'de> SeqAccess<'de> for Placed<'_> {
    type Error = DeError;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DeError> {
        self.next = self.next.saturating_add(1);
        match self.next {
            1 => {
                let numbers = SeqDeserializer::new(numbers(self.node.span).into_iter());
                seed.deserialize(numbers).map(Some)
            }
            2 => seed.deserialize(NodeReader(self.node)).map(Some),
            _ => Ok(None),
        }
    }
}

/// The place of every part by JSON pointer, and the value itself: what `Noted` reads.
struct WithPlaces<'t> {
    node: &'t Node,
    next: u8,
}

impl<'de> SeqAccess<'de> for WithPlaces<'_> {
    type Error = DeError;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DeError> {
        self.next = self.next.saturating_add(1);
        match self.next {
            1 => {
                let mut places = Vec::new();
                note_places(self.node, String::new(), &mut places);
                let places = MapDeserializer::new(places.into_iter());
                seed.deserialize(places).map(Some)
            }
            2 => seed.deserialize(NodeReader(self.node)).map(Some),
            _ => Ok(None),
        }
    }
}

/// Notes pointer, start, length and line of this node and all below it.
fn note_places(node: &Node, pointer: String, places: &mut Vec<(String, Vec<u64>)>) {
    match &node.value {
        Value::Map(entries) => {
            for (key, value) in &entries.pairs {
                let name = key.as_text().unwrap_or_default();
                note_places(value, format!("{pointer}/{name}"), places);
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                note_places(item, format!("{pointer}/{index}"), places);
            }
        }
        _ => {}
    }
    places.push((pointer, numbers(first_line_place(node)).to_vec()));
}

/// A span as `Span` reads itself.
fn numbers(span: Span) -> [u64; 3] {
    [span.start as u64, span.len as u64, u64::from(span.line)]
}

/// One word of a closed list.
struct Word(&'static str);

impl<'de> EnumAccess<'de> for Word {
    type Error = DeError;
    type Variant = Word;
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Word), DeError> {
        let name = de::value::StrDeserializer::<DeError>::new(self.0);
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Word {
    type Error = DeError;
    fn unit_variant(self) -> Result<(), DeError> {
        Ok(())
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, DeError> {
        Err(DeError::new("a plain word is expected here", ""))
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, DeError> {
        Err(DeError::new("a plain word is expected here", ""))
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, DeError> {
        Err(DeError::new("a plain word is expected here", ""))
    }
}
