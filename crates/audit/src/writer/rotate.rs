//! Has another key sign: the old key signs up to here, a record names the new one, the new one signs from there on.
//! Gives the writer `Writer::rotate`.
//! Used by the writer's thread alone, so that no record comes in between.
//! Start reading at `Writer::rotate`; what a crash leaves at each step, `recovery` puts in order.

use model::{Event, Kind, Text, Timestamp};

use super::{Good, State, Writer, single, unready};
use crate::checkpoint::PublicKey;
use crate::fault::LedgerFault;
use crate::queue::{Batch, Rotation};
use crate::signer::key::Signer;
use crate::signer::{CHANGES_MAX, Change, Ends, Rotated, Signers, file, key};

/// A change that is ready: its key is on the disk and its text in the file of signers, its record is not written yet.
struct Ready {
    record: Batch,
    signers: Signers,
    signer: Signer,
    file: Good,
    /// Length of the file without the change.
    length: u64,
}

impl Writer {
    /// Changes the key that signs.
    pub(crate) fn rotate(&mut self, rotation: &Rotation) -> Result<Rotated, LedgerFault> {
        // The last checkpoint of the old key: everything in front of the record.
        self.checkpoint()?;
        let latest = self.shared.latest_to_name(rotation.event.at);
        let mut ready = self.state.ready(&rotation.event, rotation.ends, latest)?;
        self.current = std::mem::take(&mut ready.record);
        let record = match self.commit() {
            Ok(record) => record,
            Err(fault) => {
                self.state.not_done(&mut ready);
                return Err(fault);
            }
        };
        let from = self.state.signers.last().clone();
        self.state.turn(ready)?;
        // Its first use. Where that fails, the next checkpoint is it.
        let checkpoint = self.checkpoint().ok();
        if checkpoint.is_some() {
            // An export that began before may still have needed the old key. One that cannot be removed now signs nothing that
            // counts, and the next start tries again.
            drop(key::remove_others(
                &self.state.dir,
                self.state.signers.epoch(),
            ));
        }
        Ok(Rotated {
            epoch: self.state.signers.epoch(),
            record,
            from,
            to: self.state.signers.last().clone(),
            checkpoint,
        })
    }
}

impl State {
    /// Makes a key, and the change that names it, and writes both down beside the ledger.
    fn ready(
        &mut self,
        event: &Event,
        ends: Ends,
        latest: Option<Timestamp>,
    ) -> Result<Ready, LedgerFault> {
        let epoch = self.signers.epoch() + 1;
        if epoch > CHANGES_MAX as u64 {
            let what = format!(
                "the key that signs this ledger was changed {CHANGES_MAX} times, which is as often as can be"
            );
            return Err(LedgerFault::Unusable { what });
        }
        let seed = crypto::random_secret::<32>();
        let signer = crypto::SigningKey::from_seed(&seed);
        let origin = self.settings.origin.clone();
        let change = Change {
            epoch,
            record: self.tip.next_seq(),
            chain: self.tip.chain,
            from: self.signers.last().clone(),
            to: PublicKey::new(&origin, signer.verifying_key()),
            ends,
            origin,
        };
        let signed = change.sign(self.signer.key(), &signer);
        let mut signers = self.signers.clone();
        let unfit = |what| LedgerFault::Unusable { what };
        signers.follow(&signed.text).map_err(unfit)?;
        let record = batch(event, &signed.text, latest)?;
        let wrapped = key::wrap(
            epoch,
            &seed,
            signer.verifying_key(),
            &[&self.keys.ledger_wrap],
        );
        let made = self.disk.create(&key::path(&self.dir, epoch), &wrapped);
        made.map_err(|error| unready(&error))?;
        let file = self.write_signers(&signers)?;
        let mut ready = Ready {
            record,
            signers,
            signer: Signer::Later(signer),
            file,
            length: self.signers.texts().map(|text| text.len() as u64).sum(),
        };
        if let Err(fault) = self.is_followed(&ready.signers) {
            self.not_done(&mut ready);
            return Err(fault);
        }
        Ok(ready)
    }

    /// Writes the file of signers, all of it: whatever happened to the file since the ledger was opened, what is known here was
    /// compared with the records.
    fn write_signers(&self, signers: &Signers) -> Result<Good, LedgerFault> {
        let path = self.dir.join(file::NAME);
        let whole: String = signers.texts().collect();
        let made = self.disk.create(&path, whole.as_bytes());
        let file = made.map_err(|error| unready(&error))?;
        let length = whole.len() as u64;
        Ok(Good { path, file, length })
    }

    /// Whether whoever reads the directory now finds these signers and the key of the last one. What does not verify is not
    /// reported as done.
    fn is_followed(&self, signers: &Signers) -> Result<(), LedgerFault> {
        let found = file::read_own(&self.dir, signers.first())?;
        key::later(&self.dir, signers, &self.keys)?;
        if found.signers == *signers {
            return Ok(());
        }
        let what = "the file `signers` of the ledger does not hold what was just written to it; nothing was changed";
        Err(LedgerFault::Unusable { what: what.into() })
    }

    /// Writes the file of signers again where somebody changed it or took it away: the ledger would not open any more.
    pub(super) fn restore_signers(&mut self) -> Result<(), LedgerFault> {
        let found = file::read_own(&self.dir, self.signers.first());
        if found.is_ok_and(|found| found.signers == self.signers) {
            return Ok(());
        }
        let signers = self.signers.clone();
        self.write_signers(&signers).map(drop)
    }

    /// The record could not be written. Where it is not certain that it is not there, the next start finds out.
    fn not_done(&mut self, ready: &mut Ready) {
        if self.broken.is_none()
            && let Err(error) = ready.file.file.truncate(ready.length)
        {
            // A change without a record must not be followed by another one.
            self.broken = Some(super::broken(&error));
        }
    }

    /// The record is there: from here on the new key signs.
    fn turn(&mut self, ready: Ready) -> Result<(), LedgerFault> {
        // Nothing may take the record back once something is signed by the new key.
        Self::sync(&mut self.segment, &mut self.broken)?;
        (self.signers, self.signer) = (ready.signers, ready.signer);
        Ok(())
    }
}

/// The record of the change as a group of its own.
fn batch(event: &Event, change: &str, latest: Option<Timestamp>) -> Result<Batch, LedgerFault> {
    let event = Event {
        kind: Kind::LedgerSigner.into(),
        signer: Some(Text::new(change)),
        ..event.clone()
    };
    single(&event, latest)
}
