//! Verifies an exported file: plain lines, hashes, one signature. Needs neither store nor sealing key.
//! Exports `verify_export`. Reads line by line with bounded memory; hostile files end in a report, never in a panic.
//! Used through `verify`.
//! Start reading at `verify_export`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::checkpoint::{Checkpoint, FORM, NOTE_BYTES_MAX, PublicKey, SignedCheckpoint};
use crate::export::{CheckpointLine, HeaderLine, parse_record};
use crate::fault::LedgerFault;
use crate::segment::Tip;
use crate::settings::RECORD_BYTES_MAX;
use crate::signer::Signers;
use crate::tree::{chain_hash, leaf_hash};
use crate::verify::{Bad, Report};

/// No line of an export is longer: a record, its hashes and number.
const LINE_BYTES_MAX: usize = RECORD_BYTES_MAX + NOTE_BYTES_MAX;

/// Verifies an exported file. With `pin`, the file must be signed by this key, or by one that follows from it by changes of
/// the signer; without, compare the report's keys with the one you know.
///
/// # Errors
/// Only when the file cannot be read; everything wrong in it is in the report.
pub fn verify_export(path: &Path, pin: Option<&PublicKey>) -> Result<Report, LedgerFault> {
    let io = |error: std::io::Error| LedgerFault::io(path, &error);
    let mut lines = Lines {
        source: BufReader::new(File::open(path).map_err(io)?),
        offset: 0,
        buffer: Vec::new(),
    };
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut check = Check {
        name,
        report: Report::default(),
        tip: Tip::empty(),
        signers: None,
        is_closed: false,
        is_behind_one: false,
        form: 0,
    };
    let is_begun = match lines.next().map_err(io)? {
        Some((_, Line::Whole(text))) => check.header(text, pin),
        Some((_, Line::Cut)) => check.cut(0, "the file is cut off in its first line"),
        Some((_, Line::Utf16)) => check.bad(
            0,
            0,
            0,
            "the file is UTF-16: something converted it (PowerShell's `>` does); compare it with the exported bytes, or export again with --out",
        ),
        Some((_, Line::Strange)) => {
            check.bad(0, 0, 0, "the first line is not that of a ledger export")
        }
        None => check.cut(0, "the file is empty"),
    };
    if !is_begun {
        check.place_by(lines.next().map_err(io)?);
        return Ok(check.report);
    }
    while let Some((offset, line)) = lines.next().map_err(io)? {
        let next = check.tip.next_seq();
        let goes_on = match line {
            _ if check.is_closed => check.bad(
                next,
                next,
                offset,
                "something follows the closing checkpoint",
            ),
            Line::Whole(text) => check.line(text, offset),
            Line::Cut => check.cut(offset, "the file is cut off in this line"),
            Line::Strange | Line::Utf16 => check.bad(
                next,
                next,
                offset,
                "the line is not text or longer than any record",
            ),
        };
        if !goes_on {
            return Ok(check.report);
        }
    }
    if !check.is_closed {
        check.cut(
            lines.offset,
            "the file ends without its closing checkpoint: it was cut off",
        );
    }
    Ok(check.report)
}

struct Check {
    name: String,
    report: Report,
    tip: Tip,
    /// Who signs when, as the first line says.
    signers: Option<Signers>,
    /// The closing checkpoint was read.
    is_closed: bool,
    /// The line before was a checkpoint on the way.
    is_behind_one: bool,
    /// The form that the first line claims. In form 1 there is one checkpoint, in the last line.
    form: u64,
}

impl Check {
    /// Notes what is wrong. Always `false`, which ends the reading.
    fn bad(&mut self, seq: u64, through: u64, offset: u64, what: impl Into<String>) -> bool {
        self.report.first_bad = Some(Bad {
            seq,
            through,
            what: what.into(),
            file: self.name.clone(),
            offset,
        });
        false
    }

