//! Which parameters of a reading operation may be used: those that tell nothing beyond what the grants show. What the body of
//! a search holds is a parameter like any other.
//! Exports `ParameterRules` (worked out once per integration and operation), `Permit::admit`, `ParameterNote`, and
//! `ParameterAccess` for people.
//! Used by gateway's stage validate, by access, and by `check` (notes).
//! Start reading at `Permit::admit`; the rule and its reasons are in docs/decisions/010.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::field::At;
use model::{FieldError, FieldPath, Json, Principal, Reason, Refusal, Reveals, RuleRef, Stage};

use crate::input::{FixedTarget, ParameterPlace};
use crate::rules::{Operation, Rules};
use crate::standing::Standing;

mod body;
mod build;
mod shown;
mod sight;

pub(crate) use body::{BodyAsks, BodyRules};
pub(crate) use build::{BuildInput, build, stated};
pub use shown::{ParameterAccess, ParameterRefusal, ParameterUse};

/// A parameter that may not be used with the grants that hold.
pub const PARAMETER_NOT_GRANTED: Reason = Reason::new(
    Stage::Authz,
    "authz.parameter_not_granted",
    403,
    "This integration may not use a parameter of this request.",
    "Leave out the parameters named in `errors`, or ask the operator of the gateway, quoting the decision id.",
    "Some objects or fields of the answer are hidden from the integration, and the parameter would tell something about them: it filters \
     or sorts by a field that is not granted, or nothing says what it asks about; or the grant lists the parameters that may be used \
     (`query`) and this is none of them. Say in the overlay what the parameter asks about (`x-portcullis-filters`), grant the field, or \
     fix the parameter with `set`. The body of a search (`reads: true`) is held to the same: its fields are parameters, declared at their place in the \
     schema. `portcullis access` shows which parameters of each operation may be used, and which not and why.",
);

/// The caller sent another value than the one its grant fixes.
pub const VALUE_FIXED: Reason = Reason::new(
    Stage::Authz,
    "authz.value_fixed",
    403,
    "A value of this request is fixed for this integration and cannot be another one.",
    "Leave out the values named in `errors`; the gateway fills them in.",
    "The grant fixes the value (`set`): the gateway writes it into every request, and a caller that sends another one is refused. One that \
     sends the same value passes. `portcullis access` shows what is fixed.",
);

/// One value the gateway writes into a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixed {
    /// Where.
    pub target: FixedTarget,
    /// What.
    pub value: Json,
}

impl Fixed {
    /// The value as it stands in a query.
    pub fn text(&self) -> String {
        match &self.value {
            Json::Text(text) => text.to_string(),
            other => {
                let mut out = Vec::new();
                model::json::write(other, &mut out);
                String::from_utf8_lossy(&out).into_owned()
            }
        }
    }
}

/// The parameters of one operation for one integration, by bits of its grants.
#[derive(Debug, Default)]
pub(crate) struct ParameterRules {
    /// Query, header and cookie parameters, and those of the path that are declared to ask about fields.
    pub known: Vec<ParameterRule>,
    /// What the body asks, where the operation only reads.
    pub body: BodyRules,
    /// Whether anything is hidden under a grant, so that undeclared parameters are refused.
    pub restricted: u64,
    /// Grants that list the query parameters that may be used.
    pub listing: u64,
    /// Grants under which no object of the answer is left out.
    pub gapless: u64,
    /// Those of them for which that is so because of a fixed value.
    pub scoped: u64,
    /// Values the gateway writes.
    pub fixed: Vec<Fixed>,
}

/// One parameter.
#[derive(Debug)]
pub(crate) struct ParameterRule {
    pub name: Arc<str>,
    pub place: ParameterPlace,
    /// It is declared to ask about nothing, or to be part of paging.
    pub is_neutral: bool,
    /// Grants whose `query` admits it, or whose `writes` let it be sent.
    pub listed: u64,
    /// Grants with which it may be used.
    pub usable: Usable,
    /// Why it, or one of its values, may not be used with a grant.
    pub refused: Vec<Refused>,
}

/// What keeps a parameter from being used with one grant.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Position of the grant.
    pub grant: usize,
    /// The value, where values ask about different fields.
    pub value: Option<Arc<str>>,
    pub why: Why,
}

impl ParameterRule {
    /// The first thing that keeps it from being used with a grant.
    pub fn why(&self, grant: usize) -> Option<&Why> {
        let mut refused = self.refused.iter();
        let first = refused.find(|refused| refused.grant == grant);
        first.map(|refused| &refused.why)
    }
}

/// With which grants a parameter may be used.
#[derive(Debug)]
pub(crate) enum Usable {
    Always(u64),
    ByValue(BTreeMap<Arc<str>, u64>),
}

