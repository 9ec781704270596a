//! Where a dotted path leads in a shape.
//! Exports `field_at`.
//! Used by `kinds` and `places`.
//! Start reading at `field_at`.

use std::sync::Arc;

use model::Shape;
use model::shape::NodeId;

/// The node a dotted path leads to.
pub(super) fn field_at(shape: &Shape, start: NodeId, steps: &[Arc<str>]) -> Option<NodeId> {
    steps.iter().try_fold(start, |node, step| {
        shape.node(node)?.fields.get(step).map(|field| field.node)
    })
}
