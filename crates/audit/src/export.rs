//! Writes a range of the ledger as one portable file that anyone can verify without keys.
//! Exports `export`, and the line forms that `verify` reads back.
//! Used by `ledger export` and control.
//! Start reading at `export`; the form is docs/ledger-format.md. The checkpoints of the ledger stand between the records; the
//! last line is one that was signed for this end.

mod opened;

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::path::Path;

use crypto::text::base64;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{FORM, PublicKey, SignedCheckpoint, decode_hash, plain_number};
use crate::fault::LedgerFault;
use crate::notes::{self, Note, Notes};
use crate::reader::Ledger;
use crate::segment::{self, Tip};
use crate::signer::key::Signer;
use crate::signer::{self, Signers};
use crate::tree::{Frontier, Hash, leaf_hash};
use crate::writer::sign_as;

pub use opened::export_opened;

/// Name of the form, in the first line in front of its number.
const FORMAT: &str = "portcullis-ledger/";

/// What was exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Number of records.
    pub records: u64,
    /// Number of the first one.
    pub first_seq: u64,
    /// The signed statement that closes the file; keep it elsewhere to recognise the file again.
    pub checkpoint: SignedCheckpoint,
    /// Who signed it.
    pub public_key: PublicKey,
}

/// First line of an export.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeaderLine {
    pub format: String,
    pub origin: String,
    pub first_seq: u64,
    /// Chain value before the first record.
    pub previous: String,
    /// The tree before the first record: roots of its complete subtrees, largest first.
    pub tree: Vec<String>,
    /// Who signed the ledger first.
    pub public_key: String,
    /// The changes of the signer, each signed by the key before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<String>,
}

/// A checkpoint in an export: over all records in front of it. The last line is one that closes it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckpointLine {
    pub checkpoint: String,
}

impl HeaderLine {
    fn new(signers: &Signers, start: &Tip) -> Self {
        HeaderLine {
            format: format!("{FORMAT}{FORM}"),
            origin: signers.first().name().to_owned(),
            first_seq: start.next_seq(),
            previous: base64(&start.chain),
            tree: start.tree.parts().iter().map(|part| base64(part)).collect(),
            public_key: signers.first().to_string(),
            signers: signers.texts().map(str::to_owned).collect(),
        }
    }

    /// Number of the form. Form 1 has one checkpoint, in the last line; form 2 those on the way as well; form 3 the changes of
    /// the signer in its first line; and in form 4 the checkpoints say which form they were signed for.
    pub(crate) fn form(&self) -> Option<u64> {
        plain_number(self.format.strip_prefix(FORMAT)?)
    }

    /// Who signs when, as the line has it.
    ///
    /// # Errors
    /// In one sentence: the changes do not follow one from another.
    pub(crate) fn signers(&self, first: PublicKey) -> Result<Signers, String> {
        let mut signers = Signers::only(first);
        for change in &self.signers {
            signers.follow(change)?;
        }
        Ok(signers)
    }

    /// Where the ledger stood before the first record, if the line is consistent.
    pub(crate) fn start(&self) -> Option<Tip> {
        let parts = self
            .tree
            .iter()
            .map(|part| decode_hash(part))
            .collect::<Option<Vec<_>>>()?;
        Some(Tip {
            chain: decode_hash(&self.previous)?,
            tree: Frontier::from_parts(self.first_seq, parts)?,
        })
    }
}

/// Writes the records of `range` that exist, and a checkpoint signed for exactly this end.
///
/// What is read is compared with every checkpoint on the way: nothing is signed that contradicts one.
///
/// # Errors
/// For damaged ledgers, an empty range, and when writing fails.
pub fn export(
    ledger: &Ledger,
    range: RangeInclusive<u64>,
    out: &mut dyn Write,
) -> Result<Exported, LedgerFault> {
    let mut promises = Promises::open(ledger)?;
    let (signers, signer) = signing(ledger)?;
    let (tip, records) = passed(ledger, &range, &signers, &mut promises, out)?;
    if records == 0 {
        let what = format!(
            "the ledger has no record {} yet; it holds {}",
            range.start(),
            tip.next_seq()
        );
        return Err(LedgerFault::Unusable { what });
    }
    if tip.next_seq() <= *range.end() {
        promises.must_end(&tip)?;
    }
    // Signed for this end: cut off behind one of the checkpoints on the way, the file would look whole otherwise.
    let (public, first) = (signers.last(), *range.start());
    let checkpoint = sign_as(
        Some(first),
        public.name(),
        &tip,
        promises.after,
        (signers.epoch(), signer.key()),
    );
    checkpoint_line(out, &checkpoint)?;
    out.flush().map_err(|error| outward(&error))?;
    Ok(Exported {
        records,
        first_seq: *range.start(),
        checkpoint,
        public_key: public.clone(),
    })
}

