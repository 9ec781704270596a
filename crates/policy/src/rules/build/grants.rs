//! What the operators wrote: grants, conditions, hand-written policies, joined per integration and operation.
//! Exports the part of `Build` that compiles an integration.
//! Used by `Build::run`.
//! Start reading at `Build::integration`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::{FieldPath, FieldSet, IntegrationId, Mistake, RuleRef};

use super::super::check::{listed, nearest};
use super::super::{
    Entries, Entry, EntryGrant, GRANTS_PER_OPERATION_MAX, Integration, Operation, OperationRef,
};
use super::lists::Lists;
use super::sorted::Sorted;
use super::{Build, Written, about};
use crate::cedar::{self, Checked, ConditionSet, Resources, Types};
use crate::errors::{ErrorGround, ErrorPlans};
use crate::input::{CedarFile, Condition, Grant, IntegrationGrants, Listed, PolicyInput, Spot};
use crate::nested::Inner;
use crate::parameters::ParameterRules;
use crate::plan::{KindId, Plan, Tree, Trees};
use crate::scope;

impl Build {
    pub(super) fn written(&mut self, input: &PolicyInput, types: &Types) -> Vec<Written> {
        let mut all = Vec::new();
        for file in &input.cedar {
            let is_partial = input.is_partial || !self.unsure.is_empty();
            let policies = match types.file(&file.text, is_partial) {
                Ok(policies) => policies,
                Err(wrongs) => {
                    for wrong in wrongs {
                        let mut mistake =
                            Mistake::new(wrong.message, wrong.help).in_file(&*file.file);
                        if let Some((start, len)) = wrong.span {
                            mistake = mistake.at(start, len).at_line(line_of(&file.text, start));
                        }
                        self.mistakes.push(mistake);
                    }
                    continue;
                }
            };
            if policies.is_empty() && !is_partial {
                let help = "write a policy, or take the file out";
                let mistake = Mistake::new("the file holds no policy", help);
                self.mistakes.push(mistake.in_file(&*file.file));
            }
            let ends = policies.iter().skip(1).map(|(offset, _)| *offset);
            let ends: Vec<usize> = ends.chain([file.text.len()]).collect();
            for ((offset, checked), end) in policies.into_iter().zip(ends) {
                self.in_vain(file, offset, &checked.policy);
                let spot = Spot {
                    line: line_of(&file.text, offset),
                    span: Some((offset, end.saturating_sub(offset))),
                };
                all.extend(self.annotated(file, spot, checked));
            }
        }
        self.repeated_names(&all);
        all
    }

    /// Reads `@fields`, `@writes` and `@deny_as` of a hand-written permit.
    fn annotated(&mut self, file: &CedarFile, spot: Spot, checked: Checked) -> Option<Written> {
        self.unknown_annotations(file, spot, &checked.policy);
        self.idle_clauses(file, spot, &checked);
        let file = &*file.file;
        let mut lists = [Vec::new(), Vec::new(), Vec::new()];
        for (name, list) in ["fields", "writes", "errors"].into_iter().zip(&mut lists) {
            let text = checked
                .policy
                .annotation(name)
                .unwrap_or_default()
                .to_owned();
            for entry in entries(&text) {
                match FieldPath::parse_entry(entry) {
                    Ok(paths) => list.extend(paths.into_iter().map(|value| Listed { value, spot })),
                    Err(why) => self.mistake_at(
                        file,
                        spot,
                        format!("`{entry}` in @{name} {why}"),
                        "write field paths as in a grant: `id`, `lines.*.{sku,price}`, or `$file` for a file",
                    ),
                }
            }
        }
        let deny_as = match checked.policy.annotation("deny_as") {
            None => None,
            Some("forbidden") => Some(crate::input::DenyAs::Forbidden),
            Some("not_found") => Some(crate::input::DenyAs::NotFound),
            Some(other) => {
                let other = other.to_owned();
                self.mistake_at(
                    file,
                    spot,
                    format!("`{other}` is not known to `@deny_as`"),
                    "write `forbidden` or `not_found`",
                );
                None
            }
        };
        if !cedar::is_permit(&checked.policy) && lists.iter().any(|l| !l.is_empty()) {
            self.mistake_at(
                file,
                spot,
                "a forbid lists fields",
                "take @fields, @writes and @errors away; a forbid grants nothing",
            );
            return None;
        }
        let [fields, writes, errors] = lists;
        Some(Written {
            rule: RuleRef {
                file: file.into(),
                line: spot.line,
            },
            spot,
            checked,
            fields,
            writes,
            errors,
            deny_as,
        })
    }

