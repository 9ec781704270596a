//! The compiled rules: small pieces per (integration, operation), found in one step.
//! Exports `Rules`, `OperationRef`, `compile`. The cost of a decision does not depend on how many rules there are.
//! Used by decide, object, release, access and near misses.
//! Start reading at `compile`; the steps are in `build`.

mod build;
mod change;
pub(crate) mod check;
mod entries;

pub(crate) use build::is_told_by_path;
pub(crate) use change::{Change, Overlay};
#[cfg(test)]
pub(crate) use check::write_path;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::shape::{Domain, Scalar};
use model::text::shared;
use model::{
    FieldSet, IntegrationId, Json, MessageKind, Mistake, ObjectRef, Principal, RuleRef, Shape,
};

use crate::cedar::{
    AttributeType, ConditionSet, EntityRef, EvalInput, Held, ResourceEntity, TypeName, Uid,
    expression, text_expression,
};
use crate::errors::{ErrorGround, ErrorPlans};
use crate::fast::{Atom, Found};
use crate::input::{Condition, DenyAs, FixedTarget, ParameterShape, PolicyInput, Source, Spot};
use crate::nested::Inner;
use crate::pages::Pages;
use crate::parameters::{BodyAsks, Fixed, ParameterNote, ParameterRules};
use crate::plan::{KindId, Plan, ResponseShape, Trees};
use crate::scope::Term;
use change::{Reached, reach};
use entries::Entries;

/// Most grants of one integration that may cover one operation.
pub const GRANTS_PER_OPERATION_MAX: usize = 64;

/// Everything that decides, compiled. Immutable; swapped whole.
#[derive(Debug, Default)]
pub struct Rules {
    pub(crate) operations: Vec<Operation>,
    pub(crate) by_name: HashMap<Arc<str>, HashMap<Arc<str>, OperationRef>>,
    pub(crate) kinds: Vec<Kind>,
    /// By [`IntegrationId`], which is their order in the input.
    pub(crate) integrations: Vec<Arc<Integration>>,
    pub(crate) integration_ids: HashMap<Arc<str>, IntegrationId>,
    pub(crate) parameter_notes: Vec<ParameterNote>,
}

/// One operation of one api version. Valid for the rules that gave it, and for no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationRef(pub(crate) u32);

impl OperationRef {
    /// Its place among the operations of these rules, for tables.
    pub const fn place(self) -> usize {
        self.0 as usize
    }
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    pub api: Arc<str>,
    pub id: Arc<str>,
    pub is_write: bool,
    pub action: Uid,
    pub response: Arc<Shape>,
    pub errors: Vec<ErrorGround>,
    pub request: Arc<Shape>,
    /// What the request body is as a whole.
    pub body_kind: MessageKind,
    /// What the answer is as a whole.
    pub response_kind: MessageKind,
    /// Why the declared request body is not carried.
    pub lost_body: Option<Arc<str>>,
    /// What the request body asks about, where the operation only reads.
    pub asks: BodyAsks,
    pub parameters: Vec<ParameterShape>,
    pub guards: Vec<Option<KindId>>,
    pub leads: Vec<bool>,
    /// Whether the answer has places for objects, none of them in a list or a map.
    pub is_single: bool,
    /// Whether there is more than one place for objects.
    pub has_several: bool,
    /// A write that may answer with another object than the one it makes or changes.
    pub answers_other: bool,
    pub request_guards: Vec<Option<KindId>>,
    pub request_leads: Vec<bool>,
    /// Kinds of the resource objects; empty when there are none.
    pub resources: Vec<KindId>,
    /// The one object the request names as what it is about: kind and the path parameter (or the id in the body).
    pub subject: Option<(KindId, Source)>,
    /// Other objects named by parameters.
    pub named: Vec<Named>,
    /// Most objects that one request may have looked up.
    pub lookups_max: usize,
    /// The parameter the path ends with.
    pub ends_in: Option<Arc<str>>,
    /// Where a read's answer shows the object that the path names.
    pub shown: Shown,
    /// Whether the request body names other objects.
    pub has_body_references: bool,
    /// Two kinds that one place may hold; no grant may use such an operation.
    pub ambiguous: Option<(Arc<str>, Arc<str>)>,
    /// What the body is to that object.
    pub change: Change,
    /// The list of its answer.
    pub pages: Pages,
}

