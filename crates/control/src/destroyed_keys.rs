//! Which keys of the ledger were destroyed, remembered outside its directory: a file from a backup can bring one back.
//! Exports `known`, `remember_before`, `remember_erased`, and `destroy_again` for a start.
//! Used by the commands that destroy keys, by a start, by `ledger verify` and by `doctor`.
//! Start reading at `destroy_again`; docs/decisions/055 says why the store remembers it.

use std::collections::BTreeSet;

use audit::{DESTROY, DestroyedKeys, ERASE, Returned, SUBJECTS_MAX};
use model::printable::counted;
use store::{Fault, Filter, Step, Store, kinds};

use crate::actor::Actor;
use crate::journal::Change;
use crate::{AdminError, Control};

/// Id of the number behind the last record whose key was destroyed. The other ids are those of erased persons, each with the
/// number of the record that says so.
const SEGMENTS: &str = "segments";

/// Far more than there can be: a person is forgotten here when no record names them any more.
const MARKS_MAX: usize = 4 * SUBJECTS_MAX;

/// The keys that the store remembers as destroyed.
///
/// # Errors
/// When the store cannot be read.
pub fn known(store: &Store) -> Result<DestroyedKeys, Fault> {
    let mut known = DestroyedKeys::default();
    for mark in store.list_all::<u64>(&kinds::LEDGER_DESTROYED, Filter::All, MARKS_MAX)? {
        if mark.id == SEGMENTS {
            known.before_seq = mark.value;
        } else {
            known.subjects.insert(mark.id);
        }
    }
    Ok(known)
}

/// Remembers that the keys of all records with a smaller number are destroyed, and forgets whom no record names any more.
///
/// # Errors
/// When the store cannot be read or written, or the keys of persons cannot be read.
pub(crate) fn remember_before(control: &Control, before_seq: u64) -> Result<(), AdminError> {
    let marks = control
        .store
        .list_all::<u64>(&kinds::LEDGER_DESTROYED, Filter::All, MARKS_MAX)?;
    let (segments, persons): (Vec<_>, Vec<_>) = marks.iter().partition(|mark| mark.id == SEGMENTS);
    let mut steps = Vec::new();
    if segments.iter().all(|mark| mark.value < before_seq) && before_seq > 0 {
        steps.push(Step::put(&kinds::LEDGER_DESTROYED, SEGMENTS, &before_seq)?);
    }
    let erased = control.ledger.erased_subjects()?;
    let erased: BTreeSet<&str> = erased.iter().map(|one| one.subject.as_str()).collect();
    let is_needed = |id: &str| erased.contains(id);
    let unneeded = persons
        .iter()
        .filter(|mark| mark.value < before_seq && !is_needed(&mark.id));
    steps.extend(unneeded.map(|mark| Step::delete(&kinds::LEDGER_DESTROYED, &mark.id)));
    Ok(control.turn().tidy(steps)?)
}

/// Remembers that the key of a person is destroyed, as this record says.
///
/// # Errors
/// When the store cannot be written.
pub(crate) fn remember_erased(
    control: &Control,
    subject: &str,
    record: u64,
) -> Result<(), AdminError> {
    let step = Step::put(&kinds::LEDGER_DESTROYED, subject, &record)?;
    Ok(control.turn().tidy(vec![step])?)
}

/// Remembers what the ledger's directory says of destroyed keys, and destroys those again that are there in spite of it or of
/// what the store remembers: on the record, like the first time. Gives what was there again.
///
/// # Errors
/// When store or ledger cannot be read or written.
pub fn destroy_again(control: &Control) -> Result<Returned, AdminError> {
    let dir = control.ledger.dir();
    let noted = DestroyedKeys::noted_in(dir, &control.keys)?;
    let known = known(&control.store)?;
    for one in control.ledger.erased_subjects()? {
        if !known.subjects.contains(&one.subject) {
            remember_erased(control, &one.subject, one.record)?;
        }
    }
    let known = known.and(&noted);
    let returned = audit::returned(dir, &control.keys, &known)?;
    if let [(first, _), ..] = *returned.segments
        && let Some((_, last)) = returned.segments.last()
    {
        destroy_segments_again(control, &returned, first, *last)?;
    }
    for subject in &returned.subjects {
        erase_again(control, subject)?;
    }
    if !returned.is_empty() {
        control.recorder()?.drop_unused_subjects()?;
    }
    remember_before(control, known.before_seq)?;
    Ok(returned)
}

fn destroy_segments_again(
    control: &Control,
    returned: &Returned,
    first: u64,
    last: u64,
) -> Result<(), AdminError> {
    let detail = format!(
        "{} between #{first} and #{last}: the keys had been destroyed and were there again, as from a backup",
        counted(
            usize::try_from(returned.records()).unwrap_or(usize::MAX),
            "record"
        )
    );
    let actor = Actor::server("start");
    let change = Change {
        destroys: Some(last + 1),
        ..Change::new(DESTROY, &actor, detail)
    };
    control.carry_out(&change, |record| {
        audit::destroy(
            control.ledger.dir(),
            &control.keys,
            last + 1,
            record,
            control.now(),
        )?;
        Ok(())
    })
}

fn erase_again(control: &Control, subject: &str) -> Result<(), AdminError> {
    let detail = "the key had been destroyed and was there again, as from a backup".to_owned();
    let actor = Actor::server("start");
    let change = Change {
        erases: Some(subject.to_owned()),
        ..Change::new(ERASE, &actor, detail)
    };
    control.carry_out(&change, |record| {
        control.recorder()?.erase(subject, record, control.now())?;
        Ok(())
    })
}
