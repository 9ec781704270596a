//! From the schemas of a document to one plain JSON Schema 2020-12 document per contract.
//! Exports `Lowering`. OpenAPI 3.0's own words (`nullable`, boolean bounds) disappear here, objects of requests
//! are closed, and `readOnly`/`writeOnly` become what they mean in each direction.
//! Used by `compile`.
//! Start reading at `Lowering::schema`; every referenced schema becomes one numbered definition.

mod closing;
mod numbers;

use std::collections::{HashMap, VecDeque};

use model::Mistake;
use serde_json::{Map, Value, json};

use crate::definition::Definition;
use crate::docs::{At, Docs};
use crate::validator;

/// Most definitions of one contract.
const DEFINITIONS_MAX: usize = 200_000;
/// Most mistakes that are reported.
const MISTAKES_MAX: usize = 50;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    Request,
    Response,
}

/// How a schema stands to the object it describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SchemaRole {
    /// It describes the whole value; undeclared fields may be closed off.
    Whole,
    /// It is one part of a composition; the whole is closed around it.
    Part,
    /// Below `not` and conditions, where closing would turn the meaning round.
    Raw,
}

impl SchemaRole {
    /// The role of a schema inside, for another value than this one's.
    fn of_another(self) -> SchemaRole {
        match self {
            SchemaRole::Raw => SchemaRole::Raw,
            SchemaRole::Whole | SchemaRole::Part => SchemaRole::Whole,
        }
    }

    /// The role of a schema inside, for the same value.
    fn of_the_same(self) -> SchemaRole {
        match self {
            SchemaRole::Raw => SchemaRole::Raw,
            SchemaRole::Whole | SchemaRole::Part => SchemaRole::Part,
        }
    }
}

/// The growing list of definitions.
pub(crate) struct Lowering<'a> {
    pub(crate) docs: &'a Docs,
    /// OpenAPI 3.0 rules: `nullable`, `$ref` without siblings.
    pub(crate) is_30: bool,
    /// Whether undeclared fields of requests are refused where the schema is silent.
    pub(crate) closes: bool,
    pub(crate) definitions: Vec<Definition<'a>>,
    pub(crate) mistakes: Vec<Mistake>,
    known: HashMap<(usize, String, Direction, SchemaRole), usize>,
    waiting: VecDeque<(usize, At<'a>, Direction, SchemaRole)>,
    patterns: HashMap<String, Result<(), validator::PatternError>>,
    refers: Vec<usize>,
}

impl<'a> Lowering<'a> {
    pub(crate) fn new(docs: &'a Docs, is_30: bool, closes: bool) -> Self {
        Lowering {
            docs,
            is_30,
            closes,
            definitions: Vec::new(),
            mistakes: Vec::new(),
            known: HashMap::new(),
            waiting: VecDeque::new(),
            patterns: HashMap::new(),
            refers: Vec::new(),
        }
    }

    /// The definition for a schema with everything it refers to.
    pub(crate) fn schema(&mut self, at: &At<'a>, direction: Direction) -> usize {
        let id = self.number(at, direction, SchemaRole::Whole);
        while let Some((id, at, direction, stance)) = self.waiting.pop_front() {
            self.refers.clear();
            let schema = self.lower(&at, direction, stance);
            let refers = std::mem::take(&mut self.refers);
            if let Some(definition) = self.definitions.get_mut(id) {
                definition.schema = schema;
                definition.refers = refers;
            }
        }
        id
    }

    fn number(&mut self, at: &At<'a>, direction: Direction, stance: SchemaRole) -> usize {
        // Only whole schemas of requests differ from parts; one definition serves both elsewhere.
        let stance = match (direction, stance) {
            (Direction::Response, _) => SchemaRole::Raw,
            (_, stance) if self.closes => stance,
            _ => SchemaRole::Raw,
        };
        let (doc, pointer) = at.key();
        let key = (doc, pointer, direction, stance);
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        let id = self.definitions.len();
        if id == DEFINITIONS_MAX {
            self.wrong(
                at,
                format!("the contract has more than {DEFINITIONS_MAX} schemas"),
                "split the contract",
            );
        }
        self.known.insert(key, id);
        self.definitions.push(Definition {
            schema: Value::Bool(false),
            origin: at.clone(),
            refers: Vec::new(),
        });
        if id < DEFINITIONS_MAX {
            self.waiting.push_back((id, at.clone(), direction, stance));
        }
        id
    }

