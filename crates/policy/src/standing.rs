//! Where the judgement of one request stands: which grants hold, what was judged, what is still owed.
//! Exports `Standing`, `RequestFacts`, `Lookup`, `Released`.
//! Made by `decide`; moved on by the steps of [`Permit`](crate::Permit), which lie in `object`, `reads`, `parameters`, `release`.
//! Start reading at `Standing`.

use std::sync::Arc;

use model::{Cause, FieldSet, Json, ObjectRef, Refusal, RuleRef};

use crate::cedar::{self, CedarContext, EvalInput, Held};
use crate::fast::PrincipalFacts;
use crate::input::DenyAs;
use crate::plan::KindId;
use crate::reasons::{ABSENT, OBJECT_DENIED};
use crate::rules::{Entry, EntryGrant, Integration, Kind, OperationRef, Rules, Seen};

/// Where the judgement of one request stands: which grants hold, what is still owed. Read through [`Permit`](crate::Permit), which
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
    pub(crate) writes: Option<FieldSet>,
    pub(crate) deny_as: DenyAs,
    pub(crate) context: Option<CedarContext>,
    pub(crate) listener: Option<Box<str>>,
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

/// One object the gateway has to fetch and show to [`Permit::judge`](crate::Permit::judge) before the request may be forwarded.
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

    pub(crate) fn name_object(&mut self, kind: &Kind, id: &str) {
        let object = kind.object(id);
        if self.objects.len() < Released::OBJECTS_MAX && !self.objects.contains(&object) {
            self.objects.push(object);
        }
    }
}
