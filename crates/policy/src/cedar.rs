//! The only place that names the policy engine: schema from the contracts, checked conditions, evaluation.
//! Exports `Types`, `Checked`, `ConditionSet`, `EvalInput`. Everything else sees grants, masks of bits and rules.
//! Used by compile, decide and object.
//! Start reading at `ConditionSet::judge`. What is missing never satisfies: an attribute that an object lacks makes a
//! permit fail and a forbid hold.

mod needs;
mod partial;
mod values;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use cedar_policy::{
    Authorizer, Context, Effect, Entities, Entity, EntityId, EntityTypeName, EntityUid, Expression,
    Policy, PolicyId, PolicySet, Request, RestrictedExpression, Schema, ValidationMode,
    ValidationWarning, Validator,
};
use model::RuleRef;
use model::shape::Scalar;
use serde_json::{Value, json};

use crate::fast::{Found, Plain, PrincipalFacts, Verdict};

pub(crate) use needs::Needs;
pub(crate) use values::{action, context, expression, principal, text_expression};

pub(crate) use cedar_policy::{
    Context as CedarContext, Entity as EntityRef, EntityTypeName as TypeName, EntityUid as Uid,
};

/// Type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttributeType {
    pub scalar: Scalar,
    pub is_list: bool,
}

/// What went wrong with a condition or policy.
#[derive(Clone, Debug)]
pub(crate) struct Wrong {
    pub message: String,
    pub help: String,
    /// Offset and number of bytes in the text, where known.
    pub span: Option<(usize, usize)>,
}

/// A policy that passed the validator.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub policy: Policy,
    pub needs: Needs,
    /// Whether the types say that it can hold.
    pub can_hold: bool,
    /// What of it the request alone decides, where it also asks for the object.
    pub part: Option<Box<Checked>>,
}

impl Checked {
    fn new(policy: Policy, needs: Needs, can_hold: bool) -> Checked {
        let part = if needs.is_on_object {
            partial::request_part(&policy)
        } else {
            None
        };
        let part = part.map(|(policy, needs)| Checked {
            policy,
            needs,
            can_hold,
            part: None,
        });
        Checked {
            policy,
            needs,
            can_hold,
            part: part.map(Box::new),
        }
    }
}

impl Checked {
    /// Whether it can hold for an object that lacks these attributes.
    pub fn can_hold_without(&self, lacking: &BTreeSet<String>) -> bool {
        partial::can_hold(&self.policy, lacking)
    }
}

/// Members of a JSON object.
type Members = serde_json::Map<String, Value>;

/// The schema in the making: one namespace per api version.
#[derive(Debug, Default)]
pub(crate) struct TypesDraft {
    namespaces: BTreeMap<String, Space>,
    principal: BTreeSet<String>,
    has_parents: bool,
}

/// One namespace.
#[derive(Debug, Default)]
struct Space {
    kinds: Members,
    /// Actions on the objects that operations are about.
    actions: Members,
    /// The same, also on the other objects that their paths name.
    wide: Members,
}

/// What an operation may be asked about: full type names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resources<'a> {
    /// The objects it is about.
    pub own: &'a [String],
    /// Other objects that its path names.
    pub parents: &'a [String],
}

/// Namespace of an api version: `field-service/v2` -> `field_service::v2`.
pub(crate) fn namespace(api: &str) -> String {
    let parts: Vec<String> = api.split('/').map(identifier).collect();
    parts.join("::")
}

/// A name the policy language accepts: letters, digits and `_`, no reserved word.
pub(crate) fn identifier(name: &str) -> String {
    const RESERVED: [&str; 10] = [
        "true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar",
    ];
    let mut text: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if text.starts_with(|c: char| c.is_ascii_digit()) || text.is_empty() {
        text.insert(0, '_');
    }
    if RESERVED.contains(&text.as_str()) {
        text.push('_');
    }
    text
}

/// Entity type of the resource of operations whose answers hold no declared object.
pub(crate) const NO_OBJECT: &str = "Portcullis::Answer";

impl TypesDraft {
    pub fn principal_attribute(&mut self, name: &str) {
        self.principal.insert(name.into());
    }

