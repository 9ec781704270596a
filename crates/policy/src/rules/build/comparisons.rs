//! What a condition compares with what, read out of its syntax tree; and whether that can be true together.
//! Exports `comparisons`, `Subject`, `Comparison`, `Relation`, `contradicted`, `possible`. Pure.
//! Used by `domains`, `idle` and `shadowed`, for what `check` says of conditions.
//! Start reading at `comparisons`.

use std::collections::BTreeMap;
use std::fmt;

use model::shape::Domain;
use serde_json::Value;

/// Deepest condition that is looked into.
const DEPTH_MAX: usize = 32;

/// What a condition asks about: `resource.status`, `context.query.status`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    pub variable: String,
    /// The attribute, with the record around it where there is one.
    pub path: String,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.variable, self.path)
    }
}

/// How a value is compared; the subject stands on the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// Equal or not, or one of a set.
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    /// What holds where this does not.
    fn negated(self) -> Relation {
        match self {
            Relation::Equal => Relation::Equal,
            Relation::Less => Relation::GreaterOrEqual,
            Relation::LessOrEqual => Relation::Greater,
            Relation::Greater => Relation::LessOrEqual,
            Relation::GreaterOrEqual => Relation::Less,
        }
    }
}

/// `resource.status == "open"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comparison<'t> {
    pub subject: Subject,
    pub relation: Relation,
    pub value: &'t Value,
}

/// Every comparison of a subject with a literal, wherever in the tree it stands.
pub(super) fn comparisons(tree: &Value) -> Vec<Comparison<'_>> {
    let mut found = Vec::new();
    walk(tree, &mut found);
    found
}

fn walk<'t>(tree: &'t Value, found: &mut Vec<Comparison<'t>>) {
    match tree {
        Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
        Value::Object(members) => {
            for (operator, body) in members {
                found.extend(compared(operator, body));
                if operator == "contains" {
                    found.extend(contained(body));
                }
                walk(body, found);
            }
        }
        _ => {}
    }
}

fn compared<'t>(operator: &str, body: &'t Value) -> Option<Comparison<'t>> {
    let (relation, flipped) = match operator {
        "==" | "!=" => (Relation::Equal, Relation::Equal),
        "<" => (Relation::Less, Relation::Greater),
        "<=" => (Relation::LessOrEqual, Relation::GreaterOrEqual),
        ">" => (Relation::Greater, Relation::Less),
        ">=" => (Relation::GreaterOrEqual, Relation::LessOrEqual),
        _ => return None,
    };
    let (left, right) = (body.get("left")?, body.get("right")?);
    let comparison = |side: &Value, relation, value: &'t Value| {
        Some(Comparison {
            subject: subject(side)?,
            relation,
            value: literal(value)?,
        })
    };
    comparison(left, relation, right).or_else(|| comparison(right, flipped, left))
}

/// `["open", "done"].contains(resource.status)` and `resource.tags.contains("urgent")`.
fn contained(body: &Value) -> Vec<Comparison<'_>> {
    let (Some(left), Some(right)) = (body.get("left"), body.get("right")) else {
        return Vec::new();
    };
    let (asked, values) = match (subject(right), set(left), subject(left)) {
        (Some(asked), Some(values), _) => (asked, values),
        (_, _, Some(asked)) => (asked, literal(right).into_iter().collect()),
        _ => return Vec::new(),
    };
    let one = |value| Comparison {
        subject: asked.clone(),
        relation: Relation::Equal,
        value,
    };
    values.into_iter().map(one).collect()
}

fn literal(tree: &Value) -> Option<&Value> {
    tree.get("Value").filter(|value| !value.is_object())
}

/// The literals of a set that holds nothing else.
fn set(tree: &Value) -> Option<Vec<&Value>> {
    let items = tree.get("Set")?.as_array()?;
    items.iter().map(literal).collect()
}

fn subject(tree: &Value) -> Option<Subject> {
    let access = tree.get(".")?;
    let attribute = access.get("attr")?.as_str()?;
    let left = access.get("left")?;
    if let Some(variable) = left.get("Var").and_then(Value::as_str) {
        return Some(Subject {
            variable: variable.to_owned(),
            path: attribute.to_owned(),
        });
    }
    let outer = left.get(".")?;
    let variable = outer.get("left")?.get("Var")?.as_str()?;
    let record = outer.get("attr")?.as_str()?;
    Some(Subject {
        variable: variable.to_owned(),
        path: format!("{record}.{attribute}"),
    })
}

/// What of a subject's values is left.
#[derive(Debug)]
struct Left<'t> {
    /// The only texts that are possible.
    texts: Option<Vec<&'t str>>,
    /// The range that whole numbers lie in.
    range: (i64, i64),
    /// Which of `false` and `true` is possible.
    truth: [bool; 2],
    /// Values that are ruled out.
    not: Vec<&'t Value>,
}