    /// Notes that the file ends early.
    fn cut(&mut self, offset: u64, what: &str) -> bool {
        let next = self.tip.next_seq();
        self.report.is_cut = true;
        self.bad(next, next, offset, what)
    }

    /// The first line cannot be relied upon: the second says which record is the first.
    fn place_by(&mut self, second: Option<(u64, Line<'_>)>) {
        let Some((_, Line::Whole(text))) = second else {
            return;
        };
        if let (Some(bad), Some((seq, ..))) = (&mut self.report.first_bad, parse_record(text)) {
            (bad.seq, bad.through) = (seq, seq);
        }
    }

    fn header(&mut self, text: &str, pin: Option<&PublicKey>) -> bool {
        if let Some(what) = converted(text) {
            return self.bad(0, 0, 0, what);
        }
        let Ok(header) = serde_json::from_str::<HeaderLine>(text) else {
            return self.bad(0, 0, 0, "the first line is not that of a ledger export");
        };
        // One form only: whitespace or another order of fields was not written by us.
        let mut is_plain = serde_json::to_string(&header).is_ok_and(|again| again == text);
        let (start, public) = (header.start(), PublicKey::parse(&header.public_key));
        let (Some(start), Some(public)) = (start, public) else {
            return self.bad(
                header.first_seq,
                header.first_seq,
                0,
                "the first line contradicts itself",
            );
        };
        is_plain &= public.to_string() == header.public_key;
        let first = start.next_seq();
        let is_begin = first > 0 || start == Tip::empty();
        let form = header.form().unwrap_or_default();
        if form > FORM {
            let what = format!(
                "the file has form {form}, and this version knows forms up to {FORM}: verify it with a newer one"
            );
            return self.bad(first, first, 0, what);
        }
        let is_known = match header.signers.len() {
            0 => [1, 2, 4].contains(&form),
            _ => [3, 4].contains(&form),
        };
        self.form = form;
        self.report.has_open_ends = form == 1;
        if !is_plain || !is_known || header.origin != public.name() || !is_begin {
            return self.bad(first, first, 0, "the first line was changed");
        }
        self.report.first_seq = first;
        self.report.head = start.chain;
        self.tip = start;
        match header.signers(public) {
            Ok(signers) => self.signers(signers, pin),
            Err(what) => self.bad(first, first, 0, what),
        }
    }

    /// The chain of keys is in order; whether it is that of the expected key.
    fn signers(&mut self, signers: Signers, pin: Option<&PublicKey>) -> bool {
        self.report.tell(&signers);
        let expected = pin.map_or(Some(0), |pin| signers.epoch_of(pin));
        self.signers = Some(signers);
        let Some(expected) = expected else {
            let (first, what) = (
                self.report.first_seq,
                "the file is signed by another key than the expected one",
            );
            return self.bad(first, first, 0, what);
        };
        self.report.expected_epoch = expected;
        true
    }

    /// A record that changes the signer is the one that the first line has.
    fn pass_change(&mut self, seq: u64, json: &str, offset: u64) -> bool {
        let Some(signers) = &self.signers else {
            return true;
        };
        match signers.compare(seq, &self.tip.chain, Some(json.as_bytes())) {
            Ok(None) => true,
            Ok(Some(_)) => {
                let what = "this record changes the key that signs, and the first line does not have the change";
                self.bad(seq, seq, offset, what)
            }
            Err(what) => self.bad(seq, seq, offset, what),
        }
    }

    fn line(&mut self, text: &str, offset: u64) -> bool {
        if let Some(what) = converted(text) {
            let next = self.tip.next_seq();
            return self.bad(next, next, offset, what);
        }
        if text.starts_with(r#"{"checkpoint":"#) {
            return self.checkpoint(text, offset);
        }
        let expected = self.tip.next_seq();
        let Some((seq, leaf, chain, json)) = parse_record(text) else {
            return self.bad(
                expected,
                expected,
                offset,
                "the line is not that of a record",
            );
        };
        if seq != expected {
            let what = format!("record {expected} was expected here, {seq} was found");
            // On the first line it may as well be the header that lies.
            let is_first = self.report.records == 0;
            let (first, last) = if is_first {
                (seq.min(expected), seq.max(expected))
            } else {
                (expected, expected)
            };
            return self.bad(first, last, offset, what);
        }
        if leaf_hash(json.as_bytes()) != leaf {
            return self.bad(
                seq,
                seq,
                offset,
                "the event is not the one its hash was made of",
            );
        }
        if chain_hash(&self.tip.chain, &leaf) != chain {
            return self.bad(seq, seq, offset, "the record does not continue the chain");
        }
        if !self.pass_change(seq, json, offset) {
            return false;
        }
        if self.form == 1 && is_behind_form_1(json) {
            let what = "the first line says form 1, and records like this one were written in a later time only: the first line was changed";
            return self.bad(seq, seq, offset, what);
        }
        self.is_behind_one = false;
        self.tip.push(leaf);
        self.report.records = self.report.records.saturating_add(1);
        self.report.head = self.tip.chain;
        true
    }

    fn checkpoint(&mut self, text: &str, offset: u64) -> bool {
        let next = self.tip.next_seq();
        let signed = match self.signed(text) {
            Ok(signed) => signed,
            Err(what) => return self.bad(next, next, offset, what),
        };
        let (signed, epoch) = (signed.checkpoint, self.epoch_of(&signed.text));
        if signed.size < next {
            let what = format!(
                "the checkpoint is older: it covers {} records only",
                signed.size
            );
            let first = signed.size.max(self.report.first_seq);
            return self.bad(first, next.saturating_sub(1), offset, what);
        }
        if signed.size > next {
            let what = format!(
                "the checkpoint covers {} records: some are missing",
                signed.size
            );
            return self.bad(next, signed.size - 1, offset, what);
        }
        if signed.chain != self.tip.chain || signed.root != self.tip.tree.root() {
            // Whoever computes hashes again leaves no trace but this: what an earlier checkpoint covers is still proven.
            let since = self.report.covered.max(self.report.first_seq);
            let what = "the records hang together, but they are not those that were signed";
            return self.bad(since, next.saturating_sub(1), offset, what);
        }
        if let Err(what) = self.fits(&signed) {
            return self.bad(self.report.first_seq, next.saturating_sub(1), offset, what);
        }
        let is_closing = self.form == 1 || signed.closes.is_some();
        if is_closing && epoch < Some(self.report.expected_epoch) {
            let what =
                "what closes the file is signed by a key that was given up before the expected one";
            return self.bad(self.report.first_seq, next.saturating_sub(1), offset, what);
        }
        if !is_closing && self.is_behind_one {
            let what = "two checkpoints speak of the same record";
            return self.bad(next, next, offset, what);
        }
        if signed
            .closes
            .is_some_and(|first| first != self.report.first_seq)
        {
            let what = "the checkpoint closes another export";
            return self.bad(self.report.first_seq, next.saturating_sub(1), offset, what);
        }
        // The first one may follow checkpoints that the file does not hold.
        if self.report.checkpoints > 0 && signed.after != self.report.covered {
            let what = "a checkpoint in front of this one was removed";
            return self.bad(self.report.covered, next.saturating_sub(1), offset, what);
        }
        self.report.checkpoints = self.report.checkpoints.saturating_add(1);
        self.report.covered = next;
        self.is_closed = is_closing;
        self.is_behind_one = true;
        true
    }

    /// Whether a checkpoint can stand in a file of the form that the first line claims. An older form proves less, so it must
    /// not be put on what was signed for a newer one.
    ///
    /// # Errors
    /// In one sentence.
    fn fits(&self, signed: &Checkpoint) -> Result<(), String> {
        let (claimed, closes) = (self.form, signed.closes.is_some());
        let signed_for = match signed.by {
            Some(by) => by.form,
            None => 1 + u64::from(closes),
        };
        if signed_for > claimed {
            return Err(format!(
                "the first line says form {claimed}, and a checkpoint of form {signed_for} stands here: the first line was changed"
            ));
        }
        if closes && claimed == FORM && signed_for != FORM {
            return Err(format!(
                "the first line says form {claimed}, and what closes the file was not signed for it: the first line was changed"
            ));
        }
        Ok(())
    }

    /// Reads a checkpoint. One that closes an export may be signed by whoever signed the ledger when the export was made.
    fn signed(&self, text: &str) -> Result<SignedCheckpoint, String> {
        const NOT_SIGNED: &str = "the checkpoint is not signed by the key of this file";
        let note = serde_json::from_str::<CheckpointLine>(text);
        let note = note.map_err(|_| NOT_SIGNED)?;
        let is_plain = serde_json::to_string(&note).is_ok_and(|again| again == text);
        let signers = self.signers.as_ref().filter(|_| is_plain);
        let signers = signers.ok_or(NOT_SIGNED)?;
        let closes = Checkpoint::stated_in(&note.checkpoint).and_then(|stated| stated.closes);
        if closes.is_some() {
            signers.verify_closing(&note.checkpoint, NOT_SIGNED)
        } else {
            signers.verify(&note.checkpoint, NOT_SIGNED)
        }
    }

    /// The epoch whose key signed a checkpoint.
    fn epoch_of(&self, note: &str) -> Option<u64> {
        self.signers.as_ref()?.epoch_signing(note)
    }
}

/// What tells a record that was written after form 1 of an export was.
#[derive(Deserialize)]
struct Newer {
    #[serde(default)]
    schema: u64,
    actor: Option<IgnoredAny>,
}

/// Whether a record is of a time in which no export had form 1 any more.
fn is_behind_form_1(record: &str) -> bool {
    let newer = serde_json::from_str::<Newer>(record);
    newer.is_ok_and(|newer| newer.schema > 2 || newer.actor.is_some())
}

/// What mail programs, editors and version control do to text files. The bytes are no longer those that were exported, but
/// whoever looks should know that this alone is no sign of an attack.
fn converted(line: &str) -> Option<&'static str> {
    if line.starts_with('\u{feff}') {
        return Some(
            "the file begins with a byte order mark (BOM): an editor added it; take the file as it was exported, or remove these 3 bytes and verify again",
        );
    }
    line.ends_with('\r').then_some(
        "the lines end in CR LF instead of LF: something converted them; take the file as it was exported, or turn the line ends back and verify again",
    )
}

