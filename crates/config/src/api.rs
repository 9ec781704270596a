//! `apis/NAME.yaml`: one entry of the catalogue. Versions with their contract, upstream, exposure and state.
//! Exports `Api` and its parts, as written; compile checks them against the contract.
//! Used by compile, the JSON Schema and the reference, all from the same structs.
//! Start reading at `Version`.

use model::Mode;
use model::time::Span as Period;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::browsers::Browsers;
use crate::spanned::{At, Map};
use crate::values::{ByteSize, Day, Origin};

/// One api of the company. Its name is the name of the file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Who answers for it: an address or a team. Not empty.
    pub owner: At<String>,
    /// The versions by name: `v2`. At least one.
    pub versions: Map<At<Version>>,
}

/// One version: what it promises, where it is, who may reach it, and where it stands in its life.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// The OpenAPI document (3.0 or 3.1, YAML or JSON), relative to this file. Required unless the version is retired.
    #[serde(default)]
    pub contract: Option<At<String>>,
    /// An OpenAPI Overlay with facts about the data, relative to this file. Default none.
    #[serde(default)]
    pub overlay: Option<At<String>>,
    /// Where the version stands: `design` (checked, but not reachable), `active`, `deprecated` (works, answers carry
    /// `Deprecation` and `Sunset`) or `retired` (answers 410 with the successor).
    pub state: At<State>,
    /// Since when it is deprecated, sent as `Deprecation` (RFC 9745). Only with `state: deprecated`. Default: the day on
    /// which the configuration was loaded.
    #[serde(default)]
    pub deprecated_since: Option<At<Day>>,
    /// The day after which it may stop working, sent as `Sunset` (RFC 8594). Only with `state: deprecated` or `retired`.
    #[serde(default)]
    pub sunset: Option<At<Day>>,
    /// The version to use instead, sent as `Link: rel="successor-version"`. A version of the same file.
    #[serde(default)]
    pub successor: Option<At<String>>,
    /// Path in front of the contract's paths: `/v2`, or `/` for none. Default: `/` and the name of the version.
    /// The paths of the contract's `servers` are not used.
    #[serde(default)]
    pub base_path: Option<At<String>>,
    /// The company's system behind this version. Required where an operation is exposed.
    #[serde(default)]
    pub upstream: Option<At<Upstream>>,
    /// Operations (by `operationId`) by listener. What is listed nowhere stays unreachable, also through a template beside
    /// it: a request is matched against everything the contracts declare first, concrete paths before templates, and
    /// then asked for exposure. A value that an upstream could read as another declared path (`ALL` or `all.json` beside
    /// `/jobs/all`) is refused.
    #[serde(default)]
    pub expose: Map<Vec<At<String>>>,
    /// The objects of this version by the name of their schema. Conditions of grants judge their attributes wherever the
    /// schema appears: single answers, list items, nested objects; for creates in the request body. A schema in a file
    /// of its own that has no name under `components.schemas` is named after the file: `models/WorkOrder.yml` is
    /// `WorkOrder`. What is composed of the schema (`allOf`, `oneOf`, `anyOf`) is judged as that object too. Inside
    /// another object it shows only fields that an integration's grants for reading its kind list as well; where one
    /// could be hidden, it reads like none: the key is missing, also where the upstream sent `null`.
    #[serde(default)]
    pub objects: Map<At<Object>>,
    /// What the contract does not say of single operations, by `operationId`.
    #[serde(default)]
    pub operations: Map<OperationFacts>,
    /// Most objects that one request may have looked up before it is forwarded: the one its path names and those its
    /// parameters and body refer to. A request that needs more is refused with `object.too_many`. Default `32`, at most
    /// `256`.
    #[serde(default)]
    pub lookups_max: Option<At<u32>>,
    /// Pages of browsers that may call this version and read its answers. Default: none.
    #[serde(default)]
    pub browsers: Option<At<Browsers>>,
    /// Which checks refuse, which only observe, and which are off.
    #[serde(default)]
    pub checks: Checks,
    /// Fields of a request body that the contract does not declare and does not forbid: `refuse` or `allow`.
    /// Default `refuse`.
    #[serde(default)]
    pub unknown_fields: UnknownFields,
}

/// Where a version stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Checked, but not reachable.
    Design,
    /// In use.
    Active,
    /// In use; answers say that it will end.
    Deprecated,
    /// Ended: answers 410 and names the successor.
    Retired,
}

impl State {
    /// The word as written.
    pub const fn name(self) -> &'static str {
        match self {
            State::Design => "design",
            State::Active => "active",
            State::Deprecated => "deprecated",
            State::Retired => "retired",
        }
    }
}

/// Undeclared fields of a request body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownFields {
    /// Refused with `validate.body`.
    #[default]
    Refuse,
    /// Forwarded, as plain JSON Schema has it.
    Allow,
}

