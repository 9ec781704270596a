//! A short copy of a value that is large by fields its contract does not know, to explain it by.
//! Exports `shortened`. Its cost is bounded whatever the value holds.
//! Used by `errors`.
//! Start reading at `shortened`.

use model::shape::Node;
use model::{Json, Refusal, Shape};

use crate::validator::{EXPLAINED_VALUES_MAX, is_large};

/// The value without most of its undeclared fields. `None` where it is small enough as it is, or still large without them.
pub(crate) fn shortened(value: &Json, shape: &Shape) -> Option<Json> {
    if !is_large(value) {
        return None;
    }
    let mut walk = Walk {
        shape,
        left: EXPLAINED_VALUES_MAX,
        has_left_out: false,
    };
    let short = walk.value(value, shape.root())?;
    walk.has_left_out.then_some(short)
}

struct Walk<'s> {
    shape: &'s Shape,
    /// Values that may still be looked at.
    left: usize,
    has_left_out: bool,
}

impl<'s> Walk<'s> {
    fn value(&mut self, value: &Json, node: Option<&'s Node>) -> Option<Json> {
        self.left = self.left.checked_sub(1)?;
        match value {
            Json::Object(members) => {
                let members = match node {
                    Some(node) if node.values.is_none() => self.known(members, node)?,
                    _ => {
                        let below = self.node(node.and_then(|node| node.values));
                        let each = members.iter();
                        each.map(|(key, value)| Some((key.clone(), self.value(value, below)?)))
                            .collect::<Option<_>>()?
                    }
                };
                Some(Json::Object(members))
            }
            Json::List(items) => {
                let below = self.node(node.and_then(|node| node.items));
                let items = items.iter().map(|item| self.value(item, below));
                items.collect::<Option<_>>().map(Json::List)
            }
            other => Some(other.clone()),
        }
    }

    /// The declared members and the first undeclared ones, whose values say nothing. Behind those a declared one may stand
    /// that is not reached any more: what is told of the copy is told of undeclared members only.
    fn known(
        &mut self,
        members: &[(model::Text, Json)],
        node: &'s Node,
    ) -> Option<Vec<(model::Text, Json)>> {
        let (mut kept, mut undeclared) = (Vec::new(), 0);
        for (key, value) in members {
            match node.fields.get(key.as_str()) {
                Some(field) => {
                    let below = self.node(Some(field.node));
                    kept.push((key.clone(), self.value(value, below)?));
                }
                None if undeclared < Refusal::ERRORS_MAX => {
                    undeclared += 1;
                    self.left = self.left.checked_sub(1)?;
                    kept.push((key.clone(), Json::Null));
                }
                None => {
                    self.has_left_out = true;
                    break;
                }
            }
        }
        Some(kept)
    }

    fn node(&self, id: Option<usize>) -> Option<&'s Node> {
        id.and_then(|id| self.shape.node(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::tests::contract;

    const API: &str = r"
openapi: 3.1.0
paths:
  /a:
    post:
      operationId: a
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                name: { type: string }
                list: { type: array, items: { type: object, properties: { n: { type: integer } } } }
                map: { type: object, additionalProperties: { type: integer } }
      responses: { 200: { description: d } }
";

    fn short(body: &str) -> Option<String> {
        let api = contract(API);
        let value = model::json::parse(body.as_bytes(), model::json::Bounds::default()).unwrap();
        let mut out = Vec::new();
        model::json::write(
            &shortened(&value, &api.operations[0].request_shape)?,
            &mut out,
        );
        Some(String::from_utf8(out).unwrap())
    }

    /// So many members, each named by this letter and a number.
    fn members(letter: &str, count: usize) -> String {
        let each: Vec<_> = (0..count).map(|n| format!("\"{letter}{n}\":{n}")).collect();
        each.join(",")
    }

    #[test]
    fn of_many_undeclared_fields_the_first_ones_are_kept() {
        let many = members("x", 90_000);
        let body = format!(r#"{{"name":"n","list":[{{"n":1}},{{{many}}}]}}"#);
        let short = short(&body).unwrap();
        assert!(
            short.starts_with(r#"{"name":"n","list":[{"n":1},{"x0":null,"#),
            "{short}"
        );
        assert!(short.ends_with(r#","x19":null}]}"#), "{short}");
    }

    #[test]
    fn what_is_small_or_large_by_what_is_declared_is_not_shortened() {
        assert_eq!(short(r#"{"name":"n","x":1}"#), None);
        assert_eq!(
            short(&format!(r#"{{"map":{{{}}}}}"#, members("m", 5_000))),
            None
        );
        let items = vec![r#"{"n":1}"#; 5_000].join(",");
        assert_eq!(short(&format!(r#"{{"list":[{items}]}}"#)), None);
    }
}