    pub fn kind(&mut self, namespace: &str, name: &str, attributes: &[(Arc<str>, AttributeType)]) {
        let attributes: serde_json::Map<String, Value> = attributes
            .iter()
            .map(|(name, kind)| (name.to_string(), attribute_json(*kind)))
            .collect();
        let shape = json!({ "shape": { "type": "Record", "attributes": attributes } });
        let space = self.namespaces.entry(namespace.into()).or_default();
        space.kinds.insert(name.into(), shape);
    }

    /// Declares an operation.
    pub fn operation(
        &mut self,
        namespace: &str,
        id: &str,
        resources: Resources<'_>,
        path: &[(Arc<str>, Scalar)],
        query: &[(Arc<str>, Scalar)],
    ) {
        let record = |values: &[(Arc<str>, Scalar)]| -> Value {
            let attributes: serde_json::Map<String, Value> = values
                .iter()
                .map(|(name, scalar)| {
                    let kind = AttributeType {
                        scalar: *scalar,
                        is_list: false,
                    };
                    (name.to_string(), attribute_json(kind))
                })
                .collect();
            json!({ "type": "Record", "attributes": attributes })
        };
        let context = json!({ "type": "Record", "attributes": {
            "path": record(path),
            "query": record(query),
            "network": { "type": "Record", "attributes": {
                "address": { "type": "Extension", "name": "ipaddr" },
                "listener": { "type": "String" } } },
            "time": { "type": "Record", "attributes": {
                "epoch": { "type": "Long" }, "hour": { "type": "Long" }, "weekday": { "type": "Long" } } },
        }});
        let action = |resources: &[&String]| {
            json!({ "appliesTo": {
                "principalTypes": ["Portcullis::Integration"], "resourceTypes": resources, "context": context } })
        };
        let own: Vec<&String> = resources.own.iter().collect();
        let all: Vec<&String> = resources.own.iter().chain(resources.parents).collect();
        let space = self.namespaces.entry(namespace.into()).or_default();
        space.actions.insert(id.into(), action(&own));
        space.wide.insert(id.into(), action(&all));
        self.has_parents |= !resources.parents.is_empty();
    }

    pub fn finish(self) -> Result<Types, String> {
        let principal: serde_json::Map<String, Value> = self
            .principal
            .iter()
            .map(|name| (name.clone(), json!({ "type": "String" })))
            .collect();
        let mut whole = serde_json::Map::new();
        whole.insert("Portcullis".into(), json!({
            "entityTypes": {
                "Role": {},
                "Answer": {},
                "Integration": { "memberOfTypes": ["Role"], "shape": { "type": "Record", "attributes": principal } },
            },
            "actions": {},
        }));
        let mut wide = self.has_parents.then(|| whole.clone());
        for (name, space) in self.namespaces {
            if let Some(wide) = &mut wide {
                let members = json!({ "entityTypes": space.kinds, "actions": space.wide });
                wide.insert(name.clone(), members);
            }
            whole.insert(
                name,
                json!({ "entityTypes": space.kinds, "actions": space.actions }),
            );
        }
        let validator = |members| {
            let schema = Schema::from_json_value(Value::Object(members));
            schema.map(Validator::new).map_err(|e| e.to_string())
        };
        Ok(Types {
            validator: validator(whole)?,
            wide: wide.map(validator).transpose()?,
        })
    }
}

fn attribute_json(kind: AttributeType) -> Value {
    let scalar = match kind.scalar {
        Scalar::Text => json!({ "type": "String" }),
        Scalar::Integer => json!({ "type": "Long" }),
        Scalar::Number => json!({ "type": "Extension", "name": "decimal" }),
        Scalar::Boolean => json!({ "type": "Boolean" }),
    };
    if kind.is_list {
        json!({ "type": "Set", "element": scalar })
    } else {
        scalar
    }
}

/// The finished schema.
pub(crate) struct Types {
    validator: Validator,
    /// Also knows the other objects that paths name; `None` where no path names any.
    wide: Option<Validator>,
}

