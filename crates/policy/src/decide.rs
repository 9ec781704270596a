//! May this caller use this operation? The answer is a `Permit`, and only `decide` makes one.
//! Exports `Question`, `decide`, `Standing`, `RequestFacts`, `Lookup`, `Released`.
//! Used by gateway::pipeline through `Permit`.
//! Start reading at `decide`.

use std::net::IpAddr;
use std::sync::Arc;

use model::text::shared;
use model::{
    Cause, FieldSet, Json, ObjectRef, Principal, Reason, Refusal, RuleRef, Stage, Timestamp,
};

use crate::cedar::{self, CedarContext, EvalInput, Held, ResourceEntity};
use crate::fast::{Found, PrincipalFacts};
use crate::input::{DenyAs, ParameterPlace};
use crate::permit::Permit;
use crate::plan::KindId;
use crate::rules::{
    Entry, EntryGrant, Integration, Operation, OperationRef, Rules, Seen, parameter_scalar,
};

/// No grant covers the operation.
pub const OPERATION_NOT_GRANTED: Reason = Reason::new(
    Stage::Authz,
    "authz.operation_not_granted",
    403,
    "This integration may not use this operation.",
    "Ask the operator of the gateway for the grant named in the scope, quoting the decision id.",
    "The operation is exposed, but no grant of the integration covers it. `portcullis explain` names the nearest grant. \
     Add the operation to a grant of the integration if the use is wanted.",
);

/// A grant covers the operation, but its condition does not hold for this request.
pub const CONDITION_FAILED: Reason = Reason::new(
    Stage::Authz,
    "authz.condition_failed",
    403,
    "This operation is granted under a condition that this request does not meet.",
    "Check the parameters, the network and the time of the call against what was agreed, or ask the operator, quoting the decision id.",
    "A grant covers the operation, but its condition over caller, network, time or parameters does not hold, or a policy forbids \
     the request. `portcullis explain` names the policy, or evaluates the conditions again and names those that do not hold; those that ask for \
     the query, which is not recorded, `portcullis can` evaluates. Change the grant's condition or the policy if the use is wanted.",
);

/// The caller may not have this object.
pub const OBJECT_DENIED: Reason = Reason::new(
    Stage::Object,
    "object.denied",
    403,
    "This integration may not use this object.",
    "Use objects that belong to the integration, or ask the operator, quoting the decision id.",
    "The operation is granted, but no grant's condition holds for the object, or a policy forbids it. An object whose attributes \
     are missing in the answer never satisfies a condition. `portcullis explain` names the policy or the conditions; what the object held is not \
     recorded, and `portcullis can` with `--object` evaluates it.",
);

/// There is no such object, or the caller may not know that there is. The gateway answers an upstream 404 of a
/// guarded operation with this same reason.
pub const ABSENT: Reason = Reason::new(
    Stage::Object,
    "object.absent",
    404,
    "There is no such object.",
    "Check the id. Objects that this integration may not see read the same as objects that do not exist.",
    "The upstream knows no such object, or the object is hidden from the integration (`deny_as: not_found`); the caller cannot tell \
     these apart. `portcullis explain` says which it was.",
);

/// The caller may not create such an object. Nothing is hidden by saying so: the request alone decided.
pub const CREATE_DENIED: Reason = Reason::new(
    Stage::Object,
    "object.create_denied",
    403,
    "This integration may not create an object with these values.",
    "Send values as they were agreed for this integration, or ask the operator, quoting the decision id.",
    "The operation is granted, but no grant's condition holds for the object as the request body describes it, or a policy forbids it. No \
     object exists yet, so none is hidden: the answer is 403 also where the grant says `deny_as: not_found`. `portcullis explain` names the policy or \
     the conditions; bodies are not recorded, and `portcullis can` with `--object` evaluates one. Change the values sent, or the grant's condition.",
);

/// The request names more objects than are looked up for one request.
pub const TOO_MANY: Reason = Reason::new(
    Stage::Object,
    "object.too_many",
    400,
    "The request names too many objects at once.",
    "Send the same in several smaller requests.",
    "Objects that a request names are looked up and judged before it is forwarded, at most `lookups_max` of them for one request \
     (a setting of the api's version, 32 where it says nothing). This is a bound, not a missing right: raise it, or lower the \
     contract's `maxItems`, so that callers see it.",
);

/// The body says that it is about another object than the path.
pub const ID_DIFFERS: Reason = Reason::new(
    Stage::Object,
    "object.id_differs",
    400,
    "The body names another object than the path.",
    "Send the id of the path in the body, or leave it out.",
    "A request is sent to one object, and the id in its body is another one (or `null`). Which of the two a system takes cannot be told, so neither is changed. The id is the member that is called like the parameter, else `id`, or the one that `id` of the kind names. Ids are not changed through the gateway.",
);

