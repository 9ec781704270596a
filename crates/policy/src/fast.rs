//! The conditions that grants are mostly made of, judged without the policy engine.
//! Exports `Plain` (compiled from a checked policy; `None` for anything unusual), `PrincipalFacts`, `Atom`, `Found`, `Verdict`.
//! Used by cedar's `ConditionSet`. Says exactly what the engine would say, or nothing.
//! Start reading at `Plain::of`; a test holds both against each other on random conditions.

use std::collections::BTreeMap;

use serde_json::Value;

/// Deepest expression that is compiled here.
const DEPTH_MAX: usize = 32;

/// One plain value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Atom<'a> {
    Text(&'a str),
    Long(i64),
    Bool(bool),
}

/// What looking for an attribute found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    Atom(Atom<'a>),
    /// The object has no such attribute.
    Missing,
    /// A value that only the engine understands.
    Other,
}

/// What a policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Holds,
    Fails,
    /// An attribute is missing, or a value of the wrong type.
    Error,
}

/// Why no value came of an expression.
enum Stop {
    /// The engine would report an error.
    Error,
    /// The engine has to be asked.
    Unknown,
}

/// A literal.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Literal {
    Text(Box<str>),
    Long(i64),
    Bool(bool),
}

impl Literal {
    fn of(value: &Value) -> Option<Literal> {
        match value {
            Value::String(text) => Some(Literal::Text(text.as_str().into())),
            Value::Bool(is) => Some(Literal::Bool(*is)),
            Value::Number(number) => number.as_i64().map(Literal::Long),
            _ => None,
        }
    }

    fn atom(&self) -> Atom<'_> {
        match self {
            Literal::Text(text) => Atom::Text(text),
            Literal::Long(value) => Atom::Long(*value),
            Literal::Bool(is) => Atom::Bool(*is),
        }
    }
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug)]
enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One expression.
#[derive(Clone, Debug)]
enum Node {
    Literal(Literal),
    Resource(Box<str>),
    Principal(Box<str>),
    /// `context.network.listener`
    Listener,
    ResourceHas(Box<str>),
    PrincipalHas(Box<str>),
    Equal(Box<Node>, Box<Node>, bool),
    Compared(Box<Node>, Order, Box<Node>),
    Both(Box<Node>, Box<Node>),
    Either(Box<Node>, Box<Node>),
    Not(Box<Node>),
    OneOf(Vec<Literal>, Box<Node>),
}

/// A policy without scope whose conditions are plain.
#[derive(Clone, Debug)]
pub(crate) struct Plain {
    /// Each condition, and whether it has to be true (`when`) or false (`unless`).
    conditions: Vec<(Node, bool)>,
}

/// Where values come from.
struct Facts<'f, F> {
    who: PrincipalFacts<'f>,
    look: &'f F,
}

/// Who asks, and by which door.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PrincipalFacts<'a> {
    /// The integration's attributes.
    pub attributes: &'a BTreeMap<String, String>,
    /// The listener, where conditions ask for it.
    pub listener: Option<&'a str>,
}

impl Plain {
    /// Compiles the engine's own tree of a policy.
    pub fn of(tree: &Value) -> Option<Plain> {
        let is_any = |part: &str| {
            let scope = tree.get(part)?;
            (scope.get("op")?.as_str()? == "All").then_some(())
        };
        is_any("principal")?;
        is_any("action")?;
        is_any("resource")?;
        let conditions = tree.get("conditions")?.as_array()?.iter().map(|condition| {
            let is_when = match condition.get("kind")?.as_str()? {
                "when" => true,
                "unless" => false,
                _ => return None,
            };
            Some((node(condition.get("body")?, DEPTH_MAX)?, is_when))
        });
        Some(Plain {
            conditions: conditions.collect::<Option<_>>()?,
        })
    }

    /// What the engine would say; `None` where it has to be asked.
    pub fn judge<'o>(
        &self,
        who: PrincipalFacts<'_>,
        look: &impl Fn(&str) -> Found<'o>,
    ) -> Option<Verdict> {
        let facts = Facts { who, look };
        for (condition, wanted) in &self.conditions {
            match truth(facts.value(condition)) {
                Ok(is) if is == *wanted => {}
                Ok(_) => return Some(Verdict::Fails),
                Err(Stop::Error) => return Some(Verdict::Error),
                Err(Stop::Unknown) => return None,
            }
        }
        Some(Verdict::Holds)
    }
}

