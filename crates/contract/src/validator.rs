//! One compiled schema. The only file that names the schema library.
//! Exports `Validator`. Built when a configuration is compiled, never per request.
//! Used by parameters, bodies and answers.
//! Start reading at `Validator`; `Body` lets the library read our own value without copying it.

mod body;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions};
use model::Json;
use serde_json::{Map, Value, json};

use crate::definition::Definition;
use body::Body;

pub(crate) use jsonschema::ValidationError;

/// Bounds of one compiled pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Values up to this size get all their errors explained.
pub(crate) const EXPLAINED_VALUES_MAX: usize = 2_000;

/// All definitions of a contract, filled when the last one is known; read for error messages only.
pub(crate) type Definitions = Arc<OnceLock<Vec<Value>>>;

/// A compiled schema.
#[derive(Clone)]
pub struct Validator {
    inner: Arc<jsonschema::Validator<Body>>,
    definitions: Definitions,
}

impl std::fmt::Debug for Validator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Validator")
    }
}

impl Validator {
    /// Compiles one definition with everything it refers to.
    pub(crate) fn build(
        id: usize,
        all: &[Definition<'_>],
        definitions: &Definitions,
    ) -> Result<Validator, String> {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![id];
        while let Some(id) = waiting.pop() {
            if reached.insert(id) {
                waiting.extend(all.get(id).iter().flat_map(|d| d.refers.iter().copied()));
            }
        }
        let defs: Map<String, Value> = reached
            .iter()
            .filter_map(|id| Some((id.to_string(), all.get(*id)?.schema.clone())))
            .collect();
        let schema = json!({ "$ref": format!("#/$defs/{id}"), "$defs": defs });
        let inner = jsonschema::options_for::<Body>()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            .offline()
            .with_pattern_options(
                PatternOptions::regex()
                    .size_limit(PATTERN_BYTES_MAX)
                    .dfa_size_limit(PATTERN_BYTES_MAX),
            )
            .build(&schema)
            .map_err(|error| format!("{} (at {})", error, error.instance_path()))?;
        Ok(Validator {
            inner: Arc::new(inner),
            definitions: definitions.clone(),
        })
    }

    /// Whether the value is what the schema describes.
    pub fn is_valid(&self, value: &Json) -> bool {
        self.inner.is_valid(value)
    }

    /// Every error of a small value, the first one of a large value. Only called when `is_valid` fails: a refusal
    /// must not cost more than an acceptance, and the library builds every error before it gives the first.
    pub(crate) fn errors<'v>(&'v self, value: &'v Json) -> Vec<ValidationError<'v>> {
        if is_large(value) {
            return self.inner.validate(value).err().into_iter().collect();
        }
        self.inner.iter_errors(value).collect()
    }

    /// The schema object that holds the keyword an error came from.
    pub(crate) fn schema_of(&self, error: &ValidationError<'_>) -> Option<&Value> {
        let mut steps = crate::text::steps(error.schema_path().as_str()).peekable();
        if steps.next()? != "$defs" {
            return None;
        }
        let id: usize = steps.next()?.parse().ok()?;
        let mut here = self.definitions.get()?.get(id)?;
        while let Some(step) = steps.next() {
            if steps.peek().is_none() {
                break;
            }
            here = match here {
                Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
                other => other.get(&step)?,
            };
        }
        Some(here)
    }
}

/// Whether a value holds more values than are explained one by one.
pub(crate) fn is_large(value: &Json) -> bool {
    let mut budget = EXPLAINED_VALUES_MAX;
    is_larger(value, &mut budget)
}

/// Whether a value holds more values than are left in the budget.
fn is_larger(value: &Json, budget: &mut usize) -> bool {
    let Some(left) = budget.checked_sub(1) else {
        return true;
    };
    *budget = left;
    match value {
        Json::List(items) => items.iter().any(|item| is_larger(item, budget)),
        Json::Object(members) => members.iter().any(|(_, item)| is_larger(item, budget)),
        _ => false,
    }
}

/// Why a pattern cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PatternError {
    /// What is wrong with it.
    pub(crate) message: &'static str,
    /// What to do about it.
    pub(crate) help: &'static str,
}

const NOT_LINEAR: PatternError = PatternError {
    message: "it is not a regular expression that runs in linear time",
    help: "patterns run in linear time, so look-around and back-references are not available; write the pattern without \
           them, or remove it with an overlay",
};

const TOO_LARGE: PatternError = PatternError {
    message: "compiled it takes more memory than a pattern may",
    help: "repetitions inside of repetitions multiply, and classes of letters such as `\\p{L}` count hundredfold; lower the \
           numbers in braces, or say the length with `maxLength`",
};

/// Whether a pattern can be compiled; the reason if not.
pub(crate) fn try_pattern(pattern: &str) -> Result<(), PatternError> {
    let definition = Definition {
        schema: json!({ "pattern": pattern }),
        origin: crate::docs::At {
            doc: 0,
            pointer: String::new(),
            value: &Value::Null,
        },
        refers: Vec::new(),
    };
    Validator::build(0, &[definition], &Definitions::default())
        .map(|_| ())
        // What can be read and not compiled is too large.
        .map_err(|_| match regex_syntax::parse(pattern) {
            Ok(_) => TOO_LARGE,
            Err(_) => NOT_LINEAR,
        })
}

/// The library's kinds of error as this room reports them.
pub(crate) type ErrorKind = ValidationErrorKind;

/// Type words of a `type` error.
pub(crate) fn expected_types(kind: &jsonschema::error::TypeKind) -> Vec<String> {
    match kind {
        jsonschema::error::TypeKind::Single(one) => vec![one.to_string()],
        jsonschema::error::TypeKind::Multiple(set) => set.iter().map(|t| t.to_string()).collect(),
    }
}

/// Validators by definition: each is built once.
#[derive(Default)]
pub(crate) struct Built {
    by_id: BTreeMap<usize, Validator>,
    pub(crate) definitions: Definitions,
}

impl Built {
    /// The validator of a definition.
    pub(crate) fn get(&mut self, id: usize, all: &[Definition<'_>]) -> Result<Validator, String> {
        if let Some(known) = self.by_id.get(&id) {
            return Ok(known.clone());
        }
        let built = Validator::build(id, all, &self.definitions)?;
        self.by_id.insert(id, built.clone());
        Ok(built)
    }
}