/// A body that says what to do with an object, and not what becomes of it.
pub const PATCH_STEPS: Reason = Reason::new(
    Stage::Object,
    "object.patch_steps",
    415,
    "Steps of a patch document are not accepted for this object.",
    "Send the changed fields as an object (`application/merge-patch+json` or `application/json`, as the contract declares).",
    "The integration may change the object only while a condition holds, also afterwards. What a list of steps (`application/json-patch+json`, RFC 6902) makes of the object is not worked out, so nothing is changed.",
);

/// A body in which an attribute may stand deeper than it is looked for.
pub const TOO_DEEP: Reason = Reason::new(
    Stage::Object,
    "object.too_deep",
    400,
    "The body is nested too deeply.",
    "Send it with less nesting.",
    "The condition of the grant asks for an attribute that the contract declares nowhere in the body. It is looked for wherever an undeclared field could carry it, down to 16 objects within each other. This is a bound, not a missing right: declare where the attribute stands in the body.",
);

/// What is asked at stage `authz`.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a, C = Principal> {
    /// Who asks: the proof of a caller, or mere facts where somebody only wants to know.
    pub caller: &'a C,
    /// What for; see [`Rules::operation`].
    pub operation: OperationRef,
    /// Listener the request came in by.
    pub listener: &'a str,
    /// How refused objects read on this listener where the grant does not say.
    pub deny_as: DenyAs,
    /// Client address (the first untrusted hop).
    pub address: IpAddr,
    /// Decoded values of the path template's parameters.
    pub path: &'a [(Arc<str>, String)],
    /// Decoded query pairs as sent.
    pub query: &'a [(String, String)],
    /// The moment of the request.
    pub now: Timestamp,
}

/// Decides whether the caller may use the operation at all. The permit is this caller's, for this operation.
///
/// # Errors
/// [`OPERATION_NOT_GRANTED`] or [`CONDITION_FAILED`].
pub fn decide<C: AsRef<Principal> + Clone>(
    question: &Question<'_, C>,
    rules: &Arc<Rules>,
) -> Result<Permit<C>, Box<Refusal>> {
    let standing = stand(&question.of_facts(), rules)?;
    Ok(Permit::new(question.caller.clone(), standing))
}

impl Rules {
    /// Whether a grant of this caller names the operation, whatever its conditions say of a single request.
    pub fn grants(&self, caller: &Principal, operation: OperationRef) -> bool {
        let integration = self.integration_of(caller);
        integration.is_some_and(|i| i.entries.get(&operation).is_some())
    }
}

impl<'a, C: AsRef<Principal>> Question<'a, C> {
    /// The same question, asked of the facts alone.
    fn of_facts(&self) -> Question<'a> {
        Question {
            caller: self.caller.as_ref(),
            operation: self.operation,
            listener: self.listener,
            deny_as: self.deny_as,
            address: self.address,
            path: self.path,
            query: self.query,
            now: self.now,
        }
    }
}

fn stand(question: &Question<'_>, rules: &Arc<Rules>) -> Result<Standing, Box<Refusal>> {
    let Some(operation) = rules.op(question.operation) else {
        return Err(OPERATION_NOT_GRANTED.because("the operation is not of these rules"));
    };
    let integration = rules.integration_of(question.caller);
    let Some((integration, entry)) =
        integration.and_then(|i| Some((i, i.entries.get(&question.operation)?)))
    else {
        return Err(not_granted(question, operation));
    };
    let context = integration
        .is_on_context
        .then(|| context(question, operation));
    let live = live(entry, integration, operation, question, context.as_ref())?;
    Ok(Standing {
        rules: rules.clone(),
        integration: integration.clone(),
        operation: question.operation,
        live,
        decided: live,
        proven: live,
        writes: (entry.writes_differ(live)).then(|| entry.writes_of(live)),
        deny_as: question.deny_as,
        context,
        listener: integration.is_on_listener.then(|| question.listener.into()),
        is_asked: !owes(operation, entry),
        is_judged: false,
        roots_closed: 0,
        lookups: 0,
        pending: Vec::new(),
        objects: Vec::new(),
    })
}

fn not_granted(question: &Question<'_>, operation: &Operation) -> Box<Refusal> {
    let scope = format!("{}:{}", operation.api, operation.id);
    let mut refusal = OPERATION_NOT_GRANTED.because(format!(
        "no grant of `{}` covers `{scope}`",
        question.caller.integration
    ));
    refusal.scope = Some(scope);
    refusal
}

