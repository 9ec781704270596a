//! `portcullis.yaml`: the server itself. Listeners, store, keys, trusted proxies, defaults.
//! Exports `Server` and its parts, as written; compile fills the defaults in and checks them.
//! Used by compile, the JSON Schema and the reference, all from the same structs.
//! Start reading at `Server`.

use std::fmt;

use model::time::Span as Period;
use policy::{Rate, Strikes};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::secret_ref::SecretRef;
use crate::spanned::{At, Map, Noted};
use crate::values::{AddressRange, ByteSize, Day, ListenAddress};

/// The server: where it listens, where it keeps its state, and what holds for everybody.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Where Portcullis listens, by name. Names are 1 to 63 of `a-z`, `0-9` and `-`, beginning with a letter.
    /// At least one; the name `admin` is kept for health, metrics and administration.
    pub listeners: Map<Listener>,
    /// Where state is kept. Default `{ dir: data }`.
    #[serde(default)]
    pub store: Store,
    /// Keys that protect what is stored.
    pub keys: Keys,
    /// Proxies in front of Portcullis, as address ranges. Only from these is `X-Forwarded-For` believed, read from the
    /// right to the first address that is none of them. Default none: the address of the socket counts.
    #[serde(default)]
    pub trusted_proxies: Vec<At<AddressRange>>,
    /// What holds for every listener and caller unless said otherwise.
    #[serde(default)]
    pub defaults: Defaults,
    /// How decisions are recorded.
    #[serde(default)]
    pub ledger: Ledger,
    /// How texts that a contract leaves free are inspected for attacks.
    #[serde(default)]
    pub inspection: Inspection,
    /// Where every record of the ledger is delivered to besides, by name: `siem: { file: { path: … } }`. Names are 1 to 63 of
    /// `a-z`, `0-9` and `-`, beginning with a letter. At most 16. Default none.
    #[serde(default)]
    pub destinations: Noted<destinations::Destinations>,
}

/// One place to listen at.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// IP address and port. Two listeners cannot share one. The admin listener has to be on loopback.
    pub address: At<ListenAddress>,
    /// What the listener is for. It decides the default of `deny_as`: `not_found` on public ones, `forbidden` on
    /// internal ones. Default: the listener's name where it is one of these words, otherwise `public`.
    #[serde(default)]
    pub kind: Option<At<ListenerKind>>,
    /// Certificate and key. Required unless `plain: true` is written; both together are refused.
    #[serde(default)]
    pub tls: Option<At<Tls>>,
    /// Serve HTTP without TLS. Nothing is plain unless it says so here. Default `false`.
    #[serde(default)]
    pub plain: bool,
    /// Addresses that may connect; everybody else is refused with `ip.denied`. Default: everybody.
    #[serde(default)]
    pub allow: Option<At<Vec<At<AddressRange>>>>,
    /// Addresses that are refused with `ip.denied`, also where `allow` names them. Default: nobody.
    #[serde(default)]
    pub deny: Vec<At<AddressRange>>,
    /// Requests of one address whose caller is not proven; and, counted apart, those of each credential at one address.
    /// Default: `defaults.address_limit`.
    #[serde(default)]
    pub address_limit: Option<At<AddressLimit>>,
    /// Most connections at once. Beyond that the oldest without an accepted credential is closed, else the newest. Default:
    /// `defaults.connections_max`.
    #[serde(default)]
    pub connections_max: Option<At<u32>>,
    /// Most connections of one address at once; those without an accepted credential are closed first. Default:
    /// `defaults.connections_per_address_max`.
    #[serde(default)]
    pub connections_per_address_max: Option<At<u32>>,
    /// Largest accepted request body. Larger ones are refused with `http.too_large`. Default: `defaults.body_bytes_max`.
    #[serde(default)]
    pub body_bytes_max: Option<At<ByteSize>>,
}

/// What a listener is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListenerKind {
    /// Partners and strangers can reach it.
    #[default]
    Public,
    /// Only the company's own systems can reach it.
    Internal,
    /// Health, metrics, administration. Serves no api.
    Admin,
}

/// Certificate and key of a listener.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM file with the certificate chain, the server's own first. Relative to this file; reread on reload.
    pub cert: At<String>,
    /// Where the private key (PEM) is found: `file:PATH`, `env:NAME` or `cred:NAME`.
    pub key: At<SecretRef>,
    /// PEM file with the authorities whose client certificates are demanded and verified. Default: none is asked for.
    #[serde(default)]
    pub client_ca: Option<At<String>>,
}

/// Requests of one address.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressLimit {
    /// How many in the long run: `20/s`, `600/min`.
    pub rate: Rate,
    /// How many at once. At least 1. Default: the number of the rate, at least 10.
    #[serde(default)]
    pub burst: Option<u32>,
}

