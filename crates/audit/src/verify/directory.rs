//! Verifies a ledger's directory: every frame, number, chain value, tree, checkpoint and signature.
//! Exports `verify_directory`, and `verify_newest` for the newest segment alone. Memory is bounded by one frame; the recorder
//! may be running beside it.
//! Used through `verify`.
//! Start reading at `verify_directory`. What a checkpoint covers must be there; what follows it may be torn.

use std::path::Path;

use crate::checkpoint::{Checkpoint, PublicKey};
use crate::destruction::{self, Destruction};
use crate::fault::LedgerFault;
use crate::notes::{self, Note, Notes};
use crate::returned::returned;
use crate::segment::key::Tombstone;
use crate::segment::{self, Damage, Frame, Scanner, Tip};
use crate::signer::{self, Signers, key};
use crate::verify::persons::{Persons, Wrong};
use crate::verify::{Bad, Report};

/// Verifies a ledger's directory. `public` is a key that signs it or signed it once: from there on every change of the signer
/// is followed. `witness` is the newest checkpoint known elsewhere (text of the signed
/// note): without one, somebody who owns the disk can take back the newest records together with the
/// newest checkpoints, and nobody can tell.
///
/// # Errors
/// Only when files cannot be read; everything wrong in them is in the report.
pub fn verify_directory(
    dir: &Path,
    keys: &crypto::Keys,
    public: &PublicKey,
    witness: Option<&str>,
) -> Result<Report, LedgerFault> {
    let mut check = Check::new(dir, keys, public);
    let done = check.run(witness);
    check.reported(done)
}

/// Verifies the newest segment and the newest checkpoint, however long the ledger is. The segment's sealed header says
/// where the records before it ended; whether those are still there, only [`verify_directory`] can tell.
///
/// # Errors
/// Only when files cannot be read; everything wrong in them is in the report.
pub fn verify_newest(
    dir: &Path,
    keys: &crypto::Keys,
    public: &PublicKey,
    witness: Option<&str>,
) -> Result<Report, LedgerFault> {
    let mut check = Check::new(dir, keys, public);
    let done = check.run_newest(witness);
    check.reported(done)
}

enum Stop {
    Bad(Bad),
    Fault(LedgerFault),
}

/// A checkpoint and where it stands in its file.
struct Promise {
    checkpoint: Checkpoint,
    offset: u64,
}

struct Check<'a> {
    dir: &'a Path,
    /// The key that is expected.
    public: &'a PublicKey,
    signers: Signers,
    /// Epoch of the newest checkpoint that was compared.
    signed_epoch: Option<u64>,
    report: Report,
    tip: Tip,
    /// The checkpoint that comes next.
    promise: Option<Promise>,
    /// The one from elsewhere.
    witness: Option<Checkpoint>,
    keys: &'a crypto::Keys,
    /// The keys of persons.
    persons: Persons,
}

impl<'a> Check<'a> {
    fn new(dir: &'a Path, keys: &'a crypto::Keys, public: &'a PublicKey) -> Self {
        Check {
            dir,
            public,
            signers: Signers::only(public.clone()),
            signed_epoch: None,
            report: Report {
                public_key: public.to_string(),
                ..Report::default()
            },
            tip: Tip::empty(),
            promise: None,
            witness: None,
            keys,
            persons: Persons::default(),
        }
    }

    fn reported(mut self, done: Result<(), Stop>) -> Result<Report, LedgerFault> {
        match done {
            Ok(()) => {}
            Err(Stop::Bad(bad)) => self.report.first_bad = Some(bad),
            Err(Stop::Fault(fault)) => return Err(fault),
        }
        self.report.erased = self.persons.records;
        self.report.erasures = self.persons.erasures();
        // Whatever else is wrong. Records of it are written when the keys are gone.
        let known = &self.report.destroyed_keys;
        self.report.returned = returned(self.dir, self.keys, known)?;
        Ok(self.report)
    }

    fn hear(&mut self, witness: Option<&str>) -> Result<(), Stop> {
        if let Some(text) = witness {
            let what = "the checkpoint kept elsewhere is not signed by this ledger's key";
            let signed = self.signers.verify(text, what);
            let signed = signed.map_err(|what| self.bad(0, 0, "witness", 0, what))?;
            self.witness = Some(signed.checkpoint);
        }
        Ok(())
    }

    /// Who signs when. Read when the checkpoints have been: a change is written down before anything is signed by its key.
    fn meet_signers(&mut self) -> Result<(), Stop> {
        let found = match signer::file::read(self.dir, self.public) {
            Ok(found) => found,
            Err(LedgerFault::Integrity { seq, what, .. }) => {
                return Err(self.bad(seq, seq, signer::file::NAME, 0, what));
            }
            Err(fault) => return Err(Stop::Fault(fault)),
        };
        self.signers = found.signers;
        self.report.tell(&self.signers);
        let what = "no epoch of the ledger is signed by the expected key";
        let expected = self.signers.epoch_of(self.public);
        let expected = expected.ok_or_else(|| self.bad(0, 0, signer::file::NAME, 0, what))?;
        self.report.expected_epoch = expected;
        Ok(())
    }