/// The company's system behind a version.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Origins, tried by `balance`: `http://127.0.0.1:9101`, `https://erp.example`. One to 64. None of them may be a
    /// listener of this server.
    pub targets: Vec<At<Origin>>,
    /// How calls are spread: `least_requests` or `round_robin`. Default `least_requests`.
    #[serde(default)]
    pub balance: Balance,
    /// Active checks of each target. Default: none; then only a target that takes no connection is passed over, for at most
    /// 0.4 s and as long as another one is left. A target that takes connections and hangs is noticed by checks alone.
    #[serde(default)]
    pub health: Option<At<Health>>,
    /// How long a call may take until the whole answer is here; then it is answered with `upstream.timeout`.
    /// Default `30s`.
    #[serde(default)]
    pub timeout: Option<At<Period>>,
    /// Largest answer body; larger ones are answered with 502. Default `8MiB`, at most `64MiB`.
    #[serde(default)]
    pub answer_bytes_max: Option<At<ByteSize>>,
    /// Most calls under way at once, over all targets; further ones are answered with `upstream.overloaded`. One credential may
    /// have as many under way as are still free for all others: half of them when it is alone. Default 4096, from 2 to 100000.
    #[serde(default)]
    pub calls_max: Option<At<u32>>,
    /// PEM file with the authorities that may vouch for the targets, relative to this file. Default: the system's.
    #[serde(default)]
    pub ca: Option<At<String>>,
    /// Forward the caller's own credential. Only for upstreams that cannot verify `Portcullis-Identity`. Default `false`.
    #[serde(default)]
    pub pass_credential: bool,
}

/// How calls are spread over healthy targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// The target with the fewest calls under way.
    #[default]
    LeastRequests,
    /// One after the other.
    RoundRobin,
}

/// Active checks of each target. Three bad ones in a row take it out, two good ones bring it back; checks are not believed
/// while fewer than half of the targets that take connections pass them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// Path that is asked with GET; any 2xx is healthy. Begins with `/`.
    pub path: At<String>,
    /// Time between two checks of one target, and the longest a check may take is two seconds of it. Default `5s`.
    #[serde(default)]
    pub interval: Option<At<Period>>,
}

/// One kind of object: how it is named, found and described.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// Where a request names the object: `path.workOrderId` or `body.id`. Where the path ends with the id and the body
    /// carries one too, they have to be the same (`object.id_differs`).
    pub id: At<String>,
    /// The operation that looks the object up, by `operationId`: before a write, and before a read whose answer does not
    /// show the object that its path names. It has to be a GET whose answer is the object. Default: none; grants whose
    /// condition cannot be judged without it are refused by `check`.
    #[serde(default)]
    pub resolve: Option<At<String>>,
    /// The attributes conditions may ask for, by name: `status: body.status`, `partner: body.assignment.partnerId`.
    #[serde(default)]
    pub attributes: Map<At<String>>,
    /// Each of these objects is a person: a customer, a patient, an employee. Their ids stand sealed in the ledger, each under a key of
    /// that person, and so does what else of a record could name them: the path and its sentences. `portcullis ledger erase --object
    /// Customer/c-7` destroys the key. A kind whose id is in a parameter classed `personal` or stricter is one of persons in any case.
    /// Default `false`.
    #[serde(default)]
    pub person: Option<At<bool>>,
}

/// What the contract does not say of one operation.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OperationFacts {
    /// It only reads, although its method is POST: a search whose question is the body. Conditions are then judged by the
    /// answer, as for a GET, and not by the body. The fields of the body are held to the rules of query parameters: each says at
    /// its schema what it asks about (`x-portcullis-filters`) and which of them are the cursor and the size of a page
    /// (`x-portcullis-page`); what is undeclared cannot be used where a grant hides anything. Default `false`.
    pub reads: Option<At<bool>>,
}

/// Which checks refuse, which only observe, and which are off.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Checks {
    /// Requests against the contract. Default `enforce`: whatever breaks it is refused. `observe`: values that break
    /// their schema, undeclared and missing ones are noted in the ledger and go on. `off`: schemas are not asked. In
    /// every mode a request that can be read in two ways is refused (broken JSON, duplicate keys, parameters that
    /// cannot be split, undeclared content types), fields outside the grant's `writes` are refused, and inspection
    /// looks at everything the schema did not vouch for.
    pub request: Option<Mode>,
    /// Answers against the contract. Default `observe`.
    pub response: Option<Mode>,
    /// Free text for attacks. Default `enforce`.
    pub inspect: Option<Mode>,
    /// Other modes for single operations, by `operationId`.
    pub operations: Map<OperationChecks>,
}

/// Other modes for one operation. What is not named stays as for the version.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OperationChecks {
    /// Requests against the contract; `observe` and `off` relax schemas only.
    pub request: Option<Mode>,
    /// Answers against the contract.
    pub response: Option<Mode>,
    /// Free text for attacks.
    pub inspect: Option<Mode>,
}
