//! The parameter rules of one integration and one operation, and what `check` says about them.
//! Exports `build`.
//! Used by `Build::integration`, once the integration's other grants are known.
//! Start reading at `build`.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{FieldPath, Mistake, PageField, PageParameter, Reveals, RuleRef};

use super::body::BodyPlace;
use super::sight::{FieldSight, FieldView};
use super::{
    ParameterNote, ParameterRule, ParameterRules, Refused, Usable, Why, asks, tells_nothing,
};
use crate::input::{FixedTarget, ParameterPlace, ParameterShape, Source};
use crate::nested::Inside;
use crate::plan::{KindId, Plan};
use crate::rules::check::{Fault, listed as names, question_path};
use crate::rules::{Entry, EntryGrant, Kind, Operation, Rules};
use crate::scope;

/// Header fields that ask nothing about objects: they are forwarded whether they are declared or not.
const NEUTRAL_HEADERS: [&str; 10] = [
    "accept",
    "accept-language",
    "if-match",
    "if-none-match",
    "idempotency-key",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-correlation-id",
    "x-request-id",
];

/// What the rules depend on.
pub(crate) struct BuildInput<'a> {
    pub operation: &'a Operation,
    pub kinds: &'a [Kind],
    /// What is seen of every object of a kind that stands inside another.
    pub inside: &'a dyn Fn(KindId) -> Inside,
}

/// Works out which parameters may be used with which grants.
pub(crate) fn build(entry: &Entry, scene: &BuildInput<'_>) -> (ParameterRules, Vec<ParameterNote>) {
    let operation = scene.operation;
    let mut rules = ParameterRules {
        fixed: entry
            .grants
            .first()
            .map(|grant| grant.fixed.clone())
            .unwrap_or_default(),
        ..ParameterRules::default()
    };
    let all = bits(entry);
    rules.listing = of(entry, |grant| grant.query.is_some());
    covered(entry, scene, &mut rules);
    let views: Vec<Plan> = (0..entry.grants.len())
        .map(|bit| Plan::build(operation.ground(), &entry.trees(together(entry, bit))))
        .collect();
    let view = |bit: usize| {
        views.get(bit).map(|plan| FieldView {
            ground: operation.ground(),
            plan,
            inside: scene.inside,
        })
    };
    if asks(operation) {
        let is_open = |bit: usize| {
            let is_covered = rules.gapless >> bit & 1 == 1 || rules.gapless & entry.always != 0;
            is_covered && view(bit).is_some_and(|view| view.sees_all())
        };
        rules.restricted = all & !mask((0..entry.grants.len()).filter(|bit| is_open(*bit)));
    }
    for asked in operation
        .parameters
        .iter()
        .filter_map(|p| Asked::parameter(p, operation))
    {
        let rule = rule(&asked, entry, &rules, operation, &view);
        rules.known.push(rule);
    }
    if asks(operation) {
        for place in &operation.asks.places {
            let rule = rule(
                &Asked::body(place, operation),
                entry,
                &rules,
                operation,
                &view,
            );
            match place.asks {
                Some(_) => drop(rules.body.known.insert(place.node, rule)),
                None => rules.body.unsaid.push(rule),
            }
        }
    }
    let notes = notes(entry, operation, &rules);
    (rules, notes)
}

/// Fields that a parameter is declared to ask about and that no operation with this declaration answers with. They would read
/// as hidden and only ever refuse. One declaration may serve several operations that call the same thing by other names.
pub(crate) fn stated(rules: &Rules) -> Vec<Mistake> {
    let mut found: BTreeMap<(&str, &str, String), Option<Fault>> = BTreeMap::new();
    for operation in rules.operations.iter().filter(|operation| asks(operation)) {
        let ground = operation.ground();
        let plan = Plan::build(ground, &[]);
        let view = FieldView {
            ground,
            plan: &plan,
            inside: &|_| Inside::Free,
        };
        let places = operation.asks.places.iter();
        let in_body = places.filter_map(|place| place.asks.as_ref());
        let in_body = in_body.flat_map(|asks| &asks.stated);
        let parameters = operation.parameters.iter().flat_map(|p| &p.stated);
        for stated in parameters.chain(in_body) {
            let (path, nodes) = (&stated.path, view.nodes(stated.path.is_from_root));
            let fault = question_path(ground.shape, &nodes, path, &operation.id).err();
            let place = (&*stated.file, &*stated.pointer, path.to_string());
            let known = found.entry(place).or_insert_with(|| fault.clone());
            if fault.is_none() {
                *known = None;
            }
        }
    }
    let faults = found.into_iter();
    faults
        .filter_map(|((file, pointer, _), fault)| {
            let (message, help) = fault?;
            let mistake = Mistake::new(message, help);
            Some(mistake.in_file(file).at_pointer(pointer))
        })
        .collect()
}