    pub(super) fn integration(
        &mut self,
        input: IntegrationGrants,
        types: &Types,
        written: &[Written],
    ) {
        let Some(being) = cedar::principal(&input.name, &input.attributes, &input.roles) else {
            return;
        };
        let mut drafts: BTreeMap<OperationRef, Vec<(EntryGrant, Option<Checked>)>> =
            BTreeMap::new();
        self.is_partial = input.is_partial;
        for grant in &input.grants {
            self.grant(grant, &input, types, &mut drafts);
        }
        self.note_shadowed(&drafts);
        let permits: Vec<&Written> = written
            .iter()
            .filter(|w| cedar::is_permit(&w.checked.policy))
            .collect();
        for permit in permits {
            self.written_permit(permit, &being, &input, &mut drafts);
        }
        let mut integration = Integration {
            name: input.name.clone(),
            being,
            attributes: input.attributes.clone(),
            entries: Entries::default(),
            by_kind: HashMap::new(),
            inner: HashMap::new(),
            is_on_context: false,
            is_on_listener: false,
        };
        for (reference, draft) in drafts {
            self.check_unions(reference, &draft);
            self.check_fixed(reference, &draft);
            if let Some(entry) = self.entry(reference, draft, &integration.being, &input, written) {
                for set in entry.sets().filter(|set| set.needs.is_on_context) {
                    // A plain condition may still meet a value that only the engine understands.
                    integration.is_on_context |= !set.is_plain() || set.needs.is_on_object;
                    integration.is_on_listener |= set.is_plain();
                }
                integration.entries.insert(reference, entry);
            }
        }
        self.by_kind(&mut integration);
        let kinds = integration.by_kind.keys();
        integration.inner = kinds
            .filter_map(|kind| Some((*kind, Inner::of(&self.rules, &integration, *kind)?)))
            .collect();
        self.check_enforced(&integration);
        self.parameters(&mut integration);
        // A grant that is missing may be the one that reads what a body refers to, or that shows a nested object.
        if !self.is_partial {
            self.note_nested(&input, &integration);
            self.note_telling(&integration);
            self.check_references(&input, &integration);
            self.check_written_references(written, &input, &integration);
        }
        let place = u32::try_from(self.rules.integrations.len()).unwrap_or(u32::MAX);
        let id = IntegrationId::new(place);
        self.rules.integration_ids.insert(input.name, id);
        self.rules.integrations.push(Arc::new(integration));
    }

    /// Where one place may hold objects of two kinds, neither kind's rules alone protect it.
    fn check_unions(&mut self, reference: OperationRef, draft: &[(EntryGrant, Option<Checked>)]) {
        let (Some(operation), Some((grant, _))) = (self.rules.op(reference), draft.first()) else {
            return;
        };
        let Some((one, other)) = operation.ambiguous.clone() else {
            return;
        };
        let message = format!(
            "`{}` carries a `{one}` or a `{other}` in one place, and both are declared objects",
            operation.id
        );
        let help = format!(
            "give the union a schema of its own and declare that one under `objects`, or take `{one}` or `{other}` out of `objects`"
        );
        self.mistake(&grant.rule.clone(), message, help);
    }

    fn by_kind(&self, integration: &mut Integration) {
        let references: Vec<OperationRef> = integration.entries.keys().collect();
        // Reading ones first; writing ones count only for kinds that nothing reads.
        for is_write in [false, true] {
            let mut found: HashMap<KindId, Vec<OperationRef>> = HashMap::new();
            for reference in &references {
                let Some(operation) = self
                    .rules
                    .op(*reference)
                    .filter(|op| op.is_write == is_write)
                else {
                    continue;
                };
                let kinds = operation.resources.iter();
                for kind in kinds.filter(|kind| operation.is_about(**kind)) {
                    found.entry(*kind).or_default().push(*reference);
                }
            }
            for (kind, references) in found {
                integration.by_kind.entry(kind).or_insert(references);
            }
        }
    }