/// An object that a parameter names, other than the one the operation is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    pub kind: KindId,
    /// Position among the operation's parameters.
    pub parameter: usize,
    /// The contract says so (`x-portcullis-refers-to`), not only the kind's `id`.
    pub is_outright: bool,
}

/// Where a read's answer shows the object that the path names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Nowhere: it has to be looked up.
    #[default]
    Nowhere,
    /// The answer is that object.
    Root,
    /// At this place, provided that the id there is the one asked for.
    Inside {
        steps: Steps,
        /// It may stand there without an id: the path ends with the object, or looking up reads it here.
        is_trusted: bool,
    },
}

/// Steps from the root of a body to an object.
pub(crate) type Steps = Vec<Arc<str>>;

/// The step into the items of a list.
pub(crate) const EACH: &str = "*";

impl Operation {
    pub fn ground(&self) -> ResponseShape<'_> {
        ResponseShape {
            shape: &self.response,
            guards: &self.guards,
            leads: &self.leads,
        }
    }

    /// Whether no successful answer has a body that is declared. One that is a file has no fields, and is one all the same.
    pub fn answers_nothing(&self) -> bool {
        self.response.is_empty() && self.response_kind == MessageKind::Fields
    }

    /// Whether no body is declared for the request.
    pub fn takes_nothing(&self) -> bool {
        self.request.is_empty() && self.body_kind == MessageKind::Fields
    }

    /// Whether a read's answer shows what has to be judged, so that nothing is owed before it.
    pub fn is_told_by_answer(&self) -> bool {
        match &self.subject {
            Some((_, Source::Path(_))) => self.shown != Shown::Nowhere,
            _ => self.ground().is_guarded(),
        }
    }

    /// Whether grants of the operation are about a kind of its objects, and not only show what a write happens to answer with.
    pub fn is_about(&self, kind: KindId) -> bool {
        let subject = self.subject.as_ref();
        !self.answers_other || subject.is_some_and(|(subject, _)| *subject == kind)
    }

    /// Whether only the object that the path names can stand in a read's answer.
    pub fn shows_named(&self) -> bool {
        match self.shown {
            Shown::Root => true,
            Shown::Inside { is_trusted, .. } => is_trusted,
            Shown::Nowhere => false,
        }
    }

    /// Whether a request may name objects besides the one it is about.
    pub fn has_references(&self) -> bool {
        !self.named.is_empty() || self.has_body_references
    }

    pub fn request_ground(&self) -> ResponseShape<'_> {
        ResponseShape {
            shape: &self.request,
            guards: &self.request_guards,
            leads: &self.request_leads,
        }
    }
}

/// One object kind of one api version.
#[derive(Debug)]
pub(crate) struct Kind {
    pub api: Arc<str>,
    pub schema: Arc<str>,
    pub type_name: TypeName,
    pub type_text: String,
    pub id: Source,
    /// The operation that fetches it and that operation's parameter for the id.
    pub resolve: Option<(OperationRef, Arc<str>)>,
    pub attributes: Vec<Attribute>,
    /// Whether each object of it is a person.
    pub is_person: bool,
}

impl Kind {
    /// An object of this kind, as records name it.
    pub fn object(&self, id: &str) -> ObjectRef {
        ObjectRef {
            kind: shared(&self.schema),
            id: id.into(),
            is_person: self.is_person,
        }
    }
}

/// One attribute of a kind.
#[derive(Debug)]
pub(crate) struct Attribute {
    /// Its position among the attributes of the kind.
    pub index: usize,
    pub name: Arc<str>,
    pub source: Source,
    pub kind: AttributeType,
    /// The values it can have, or each of them where it is a list; `None` where the contract leaves them open.
    pub domain: Option<Arc<Domain>>,
}

