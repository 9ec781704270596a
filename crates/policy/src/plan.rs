//! Which values of an answer may leave: field lists laid over the shape of the contract, once, at compile.
//! Exports `Tree` (one grant's field list), `Plan` (what the walk beside the answer needs), `leads`.
//! Used by rules (compile), release (the walk) and access (the matrix): all three see the same plan.
//! Start reading at `Plan::build`.

mod gaps;

pub(crate) use gaps::Gaps;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use model::shape::{Class, NodeId};
use model::{FieldPath, Json, PageField, Shape};

use crate::input::Mask;

/// Index of an object kind.
pub(crate) type KindId = usize;

/// One grant's field list as a tree, with its masks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    is_whole: bool,
    mask: Option<Mask>,
    fields: BTreeMap<Arc<str>, Tree>,
    each: Option<Box<Tree>>,
}

impl Tree {
    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        !self.is_whole && self.mask.is_none() && self.fields.is_empty() && self.each.is_none()
    }

    fn reach(&mut self, path: &FieldPath) -> &mut Tree {
        let mut here = self;
        for step in &path.steps {
            here = match &**step {
                "*" => here.each.get_or_insert_default(),
                _ => here.fields.entry(step.clone()).or_default(),
            };
        }
        here
    }

    pub fn grant(&mut self, path: &FieldPath) {
        self.reach(path).is_whole = true;
    }

    pub fn mask(&mut self, path: &FieldPath, mask: Mask) {
        self.reach(path).mask = Some(mask);
    }

    /// Whether everything that another tree grants is granted here, and no less of it is seen.
    pub fn covers(&self, other: &Tree) -> bool {
        Position::at(self).covers(Position::at(other))
    }

    /// The tree one step further out: for each item of a list.
    fn in_list(self) -> Tree {
        Tree {
            each: Some(Box::new(self)),
            ..Tree::default()
        }
    }
}

/// The two trees of a grant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trees {
    /// Relative to the resource object.
    pub object: Tree,
    /// Relative to the answer's root (`$.`).
    pub root: Tree,
}

impl Trees {
    /// Whether everything that others grant is granted here, and no less of it is seen.
    pub fn covers(&self, other: &Trees) -> bool {
        self.object.covers(&other.object) && self.root.covers(&other.root)
    }
}

/// How much of a scalar is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Visibility {
    Masked(Mask),
    Full,
}

/// What has to be asked before a place is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    None,
    /// The resource object of the operation; goes on in the plan of the grants that hold for it.
    Outermost(KindId, NodeId),
    /// An object of a kind inside another object.
    Nested(KindId),
}

/// A step from a place to one below it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    /// To a member, declared or not.
    Member(&'a str),
    /// To the items of a list.
    Item,
    /// To the values of undeclared keys.
    Rest,
}

/// One place of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub guard: Guard,
    /// Declared fields, sorted by name. Those that may not leave are listed only beside `values`, so that they are not
    /// taken for undeclared keys.
    pub members: Vec<(Arc<str>, Option<usize>)>,
    /// Values of undeclared keys.
    pub values: Option<usize>,
    pub items: Option<usize>,
    /// How scalars are seen here, if at all.
    pub leaf: Option<Visibility>,
    /// The resource object itself, which leaves as `{}` when none of its fields does.
    pub is_start: bool,
    pub class: Class,
    /// What it is declared to say of the objects it stands beside.
    pub page: Option<PageField>,
    /// Kinds of the objects in this one, where a member is declared to count them or to lead on among them, also of those that are
    /// not granted.
    pub beside: Vec<KindId>,
    /// What may be missing here; worked out when the plan is finished.
    pub gaps: Option<Box<Gaps>>,
}