    fn grant(
        &mut self,
        grant: &Grant,
        integration: &IntegrationGrants,
        types: &Types,
        drafts: &mut BTreeMap<OperationRef, Vec<(EntryGrant, Option<Checked>)>>,
    ) {
        let lists = Lists {
            fields: &grant.fields,
            writes: &grant.writes,
            errors: &grant.errors,
            operations: self.operations_of(grant),
        };
        for operation in &grant.operations {
            let Some(reference) = self.rules.operation(&grant.api, &operation.value) else {
                self.unknown_operation(grant, operation);
                continue;
            };
            self.check_lists(&grant.rule, &lists, reference);
            self.check_masks(grant, reference);
            self.check_values(grant, integration, reference);
            let checked = match &grant.when {
                None => None,
                Some(condition) => {
                    let whose = (integration, grant.role.is_none());
                    match self.condition(condition, reference, whose, types) {
                        Some(checked) => Some(checked),
                        None => {
                            self.is_partial = true;
                            continue;
                        }
                    }
                }
            };
            let entry = EntryGrant {
                rule: grant.rule.clone(),
                whole: Spot {
                    line: grant.rule.line,
                    span: grant.span,
                },
                spot: operation.spot,
                role: grant.role.clone(),
                condition: grant.when.clone(),
                trees: self.trees(grant),
                errors: self.error_trees(grant.errors.iter().map(|field| &field.value)),
                writes: FieldSet::of(grant.writes.iter().map(|w| &w.value)),
                deny_as: grant.deny_as,
                query: grant
                    .query
                    .as_ref()
                    .map(|names| names.iter().map(|n| n.value.clone()).collect()),
                fixed: self.fixed(grant, integration),
                terms: checked
                    .as_ref()
                    .and_then(|c| scope::terms(c, &integration.attributes)),
            };
            drafts.entry(reference).or_default().push((entry, checked));
        }
    }

    fn unknown_operation(&mut self, grant: &Grant, operation: &Listed<Arc<str>>) {
        let id = &*operation.value;
        let Some(operations) = self.rules.by_name.get(&grant.api) else {
            let apis: Vec<Arc<str>> = self.rules.by_name.keys().cloned().collect();
            let mut names: Vec<&str> = apis.iter().map(|n| &**n).collect();
            names.sort_unstable();
            let help = match nearest(&grant.api, names.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("the api versions are {}", listed(&names)),
            };
            return self.mistake(
                &grant.rule,
                format!("there is no api version `{}`", grant.api),
                help,
            );
        };
        let ids: Vec<Arc<str>> = operations.keys().cloned().collect();
        let mut names: Vec<&str> = ids.iter().map(|n| &**n).collect();
        names.sort_unstable();
        let help = match nearest(id, names.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("the operations of `{}` are {}", grant.api, listed(&names)),
        };
        self.mistake_at(
            &grant.rule.file,
            operation.spot,
            format!("`{}` has no operation `{id}`", grant.api),
            help,
        );
    }

    fn condition(
        &mut self,
        condition: &Condition,
        reference: OperationRef,
        (integration, is_own): (&IntegrationGrants, bool),
        types: &Types,
    ) -> Option<Checked> {
        let operation = self.rules.op(reference)?;
        let key = (condition.text.clone(), reference);
        let (own, parents) = (self.resource_types(operation), self.parent_types(operation));
        let resources = Resources {
            own: &own,
            parents: &parents,
        };
        let checked = self
            .conditions
            .entry(key)
            .or_insert_with(|| {
                about::checked(&condition.text, operation, resources, (types, &self.rules))
            })
            .clone();
        let checked = match checked {
            Ok(checked) => checked,
            Err(wrongs) => {
                self.refused_condition(condition, reference, &wrongs);
                return None;
            }
        };
        self.idle_condition(
            condition,
            reference,
            &checked,
            Some(integration).filter(|_| is_own),
        );
        for unknown in self.beings.unknown(&checked.policy) {
            let spot = whole(condition);
            self.mistake_at(&condition.rule.file, spot, unknown.message, unknown.help);
        }
        for name in &checked.needs.principal_attributes {
            if !integration.attributes.contains_key(name) {
                let message = format!(
                    "the condition asks for `principal.{name}`, which is no attribute of `{}`",
                    integration.name
                );
                let known = integration.attributes.keys().map(String::as_str);
                let help = match nearest(name, known) {
                    Some(near) => format!("did you mean `principal.{near}`?"),
                    None => format!("add `attributes: {{ {name}: … }}` to the integration"),
                };
                if !integration.is_partial {
                    self.mistake_at(&condition.rule.file, whole(condition), message, help);
                }
            }
        }
        Some(checked)
    }

