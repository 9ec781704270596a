//! Generated requests: of every integration, to every operation, valid and broken.
//! Exports `Generator`.
//! Used by egress.
//! Start reading at `Generator::next`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::canary::{attributes, id_of};
use super::written::{Operation, Written, name_of};
use crate::line::{SplitMix64, request};

/// One request, and who it is from.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Integration whose key is sent; empty for a stranger.
    pub who: &'static str,
    /// `local` or `internal`.
    pub listener: &'static str,
    /// Method and path as sent, to find the operation they truly name.
    pub method: String,
    pub path: String,
    pub bytes: Vec<u8>,
}

/// An endless, reproducible sequence of requests.
pub struct Generator {
    written: Arc<Written>,
    keys: Arc<BTreeMap<&'static str, String>>,
    dice: SplitMix64,
    /// Operations any listener exposes.
    exposed: Vec<usize>,
}

impl Generator {
    pub fn new(
        written: &Arc<Written>,
        keys: &Arc<BTreeMap<&'static str, String>>,
        seed: u64,
    ) -> Generator {
        let exposed = written.operations.iter().enumerate();
        let exposed = exposed.filter(|(_, operation)| listener(operation).is_some());
        Generator {
            written: Arc::clone(written),
            keys: Arc::clone(keys),
            dice: SplitMix64::new(seed),
            exposed: exposed.map(|(at, _)| at).collect(),
        }
    }

    /// Any request of anybody.
    pub fn next(&mut self) -> Asked {
        let (who, at) = self.pair(85);
        let (mut made, mut body) = self.made(who, at, false);
        if self.dice.is_lucky(22) {
            self.break_it(&mut made, &mut body);
        }
        self.asked(who, at, made, &body)
    }

    /// Somebody, and an operation that is granted to him so many times out of a hundred.
    pub fn pair(&mut self, granted_percent: u64) -> (&'static str, usize) {
        let who = *self.dice.pick(demo::INTEGRATIONS);
        let written = &self.written;
        let of_his = |at: &usize| written.is_granted(who, &written.operations[*at]);
        let granted: Vec<usize> = self.exposed.iter().copied().filter(of_his).collect();
        let from = if self.dice.is_lucky(granted_percent) {
            &granted
        } else {
            &self.exposed
        };
        (who, *self.dice.pick(from))
    }

    /// A request with nothing wrong in it, for an object that satisfies the conditions.
    pub fn valid(&mut self, who: &'static str, at: usize) -> Asked {
        let (made, body) = self.made(who, at, true);
        self.asked(who, at, made, &body)
    }

    /// A well-formed request, and the operation it is meant for: granted or not, of any object, now and then with a value that
    /// the contract excludes.
    pub fn question(&mut self) -> (Asked, usize) {
        let (who, at) = self.pair(80);
        let is_strict = self.dice.is_lucky(30);
        let (mut made, mut body) = self.made(who, at, is_strict);
        match self.dice.below(10) {
            0 => made.query = "limit=0".to_owned(),
            1 => made.query = "status=no-such-state".to_owned(),
            2 if !body.is_empty() => body = b"{\"status\":7}".to_vec(),
            3 if !body.is_empty() => body = b"{}".to_vec(),
            _ => {}
        }
        (self.asked(who, at, made, &body), at)
    }

    /// One of several.
    pub fn pick(&mut self, from: usize) -> usize {
        usize::try_from(self.dice.below(u64::try_from(from).unwrap())).unwrap()
    }

    fn made(&mut self, who: &'static str, at: usize, is_strict: bool) -> (Made, Vec<u8>) {
        let written = Arc::clone(&self.written);
        let operation = &written.operations[at];
        let path = self.path(who, operation, is_strict);
        let query = match is_strict {
            // Enough items that some of them satisfy any condition.
            true if operation.parameters.iter().any(|p| p["name"] == "limit") => {
                "limit=40".to_owned()
            }
            true => String::new(),
            false => self.query(operation),
        };
        let body = self.body(who, operation, is_strict);
        let mut headers = String::new();
        if !body.is_empty() {
            headers.push_str("Content-Type: application/json\r\n");
        }
        let method = operation.method.clone();
        let key = Some(self.keys[who].clone());
        (
            Made {
                method,
                path,
                query,
                headers,
                key,
            },
            body,
        )
    }

    fn asked(&self, who: &'static str, at: usize, made: Made, body: &[u8]) -> Asked {
        let target = if made.query.is_empty() {
            made.path.clone()
        } else {
            format!("{}?{}", made.path, made.query)
        };
        let is_his = made.key.as_ref() == Some(&self.keys[who]);
        Asked {
            who: if is_his { who } else { "" },
            listener: listener(&self.written.operations[at]).unwrap(),
            bytes: request(
                &made.method,
                &target,
                made.key.as_deref(),
                &made.headers,
                body,
            ),
            // A HEAD is answered as the GET it stands for.
            method: if made.method == "HEAD" {
                "GET".to_owned()
            } else {
                made.method
            },
            path: made.path,
        }
    }

