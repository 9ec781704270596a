//! Leave for one caller to use one operation once. Whose it is cannot be changed, and it is used up by one answer.
//! Exports `Permit`. Made by `decide` alone; the steps that move it on are in `object`, `reads`, `parameters`, `release`.
//! Used by gateway::pipeline, and by whoever wants to know what would be permitted.
//! Start reading at `Permit`.

use std::ops::Deref;

use model::{Json, Principal, Refusal};

use crate::parameters::Sent;
use crate::rules::OperationRef;
use crate::standing::{Lookup, Released, RequestFacts, Standing};

/// Leave for `C` to use one operation once, with what is owed for it.
///
/// `C` says what the leave is good for. The gateway forwards and releases by a `Permit` of a proven caller only, so that a
/// permit of mere facts ([`Principal`]), which anybody may ask for to learn what would be permitted, opens nothing:
///
/// ```compile_fail,E0308
/// struct Caller;
/// fn forward(_: &policy::Permit<Caller>) {}
/// fn suppose(permit: policy::Permit) {
///     forward(&permit);
/// }
/// ```
///
/// Nobody but [`crate::decide`] makes one, and nobody gives one to another caller or puts another's judgement into it:
///
/// ```compile_fail,E0451
/// fn hand_over<C>(permit: policy::Permit<C>, thief: C) -> policy::Permit<C> {
///     policy::Permit { caller: thief, ..permit }
/// }
/// ```
///
/// ```compile_fail,E0596
/// fn exchange<C>(mine: &mut policy::Permit<C>, other: &mut policy::Permit<C>) {
///     std::mem::swap(&mut **mine, &mut **other);
/// }
/// ```
///
/// It is good for one answer:
///
/// ```compile_fail,E0382
/// fn twice(permit: policy::Permit, facts: &policy::RequestFacts<'_>) {
///     let _ = permit.release(facts, None);
///     let _ = permit.release(facts, None);
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Permit<C = Principal> {
    caller: C,
    standing: Standing,
}

impl<C> Permit<C> {
    pub(crate) fn new(caller: C, standing: Standing) -> Self {
        Permit { caller, standing }
    }

    /// Whose it is.
    pub fn caller(&self) -> &C {
        &self.caller
    }

    /// What it is for.
    pub fn operation(&self) -> OperationRef {
        self.standing.operation
    }

    /// Whether some value of a query parameter may be sent, as far as the grants that hold say.
    pub fn may_ask(&self, parameter: &str) -> bool {
        self.standing.may_ask(parameter)
    }

    /// Judges the parameters of a request, and its body where that is a question. Grants whose `query` does not admit one of
    /// them no longer hold; with every grant that is left, each of them has to be usable.
    ///
    /// # Errors
    /// [`crate::PARAMETER_NOT_GRANTED`], with each parameter named.
    pub fn admit<'a>(
        &mut self,
        sent: impl Iterator<Item = Sent<'a>> + Clone,
        body: Option<&Json>,
    ) -> Result<(), Box<Refusal>> {
        self.standing.admit(sent, body)
    }

    /// Stage `object`, before the upstream: judges what the request alone shows and says which objects have to be
    /// fetched first. A permit with open lookups is not cleared.
    ///
    /// # Errors
    /// `object.denied` or `object.absent` (by `deny_as`).
    pub fn before(&mut self, facts: &RequestFacts<'_>) -> Result<Vec<Lookup>, Box<Refusal>> {
        self.standing.before(facts)
    }

    /// Judges one fetched object. `answer` is the body of the lookup's successful answer; `None` when the upstream
    /// knows no such object (404 or 410). Any other answer is a fault, and the request must not be forwarded.
    ///
    /// # Errors
    /// `object.denied` or `object.absent` (by `deny_as`).
    pub fn judge(
        &mut self,
        lookup: &Lookup,
        facts: &RequestFacts<'_>,
        response: Option<&Json>,
    ) -> Result<(), Box<Refusal>> {
        self.standing.judge(lookup, facts, response)
    }

    /// After the upstream answered: the objects that still have to be fetched and shown to [`Permit::judge`], because
    /// the answer does not show what it should. `answer` is `None` when it has no body, or none that may be read as
    /// the declared answer.
    ///
    /// # Errors
    /// `object.denied` or `object.absent` (by `deny_as`) when nothing else shows the object either.
    pub fn after(
        &mut self,
        facts: &RequestFacts<'_>,
        response: Option<&Json>,
    ) -> Result<Vec<Lookup>, Box<Refusal>> {
        self.standing.after(facts, response)
    }

    /// Lets out of a successful answer what may leave. `answer` is `None` when the upstream sent no body.
    /// Consumes the permit: it is good for one answer.
    ///
    /// # Errors
    /// `object.denied` or `object.absent` (by `deny_as`) when the answer is an object the caller may not have, when it
    /// does not show the object that the path names and [`Permit::after`] was not asked for it, or when a lookup is
    /// still waited for.
    pub fn release(
        self,
        facts: &RequestFacts<'_>,
        response: Option<&Json>,
    ) -> Result<Released, Box<Refusal>> {
        self.standing.release(facts, response)
    }
}

/// What can be asked of the judgement so far. Only the steps above move it on.
impl<C> Deref for Permit<C> {
    type Target = Standing;

    fn deref(&self) -> &Standing {
        &self.standing
    }
}