impl Place {
    /// The place of a declared member, if it has one. Among a few, comparing lengths first beats halving.
    fn declared(&self, key: &str) -> Option<Option<usize>> {
        const FEW: usize = 8;
        let found = if self.members.len() <= FEW {
            self.members.iter().find(|(name, _)| **name == *key)
        } else {
            let by_name = |(name, _): &(Arc<str>, Option<usize>)| (**name).cmp(key);
            let index = self.members.binary_search_by(by_name).ok()?;
            self.members.get(index)
        };
        found.map(|(_, place)| *place)
    }

    /// The place of a member, and whether it is the value of an undeclared key.
    pub fn member(&self, key: &str) -> Option<(usize, bool)> {
        match self.declared(key) {
            Some(place) => place.map(|place| (place, false)),
            None => self.values.map(|place| (place, true)),
        }
    }

    /// The place that a step leads to.
    pub fn step(&self, step: Step<'_>) -> Option<usize> {
        match step {
            Step::Member(key) => self.member(key).map(|(place, _)| place),
            Step::Item => self.items,
            Step::Rest => self.values,
        }
    }

    /// Whether the place may hold a value of this sort.
    pub fn fits(&self, value: &Json) -> bool {
        match value {
            Json::Object(_) => !self.members.is_empty() || self.values.is_some() || self.is_start,
            Json::List(_) => self.items.is_some(),
            // `null` in place of a container says only that there is none.
            Json::Null => true,
            _ => self.leaf.is_some(),
        }
    }

    /// The kinds of the objects that a member is declared to tell of.
    pub fn told_by(&self, key: &str) -> &[KindId] {
        // Asked for every member of every object; hardly any place has one.
        let Some(gaps) = self.gaps.as_ref().filter(|gaps| !gaps.telling.is_empty()) else {
            return &[];
        };
        let mut named = gaps.telling.iter().filter(|(name, _)| **name == *key);
        named.next().map_or(&[], |(_, kinds)| kinds.as_slice())
    }
}

/// Everything of an answer that may leave under one combination of grants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    places: Vec<Place>,
    pub root: Option<usize>,
    /// Where the plan goes on inside a resource object at this node of the shape.
    starts: Vec<(NodeId, Option<usize>)>,
}

/// What is known of an answer's shape, independent of any grant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseShape<'a> {
    pub shape: &'a Shape,
    /// The kind each node of the shape is an object of.
    pub guards: &'a [Option<KindId>],
    /// Nodes from which a resource object is reached.
    pub leads: &'a [bool],
}

impl ResponseShape<'_> {
    pub fn guard(&self, node: NodeId) -> Option<KindId> {
        self.guards.get(node).copied().flatten()
    }

    pub fn is_guarded(&self) -> bool {
        self.leads.first().copied().unwrap_or(false)
    }
}

/// Children of a node that may ever leave.
fn children(shape: &Shape, node: NodeId) -> impl Iterator<Item = NodeId> + use<'_> {
    let node = shape.node(node);
    let fields = node.into_iter().flat_map(|n| {
        n.fields
            .values()
            .filter(|f| !f.is_write_only)
            .map(|f| f.node)
    });
    let rest = node
        .into_iter()
        .flat_map(|n| n.items.into_iter().chain(n.values));
    fields
        .chain(rest)
        .filter(|child| shape.node(*child).is_some_and(|n| n.class != Class::Secret))
}

/// For each node, whether it is a resource object or leads to one.
pub(crate) fn leads(shape: &Shape, guards: &[Option<KindId>]) -> Vec<bool> {
    leads_to(shape, guards.iter().map(Option::is_some).collect())
}

/// The nodes that are marked, and those from which a marked one can be reached.
pub(crate) fn leads_to(shape: &Shape, mut out: Vec<bool>) -> Vec<bool> {
    // Each round marks at least one more node, so this ends after as many rounds as there are nodes.
    loop {
        let more: Vec<NodeId> = (0..shape.nodes.len())
            .filter(|node| !out.get(*node).copied().unwrap_or(true))
            .filter(|node| children(shape, *node).any(|c| out.get(c).copied().unwrap_or(false)))
            .collect();
        if more.is_empty() {
            return out;
        }
        for node in more {
            if let Some(mark) = out.get_mut(node) {
                *mark = true;
            }
        }
    }
}