fn bits(entry: &Entry) -> u64 {
    mask(0..entry.grants.len())
}

fn mask(bits: impl Iterator<Item = usize>) -> u64 {
    bits.filter(|bit| *bit < 64)
        .fold(0, |all, bit| all | 1 << bit)
}

fn of(entry: &Entry, is: impl Fn(&EntryGrant) -> bool) -> u64 {
    mask((0..entry.grants.len()).filter(|bit| entry.grants.get(*bit).is_some_and(&is)))
}

/// The grants that hold for every object for which this one holds: itself, those without a condition, and those with the
/// same condition.
fn together(entry: &Entry, bit: usize) -> u64 {
    entry.always | same(entry, bit)
}

/// The grants with the same condition.
fn same(entry: &Entry, bit: usize) -> u64 {
    let text = |bit: usize| {
        let grant = entry.grants.get(bit)?;
        grant.condition.as_ref().map(|c| c.text.clone())
    };
    let own = text(bit);
    mask((0..entry.grants.len()).filter(|other| text(*other) == own))
}

/// Grants under which no object is left out: those that ask for nothing of the object, and those whose condition a fixed
/// filter already keeps.
fn covered(entry: &Entry, scene: &BuildInput<'_>, rules: &mut ParameterRules) {
    let has_forbid = entry.at_object.as_ref().is_some_and(|set| set.has_forbid());
    if has_forbid {
        return;
    }
    rules.gapless = bits(entry) & !entry.on_object;
    let kind = match scene.operation.resources.as_slice() {
        [only] => scene.kinds.get(*only),
        _ => None,
    };
    let Some(kind) = kind else { return };
    let keeps = |term: &scope::Term| {
        let mut attributes = kind.attributes.iter();
        let source = attributes.find(|a| *a.name == *term.attribute);
        let Some(Source::Body(steps)) = source.map(|a| &a.source) else {
            return false;
        };
        rules.fixed.iter().any(|fixed| {
            let filters = reveals_of(&fixed.target, scene.operation);
            let is_exact = matches!(filters, Some(Reveals::Fields(paths))
                if matches!(paths.as_slice(), [path] if !path.is_from_root && path.steps == *steps));
            is_exact && fixed.text() == term.value
        })
    };
    rules.scoped = of(entry, |grant| {
        let terms = grant.terms.as_deref().unwrap_or_default();
        !terms.is_empty() && terms.iter().all(keeps)
    });
    rules.gapless |= rules.scoped;
}

/// What the place of a fixed value is declared to ask about. Not in bodies that may be lists: there may be no item to write in.
fn reveals_of<'o>(target: &FixedTarget, operation: &'o Operation) -> Option<&'o Reveals> {
    match target {
        FixedTarget::Query(name) => {
            let mut parameters = operation.parameters.iter();
            let found = parameters.find(|p| p.place == ParameterPlace::Query && p.name == *name);
            found?.reveals.as_ref()
        }
        FixedTarget::Body(steps) => {
            let is_list = operation.request.root()?.items.is_some();
            let mut places = operation.asks.places.iter().filter(|_| !is_list);
            let found = places.find(|place| place.steps == *steps);
            found?.asks.as_ref()?.reveals.as_ref()
        }
    }
}

/// One thing that a request may ask by, wherever it is sent.
struct Asked<'a> {
    name: Arc<str>,
    steps: &'a [Arc<str>],
    place: ParameterPlace,
    reveals: Option<&'a Reveals>,
    page: Option<PageParameter>,
    /// Its part in paging is one that the gateway takes.
    is_page: bool,
}

