//! What a condition or policy asks for, read out of its syntax tree.
//! Exports `Needs`.
//! Used by cedar and everything that sorts conditions by what decides them.
//! Start reading at `Needs::of`.

use std::collections::BTreeSet;

use cedar_policy::Policy;
use serde_json::Value;

/// What one condition asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Mentions the resource in any way.
    pub is_on_object: bool,
    /// Asks which object it is, not only what it is like.
    pub is_on_identity: bool,
    pub is_on_principal: bool,
    pub is_on_context: bool,
    pub object_attributes: BTreeSet<String>,
    pub principal_attributes: BTreeSet<String>,
    /// What is asked of the request: `network.address`, `query.status`, `path.siteId`, `time.hour`.
    pub context_attributes: BTreeSet<String>,
    /// The one type the policy's scope is about; nothing of another type ever satisfies it.
    pub scope: Option<String>,
    /// Types that its clauses name (`resource is …`).
    pub named: BTreeSet<String>,
}

impl Needs {
    pub fn add(&mut self, other: &Needs) {
        self.is_on_object |= other.is_on_object;
        self.is_on_identity |= other.is_on_identity;
        self.is_on_principal |= other.is_on_principal;
        self.is_on_context |= other.is_on_context;
        self.object_attributes
            .extend(other.object_attributes.iter().cloned());
        self.principal_attributes
            .extend(other.principal_attributes.iter().cloned());
        self.context_attributes
            .extend(other.context_attributes.iter().cloned());
    }

    /// Reads what a policy mentions out of its syntax tree.
    pub(super) fn of(policy: &Policy) -> Needs {
        let mut needs = Needs {
            scope: scope_of(policy),
            ..Needs::default()
        };
        match policy.to_json() {
            Ok(tree) => {
                let conditions = tree.get("conditions").unwrap_or(&Value::Null);
                needs.walk(conditions);
                needs.scope = needs.scope.or_else(|| scope_in(conditions));
            }
            // Cannot be read: assume it asks for everything.
            Err(_) => {
                needs.is_on_object = true;
                needs.is_on_identity = true;
                needs.is_on_principal = true;
                needs.is_on_context = true;
            }
        }
        needs
    }

    fn walk(&mut self, tree: &Value) {
        match tree {
            Value::Array(items) => items.iter().for_each(|item| self.walk(item)),
            Value::Object(members) => {
                for (key, value) in members {
                    match (key.as_str(), value) {
                        ("Var", Value::String(name)) => self.mention(name, None),
                        ("." | "has", Value::Object(_)) => self.walk_access(value),
                        ("entity_type" | "type", Value::String(name)) => {
                            self.named.insert(name.clone());
                        }
                        _ => self.walk(value),
                    }
                }
            }
            _ => {}
        }
    }

    fn walk_access(&mut self, access: &Value) {
        let left = access.get("left").unwrap_or(&Value::Null);
        let attribute = access.get("attr").and_then(Value::as_str);
        let variable = |place: &Value| place.get("Var")?.as_str().map(str::to_owned);
        let below = left.get(".").unwrap_or(&Value::Null);
        let outer = below.get("attr").and_then(Value::as_str);
        match (variable(left), attribute, outer) {
            (Some(name), Some(attribute), _) => self.mention(&name, Some(attribute)),
            // `context.network.address` is one thing.
            (None, Some(inner), Some(outer))
                if below.get("left").and_then(variable).as_deref() == Some("context") =>
            {
                self.mention("context", Some(&format!("{outer}.{inner}")));
            }
            _ => self.walk(left),
        }
    }

    fn mention(&mut self, variable: &str, attribute: Option<&str>) {
        match (variable, attribute) {
            ("resource", Some(attribute)) => {
                self.is_on_object = true;
                self.object_attributes.insert(attribute.into());
            }
            ("resource", None) => {
                self.is_on_object = true;
                self.is_on_identity = true;
            }
            ("principal", attribute) => {
                self.is_on_principal = true;
                self.principal_attributes
                    .extend(attribute.map(String::from));
            }
            ("context", attribute) => {
                self.is_on_context = true;
                self.context_attributes
                    .insert(attribute.unwrap_or(EVERYTHING).to_owned());
            }
            _ => {}
        }
    }
}

/// Stands for the whole of the context.
const EVERYTHING: &str = "*";

/// The type of resource a policy's scope names.
fn scope_of(policy: &Policy) -> Option<String> {
    use cedar_policy::ResourceConstraint as Constraint;
    match policy.resource_constraint() {
        Constraint::Any => None,
        Constraint::Is(kind) | Constraint::IsIn(kind, _) => Some(kind.to_string()),
        Constraint::Eq(uid) | Constraint::In(uid) => Some(uid.type_name().to_string()),
    }
}

/// The type that a policy asks its resource to be before anything else counts: `when { resource is T && … }`.
fn scope_in(conditions: &Value) -> Option<String> {
    fn of(body: &Value) -> Option<&str> {
        if let Some(both) = body.get("&&") {
            return of(both.get("left")?).or_else(|| of(both.get("right")?));
        }
        let is = body.get("is")?;
        let variable = is.get("left")?.get("Var")?.as_str()?;
        is.get("entity_type")?
            .as_str()
            .filter(|_| variable == "resource")
    }
    let mut clauses = conditions.as_array()?.iter();
    clauses.find_map(|clause| match clause.get("kind")?.as_str()? {
        "when" => of(clause.get("body")?).map(str::to_owned),
        _ => None,
    })
}