/// One integration.
#[derive(Debug)]
pub(crate) struct Integration {
    pub name: Arc<str>,
    pub being: EntityRef,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    pub entries: Entries,
    /// By which operations it may see objects of a kind: reading ones where it has any.
    pub by_kind: HashMap<KindId, Vec<OperationRef>>,
    /// What it may see of objects of a kind that stand inside others, where a grant says so.
    pub inner: HashMap<KindId, Inner>,
    /// Whether any of its conditions asks the engine about the request.
    pub is_on_context: bool,
    /// Whether any of its conditions asks for the listener alone.
    pub is_on_listener: bool,
}

/// Everything about one integration and one operation.
#[derive(Debug)]
pub(crate) struct Entry {
    pub grants: Vec<EntryGrant>,
    /// Bits of the grants that hold without asking.
    pub always: u64,
    /// Conditions and policies that the request alone decides.
    pub at_request: Option<ConditionSet>,
    /// Conditions and policies that need the object.
    pub at_object: Option<ConditionSet>,
    /// Bits of the grants whose condition needs the object.
    pub on_object: u64,
    /// Conditions and policies about other objects that the path names, by position in [`Operation::named`].
    pub at_named: Vec<(usize, ConditionSet)>,
    /// Bits of the grants whose condition needs one of those.
    pub on_named: u64,
    /// Bits of those of both whose condition also asks for the request: that part is decided first.
    pub on_request: u64,
    /// Bits of the grants that let something of the answer's root leave (`$.`).
    pub roots: u64,
    /// What leaves under each combination of grants that is worth preparing.
    pub plans: Vec<(u64, Arc<Plan>)>,
    /// The same for answers that report an error; empty where no grant lists error fields.
    pub errors: Vec<ErrorPlans>,
    /// What all grants together let be sent.
    pub writes: FieldSet,
    /// Which parameters may be used.
    pub parameters: ParameterRules,
}

/// One grant, as it applies to one operation.
#[derive(Debug)]
pub(crate) struct EntryGrant {
    pub rule: RuleRef,
    /// Where it stands, and where in it the operation is named.
    pub whole: Spot,
    pub spot: Spot,
    pub role: Option<Arc<str>>,
    pub condition: Option<Condition>,
    pub trees: Arc<Trees>,
    /// What may be seen of error answers.
    pub errors: Arc<Trees>,
    pub writes: FieldSet,
    pub deny_as: Option<DenyAs>,
    /// The query parameters that may be used; `None` for all that are usable.
    pub query: Option<Vec<Arc<str>>>,
    /// Values the gateway writes.
    pub fixed: Vec<Fixed>,
    /// The comparisons its condition consists of, where it consists of nothing else.
    pub terms: Option<Vec<Term>>,
}

impl Entry {
    /// Whether every object satisfies it, whatever it is like and whoever asks.
    pub fn is_open(&self) -> bool {
        self.always != 0 && !self.sets().any(ConditionSet::has_forbid)
    }

    /// Bits of the grants that an object decides.
    pub fn waits(&self) -> u64 {
        self.on_object | self.on_named
    }

    /// Everything that is asked.
    pub fn sets(&self) -> impl Iterator<Item = &ConditionSet> {
        let named = self.at_named.iter().map(|(_, set)| set);
        self.at_request.iter().chain(&self.at_object).chain(named)
    }

    /// What leaves when these grants hold.
    pub fn plan(&self, operation: &Operation, held: u64) -> Arc<Plan> {
        if let Some((_, plan)) = self.plans.iter().find(|(bits, _)| *bits == held) {
            return plan.clone();
        }
        Arc::new(Plan::build(operation.ground(), &self.trees(held)))
    }

    pub fn trees(&self, held: u64) -> Vec<&Trees> {
        self.held(held).map(|grant| &*grant.trees).collect()
    }

    /// The grants with these bits.
    pub fn held(&self, held: u64) -> impl Iterator<Item = &EntryGrant> + use<'_> {
        self.grants
            .iter()
            .enumerate()
            .filter(move |(bit, _)| held >> bit & 1 == 1)
            .map(|(_, grant)| grant)
    }

    /// Whether fewer grants than all of them decide what may be sent.
    pub fn writes_differ(&self, held: u64) -> bool {
        self.held(held).count() != self.grants.len()
    }

    /// What these grants let be sent.
    pub fn writes_of(&self, held: u64) -> FieldSet {
        let mut writes = FieldSet::default();
        for grant in self.held(held) {
            writes.union(&grant.writes);
            // What the gateway itself writes need not be granted to the caller.
            for fixed in &grant.fixed {
                if let FixedTarget::Body(steps) = &fixed.target {
                    writes.add(steps);
                }
            }
        }
        writes
    }
}

