//! What the server keeps: the data directory, room on its disk, the store, the ledger; and whether the clock went back.
//! Exports `findings`. Everything is opened for reading, beside a running server or without one.
//! Used by `doctor`.
//! Start reading at `findings`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use audit::{CHECKPOINTS, Filter, Ledger, LedgerFault, PublicKey, Report};
use crypto::Keys;
use model::printable::counted;
use rustix::fs::{Access, StatVfsMountFlags};
use store::{Fault, Opened, Store};

use super::{About, Examined, Finding};
use crate::Severity;
use crate::{InstallationError, open};

/// Below this the server stops soon: neither a segment of the ledger nor a checkpoint of the store has room.
const FREE_BYTES_MIN: u64 = 64 << 20;
const FREE_BYTES_LOW: u64 = 1 << 30;

/// A running server signs a checkpoint within a second of a record.
const CHECKPOINT_AGE_MAX: Duration = Duration::from_secs(60);

/// A clock is kept right by small steps; more than this is a clock that was set back.
const CLOCK_STEP_MAX: Duration = Duration::from_secs(60);

/// The store and the keys in it, open to read.
struct Looked {
    store: Store,
    keys: Arc<Keys>,
}

/// All of them, in the order in which one needs the other.
pub(super) fn findings(examined: &Examined<'_>) -> Vec<Finding> {
    let mut findings = vec![directory(&examined.data), disk(&examined.data)];
    let (opened, said) = store(examined);
    findings.push(said);
    let opened = opened.map(|opened| Looked {
        store: opened.store,
        keys: Arc::new(opened.keys),
    });
    findings.push(ledger(examined, opened.as_ref()));
    let returned = opened
        .as_ref()
        .and_then(|opened| returned(examined, opened));
    findings.extend(returned);
    findings.extend(opened.and_then(|opened| clock(examined, opened)));
    findings
}

/// The directory itself, or where it will be made.
fn nearest(data: &Path) -> &Path {
    let mut candidates = data.ancestors().filter(|path| !path.as_os_str().is_empty());
    // What may not be looked at is there.
    candidates
        .find(|path| !matches!(path.try_exists(), Ok(false)))
        .unwrap_or(Path::new("."))
}

fn directory(data: &Path) -> Finding {
    let name = data.display().to_string();
    let about = About("data directory", &name);
    let place = nearest(data);
    if place.is_file() {
        let advice = "Move the file away, or fix `store: { dir }`.";
        return about.fail(Severity::Failed, "a file is in its place", advice);
    }
    let needed = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    if let Err(error) = rustix::fs::access(place, needed) {
        let advice = "Run doctor as the server's user; if you did, give it this directory with `chown` and `chmod 700`.";
        return about.fail(
            Severity::Failed,
            format!("{}: {error}", place.display()),
            advice,
        );
    }
    if place != data {
        return about.ok("not there yet; the first start makes it");
    }
    let found = match fs::metadata(data) {
        Ok(found) => found,
        Err(error) => return about.fault(Severity::Failed, &error),
    };
    let (mode, me) = (found.mode() & 0o777, rustix::process::geteuid().as_raw());
    if mode & 0o077 != 0 {
        let advice = format!("Run `chmod 700 {name}`; the next start does it too.");
        return about.warn(format!("others may look into it (mode {mode:o})"), advice);
    }
    if found.uid() != me {
        return about.warn(
            format!("it is user {}'s, and you are user {me}", found.uid()),
            "What you may read and write says little about the server's user: run doctor as that one.",
        );
    }
    about.ok("only for its owner")
}