    pub(crate) fn wrong(
        &mut self,
        at: &At<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let mistake = self.docs.mistake(at, message, help);
        self.report(mistake);
    }

    pub(crate) fn report(&mut self, mistake: Mistake) {
        if self.mistakes.len() < MISTAKES_MAX && !self.mistakes.contains(&mistake) {
            self.mistakes.push(mistake);
        }
    }

    /// A reference to the definition of a schema.
    fn reference(&mut self, at: &At<'a>, direction: Direction, stance: SchemaRole) -> Value {
        let id = self.number(at, direction, stance);
        self.refers.push(id);
        json!({ "$ref": format!("#/$defs/{id}") })
    }

    fn lower(&mut self, at: &At<'a>, direction: Direction, stance: SchemaRole) -> Value {
        if at.value.is_boolean() {
            return at.value.clone();
        }
        let Some(members) = at.object() else {
            let found = crate::text::to_json(at.value).type_name();
            self.wrong(
                at,
                format!("a schema must be an object, not a {found}"),
                "write a schema such as `type: string`",
            );
            return Value::Bool(false);
        };
        let Some(reference) = at.text("$ref") else {
            return self.plain(at, members, direction, stance);
        };
        let target = match self.docs.resolve(at, reference) {
            Ok(target) => target,
            Err(mistake) => {
                self.report(mistake);
                return Value::Bool(false);
            }
        };
        // 3.0 ignores everything beside `$ref`; from 3.1 on it counts (JSON Schema 2020-12 §8.2.3.1).
        if self.is_30 || members.keys().all(|key| !is_assertion(key)) {
            return self.reference(&target, direction, stance);
        }
        let first = self.reference(&target, direction, stance.of_the_same());
        let mut out = self.plain(at, members, direction, stance);
        if let Some(out) = out.as_object_mut() {
            match out.get_mut("allOf").and_then(Value::as_array_mut) {
                Some(parts) => parts.push(first),
                None => {
                    out.insert("allOf".into(), Value::Array(vec![first]));
                }
            }
        }
        out
    }

    fn plain(
        &mut self,
        at: &At<'a>,
        members: &'a Map<String, Value>,
        direction: Direction,
        stance: SchemaRole,
    ) -> Value {
        let mut out = Map::new();
        for (key, value) in members {
            self.keyword(at, &at.child(key, value), key, direction, stance, &mut out);
        }
        numbers::bounds(members, &mut out);
        self.required(at, direction, &mut out);
        if stance == SchemaRole::Whole && direction == Direction::Request && self.closes {
            closing::close(self.docs, self.is_30, at, &mut out);
        }
        if self.is_30 && at.is_true("nullable") {
            return nullable(out);
        }
        Value::Object(out)
    }

    /// One keyword of a schema: refused, replaced by another one, or lowered.
    fn keyword(
        &mut self,
        owner: &At<'a>,
        at: &At<'a>,
        key: &'a str,
        direction: Direction,
        stance: SchemaRole,
        out: &mut Map<String, Value>,
    ) {
        if self.is_refused(at, key) {
            return;
        }
        let is_list = at.value.is_array();
        match key {
            "items" if is_list => {
                let items = self.each_item(at, direction, stance.of_another());
                out.insert("prefixItems".into(), items);
            }
            // Draft 4, which 3.0 is built on, names the items behind the positions differently.
            "additionalItems" if self.is_30 => {
                if owner.value.get("items").is_some_and(Value::is_array) {
                    let items = self.lower(at, direction, stance.of_another());
                    out.insert("items".into(), items);
                }
            }
            "dependencies" if self.is_30 => {
                self.dependencies(at, direction, stance.of_the_same(), out);
            }
            _ => {
                let lowered = self.lowered(at, key, direction, stance);
                out.extend(lowered.map(|lowered| (key.to_owned(), lowered)));
            }
        }
    }

