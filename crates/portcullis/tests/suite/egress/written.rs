//! What is written: the demo's grants and contracts, read again from their files by a second, much simpler reader.
//! Exports `Written`: operations, their fields, and what an integration may see of one object. Shares no code with the
//! product's compiler but the reading of YAML, so that a mistake there cannot hide itself here.
//! Used by egress.
//! Start reading at `Written::sight`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// One operation of a contract.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `field-service/v2`
    pub api: String,
    pub id: String,
    pub method: String,
    /// `/v2/work-orders/{workOrderId}`
    pub template: String,
    pub parameters: Vec<Value>,
    pub body: Option<Value>,
    pub response: Option<Value>,
    /// Status of a good answer.
    pub status: u16,
    pub listeners: BTreeSet<String>,
    /// Where the resource objects stand in the answer, `items.*`, and their kind.
    pub resource: Option<(String, String)>,
    /// Kind of the object that conditions are about: what the answer holds, or what the path names.
    pub kind: String,
    /// Every declared field of the answer, with its type: `items.*.lines.*.sku`, `string`.
    pub fields: Vec<(String, String)>,
    /// Those of them that are secret.
    pub secrets: BTreeSet<String>,
}

/// One grant as written.
#[derive(Clone, Debug)]
struct Grant {
    api: String,
    operations: Vec<String>,
    when: Option<String>,
    fields: Vec<String>,
    masks: Vec<String>,
    writes: Vec<String>,
}

/// How much may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    None,
    Masked,
    Full,
}

/// Attributes of an object: `status` → `completed`.
pub type Attributes = BTreeMap<String, String>;

#[derive(Debug)]
struct Integration {
    attributes: Attributes,
    grants: Vec<Grant>,
}

/// Everything that is written.
#[derive(Debug)]
pub struct Written {
    pub operations: Vec<Operation>,
    documents: BTreeMap<String, Value>,
    integrations: BTreeMap<String, Integration>,
}

