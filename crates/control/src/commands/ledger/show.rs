//! `ledger.show`: records, the newest first.

use std::collections::BTreeSet;

use audit::{Destruction, Entry, Filter, Ledger};
use model::Timestamp;
use model::event::{Kind, Named, Outcome};
use model::time::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::actor::{Actor, Permission};
use crate::commands::{COMMANDS, Command, Impact, Info};
use crate::{AdminError, Control};

/// Most records in one answer.
const LIMIT_MAX: u64 = 10_000;
/// Records where no limit is given.
const LIMIT: u64 = 100;
/// Kinds of records that are neither one of the server's own nor a command's.
const OTHER_KINDS: [&str; 6] = [
    "configuration.refused",
    "internal.error",
    "kek.rotate",
    "kek.rotate.begin",
    "root.rotate",
    crate::reconcile::KIND,
];

/// Shows records that match, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowLedger {
    /// Only of this integration.
    #[schemars(length(min = 1, max = 128))]
    pub integration: Option<String>,
    /// Only of this person, as an integration states them, or by this operator.
    #[schemars(length(min = 1, max = 128))]
    pub user: Option<String>,
    /// Only of this person, as sealed and erased values name them: 32 hex digits.
    #[schemars(length(min = 32, max = 32))]
    pub subject: Option<String>,
    /// Only of this object, kind and id: `WorkOrder/4711`. Persons who are objects are found as well, while they have a key.
    #[schemars(length(min = 3, max = 640))]
    pub object: Option<String>,
    /// Only with this code: `authz.operation_not_granted`.
    #[schemars(length(max = 128), extend("enum" = codes()))]
    pub code: Option<String>,
    /// `allow`, `refuse` or `fault` of requests; `done`, `failed` or `refused` of changes.
    #[schemars(length(max = 128), extend("enum" = outcomes()))]
    pub outcome: Option<String>,
    /// `request`, `key.create`, `configuration.applied`, …
    #[schemars(length(max = 128), extend("enum" = kinds()))]
    pub kind: Option<String>,
    /// Not before this moment: `2026-11-23`, `2026-11-23T12:00:00Z`, or `1h` for an hour ago.
    #[schemars(length(min = 1, max = 64))]
    pub since: Option<String>,
    /// Before this moment, written in the same ways.
    #[schemars(length(min = 1, max = 64))]
    pub until: Option<String>,
    /// Only records with a smaller number: the next page.
    #[schemars(range(min = 1))]
    pub before: Option<u64>,
    /// At most so many, up to 10000. Default 100.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    pub limit: Option<u64>,
}

/// Words that an argument may be; what may be left out may be null.
type Words = Vec<Option<&'static str>>;

/// Outcomes of records.
fn outcomes() -> Words {
    words(Outcome::ALL.iter().map(|outcome| outcome.name()))
}

/// Codes of the reasons that refuse.
fn codes() -> Words {
    words(
        gateway::reasons::reasons()
            .into_iter()
            .map(|reason| reason.code),
    )
}

/// What records are about: what the server does by itself, and every command, which is recorded when it is refused too.
fn kinds() -> Words {
    let own = Kind::ALL.iter().map(|kind| kind.name());
    let commands = COMMANDS
        .iter()
        .flat_map(|entry| entry.info.records.into_iter().chain([entry.info.name]));
    words(own.chain(commands).chain(OTHER_KINDS))
}

/// In order, each once.
fn words(all: impl Iterator<Item = &'static str>) -> Words {
    let sorted: BTreeSet<&str> = all.collect();
    sorted.into_iter().map(Some).chain([None]).collect()
}

/// Records, the newest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LedgerPage {
    /// The records.
    pub records: Vec<LedgerRecord>,
    /// Records that the question may have meant as well and that were destroyed: nobody can say whether they match.
    #[serde(default)]
    pub destroyed: Vec<DestroyedRecords>,
}

/// Records that were made unreadable together.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DestroyedRecords {
    /// Number of the first one.
    pub first_seq: u64,
    /// Number of the last one.
    pub last_seq: u64,
    /// When, UTC.
    pub at: String,
    /// The record that says so.
    pub record: Option<u64>,
    /// Who destroyed them; null where that record is none or was destroyed itself.
    pub by: Option<String>,
    /// What that record says about it.
    pub detail: Option<String>,
}

impl From<&Destruction> for DestroyedRecords {
    fn from(one: &Destruction) -> DestroyedRecords {
        DestroyedRecords {
            first_seq: one.first_seq,
            last_seq: one.last_seq,
            at: one.at.to_string(),
            record: one.record,
            by: one.by.clone(),
            detail: one.detail.clone(),
        }
    }
}

/// One record.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LedgerRecord {
    /// Its number.
    pub seq: u64,
    /// When, UTC; null where the record cannot be read. In `event` it stands in microseconds, as it was recorded.
    #[serde(default)]
    pub at: Option<String>,
    /// What happened, as docs/ledger-format.md describes it; null where it cannot be read.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub event: Value,
}

