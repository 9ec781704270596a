//! The query of a request that `can` is asked about: what the grants fix in it, and whether its parameters may be used.
//! Exports `query`, `admit`.
//! Used by `ask`, where a request would pass stage authz and stage validate.
//! Start reading at `query`.

use config::Compiled;
use contract::{Operation, Parameter, Place, Style};
use model::{Json, Refusal};
use policy::{FixedTarget, OperationRef, ParameterPlace, Permit, Sent};

use super::ask::{Asked, Verdict};

/// The query as it would be forwarded.
///
/// # Errors
/// When a parameter is not declared, or another value of it is fixed.
pub fn query(
    asked: &Asked<'_>,
    operation: OperationRef,
    contract: &Operation,
    compiled: &Compiled,
) -> Result<Vec<(String, String)>, Box<Verdict>> {
    let names = || {
        contract
            .parameters
            .iter()
            .filter(|p| p.place == Place::Query)
    };
    if let Some((name, _)) = asked
        .query
        .iter()
        .find(|(name, _)| declared(contract, name).is_none())
    {
        let known: Vec<&str> = names().map(|p| &*p.name).collect();
        let help = config::nearest(name, &known).unwrap_or_else(|| match known.is_empty() {
            true => "it has none".to_owned(),
            false => format!("it has {}", config::listed(&known)),
        });
        return Err(Box::new(Verdict {
            code: Some(contract::QUERY.code),
            ..*Verdict::no(format!(
                "{} has no query parameter `{name}`: {help}",
                asked.plan.id
            ))
        }));
    }
    let mut query = asked.query.clone();
    for fixed in compiled.rules.fixed(&asked.integration.name, operation) {
        let FixedTarget::Query(name) = &fixed.target else {
            continue;
        };
        let value = fixed.text();
        if query
            .iter()
            .any(|(sent, other)| **sent == **name && *other != value)
        {
            return Err(Box::new(Verdict {
                code: Some(policy::VALUE_FIXED.code),
                ..*Verdict::no(format!("query.{name} is fixed: {value}"))
            }));
        }
        query.retain(|(sent, _)| **sent != **name);
        query.push((name.to_string(), value));
    }
    Ok(query)
}

/// Judges the parameters that were given as the gateway judges those of a request.
///
/// # Errors
/// [`policy::PARAMETER_NOT_GRANTED`].
pub fn admit(
    permit: &mut Permit,
    asked: &Asked<'_>,
    contract: &Operation,
) -> Result<(), Box<Refusal>> {
    let in_query = asked.query.iter().filter_map(|(name, value)| {
        let parameter = declared(contract, name)?;
        let value = typed(parameter, value);
        Some((ParameterPlace::Query, &*parameter.name, value))
    });
    let in_path = asked.path.iter().map(|(name, value)| {
        let value = Json::Text(value.as_str().into());
        (ParameterPlace::Path, name.as_str(), value)
    });
    let values: Vec<(ParameterPlace, &str, Json)> = in_query.chain(in_path).collect();
    let sent = values.iter().map(|(place, name, value)| Sent {
        place: *place,
        name,
        value,
    });
    permit.admit(sent, asked.body.as_ref())
}

/// The parameter a name belongs to; `filter[status]` belongs to the object `filter`.
fn declared<'a>(contract: &'a Operation, name: &str) -> Option<&'a Parameter> {
    let mut all = contract.parameters.iter();
    all.find(|parameter| {
        let rest = name.strip_prefix(&*parameter.name);
        let is_below = parameter.style == Style::DeepObject;
        parameter.place == Place::Query
            && rest.is_some_and(|rest| rest.is_empty() || is_below && rest.starts_with('['))
    })
}

/// The parts of a value that may ask about different fields.
fn typed(parameter: &Parameter, value: &str) -> Json {
    let is_list = parameter
        .shape
        .root()
        .is_some_and(|root| root.items.is_some());
    if !is_list || parameter.is_exploded || parameter.style != Style::Form {
        return Json::Text(value.into());
    }
    let parts = value.split(',').map(|part| Json::Text(part.into()));
    Json::List(parts.collect())
}
