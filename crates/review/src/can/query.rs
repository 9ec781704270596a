//! The query of a request that `can` is asked about, with what the grants fix in it.
//! Exports `query`, and `known`: whether its parameters are declared.
//! Used by `ask`, where a request would pass the stages authz and validate.
//! Start reading at `query`.

use config::Compiled;
use contract::{Operation, Parameter, Place, Style};
use policy::{FixedTarget, OperationRef};

use super::question::{AccessQuestion, Evaluation};

/// The query as it would be forwarded.
///
/// # Errors
/// When another value of a parameter is fixed.
pub fn query(
    asked: &AccessQuestion<'_>,
    operation: OperationRef,
    compiled: &Compiled,
) -> Result<Vec<(String, String)>, Box<Evaluation>> {
    let mut query = asked.query.clone();
    let principal = asked.integration.facts.principal(None);
    for fixed in compiled.rules.fixed(&principal, operation) {
        let FixedTarget::Query(name) = &fixed.target else {
            continue;
        };
        let value = fixed.text();
        if query
            .iter()
            .any(|(sent, other)| **sent == **name && *other != value)
        {
            return Err(Box::new(Evaluation {
                code: Some(policy::VALUE_FIXED.code),
                ..*Evaluation::no(format!("query.{name} is fixed: {value}"))
            }));
        }
        query.retain(|(sent, _)| **sent != **name);
        query.push((name.to_string(), value));
    }
    Ok(query)
}

/// Whether the contract declares every parameter of the query.
///
/// # Errors
/// When one is not declared, with the name that was probably meant.
pub fn known(asked: &AccessQuestion<'_>, contract: &Operation) -> Result<(), Box<Evaluation>> {
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
        let help = config::nearest(name, &known).unwrap_or_else(|| {
            if known.is_empty() {
                "it has none".to_owned()
            } else {
                format!("it has {}", config::listed(&known))
            }
        });
        return Err(Box::new(Evaluation {
            code: Some(contract::QUERY.code),
            ..*Evaluation::no(format!(
                "{} has no query parameter `{name}`: {help}",
                asked.plan.id
            ))
        }));
    }
    Ok(())
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
