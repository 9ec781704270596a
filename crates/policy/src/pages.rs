//! What an answer says of a list besides its objects: cursors, totals, and where the list itself stands.
//! Exports `Pages` and `PagePlace`. Worked out once per operation, from the shape of the answer and what a request may ask.
//! Used by parameters (may a filter be used?) and by gateway, which fills pages again where objects are left out.
//! Start reading at `Pages::new`.

use std::sync::Arc;

use model::shape::{Class, NodeId};
use model::{Json, PageField, PageParameter};

use crate::input::{ParameterPlace, ParameterShape};
use crate::object::own_id;
use crate::parameters::BodyAsks;
use crate::plan::{KindId, ResponseShape, outermost};
use crate::rules::{Seen, Steps};
use crate::standing::Standing;

/// Most fields beside the objects that are told apart; what is beyond them counts as undeclared.
const BESIDE_MAX: usize = 256;

/// The list of an operation's answer.
#[derive(Debug, Default)]
pub struct Pages {
    /// Steps from the root of the answer to the one list of resource objects; empty where the root is the list. `None`
    /// where there is no list, or more than one.
    pub list: Option<Steps>,
    /// The field that says where the next page begins.
    pub cursor: Option<Steps>,
    /// Where a request sends it.
    pub cursor_sent: Option<PagePlace>,
    /// Where a request says the number of items.
    pub size_sent: Option<PagePlace>,
    /// Header and cookie parameters that ask about fields.
    pub headers: Vec<Arc<str>>,
    /// Items of a page when the caller does not say.
    pub usual: Option<u32>,
    /// Most items that may be asked for.
    pub max: Option<u32>,
    /// Places beside the objects, and what is declared of each.
    pub beside: Vec<(Steps, Option<PageField>)>,
    /// Kind of the list's items.
    pub(crate) kind: Option<KindId>,
    /// The answer holds many objects.
    pub(crate) is_many: bool,
}

/// Where a request says something of the page it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PagePlace {
    /// A query parameter.
    Query(Arc<str>),
    /// A member of a JSON body that is a question: steps from its root, through objects only.
    Body {
        /// The steps; at least one.
        steps: Steps,
        /// The member is a number.
        is_number: bool,
    },
}

impl PagePlace {
    /// Whether this query parameter is meant.
    pub fn is_query(&self, name: &str) -> bool {
        matches!(self, PagePlace::Query(own) if **own == *name)
    }

    /// Steps to the member, where it stands in the body.
    pub fn steps(&self) -> Option<&[Arc<str>]> {
        match self {
            PagePlace::Query(_) => None,
            PagePlace::Body { steps, .. } => Some(steps),
        }
    }
}

impl Pages {
    pub(crate) fn new(
        ground: ResponseShape<'_>,
        parameters: &[ParameterShape],
        asks: &BodyAsks,
    ) -> Pages {
        let mut pages = Pages::default();
        let mut walk = Beside {
            ground,
            open: Vec::new(),
            found: Vec::new(),
            lists: Vec::new(),
            is_many: false,
        };
        walk.node(0, &mut Vec::new());
        (pages.beside, pages.is_many) = (walk.found, walk.is_many);
        let starts = outermost(ground);
        if let ([(node, kind)], [(steps, item)]) = (starts.as_slice(), walk.lists.as_slice())
            && node == item
        {
            pages.list = Some(steps.clone());
            pages.kind = Some(*kind);
        }
        let mut cursors = pages
            .beside
            .iter()
            .filter(|(_, field)| *field == Some(PageField::Cursor));
        if let (Some((steps, _)), None) = (cursors.next(), cursors.next()) {
            pages.cursor = Some(steps.clone());
        }
        pages.sent(parameters, asks);
        pages
    }

    /// Where the page is asked for: by the query, else by the body. What is declared twice is not known.
    fn sent(&mut self, parameters: &[ParameterShape], asks: &BodyAsks) {
        let mut cursors = Vec::new();
        let mut sizes = Vec::new();
        for parameter in parameters {
            // What is undeclared cannot be used where anything is hidden.
            let mut reveals = parameter.reveals.iter().flat_map(|r| r.paths());
            if parameter.place == ParameterPlace::Header && reveals.next().is_some() {
                self.headers.push(parameter.name.clone());
            }
            let place = || PagePlace::Query(parameter.name.clone());
            match parameter
                .page
                .filter(|_| parameter.place == ParameterPlace::Query)
            {
                Some(PageParameter::Cursor) => cursors.push(place()),
                Some(PageParameter::Size { usual, max }) => sizes.push((place(), usual, max)),
                None => {}
            }
        }
        for (place, page) in asks.pages() {
            match page {
                PageParameter::Cursor => cursors.push(place),
                PageParameter::Size { usual, max } => sizes.push((place, usual, max)),
            }
        }
        if let (Some(place), true) = (cursors.pop(), cursors.is_empty()) {
            self.cursor_sent = Some(place);
        }
        if let (Some((place, usual, max)), true) = (sizes.pop(), sizes.is_empty()) {
            (self.size_sent, self.usual, self.max) = (Some(place), usual, max);
        }
    }

