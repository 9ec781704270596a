//! The transformation chains of a rule set as one tree: what chains share is done once.
//! Exports `Tree`, made at load, and its nodes.
//! Used by `texts`, which walks it for every text of a message.
//! Start reading at `Tree::of`.

use crate::transform::Transform;

/// Nodes in the order of a walk: a node stands before its children, `end` behind the last of them.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
}

/// A text after some transformations.
#[derive(Debug)]
pub(super) struct Node {
    /// What leads here from the parent. The root has none.
    pub(super) transform: Option<Transform>,
    pub(super) end: usize,
    /// The transformations below this node, one bit each.
    pub(super) below: u32,
    /// The patterns that are asked about the text at this node.
    pub(super) here: Box<[u64]>,
    /// The patterns that are asked here or below.
    pub(super) all: Box<[u64]>,
}

/// A pattern with the chain before it; `multi`: it is asked after every step, not only the last.
pub(super) struct Asked<'c> {
    pub(super) chain: &'c [Transform],
    pub(super) pattern: u32,
    pub(super) multi: bool,
}

#[derive(Default)]
struct Growing {
    patterns: Vec<u32>,
    children: Vec<(Transform, Growing)>,
}

impl Tree {
    /// Grows the tree of all chains. `words` is the number of words that marks of patterns take.
    pub(super) fn of<'c>(asked: impl Iterator<Item = Asked<'c>>, words: usize) -> Tree {
        let mut root = Growing::default();
        for one in asked {
            root.add(&one);
        }
        let mut tree = Tree::default();
        tree.flatten(None, &root, words);
        tree
    }

    /// Appends a node with everything below it.
    fn flatten(&mut self, transform: Option<Transform>, from: &Growing, words: usize) {
        let number = self.nodes.len();
        let here = marks(&from.patterns, words);
        self.nodes.push(Node {
            transform,
            end: 0,
            below: 0,
            all: here.clone(),
            here,
        });
        for (transform, child) in &from.children {
            self.flatten(Some(*transform), child, words);
        }
        let end = self.nodes.len();
        let mut below = 0;
        let mut all = marks(&from.patterns, words);
        for node in self.nodes.get(number + 1..).unwrap_or_default() {
            below |= node.transform.map_or(0, Transform::bit);
            for (all, one) in all.iter_mut().zip(&node.here) {
                *all |= one;
            }
        }
        if let Some(node) = self.nodes.get_mut(number) {
            node.end = end;
            node.below = below;
            node.all = all;
        }
    }
}

impl Growing {
    fn add(&mut self, asked: &Asked<'_>) {
        let Some((first, rest)) = asked.chain.split_first() else {
            self.patterns.push(asked.pattern);
            return;
        };
        if asked.multi {
            self.patterns.push(asked.pattern);
        }
        let known = self
            .children
            .iter()
            .position(|(transform, _)| transform == first);
        let place = known.unwrap_or_else(|| {
            self.children.push((*first, Growing::default()));
            self.children.len() - 1
        });
        if let Some((_, child)) = self.children.get_mut(place) {
            child.add(&Asked {
                chain: rest,
                ..*asked
            });
        }
    }
}

fn marks(patterns: &[u32], words: usize) -> Box<[u64]> {
    let mut out = vec![0u64; words];
    for id in patterns {
        let word = usize::try_from(id / 64).unwrap_or(usize::MAX);
        if let Some(bits) = out.get_mut(word) {
            *bits |= 1 << (id % 64);
        }
    }
    out.into_boxed_slice()
}