/// Where state is kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Directory of the embedded store and the ledger, relative to this file. Made where it is absent. Default `data`.
    pub dir: At<String>,
}

impl Default for Store {
    fn default() -> Self {
        Store {
            dir: At {
                value: "data".into(),
                span: crate::Span::default(),
            },
        }
    }
}

/// Keys that protect what is stored.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Where the key-encryption key is found (32 bytes, written as 64 hexadecimal digits or base64). It seals every
    /// other key. There is no default: without it nothing starts.
    pub kek: At<SecretRef>,
}

/// What holds for every listener and caller unless said otherwise.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// Temporary blocks after repeated refusals, or `off`.
    /// Default `{ after: 20 refusals/min, for: 15m, escalate: 4 }`.
    pub blocks: Blocks,
    /// Requests of one address whose caller is not proven; and, counted apart, those of each credential at one address.
    /// Default `{ rate: 100/s, burst: 200 }`.
    pub address_limit: Option<At<AddressLimit>>,
    /// Largest accepted request body. Larger ones are refused with `http.too_large`. Default `1MiB`, at most `64MiB`.
    pub body_bytes_max: Option<At<ByteSize>>,
    /// Most bytes of upstreams' answers in memory at once, over all callers: from when they are read to when they are taken by those who asked.
    /// Beyond that a read is refused with `upstream.overloaded`, and a write that was carried out is answered without its body. No caller
    /// holds more of it than is free, so that one who reads nothing leaves half of it to others. Answers up to 16 KiB are not
    /// counted; over HTTP/2, where one connection may have a hundred of them waiting, up to 1 KiB. At least `64MiB`, at most `64GiB`. Default `256MiB`.
    pub answers_bytes_max: Option<At<ByteSize>>,
    /// Most connections of one listener at once. Default 4096.
    pub connections_max: Option<At<u32>>,
    /// Most connections of one address at once. Default 256.
    pub connections_per_address_max: Option<At<u32>>,
    /// How long things may take.
    pub timeouts: Timeouts,
}

/// Temporary blocks after repeated refusals: `off`, or the rule.
#[derive(Clone, Debug, Default)]
pub enum Blocks {
    /// Not written: the default rule holds.
    #[default]
    Unset,
    /// Nobody is blocked. Limits still hold.
    Off,
    /// Who is refused too often is blocked for a while.
    On(At<BlockRule>),
}

/// Callers with too many refusals are blocked temporarily; the answer says until when. Refusals count for the person that a
/// call names (`user_header`), else for its credential; where no credential proves a caller, for strangers at its address, and
/// such a block keeps out strangers only. A credential that names persons is blocked as well when they are refused ten times as
/// often, all together.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockRule {
    /// How many refusals of one credential, person or address lead to a block: `20 refusals/min`.
    pub after: Strikes,
    /// How long the first block lasts. At most `24h`.
    #[serde(rename = "for")]
    pub duration: Period,
    /// Each further block within a day lasts this many times longer than the one before, up to `24h`. 1 to 10. Default 4.
    #[serde(default)]
    pub escalate: Option<u32>,
    /// Whether refusals by a limit (`limit.exceeded`, `limit.concurrency`) count as well. Default `false`: who is too fast
    /// waits as long as `Retry-After` says, and is not locked out for it.
    #[serde(default)]
    pub count_limits: bool,
}

impl<'de> Deserialize<'de> for Blocks {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Option<BlockRule>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`off` or `{ after: 20 refusals/min, for: 15m }`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Option<BlockRule>, E> {
                match text {
                    "off" => Ok(None),
                    _ => Err(E::custom(
                        "`off` or a rule is expected here\nWrite `off`, or `{ after: 20 refusals/min, for: 15m, escalate: 4 }`.",
                    )),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<BlockRule>, A::Error> {
                BlockRule::deserialize(MapAccessDeserializer::new(map)).map(Some)
            }
        }
        struct OffOrRule(Option<BlockRule>);
        impl<'de> Deserialize<'de> for OffOrRule {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                d.deserialize_any(Reader).map(OffOrRule)
            }
        }
        let read = At::<OffOrRule>::deserialize(d)?;
        Ok(match read.value.0 {
            None => Blocks::Off,
            Some(rule) => Blocks::On(At {
                value: rule,
                span: read.span,
            }),
        })
    }
}

impl JsonSchema for Blocks {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Blocks".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let rule = generator.subschema_for::<BlockRule>();
        json_schema!({ "anyOf": [{ "const": "off" }, rule] })
    }
}