    /// Says why a condition fits an operation's objects not at all; nothing where what it asks for may be there.
    fn refused_condition(
        &mut self,
        condition: &Condition,
        reference: OperationRef,
        wrongs: &[cedar::Wrong],
    ) {
        let Some(operation) = self.rules.op(reference) else {
            return;
        };
        let unsure = self.unsure.get(&operation.api);
        let is_asked = |name: &Arc<str>| *name == operation.id || condition.text.contains(&**name);
        if unsure.is_some_and(|names| names.iter().any(is_asked)) {
            return;
        }
        for wrong in wrongs {
            let help = self.condition_help(reference, &wrong.help);
            // What cannot be read is the same for every operation.
            let message = if wrong.message.starts_with(cedar::UNREADABLE) {
                wrong.message.clone()
            } else {
                let id = self.rules.operation_id(reference);
                format!("{}, in the condition for `{id}`", wrong.message)
            };
            let spot = wrong.span.map(|span| part(condition, span));
            let spot = spot.unwrap_or_else(|| whole(condition));
            self.mistake_at(&condition.rule.file, spot, message, help);
        }
    }

    fn condition_help(&self, reference: OperationRef, hint: &str) -> String {
        let mut parts: Vec<String> = Vec::new();
        parts.extend((!hint.is_empty()).then(|| hint.to_owned()));
        let resources = self
            .rules
            .op(reference)
            .map(|op| op.resources.as_slice())
            .unwrap_or_default();
        for kind in resources.iter().filter_map(|kind| self.rules.kind(*kind)) {
            let names: Vec<&str> = kind.attributes.iter().map(|a| &*a.name).collect();
            parts.push(format!(
                "attributes of `{}`: {}",
                kind.schema,
                listed(&names)
            ));
        }
        if resources.is_empty() {
            parts.push("the answer holds no declared object, so there is no `resource` to ask; declare it under `objects`".into());
        }
        parts.join("; ")
    }

    fn trees(&mut self, grant: &Grant) -> Arc<Trees> {
        let mut key = String::new();
        let mut trees = Trees::default();
        for field in &grant.fields {
            key.push_str(&format!("{}\n", field.value));
            let tree: &mut Tree = if field.value.is_from_root {
                &mut trees.root
            } else {
                &mut trees.object
            };
            tree.grant(&field.value);
        }
        for mask in &grant.masks {
            let (path, mask) = &mask.value;
            key.push_str(&format!("{path}\t{}\n", mask.name()));
            let tree: &mut Tree = if path.is_from_root {
                &mut trees.root
            } else {
                &mut trees.object
            };
            tree.mask(path, *mask);
        }
        self.trees
            .entry(key)
            .or_insert_with(|| Arc::new(trees))
            .clone()
    }