enum Line<'a> {
    Whole(&'a str),
    /// The file begins like UTF-16.
    Utf16,
    /// The file ends without a newline.
    Cut,
    /// Too long, or not UTF-8.
    Strange,
}

struct Lines {
    source: BufReader<File>,
    offset: u64,
    buffer: Vec<u8>,
}

impl Lines {
    /// The next line without its newline, and where it begins.
    fn next(&mut self) -> std::io::Result<Option<(u64, Line<'_>)>> {
        let start = self.offset;
        self.buffer.clear();
        let mut bounded = (&mut self.source).take(LINE_BYTES_MAX as u64);
        let length = bounded.read_until(b'\n', &mut self.buffer)?;
        self.offset = start.saturating_add(length as u64);
        if length == 0 {
            return Ok(None);
        }
        if start == 0
            && (self.buffer.starts_with(&[0xff, 0xfe]) || self.buffer.starts_with(&[0xfe, 0xff]))
        {
            return Ok(Some((start, Line::Utf16)));
        }
        let Some(text) = self.buffer.strip_suffix(b"\n") else {
            let line = if length < LINE_BYTES_MAX {
                Line::Cut
            } else {
                Line::Strange
            };
            return Ok(Some((start, line)));
        };
        let line = std::str::from_utf8(text).map_or(Line::Strange, Line::Whole);
        Ok(Some((start, line)))
    }
}

#[cfg(test)]
mod tests;