/// How long things may take. What takes longer is ended.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// A TLS handshake. Default `10s`.
    pub handshake: Option<At<Period>>,
    /// A whole request head, from its first byte. Default `10s`.
    pub head: Option<At<Period>>,
    /// A request body, on top of its size divided by 8 KiB/s. Default `10s`.
    pub body: Option<At<Period>>,
    /// How long the reader of a reply may pause; in the long run it has to take 8 KiB/s, and being fast saves it no more than one pause.
    /// Default `10s`.
    pub reply: Option<At<Period>>,
    /// A connection resting between requests. Default `60s`.
    pub idle: Option<At<Period>>,
    /// Requests under way when the server is told to stop. What takes longer is cut, and recorded as cut. Default: the
    /// longest `timeout` of an upstream and 5 s more, at least `10s`.
    pub drain: Option<At<Period>>,
}

/// How decisions are recorded.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ledger {
    /// When an answer may leave: `sync` after its entry is on the disk, `write` after the operating system has it (an
    /// entry can be lost with the power, never with the process). Default `sync`.
    pub durability: Durability,
    /// Size at which a segment is closed and a new one begun. From `1MiB` to `1GiB`. Default `64MiB`.
    pub segment_bytes: Option<At<ByteSize>>,
    /// What is recorded before it is forwarded, besides the record of every decision: `writes` (every call with another
    /// method than GET, HEAD and OPTIONS, unless its grant says `reads: true`), so that no write reaches an upstream
    /// without a trace even if the process is killed, or `off`. It costs a write one more flush of the disk. Default
    /// `writes`.
    pub intent: Intent,
}

/// What is recorded before it is forwarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Every call that may change something.
    #[default]
    Writes,
    /// Nothing.
    Off,
}

/// When an answer may leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// After the entry is on the disk.
    #[default]
    Sync,
    /// After the operating system has the entry.
    Write,
}

/// How texts that a contract leaves free are inspected for attacks.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Inspection {
    /// Directories with rules in the language of the OWASP Core Rule Set, version 4, relative to this file or absolute.
    /// Of each, `crs-setup.conf` is read first and then every `*.conf` in the order of names; phrases (`*.data`) are
    /// found by their name. Rules are read again when a file changes. Default: only the rules that come with Portcullis.
    pub rules: Vec<At<String>>,
    /// How suspicious to be: 1 for free text, up to 4 which refuses nearly everything. Default 1.
    pub paranoia: Option<At<u32>>,
    /// A message whose score reaches this is refused. A critical finding counts 5. From 1 to 1000. Default 5.
    pub threshold: Option<At<u32>>,
    /// Findings that are known to be wrong. Each has an owner and a day on which it ends.
    pub exclusions: Vec<At<Exclusion>>,
    /// Internal hosts that an address in a request may lead to: a name (`files.plant.internal`), every name below one
    /// (`*.plant.internal`), or an address (`10.0.4.17`); at most 200. They are asked for in fields whose contract says
    /// `format: uri`, `uri-reference`, `iri`, `iri-reference` or `url`, and in any text that is an address and nothing else.
    /// This machine and metadata services cannot be listed. Default: none.
    pub internal_hosts: Vec<At<String>>,
    /// Data that must not leave with an answer.
    pub answers: crate::leaks::LeakSettings,
    /// Single fields that are looked at with another suspicion than `paranoia` says.
    pub fields: Vec<At<FieldParanoia>>,
}

/// A finding that is known to be wrong, for one field, for some time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// The operation it applies to: `createWorkOrder` wherever that is the `operationId`, or
    /// `field-service/v2:createWorkOrder`. Default: every operation that has the field.
    #[serde(default)]
    pub operation: Option<At<String>>,
    /// The field: a JSON pointer in the request body (`/note`), the name of a parameter, or a usual request header. `*`
    /// stands for one step: `/items/*/note`.
    pub pointer: At<String>,
    /// Rule ids or classes (`sqli`) that are silenced there. At least one.
    pub rules: Vec<At<String>>,
    /// Who answers for it.
    pub owner: String,
    /// The first day on which it no longer applies. From then on it is a warning.
    pub expires: At<Day>,
    /// Why it is right.
    pub reason: String,
}

/// Another suspicion for one field.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldParanoia {
    /// The operation it applies to: `createWorkOrder` wherever that is the `operationId`, or
    /// `field-service/v2:createWorkOrder`. Default: every operation that has the field.
    #[serde(default)]
    pub operation: Option<At<String>>,
    /// The field: a JSON pointer in the request body (`/note`), the name of a parameter, or a usual request header. `*`
    /// stands for one step: `/items/*/note`.
    pub pointer: At<String>,
    /// How suspicious to be there: 1 to 4.
    pub paranoia: At<u32>,
    /// Who answers for it.
    pub owner: String,
    /// The first day on which it no longer applies. From then on it is a warning. Needed where it is less than the
    /// paranoia of all other fields.
    #[serde(default)]
    pub expires: Option<At<Day>>,
    /// Why it is right.
    pub reason: String,
}