impl Default for Left<'_> {
    fn default() -> Self {
        Left {
            texts: None,
            range: (i64::MIN, i64::MAX),
            truth: [true; 2],
            not: Vec::new(),
        }
    }
}

impl<'t> Left<'t> {
    fn only(&mut self, values: &[&'t Value]) {
        let texts: Option<Vec<&str>> = values.iter().map(|value| value.as_str()).collect();
        let numbers: Option<Vec<i64>> = values.iter().map(|value| value.as_i64()).collect();
        let truths: Option<Vec<bool>> = values.iter().map(|value| value.as_bool()).collect();
        if let Some(texts) = texts {
            let is_left = |text: &&str| self.texts.as_ref().is_none_or(|left| left.contains(text));
            self.texts = Some(texts.into_iter().filter(is_left).collect());
        } else if let Some(numbers) = numbers {
            let least = numbers.iter().min().copied().unwrap_or(i64::MAX);
            let most = numbers.iter().max().copied().unwrap_or(i64::MIN);
            self.range = (self.range.0.max(least), self.range.1.min(most));
        } else if let Some(truths) = truths {
            for (is, left) in [false, true].iter().zip(&mut self.truth) {
                *left &= truths.contains(is);
            }
        }
    }

    fn bounded(&mut self, relation: Relation, bound: i64) {
        let (least, most) = &mut self.range;
        match relation {
            Relation::Equal => {}
            Relation::Less => *most = (*most).min(bound.saturating_sub(1)),
            Relation::LessOrEqual => *most = (*most).min(bound),
            Relation::Greater => *least = (*least).max(bound.saturating_add(1)),
            Relation::GreaterOrEqual => *least = (*least).max(bound),
        }
    }

    /// Whether no value is left, of those that the contract admits.
    fn is_nothing(&self, domain: Option<&Domain>) -> bool {
        let is_out = |value: &Value| self.not.contains(&value);
        let is_left = |text: &str| {
            self.texts.as_ref().is_none_or(|left| left.contains(&text)) && !is_out(&text.into())
        };
        let has_text = match (domain, &self.texts) {
            (Some(Domain::Texts(texts)), _) => texts.iter().any(|text| is_left(text)),
            (_, Some(texts)) => texts.iter().any(|text| is_left(text)),
            (_, None) => true,
        };
        let (mut least, mut most) = self.range;
        if let Some(Domain::Whole(lower, upper)) = domain {
            least = least.max(lower.unwrap_or(i64::MIN));
            most = most.min(upper.unwrap_or(i64::MAX));
        }
        let has_number = least < most || (least == most && !is_out(&least.into()));
        let mut truths = [false, true].into_iter().zip(self.truth);
        let has_truth = truths.any(|(is, left)| left && !is_out(&is.into()));
        !(has_text && has_number && has_truth)
    }
}

/// The subject of which no value satisfies all that the clauses of a policy ask of it. `domain` says which values it can
/// have at all.
pub(super) fn contradicted(
    clauses: &[Value],
    domain: impl Fn(&Subject) -> Option<Domain>,
) -> Option<Subject> {
    let mut all = BTreeMap::new();
    for clause in clauses {
        let is_when = clause.get("kind").and_then(Value::as_str) == Some("when");
        if let Some(body) = clause.get("body") {
            narrow(body, is_when, DEPTH_MAX, &mut all);
        }
    }
    let mut all = all.into_iter();
    let found = all.find(|(subject, left)| left.is_nothing(domain(subject).as_ref()));
    found.map(|(subject, _)| subject)
}

/// Notes what has to be so wherever the expression is `wanted`. What is not understood says nothing.
fn narrow<'t>(tree: &'t Value, wanted: bool, depth: usize, all: &mut BTreeMap<Subject, Left<'t>>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    let inner = |operator: &str, name: &str| tree.get(operator)?.get(name);
    let joined = if wanted { "&&" } else { "||" };
    if let (Some(left), Some(right)) = (inner(joined, "left"), inner(joined, "right")) {
        narrow(left, wanted, depth, all);
        narrow(right, wanted, depth, all);
    } else if let Some(negated) = inner("!", "arg") {
        narrow(negated, !wanted, depth, all);
    } else if let Some(asked) = subject(tree) {
        let left = all.entry(asked).or_default();
        left.truth = [left.truth[0] && !wanted, left.truth[1] && wanted];
    } else {
        narrow_one(tree, wanted, all);
    }
}