    fn path(&mut self, who: &str, operation: &Operation, is_strict: bool) -> String {
        let kind = operation.kind.as_str();
        let mut number = usize::try_from(1_000 + self.dice.below(8_000)).unwrap();
        // Mostly objects the caller may see: a hidden one shows nothing of the field rules.
        for _ in 0..60 {
            let object = attributes(kind, &id_of(kind, number));
            // The written policy freezes cancelled work orders for everybody but the dispatchers.
            let is_frozen = operation.id == "updateWorkOrder" && object["status"] == "cancelled";
            let is_seen = self.written.may_see(who, operation, &object) && !is_frozen;
            if is_seen || (!is_strict && self.dice.is_lucky(15)) {
                break;
            }
            number += 1;
        }
        let steps: Vec<String> = operation
            .template
            .split('/')
            .map(|step| match step {
                "{system}" => (*self.dice.pick(&["accounting", "crm", "partner"])).to_owned(),
                "{sku}" => id_of("Part", number),
                _ if step.starts_with('{') => id_of(kind, number),
                _ => step.to_owned(),
            })
            .collect();
        steps.join("/")
    }

    fn query(&mut self, operation: &Operation) -> String {
        let mut pairs = Vec::new();
        for parameter in operation
            .parameters
            .iter()
            .filter(|parameter| parameter["in"] == "query")
        {
            let name = parameter["name"].as_str().unwrap();
            if name == "limit" {
                pairs.push(format!("limit={}", 1 + self.dice.below(5)));
            // An invented cursor is refused before anything else.
            } else if name != "cursor" && self.dice.is_lucky(20) {
                let value = self.sample(&operation.api, &parameter["schema"]);
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                pairs.push(format!("{name}={}", escaped(&text)));
            }
        }
        pairs.join("&")
    }

    fn body(&mut self, who: &str, operation: &Operation, is_strict: bool) -> Vec<u8> {
        let Some(schema) = &operation.body else {
            return Vec::new();
        };
        let writes = self.written.writes(who, operation);
        let schema = self.written.resolved(&operation.api, schema).clone();
        let required: Vec<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut members = Map::new();
        for (name, below) in schema["properties"].as_object().unwrap() {
            let deeper: Vec<&str> = writes
                .iter()
                .filter_map(|entry| entry.strip_prefix(&format!("{name}.")))
                .collect();
            let is_granted = writes.contains(name) || !deeper.is_empty() || writes.is_empty();
            let is_wanted = is_granted && self.dice.is_lucky(if is_strict { 100 } else { 80 });
            if !is_wanted && !required.contains(&&**name) {
                continue;
            }
            let mut value = self.sample(&operation.api, below);
            if let (false, Value::Object(inner)) = (deeper.is_empty(), &mut value) {
                inner.retain(|name, _| deeper.contains(&&**name));
            }
            members.insert(name.clone(), value);
        }
        // What the conditions of the demo ask of something new.
        for (name, own) in [
            (
                "source",
                match who {
                    "thermo" => "thermo",
                    _ => "crm",
                },
            ),
            ("location", "leeds"),
        ] {
            if members.contains_key(name) && self.dice.is_lucky(if is_strict { 100 } else { 85 }) {
                members.insert(name.to_owned(), json!(own));
            }
        }
        if members.contains_key("customerId") {
            // A customer that is not erased.
            members.insert("customerId".to_owned(), json!("4001"));
        }
        if members.contains_key("assetId") {
            members.insert("assetId".to_owned(), json!("4002"));
        }
        serde_json::to_vec(&Value::Object(members)).unwrap()
    }