impl Types {
    /// Checks one condition of a grant against the types of an operation. It has to fit one of the objects the operation
    /// is about (where it does not fit, it never holds), else one of the others that its path names: then it is about
    /// that one.
    pub fn condition(
        &self,
        text: &str,
        action: &EntityUid,
        resources: Resources<'_>,
    ) -> Result<Checked, Vec<Wrong>> {
        // Alone it has to be one expression, so that it cannot end the clause it is put in.
        text.parse::<Expression>()
            .map_err(|errors| unreadable(&errors, "the condition", CONDITION_HELP))?;
        let mut first = None;
        let own = resources.own.iter().map(|resource| (resource, false));
        let parents = resources.parents.iter().map(|resource| (resource, true));
        for (resource, is_parent) in own.chain(parents) {
            let head = format!(
                "permit(principal is Portcullis::Integration, action == {action}, resource is {resource})\nwhen {{\n"
            );
            let scoped = parsed(&format!("{head}{text}\n}};"))?;
            let (mut wrongs, can_hold) = self.check(&scoped, is_parent);
            if wrongs.is_empty() {
                let policy = parsed(&format!(
                    "permit(principal, action, resource)\nwhen {{\n{text}\n}};"
                ))?;
                let mut needs = Needs::of(&policy);
                needs.scope = is_parent.then(|| resource.clone());
                return Ok(Checked::new(policy, needs, can_hold));
            }
            for wrong in &mut wrongs {
                let inside = wrong
                    .span
                    .and_then(|(at, len)| Some((at.checked_sub(head.len())?, len)));
                wrong.span =
                    inside.filter(|(at, len)| text.get(*at..at.saturating_add(*len)).is_some());
            }
            first = first.or(Some(wrongs));
        }
        Err(first.unwrap_or_else(|| {
            vec![Wrong {
                message: "there is nothing to ask".into(),
                help: String::new(),
                span: None,
            }]
        }))
    }

    /// Everything that the types say against a policy, and whether they leave it a way to hold.
    fn check(&self, policy: &Policy, is_wide: bool) -> (Vec<Wrong>, bool) {
        let wide = self.wide.as_ref().filter(|_| is_wide);
        let set = match PolicySet::from_policies([policy.clone()]) {
            Ok(set) => set,
            Err(error) => {
                let wrong = Wrong {
                    message: error.to_string(),
                    help: String::new(),
                    span: None,
                };
                return (vec![wrong], true);
            }
        };
        let validator = wide.unwrap_or(&self.validator);
        let result = validator.validate(&set, ValidationMode::Strict);
        let errors = result.validation_errors().map(|error| {
            let text = error.to_string();
            // The engine's sentence begins with the policy's name, which the reader never gave.
            let message = text
                .split_once("`, ")
                .filter(|(head, _)| head.starts_with("for policy"))
                .map_or(text.as_str(), |(_, rest)| rest);
            Wrong {
                message: message.to_owned(),
                help: miette_help(error),
                span: span_of(error),
            }
        });
        let is_impossible =
            |warning: &ValidationWarning| matches!(warning, ValidationWarning::ImpossiblePolicy(_));
        let can_hold = !result.validation_warnings().any(is_impossible);
        (errors.take(WRONGS_MAX).collect(), can_hold)
    }

    /// Reads and checks one file of hand-written policies. `is_partial`: what they are about may be missing, so that only
    /// those that can be read wrongly are told; the others are left out.
    pub fn file(&self, text: &str, is_partial: bool) -> Result<Vec<(usize, Checked)>, Vec<Wrong>> {
        let set: PolicySet = text.parse().map_err(|errors| {
            unreadable(&errors, "the policy", "see the grammar of Cedar policies")
        })?;
        if set.templates().next().is_some() {
            return Err(vec![Wrong {
                message: "the file holds a policy template".into(),
                help: "write out the policies; templates with `?principal` or `?resource` are not used".into(),
                span: text.find('?').map(|at| (at, 1)),
            }]);
        }
        let offsets = policy_offsets(text);
        let (mut found, mut wrong) = (Vec::new(), Vec::new());
        for policy in set.policies() {
            // The engine names the policies of a text `policy0`, `policy1`, … in order.
            let index: usize = policy
                .id()
                .to_string()
                .trim_start_matches("policy")
                .parse()
                .unwrap_or(0);
            let offset = offsets.get(index).copied().unwrap_or(0);
            let mut needs = Needs::of(policy);
            let (wrongs, can_hold) = self.check(policy, needs.scope.is_some());
            if wrongs.is_empty() {
                if needs.scope.is_some() {
                    needs.is_on_object = true;
                    needs.is_on_identity = true;
                }
                // Scopes compare the principal, or ask for its roles.
                needs.is_on_principal = true;
                found.push((offset, Checked::new(policy.clone(), needs, can_hold)));
            } else if !is_partial {
                wrong.extend(wrongs.into_iter().map(|error| Wrong {
                    span: error.span.or(Some((offset, 1))),
                    ..error
                }));
            }
        }
        found.sort_by_key(|(offset, _)| *offset);
        if wrong.is_empty() {
            Ok(found)
        } else {
            Err(wrong)
        }
    }
}