impl ShowLedger {
    /// The records of a ledger that match. `known` says which integrations the configuration has; `None` where that is not
    /// known, and no name is refused then.
    ///
    /// # Errors
    /// A moment that is none, an integration that neither configuration nor ledger knows, or a ledger that cannot be read.
    pub fn of(
        &self,
        ledger: &Ledger,
        now: Timestamp,
        known: Option<&[&str]>,
    ) -> Result<LedgerPage, AdminError> {
        let is_hex = |text: &String| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !self.subject.as_ref().is_none_or(is_hex) {
            return Err(AdminError::of_argument(
                "subject",
                "a subject has 32 hex digits",
                "Take it from `personal` of a record, or from `erases` of a `ledger.erase`; a name goes into `user`.",
            ));
        }
        let object = self.object.as_deref().map(object_named).transpose()?;
        let since = moment("since", self.since.as_deref(), now)?;
        let until = moment("until", self.until.as_deref(), now)?;
        if since
            .zip(until)
            .is_some_and(|(since, until)| since >= until)
        {
            return Err(AdminError::of_argument(
                "until",
                "no record is as late as `since` and before `until`",
                "Write an `until` that is later than `since`.",
            ));
        }
        // Intents are shown to whoever asks for them: nothing else is pending.
        let is_pending = self.outcome.as_deref() == Some(Outcome::Pending.name());
        let intent = || is_pending.then(|| Kind::Intent.name().to_owned());
        let filter = Filter {
            kind: self.kind.clone().or_else(intent),
            integration: self.integration.clone(),
            user: self.user.clone(),
            subject: self.subject.as_ref().map(|text| text.to_ascii_lowercase()),
            object,
            code: self.code.clone(),
            outcome: self.outcome.clone(),
            since,
            until,
            before_seq: self.before,
            limit: usize::try_from(self.limit.unwrap_or(LIMIT)).unwrap_or(usize::MAX),
        };
        let entries = ledger.newest(&filter)?;
        let is_whole = entries.len() < filter.limit.min(Filter::LIMIT_MAX);
        let destroyed = if is_whole {
            audit::destructions_within(ledger, &filter)?
        } else {
            Vec::new()
        };
        if let (true, Some(name), Some(known)) = (entries.is_empty(), &self.integration, known) {
            self.met(name, ledger, known)?;
        }
        Ok(LedgerPage {
            records: entries.iter().map(shown).collect(),
            destroyed: destroyed.iter().map(DestroyedRecords::from).collect(),
        })
    }
}

impl ShowLedger {
    /// Records outlive the file of their integration; a name that has neither is a slip.
    fn met(&self, name: &str, ledger: &Ledger, known: &[&str]) -> Result<(), AdminError> {
        let any = Filter {
            integration: Some(name.to_owned()),
            limit: 1,
            ..Filter::default()
        };
        if known.contains(&name) || !ledger.newest(&any)?.is_empty() {
            return Ok(());
        }
        let help = config::nearest(name, known)
            .unwrap_or_else(|| "`portcullis integration list` shows them.".into());
        Err(AdminError::of_field(
            "integration",
            format!("there is no integration `{name}`, and no record of one"),
            help,
        ))
    }
}

impl Command for ShowLedger {
    const INFO: Info = Info {
        name: "ledger.show",
        summary: "Show records, the newest first",
        permission: Permission::LedgerRead,
        impact: Impact::ReadOnly,
        records: Some("ledger.show"),
        example: r#"{"integration":"crm","outcome":"refuse","since":"2026-11-23"}"#,
        version: 1,
    };
    type Out = LedgerPage;

    fn reads(&self) -> Option<String> {
        let text = |name: &str, value: &Option<String>| Some(format!("{name} {}", value.as_ref()?));
        // A name would stand here for ever.
        let user = self.user.as_ref().map(|_| "one user".to_owned());
        let parts = [
            text("integration", &self.integration),
            user,
            text("subject", &self.subject),
            text("code", &self.code),
            text("outcome", &self.outcome),
            text("kind", &self.kind),
            text("since", &self.since),
            text("until", &self.until),
            self.before.map(|before| format!("before {before}")),
        ];
        let limit = self.limit.unwrap_or(LIMIT);
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let which = if parts.is_empty() {
            "any".to_owned()
        } else {
            parts.join(", ")
        };
        Some(format!("up to {limit} records: {which}"))
    }

    fn run(self, control: &Control, _: &Actor) -> Result<LedgerPage, AdminError> {
        let names = control.integration_names();
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        self.of(&control.ledger, control.now(), Some(&names))
    }
}

fn shown(entry: &Entry) -> LedgerRecord {
    let event: Value = serde_json::from_str(entry.shown()).unwrap_or_default();
    let at = event.get("at").and_then(Value::as_i64);
    LedgerRecord {
        seq: entry.seq,
        at: at.map(|micros| Timestamp::from_micros(micros).to_string()),
        event,
    }
}

/// Kind and id of an object, `WorkOrder/4711`.
///
/// # Errors
/// When the text is none.
pub(super) fn object_named(text: &str) -> Result<(String, String), AdminError> {
    let parts = text.split_once('/');
    let parts = parts.filter(|(kind, id)| !kind.is_empty() && !id.is_empty());
    let (kind, id) = parts.ok_or_else(|| {
        AdminError::of_argument(
            "object",
            "this names no object",
            "Write its kind and its id: `WorkOrder/4711`.",
        )
    })?;
    Ok((kind.to_owned(), id.to_owned()))
}

fn moment(
    field: &str,
    text: Option<&str>,
    now: Timestamp,
) -> Result<Option<Timestamp>, AdminError> {
    let Some(text) = text else { return Ok(None) };
    let ago = || Some(now.minus(Span::parse(text)?.duration()));
    Timestamp::parse(text)
        .or_else(ago)
        .map(Some)
        .ok_or_else(|| {
            AdminError::of_argument(
                field,
                format!("`{text}` is not a moment"),
                "Write 2026-11-23, 2026-11-23T12:00:00Z, or 1h for an hour ago.",
            )
        })
}
