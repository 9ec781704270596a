//! A rule as written, understood but not yet connected.
//! Exports the types `parse` fills and `compile` reads.
//! Plain data.
//! Start reading at `Statement`.

use super::macros::Text;
use super::operator::OperatorName;
use super::variable::Variable;
use crate::transform::Transform;

/// One directive, understood.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    Rule(RuleSource),
    Marker(String),
    Signature(String),
    DefaultAction(Vec<Action>),
    UpdateTarget { ids: IdRange, targets: Vec<Target> },
    RemoveById(IdRange),
    RemoveByTag(String),
}

/// An inclusive range of rule ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IdRange {
    pub(super) first: u32,
    pub(super) last: u32,
}

impl IdRange {
    pub(super) fn holds(self, id: u32) -> bool {
        (self.first..=self.last).contains(&id)
    }
}

/// A `SecRule`, or a `SecAction` when there is no operator.
#[derive(Clone, Debug)]
pub(super) struct RuleSource {
    pub(super) line: u32,
    pub(super) targets: Vec<Target>,
    pub(super) operator: Option<OperatorSource>,
    pub(super) actions: Vec<Action>,
}

#[derive(Clone, Debug)]
pub(super) struct OperatorSource {
    pub(super) negated: bool,
    pub(super) name: OperatorName,
    pub(super) argument: String,
}

/// One item of a target list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) variable: Variable,
    pub(super) selector: Selector,
    /// `&`: how many there are.
    pub(super) count: bool,
    /// `!`: taken out again.
    pub(super) excluded: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Selector {
    All,
    /// Lower case.
    Name(String),
    /// The pattern between slashes.
    Pattern(String),
}

/// One action as written.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Id(u32),
    Phase(u8),
    Transform(Transform),
    TransformNone,
    MultiMatch,
    Capture,
    Chain,
    Disrupt(Disrupt),
    Status(u16),
    Log(bool),
    /// `auditlog` and `noauditlog`: there is no audit log of this engine, the ledger records.
    AuditLog,
    Message(Text),
    Data(Text),
    Tag(String),
    Version,
    Severity(u8),
    Set(SetSource),
    Control(Control),
    SkipAfter(String),
    /// `initcol`: persistent collections hold nothing in a pure engine.
    Collection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disrupt {
    Pass,
    Block,
    Deny,
}

#[derive(Clone, Debug)]
pub(super) struct SetSource {
    pub(super) key: Text,
    pub(super) change: Change,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    Unset,
    Assign(Text),
    Add(Text),
    Subtract(Text),
}

/// `ctl:` in the kinds CRS v4 uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Control {
    RemoveByTag(String),
    RemoveById(IdRange),
    RemoveTargetByTag(String, Target),
    RemoveTargetById(IdRange, Target),
    ForceBodyVariable,
    AuditEngine,
    BodyProcessor(String),
    DetectionOnly,
    EngineOn,
    EngineOff,
}