/// Nodes of the outermost resource objects.
pub(crate) fn outermost(ground: ResponseShape<'_>) -> Vec<(NodeId, KindId)> {
    let mut found = Vec::new();
    let mut seen = vec![false; ground.shape.nodes.len()];
    let mut open = vec![0];
    while let Some(node) = open.pop() {
        match seen.get_mut(node) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        match ground.guard(node) {
            Some(kind) => found.push((node, kind)),
            None => open.extend(children(ground.shape, node)),
        }
    }
    found.sort_unstable();
    found
}

/// Whether an answer has places for resource objects, and none of the outermost ones is in a list or a map.
pub(crate) fn is_single(ground: ResponseShape<'_>) -> bool {
    let leads = |node: &NodeId| ground.leads.get(*node).copied().unwrap_or(false);
    let mut seen = vec![false; ground.shape.nodes.len()];
    let mut open: Vec<NodeId> = [0].into_iter().filter(leads).collect();
    let has_any = !open.is_empty();
    while let Some(node) = open.pop() {
        match seen.get_mut(node) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        let (Some(place), None) = (ground.shape.node(node), ground.guard(node)) else {
            continue;
        };
        if place.items.iter().chain(&place.values).any(leads) {
            return false;
        }
        open.extend(children(ground.shape, node).filter(leads));
    }
    has_any
}

/// Where one grant stands during the walk over the shape.
#[derive(Clone, Copy)]
struct Position<'a> {
    tree: Option<&'a Tree>,
    is_whole: bool,
    mask: Option<Mask>,
}

impl<'a> Position<'a> {
    fn at(tree: &'a Tree) -> Self {
        Position {
            tree: Some(tree),
            is_whole: tree.is_whole,
            mask: tree.mask,
        }
    }

    fn enter(self, below: Option<&'a Tree>) -> Option<Self> {
        let is_whole = self.is_whole || below.is_some_and(|t| t.is_whole);
        (is_whole || below.is_some()).then(|| Position {
            tree: below,
            is_whole,
            mask: below.and_then(|t| t.mask).or(self.mask),
        })
    }

    /// Whether as much is seen here, and everywhere below, as from another position.
    fn covers(self, other: Position<'_>) -> bool {
        let seen = |at: &Position<'_>| {
            let mask = at.mask;
            at.is_whole
                .then(|| mask.map_or(Visibility::Full, Visibility::Masked))
        };
        if seen(&self) < seen(&other) {
            return false;
        }
        let trees = || [self.tree, other.tree].into_iter().flatten();
        let names = trees().flat_map(|tree| tree.fields.keys()).map(Some);
        // Where neither names a step, everything below is as it is here.
        let each = trees().next().map(|_| None);
        names.chain(each).all(|step| {
            let (here, there) = (self.step(step), other.step(step));
            there.is_none_or(|there| here.is_some_and(|here| here.covers(there)))
        })
    }

    /// One step further: to this member, or to each item.
    fn step(self, name: Option<&Arc<str>>) -> Option<Self> {
        self.enter(self.tree.and_then(|tree| match name {
            Some(name) => tree.fields.get(name),
            None => tree.each.as_deref(),
        }))
    }

    fn key(&self) -> (usize, bool, Option<Mask>) {
        // Identity of the tree node: the trees outlive the builder.
        let address = self.tree.map_or(0, |t| std::ptr::from_ref(t).addr());
        (address, self.is_whole, self.mask)
    }
}

type Key = (bool, NodeId, Vec<(usize, bool, Option<Mask>)>);

struct Builder<'a> {
    ground: ResponseShape<'a>,
    places: Vec<Place>,
    known: HashMap<Key, Option<usize>>,
}