fn disk(data: &Path) -> Finding {
    let about = About("disk", "");
    let found = match rustix::fs::statvfs(nearest(data)) {
        Ok(found) => found,
        Err(error) => return about.fault(Severity::Failed, &error),
    };
    if found.f_flag.contains(StatVfsMountFlags::RDONLY) {
        let advice = "Mount it for writing. A system makes a disk read-only by itself when it is failing: see `dmesg`.";
        return about.fail(Severity::Failed, "mounted read-only", advice);
    }
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let what = format!("{} MiB free", free >> 20);
    let advice = "Free some space: when the ledger cannot write, the server answers nothing.";
    match free {
        ..FREE_BYTES_MIN => about.fail(Severity::Failed, what, advice),
        FREE_BYTES_MIN..FREE_BYTES_LOW => about.warn(what, advice),
        _ => about.ok(what),
    }
}

/// The store, opened when it is whole and the key is there.
fn store(examined: &Examined<'_>) -> (Option<Opened>, Finding) {
    let about = About("store", "");
    let fault = |fault: Fault| {
        let said = fault.to_string();
        about.fault(InstallationError::from(fault).severity, &said)
    };
    match store::embedded::check_whole(&examined.data) {
        Ok(()) => {}
        Err(Fault::Absent { path }) if has_entries(&examined.data.join("ledger")) => {
            let finding = about.fail(
                Severity::Integrity,
                format!("{} is gone, and a ledger is there", path.display()),
                "Restore the database from a backup: without it the ledger cannot be read, and the server does not start.",
            );
            return (None, finding);
        }
        Err(Fault::Absent { .. }) => {
            return (None, about.ok("not there yet; the first start makes it"));
        }
        Err(damaged) => return (None, fault(damaged)),
    }
    let Ok(kek) = open::kek_at(&examined.compiled.server.kek, examined.dir) else {
        let finding = about.warn(
            "every page is in order; not opened, for want of its key",
            format!(
                "See the line about `{}`.",
                examined.compiled.server.kek.value
            ),
        );
        return (None, finding);
    };
    match store::embedded::look(&examined.data, &kek) {
        Ok(opened) => (
            Some(opened),
            about.ok("every page is in order, and the key opens it"),
        ),
        Err(wrong) => (None, fault(wrong)),
    }
}

fn has_entries(dir: &Path) -> bool {
    fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some())
}

/// The newest segment and checkpoint: the whole ledger may be long, and `ledger verify` reads it.
fn ledger(examined: &Examined<'_>, opened: Option<&Looked>) -> Finding {
    let about = About("ledger", "");
    let dir = examined.data.join("ledger");
    let Some(opened) = opened else {
        return match examined.data.join(store::DATABASE).try_exists() {
            Ok(false) if !has_entries(&dir) => about.ok("not there yet; the first start makes it"),
            _ => about.warn(
                "not verified: the keys for it are in the store",
                "See the lines about the store and its key.",
            ),
        };
    };
    if !has_entries(&dir) {
        return about.fail(
            Severity::Integrity,
            format!("{} is gone, and its store is there", dir.display()),
            "Restore it from a backup before anything starts: a start without it begins a new ledger.",
        );
    }
    let witness = match control::maintenance::witnessed(&opened.store) {
        Ok(witness) => witness,
        Err(fault) => {
            let said = fault.to_string();
            return about.fault(InstallationError::from(fault).severity, &said);
        }
    };
    let name = match open::origin(&dir, witness.as_deref()) {
        Ok(name) => name,
        Err(fault) => return about.fault(Severity::Failed, &fault),
    };
    let public = PublicKey::new(&name, opened.keys.ledger_signing.verifying_key());
    match audit::verify_newest(&dir, &opened.keys, &public, witness.as_deref()) {
        Ok(report) if report.is_good() && examined.server.is_none() => {
            match rehearsed(opened, &dir, &name, witness) {
                Ok(()) => told(about, examined, &dir, &report),
                Err(fault) => {
                    let fault = InstallationError::from(fault);
                    about.fail(fault.severity, fault.message, fault.remedy)
                }
            }
        }
        Ok(report) => told(about, examined, &dir, &report),
        Err(fault) => about.fault(Severity::Failed, &fault),
    }
}