impl Usable {
    /// Grants with which some value may be used.
    pub fn any(&self) -> u64 {
        match self {
            Usable::Always(bits) => *bits,
            Usable::ByValue(values) => values.values().fold(0, |all, bits| all | bits),
        }
    }
}

/// Why a parameter may not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Nothing says what it asks about.
    Undeclared,
    /// It asks about a field that is not seen in full.
    Hidden(FieldPath),
    /// Objects are left out and pages are not filled again, so that any filter tells of them.
    NotRefilled,
    /// It is part of paging in a way that the gateway cannot follow.
    PageUnknown,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Why::Undeclared => f.write_str("nothing says what it asks about"),
            Why::Hidden(path) => write!(f, "it asks about `{path}`, which is not seen in full"),
            Why::NotRefilled => f.write_str("objects are left out and pages are not filled again"),
            Why::PageUnknown => f.write_str("the gateway cannot ask for a page by it"),
        }
    }
}

/// Something about parameters, pages or nested fields that `check` says at a grant's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterNote {
    /// The grant.
    pub rule: RuleRef,
    /// What.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// One parameter as a request sends it.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// Where.
    pub place: ParameterPlace,
    /// Name as declared.
    pub name: &'a str,
    /// Typed value.
    pub value: &'a Json,
}

impl Standing {
    /// Judges the parameters of a request, and its body where that is a question. Grants whose `query` does not admit one of them no longer hold; with every
    /// grant that is left, each of them has to be usable.
    ///
    /// # Errors
    /// [`PARAMETER_NOT_GRANTED`], with each parameter named.
    pub(crate) fn admit<'a>(
        &mut self,
        sent: impl Iterator<Item = Sent<'a>> + Clone,
        body: Option<&Json>,
    ) -> Result<(), Box<Refusal>> {
        let integration = self.integration.clone();
        let shared = self.rules.clone();
        let known = integration.entries.get(&self.operation);
        let Some((entry, operation)) = known.zip(shared.op(self.operation)) else {
            return Ok(());
        };
        let rules = &entry.parameters;
        if rules.restricted | rules.listing == 0 {
            return Ok(());
        }
        let sent = sent.filter(|one| !rules.is_fixed(one));
        let mut live = self.live;
        for one in sent
            .clone()
            .filter(|one| one.place == ParameterPlace::Query)
        {
            live &= rules.listed(&one);
        }
        let mut wrong = match live {
            0 => errors(sent, |one| {
                rules.listed(one) & self.live == 0 || rules.usable(one) == 0
            }),
            live => errors(sent, |one| {
                live & rules.restricted & !rules.usable(one) != 0
            }),
        };
        let asked = body.filter(|_| live & rules.restricted != 0 && asks(operation));
        if let Some(body) = asked {
            rules.body_errors(body, operation, live & rules.restricted, &mut wrong);
        }
        if live == 0 || !wrong.is_empty() {
            let names: Vec<&str> = wrong.iter().map(|e| e.pointer.as_str()).collect();
            let detail = if names.is_empty() {
                "no one grant admits these parameters together".to_owned()
            } else {
                format!("not usable with the grants that hold: {}", names.join(", "))
            };
            return Err(PARAMETER_NOT_GRANTED
                .because(detail)
                .with_errors(wrong)
                .with_rule(self.rule().cloned()));
        }
        self.narrow(live);
        Ok(())
    }

    /// Whether some value of a query parameter may be sent, as far as the grants that hold say.
    pub(crate) fn may_ask(&self, parameter: &str) -> bool {
        let Some(entry) = self.entry() else {
            return true;
        };
        let rules = &entry.parameters;
        let mut known = rules.known.iter();
        let rule =
            known.find(|rule| rule.place == ParameterPlace::Query && *rule.name == *parameter);
        let listed = rule.map_or(!rules.listing, |rule| rule.listed);
        let usable = rule.map_or(!rules.restricted, |rule| {
            rule.usable.any() | !rules.restricted
        });
        let live = self.live & listed;
        live != 0 && live & !usable == 0
    }

    /// The values the gateway writes into this request.
    pub fn fixed(&self) -> &[Fixed] {
        self.entry().map_or(&[], |entry| &entry.parameters.fixed)
    }
}

fn errors<'a>(
    sent: impl Iterator<Item = Sent<'a>>,
    is_wrong: impl Fn(&Sent<'a>) -> bool,
) -> Vec<FieldError> {
    let wrong = sent.filter(is_wrong).take(Refusal::ERRORS_MAX);
    wrong
        .map(|one| {
            let place = match one.place {
                ParameterPlace::Query => "query",
                ParameterPlace::Header => "header",
                ParameterPlace::Path => "path",
                ParameterPlace::Body => "body",
            };
            not_granted(place, one.name.chars().take(64).collect())
        })
        .collect()
}