/// The grants that hold as far as the request alone can tell.
fn live(
    entry: &Entry,
    integration: &Integration,
    operation: &Operation,
    question: &Question<'_>,
    context: Option<&CedarContext>,
) -> Result<u64, Box<Refusal>> {
    let open = entry.always | (entry.waits() & !entry.on_request);
    let Some(set) = &entry.at_request else {
        return Ok(open);
    };
    let empty = CedarContext::empty();
    let scene = EvalInput {
        principal: &integration.being,
        who: PrincipalFacts {
            attributes: &integration.attributes,
            listener: Some(question.listener),
        },
        action: &operation.action,
        context: context.unwrap_or(&empty),
    };
    let held = set
        .judge_plain(&scene, |_| Found::Other)
        .unwrap_or_else(|| set.judge(&scene, ResourceEntity::none()));
    let live = open | held.grants;
    if held.forbidden.is_none() && live != 0 {
        return Ok(live);
    }
    let rule = held.forbidden.clone();
    let first = || entry.grants.first().map(|g| g.rule.clone());
    let detail = match &rule {
        Some(rule) => format!("{rule} forbids"),
        None => "no grant's condition holds for this request".to_owned(),
    };
    let cause = rule.as_ref().map(|_| Cause::Policy);
    Err(CONDITION_FAILED
        .because(detail)
        .with_cause(cause)
        .with_rule(rule.or_else(first)))
}

/// The facts of the request that conditions may ask for, typed as the contract declares them.
pub(crate) fn context(question: &Question<'_>, operation: &Operation) -> CedarContext {
    let typed = |name: &str, text: &str| {
        let scalar = parameter_scalar(&operation.parameters, name)?;
        Some((name.to_owned(), cedar::text_expression(text, scalar)?))
    };
    let path = question
        .path
        .iter()
        .filter_map(|(name, text)| typed(name, text))
        .collect();
    let is_query = |name: &str| {
        let mut query = operation.parameters.iter();
        query.any(|p| p.place == ParameterPlace::Query && &*p.name == name)
    };
    let count = |name: &str| question.query.iter().filter(|(n, _)| n == name).count();
    // A parameter sent twice has no one value; it satisfies nothing.
    let query = question
        .query
        .iter()
        .filter(|(name, _)| is_query(name) && count(name) == 1)
        .filter_map(|(name, text)| typed(name, text))
        .collect();
    cedar::context(
        path,
        query,
        question.address,
        question.listener,
        question.now,
    )
}

/// Whether anything has to be judged before the request may be forwarded.
fn owes(operation: &Operation, entry: &Entry) -> bool {
    let is_told_later = !operation.is_write && operation.is_told_by_answer();
    (entry.at_object.is_some() && !is_told_later)
        || !operation.named.is_empty()
        || operation.has_body_references
}

/// Where the judgement of one request stands: which grants hold, what is still owed. Read through [`Permit`], which
/// says whose request it is; nobody else can move it on.
#[derive(Debug)]
pub struct Standing {
    pub(crate) rules: Arc<Rules>,
    pub(crate) integration: Arc<Integration>,
    pub(crate) operation: OperationRef,
    /// Bits of the grants that hold as far as request and judged objects can tell.
    pub(crate) live: u64,
    /// The same before any object was judged.
    pub(crate) decided: u64,
    /// Those of them that hold for every object judged so far.
    pub(crate) proven: u64,
    writes: Option<FieldSet>,
    deny_as: DenyAs,
    context: Option<CedarContext>,
    listener: Option<Box<str>>,
    pub(crate) is_asked: bool,
    /// The object that the path names was judged, before the answer or for want of it in the answer.
    pub(crate) is_judged: bool,
    /// Bits of the grants whose condition does not hold for another object that the path names: nothing of the answer's
    /// root leaves by them.
    pub(crate) roots_closed: u64,
    /// Objects asked for so far.
    pub(crate) lookups: usize,
    pub(crate) pending: Vec<(Lookup, Role)>,
    pub(crate) objects: Vec<ObjectRef>,
}

/// Why an object is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The request is about it.
    Subject(KindId),
    /// The path names it above or beside the one the request is about; with its position in [`Operation::named`].
    Parent(KindId, usize),
    /// The body describes it as new, but with an id.
    Item(KindId),
    /// The request names it.
    Reference(KindId),
}

