//! The fields a message may carry, as the contract declares them.
//! Exports `Shape`: an arena of nodes, because schemas may contain themselves.
//! Made by contract; read by policy (field lists, objects), config (dangling grants) and waf plans.
//! Start reading at `Shape`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clue::Clue;
use crate::{Asks, PageField};

/// Index of a node in its shape.
pub type NodeId = usize;

/// The tree of fields of one message body. `nodes[0]` is the root.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// Nodes; children are referred to by index, cycles are allowed.
    pub nodes: Vec<Node>,
}

/// One place in a message.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Name of the component schema this place refers to (`WorkOrder`), where it is a named one.
    /// A place composed by allOf of one named schema keeps that name.
    pub schema: Option<Arc<str>>,
    /// Names of the other schemas the place is or may be through composition (allOf, oneOf, anyOf and references in
    /// them), sorted: `WorkOrder` for `WorkOrderDetail: { allOf: [WorkOrder, …] }`.
    pub also: Vec<Arc<str>>,
    /// Declared fields, when the place may be an object (allOf merged, oneOf/anyOf united).
    pub fields: BTreeMap<Arc<str>, Field>,
    /// The item, when the place may be an array.
    pub items: Option<NodeId>,
    /// Most items such an array may have (`maxItems`), where the contract says so.
    pub items_max: Option<u64>,
    /// The value of undeclared keys, when the contract declares them (`additionalProperties: {schema}`).
    pub values: Option<NodeId>,
    /// Undeclared keys are allowed without a schema (`additionalProperties: true`, or absent).
    pub is_open: bool,
    /// Whether the place may be a string, number, boolean or null.
    pub is_leaf: bool,
    /// Type of that leaf, so that conditions over it can be typed.
    pub scalar: Scalar,
    /// Data class from an overlay, `internal` where nothing is said.
    pub class: Class,
    /// Name of the object kind the value refers to (`x-portcullis-refers-to`), or [`NO_KIND`].
    pub refers_to: Option<Arc<str>>,
    /// What the value says of the page it stands beside (`x-portcullis-page`).
    pub page: Option<PageField>,
    /// What the place asks about, in a request body. `None` where nothing is declared.
    pub asks: Option<Arc<Asks>>,
    /// A string whose content the contract leaves free: no enum, no const, no closed pattern, no strict format.
    pub is_free_text: bool,
    /// What the contract says about such a string in a request: the number of a language of the contract, 0 for free.
    pub text: usize,
    /// The values that the leaf can have, where the contract names or bounds them.
    pub domain: Option<Arc<Domain>>,
}

/// The values that a place can have by its contract. Never narrower than the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    /// One of these texts (`enum`, `const`), in order, each once.
    Texts(Vec<Arc<str>>),
    /// A whole number from the first to the second, where they are bounded (`minimum`, `maximum`, `enum`).
    Whole(Option<i64>, Option<i64>),
}

impl Domain {
    /// The values of both; none where the other kind of value is possible as well.
    pub fn or(&self, other: &Domain) -> Option<Domain> {
        match (self, other) {
            (Domain::Texts(one), Domain::Texts(other)) => {
                let mut texts: Vec<Arc<str>> = one.iter().chain(other).cloned().collect();
                texts.sort();
                texts.dedup();
                Some(Domain::Texts(texts))
            }
            (Domain::Whole(least, most), Domain::Whole(other_least, other_most)) => {
                let least = least.zip(*other_least).map(|(a, b)| a.min(b));
                let most = most.zip(*other_most).map(|(a, b)| a.max(b));
                let is_bounded = least.is_some() || most.is_some();
                is_bounded.then_some(Domain::Whole(least, most))
            }
            _ => None,
        }
    }
}

/// One declared field of an object.
#[derive(Clone, Debug)]
pub struct Field {
    /// Where it leads.
    pub node: NodeId,
    /// Listed in `required`.
    pub is_required: bool,
    /// `readOnly`: never accepted in a request.
    pub is_read_only: bool,
    /// `writeOnly`: never let out in an answer.
    pub is_write_only: bool,
    /// For fields of requests that may name an object.
    pub clue: Option<Arc<Clue>>,
}

/// What `x-portcullis-refers-to` says where a value looks as if it named an object and names none.
pub const NO_KIND: &str = "none";

/// Type of a leaf value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// `string`, and whatever the contract leaves open or mixes.
    #[default]
    Text,
    /// `integer`
    Integer,
    /// `number`
    Number,
    /// `boolean`
    Boolean,
}

/// How sensitive a field is (`x-portcullis-class`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// May be published.
    Public,
    /// Business data; the default.
    #[default]
    Internal,
    /// Personal data.
    Personal,
    /// Sensitive personal or business data.
    Sensitive,
    /// Secrets: never let out, whatever a grant says.
    Secret,
}

impl Class {
    /// Reads the word used in overlays.
    pub fn parse(word: &str) -> Option<Class> {
        match word {
            "public" => Some(Class::Public),
            "internal" => Some(Class::Internal),
            "personal" => Some(Class::Personal),
            "sensitive" => Some(Class::Sensitive),
            "secret" => Some(Class::Secret),
            _ => None,
        }
    }

    /// The word used in overlays and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Public => "public",
            Class::Internal => "internal",
            Class::Personal => "personal",
            Class::Sensitive => "sensitive",
            Class::Secret => "secret",
        }
    }
}

impl Node {
    /// Whether its values are declared to name objects of some kind.
    pub fn names_objects(&self) -> bool {
        self.refers_to
            .as_deref()
            .is_some_and(|kind| kind != NO_KIND)
    }

    /// Whether the place is, or may be, what this component schema describes.
    pub fn may_be(&self, schema: &str) -> bool {
        self.schema.as_deref() == Some(schema) || self.also.iter().any(|name| &**name == schema)
    }
}

impl Shape {
    /// The node with this index.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// The root node.
    pub fn root(&self) -> Option<&Node> {
        self.nodes.first()
    }

    /// Whether the message has no declared body at all.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}