/// Most mistakes that are told of one policy.
const WRONGS_MAX: usize = 20;

/// How the sentence about a condition begins that is not Cedar.
pub(crate) const UNREADABLE: &str = "the condition cannot be read";

const CONDITION_HELP: &str = "write a Cedar expression such as `resource.status == \"completed\"`";

/// Everything that keeps a text from being read.
fn unreadable(errors: &cedar_policy::ParseErrors, what: &str, help: &str) -> Vec<Wrong> {
    let errors = errors.iter().map(|error| Wrong {
        message: format!("{what} cannot be read: {error}"),
        help: help.to_owned(),
        span: span_of(error),
    });
    errors.take(WRONGS_MAX).collect()
}

/// Where the engine says that something is wrong.
fn span_of(error: &dyn miette::Diagnostic) -> Option<(usize, usize)> {
    let label = error.labels()?.next()?;
    Some((label.offset(), label.len()))
}

/// The integrations and roles (`true`) that a policy names, each once.
pub(crate) fn beings(policy: &Policy) -> BTreeSet<(bool, String)> {
    let literals = policy.entity_literals().into_iter();
    literals
        .filter_map(|uid| {
            let is_role = match uid.type_name().to_string().as_str() {
                "Portcullis::Role" => true,
                "Portcullis::Integration" => false,
                _ => return None,
            };
            Some((is_role, uid.id().unescaped().to_owned()))
        })
        .collect()
}

fn parsed(text: &str) -> Result<Policy, Vec<Wrong>> {
    Policy::parse(Some(PolicyId::new("condition")), text).map_err(|errors| {
        let unplaced = |wrong| Wrong {
            span: None,
            ..wrong
        };
        let wrongs = unreadable(&errors, "the condition", CONDITION_HELP);
        wrongs.into_iter().map(unplaced).collect()
    })
}

/// The engine's own hint (`did you mean …?`), where it has one.
fn miette_help(error: &cedar_policy::ValidationError) -> String {
    miette::Diagnostic::help(error)
        .map(|h| h.to_string())
        .unwrap_or_default()
}

/// Where each policy of a text begins: the first letter after the `;` that ended the one before.
/// Strings and comments are skipped.
fn policy_offsets(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut is_fresh, mut out) = (0usize, true, Vec::new());
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                while bytes.get(at).is_some_and(|b| *b != b'\n') {
                    at += 1;
                }
            }
            b'"' => {
                at += 1;
                while bytes.get(at).is_some_and(|b| *b != b'"') {
                    at += if bytes.get(at) == Some(&b'\\') { 2 } else { 1 };
                }
            }
            b';' => is_fresh = true,
            b if !b.is_ascii_whitespace() && is_fresh => {
                out.push(at);
                is_fresh = false;
            }
            _ => {}
        }
        at += 1;
    }
    out
}

/// A policy inside a set, by its position.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Bit of the grant it stands for; `None` for a forbid.
    pub grant: Option<u32>,
    pub rule: RuleRef,
}

/// The few conditions that matter for one (integration, operation).
#[derive(Clone, Debug)]
pub(crate) struct ConditionSet {
    set: Arc<PolicySet>,
    /// The same policies without the engine, where all of them are plain.
    plain: Option<Arc<[Plain]>>,
    pub members: Vec<Member>,
    pub needs: Needs,
}

/// What a set of conditions says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// Bits of the grants that hold.
    pub grants: u64,
    /// The rule that forbids, if one does; then no grant holds.
    pub forbidden: Option<RuleRef>,
}