    /// One tree for each list, because prepared plans are told apart by the address of their trees.
    fn error_trees<'p>(&mut self, paths: impl Iterator<Item = &'p model::FieldPath>) -> Arc<Trees> {
        let mut key = String::from("errors\n");
        let mut trees = Trees::default();
        for path in paths {
            key.push_str(&format!("{path}\n"));
            trees.root.grant(path);
        }
        self.trees
            .entry(key)
            .or_insert_with(|| Arc::new(trees))
            .clone()
    }

    /// The operations a hand-written permit is about, for this integration.
    pub(super) fn concerned(
        &self,
        permit: &Written,
        being: &cedar::EntityRef,
        integration: &IntegrationGrants,
    ) -> Vec<OperationRef> {
        let (policy, roles) = (&permit.checked.policy, &integration.roles);
        (0..self.rules.operations.len())
            .filter_map(|index| u32::try_from(index).ok().map(OperationRef))
            .filter(|reference| {
                let operation = self.rules.op(*reference);
                operation.is_some_and(|op| cedar::concerns(policy, being, roles, &op.action))
            })
            .collect()
    }

    fn written_permit(
        &mut self,
        permit: &Written,
        being: &cedar::EntityRef,
        integration: &IntegrationGrants,
        drafts: &mut BTreeMap<OperationRef, Vec<(EntryGrant, Option<Checked>)>>,
    ) {
        let references = self.concerned(permit, being, integration);
        let mut trees = Trees::default();
        for path in permit.fields.iter().map(|field| &field.value) {
            let tree: &mut Tree = if path.is_from_root {
                &mut trees.root
            } else {
                &mut trees.object
            };
            tree.grant(path);
        }
        // Kept for the whole compile: prepared plans are told apart by the address of their trees.
        let key = format!("@{}", permit.rule);
        let trees = self
            .trees
            .entry(key)
            .or_insert_with(|| Arc::new(trees))
            .clone();
        let errors = self.error_trees(permit.errors.iter().map(|field| &field.value));
        let lists = Lists {
            fields: &permit.fields,
            writes: &permit.writes,
            errors: &permit.errors,
            operations: references.clone(),
        };
        for reference in references {
            self.check_lists(&permit.rule, &lists, reference);
            let entry = EntryGrant {
                rule: permit.rule.clone(),
                whole: permit.spot,
                spot: permit.spot,
                role: None,
                condition: Some(Condition {
                    text: permit.checked.policy.to_string().into(),
                    rule: permit.rule.clone(),
                    span: None,
                }),
                trees: trees.clone(),
                errors: errors.clone(),
                writes: FieldSet::of(permit.writes.iter().map(|field| &field.value)),
                deny_as: permit.deny_as,
                query: None,
                fixed: Vec::new(),
                terms: None,
            };
            drafts
                .entry(reference)
                .or_default()
                .push((entry, Some(permit.checked.clone())));
        }
    }

    fn entry(
        &mut self,
        reference: OperationRef,
        draft: Vec<(EntryGrant, Option<Checked>)>,
        being: &cedar::EntityRef,
        integration: &IntegrationGrants,
        written: &[Written],
    ) -> Option<Entry> {
        if let Some((grant, _)) = draft.get(GRANTS_PER_OPERATION_MAX) {
            let message = format!(
                "more than {GRANTS_PER_OPERATION_MAX} grants of `{}` cover one operation",
                integration.name
            );
            let rule = grant.rule.clone();
            self.mistake(&rule, message, "join grants that have the same condition");
            return None;
        }
        let operation = self.rules.op(reference)?;
        let mut sorted = Sorted::of(&self.rules, operation);
        for (bit, (grant, checked)) in (0u32..).zip(&draft) {
            let has_root = !grant.trees.root.is_empty();
            sorted.grant(bit, &grant.rule, checked.as_ref(), has_root);
        }
        let forbids = written
            .iter()
            .filter(|w| !cedar::is_permit(&w.checked.policy));
        for forbid in forbids {
            let policy = &forbid.checked.policy;
            if cedar::concerns(policy, being, &integration.roles, &operation.action) {
                sorted.forbid(&forbid.rule, &forbid.checked);
            }
        }
        let named = sorted.at_named.iter().filter_map(|(index, members)| {
            Some((*index, ConditionSet::of(members, &mut self.sets)?))
        });
        let mut entry = Entry {
            always: sorted.always,
            on_object: sorted.on_object,
            on_named: sorted.on_named,
            on_request: sorted.on_request,
            roots: 0,
            at_named: named.collect(),
            at_request: ConditionSet::of(&sorted.at_request, &mut self.sets),
            at_object: ConditionSet::of(&sorted.at_object, &mut self.sets),
            plans: Vec::new(),
            errors: Vec::new(),
            writes: FieldSet::default(),
            parameters: ParameterRules::default(),
            grants: draft.into_iter().map(|(grant, _)| grant).collect(),
        };
        entry.writes = entry.writes_of(u64::MAX);
        entry.roots = (0u32..)
            .zip(&entry.grants)
            .filter(|(_, grant)| !grant.trees.root.is_empty())
            .fold(0, |bits, (bit, _)| {
                bits | 1u64.checked_shl(bit).unwrap_or(0)
            });
        self.plans(reference, &mut entry);
        Some(entry)
    }

    /// Prepares what leaves under the combinations of grants that are likely to hold together.
    fn plans(&mut self, reference: OperationRef, entry: &mut Entry) {
        let Some(operation) = self.rules.op(reference) else {
            return;
        };
        let count = entry.grants.len();
        let all = u64::MAX
            .checked_shr(64u32.saturating_sub(u32::try_from(count).unwrap_or(64)))
            .unwrap_or(0);
        let mut combinations: Vec<u64> = match count {
            0..=3 => (0..=all).collect(),
            _ => (0..count)
                .map(|bit| entry.always | 1 << bit)
                .chain([0, all])
                .collect(),
        };
        let roots = (0..count).map(|bit| entry.roots & (entry.always | 1 << bit));
        combinations.extend(roots.chain([entry.roots, entry.roots & entry.always]));
        combinations.sort_unstable();
        combinations.dedup();
        entry.errors = error_plans(operation, entry, &combinations);
        for held in combinations {
            let mut keys: Vec<usize> = entry
                .held(held)
                .map(|g| Arc::as_ptr(&g.trees).addr())
                .collect();
            keys.sort_unstable();
            keys.dedup();
            let plan = self
                .plans
                .entry((reference, format!("{keys:?}")))
                .or_insert_with(|| Arc::new(Plan::build(operation.ground(), &entry.trees(held))));
            entry.plans.push((held, plan.clone()));
        }
    }
}