/// Writes the first line and the records of the range, with the checkpoints on the way. Gives where the ledger stands behind
/// them, and their number.
fn passed(
    ledger: &Ledger,
    range: &RangeInclusive<u64>,
    signers: &Signers,
    promises: &mut Promises<'_>,
    out: &mut dyn Write,
) -> Result<(Tip, u64), LedgerFault> {
    let mut tip = start_before(ledger, *range.start())?;
    promises.pass_over(tip.next_seq())?;
    let mut records = 0_u64;
    for entry in ledger.from_seq(tip.next_seq())? {
        let entry = entry?;
        if entry.seq > *range.end() {
            break;
        }
        if entry.seq == *range.start() {
            line(out, &HeaderLine::new(signers, &tip))?;
        }
        let json = entry.json.as_bytes();
        let unknown = signers.compare(entry.seq, &tip.chain, Some(json));
        let wrong = |what| LedgerFault::integrity(entry.seq, ledger.dir(), what);
        if unknown.map_err(wrong)?.is_some() {
            // Somebody changed the signer after the export began: this was its end.
            break;
        }
        let leaf = leaf_hash(json);
        tip.push(leaf);
        let checkpoint = promises.compare(&tip)?;
        if entry.seq >= *range.start() {
            record(out, entry.seq, &leaf, &tip.chain, &entry.json)?;
            records += 1;
            checkpoint.map_or(Ok(()), |signed| checkpoint_line(out, &signed))?;
        }
    }
    Ok((tip, records))
}

/// Who signs when, and the key that signs now. Tried again where somebody changes that between two looks.
fn signing(ledger: &Ledger) -> Result<(Signers, Signer), LedgerFault> {
    let mut before = None;
    loop {
        let size = ledger.newest_checkpoint()?.checkpoint.size;
        let signers = ledger.signers()?.begun(size);
        match signer::key::open(ledger.dir(), &signers, ledger.keys()) {
            Ok(signer) => return Ok((signers, signer)),
            Err(fault) if before == Some(signers.epoch()) => return Err(fault),
            Err(_) => before = Some(signers.epoch()),
        }
    }
}

/// Where the ledger stood at the beginning of the segment that holds `seq`.
fn start_before(ledger: &Ledger, seq: u64) -> Result<Tip, LedgerFault> {
    let dir = ledger.dir();
    let segments = segment::list(dir).map_err(|error| LedgerFault::io(dir, &error))?;
    let home = segments.iter().rfind(|(start, _)| *start <= seq);
    let (_, path) = home.ok_or_else(|| LedgerFault::integrity(seq, dir, "the segment is gone"))?;
    Ok(ledger.scanner(path)?.start().clone())
}

fn record(
    out: &mut dyn Write,
    seq: u64,
    leaf: &Hash,
    chain: &Hash,
    json: &str,
) -> Result<(), LedgerFault> {
    let (leaf, chain) = (base64(leaf), base64(chain));
    writeln!(
        out,
        r#"{{"seq":{seq},"leaf":"{leaf}","chain":"{chain}","event":{json}}}"#
    )
    .map_err(|error| outward(&error))
}