/// What stage `object` needs to know of the validated request.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestFacts<'a> {
    /// Decoded values of the path template's parameters.
    pub path: &'a [(Arc<str>, String)],
    /// Decoded query pairs.
    pub query: &'a [(String, String)],
    /// The body, where it is JSON (or a form read as JSON).
    pub body: Option<&'a Json>,
}

/// One object the gateway has to fetch and show to [`Permit::judge`] before the request may be forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Kind, e.g. `WorkOrder`.
    pub kind: Arc<str>,
    /// Its id as the request names it.
    pub id: String,
    /// Operation that fetches it.
    pub operation: OperationRef,
    /// Values of that operation's path parameters.
    pub path: Vec<(Arc<str>, String)>,
}

/// What may leave of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// JSON text of the body; empty only when the upstream sent none.
    pub body: Vec<u8>,
    /// Values let out.
    pub fields_out: u32,
    /// Values the upstream sent.
    pub fields_seen: u32,
    /// List items and nested objects held back.
    pub withheld: u32,
    /// The objects let out or judged; at most [`Released::OBJECTS_MAX`].
    pub objects: Vec<ObjectRef>,
    /// None of the objects of a list may be seen: the body is the one form for it, and nothing else of the answer may say more.
    pub is_blank: bool,
}

impl Released {
    /// Most objects named.
    pub const OBJECTS_MAX: usize = 32;
}

impl Standing {
    /// What the request's body may hold; everything else in it is refused by stage `validate`.
    pub fn writes(&self) -> &FieldSet {
        static NOTHING: FieldSet = FieldSet {
            is_whole: false,
            fields: std::collections::BTreeMap::new(),
            each: None,
        };
        match (&self.writes, self.entry()) {
            (Some(writes), _) => writes,
            (None, Some(entry)) => &entry.writes,
            (None, None) => &NOTHING,
        }
    }

    /// Goes on with some of the grants only.
    pub(crate) fn narrow(&mut self, live: u64) {
        if live == self.live {
            return;
        }
        self.live = live;
        let integration = self.integration.clone();
        let entry = integration.entries.get(&self.operation);
        self.writes = entry
            .filter(|entry| entry.writes_differ(live))
            .map(|entry| entry.writes_of(live));
    }

    /// The grant that carries the permit (the first one, when several do).
    pub fn rule(&self) -> Option<&RuleRef> {
        self.entry()?.held(self.live).next().map(|g| &g.rule)
    }

    /// The grants that hold as far as is known, and whether an object has still to be judged for them.
    pub fn grants(&self) -> impl Iterator<Item = (&RuleRef, bool)> {
        let (live, entry) = (self.live, self.entry());
        let waits = entry.map_or(0, Entry::waits);
        let grants = entry
            .into_iter()
            .flat_map(|entry| (0u32..).zip(&entry.grants));
        grants
            .filter(move |(bit, _)| live.checked_shr(*bit).unwrap_or(0) & 1 == 1)
            .map(move |(bit, grant)| (&grant.rule, waits.checked_shr(bit).unwrap_or(0) & 1 == 1))
    }

    /// The grants that hold for every object judged so far.
    pub fn proven_grants(&self) -> impl Iterator<Item = &RuleRef> {
        let entry = self.entry().into_iter();
        entry
            .flat_map(|entry| entry.held(self.live & self.proven))
            .map(|grant| &grant.rule)
    }

    /// Whether nothing is owed before the request may be forwarded.
    pub fn is_cleared(&self) -> bool {
        self.is_asked && self.pending.is_empty()
    }

    /// The objects judged so far, for the ledger (also of refused requests).
    pub fn objects(&self) -> &[ObjectRef] {
        &self.objects
    }

    pub(crate) fn entry(&self) -> Option<&Entry> {
        self.integration.entries.get(&self.operation)
    }

    /// Which of the live grants hold for one object of the operation.
    pub(crate) fn held(&self, entry: &Entry, kind: KindId, seen: &Seen<'_>) -> Held {
        let Some(set) = &entry.at_object else {
            return Held {
                grants: self.live,
                forbidden: None,
            };
        };
        let judged = self.judged(set, self.operation, kind, seen);
        let free = self.live & !entry.on_object;
        Held {
            grants: match judged.forbidden {
                Some(_) => 0,
                None => (judged.grants & self.live) | free,
            },
            forbidden: judged.forbidden,
        }
    }