/// Who asks for what, as the engine sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EvalInput<'a> {
    pub principal: &'a Entity,
    /// The same for conditions that need no engine.
    pub who: PrincipalFacts<'a>,
    pub action: &'a EntityUid,
    pub context: &'a Context,
}

/// The object that is asked for, as the engine sees it.
pub(crate) struct ResourceEntity<'a> {
    pub kind: Option<&'a EntityTypeName>,
    pub id: &'a str,
    pub attributes: Vec<(&'a str, RestrictedExpression)>,
}

impl ResourceEntity<'static> {
    /// No object: for conditions that do not ask for one.
    pub fn none() -> ResourceEntity<'static> {
        static NOTHING: LazyLock<Option<EntityTypeName>> = LazyLock::new(|| NO_OBJECT.parse().ok());
        ResourceEntity {
            kind: NOTHING.as_ref(),
            id: "",
            attributes: Vec::new(),
        }
    }
}

/// Keeps equal sets once, because many integrations share roles.
pub(crate) type SetCache = HashMap<Vec<String>, (Arc<PolicySet>, Option<Arc<[Plain]>>)>;

impl ConditionSet {
    /// Bits of the grants whose conditions are asked.
    pub fn grant_bits(&self) -> u64 {
        let bits = self.members.iter().filter_map(|member| member.grant);
        bits.fold(0, |all, bit| all | 1u64.checked_shl(bit).unwrap_or(0))
    }

    /// Builds the set of these policies; `None` when there is none.
    pub fn of(policies: &[(Member, &Checked)], cache: &mut SetCache) -> Option<ConditionSet> {
        if policies.is_empty() {
            return None;
        }
        let mut needs = Needs::default();
        let mut key = Vec::new();
        for (_, checked) in policies {
            needs.add(&checked.needs);
            key.push(checked.policy.to_string());
        }
        let (set, plain) = match cache.get(&key) {
            Some(known) => known.clone(),
            None => {
                let renamed = policies.iter().enumerate().map(|(index, (_, checked))| {
                    checked.policy.new_id(PolicyId::new(index.to_string()))
                });
                let set = Arc::new(PolicySet::from_policies(renamed).ok()?);
                let plain = policies
                    .iter()
                    .map(|(_, checked)| Plain::of(&checked.policy.to_json().ok()?))
                    .collect::<Option<Vec<_>>>()
                    .map(Arc::from);
                cache.insert(key, (set.clone(), plain.clone()));
                (set, plain)
            }
        };
        Some(ConditionSet {
            set,
            plain,
            members: policies.iter().map(|(member, _)| member.clone()).collect(),
            needs,
        })
    }

    /// Whether one of the grants can hold for an object that lacks these attributes.
    pub fn can_hold(&self, lacking: &BTreeSet<String>) -> bool {
        self.members.iter().enumerate().any(|(index, member)| {
            let id = PolicyId::new(index.to_string());
            let policy = self.set.policy(&id).filter(|_| member.grant.is_some());
            policy.is_some_and(|policy| partial::can_hold(policy, lacking))
        })
    }

    /// The same without policies that forbid, for saying which conditions hold whatever is forbidden. Asks the engine.
    pub fn permits(&self) -> ConditionSet {
        let permits = self.set.policies().filter(|policy| is_permit(policy));
        ConditionSet {
            set: Arc::new(PolicySet::from_policies(permits.cloned()).unwrap_or_default()),
            plain: None,
            ..self.clone()
        }
    }

    /// What one of its members asks for.
    pub fn asks(&self, index: usize) -> Option<Needs> {
        let id = PolicyId::new(index.to_string());
        self.set.policy(&id).map(Needs::of)
    }

    pub fn has_forbid(&self) -> bool {
        self.members.iter().any(|m| m.grant.is_none())
    }

    /// Whether no condition needs the engine, unless an attribute turns out to be unusual.
    pub fn is_plain(&self) -> bool {
        self.plain.is_some()
    }

