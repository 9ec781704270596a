//! The parameters of one operation as an operator reads them: what a request may ask, what is refused and why.
//! Exports `ParameterAccess`, made by `Rules::parameters`.
//! Used by the CLI (`access`, `can`).
//! Start reading at `Rules::parameters`. It reads the rules by which `Permit::admit` judges requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ParameterRule, Usable, Why};
use crate::cedar::{CedarContext, EvalInput, ResourceEntity};
use crate::fast::PrincipalFacts;
use crate::input::{FixedTarget, ParameterPlace};
use crate::rules::{Entry, Integration, Operation, OperationRef, Rules};

/// One parameter of an operation for one integration.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ParameterAccess {
    /// `query`, `header` (cookies too), `path`, or `body` for a field of a search or a fixed one.
    pub place: &'static str,
    /// Name as declared; for a fixed field its path.
    pub name: Arc<str>,
    /// Whether it may be used.
    #[serde(rename = "use")]
    pub using: ParameterUse,
    /// The fixed value.
    pub value: Option<String>,
    /// The values that may be sent, where values ask about different fields and not all are free.
    pub values: Vec<Arc<str>>,
    /// The only grants a request with it is covered by, where `query` leaves others out.
    pub only_with: Vec<String>,
    /// What is refused.
    pub refused: Vec<ParameterRefusal>,
}

/// Whether a parameter may be used.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ParameterUse {
    /// With every value the contract admits.
    Usable,
    /// With some values.
    ByValue,
    /// Only while a grant of `refused`, whose condition asks about the request, does not hold.
    Depends,
    /// Never.
    Refused,
    /// The gateway writes its value.
    Fixed,
}

/// Why a parameter, or one of its values, may not be used.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ParameterRefusal {
    /// The value; none for the parameter, or for every value that is not named.
    pub value: Option<Arc<str>>,
    /// "it asks about `margin`, which is not seen in full"
    pub why: String,
    /// The grant with which it may not be used.
    pub rule: String,
}

impl Rules {
    /// What an integration may ask of an operation by its parameters, as requests are judged: each parameter alone has to be
    /// usable with every grant that may hold. Empty without a grant.
    pub fn parameters(&self, integration: &str, operation: OperationRef) -> Vec<ParameterAccess> {
        let integration = self.integration_named(integration);
        let found = integration.and_then(|i| Some((i, i.entries.get(&operation)?)));
        let (Some((integration, entry)), Some(operation)) = (found, self.op(operation)) else {
            return Vec::new();
        };
        let holding = Holding::new(entry, integration, operation);
        let known: Vec<&ParameterRule> = entry.parameters.all().collect();
        let bodies = entry.parameters.fixed.iter().filter_map(|fixed| {
            let FixedTarget::Body(steps) = &fixed.target else {
                return None;
            };
            let name = steps.join(".");
            let is_it =
                |rule: &&ParameterRule| rule.place == ParameterPlace::Body && *rule.name == *name;
            (!known.iter().any(is_it)).then(|| ParameterAccess {
                place: "body",
                name: name.into(),
                value: Some(fixed.text()),
                ..bare(ParameterUse::Fixed)
            })
        });
        let known = known.iter().copied();
        known
            .map(|rule| shown(rule, &holding))
            .chain(bodies)
            .collect()
    }
}

/// The grants that can hold for a request.
struct Holding<'a> {
    entry: &'a Entry,
    /// Those that do, as far as is known without a request.
    live: u64,
    /// Those of them that the request decides.
    unsure: u64,
}