    pub(crate) fn judged(
        &self,
        set: &cedar::ConditionSet,
        operation: OperationRef,
        kind: KindId,
        seen: &Seen<'_>,
    ) -> Held {
        let (Some(operation), Some(kind)) = (self.rules.op(operation), self.rules.kind(kind))
        else {
            return Held::default();
        };
        let empty = CedarContext::empty();
        let scene = EvalInput {
            principal: &self.integration.being,
            who: PrincipalFacts {
                attributes: &self.integration.attributes,
                listener: self.listener.as_deref(),
            },
            action: &operation.action,
            context: self.context.as_ref().unwrap_or(&empty),
        };
        kind.judge(set, &scene, seen)
    }

    /// Whether the caller may see an object of a kind by any of the operations that are about that kind.
    /// `None` when no grant of the integration is about that kind.
    pub(crate) fn may_see(&self, kind: KindId, seen: &Seen<'_>) -> Option<bool> {
        let references = self.integration.by_kind.get(&kind)?;
        let entries = || {
            references
                .iter()
                .filter_map(|r| Some((*r, self.integration.entries.get(r)?)))
        };
        if entries().any(|(_, entry)| entry.is_open()) {
            return Some(true);
        }
        Some(
            entries()
                .any(|(reference, entry)| self.held_elsewhere(reference, entry, kind, seen) != 0),
        )
    }

    /// Bits of the grants of a reading operation that hold for an object, wherever it was met.
    pub(crate) fn held_elsewhere(
        &self,
        reference: OperationRef,
        entry: &Entry,
        kind: KindId,
        seen: &Seen<'_>,
    ) -> u64 {
        // What another object forbids or decides cannot be told from this one.
        if entry.at_named.iter().any(|(_, set)| set.has_forbid()) {
            return 0;
        }
        let judged = |set: &Option<cedar::ConditionSet>| {
            let set = set.as_ref();
            set.map(|set| self.judged(set, reference, kind, seen))
                .unwrap_or_default()
        };
        let (request, object) = (judged(&entry.at_request), judged(&entry.at_object));
        match (request.forbidden, object.forbidden) {
            (None, None) => entry.always | (request.grants & !entry.waits()) | object.grants,
            _ => 0,
        }
    }

    /// Whether objects of this kind need no look: `Some(true)` all are visible, `Some(false)` each is judged,
    /// `None` no grant is about them.
    pub(crate) fn sees_all(&self, kind: KindId) -> Option<bool> {
        let references = self.integration.by_kind.get(&kind)?;
        let mut entries = references
            .iter()
            .filter_map(|r| self.integration.entries.get(r));
        Some(entries.any(Entry::is_open))
    }

    /// Whether verdicts on objects of this kind depend on their attributes alone.
    pub(crate) fn is_repeatable(&self, kind: KindId) -> bool {
        let references = self.integration.by_kind.get(&kind);
        references.into_iter().flatten().all(|reference| {
            let entry = self.integration.entries.get(reference);
            let mut sets = entry.into_iter().flat_map(Entry::sets);
            sets.all(|set| !set.needs.is_on_identity)
        })
    }

    /// How a refused object reads: hidden as soon as one of the grants hides.
    pub(crate) fn deny_as(&self) -> DenyAs {
        let hides = |grant: &EntryGrant| grant.deny_as.unwrap_or(self.deny_as) == DenyAs::NotFound;
        match self.entry() {
            Some(entry) if !entry.held(self.decided).any(hides) => DenyAs::Forbidden,
            _ => DenyAs::NotFound,
        }
    }

    /// The refusal of an object for what its conditions or a policy say.
    pub(crate) fn refuse_for(
        &self,
        cause: Cause,
        detail: String,
        policy: Option<RuleRef>,
    ) -> Box<Refusal> {
        let mut refusal = self.refuse(detail, policy);
        refusal.why = refusal.why.or(Some(cause));
        refusal
    }

    /// The refusal of an object, by `deny_as`. `rule` is that of a policy that forbids it.
    pub(crate) fn refuse(&self, detail: String, rule: Option<RuleRef>) -> Box<Refusal> {
        // Only a policy is named by whoever refuses.
        let cause = rule.is_some().then_some(Cause::Policy);
        let rule = rule.or_else(|| self.rule().cloned());
        let mut refusal = OBJECT_DENIED.because(detail).with_rule(rule);
        refusal.why = cause;
        if self.deny_as() == DenyAs::NotFound {
            refusal.status = ABSENT.status;
            refusal.conceal = Some(&ABSENT);
        }
        refusal
    }

    pub(crate) fn name_object(&mut self, kind: &Arc<str>, id: &str) {
        let object = ObjectRef {
            kind: shared(kind),
            id: id.into(),
        };
        if self.objects.len() < Released::OBJECTS_MAX && !self.objects.contains(&object) {
            self.objects.push(object);
        }
    }
}