impl<'a> Asked<'a> {
    /// A parameter, where it asks: the path names what a request is about, unless it is declared to ask about fields.
    fn parameter(parameter: &'a ParameterShape, operation: &Operation) -> Option<Asked<'a>> {
        let mut paths = parameter.reveals.iter().flat_map(|reveals| reveals.paths());
        let is_asked = match parameter.place {
            ParameterPlace::Path => paths.next().is_some(),
            ParameterPlace::Query => true,
            ParameterPlace::Header => !NEUTRAL_HEADERS.contains(&&*parameter.name),
            ParameterPlace::Body => false,
        };
        let pages = &operation.pages;
        let mut sent = pages.cursor_sent.iter().chain(&pages.size_sent);
        is_asked.then(|| Asked {
            name: parameter.name.clone(),
            steps: &[],
            place: parameter.place,
            reveals: parameter.reveals.as_ref(),
            page: parameter.page,
            is_page: parameter.place == ParameterPlace::Query
                && sent.any(|sent| sent.is_query(&parameter.name)),
        })
    }

    /// A place of a body.
    fn body(place: &'a BodyPlace, operation: &Operation) -> Asked<'a> {
        let pages = &operation.pages;
        let mut sent = pages.cursor_sent.iter().chain(&pages.size_sent);
        let asks = place.asks.as_deref();
        Asked {
            name: place.steps.join(".").into(),
            steps: &place.steps,
            place: ParameterPlace::Body,
            reveals: asks.and_then(|asks| asks.reveals.as_ref()),
            page: asks.and_then(|asks| asks.page),
            is_page: sent.any(|sent| sent.steps() == Some(place.steps.as_slice())),
        }
    }
}

fn rule<'v>(
    parameter: &Asked<'_>,
    entry: &Entry,
    rules: &ParameterRules,
    operation: &Operation,
    view: &impl Fn(usize) -> Option<FieldView<'v>>,
) -> ParameterRule {
    let listed = of(entry, |grant| match parameter.place {
        ParameterPlace::Query => {
            let query = grant.query.as_ref();
            query.is_none_or(|names| names.contains(&parameter.name))
        }
        ParameterPlace::Body => grant.writes.meets(parameter.steps),
        ParameterPlace::Path | ParameterPlace::Header => true,
    });
    let mut refused = Vec::new();
    let mut usable = |value: Option<&Arc<str>>, paths: Option<&[FieldPath]>| {
        let fits = |bit: &usize| {
            if rules.restricted >> bit & 1 == 0 {
                return true;
            }
            let is_covered = rules.gapless >> bit & 1 == 1 || rules.gapless & entry.always != 0;
            let pages = &operation.pages;
            let is_exact = is_covered
                || pages.is_refillable()
                || pages.is_whole(&operation.parameters, &operation.asks);
            let is_unknown = parameter.page.is_some() && !parameter.is_page;
            let why = Some(Why::PageUnknown).filter(|_| is_unknown);
            let Some(why) = why.or_else(|| problem(paths, is_exact, view(*bit).as_ref())) else {
                return true;
            };
            refused.push(Refused {
                grant: *bit,
                value: value.cloned(),
                why,
            });
            false
        };
        mask((0..entry.grants.len()).filter(fits))
    };
    let usable = match (parameter.reveals, parameter.page) {
        (Some(Reveals::ByValue(values)), _) => Usable::ByValue(
            values
                .iter()
                .map(|(value, paths)| (value.clone(), usable(Some(value), Some(paths))))
                .collect(),
        ),
        (Some(Reveals::Fields(paths)), _) => Usable::Always(usable(None, Some(paths))),
        (None, Some(_)) => Usable::Always(usable(None, Some(&[]))),
        (None, None) => Usable::Always(usable(None, None)),
    };
    ParameterRule {
        name: parameter.name.clone(),
        place: parameter.place,
        is_neutral: parameter.page.is_some() || tells_nothing(parameter.reveals),
        listed,
        usable,
        refused,
    }
}

/// What keeps a parameter from being used with a grant.
fn problem(
    paths: Option<&[FieldPath]>,
    is_exact: bool,
    view: Option<&FieldView<'_>>,
) -> Option<Why> {
    let Some(paths) = paths else {
        return Some(Why::Undeclared);
    };
    let first = paths.first()?;
    let sights: Vec<FieldSight> = paths
        .iter()
        .map(|path| view.map_or(FieldSight::Hidden, |view| view.sees(path)))
        .collect();
    let hidden = sights.iter().position(|sight| *sight == FieldSight::Hidden);
    let is_known = sights.contains(&FieldSight::Seen);
    match (hidden.and_then(|index| paths.get(index)), is_known) {
        (Some(path), _) => Some(Why::Hidden(path.clone())),
        (None, false) => Some(Why::Hidden(first.clone())),
        (None, true) if !is_exact => Some(Why::NotRefilled),
        (None, true) => None,
    }
}

/// What an operator should know: parameters that cannot be used, fields beside the list that are withheld, pages that
/// show how much was left out.
fn notes(entry: &Entry, operation: &Operation, rules: &ParameterRules) -> Vec<ParameterNote> {
    let mut found = Vec::new();
    if !asks(operation) {
        return found;
    }
    for (bit, grant) in entry.grants.iter().enumerate() {
        // Grants with one condition speak together: what one of them leaves out of `query` is left out.
        let group = same(entry, bit);
        if group.trailing_zeros() as usize != bit {
            continue;
        }
        let unusable = |rule: &&ParameterRule| {
            let is_listed = rule.listed & group == group;
            is_listed && rule.usable.any() >> bit & 1 == 0 && rules.value_set(rule).is_none()
        };
        let rules: Vec<&ParameterRule> = rules.all().filter(unusable).collect();
        found.extend(unusable_note(&grant.rule, bit, operation, &rules));
    }
    // A fixed value does not vouch for what the upstream counts.
    let sure = rules.gapless & !rules.scoped;
    if sure == bits(entry) || sure & entry.always != 0 || !operation.pages.is_many {
        return found;
    }
    let has_gaps = |bit: usize| rules.gapless >> bit & 1 == 0 && rules.gapless & entry.always == 0;
    for (bit, grant) in entry.grants.iter().enumerate() {
        if sure >> bit & 1 == 1 {
            continue;
        }
        let is_first = same(entry, bit).trailing_zeros() as usize == bit;
        let plan = Plan::build(operation.ground(), &[&grant.trees]);
        found.extend(beside_note(&grant.rule, operation, &plan, has_gaps(bit)));
        let pages = |rule: &&ParameterRule| {
            let is_listed = rule.listed & same(entry, bit) == same(entry, bit);
            let is_sent = matches!(rule.place, ParameterPlace::Query | ParameterPlace::Body);
            is_sent && rule.is_neutral && is_listed
        };
        if is_first
            && has_gaps(bit)
            && !operation.pages.is_refillable()
            && rules.all().any(|rule| pages(&rule))
        {
            found.push(ParameterNote {
                rule: grant.rule.clone(),
                message: format!("pages of `{}` are not filled again, so a short page shows how many objects were left out", operation.id),
                help: "Declare its cursor (`x-portcullis-page: cursor` on the field and on the parameter), fix the scope with `set`, or leave the paging parameters out of `query`.".into(),
            });
        }
    }
    found
}

fn unusable_note(
    rule: &RuleRef,
    bit: usize,
    operation: &Operation,
    unusable: &[&ParameterRule],
) -> Option<ParameterNote> {
    // Those of which nothing is said come first: that is what an overlay can change.
    let mut sorted: Vec<(&str, &Why)> = unusable
        .iter()
        .filter_map(|rule| Some((&*rule.name, rule.why(bit)?)))
        .collect();
    sorted.sort_by_key(|(_, why)| **why != Why::Undeclared);
    let (first, why) = sorted.first()?;
    let list: Vec<&str> = sorted.iter().map(|(name, _)| *name).collect();
    let help = match why {
        Why::Undeclared => {
            "Say in the overlay what each asks about (`x-portcullis-filters: [status]`, `[]` for nothing), or list in `query` what may be used."
        }
        Why::PageUnknown => {
            "Declare one cursor and one size (`x-portcullis-page`), each a query parameter or one field of a JSON body outside lists."
        }
        Why::Hidden(_) => "Grant the fields, or list in `query` what may be used.",
        Why::NotRefilled => {
            "Declare the cursor of the list (`x-portcullis-page`), fix the scope with `set`, or list in `query` what may be used."
        }
    };
    Some(ParameterNote {
        rule: rule.clone(),
        message: format!(
            "parameters of `{}` cannot be used with this grant: {} (`{first}`: {why})",
            operation.id,
            names(&list)
        ),
        help: help.into(),
    })
}

/// Granted fields beside the list that are withheld. Where a fixed value keeps objects out, cursors are given.
fn beside_note(
    rule: &RuleRef,
    operation: &Operation,
    plan: &Plan,
    has_gaps: bool,
) -> Option<ParameterNote> {
    let is_shown = |steps: &[Arc<str>]| {
        let mut place = plan.root;
        for step in steps {
            place = place.and_then(|place| Some(plan.place(place)?.member(step)?.0));
        }
        place.is_some()
    };
    let pages = &operation.pages;
    let is_lost = |field: Option<PageField>| match field {
        None | Some(PageField::Count) => true,
        Some(PageField::Cursor) => has_gaps && !pages.is_refillable(),
        Some(PageField::Plain) => false,
    };
    let lost: Vec<String> = pages
        .beside
        .iter()
        .filter(|(steps, field)| is_lost(*field) && !steps.is_empty() && is_shown(steps))
        .map(|(steps, _)| format!("$.{}", steps.join(".")))
        .collect();
    let lost: Vec<&str> = lost.iter().map(String::as_str).collect();
    (!lost.is_empty()).then(|| ParameterNote {
        rule: rule.clone(),
        message: format!(
            "the grant shows part of the objects of `{}`, so what stands beside them is withheld: {}",
            operation.id,
            names(&lost)
        ),
        help: "Take them out of `fields`, or say in the overlay what they are (`x-portcullis-page: cursor`, or `plain` for what tells nothing of the objects).".into(),
    })
}