fn yaml(path: &str) -> Value {
    let found = demo::GATE_FILES.iter().find(|(name, _)| *name == path);
    contract::to_value(found.unwrap().1).unwrap()
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The name a `$ref` ends with.
pub fn name_of(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}

impl Written {
    pub fn read() -> Written {
        let mut written = Written {
            operations: Vec::new(),
            documents: BTreeMap::new(),
            integrations: BTreeMap::new(),
        };
        let catalogue = yaml("apis/field-service.yaml");
        for (version, entry) in catalogue["versions"].as_object().unwrap() {
            if let Some(contract) = entry["contract"].as_str() {
                let api = format!("field-service/{version}");
                written
                    .documents
                    .insert(api.clone(), yaml(&format!("apis/{contract}")));
                written.contract(&api, entry);
            }
        }
        for name in demo::INTEGRATIONS {
            let file = yaml(&format!("integrations/{name}.yaml"));
            let mut grants = grants(&file);
            for role in texts(&file["roles"]) {
                grants.extend(self::grants(&yaml(&format!("roles/{role}.yaml"))));
            }
            let attributes = file["attributes"].as_object().into_iter().flatten();
            let attributes = attributes
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect();
            written
                .integrations
                .insert((*name).to_owned(), Integration { attributes, grants });
        }
        written
    }

    fn contract(&mut self, api: &str, entry: &Value) {
        let document = self.documents[api].clone();
        let base = entry["base_path"].as_str().unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in ["get", "post", "put", "patch", "delete"] {
                let Some(declared) = item.get(method) else {
                    continue;
                };
                let operation =
                    self.operation(api, entry, &format!("{base}{path}"), method, item, declared);
                self.operations.push(operation);
            }
        }
    }

    fn operation(
        &self,
        api: &str,
        entry: &Value,
        template: &str,
        method: &str,
        item: &Value,
        declared: &Value,
    ) -> Operation {
        let both = [&item["parameters"], &declared["parameters"]];
        let parameters = both
            .iter()
            .flat_map(|list| list.as_array().into_iter().flatten());
        let id = text(&declared["operationId"]).unwrap();
        let exposed = entry["expose"].as_object().unwrap().iter();
        let exposed = exposed.filter(|(_, operations)| texts(operations).contains(&id));
        let good = declared["responses"]
            .as_object()
            .unwrap()
            .iter()
            .find(|(status, _)| status.starts_with('2'))
            .unwrap();
        let json = |holder: &Value| holder["content"]["application/json"].get("schema").cloned();
        let mut operation = Operation {
            api: api.to_owned(),
            method: method.to_uppercase(),
            template: template.to_owned(),
            parameters: parameters.map(|p| self.resolved(api, p).clone()).collect(),
            body: json(&declared["requestBody"]),
            response: json(good.1),
            status: good.0.parse().unwrap(),
            listeners: exposed.map(|(listener, _)| listener.clone()).collect(),
            resource: None,
            kind: String::new(),
            fields: Vec::new(),
            secrets: BTreeSet::new(),
            id,
        };
        if let Some(response) = operation.response.clone() {
            self.walk(&mut operation, &entry["objects"], &response, "", false);
        }
        let named = |settings: &Value| {
            settings["id"]
                .as_str()
                .and_then(|id| id.strip_prefix("path."))
                .is_some_and(|name| template.contains(&format!("{{{name}}}")))
        };
        let by_path = entry["objects"]
            .as_object()
            .unwrap()
            .iter()
            .find(|(_, settings)| named(settings));
        operation.kind = match &operation.resource {
            Some((_, kind)) => kind.clone(),
            None => by_path.map(|(kind, _)| kind.clone()).unwrap_or_default(),
        };
        operation
    }

    /// The value a `$ref` stands for.
    pub fn resolved<'a>(&'a self, api: &str, schema: &'a Value) -> &'a Value {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
            return match schema.get("oneOf") {
                Some(branches) => self.resolved(api, &branches[0]),
                None => schema,
            };
        };
        let found = self.documents[api].pointer(reference.trim_start_matches('#'));
        self.resolved(api, found.unwrap())
    }

    fn walk(
        &self,
        operation: &mut Operation,
        kinds: &Value,
        schema: &Value,
        path: &str,
        is_secret: bool,
    ) {
        if let Some(kind) =
            name_of(schema).filter(|kind| operation.resource.is_none() && kinds.get(kind).is_some())
        {
            operation.resource = Some((path.to_owned(), kind.to_owned()));
        }
        let holder = name_of(schema).unwrap_or("").to_owned();
        let schema = self.resolved(&operation.api, schema).clone();
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (name, below) in properties {
                let is_secret = is_secret || self::secrets().contains(&format!("{holder}.{name}"));
                self.walk(operation, kinds, below, &joined(path, name), is_secret);
            }
        } else if let Some(items) = schema.get("items") {
            self.walk(operation, kinds, items, &joined(path, "*"), is_secret);
        } else {
            let kind = match &schema["type"] {
                Value::Array(several) => several[0].as_str().unwrap(),
                one => one.as_str().unwrap(),
            };
            operation.fields.push((path.to_owned(), kind.to_owned()));
            if is_secret {
                operation.secrets.insert(path.to_owned());
            }
        }
    }

    /// The operation a path belongs to, and its parameters.
    pub fn find(&self, method: &str, path: &str) -> Option<(&Operation, Vec<String>)> {
        let given: Vec<&str> = path.split('/').collect();
        self.operations
            .iter()
            .filter(|operation| operation.method == method)
            .find_map(|operation| {
                let template: Vec<&str> = operation.template.split('/').collect();
                let fits = template.len() == given.len()
                    && template
                        .iter()
                        .zip(&given)
                        .all(|(t, g)| t.starts_with('{') || t == g);
                let values = template
                    .iter()
                    .zip(&given)
                    .filter(|(t, _)| t.starts_with('{'));
                fits.then(|| (operation, values.map(|(_, g)| (*g).to_owned()).collect()))
            })
    }

    fn grants<'a>(
        &'a self,
        who: &str,
        operation: &'a Operation,
    ) -> impl Iterator<Item = &'a Grant> + use<'a> {
        let grants = self
            .integrations
            .get(who)
            .map(|i| i.grants.as_slice())
            .unwrap_or_default();
        grants
            .iter()
            .filter(|grant| grant.api == operation.api && grant.operations.contains(&operation.id))
    }

    pub fn is_granted(&self, who: &str, operation: &Operation) -> bool {
        self.grants(who, operation).next().is_some()
    }

    /// Top members of the body that may be sent.
    pub fn writes(&self, who: &str, operation: &Operation) -> BTreeSet<String> {
        self.grants(who, operation)
            .flat_map(|grant| grant.writes.iter().cloned())
            .collect()
    }

    /// What an integration may see of one field of an answer, when the object around it has these attributes; of the
    /// object that satisfies the most, when nothing is known of it.
    pub fn sight(
        &self,
        who: &str,
        operation: &Operation,
        field: &str,
        object: Option<&Attributes>,
    ) -> Sight {
        if operation.secrets.contains(field) {
            return Sight::None;
        }
        let prefix = operation.resource.as_ref().map_or("", |(prefix, _)| prefix);
        let inside = match prefix {
            "" => Some(field),
            _ => field
                .strip_prefix(prefix)
                .and_then(|rest| rest.strip_prefix('.')),
        };
        let mut best = Sight::None;
        for grant in self.grants(who, operation) {
            for entry in &grant.fields {
                let is_seen = match (entry.strip_prefix("$."), inside) {
                    (Some(entry), _) => covers(entry, field),
                    (None, Some(inside)) => {
                        covers(entry, inside)
                            && object.is_none_or(|object| self.holds(who, grant, object))
                    }
                    (None, None) => false,
                };
                let is_masked = inside
                    .is_some_and(|inside| grant.masks.iter().any(|mask| covers(mask, inside)));
                if is_seen {
                    best = best.max(if is_masked {
                        Sight::Masked
                    } else {
                        Sight::Full
                    });
                }
            }
        }
        best
    }

    /// Whether any grant lets this object be seen.
    pub fn may_see(&self, who: &str, operation: &Operation, object: &Attributes) -> bool {
        self.grants(who, operation)
            .any(|grant| self.holds(who, grant, object))
    }

    fn holds(&self, who: &str, grant: &Grant, object: &Attributes) -> bool {
        let Some(when) = &grant.when else { return true };
        let principal = &self.integrations[who].attributes;
        when.split("||")
            .any(|part| holds(part.trim(), object, principal))
    }
}

