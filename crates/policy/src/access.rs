//! What can they see? The effective matrix, computed from the very pieces that release uses.
//! Exports `access`, `AccessMatrix`, `AccessRow`.
//! Used by the CLI (`access`, `can`), plans and reviews.
//! Start reading at `access`.

use std::sync::Arc;

use model::shape::{Class, NodeId};
use model::{FieldSet, PageField, RuleRef, Shape};

use crate::input::Mask;
use crate::nested::{Levels, Within};
use crate::plan::{Guard, Place, Plan, Step, Visibility};
use crate::rules::{Entry, Integration, Operation, Rules, Steps};

/// Everything one integration may see and send.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct AccessMatrix {
    /// Integration.
    pub integration: Arc<str>,
    /// Rows, sorted.
    pub rows: Vec<AccessRow>,
}

/// One field of one operation under one grant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct AccessRow {
    /// `field-service/v2`
    pub api: Arc<str>,
    /// Operation id.
    pub operation: Arc<str>,
    /// Path from the answer's root (or the request's, for writes), `items.*.customer.id`; empty for "no field".
    pub field: String,
    /// How.
    pub how: How,
    /// The condition under which, as written.
    pub condition: Option<Arc<str>>,
    /// Inside a nested object of this kind, which is judged by the integration's own grants for it.
    pub judged_as: Option<Arc<str>>,
    /// Data class of the field.
    pub class: &'static str,
    /// `integrations/accounting.yaml:18`
    pub rule: String,
    /// The role the grant comes from, if it comes from one.
    pub role: Option<Arc<str>>,
}

/// How a field is accessible.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// May call the operation; says nothing of fields.
    Call,
    /// Sees the value.
    Full,
    /// Sees it in part.
    Masked(Mask),
    /// May send it.
    Write,
    /// Sees it in answers that report an error; the path is relative to the root of such an answer.
    Error,
}

/// The effective matrix of one integration; `None` when there is no such integration.
pub fn access(rules: &Rules, integration: &str) -> Option<AccessMatrix> {
    let integration = rules.integration_named(integration)?;
    let mut rows = Vec::new();
    for (reference, entry) in integration.entries.iter() {
        let Some(operation) = rules.op(reference) else {
            continue;
        };
        for (bit, grant) in entry.grants.iter().enumerate() {
            let row = AccessRow {
                api: operation.api.clone(),
                operation: operation.id.clone(),
                field: String::new(),
                how: How::Call,
                condition: grant.condition.as_ref().map(|c| c.text.clone()),
                judged_as: None,
                class: Class::default().name(),
                rule: grant.rule.to_string(),
                role: grant.role.clone(),
            };
            rows.push(row.clone());
            // The very plan by which answers are released under this grant alone.
            let plan = entry.plan(operation, 1 << bit);
            let mut walk = Walk {
                rules,
                integration,
                plan: &plan,
                row: &row,
                rows: &mut rows,
                levels: Levels::default(),
                open: Vec::new(),
            };
            walk.success(operation, entry, bit);
            walk.errors(operation, entry, bit);
            writes(
                &operation.request,
                0,
                Some(&grant.writes),
                false,
                "",
                &row,
                &mut rows,
                &mut Vec::new(),
            );
        }
    }
    rows.sort();
    rows.dedup();
    Some(AccessMatrix {
        integration: integration.name.clone(),
        rows,
    })
}

impl AccessMatrix {
    /// The best sight of one field of an operation under any grant, conditions aside.
    pub fn sight(&self, api: &str, operation: &str, field: &str) -> Option<How> {
        let of = |row: &&AccessRow| {
            &*row.api == api && &*row.operation == operation && row.field == field
        };
        let seen = self.rows.iter().filter(of).map(|row| row.how);
        seen.filter(|how| matches!(how, How::Full | How::Masked(_)))
            .min_by_key(|how| match how {
                How::Full => 0,
                How::Masked(Mask::Last4) => 1,
                _ => 2,
            })
    }
}

struct Walk<'a> {
    rules: &'a Rules,
    integration: &'a Integration,
    plan: &'a Plan,
    row: &'a AccessRow,
    rows: &'a mut Vec<AccessRow>,
    /// What the nested objects around a place let out of it at most.
    levels: Levels,
    /// Places on the way.
    open: Vec<usize>,
}