/// The same for answers that report an error. None where no grant lists error fields, which is the ordinary case.
fn error_plans(operation: &Operation, entry: &Entry, combinations: &[u64]) -> Vec<ErrorPlans> {
    let is_told = |grant: &EntryGrant| grant.errors.root != Tree::default();
    if !entry.grants.iter().any(is_told) {
        return Vec::new();
    }
    let plan = |error: &ErrorGround, held: u64| {
        let trees: Vec<&Trees> = entry.held(held).map(|grant| &*grant.errors).collect();
        (held, Arc::new(Plan::build(error.ground(), &trees)))
    };
    let errors = operation.errors.iter();
    let of = |error: &ErrorGround| ErrorPlans {
        response: error.response,
        plans: combinations.iter().map(|held| plan(error, *held)).collect(),
    };
    errors.map(of).collect()
}

/// Splits `id, lines.*.{sku,price}` at commas outside braces.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0usize;
    text.split(move |c: char| {
        match c {
            '{' => depth = depth.saturating_add(1),
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|entry| !entry.is_empty())
}

/// Where a condition stands.
fn whole(condition: &Condition) -> Spot {
    Spot {
        line: condition.rule.line,
        span: condition.span,
    }
}

/// Where some bytes of a condition's text stand; the whole condition where it is written with escapes or folded, so that
/// its text is longer in the file.
fn part(condition: &Condition, (at, len): (usize, usize)) -> Spot {
    let whole = whole(condition);
    let Some((start, _)) = whole.span.filter(|(_, len)| *len == condition.text.len()) else {
        return whole;
    };
    let before = condition.text.get(..at).unwrap_or_default();
    let lines = u32::try_from(before.matches('\n').count()).unwrap_or(0);
    Spot {
        line: whole.line.saturating_add(lines),
        span: Some((start.saturating_add(at), len)),
    }
}

pub(super) fn line_of(text: &str, offset: usize) -> u32 {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    let lines = before.iter().filter(|b| **b == b'\n').count();
    u32::try_from(lines).unwrap_or(u32::MAX - 1) + 1
}