fn node(tree: &Value, depth: usize) -> Option<Node> {
    let depth = depth.checked_sub(1)?;
    let members = tree.as_object()?;
    let (word, body) = members.iter().next().filter(|_| members.len() == 1)?;
    let side = |name: &str| node(body.get(name)?, depth).map(Box::new);
    let compared = |order| Some(Node::Compared(side("left")?, order, side("right")?));
    match word.as_str() {
        "Value" => Literal::of(body).map(Node::Literal),
        "." | "has" => attribute(word == "has", body),
        "==" => Some(Node::Equal(side("left")?, side("right")?, true)),
        "!=" => Some(Node::Equal(side("left")?, side("right")?, false)),
        "<" => compared(Order::Less),
        "<=" => compared(Order::LessOrEqual),
        ">" => compared(Order::Greater),
        ">=" => compared(Order::GreaterOrEqual),
        "&&" => Some(Node::Both(side("left")?, side("right")?)),
        "||" => Some(Node::Either(side("left")?, side("right")?)),
        "!" => Some(Node::Not(side("arg")?)),
        "contains" => {
            let set = body.get("left")?.get("Set")?.as_array()?;
            let literals = set.iter().map(|item| Literal::of(item.get("Value")?));
            Some(Node::OneOf(
                literals.collect::<Option<_>>()?,
                side("right")?,
            ))
        }
        _ => None,
    }
}

fn attribute(is_question: bool, body: &Value) -> Option<Node> {
    let name: Box<str> = body.get("attr")?.as_str()?.into();
    if !is_question && &*name == "listener" && is_network(body.get("left")?) {
        return Some(Node::Listener);
    }
    match (body.get("left")?.get("Var")?.as_str()?, is_question) {
        ("resource", false) => Some(Node::Resource(name)),
        ("resource", true) => Some(Node::ResourceHas(name)),
        ("principal", false) => Some(Node::Principal(name)),
        ("principal", true) => Some(Node::PrincipalHas(name)),
        _ => None,
    }
}

/// Whether an expression is `context.network`.
fn is_network(tree: &Value) -> bool {
    let is_of_context = |access: &Value| {
        access.get("attr").and_then(Value::as_str) == Some("network")
            && access
                .get("left")
                .and_then(|l| l.get("Var"))
                .and_then(Value::as_str)
                == Some("context")
    };
    tree.get(".").is_some_and(is_of_context)
}

fn truth(value: Result<Atom<'_>, Stop>) -> Result<bool, Stop> {
    match value? {
        Atom::Bool(is) => Ok(is),
        _ => Err(Stop::Error),
    }
}

impl<'f, 'o: 'f, F: Fn(&str) -> Found<'o>> Facts<'f, F> {
    fn value<'n>(&self, node: &'n Node) -> Result<Atom<'n>, Stop>
    where
        'f: 'n,
    {
        let is = match node {
            Node::Literal(literal) => return Ok(literal.atom()),
            Node::Resource(name) => return self.resource(name),
            Node::Principal(name) => return self.principal(name),
            Node::Listener => return self.who.listener.map(Atom::Text).ok_or(Stop::Unknown),
            Node::ResourceHas(name) => match (self.look)(name) {
                Found::Atom(_) => true,
                Found::Missing => false,
                Found::Other => return Err(Stop::Unknown),
            },
            Node::PrincipalHas(name) => self.who.attributes.contains_key(&**name),
            Node::Equal(left, right, wanted) => {
                (self.value(left)? == self.value(right)?) == *wanted
            }
            Node::Compared(left, order, right) => {
                // Both sides are computed before their types are looked at.
                match (self.value(left)?, self.value(right)?) {
                    (Atom::Long(left), Atom::Long(right)) => match order {
                        Order::Less => left < right,
                        Order::LessOrEqual => left <= right,
                        Order::Greater => left > right,
                        Order::GreaterOrEqual => left >= right,
                    },
                    _ => return Err(Stop::Error),
                }
            }
            Node::Both(left, right) => truth(self.value(left))? && truth(self.value(right))?,
            Node::Either(left, right) => truth(self.value(left))? || truth(self.value(right))?,
            Node::Not(inner) => !truth(self.value(inner))?,
            Node::OneOf(set, item) => {
                let item = self.value(item)?;
                set.iter().any(|literal| literal.atom() == item)
            }
        };
        Ok(Atom::Bool(is))
    }

    fn resource(&self, name: &str) -> Result<Atom<'f>, Stop> {
        match (self.look)(name) {
            Found::Atom(atom) => Ok(atom),
            Found::Missing => Err(Stop::Error),
            Found::Other => Err(Stop::Unknown),
        }
    }

    fn principal(&self, name: &str) -> Result<Atom<'f>, Stop> {
        let value = self.who.attributes.get(name).ok_or(Stop::Error)?;
        Ok(Atom::Text(value))
    }
}

#[cfg(test)]
mod tests;
