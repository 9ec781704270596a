//! `ledger.erase`: everything that the ledger says of one person made unreadable for everybody and for ever.
//! Exports `ErasePerson`, `PersonErased`.
//! Used by `COMMANDS`; an erasure that a crash cut short is finished by the next start.
//! Start reading at `ErasePerson::run`.

use audit::ERASE;
use policy::block::Subject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info, added_blocks};
use crate::destroyed_keys;
use crate::journal::Change;
use crate::{AdminError, Control};

/// Destroys the key of one person: what the ledger says of them is sealed with it. Chain, signatures and all else stay.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErasePerson {
    /// The person, as an integration states them.
    #[schemars(length(min = 1, max = 128))]
    pub user: String,
    /// The integration that states them; needed only where several state the same name.
    #[schemars(length(min = 1, max = 128))]
    pub integration: Option<String>,
    /// Why, for the ledger. It must not name them.
    #[schemars(length(min = 1, max = 512))]
    pub reason: String,
}

/// A person who was erased.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PersonErased {
    /// Whether anything was: false where the ledger has nothing that could be read of such a person.
    pub is_done: bool,
    /// As records name them from now on: `ledger show --subject` finds these. Null where nothing was erased.
    pub subject: Option<String>,
    /// Number of the record that says so; null where nothing was erased.
    pub record: Option<u64>,
    /// Records before this one were written by an older version and name persons as they are: they end with their segments
    /// (`ledger destroy`). Null where there are none.
    pub named_before: Option<u64>,
    /// Whether a block of this person is in force: it names them until it ends or is lifted.
    pub is_blocked: bool,
}

impl Command for ErasePerson {
    const INFO: Info = Info {
        name: ERASE,
        summary: "Make everything the ledger says of one person unreadable for everybody and for ever",
        permission: Permission::LedgerDestroy,
        impact: Impact::Destructive,
        records: Some(ERASE),
        example: r#"{"user":"ann","integration":"crm","reason":"request of 2026-11-23, ticket 4711"}"#,
        version: 1,
    };
    type Out = PersonErased;

    fn has_changed(out: &PersonErased) -> bool {
        out.is_done
    }

    fn run(self, control: &Control, actor: &Actor) -> Result<PersonErased, AdminError> {
        self.check_reason()?;
        let found = control
            .ledger
            .subjects_named(&self.user, self.integration.as_deref())?;
        let mut answer = PersonErased {
            is_done: false,
            subject: None,
            record: None,
            named_before: control.ledger.sealed_since()?,
            is_blocked: self.is_blocked(control)?,
        };
        let subject = match found.as_slice() {
            [] => return Ok(answer),
            [one] => one,
            several => return Err(self.ambiguous(control, several.len())),
        };
        let change = Change {
            erases: Some(subject.clone()),
            ..Change::new(Self::INFO.name, actor, self.reason.as_str())
        };
        let record = control.carry_out(&change, |record| {
            let recorder = control.recorder()?;
            recorder.erase(subject, record, control.now())?;
            destroyed_keys::remember_erased(control, subject, record)?;
            Ok(record)
        })?;
        (answer.is_done, answer.record) = (true, Some(record));
        answer.subject = Some(subject.clone());
        Ok(answer)
    }
}

impl ErasePerson {
    /// The reason stays readable for ever.
    fn check_reason(&self) -> Result<(), AdminError> {
        let wrong = |what: &str, help: &str| Err(AdminError::of_argument("reason", what, help));
        if self.reason.trim().is_empty() {
            return wrong(
                "an erasure needs a reason",
                "Say why, for whoever verifies the ledger: --reason \"request of 2026-11-23, ticket 4711\".",
            );
        }
        let (reason, name) = (self.reason.to_lowercase(), self.user.to_lowercase());
        // A short name stands in many words.
        let mut words = reason.split(|c: char| !c.is_alphanumeric());
        if reason.contains(&name) && (name.len() > 3 || words.any(|word| word == name)) {
            return wrong(
                "the reason names the person, and stays readable",
                "Name a ticket instead. Nothing was erased.",
            );
        }
        Ok(())
    }

    fn ambiguous(&self, control: &Control, count: usize) -> AdminError {
        let compiled = (control.compiled)();
        let states = |integration: &str| {
            let found = control.ledger.subjects_named(&self.user, Some(integration));
            found.is_ok_and(|found| !found.is_empty())
        };
        let names = compiled.integrations.keys().filter(|name| states(name));
        let names: Vec<&str> = names.map(|name| &**name).collect();
        AdminError::of_field(
            "user",
            format!("{count} integrations state a person of this name"),
            format!(
                "They may be several persons. Say which: --integration NAME, one of {}. Nothing was erased.",
                names.join(", ")
            ),
        )
    }

    /// Whether a block keeps this person out: of the integration that is named, or of any.
    fn is_blocked(&self, control: &Control) -> Result<bool, AdminError> {
        let is_meant = |subject: &Subject| match subject {
            Subject::User { integration, user } => {
                *user == self.user
                    && self
                        .integration
                        .as_ref()
                        .is_none_or(|one| one == integration)
            }
            _ => false,
        };
        if let Some(io) = &control.io {
            let moment = io.clock.monotonic(io.clock.tick());
            let blocks = io.blocks.list(moment);
            return Ok(blocks.iter().any(|block| is_meant(&block.subject)));
        }
        let added = added_blocks(&control.store, control.now(), model::Monotonic::default())?;
        Ok(added.iter().any(|block| is_meant(&block.subject)))
    }
}
