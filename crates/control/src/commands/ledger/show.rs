//! `ledger.show`: records, the newest first.

use audit::{Entry, Filter, Ledger};
use model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::{AdminError, Control};

/// Shows records that match, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowLedger {
    /// Only of this integration.
    #[schemars(length(max = 128))]
    pub integration: Option<String>,
    /// Only with this code: `authz.operation_not_granted`.
    #[schemars(length(max = 128))]
    pub code: Option<String>,
    /// `allow`, `refuse` or `fault` of requests; `done`, `failed` or `refused` of changes.
    #[schemars(length(max = 128))]
    pub outcome: Option<String>,
    /// `request`, `key.create`, `configuration.applied`, …
    #[schemars(length(max = 128))]
    pub kind: Option<String>,
    /// Not before this moment: `2026-11-23` or `2026-11-23T12:00:00Z`.
    #[schemars(length(max = 64))]
    pub since: Option<String>,
    /// Before this moment.
    #[schemars(length(max = 64))]
    pub until: Option<String>,
    /// Only records with a smaller number: the next page.
    pub before: Option<u64>,
    /// At most so many, up to 10000. Default 100.
    pub limit: Option<u64>,
}

/// Records, the newest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LedgerPage {
    /// The records.
    pub records: Vec<LedgerRecord>,
}

/// One record.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LedgerRecord {
    /// Its number.
    pub seq: u64,
    /// What happened, as docs/ledger-format.md describes it; null where it cannot be read.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub event: Value,
}

impl ShowLedger {
    /// The records of a ledger that match.
    ///
    /// # Errors
    /// A moment that is none, or a ledger that cannot be read.
    pub fn of(&self, ledger: &Ledger) -> Result<LedgerPage, AdminError> {
        let filter = Filter {
            kind: self.kind.clone(),
            integration: self.integration.clone(),
            code: self.code.clone(),
            outcome: self.outcome.clone(),
            since: moment("since", self.since.as_deref())?,
            until: moment("until", self.until.as_deref())?,
            before_seq: self.before,
            limit: usize::try_from(self.limit.unwrap_or(0)).unwrap_or(usize::MAX),
        };
        let entries = ledger.newest(&filter)?;
        Ok(LedgerPage {
            records: entries.iter().map(shown).collect(),
        })
    }
}

impl Command for ShowLedger {
    const INFO: Info = Info {
        name: "ledger.show",
        summary: "Show records, the newest first",
        permission: Permission::LedgerRead,
        impact: Impact::ReadOnly,
        records: None,
        example: r#"{"integration":"crm","outcome":"refuse","since":"2026-11-23"}"#,
        version: 1,
    };
    type Out = LedgerPage;

    fn run(self, control: &Control, _: &Actor) -> Result<LedgerPage, AdminError> {
        self.of(&control.ledger)
    }
}

fn shown(entry: &Entry) -> LedgerRecord {
    LedgerRecord {
        seq: entry.seq,
        event: serde_json::from_str(&entry.json).unwrap_or_default(),
    }
}

fn moment(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, AdminError> {
    let Some(text) = text else { return Ok(None) };
    Timestamp::parse(text).map(Some).ok_or_else(|| {
        AdminError::of_field(
            field,
            format!("`{text}` is not a moment"),
            "Write 2026-11-23 or 2026-11-23T12:00:00Z.",
        )
    })
}