    fn run(&mut self, witness: Option<&str>) -> Result<(), Stop> {
        // Checkpoints first: whatever they cover was in the segments before.
        let mut notes = Notes::open(self.dir).map_err(|error| self.no_notes(&error))?;
        self.meet_signers()?;
        self.hear(witness)?;
        self.next_promise(&mut notes)?;
        if self.promise.is_none() {
            return Err(self.bad(0, 0, notes::FILE, 0, "the checkpoints are gone"));
        }
        self.compare(&mut notes)?;
        let segments = segment::list(self.dir).map_err(|error| self.fault(self.dir, &error))?;
        let last = segments.len().saturating_sub(1);
        for (index, (first_seq, path)) in segments.iter().enumerate() {
            self.segment(*first_seq, path, &mut notes, index == last)?;
        }
        self.end()?;
        self.can_go_on()
    }

    fn run_newest(&mut self, witness: Option<&str>) -> Result<(), Stop> {
        let newest = notes::newest(self.dir).map_err(|error| self.no_notes(&error))?;
        self.meet_signers()?;
        self.hear(witness)?;
        let what = "the newest checkpoint is not signed by this ledger's key";
        let signed = match newest {
            Some((text, _)) => self.signers.verify(&text, what),
            None => Err(what.to_owned()),
        };
        let newest = signed.map_err(|what| self.bad(0, 0, notes::FILE, 0, what))?;
        let mut segments = segment::list(self.dir).map_err(|error| self.fault(self.dir, &error))?;
        let mut no_more = Notes::none();
        if let Some((first_seq, path)) = segments.pop() {
            let scanner =
                Scanner::open(&path, self.keys).map_err(|error| self.fault(&path, &error))?;
            let name = file_name(&path);
            self.tip = scanner
                .map_err(|damage| self.bad(first_seq, first_seq, &name, 0, damage.what))?
                .start()
                .clone();
            self.report.first_seq = first_seq;
            self.report.records = first_seq;
            self.expect(newest.checkpoint);
            self.compare(&mut no_more)?;
            self.segment(first_seq, &path, &mut no_more, true)?;
        } else {
            self.expect(newest.checkpoint);
            self.compare(&mut no_more)?;
        }
        self.end()?;
        self.can_go_on()
    }

    /// A checkpoint over records that are still to come is compared with them; an older one speaks of records that
    /// are not looked at.
    fn expect(&mut self, checkpoint: Checkpoint) {
        if checkpoint.size < self.tip.next_seq() {
            self.report.covered = checkpoint.size;
            self.signed_epoch = Some(self.signers.epoch_at(checkpoint.size));
        } else {
            self.promise = Some(Promise {
                checkpoint,
                offset: 0,
            });
        }
    }

    fn no_notes(&self, error: &std::io::Error) -> Stop {
        if error.kind() == std::io::ErrorKind::NotFound && self.dir.is_dir() {
            return self.bad(0, 0, notes::FILE, 0, "the checkpoints are gone");
        }
        self.fault(self.dir, error)
    }

    fn segment(
        &mut self,
        first_seq: u64,
        path: &Path,
        notes: &mut Notes,
        is_last: bool,
    ) -> Result<(), Stop> {
        let (next, name) = (self.tip.next_seq(), file_name(path));
        if first_seq != next {
            let what = format!("the segment with record {next} is missing or was cut short");
            return Err(self.bad(next, next, &name, 0, what));
        }
        let scanner = Scanner::open(path, self.keys).map_err(|error| self.fault(path, &error))?;
        let mut scanner = scanner.map_err(|damage| self.bad(next, next, &name, 0, damage.what))?;
        let is_ours = [self.public.name(), ""].contains(&scanner.origin());
        if !is_ours {
            let what = "the segment belongs to a ledger of another name";
            return Err(self.bad(next, next, &name, 0, what));
        }
        if *scanner.start() != self.tip {
            let what = "the segment does not begin where the one before it ends";
            return Err(self.bad(next, next, &name, 0, what));
        }
        loop {
            let frame = match scanner.next().map_err(|error| self.fault(path, &error))? {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(()),
                Err(damage) if is_last => return self.tail(&damage, &name, scanner.length()),
                Err(damage) => {
                    return Err(self.bad(
                        damage.seq,
                        damage.through,
                        &name,
                        damage.offset,
                        damage.what,
                    ));
                }
            };
            if let Some(note) = scanner.destroyed() {
                self.pass_destroyed(note, frame.leaves().len() as u64);
            }
            self.frame(&frame, &name, notes)?;
        }
    }