    /// Which conditions hold, without the engine; `None` where it has to be asked.
    pub fn judge_plain<'o>(
        &self,
        scene: &EvalInput<'_>,
        look: impl Fn(&str) -> Found<'o>,
    ) -> Option<Held> {
        let plain = self.plain.as_deref()?;
        let mut held = Held::default();
        for (policy, member) in plain.iter().zip(&self.members) {
            match (policy.judge(scene.who, &look)?, member.grant) {
                (Verdict::Holds, Some(bit)) => {
                    held.grants |= 1u64.checked_shl(bit).unwrap_or(0);
                }
                // A forbid that cannot be evaluated forbids.
                (Verdict::Holds | Verdict::Error, None) => {
                    held.forbidden = held.forbidden.or_else(|| Some(member.rule.clone()));
                }
                (Verdict::Fails, _) | (Verdict::Error, Some(_)) => {}
            }
        }
        if held.forbidden.is_some() {
            held.grants = 0;
        }
        Some(held)
    }

    /// Which conditions hold. Whatever cannot be evaluated does not hold; a forbid that cannot be evaluated forbids.
    pub fn judge(&self, scene: &EvalInput<'_>, thing: ResourceEntity<'_>) -> Held {
        let unsure = || Held {
            grants: 0,
            forbidden: self
                .members
                .iter()
                .find(|m| m.grant.is_none())
                .map(|m| m.rule.clone()),
        };
        let Some(kind) = thing.kind else {
            return unsure();
        };
        let uid = EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(thing.id));
        let attributes: HashMap<String, RestrictedExpression> = thing
            .attributes
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        self.evaluated(scene, uid, attributes)
            .unwrap_or_else(unsure)
    }

    fn evaluated(
        &self,
        scene: &EvalInput<'_>,
        uid: EntityUid,
        attributes: HashMap<String, RestrictedExpression>,
    ) -> Option<Held> {
        let mut beings = Vec::with_capacity(2);
        if self.needs.is_on_principal {
            beings.push(scene.principal.clone());
        }
        if self.needs.is_on_object {
            beings.push(Entity::new(uid.clone(), attributes, HashSet::new()).ok()?);
        }
        let entities = Entities::from_entities(beings, None).ok()?;
        let request = Request::new(
            scene.principal.uid(),
            scene.action.clone(),
            uid,
            scene.context.clone(),
            None,
        )
        .ok()?;
        let response = Authorizer::new().is_authorized(&request, &self.set, &entities);
        let member = |id: &PolicyId| -> Option<&Member> {
            let index: usize = AsRef::<str>::as_ref(id).parse().ok()?;
            self.members.get(index)
        };
        let mut held = Held::default();
        for id in response.diagnostics().reason() {
            match member(id)? {
                Member {
                    grant: Some(bit), ..
                } => held.grants |= 1u64.checked_shl(*bit).unwrap_or(0),
                forbid => held.forbidden = Some(forbid.rule.clone()),
            }
        }
        for error in response.diagnostics().errors() {
            let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
            let forbid = member(error.policy_id())?;
            if forbid.grant.is_none() {
                held.forbidden = Some(forbid.rule.clone());
            }
        }
        if held.forbidden.is_some() {
            held.grants = 0;
        }
        Some(held)
    }
}

/// Whether the policy's effect is permit.
pub(crate) fn is_permit(policy: &Policy) -> bool {
    policy.effect() == Effect::Permit
}

/// Whether a hand-written policy can concern this integration and operation at all.
pub(crate) fn concerns(
    policy: &Policy,
    principal: &Entity,
    roles: &[Arc<str>],
    action: &EntityUid,
) -> bool {
    use cedar_policy::{ActionConstraint, PrincipalConstraint};
    let is_role = |uid: &EntityUid| {
        *uid == principal.uid()
            || roles.iter().any(|role| {
                uid.type_name().to_string() == "Portcullis::Role" && uid.id().unescaped() == &**role
            })
    };
    let fits_principal = match policy.principal_constraint() {
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => true,
        PrincipalConstraint::Eq(uid) => uid == principal.uid(),
        PrincipalConstraint::In(uid) | PrincipalConstraint::IsIn(_, uid) => is_role(&uid),
    };
    fits_principal
        && match policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(uid) => uid == *action,
            ActionConstraint::In(uids) => uids.contains(action),
        }
}
