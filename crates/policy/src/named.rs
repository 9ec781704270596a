//! Other objects that a request names: may the caller name them?
//! Exports `Permit::before_references`.
//! Used by `object`, before anything is forwarded.
//! Start reading at `Permit::before_references`.
//!
//! Another object that a parameter or the body names is judged by the conditions and policies that are about it, and
//! by the caller's grants for reading that kind; where there are none, a reference the contract declares is refused.

use std::sync::Arc;

use model::shape::NodeId;
use model::{Cause, Json, Refusal};

use crate::input::ParameterPlace;
use crate::object::{id_text, own_id};
use crate::plan::KindId;
use crate::rules::{Kind, Named, Operation};
use crate::standing::{RequestFacts, Role, Standing};

impl Standing {
    pub(crate) fn before_references(
        &mut self,
        operation: &Operation,
        facts: &RequestFacts<'_>,
    ) -> Result<(), Box<Refusal>> {
        let mut found: Vec<(KindId, String, bool)> = Vec::new();
        for (index, named) in operation.named.iter().enumerate() {
            self.named_by(index, named, operation, facts, &mut found)?;
        }
        if let Some(body) = facts.body.filter(|_| operation.has_body_references) {
            let mut search = Search {
                kinds: &self.rules.kinds,
                operation,
                found: Vec::new(),
            };
            search.place(0, body);
            found.extend(search.found.into_iter().map(|(kind, id)| (kind, id, true)));
        }
        found.sort();
        found.dedup_by(|a, b| (a.0, &a.1) == (b.0, &b.1));
        for (kind, id, is_outright) in found {
            self.before_reference(kind, id, is_outright, facts)?;
        }
        Ok(())
    }

    fn before_reference(
        &mut self,
        kind: KindId,
        id: String,
        is_outright: bool,
        facts: &RequestFacts<'_>,
    ) -> Result<(), Box<Refusal>> {
        let rules = self.rules.clone();
        let shape = rules.kind(kind);
        if let Some(shape) = shape {
            self.name_object(shape, &id);
        }
        let schema = shape.map_or("object", |shape| &shape.schema);
        match self.sees_all(kind) {
            Some(true) => Ok(()),
            Some(false) => self.look_up(kind, id, facts, Role::Reference(kind)),
            None if is_outright => Err(self.refuse_for(
                Cause::Reference,
                format!("the request names {schema}:{id}, and no grant of the integration reads a `{schema}`"),
                None,
            )),
            None => Ok(()),
        }
    }

    /// Objects that one parameter names.
    fn named_by(
        &mut self,
        index: usize,
        named: &Named,
        operation: &Operation,
        facts: &RequestFacts<'_>,
        found: &mut Vec<(KindId, String, bool)>,
    ) -> Result<(), Box<Refusal>> {
        let Some(parameter) = operation.parameters.get(named.parameter) else {
            return Ok(());
        };
        let (kind, is_outright) = (named.kind, named.is_outright);
        match parameter.place {
            ParameterPlace::Path => {
                let values = facts.path.iter();
                for (_, id) in values.filter(|(name, _)| *name == parameter.name) {
                    self.before_parent(index, kind, id, facts)?;
                    found.push((kind, id.clone(), is_outright));
                }
            }
            ParameterPlace::Query => {
                let values = facts.query.iter();
                let values = values.filter(|(name, _)| **name == *parameter.name);
                let parts = values.flat_map(|(_, v)| v.split(','));
                found.extend(parts.map(|v| (kind, v.to_owned(), is_outright)));
            }
            // The contract refuses to name an object there.
            ParameterPlace::Header | ParameterPlace::Body => {
                let detail = format!(
                    "`{}` names an object in a header, which cannot be judged",
                    parameter.name
                );
                return Err(self.refuse(detail, None));
            }
        }
        Ok(())
    }
}

/// Values of a body that name objects.
struct Search<'s> {
    kinds: &'s [Kind],
    operation: &'s Operation,
    found: Vec<(KindId, String)>,
}

impl Search<'_> {
    fn place(&mut self, node: NodeId, value: &Json) {
        let operation = self.operation;
        let Some(place) = operation.request.node(node) else {
            return;
        };
        if place.names_objects()
            && let Some(kind) = self.kind(place.refers_to.as_ref())
        {
            // Whatever stands at a marked place names objects, also where a relaxed contract lets odd values through.
            self.marked(kind, value);
        }
        match value {
            Json::List(items) => {
                if let Some(item) = place.items {
                    items.iter().for_each(|value| self.place(item, value));
                }
            }
            Json::Object(members) => {
                for (key, value) in members {
                    let below = place.fields.get(&**key).map(|f| f.node).or(place.values);
                    if let Some(below) = below {
                        self.place(below, value);
                    }
                }
            }
            _ => {}
        }
    }

    fn kind(&self, name: Option<&Arc<str>>) -> Option<KindId> {
        let name = name?;
        let mut kinds = self.kinds.iter();
        kinds.position(|k| k.schema == *name && k.api == self.operation.api)
    }

    /// The ids at a marked place or below it: of an object that carries its id that one, else every plain value.
    fn marked(&mut self, kind: KindId, value: &Json) {
        match value {
            Json::List(items) => items.iter().for_each(|value| self.marked(kind, value)),
            Json::Object(members) => {
                let source = self.kinds.get(kind).map(|kind| &kind.id);
                match source.and_then(|source| own_id(source, value)) {
                    Some(id) => self.found.push((kind, id)),
                    None => members
                        .iter()
                        .for_each(|(_, value)| self.marked(kind, value)),
                }
            }
            value => self.found.extend(id_text(value).map(|id| (kind, id))),
        }
    }
}