impl<'a> Holding<'a> {
    fn new(entry: &'a Entry, integration: &Integration, operation: &Operation) -> Holding<'a> {
        let open = entry.always | (entry.waits() & !entry.on_request);
        let (live, unsure) = match &entry.at_request {
            None => (open, 0),
            Some(set) if set.needs.is_on_context => (u64::MAX, !open),
            // Who calls is known, so what is asked of the caller alone is decided.
            Some(set) => {
                let scene = EvalInput {
                    principal: &integration.being,
                    who: PrincipalFacts {
                        attributes: &integration.attributes,
                        listener: None,
                    },
                    action: &operation.action,
                    context: &CedarContext::empty(),
                };
                let held = set.judge(&scene, ResourceEntity::none());
                (open | held.grants, 0)
            }
        };
        Holding {
            entry,
            live,
            unsure,
        }
    }

    fn refusals(
        &self,
        bits: u64,
        value: Option<&Arc<str>>,
        why: impl Fn(usize) -> String,
    ) -> Vec<ParameterRefusal> {
        let grants = self.entry.grants.iter().enumerate();
        grants
            .filter(|(bit, _)| (bits & self.live).checked_shr(index(*bit)).unwrap_or(0) & 1 == 1)
            .map(|(bit, grant)| ParameterRefusal {
                value: value.cloned(),
                why: why(bit),
                rule: grant.rule.to_string(),
            })
            .collect()
    }

    fn places(&self, bits: u64) -> Vec<String> {
        let all = self.refusals(bits, None, |_| String::new()).into_iter();
        all.map(|refusal| refusal.rule).collect()
    }

    /// Grants that refuse a request with the parameter when they hold.
    fn blocking(&self, rule: &ParameterRule, usable: u64) -> u64 {
        // What the body holds is judged with every grant that holds, whichever of them lets it be sent.
        let listed = match rule.place {
            ParameterPlace::Body => u64::MAX,
            _ => rule.listed,
        };
        self.live & listed & self.entry.parameters.restricted & !usable
    }

    /// Refused, or only while grants hold that the request decides.
    fn unusable(&self, rule: &ParameterRule, usable: u64) -> ParameterUse {
        let blocking = self.blocking(rule, usable);
        let others = self.live & rule.listed & !blocking;
        if blocking & !self.unsure == 0 && others != 0 {
            ParameterUse::Depends
        } else {
            ParameterUse::Refused
        }
    }
}

fn bare(using: ParameterUse) -> ParameterAccess {
    ParameterAccess {
        place: "query",
        name: Arc::from(""),
        using,
        value: None,
        values: Vec::new(),
        only_with: Vec::new(),
        refused: Vec::new(),
    }
}

fn shown(rule: &ParameterRule, holding: &Holding<'_>) -> ParameterAccess {
    let named = ParameterAccess {
        place: match rule.place {
            ParameterPlace::Header => "header",
            ParameterPlace::Query => "query",
            ParameterPlace::Path => "path",
            ParameterPlace::Body => "body",
        },
        name: rule.name.clone(),
        ..bare(ParameterUse::Usable)
    };
    if let Some(fixed) = holding.entry.parameters.value_set(rule) {
        return ParameterAccess {
            using: ParameterUse::Fixed,
            value: Some(fixed.text()),
            ..named
        };
    }
    if rule.listed & holding.live == 0 {
        return ParameterAccess {
            using: ParameterUse::Refused,
            refused: holding.refusals(u64::MAX, None, |_| "`query` leaves it out".into()),
            ..named
        };
    }
    let all = holding.places(u64::MAX);
    let listed = holding.places(rule.listed);
    let named = ParameterAccess {
        only_with: if listed == all { Vec::new() } else { listed },
        ..named
    };
    match &rule.usable {
        Usable::Always(usable) => {
            let blocking = holding.blocking(rule, *usable);
            ParameterAccess {
                using: match blocking {
                    0 => ParameterUse::Usable,
                    _ => holding.unusable(rule, *usable),
                },
                refused: holding.refusals(blocking, None, |bit| why(rule, bit, None)),
                ..named
            }
        }
        Usable::ByValue(values) => by_value(named, rule, values, holding),
    }
}

/// A parameter of which each value asks about other fields.
fn by_value(
    named: ParameterAccess,
    rule: &ParameterRule,
    values: &BTreeMap<Arc<str>, u64>,
    holding: &Holding<'_>,
) -> ParameterAccess {
    // Values of which nothing is said: the grants that refuse them refuse whatever else is refused.
    let others = holding.blocking(rule, 0);
    let refused = values.iter().flat_map(|(value, usable)| {
        let blocking = holding.blocking(rule, *usable);
        holding.refusals(blocking, Some(value), |bit| why(rule, bit, Some(value)))
    });
    let rest = holding.refusals(others, None, |_| Why::Undeclared.to_string());
    let free = values
        .iter()
        .filter(|(_, usable)| holding.blocking(rule, **usable) == 0);
    let free: Vec<Arc<str>> = free.map(|(value, _)| value.clone()).collect();
    ParameterAccess {
        using: match (others, free.is_empty()) {
            (0, _) => ParameterUse::Usable,
            (_, false) => ParameterUse::ByValue,
            (_, true) => {
                let each = values
                    .values()
                    .map(|usable| holding.unusable(rule, *usable));
                each.min().unwrap_or(ParameterUse::Refused)
            }
        },
        values: if others == 0 { Vec::new() } else { free },
        refused: refused.chain(rest).collect(),
        ..named
    }
}

fn why(rule: &ParameterRule, bit: usize, value: Option<&Arc<str>>) -> String {
    let mut refused = rule.refused.iter();
    let one = refused.find(|refused| refused.grant == bit && refused.value.as_ref() == value);
    one.map(|refused| refused.why.to_string())
        .unwrap_or_default()
}

fn index(bit: usize) -> u32 {
    u32::try_from(bit).unwrap_or(u32::MAX)
}