/// Whether the next start could open it. While a server runs, that one holds it.
fn rehearsed(
    opened: &Looked,
    dir: &Path,
    name: &str,
    witness: Option<String>,
) -> Result<(), LedgerFault> {
    let settings = audit::Settings::new(name);
    let mut opening = audit::Opening::new(dir, settings, Arc::clone(&opened.keys));
    opening.witness = witness;
    audit::rehearse(&opening)
}

/// Keys that were destroyed and are there again. Nothing is said where there are none.
fn returned(examined: &Examined<'_>, opened: &Looked) -> Option<Finding> {
    let about = About("ledger", "destroyed keys");
    let dir = examined.data.join("ledger");
    if !has_entries(&dir) {
        return None;
    }
    let known = match control::destroyed_keys::known(&opened.store) {
        Ok(known) => known,
        Err(fault) => {
            let said = fault.to_string();
            return Some(about.fault(InstallationError::from(fault).severity, &said));
        }
    };
    match audit::returned(&dir, &opened.keys, &known) {
        Ok(returned) if returned.is_empty() => None,
        Ok(returned) => Some(about.warn(
            format!("{} are there again", crate::ledger::text::keys(&returned)),
            "The next start destroys them again, on the record. A backup that they came from has them still: destroy them there too.",
        )),
        Err(fault) => Some(about.fault(Severity::Failed, &fault)),
    }
}

fn told(about: About<'_>, examined: &Examined<'_>, dir: &Path, report: &Report) -> Finding {
    if let Some(bad) = &report.first_bad {
        return about.fail(
            Severity::Integrity,
            format!("record {}: {} ({})", bad.seq, bad.what, bad.file),
            "Keep the files as evidence, and run `portcullis ledger verify` to see how far it is in order.",
        );
    }
    let age = age(&dir.join(CHECKPOINTS));
    let ago = age.map(|age| format!(", {} s old", age.as_secs()));
    let what = format!(
        "{}, the newest segment in order; the newest checkpoint covers {}{}",
        counted(
            usize::try_from(report.records).unwrap_or(usize::MAX),
            "record"
        ),
        report.covered,
        ago.unwrap_or_default()
    );
    let is_late = age.is_some_and(|age| age > CHECKPOINT_AGE_MAX);
    match (examined.server.is_some(), report.torn_bytes) {
        (true, _) if is_late && report.covered < report.records => about.warn(
            what,
            "The running server should have signed the rest within a second: see its log, and restart it when the disk is well.",
        ),
        (false, torn @ 1..) => about.warn(
            format!("{what}; the last write was not finished ({torn} bytes)"),
            "It was never answered for: the next start cuts it off and says so.",
        ),
        _ => about.ok(what),
    }
}

/// How long ago a file was written.
fn age(path: &Path) -> Option<Duration> {
    let written = fs::metadata(path).and_then(|found| found.modified()).ok()?;
    written.elapsed().ok()
}

/// Without a network, a clock can only be held against what was recorded by it before.
fn clock(examined: &Examined<'_>, opened: Looked) -> Option<Finding> {
    let about = About("clock", "");
    // The name matters to checkpoints alone; here records are read.
    let ledger = Ledger::new(&examined.data.join("ledger"), opened.keys, "");
    let only = Filter {
        limit: 1,
        ..Filter::default()
    };
    let newest = ledger.newest(&only).ok()?.first()?.event().ok()?;
    let latest = newest.latest.unwrap_or_default();
    Some(if newest.at.since(examined.now) > CLOCK_STEP_MAX {
        about.fail(
            Severity::Failed,
            format!("set back: the newest record is of {}, and it is {} now", newest.at, examined.now),
            "Set the clock (`timedatectl`, chrony): what has expired would be accepted again. Limits and blocks go on.",
        )
    } else if latest.since(examined.now) > CLOCK_STEP_MAX {
        about.warn(
            format!("it was set back: there are records of up to {latest}, and it is {} now", examined.now),
            "If it is right now, nothing is to be done: the order of records is their number, and questions by time find all of them.",
        )
    } else {
        about.ok(format!("{}, not before the newest record", examined.now))
    })
}
