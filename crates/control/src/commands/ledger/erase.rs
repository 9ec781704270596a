//! `ledger.erase`: everything that the ledger says of one person made unreadable for everybody and for ever.
//! Exports `ErasePerson`, `PersonErased`.
//! Used by `COMMANDS`; an erasure that a crash cut short is finished by the next start.
//! Start reading at `ErasePerson::run`.

use audit::ERASE;
use policy::block::Subject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::show::object_named;
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info, added_blocks};
use crate::destroyed_keys;
use crate::journal::Change;
use crate::{AdminError, Control};

/// Destroys the key of one person: what the ledger says of them is sealed with it. Chain, signatures and all else stay.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErasePerson {
    /// The person, as an integration states them. Either this or `object`.
    #[schemars(length(min = 1, max = 128))]
    pub user: Option<String>,
    /// The integration that states them; needed only where several state the same name.
    #[schemars(length(min = 1, max = 128))]
    pub integration: Option<String>,
    /// The person who is an object of an api, kind and id: `Customer/c-7`. Either this or `user`.
    #[schemars(length(min = 3, max = 640))]
    pub object: Option<String>,
    /// The api whose object it is; needed only where several have one of this kind and id.
    #[schemars(length(min = 1, max = 128))]
    pub api: Option<String>,
    /// Why, for the ledger. It must not name them.
    #[schemars(length(min = 1, max = 512))]
    pub reason: String,
}

/// A person who was erased.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PersonErased {
    /// Whether anything was: false where the ledger has nothing that could be read of such a person.
    pub is_done: bool,
    /// As records name them from now on: `ledger show --subject` finds these. Null where they had no key of their own.
    pub subject: Option<String>,
    /// Number of the record that says so; null where nothing was erased.
    pub record: Option<u64>,
    /// The key of everybody without one of their own, where it had to be destroyed as well: records sealed under it named this person.
    /// Null where none did.
    pub others: Option<String>,
    /// Records before this one were written by an older version and name persons as they are: they end with their segments
    /// (`ledger destroy`). Null where there are none.
    pub named_before: Option<u64>,
    /// Whether a block of this person is in force: it names them until it ends or is lifted.
    pub is_blocked: bool,
}

/// Whom the arguments name.
enum Person {
    Stated(String),
    Object { kind: String, id: String },
}

impl Person {
    /// What must not stand in a reason.
    fn name(&self) -> &str {
        match self {
            Person::Stated(name) => name,
            Person::Object { id, .. } => id,
        }
    }
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
        let person = self.person()?;
        self.check_reason(person.name())?;
        let found = match &person {
            Person::Stated(name) => control
                .ledger
                .subjects_named(name, self.integration.as_deref())?,
            Person::Object { kind, id } => {
                control
                    .ledger
                    .subjects_of_object(kind, id, self.api.as_deref())?
            }
        };
        let mut answer = PersonErased {
            is_done: false,
            subject: None,
            record: None,
            others: None,
            named_before: control.ledger.sealed_since()?,
            is_blocked: self.is_blocked(control)?,
        };
        match found.as_slice() {
            [] => {}
            [one] => {
                answer.record = Some(self.erase(one, control, actor)?);
                answer.subject = Some(one.clone());
            }
            several => return Err(self.ambiguous(&person, control, several.len())),
        }
        // Whoever was erased is in no sentence that can still be read but in those of persons without a key of their own.
        if let Person::Object { kind, id } = &person
            && let Some(others) =
                others_who_name(control, (kind.as_str(), id.as_str()), self.api.as_deref())?
        {
            let record = self.erase(&others, control, actor)?;
            answer.record.get_or_insert(record);
            answer.others = Some(others);
        }
        answer.is_done = answer.record.is_some();
        Ok(answer)
    }
}

/// The subject of everybody without a key of their own, where a record that is sealed under it names this object.
fn others_who_name(
    control: &Control,
    object: (&str, &str),
    api: Option<&str>,
) -> Result<Option<String>, AdminError> {
    let ledger = &control.ledger;
    let Some(others) = ledger.subject_of_others()? else {
        return Ok(None);
    };
    let names_it = ledger.is_named_beside(&others, object, api)?;
    Ok(Some(others).filter(|_| names_it))
}