    /// Passes the records of a frame.
    fn frame(&mut self, frame: &Frame, name: &str, notes: &mut Notes) -> Result<(), Stop> {
        for (leaf, record) in frame.passing() {
            self.pass_change(record, name)?;
            self.pass_destroyer(record, name)?;
            self.pass_persons(record, name)?;
            record
                .into_iter()
                .for_each(|record| self.report.destroyed_keys.learn_from(record));
            self.tip.push(*leaf);
            self.compare(notes)?;
            self.report.records = self.tip.next_seq();
            self.report.head = self.tip.chain;
        }
        Ok(())
    }

    /// The persons in a record can be read, or were erased.
    fn pass_persons(&mut self, record: Option<&[u8]>, name: &str) -> Result<(), Stop> {
        let seq = self.tip.next_seq();
        let passed = self.persons.pass(self.dir, self.keys, seq, record);
        passed.map_err(|wrong| match wrong {
            Wrong::Bad(what) => self.bad(seq, seq, name, 0, what),
            Wrong::Fault(fault) => Stop::Fault(fault),
        })
    }

    /// A record that changes the signer is the one that is known.
    fn pass_change(&mut self, record: Option<&[u8]>, name: &str) -> Result<(), Stop> {
        let seq = self.tip.next_seq();
        let found = self.signers.compare(seq, &self.tip.chain, record);
        let found = found.map_err(|what| self.bad(seq, seq, name, 0, what))?;
        if found.is_none() {
            return Ok(());
        }
        // Beside a running recorder it may have been made since the file was read.
        self.meet_signers()?;
        match self.signers.compare(seq, &self.tip.chain, record) {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(self.bad(seq, seq, name, 0, signer::MISSING)),
            Err(what) => Err(self.bad(seq, seq, name, 0, what)),
        }
    }

    /// Counts the records of a frame that nobody can read any more.
    fn pass_destroyed(&mut self, note: Tombstone, records: u64) {
        let first_seq = self.tip.next_seq();
        let last_seq = first_seq.saturating_add(records).saturating_sub(1);
        self.report.destroyed = self.report.destroyed.saturating_add(records);
        Destruction::add(&mut self.report.destructions, note, first_seq, last_seq);
    }

    /// The record that a destroyed key names says who destroyed it.
    fn pass_destroyer(&mut self, record: Option<&[u8]>, name: &str) -> Result<(), Stop> {
        let seq = self.tip.next_seq();
        let is_named = |one: &&mut Destruction| one.record == Some(seq);
        let named = self.report.destructions.iter_mut().filter(is_named);
        let named: Vec<&mut Destruction> = named.collect();
        let (Some(record), false) = (record, named.is_empty()) else {
            return Ok(());
        };
        let Some((by, detail)) = destruction::told_in(record) else {
            let what = "a destroyed key names this record as the one that says so, and it says nothing of it";
            return Err(self.bad(seq, seq, name, 0, what));
        };
        for one in named {
            (one.by, one.detail) = (Some(by.clone()), Some(detail.clone()));
        }
        Ok(())
    }

    /// An unfinished write at the very end is no tampering, unless a checkpoint covers what stood there.
    fn tail(&mut self, damage: &Damage, name: &str, length: u64) -> Result<(), Stop> {
        let is_covered = self.covered_size() > self.tip.next_seq();
        if is_covered || !damage.is_torn {
            return Err(self.bad(damage.seq, damage.through, name, damage.offset, damage.what));
        }
        self.report.torn_bytes = length.saturating_sub(damage.offset);
        Ok(())
    }

    /// Most records any checkpoint speaks of that is still to come.
    fn covered_size(&self) -> u64 {
        let next = self
            .promise
            .as_ref()
            .map_or(0, |promise| promise.checkpoint.size);
        next.max(self.witness.as_ref().map_or(0, |witness| witness.size))
    }

    fn end(&mut self) -> Result<(), Stop> {
        let (next, covered) = (self.tip.next_seq(), self.covered_size());
        if covered > next {
            let what = format!("the ledger ends here, but a checkpoint covers {covered} records");
            return Err(self.bad(next, covered - 1, notes::FILE, 0, what));
        }
        let kept = self.witness.as_ref().map_or(0, |witness| witness.size);
        if kept > self.report.covered {
            let what =
                format!("checkpoints were removed: one kept elsewhere covers {kept} records");
            let covered = self.report.covered;
            return Err(self.bad(covered, kept - 1, notes::FILE, 0, what));
        }
        let mut destroyers = self.report.destructions.iter();
        if let Some(one) = destroyers.find(|one| one.record >= Some(next)) {
            let what = "the key of these records was destroyed, and the record that says by whom is not there";
            return Err(self.bad(one.first_seq, one.last_seq, segment::key::KIND, 0, what));
        }
        let expected = self.report.expected_epoch;
        if expected > 0 && self.signed_epoch < Some(expected) {
            let what =
                format!("nothing is signed by the expected key, which is that of epoch {expected}");
            return Err(self.bad(0, next, notes::FILE, 0, what));
        }
        Ok(())
    }