/// A place on the walk.
#[derive(Clone, Copy)]
struct At<'p> {
    index: usize,
    path: &'p str,
    within: Within,
    judged_as: Option<&'p Arc<str>>,
}

impl Walk<'_> {
    /// What is seen of successful answers, without what stays with a list from which objects are left out.
    fn success(&mut self, operation: &Operation, entry: &Entry, bit: usize) {
        let from = self.rows.len();
        self.root();
        let withheld: Vec<String> = withheld(operation, entry, bit)
            .map(|steps| steps.join("."))
            .collect();
        let is_withheld = |row: &AccessRow| {
            let below = |place: &String| row.field.strip_prefix(place.as_str());
            let mut all = withheld.iter().filter_map(below);
            all.any(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let seen = self.rows.split_off(from);
        self.rows
            .extend(seen.into_iter().filter(|row| !is_withheld(row)));
    }

    fn root(&mut self) {
        if let Some(index) = self.plan.root {
            self.place(At {
                index,
                path: "",
                within: Within::default(),
                judged_as: None,
            });
        }
    }

    fn place(&mut self, at: At<'_>) {
        let (plan, rules) = (self.plan, self.rules);
        let Some(place) = plan.place(at.index) else {
            return;
        };
        // Shapes may contain themselves; the matrix shows the first round and a sign that it goes on.
        if self.open.contains(&at.index) {
            let field = joined(at.path, "…");
            return self.row(&field, How::Full, place.class, at.judged_as);
        }
        let Some(within) = self.judged(place, at.within) else {
            return;
        };
        self.open.push(at.index);
        let kind = match place.guard {
            Guard::Nested(kind) if self.integration.by_kind.contains_key(&kind) => {
                rules.kind(kind).map(|k| &k.schema)
            }
            _ => None,
        };
        let at = At {
            within,
            judged_as: kind.or(at.judged_as),
            ..at
        };
        let start = match place.guard {
            Guard::Outermost(_, node) => plan.start(node),
            Guard::None | Guard::Nested(_) => None,
        };
        match (self.levels.sight(within, place.leaf), start) {
            (Some(Visibility::Full), _) => self.row(at.path, How::Full, place.class, at.judged_as),
            (Some(Visibility::Masked(mask)), _) => {
                self.row(at.path, How::Masked(mask), place.class, at.judged_as);
            }
            (None, Some(index)) => self.place(At { index, ..at }),
            (None, None) => {}
        }
        self.inside(place, at);
        self.open.pop();
    }

    fn inside(&mut self, place: &Place, at: At<'_>) {
        let members = place.members.iter();
        let members =
            members.filter_map(|(name, below)| Some((Step::Member(name), &**name, (*below)?)));
        let items = place.items.map(|below| (Step::Item, "*", below));
        let values = place.values.map(|below| (Step::Rest, "*", below));
        // What tells of objects that may be left out stays.
        let integration = self.integration;
        let is_told = |name: &str| {
            let mut kinds = place.told_by(name).iter();
            kinds.any(|kind| integration.may_hide(*kind))
        };
        let members = members.filter(|(_, name, _)| !is_told(name));
        for (step, name, index) in members.chain(items).chain(values) {
            let mark = self.levels.mark();
            if let Some(within) = self.levels.enter(at.within, step) {
                let path = joined(at.path, name);
                self.place(At {
                    index,
                    path: &path,
                    within,
                    judged_as: at.judged_as,
                });
            }
            self.levels.leave(mark);
        }
    }

    /// The most that the grants for the kinds of a nested object let out of it; `None` where they let out nothing.
    fn judged(&mut self, place: &Place, within: Within) -> Option<Within> {
        let mut all = within;
        for kind in self.levels.kinds(place.guard, within) {
            if let Some(inner) = self.integration.inner.get(&kind) {
                let spot = inner.at_most(self.rules, self.integration)?;
                all = self.levels.add(all, &spot);
            }
        }
        Some(all)
    }

    /// What is seen of error answers, by the plans that release uses.
    fn errors(&mut self, operation: &Operation, entry: &Entry, bit: usize) {
        for error in &entry.errors {
            let Some(plan) = error.plan(operation, entry, 1 << bit) else {
                continue;
            };
            let from = self.rows.len();
            let mut walk = Walk {
                plan: &plan,
                rows: &mut *self.rows,
                levels: Levels::default(),
                open: Vec::new(),
                ..*self
            };
            walk.root();
            for row in self.rows.iter_mut().skip(from) {
                row.how = How::Error;
            }
        }
    }

    fn row(&mut self, field: &str, how: How, class: Class, judged_as: Option<&Arc<str>>) {
        self.rows.push(AccessRow {
            field: field.to_owned(),
            how,
            class: class.name(),
            judged_as: judged_as.cloned(),
            ..self.row.clone()
        });
    }
}

/// Places beside a list that tell of objects the grant does not show: they stay, whatever the grant lists.
fn withheld<'a>(
    operation: &'a Operation,
    entry: &Entry,
    bit: usize,
) -> impl Iterator<Item = &'a Steps> {
    let (pages, rules) = (&operation.pages, &entry.parameters);
    let has = |bits: u64| bits >> bit & 1 == 1;
    let sure = rules.gapless & !rules.scoped;
    // Beside a grant that shows every object whatever the request is like, nothing is left out.
    let is_sure = has(sure) || sure & entry.always != 0;
    let has_gaps = !has(rules.gapless) && rules.gapless & entry.always == 0;
    let kept = pages.cursor.as_ref().filter(|_| pages.is_refillable());
    let stays = move |steps: &Steps, field: &Option<PageField>| match field {
        Some(PageField::Plain) => false,
        Some(PageField::Count) | None => true,
        Some(PageField::Cursor) => has_gaps && kept != Some(steps),
    };
    let beside = pages.beside.iter();
    beside
        .filter(move |(steps, field)| pages.is_many && !is_sure && stays(steps, field))
        .map(|(steps, _)| steps)
}

