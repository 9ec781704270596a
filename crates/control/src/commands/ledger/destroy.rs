//! `ledger.destroy`: old records made unreadable for everybody and for ever.

use audit::{DESTROY, Older, older_than};
use model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::destroyed_keys;
use crate::journal::Change;
use crate::{AdminError, Control};

/// Destroys the keys of the segments whose records are all older than a moment. Chain and signatures over them stay.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DestroyRecords {
    /// Older than this moment: `2026-01-01` or `2026-01-01T12:00:00Z`.
    #[schemars(length(min = 1, max = 64))]
    pub before: String,
    /// Why, for the ledger.
    #[schemars(length(min = 1, max = 512))]
    pub reason: String,
    /// How many records are destroyed, as the same question without this says. Without it nothing is.
    pub confirm: Option<u64>,
}

/// Records that were destroyed, or would be.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RecordsDestroyed {
    /// Whether they were; otherwise they would be, by the same question with `confirm`.
    pub is_done: bool,
    /// How many records.
    pub records: u64,
    /// In how many segments.
    pub segments: u64,
    /// Number of the first one.
    pub first: u64,
    /// Number of the last one.
    pub last: u64,
    /// Everything in them is older than this, UTC.
    pub before: String,
    /// Number of the record that says so; null where nothing was destroyed.
    pub record: Option<u64>,
    /// Whether more may be as old: at most 1 GiB of the ledger is looked at in one go. Ask again once these are destroyed.
    pub has_more: bool,
}

impl Command for DestroyRecords {
    const INFO: Info = Info {
        name: DESTROY,
        summary: "Make old records unreadable for everybody and for ever; chain and signatures over them stay",
        permission: Permission::LedgerDestroy,
        impact: Impact::Destructive,
        records: Some(DESTROY),
        example: r#"{"before":"2026-01-01","reason":"kept for a year","confirm":48211}"#,
        version: 1,
    };
    type Out = RecordsDestroyed;

    fn has_changed(out: &RecordsDestroyed) -> bool {
        out.is_done
    }

    fn run(self, control: &Control, actor: &Actor) -> Result<RecordsDestroyed, AdminError> {
        let mut answer = self.planned(control)?;
        let Some(confirmed) = self.confirm else {
            return Ok(answer);
        };
        if confirmed != answer.records {
            return Err(AdminError::of_field(
                "confirm",
                format!(
                    "{} records would be destroyed, not {confirmed}",
                    answer.records
                ),
                "Nothing was destroyed. Ask again without `confirm`, and look at what it says.",
            ));
        }
        let change = Change {
            destroys: Some(answer.last + 1),
            ..Change::new(Self::INFO.name, actor, detail(&answer, &self.reason))
        };
        let record = control.carry_out(&change, |record| {
            let (dir, now) = (control.ledger.dir(), control.now());
            audit::destroy(dir, &control.keys, answer.last + 1, record, now)?;
            // Persons whom no record names any more are forgotten. What is left of them, the next start drops.
            control.recorder()?.drop_unused_subjects()?;
            destroyed_keys::remember_before(control, answer.last + 1)?;
            Ok(record)
        })?;
        (answer.is_done, answer.record) = (true, Some(record));
        Ok(answer)
    }
}

impl DestroyRecords {
    /// What would be destroyed.
    fn planned(&self, control: &Control) -> Result<RecordsDestroyed, AdminError> {
        let before = moment(&self.before, control.now())?;
        if self.reason.trim().is_empty() {
            return Err(AdminError::of_argument(
                "reason",
                "what is destroyed needs a reason",
                "Say why, for whoever verifies the ledger: --reason \"kept for a year\".",
            ));
        }
        let Older { found, has_more } = older_than(&control.ledger, before)?;
        if found.records == 0 {
            return Err(AdminError::of_field(
                "before",
                format!("no segment that can be destroyed holds only records older than {before}"),
                "Records are destroyed by whole segments, which are closed after a day or when they are full. The newest one stays.",
            ));
        }
        Ok(RecordsDestroyed {
            is_done: false,
            records: found.records,
            segments: found.segments,
            first: found.first_seq,
            last: found.before_seq - 1,
            before: before.to_string(),
            record: None,
            has_more,
        })
    }
}

fn detail(answer: &RecordsDestroyed, reason: &str) -> String {
    format!(
        "{} records, #{} to #{}, all older than {}: {reason}",
        answer.records, answer.first, answer.last, answer.before
    )
}

/// The moment before which everything is destroyed. One that is still to come is a slip.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp, AdminError> {
    let wrong = |what: String| {
        AdminError::of_argument(
            "before",
            what,
            "Write 2026-01-01 or 2026-01-01T12:00:00Z, in the past.",
        )
    };
    let moment =
        Timestamp::parse(text).ok_or_else(|| wrong(format!("`{text}` is not a moment")))?;
    if moment > now {
        return Err(wrong(format!("{moment} is still to come")));
    }
    Ok(moment)
}