impl Kind {
    /// The attributes of one object that conditions ask for. `overlay` is a request body that changes the object.
    fn attributes_of<'a>(&'a self, needed: &ConditionSet, seen: &Seen<'_>) -> ResourceEntity<'a> {
        let attributes = self
            .attributes
            .iter()
            .filter(|a| {
                needed.needs.is_on_identity || needed.needs.object_attributes.contains(&*a.name)
            })
            .filter_map(|a| Some((&*a.name, seen.attribute(a)?)))
            .collect();
        ResourceEntity {
            kind: Some(&self.type_name),
            id: "",
            attributes,
        }
    }

    /// Judges one object against a set of conditions.
    pub fn judge(&self, set: &ConditionSet, scene: &EvalInput<'_>, seen: &Seen<'_>) -> Held {
        set.judge_plain(scene, |name| self.look(name, seen))
            .unwrap_or_else(|| self.judge_by_engine(set, scene, seen))
    }

    /// The same, asked of the policy engine.
    pub fn judge_by_engine(
        &self,
        set: &ConditionSet,
        scene: &EvalInput<'_>,
        seen: &Seen<'_>,
    ) -> Held {
        let thing = ResourceEntity {
            id: seen.id.unwrap_or_default(),
            ..self.attributes_of(set, seen)
        };
        set.judge(scene, thing)
    }

    /// One attribute of an object, for conditions that need no engine.
    pub fn look<'a>(&self, name: &str, seen: &Seen<'a>) -> Found<'a> {
        let attribute = self.attributes.iter().find(|a| &*a.name == name);
        attribute.map_or(Found::Missing, |attribute| seen.atom(attribute))
    }
}

/// An object as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen<'a> {
    pub id: Option<&'a str>,
    pub path: &'a [(Arc<str>, String)],
    pub object: Option<&'a Json>,
    /// A request body that is about to change it.
    pub overlay: Option<Overlay<'a>>,
}

impl<'a> Seen<'a> {
    /// The value an attribute will be judged by; `None` when it is missing.
    pub fn value(&self, attribute: &Attribute, steps: &[Arc<str>]) -> Option<&'a Json> {
        match self.overlay.map(|overlay| overlay.reach(attribute, steps)) {
            Some(Reached::Value(value)) => Some(value),
            Some(Reached::Cut) => None,
            Some(Reached::Nothing) | None => match reach(self.object?, steps) {
                Reached::Value(value) => Some(value),
                _ => None,
            },
        }
    }

    fn attribute(&self, attribute: &Attribute) -> Option<cedar_policy::RestrictedExpression> {
        match &attribute.source {
            Source::Body(steps) => expression(self.value(attribute, steps)?, attribute.kind),
            Source::Path(name) => {
                let (_, text) = self.path.iter().find(|(n, _)| n == name)?;
                text_expression(text, attribute.kind.scalar)
            }
        }
    }

    /// The same, where it is a plain value that needs no engine.
    fn atom(&self, attribute: &Attribute) -> Found<'a> {
        if attribute.kind.is_list {
            return Found::Other;
        }
        let scalar = attribute.kind.scalar;
        match &attribute.source {
            Source::Body(steps) => match (self.value(attribute, steps), scalar) {
                (None, _) => Found::Missing,
                (_, Scalar::Number) => Found::Other,
                (Some(Json::Text(text)), Scalar::Text) => Found::Atom(Atom::Text(text)),
                (Some(Json::Bool(is)), Scalar::Boolean) => Found::Atom(Atom::Bool(*is)),
                (Some(Json::Number(digits)), Scalar::Integer) => long(digits),
                (Some(_), _) => Found::Missing,
            },
            Source::Path(name) => {
                let text = self.path.iter().find(|(n, _)| n == name);
                match (text, scalar) {
                    (None, _) => Found::Missing,
                    (_, Scalar::Number) => Found::Other,
                    (Some((_, text)), Scalar::Text) => Found::Atom(Atom::Text(text)),
                    (Some((_, text)), Scalar::Integer) => long(text),
                    (Some((_, text)), Scalar::Boolean) => text
                        .parse()
                        .map_or(Found::Missing, |is| Found::Atom(Atom::Bool(is))),
                }
            }
        }
    }

    /// The values an attribute set depends on, as a key for remembering verdicts.
    pub fn key(&self, kind: &Kind, out: &mut Vec<u8>) {
        for attribute in &kind.attributes {
            if let Source::Body(steps) = &attribute.source
                && let Some(value) = self.value(attribute, steps)
            {
                model::json::write(value, out);
            }
            // No JSON text holds this byte.
            out.push(0);
        }
    }
}