    /// A value that fits the schema.
    fn sample(&mut self, api: &str, schema: &Value) -> Value {
        let name = name_of(schema).unwrap_or("").to_owned();
        let schema = self.written.resolved(api, schema).clone();
        if let Some(choices) = schema["enum"].as_array() {
            return self.dice.pick(choices).clone();
        }
        if let Some(properties) = schema["properties"].as_object() {
            let members = properties
                .iter()
                .map(|(name, below)| (name.clone(), self.sample(api, below)));
            return Value::Object(members.collect());
        }
        let kind = match &schema["type"] {
            Value::Array(several) => several[0].clone(),
            one => one.clone(),
        };
        let digits = 1_000 + self.dice.below(8_000);
        match (
            kind.as_str().unwrap_or(""),
            schema["format"].as_str().unwrap_or(""),
            &*name,
        ) {
            ("array", ..) => json!([self.sample(api, &schema["items"])]),
            ("boolean", ..) => json!(self.dice.is_lucky(50)),
            ("integer", ..) => json!(1 + self.dice.below(90)),
            ("number", ..) => json!(1 + self.dice.below(80)),
            (_, "date-time", _) => {
                json!(format!("2026-11-{:02}T09:30:00Z", 1 + self.dice.below(28)))
            }
            (_, "date", _) => json!(format!("2026-11-{:02}", 1 + self.dice.below(28))),
            (_, "email", _) => json!(format!("o.brien.{digits}@example.org")),
            (_, "uri", _) => json!(format!("https://hooks.example.org/{digits}")),
            (_, _, "Id") => json!(digits.to_string()),
            (_, _, "Sku") => json!(format!("PMP-{digits:04}")),
            (_, _, "PhoneNumber") => json!(format!("+49 30 {digits}")),
            (_, _, "Language") => json!("de"),
            (_, _, "CountryCode") => json!("DE"),
            (_, _, "PartnerName") => json!("north-star"),
            (_, _, "Location") => json!("central"),
            (_, _, "EventType") => json!(format!(
                "fs.work_order.changed_{}.v1",
                ["a", "b", "c"][usize::try_from(digits % 3).unwrap()]
            )),
            _ => self.words(schema["pattern"].as_str().unwrap_or("")),
        }
    }

    fn words(&mut self, pattern: &str) -> Value {
        let digits = self.dice.below(9_000) + 1_000;
        match pattern {
            "^WO-[0-9]{4}-[0-9]{5}$" => json!(format!("WO-2026-0{digits}")),
            "^[A-Z]{3}-[0-9]{9}$" => json!(format!("ABC-00000{digits}")),
            "^[A-Z0-9 -]{3,10}$" => json!("10115"),
            "" => json!(*self.dice.pick(&[
                "Mrs O'Brien asks for an earlier date",
                "Kunde wünscht Rückruf",
                "pump hums; select another from the union of parts"
            ])),
            _ => json!(format!("REF-{digits}")),
        }
    }

    fn break_it(&mut self, made: &mut Made, body: &mut Vec<u8>) {
        let digits = self.dice.below(1_000_000);
        match self.dice.below(24) {
            0 => made.key = None,
            1 => made.key = Some(format!("pk_live_{digits:049}")),
            2 => made.path.push_str("/../../v2/customers/17"),
            3 => made.path.push_str("%2f..%2fcustomers"),
            4 => made.path.push_str(&format!("/{digits}")),
            5 => made.method = (*self.dice.pick(&["DELETE", "OPTIONS", "TRACE", "BREW", "get"])).to_owned(),
            6 | 7 => made.method = "HEAD".to_owned(),
            8 => made.query.push_str("&fields=*&expand=customer&include=internalNotes"),
            9 => made.query.push_str("&limit=1&limit=2"),
            10 => made.query = "q=x%27%20OR%20%271%27%3D%271".to_owned(),
            11 => made.query = "limit=abc".to_owned(),
            12 => *body = b"{\"role\":\"admin\",\"status\":7}".to_vec(),
            13 => *body = b"{\"broken".to_vec(),
            14 => *body = b"{\"status\":\"a\",\"status\":\"b\"}".to_vec(),
            15 => made.headers = "Content-Type: text/plain\r\n".to_owned(),
            16 => made.headers.push_str("Range: bytes=0-10\r\nAccept: text/html\r\n"),
            17 => made.headers.push_str("If-None-Match: \"1\"\r\nIf-Modified-Since: Mon, 02 Nov 2026 00:00:00 GMT\r\n"),
            18 => made.headers.push_str("X-Forwarded-For: 10.0.0.1\r\nX-Original-URL: /v2/customers/17\r\nX-HTTP-Method-Override: DELETE\r\n"),
            19 => made.headers.push_str("Portcullis-Identity: eyJhbGciOiJub25lIn0.e30.\r\nPortcullis-Decision: dec_1\r\n"),
            20 => made.headers.push_str(&format!("Authorization: Basic {digits}\r\n")),
            21 => made.path = format!("/v0/work-orders/{digits}"),
            22 => made.path = made.path.to_uppercase(),
            _ => made.path = (*self.dice.pick(&["/", "/v2", "/v2/technicians", "/v1/customers/7", "/health", "/metrics", "*"])).to_owned(),
        }
    }
}

/// The parts of a request before they become bytes.
struct Made {
    method: String,
    path: String,
    query: String,
    headers: String,
    key: Option<String>,
}

/// The plain listener that exposes an operation.
pub fn listener(operation: &Operation) -> Option<&'static str> {
    ["local", "internal"]
        .into_iter()
        .find(|name| operation.listeners.contains(*name))
}

fn escaped(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    bytes.collect()
}