    /// The key that signs is there, as a start needs it: a ledger that is in order and cannot be carried on is told now, and
    /// not by the next start.
    fn can_go_on(&mut self) -> Result<(), Stop> {
        let next = self.tip.next_seq();
        let signers = self.signers.clone().begun(next);
        let Err(fault) = key::later(self.dir, &signers, self.keys) else {
            return Ok(());
        };
        // Beside a running recorder it changes hands: the next key is there, and named, before the old one goes. As long as the
        // epoch moves on, a key that is missing is only an old one.
        let mut epoch = signers.epoch();
        loop {
            self.meet_signers()?;
            if self.signers.epoch() <= epoch {
                break;
            }
            epoch = self.signers.epoch();
            if key::later(self.dir, &self.signers, self.keys).is_ok() {
                return Ok(());
            }
        }
        let path = key::path(self.dir, signers.epoch());
        Err(self.bad(next, next, &file_name(&path), 0, fault.to_string()))
    }

    /// Compares with every checkpoint that speaks of this very length.
    fn compare(&mut self, notes: &mut Notes) -> Result<(), Stop> {
        let size = self.tip.next_seq();
        let covered = self.report.covered;
        let witness = self.witness.as_ref().filter(|witness| witness.size == size);
        if witness.is_some_and(|witness| !self.is_here(witness)) {
            let what = "the records are not those a checkpoint kept elsewhere signed";
            return Err(self.bad(covered, size.saturating_sub(1), "witness", 0, what));
        }
        while let Some(promise) = self.promise.as_ref().filter(|p| p.checkpoint.size == size) {
            let offset = promise.offset;
            if !self.is_here(&promise.checkpoint) {
                let what = "the records are not those this checkpoint signed";
                return Err(self.bad(covered, size.saturating_sub(1), notes::FILE, offset, what));
            }
            self.report.covered = size;
            self.signed_epoch = Some(self.signers.epoch_at(size));
            self.report.checkpoints = self.report.checkpoints.saturating_add(1);
            self.next_promise(notes)?;
        }
        Ok(())
    }

    fn is_here(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.chain == self.tip.chain && checkpoint.root == self.tip.tree.root()
    }

    /// Reads the next checkpoint: signed by our key, and following the one before it.
    fn next_promise(&mut self, notes: &mut Notes) -> Result<(), Stop> {
        let covered = self.report.covered;
        let path = self.dir.join(notes::FILE);
        self.promise = match notes.next().map_err(|error| self.fault(&path, &error))? {
            None => None,
            Some(Note::Torn { bytes, .. }) => {
                self.report.torn_bytes = self.report.torn_bytes.saturating_add(bytes);
                None
            }
            Some(Note::Garbled(offset)) => {
                return Err(self.bad(
                    covered,
                    covered,
                    notes::FILE,
                    offset,
                    "the checkpoints are garbled here",
                ));
            }
            Some(Note::Whole(text, offset)) => {
                let what = "the signature of this checkpoint does not verify";
                let signed = self.signers.verify(&text, what);
                let signed =
                    signed.map_err(|what| self.bad(covered, covered, notes::FILE, offset, what))?;
                let checkpoint = signed.checkpoint;
                let is_first = self.report.checkpoints == 0;
                let is_growing = if is_first {
                    checkpoint.size == 0
                } else {
                    checkpoint.size > covered
                };
                let is_next = checkpoint.after == covered && is_growing;
                if !is_next {
                    let what =
                        "a checkpoint in front of this one was removed, doubled or put elsewhere";
                    return Err(self.bad(covered, covered, notes::FILE, offset, what));
                }
                Some(Promise { checkpoint, offset })
            }
        };
        Ok(())
    }

    fn bad(
        &self,
        seq: u64,
        through: u64,
        file: &str,
        offset: u64,
        what: impl Into<String>,
    ) -> Stop {
        Stop::Bad(Bad {
            seq,
            through: through.max(seq),
            what: what.into(),
            file: file.to_owned(),
            offset,
        })
    }

    #[expect(clippy::unused_self, reason = "reads like `bad` beside it")]
    fn fault(&self, path: &Path, error: &std::io::Error) -> Stop {
        Stop::Fault(LedgerFault::io(path, error))
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests;