impl Plan {
    /// Lays the field lists of some grants over an answer's shape.
    pub fn build(ground: ResponseShape<'_>, grants: &[&Trees]) -> Plan {
        let is_list = ground
            .shape
            .root()
            .is_some_and(|root| root.items.is_some() && root.fields.is_empty());
        let wrapped: Vec<Tree> = if is_list {
            grants.iter().map(|g| g.object.clone().in_list()).collect()
        } else {
            grants.iter().map(|g| g.object.clone()).collect()
        };
        let mut builder = Builder {
            ground,
            places: Vec::new(),
            known: HashMap::new(),
        };
        if ground.shape.is_empty() {
            return Plan::default();
        }
        let mut positions: Vec<Position<'_>> =
            grants.iter().map(|g| Position::at(&g.root)).collect();
        if ground.is_guarded() {
            let root = builder.place(0, positions, true);
            let starts = outermost(ground)
                .into_iter()
                .map(|(node, _)| {
                    let at = grants.iter().map(|g| Position::at(&g.object)).collect();
                    (node, builder.object(node, at))
                })
                .collect();
            return Plan {
                root,
                starts,
                ..Plan::of_places(builder.places)
            };
        }
        positions.extend(wrapped.iter().map(Position::at));
        let root = builder.place(0, positions, false);
        Plan {
            root,
            ..Plan::of_places(builder.places)
        }
    }

    /// A plan of these places alone.
    pub fn of_places(mut places: Vec<Place>) -> Plan {
        gaps::mark(&mut places);
        Plan {
            places,
            ..Plan::default()
        }
    }

    pub fn place(&self, index: usize) -> Option<&Place> {
        self.places.get(index)
    }

    /// Every place at which a walk begins: the root, and each resource object.
    pub fn starts(&self) -> impl Iterator<Item = usize> {
        let objects = self.starts.iter().filter_map(|(_, place)| *place);
        self.root.into_iter().chain(objects)
    }

    /// Where the plan goes on inside the resource object at this node.
    pub fn start(&self, node: NodeId) -> Option<usize> {
        self.starts
            .iter()
            .find(|(start, _)| *start == node)
            .and_then(|(_, place)| *place)
    }
}

impl<'a> Builder<'a> {
    /// The resource object itself: its own guard is already answered. Always a place, so that an object of which no
    /// field is granted reads as `{}`.
    fn object(&mut self, node: NodeId, positions: Vec<Position<'a>>) -> Option<usize> {
        let index = self.reserve(node, Guard::None);
        if let Some(place) = self.places.get_mut(index) {
            place.is_start = true;
        }
        self.fill(index, node, positions, false);
        Some(index)
    }

    /// The place for a node, made when first met.
    fn place(
        &mut self,
        node: NodeId,
        positions: Vec<Position<'a>>,
        is_envelope: bool,
    ) -> Option<usize> {
        let shape_node = self.ground.shape.node(node)?;
        // Secrets never leave, whatever a grant says.
        if shape_node.class == Class::Secret {
            return None;
        }
        let kind = self.ground.guard(node);
        if is_envelope && let Some(kind) = kind {
            return Some(self.outermost(node, kind));
        }
        let leads_on = is_envelope && self.ground.leads.get(node).copied().unwrap_or(false);
        if positions.is_empty() && !leads_on {
            return None;
        }
        let mut marks: Vec<_> = positions.iter().map(Position::key).collect();
        marks.sort_unstable();
        marks.dedup();
        let key = (is_envelope, node, marks);
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let guard = kind.map_or(Guard::None, Guard::Nested);
        let index = self.reserve(node, guard);
        // Entered before it is filled, because shapes may contain themselves.
        self.known.insert(key, Some(index));
        self.fill(index, node, positions, is_envelope);
        Some(index)
    }

    fn outermost(&mut self, node: NodeId, kind: KindId) -> usize {
        let key = (true, node, Vec::new());
        if let Some(Some(known)) = self.known.get(&key) {
            return *known;
        }
        let index = self.reserve(node, Guard::Outermost(kind, node));
        self.known.insert(key, Some(index));
        index
    }