fn not_granted(place: &'static str, pointer: String) -> FieldError {
    let what = match place {
        "body" => "field",
        _ => "parameter",
    };
    FieldError {
        place,
        pointer,
        keyword: "notGranted".into(),
        detail: format!("this {what} is declared, but you may not use it"),
        fix: "leave it out".into(),
    }
}

impl ParameterRules {
    /// Every rule, for people: of parameters, and of places in the body.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ParameterRule> {
        let body = self.body.known.values().chain(&self.body.unsaid);
        self.known
            .iter()
            .chain(body.filter(|rule| rule.listed != 0))
    }

    fn is_fixed(&self, one: &Sent<'_>) -> bool {
        let is_query = one.place == ParameterPlace::Query;
        is_query
            && self.fixed.iter().any(
                |fixed| matches!(&fixed.target, FixedTarget::Query(name) if **name == *one.name),
            )
    }

    /// The value the gateway writes for a parameter.
    fn value_set(&self, rule: &ParameterRule) -> Option<&Fixed> {
        let mut fixed = self.fixed.iter();
        fixed.find(|one| match (&one.target, rule.place) {
            (FixedTarget::Query(name), ParameterPlace::Query) => *name == rule.name,
            (FixedTarget::Body(steps), ParameterPlace::Body) => steps.join(".") == *rule.name,
            _ => false,
        })
    }

    /// What of a body may not be used with grants that hold and hide something.
    fn body_errors(
        &self,
        body: &Json,
        operation: &Operation,
        strict: u64,
        wrong: &mut Vec<FieldError>,
    ) {
        let mut tell = |at: &At<'_>, rule: Option<&ParameterRule>, value: &Json| {
            let usable = rule.map_or(0, |rule| rule.usable_as(value, self.restricted));
            if strict & !usable != 0 && wrong.len() < Refusal::ERRORS_MAX {
                let pointer = at.pointer().chars().take(200).collect();
                wrong.push(not_granted("body", pointer));
            }
        };
        body::Walk {
            rules: &self.body,
            asks: &operation.asks,
            shape: &operation.request,
            fixed: &self.fixed,
            tell: &mut tell,
        }
        .body(body);
    }

    fn rule(&self, one: &Sent<'_>) -> Option<&ParameterRule> {
        let mut known = self.known.iter();
        known.find(|rule| rule.place == one.place && *rule.name == *one.name)
    }

    /// Grants whose `query` admits a parameter; undeclared ones are admitted where nothing is listed.
    fn listed(&self, one: &Sent<'_>) -> u64 {
        if one.place == ParameterPlace::Path {
            return u64::MAX;
        }
        self.rule(one).map_or(!self.listing, |rule| rule.listed)
    }

    /// Grants with which a parameter may be used as it was sent.
    fn usable(&self, one: &Sent<'_>) -> u64 {
        match self.rule(one) {
            Some(rule) => rule.usable_as(one.value, self.restricted),
            // A path names what the request is about.
            None if one.place == ParameterPlace::Path => u64::MAX,
            None => !self.restricted,
        }
    }
}

impl ParameterRule {
    /// Grants with which it may be used with this value.
    fn usable_as(&self, value: &Json, restricted: u64) -> u64 {
        match &self.usable {
            Usable::Always(bits) => *bits,
            Usable::ByValue(values) => each(value, &|text| {
                values.get(text).copied().unwrap_or(!restricted)
            }),
        }
    }
}

/// What holds for every part of a value: the items of a list, or the value itself.
fn each(value: &Json, of: &impl Fn(&str) -> u64) -> u64 {
    match value {
        Json::List(items) => items
            .iter()
            .fold(u64::MAX, |all, item| all & each(item, of)),
        Json::Text(text) | Json::Number(text) => of(text),
        Json::Bool(is) => of(if *is { "true" } else { "false" }),
        Json::Null | Json::Object(_) => of(""),
    }
}

impl Rules {
    /// The values the gateway writes into a request of this integration, before anything else is asked.
    pub fn fixed(&self, caller: &Principal, operation: crate::OperationRef) -> &[Fixed] {
        let integration = self.integration_of(caller);
        let entry = integration.and_then(|i| i.entries.get(&operation));
        entry.map_or(&[], |entry| &entry.parameters.fixed)
    }

    /// What `check` says about parameters, pages and nested fields, at the lines of grants.
    pub fn parameter_notes(&self) -> &[ParameterNote] {
        &self.parameter_notes
    }
}

/// Whether an operation only reads, so that its parameters are questions.
fn asks(operation: &Operation) -> bool {
    !operation.is_write && !operation.response.is_empty()
}

/// Whether a parameter that names nothing is declared to.
fn tells_nothing(reveals: Option<&Reveals>) -> bool {
    reveals.is_some_and(|reveals| reveals.paths().next().is_none())
}