/// Reads a record line, which has exactly one form.
pub(crate) fn parse_record(line: &str) -> Option<(u64, Hash, Hash, &str)> {
    let rest = line.strip_prefix(r#"{"seq":"#)?;
    let (seq, rest) = rest.split_once(r#","leaf":""#)?;
    let (leaf, rest) = rest.split_once(r#"","chain":""#)?;
    let (chain, rest) = rest.split_once(r#"","event":"#)?;
    let json = rest.strip_suffix('}')?;
    Some((
        plain_number(seq)?,
        decode_hash(leaf)?,
        decode_hash(chain)?,
        json,
    ))
}

fn checkpoint_line(out: &mut dyn Write, signed: &SignedCheckpoint) -> Result<(), LedgerFault> {
    let checkpoint = signed.text.clone();
    line(out, &CheckpointLine { checkpoint })
}

fn line<T: Serialize>(out: &mut dyn Write, value: &T) -> Result<(), LedgerFault> {
    serde_json::to_writer(&mut *out, value)
        .map_err(io::Error::from)
        .and_then(|()| out.write_all(b"\n"))
        .map_err(|error| outward(&error))
}

fn outward(error: &io::Error) -> LedgerFault {
    LedgerFault::io(Path::new("export"), error)
}

/// The checkpoints of the directory, compared one after another while records pass by.
struct Promises<'a> {
    ledger: &'a Ledger,
    notes: Notes,
    signers: Signers,
    next: Option<SignedCheckpoint>,
    /// Size stated by the last one that was passed.
    after: u64,
}

impl<'a> Promises<'a> {
    fn open(ledger: &'a Ledger) -> Result<Self, LedgerFault> {
        let notes =
            Notes::open(ledger.dir()).map_err(|error| LedgerFault::io(ledger.dir(), &error))?;
        let mut promises = Promises {
            ledger,
            notes,
            signers: ledger.signers()?,
            next: None,
            after: 0,
        };
        promises.step()?;
        Ok(promises)
    }

    fn step(&mut self) -> Result<(), LedgerFault> {
        let dir = self.ledger.dir();
        self.next = match self
            .notes
            .next()
            .map_err(|error| LedgerFault::io(dir, &error))?
        {
            Some(Note::Whole(text, _)) => {
                let what = "the signature of a checkpoint does not verify";
                let signed = self.signers.verify(&text, what);
                Some(signed.map_err(|what| self.wrong(self.after, &what))?)
            }
            Some(Note::Garbled(_)) => return Err(self.wrong(self.after, "a checkpoint is garbled")),
            Some(Note::Torn { .. }) | None => None,
        };
        Ok(())
    }

    fn wrong(&self, seq: u64, what: &str) -> LedgerFault {
        LedgerFault::integrity(seq, &self.ledger.dir().join(notes::FILE), what)
    }

    /// Checkpoints of earlier segments are vouched for by the sealed header of this one.
    fn pass_over(&mut self, size: u64) -> Result<(), LedgerFault> {
        while let Some(passed) = self
            .next
            .as_ref()
            .map(|next| next.checkpoint.size)
            .filter(|passed| *passed < size)
        {
            self.after = passed;
            self.step()?;
        }
        Ok(())
    }

    /// Compares the tip with the checkpoint that speaks of it, and gives that.
    fn compare(&mut self, tip: &Tip) -> Result<Option<SignedCheckpoint>, LedgerFault> {
        let mut passed = None;
        let size = tip.next_seq();
        while let Some(promise) = self.next.take_if(|next| next.checkpoint.size <= size) {
            let stated = &promise.checkpoint;
            let is_here = stated.size == size;
            if is_here && (stated.chain != tip.chain || stated.root != tip.tree.root()) {
                let what = "the records are not those a checkpoint signed";
                return Err(self.wrong(self.after, what));
            }
            self.after = stated.size;
            passed = Some(promise).filter(|_| is_here);
            self.step()?;
        }
        Ok(passed)
    }

    /// The ledger was read to its end: no checkpoint may speak of more.
    fn must_end(&self, tip: &Tip) -> Result<(), LedgerFault> {
        let Some(promise) = &self.next else {
            return Ok(());
        };
        let what = format!(
            "the ledger ends here, but a checkpoint covers {} records",
            promise.checkpoint.size
        );
        Err(self.wrong(tip.next_seq(), &what))
    }
}

#[cfg(test)]
mod tests;