/// Reads `resource.x == "y"`, `resource.x != "y"` and `resource.x == principal.y`; the demo writes nothing else.
fn holds(condition: &str, object: &Attributes, principal: &Attributes) -> bool {
    let mut words = condition.split_whitespace();
    let (Some(left), Some(operator), Some(right), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        panic!("this reader does not know `{condition}`");
    };
    let left = object.get(left.strip_prefix("resource.").unwrap());
    let right = match right.strip_prefix("principal.") {
        Some(name) => principal.get(name).cloned(),
        None => Some(right.trim_matches('"').to_owned()),
    };
    // What is not there satisfies nothing.
    match (left, right, operator) {
        (Some(left), Some(right), "==") => *left == right,
        (Some(left), Some(right), "!=") => *left != right,
        (Some(_), Some(_), other) => panic!("this reader does not know `{other}`"),
        _ => false,
    }
}

/// Whether a written entry means this field: it, or something around it.
fn covers(entry: &str, field: &str) -> bool {
    let mut steps = field.split('.');
    entry.split('.').all(|step| steps.next() == Some(step))
}

fn grants(file: &Value) -> Vec<Grant> {
    let grants = file["grants"].as_array().into_iter().flatten();
    grants
        .map(|grant| Grant {
            api: text(&grant["api"]).unwrap(),
            operations: texts(&grant["operations"]),
            when: text(&grant["when"]),
            fields: texts(&grant["fields"])
                .iter()
                .flat_map(|entry| expanded(entry))
                .collect(),
            masks: grant["masks"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone())
                .collect(),
            writes: texts(&grant["writes"]),
        })
        .collect()
}

/// `a.{b,c}` is `a.b` and `a.c`.
fn expanded(entry: &str) -> Vec<String> {
    let Some((before, rest)) = entry.split_once('{') else {
        return vec![entry.to_owned()];
    };
    let (inside, after) = rest.split_once('}').unwrap();
    inside
        .split(',')
        .flat_map(|name| expanded(&format!("{before}{}{after}", name.trim())))
        .collect()
}

/// `Customer.paymentToken` and its like, from the overlay.
fn secrets() -> &'static BTreeSet<String> {
    static FOUND: std::sync::OnceLock<BTreeSet<String>> = std::sync::OnceLock::new();
    FOUND.get_or_init(|| {
        let overlay = yaml("overlays/field-service.yaml");
        let actions = overlay["actions"].as_array().unwrap().iter();
        let secret = actions.filter(|action| action["update"]["x-portcullis-class"] == "secret");
        secret
            .map(|action| {
                let target = action["target"].as_str().unwrap();
                target
                    .trim_start_matches("$.components.schemas.")
                    .replace(".properties.", ".")
            })
            .collect()
    })
}

pub fn joined(path: &str, step: &str) -> String {
    if path.is_empty() {
        step.to_owned()
    } else {
        format!("{path}.{step}")
    }
}