fn narrow_one<'t>(tree: &'t Value, wanted: bool, all: &mut BTreeMap<Subject, Left<'t>>) {
    let Some((operator, body)) = tree.as_object().and_then(|members| members.iter().next()) else {
        return;
    };
    if let Some((asked, values)) = one_of(operator, body) {
        let left = all.entry(asked).or_default();
        if wanted {
            left.only(&values);
        } else {
            left.not.extend(values);
        }
        return;
    }
    let Some(comparison) = compared(operator, body) else {
        return;
    };
    let left = all.entry(comparison.subject).or_default();
    match (comparison.relation, comparison.value.as_i64()) {
        (Relation::Equal, _) if wanted == (operator == "==") => left.only(&[comparison.value]),
        (Relation::Equal, _) => left.not.push(comparison.value),
        (relation, Some(bound)) if wanted => left.bounded(relation, bound),
        (relation, Some(bound)) => left.bounded(relation.negated(), bound),
        (_, None) => {}
    }
}

/// The only values of a subject for which an expression is true, where it says no more than that.
pub(super) fn possible(tree: &Value) -> Option<(Subject, Vec<&Value>)> {
    let (operator, body) = tree.as_object()?.iter().next()?;
    if let Some(found) = one_of(operator, body) {
        return Some(found);
    }
    let comparison = compared(operator, body).filter(|_| operator == "==")?;
    Some((comparison.subject, vec![comparison.value]))
}

/// `["open", "done"].contains(resource.status)`: the subject is one of these. A list that contains a value may hold others.
fn one_of<'t>(operator: &str, body: &'t Value) -> Option<(Subject, Vec<&'t Value>)> {
    let (left, right) = (body.get("left")?, body.get("right")?);
    if operator != "contains" {
        return None;
    }
    Some((subject(right)?, set(left)?))
}

#[cfg(test)]
mod tests {
    use cedar_policy::Policy;

    use super::*;

    fn tree(condition: &str) -> Value {
        let text = format!("permit(principal, action, resource) when {{ {condition} }};");
        text.parse::<Policy>().unwrap().to_json().unwrap()
    }

    fn domain(subject: &Subject) -> Option<Domain> {
        match subject.path.as_str() {
            "status" => Some(Domain::Texts(vec!["done".into(), "open".into()])),
            "priority" => Some(Domain::Whole(Some(1), Some(5))),
            _ => None,
        }
    }

    fn contradiction(condition: &str) -> Option<String> {
        let tree = tree(condition);
        let clauses = tree["conditions"].as_array().unwrap();
        contradicted(clauses, domain).map(|subject| subject.to_string())
    }

    #[test]
    fn comparisons_are_found_wherever_they_stand() {
        let tree = tree(
            r#"resource.a == "x" || !("y" != resource.b) || (5 < resource.c && ["p", "q"].contains(context.query.d))
               || resource.e.contains("t") || resource.f == principal.f"#,
        );
        let found: Vec<String> = comparisons(&tree)
            .into_iter()
            .map(|one| format!("{} {:?} {}", one.subject, one.relation, one.value))
            .collect();
        let expected = [
            r#"context.query.d Equal "p""#,
            r#"context.query.d Equal "q""#,
            r#"resource.a Equal "x""#,
            r#"resource.b Equal "y""#,
            "resource.c Greater 5",
            r#"resource.e Equal "t""#,
        ];
        let mut sorted = found.clone();
        sorted.sort();
        assert_eq!(sorted, expected);
    }

    #[test]
    fn what_cannot_be_true_together_is_found() {
        for condition in [
            r#"resource.a == "x" && resource.a == "y""#,
            r#"["x", "z"].contains(resource.a) && "y" == resource.a"#,
            r#"resource.a == "x" && !(resource.a == "x")"#,
            r#"!(resource.a != "x" || resource.b == "y") && resource.a != "x""#,
            "resource.n > 5 && resource.n < 6",
            "resource.n == 5 && !(resource.n <= 5)",
            "resource.flag && !resource.flag",
            r#"resource.status != "open" && resource.status != "done""#,
            "resource.priority > 5",
            "resource.priority == 3 && resource.priority != 3",
        ] {
            assert!(contradiction(condition).is_some(), "{condition}");
        }
    }

    #[test]
    fn what_can_be_true_together_is_not() {
        for condition in [
            r#"resource.a == "x" || resource.a == "y""#,
            r#"["x", "y"].contains(resource.a) && resource.a != "x""#,
            r#"resource.tags.contains("x") && resource.tags.contains("y")"#,
            r#"!(resource.a == "x" && resource.a == "y")"#,
            "resource.n >= 5 && resource.n <= 5",
            "resource.priority >= 5 && resource.priority != 1",
            r#"resource.status != "open" && resource.b == "open""#,
            r#"resource.a == principal.a && principal.a == "x""#,
            r#"if resource.flag then resource.a == "x" else resource.a == "y""#,
        ] {
            assert_eq!(contradiction(condition), None, "{condition}");
        }
    }
}