impl ErasePerson {
    fn person(&self) -> Result<Person, AdminError> {
        let wrong = |field, what: &str, help: &str| Err(AdminError::of_argument(field, what, help));
        let help = "Name the person by what an integration states (`user`) or as an object (`object`), and not by both.";
        match (&self.user, &self.object) {
            (Some(_), None) if self.api.is_some() => wrong(
                "api",
                "an api has objects, and `user` names none",
                "Leave it out, or name an object.",
            ),
            (Some(user), None) => Ok(Person::Stated(user.clone())),
            (None, Some(_)) if self.integration.is_some() => wrong(
                "integration",
                "an integration states users, and `object` names none",
                "Leave it out; where several apis have such an object, say which with `api`.",
            ),
            (None, Some(text)) => {
                let (kind, id) = object_named(text)?;
                Ok(Person::Object { kind, id })
            }
            _ => wrong("user", "this names no person, or two", help),
        }
    }

    /// Puts it on the record and destroys the key. Gives the number of the record that says so.
    fn erase(&self, subject: &str, control: &Control, actor: &Actor) -> Result<u64, AdminError> {
        let change = Change {
            erases: Some(subject.to_owned()),
            ..Change::new(Self::INFO.name, actor, self.reason.as_str())
        };
        control.carry_out(&change, |record| {
            let recorder = control.recorder()?;
            recorder.erase(subject, record, control.now())?;
            destroyed_keys::remember_erased(control, subject, record)?;
            Ok(record)
        })
    }

    /// The reason stays readable for ever.
    fn check_reason(&self, name: &str) -> Result<(), AdminError> {
        let wrong = |what: &str, help: &str| Err(AdminError::of_argument("reason", what, help));
        if self.reason.trim().is_empty() {
            return wrong(
                "an erasure needs a reason",
                "Say why, for whoever verifies the ledger: --reason \"request of 2026-11-23, ticket 4711\".",
            );
        }
        let (reason, name) = (self.reason.to_lowercase(), name.to_lowercase());
        // A short name stands in many words, and counts where it is one.
        let is_apart = |(at, found): (usize, &str)| {
            let before = reason.get(..at).and_then(|text| text.chars().next_back());
            let behind = reason.get(at + found.len()..);
            let behind = behind.and_then(|text| text.chars().next());
            let mut beside = before.into_iter().chain(behind);
            !beside.any(char::is_alphanumeric)
        };
        let mut found = reason.match_indices(&*name);
        if found.any(|found| name.len() > 3 || is_apart(found)) {
            return wrong(
                "the reason names the person, and stays readable",
                "Name a ticket instead. Nothing was erased.",
            );
        }
        Ok(())
    }

    fn ambiguous(&self, person: &Person, control: &Control, count: usize) -> AdminError {
        let compiled = (control.compiled)();
        let ledger = &control.ledger;
        let (field, who, option, names) = match person {
            Person::Stated(name) => {
                let states = |integration: &&str| {
                    let found = ledger.subjects_named(name, Some(*integration));
                    found.is_ok_and(|found| !found.is_empty())
                };
                let names = compiled.integrations.keys().map(|name| &**name);
                let names: Vec<&str> = names.filter(states).collect();
                (
                    "user",
                    "integrations state a person of this name",
                    "--integration",
                    names,
                )
            }
            Person::Object { kind, id } => {
                let has = |api: &&str| {
                    let found = ledger.subjects_of_object(kind, id, Some(*api));
                    found.is_ok_and(|found| !found.is_empty())
                };
                let mut names: Vec<&str> = compiled
                    .versions
                    .iter()
                    .map(|version| &*version.api)
                    .collect();
                names.dedup();
                names.retain(|name| has(name));
                (
                    "object",
                    "apis have an object of this kind and id",
                    "--api",
                    names,
                )
            }
        };
        AdminError::of_field(
            field,
            format!("{count} {who}"),
            format!(
                "They may be several persons. Say which: {option} NAME, one of {}. Nothing was erased.",
                names.join(", ")
            ),
        )
    }

    /// Whether a block keeps this person out: of the integration that is named, or of any.
    fn is_blocked(&self, control: &Control) -> Result<bool, AdminError> {
        let is_meant = |subject: &Subject| match subject {
            Subject::User { integration, user } => {
                Some(user) == self.user.as_ref()
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