    /// Whether the answer holds every object at once: nothing in the contract speaks of pages. A parameter that is declared
    /// to ask about nothing may be one that does.
    pub(crate) fn is_whole(&self, parameters: &[ParameterShape], asks: &BodyAsks) -> bool {
        let is_silent = |parameter: &ParameterShape| {
            let reveals = parameter.reveals.as_ref();
            let is_filter = reveals.is_none_or(|r| r.paths().next().is_some());
            parameter.place != ParameterPlace::Query || (parameter.page.is_none() && is_filter)
        };
        let is_cursor = |field: &Option<PageField>| *field == Some(PageField::Cursor);
        self.is_many
            && parameters.iter().all(is_silent)
            && !asks.may_page()
            && !self.beside.iter().any(|(_, field)| is_cursor(field))
    }

    /// Whether the gateway can go on to the next page by itself.
    pub fn is_refillable(&self) -> bool {
        self.cursor.is_some()
            && self.cursor_sent.is_some()
            && self.list.as_ref().is_some_and(|steps| !steps.is_empty())
    }
}

/// Walks what stands around the resource objects.
struct Beside<'g> {
    ground: ResponseShape<'g>,
    open: Vec<NodeId>,
    found: Vec<(Steps, Option<PageField>)>,
    lists: Vec<(Steps, NodeId)>,
    is_many: bool,
}

impl Beside<'_> {
    fn node(&mut self, id: NodeId, at: &mut Steps) {
        let Some(node) = self.ground.shape.node(id) else {
            return;
        };
        let is_guarded = self.ground.guard(id).is_some();
        if self.open.contains(&id) || is_guarded || node.class == Class::Secret {
            return;
        }
        let leads_on = |id: NodeId| self.ground.leads.get(id).copied().unwrap_or(false);
        let leads = leads_on(id);
        let is_map = node.values.is_some_and(leads_on);
        self.is_many |= is_map || (leads && self.found.len() >= BESIDE_MAX);
        if let Some(item) = node.items.filter(|_| leads) {
            self.is_many = true;
            self.lists.push((at.clone(), item));
            return;
        }
        if self.found.len() >= BESIDE_MAX {
            return;
        }
        let has_more = node.values.is_some() || node.items.is_some();
        let is_leaf = node.fields.is_empty() || has_more || node.page.is_some();
        if !leads && is_leaf {
            self.found.push((at.clone(), node.page));
            return;
        }
        self.open.push(id);
        for (name, field) in &node.fields {
            at.push(name.clone());
            self.node(field.node, at);
            at.pop();
        }
        self.open.pop();
    }
}

impl Standing {
    /// The list this operation answers with, where it is known.
    pub fn pages(&self) -> Option<&Pages> {
        Some(&self.rules.op(self.operation)?.pages)
    }

    /// Whether objects may be left out of the answer: no grant that holds covers every object of the list.
    pub fn is_gapped(&self) -> bool {
        let is_many = self.pages().is_some_and(|pages| pages.is_many);
        let gapless = self.entry().map_or(0, |entry| entry.parameters.gapless);
        is_many && self.live & gapless == 0
    }

    /// Whether the answer holds many objects, of which none should be left out only because a value that a grant fixes keeps
    /// the others out.
    pub fn is_scoped(&self) -> bool {
        let is_many = self.pages().is_some_and(|pages| pages.is_many);
        let scoped = self.entry().map_or(0, |entry| entry.parameters.scoped);
        let gapless = self.entry().map_or(0, |entry| entry.parameters.gapless);
        is_many && self.live & scoped != 0 && self.live & gapless & !scoped == 0
    }

    /// Whether the caller may see one item of the list.
    pub fn shows(&self, path: &[(Arc<str>, String)], item: &Json) -> bool {
        let known = self.entry().zip(self.pages().and_then(|pages| pages.kind));
        let Some((entry, kind)) = known else {
            return true;
        };
        let id = self
            .rules
            .kind(kind)
            .filter(|_| {
                entry
                    .at_object
                    .as_ref()
                    .is_some_and(|set| set.needs.is_on_identity)
            })
            .and_then(|kind| own_id(&kind.id, item));
        let seen = Seen {
            id: id.as_deref(),
            path,
            object: Some(item),
            overlay: None,
        };
        matches!(item, Json::Object(_)) && self.held(entry, kind, &seen).grants != 0
    }
}