fn joined(path: &str, step: &str) -> String {
    if path.is_empty() {
        step.to_owned()
    } else {
        format!("{path}.{step}")
    }
}

/// Rows for what may be sent: the leaves of the body under a field list.
#[expect(
    clippy::too_many_arguments,
    reason = "a walk over three things at once, private to this file"
)]
fn writes(
    shape: &Shape,
    node: NodeId,
    set: Option<&FieldSet>,
    is_whole: bool,
    path: &str,
    row: &AccessRow,
    rows: &mut Vec<AccessRow>,
    open: &mut Vec<NodeId>,
) {
    let (Some(place), is_whole) = (
        shape.node(node),
        is_whole || set.is_some_and(|s| s.is_whole),
    ) else {
        return;
    };
    let is_over = !is_whole && set.is_none_or(FieldSet::is_empty);
    if is_over {
        return;
    }
    if is_whole && (place.is_leaf || open.contains(&node)) {
        let field = if open.contains(&node) {
            joined(path, "…")
        } else {
            path.to_owned()
        };
        rows.push(AccessRow {
            field,
            how: How::Write,
            class: place.class.name(),
            ..row.clone()
        });
    }
    if open.contains(&node) {
        return;
    }
    open.push(node);
    for (name, field) in place.fields.iter().filter(|(_, f)| !f.is_read_only) {
        let below = set.and_then(|s| s.fields.get(name));
        writes(
            shape,
            field.node,
            below,
            is_whole,
            &joined(path, name),
            row,
            rows,
            open,
        );
    }
    for below in place.items.iter().chain(&place.values) {
        let each = set.and_then(|s| s.each.as_deref());
        writes(
            shape,
            *below,
            each,
            is_whole,
            &joined(path, "*"),
            row,
            rows,
            open,
        );
    }
    open.pop();
}

/// In which way a grant or a policy is near to a refused request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Nearness {
    /// A grant of the operation whose condition does not hold: it was evaluated again, or the record says so.
    Unmet,
    /// A grant of the operation whose condition asks for what is not known.
    NotEvaluated,
    /// A policy that forbids the request.
    Forbidden,
    /// A grant of another operation on the same kind of object.
    SameKind,
    /// Another integration's grant of the operation.
    OtherIntegration,
}

/// Why a request was nearly allowed. For the operator, never for the caller.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct NearMiss {
    /// The grant or policy.
    pub rule: RuleRef,
    /// In which way it is near.
    pub nearness: Nearness,
    /// What is missing, in one sentence.
    pub text: String,
}