fn long(digits: &str) -> Found<'static> {
    digits
        .parse()
        .map_or(Found::Missing, |value| Found::Atom(Atom::Long(value)))
}

/// Compiles grants and policies.
///
/// # Errors
/// Every mistake found, with file and line.
pub fn compile(input: PolicyInput) -> Result<Rules, Vec<Mistake>> {
    build::Build::default().run(input)
}

impl Rules {
    /// The operation with this id, for the route table.
    pub fn operation(&self, api: &str, id: &str) -> Option<OperationRef> {
        self.by_name.get(api)?.get(id).copied()
    }

    /// Whether any grant of the integration covers the operation, whatever its condition.
    pub fn is_granted(&self, integration: &str, operation: OperationRef) -> bool {
        let known = self.integration_named(integration);
        known.is_some_and(|known| known.entries.get(&operation).is_some())
    }

    /// Whether the path of an operation names the object that it is about.
    pub fn names_object_in_path(&self, operation: OperationRef) -> bool {
        let subject = self.op(operation).and_then(|known| known.subject.as_ref());
        matches!(subject, Some((_, Source::Path(_))))
    }

    /// Every operation these rules know, each at the place that its reference names ([`OperationRef::place`]).
    pub fn operations(&self) -> usize {
        self.operations.len()
    }

    /// The place of an integration in these rules.
    pub fn integration_id(&self, name: &str) -> Option<IntegrationId> {
        self.integration_ids.get(name).copied()
    }

    /// The integration of a caller. An id of another configuration finds nobody, whoever stands at its place here.
    pub(crate) fn integration_of(&self, caller: &Principal) -> Option<&Arc<Integration>> {
        let integration = self.integrations.get(caller.id.place())?;
        (integration.name == caller.integration).then_some(integration)
    }

    pub(crate) fn integration_named(&self, name: &str) -> Option<&Arc<Integration>> {
        self.integrations.get(self.integration_id(name)?.place())
    }

    /// Operation id.
    pub fn operation_id(&self, operation: OperationRef) -> &str {
        self.op(operation).map_or("", |op| &*op.id)
    }

    /// Whether answers of this operation hold judged objects, or its path names one. The gateway renders an upstream
    /// 404 of such an operation with [`crate::ABSENT`], so that a hidden object and an absent one read the same.
    pub fn is_guarded(&self, operation: OperationRef) -> bool {
        self.op(operation)
            .is_some_and(|op| !op.resources.is_empty())
    }

    /// Whether this operation may change something.
    pub fn is_write(&self, operation: OperationRef) -> bool {
        self.op(operation).is_some_and(|op| op.is_write)
    }

    pub(crate) fn op(&self, operation: OperationRef) -> Option<&Operation> {
        self.operations.get(operation.0 as usize)
    }

    pub(crate) fn kind(&self, kind: KindId) -> Option<&Kind> {
        self.kinds.get(kind)
    }
}

/// The type of a declared parameter.
pub(crate) fn parameter_scalar(parameters: &[ParameterShape], name: &str) -> Option<Scalar> {
    parameters
        .iter()
        .find(|p| &*p.name == name)
        .map(|p| p.scalar)
}