    /// Keywords that cannot be enforced as they are written; reported here.
    fn is_refused(&mut self, at: &At<'a>, key: &str) -> bool {
        let (problem, help) = match key {
            "items" if at.value.is_array() && !self.is_30 => (
                "`items` must be one schema".to_owned(),
                "use `prefixItems` for positions",
            ),
            "allOf" | "anyOf" | "oneOf" if at.value.as_array().is_none_or(Vec::is_empty) => (
                format!("`{key}` must be a list of schemas"),
                "list at least one schema",
            ),
            "$dynamicRef" | "$recursiveRef" | "$id" => (
                format!("`{key}` is not supported in contracts"),
                "use `$ref` with a JSON pointer such as `#/components/schemas/NAME`",
            ),
            _ => return false,
        };
        self.wrong(at, problem, help);
        true
    }

    /// The keyword as it is enforced under its own name; `None` where it is no assertion.
    fn lowered(
        &mut self,
        at: &At<'a>,
        key: &'a str,
        direction: Direction,
        stance: SchemaRole,
    ) -> Option<Value> {
        let (another, same) = (stance.of_another(), stance.of_the_same());
        Some(match key {
            "type" | "enum" | "const" | "minimum" | "maximum" | "multipleOf" | "minLength"
            | "maxLength" | "minItems" | "maxItems" | "uniqueItems" | "minProperties"
            | "maxProperties" | "minContains" | "maxContains" | "dependentRequired" | "format" => {
                at.value.clone()
            }
            "exclusiveMinimum" | "exclusiveMaximum" if at.value.is_number() => at.value.clone(),
            "pattern" => self.pattern(at)?,
            "properties" => self.properties(at, direction, another),
            "patternProperties" => {
                for (pattern, child) in at.members() {
                    self.pattern_text(&child, pattern);
                }
                self.each_member(at, direction, another)
            }
            "dependentSchemas" => self.each_member(at, direction, same),
            "additionalProperties"
            | "unevaluatedProperties"
            | "items"
            | "unevaluatedItems"
            | "contains"
            | "propertyNames" => self.lower(at, direction, another),
            "prefixItems" => self.each_item(at, direction, another),
            "allOf" | "anyOf" | "oneOf" => self.each_item(at, direction, same),
            "not" | "if" => self.lower(at, direction, SchemaRole::Raw),
            "then" | "else" => self.lower(at, direction, same),
            _ => return None,
        })
    }

    fn dependencies(
        &mut self,
        at: &At<'a>,
        direction: Direction,
        stance: SchemaRole,
        out: &mut Map<String, Value>,
    ) {
        let (mut names, mut schemas) = (Map::new(), Map::new());
        for (name, child) in at.members() {
            if child.value.is_array() {
                names.insert(name.to_owned(), child.value.clone());
            } else {
                schemas.insert(name.to_owned(), self.lower(&child, direction, stance));
            }
        }
        out.insert("dependentRequired".into(), Value::Object(names));
        out.insert("dependentSchemas".into(), Value::Object(schemas));
    }

    /// Declared fields; those that never travel in this direction are refused by a `false` schema. What the contract itself
    /// writes as `false` becomes its equal, so that it is not taken for one of them.
    fn properties(&mut self, at: &At<'a>, direction: Direction, stance: SchemaRole) -> Value {
        let mut out = Map::new();
        let at = &match at.object() {
            Some(members) if members.len() == 1 && at.text("$ref").is_some() => {
                match self.docs.follow(at) {
                    Ok(target) => target,
                    Err(mistake) => {
                        self.report(mistake);
                        return Value::Bool(false);
                    }
                }
            }
            _ => at.clone(),
        };
        if !at.value.is_object() {
            self.wrong(
                at,
                "`properties` must be a mapping",
                "write `name: {schema}` below it",
            );
        }
        for (name, child) in at.members() {
            let lowered = if is_withheld(self.docs, &child, direction) {
                Value::Bool(false)
            } else if child.value == &Value::Bool(false) {
                json!({ "not": {} })
            } else {
                self.lower(&child, direction, stance)
            };
            out.insert(name.to_owned(), lowered);
        }
        Value::Object(out)
    }

