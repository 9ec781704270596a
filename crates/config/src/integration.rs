//! `integrations/NAME.yaml`: one system that integrates with the company: who answers for it, what it may do.
//! `roles/NAME.yaml`: grants with a name, for several integrations.
//! Exports `Integration`, `Role` and `Grant`, as written; compile checks them against the contracts.
//! Start reading at `Grant`.

use policy::{DenyAs, Mask, Rate};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::per::{Failed, Per};
use crate::spanned::{At, Map, Noted};
use crate::values::{AddressRange, Day};

/// One integration. Its name is the name of the file. `anonymous` is kept for whoever shows no credential.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Integration {
    /// Who answers for it: an address or a team. Not empty.
    pub owner: At<String>,
    /// What it is for, in one sentence. Not empty.
    pub purpose: At<String>,
    /// The day by which somebody has to look at it again. A day in the past is a warning.
    pub review_by: At<Day>,
    /// Addresses it may call from; its credentials are refused from everywhere else. Default: everywhere.
    #[serde(default)]
    pub allow_from: Option<At<Vec<At<AddressRange>>>>,
    /// Facts about it that conditions may ask for: `attributes: { partner: north }` is `principal.partner`.
    #[serde(default)]
    pub attributes: Map<At<String>>,
    /// Roles whose grants it has, by the name of their file. Default none.
    #[serde(default)]
    pub roles: Vec<At<String>>,
    /// Which credentials can be made for it. Without one it cannot call.
    pub credentials: Noted<identity::Settings>,
    /// How much it may call. Every limit that applies to a request has to allow it. Default: none beyond the limits
    /// of addresses.
    #[serde(default)]
    pub limits: Vec<At<Limit>>,
    /// What it may do. Default: nothing beyond its roles.
    #[serde(default)]
    pub grants: Vec<At<Grant>>,
}

/// Grants with a name, for several integrations. The name is the name of the file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// What an integration with this role may do. At least one.
    pub grants: Vec<At<Grant>>,
}

/// How much an integration may call. A call has to be allowed by every limit that applies to it, and one that a limit refuses is taken
/// from none. See `docs/limits.md`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// What is counted together: all calls of the `integration`, of each `user` (as its `user_header` names them; calls that name nobody are
    /// not counted), of each `operation`, from each `address`, about each `object` that a path names, or with each value of a parameter
    /// or field that the contract declares: `query.status`, `path.id`, `header.x-tenant`, `body.username`. Values that differ only in case or
    /// in blanks around them count as one, and so do all calls without the value. A list counts what agrees in all its parts:
    /// `[address, operation]`.
    pub per: At<Per>,
    /// How many in the long run: `600/min`. A limit has a rate, a concurrency, or both.
    #[serde(default)]
    pub rate: Option<At<Rate>>,
    /// How many at once before the rate holds. Only with a rate. In any span of time pass at most so many, and as many more as the rate allows in
    /// that span. Default: the number of the rate, so that `600/min` lets 600 come at once and never more than 1200 in a minute.
    #[serde(default)]
    pub burst: Option<At<u32>>,
    /// How many may be under way at the same time. From 1 to 10000.
    #[serde(default)]
    pub concurrency: Option<At<u32>>,
    /// Only these operations count: `getWorkOrder` wherever that is the `operationId`, or
    /// `field-service/v2:getWorkOrder`. Default: all; where a value is counted, all that are granted and declare it.
    #[serde(default)]
    pub operations: Option<At<Vec<At<String>>>>,
    /// Only calls that end like this count, by what the upstream answers: so that logins that fail can be throttled by the name that
    /// is tried. While a call is under way it counts as if it had failed. Only with a rate. Default: every call counts.
    #[serde(default)]
    pub failed: Option<At<Failed>>,
}

/// Operations of one version, on which objects, seeing and sending which fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The version: `field-service/v2`.
    pub api: At<String>,
    /// The operations by `operationId`. At least one.
    pub operations: Vec<At<String>>,
    /// A condition in Cedar over `principal`, `resource` and `context`: `resource.status == "completed"`. A request whose
    /// object does not meet it is refused; list items that do not meet it are left out. Default: no condition.
    #[serde(default)]
    pub when: Option<At<String>>,
    /// What may be seen in answers, as field paths of the object: `id`, `customer.{id,legalName}`, `lines.*.sku`.
    /// `$.` in front counts from the root of the answer; `$` alone is the whole answer, where it is one text
    /// (`text/plain`), `$file` where it is a file. Of a declared object inside another leaves only what the integration's
    /// grants for reading that kind list as well, where it has any. Default: nothing.
    #[serde(default)]
    pub fields: Vec<At<String>>,
    /// What may be seen only in part, by field path: `email: last4`, `taxId: redact`. The field has to be in `fields`.
    #[serde(default)]
    pub masks: Map<At<Mask>>,
    /// What may be seen of answers by which the upstream reports an error, as field paths of the error schemas that the
    /// contract declares: `code`, `message`, `details.*.field`. Without it the caller reads a problem document of the
    /// gateway, with the upstream's status where that means something to them. See `docs/upstream-answers.md`. Default: nothing.
    #[serde(default)]
    pub errors: Vec<At<String>>,
    /// What may be sent in request bodies, as field paths of the body; `$` alone is the whole body, where it is one text
    /// (`text/plain`), `$file` where it is a file. Everything else in the body is refused. Where several grants allow the
    /// operation, only those count whose condition holds for the object as it is and as the body makes it: PATCH is laid
    /// over it, PUT replaces it, so that what it leaves out is gone. Fields that look like ids of declared objects are
    /// warned of by `check` until `x-portcullis-refers-to` says what they name. Default: nothing.
    #[serde(default)]
    pub writes: Vec<At<String>>,
    /// How a refused object looks: `forbidden` (403) or `not_found` (404, the same bytes as an absent object).
    /// Default: `not_found` on public listeners, `forbidden` on internal ones. `forbidden` on an operation whose path
    /// names an object tells which objects exist, and `check` warns of it.
    #[serde(default)]
    pub deny_as: Option<At<DenyAs>>,
    /// The only query parameters that may be used with this grant: `[status, limit, cursor]`. A request with another one
    /// is not covered by it. Default: every parameter that tells nothing beyond what the grants show.
    #[serde(default)]
    pub query: Option<Vec<At<String>>>,
    /// Values the grant fixes: `{ query.partnerId: principal.partner, body.source: '"crm"' }`. The gateway writes them into
    /// every request; a caller that sends another value is refused, one that sends the same passes. A value is
    /// `principal.NAME` (an attribute of the integration) or a literal as JSON writes it. Fields of the body need not
    /// be in `writes`. All grants of an integration for one operation fix the same. Default: nothing.
    #[serde(default)]
    pub set: Map<At<String>>,
}