    fn reserve(&mut self, node: NodeId, guard: Guard) -> usize {
        let shape_node = self.ground.shape.node(node);
        self.places.push(Place {
            guard,
            members: Vec::new(),
            values: None,
            items: None,
            leaf: None,
            is_start: false,
            class: shape_node.map(|n| n.class).unwrap_or_default(),
            page: shape_node.and_then(|n| n.page),
            beside: Vec::new(),
            gaps: None,
        });
        self.places.len() - 1
    }

    fn fill(
        &mut self,
        index: usize,
        node: NodeId,
        positions: Vec<Position<'a>>,
        is_envelope: bool,
    ) {
        let Some(shape_node) = self.ground.shape.node(node) else {
            return;
        };
        let step = |name: &str| -> Vec<Position<'a>> {
            positions
                .iter()
                .filter_map(|p| p.enter(p.tree.and_then(|t| t.fields.get(name))))
                .collect()
        };
        let each: Vec<Position<'a>> = positions
            .iter()
            .filter_map(|p| p.enter(p.tree.and_then(|t| t.each.as_deref())))
            .collect();
        let mut members = Vec::new();
        for (name, field) in &shape_node.fields {
            // What is only ever written never leaves.
            let place = (!field.is_write_only)
                .then(|| self.place(field.node, step(name), is_envelope))
                .flatten();
            if place.is_some() || shape_node.values.is_some() {
                members.push((name.clone(), place));
            }
        }
        if let Some(value) = shape_node.values {
            let named: Vec<Arc<str>> = positions
                .iter()
                .filter_map(|p| p.tree)
                .flat_map(|t| t.fields.keys().cloned())
                .filter(|name| !shape_node.fields.contains_key(name))
                .collect();
            for name in named {
                let mut at = step(&name);
                at.extend(each.iter().copied());
                members.push((name, self.place(value, at, is_envelope)));
            }
            members.sort();
            members.dedup_by(|a, b| a.0 == b.0);
        }
        let items = shape_node
            .items
            .and_then(|n| self.place(n, each.clone(), is_envelope));
        let values = shape_node
            .values
            .and_then(|n| self.place(n, each, is_envelope));
        let leaf = positions
            .iter()
            .filter(|p| p.is_whole && shape_node.is_leaf)
            .map(|p| p.mask.map_or(Visibility::Full, Visibility::Masked))
            .max();
        let beside = if is_envelope {
            Vec::new()
        } else {
            self.beside(node)
        };
        if let Some(place) = self.places.get_mut(index) {
            (place.members, place.items, place.values, place.leaf) = (members, items, values, leaf);
            place.beside = beside;
        }
    }

    /// Kinds of the objects in the members of a place, granted or not, where one of these is declared to tell of the others.
    fn beside(&self, node: NodeId) -> Vec<KindId> {
        let shape = self.ground.shape;
        let fields = |node: NodeId| {
            shape
                .node(node)
                .into_iter()
                .flat_map(|node| node.fields.values())
        };
        let is_telling = |field: &model::shape::Field| {
            let page = shape.node(field.node).and_then(|node| node.page);
            matches!(page, Some(PageField::Count | PageField::Cursor))
        };
        if !fields(node).any(is_telling) {
            return Vec::new();
        }
        let mut kinds = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open: Vec<NodeId> = fields(node).map(|field| field.node).collect();
        while let Some(node) = open.pop() {
            match self.ground.guard(node) {
                Some(kind) => {
                    kinds.insert(kind);
                }
                None if seen.insert(node) => {
                    let here = shape.node(node);
                    let many = here
                        .into_iter()
                        .flat_map(|here| here.items.into_iter().chain(here.values));
                    open.extend(fields(node).map(|field| field.node).chain(many));
                }
                None => {}
            }
        }
        kinds.into_iter().collect()
    }
}