    fn each_member(&mut self, at: &At<'a>, direction: Direction, stance: SchemaRole) -> Value {
        let lowered: Map<_, _> = at
            .members()
            .map(|(name, child)| (name.to_owned(), self.lower(&child, direction, stance)))
            .collect();
        Value::Object(lowered)
    }

    fn each_item(&mut self, at: &At<'a>, direction: Direction, stance: SchemaRole) -> Value {
        Value::Array(
            at.items()
                .map(|child| self.lower(&child, direction, stance))
                .collect(),
        )
    }

    /// OpenAPI 3.0 §4.7.24.2: a required `readOnly` field is required in answers only, and the reverse.
    fn required(&mut self, at: &At<'a>, direction: Direction, out: &mut Map<String, Value>) {
        let Some(required) = at.get("required") else {
            return;
        };
        let Some(names) = required.value.as_array() else {
            self.wrong(
                &required,
                "`required` must be a list of field names",
                "write `required: [name]` on the object, not `required: true` on the field",
            );
            return;
        };
        let properties = self.docs.properties(at);
        let kept: Vec<Value> = names
            .iter()
            .filter(|name| {
                let field = name.as_str().and_then(|n| properties.as_ref()?.get(n));
                !field.is_some_and(|field| is_withheld(self.docs, &field, direction))
            })
            .cloned()
            .collect();
        if !kept.is_empty() {
            out.insert("required".into(), Value::Array(kept));
        }
    }

    fn pattern(&mut self, at: &At<'a>) -> Option<Value> {
        let Some(pattern) = at.value.as_str() else {
            self.wrong(at, "`pattern` must be a text", "quote the pattern");
            return None;
        };
        self.pattern_text(at, pattern).then(|| at.value.clone())
    }

    fn pattern_text(&mut self, at: &At<'a>, pattern: &str) -> bool {
        let verdict = *self
            .patterns
            .entry(pattern.to_owned())
            .or_insert_with(|| validator::try_pattern(pattern));
        let Err(why) = verdict else { return true };
        self.wrong(
            at,
            format!("the pattern `{pattern}` cannot be used: {}", why.message),
            why.help,
        );
        false
    }
}

/// Whether a keyword beside `$ref` changes what is accepted.
pub(crate) fn is_assertion(key: &str) -> bool {
    !matches!(
        key,
        "$ref"
            | "description"
            | "summary"
            | "title"
            | "deprecated"
            | "example"
            | "examples"
            | "default"
            | "externalDocs"
            | "readOnly"
            | "writeOnly"
            | "$comment"
            | "xml"
    ) && !key.starts_with("x-")
}

/// Whether the field never travels in this direction.
fn is_withheld(docs: &Docs, at: &At<'_>, direction: Direction) -> bool {
    let word = match direction {
        Direction::Request => "readOnly",
        Direction::Response => "writeOnly",
    };
    says(docs, at, word, 8)
}

/// Whether a schema says `word: true` itself, through its reference or through a member of `allOf`.
pub(crate) fn says(docs: &Docs, at: &At<'_>, word: &str, depth: usize) -> bool {
    if at.is_true(word) {
        return true;
    }
    if depth == 0 {
        return false;
    }
    if let Some(reference) = at.text("$ref") {
        return docs
            .resolve(at, reference)
            .is_ok_and(|target| says(docs, &target, word, depth - 1));
    }
    at.get("allOf")
        .is_some_and(|parts| parts.items().any(|part| says(docs, &part, word, depth - 1)))
}

/// `nullable: true` of OpenAPI 3.0, written as 2020-12 has it.
fn nullable(mut out: Map<String, Value>) -> Value {
    let is_simple = !["allOf", "anyOf", "oneOf", "not", "const"]
        .iter()
        .any(|key| out.contains_key(*key));
    match out.get("type") {
        Some(Value::String(one)) if is_simple => {
            let types = json!([one, "null"]);
            out.insert("type".into(), types);
            if let Some(Value::Array(values)) = out.get_mut("enum")
                && !values.contains(&Value::Null)
            {
                values.push(Value::Null);
            }
            Value::Object(out)
        }
        None if is_simple && !out.contains_key("enum") => Value::Object(out),
        _ => json!({ "anyOf": [ { "type": "null" }, out ] }),
    }
}
