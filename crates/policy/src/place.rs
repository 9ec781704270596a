//! Where the resource object stands in an operation's answer.
//! Exports `Rules::object_steps`.
//! Used by the command line (`can`, `access`), which talks of fields as grants do: relative to the object.
//! Start reading at `Rules::object_steps`.

use std::sync::Arc;

use model::shape::NodeId;

use crate::plan::ResponseShape;
use crate::rules::{OperationRef, Rules};

impl Rules {
    /// Steps from the root of the operation's answer to its first resource object; `*` stands for the items of a list.
    /// Without an object kind: no step, or `*` where the answer is a list, as field lists are counted then.
    pub fn object_steps(&self, operation: OperationRef) -> Vec<Arc<str>> {
        let Some(operation) = self.op(operation) else {
            return Vec::new();
        };
        let ground = operation.ground();
        let mut steps = Vec::new();
        if ground.is_guarded() && descend(ground, 0, &mut steps, &mut Vec::new()) {
            return steps;
        }
        let is_list = operation
            .response
            .root()
            .is_some_and(|root| root.items.is_some());
        if is_list {
            vec!["*".into()]
        } else {
            Vec::new()
        }
    }
}

fn descend(
    ground: ResponseShape<'_>,
    node: NodeId,
    steps: &mut Vec<Arc<str>>,
    seen: &mut Vec<NodeId>,
) -> bool {
    let leads = ground.leads.get(node).copied().unwrap_or(false);
    let Some(place) = ground.shape.node(node).filter(|_| leads) else {
        return false;
    };
    if ground.guard(node).is_some() {
        return true;
    }
    if seen.contains(&node) {
        return false;
    }
    seen.push(node);
    let fields = place
        .fields
        .iter()
        .map(|(name, field)| (name.clone(), field.node));
    let each = place
        .items
        .iter()
        .chain(&place.values)
        .map(|below| (Arc::from("*"), *below));
    for (step, below) in fields.chain(each) {
        steps.push(step);
        if descend(ground, below, steps, seen) {
            return true;
        }
        steps.pop();
    }
    false
}
