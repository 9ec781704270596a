//! A verification and an export as people read them.
//! Exports `report`, `exported`, `keys`.
//! Used by `portcullis ledger`, and by whoever tells of keys that are there again.
//! Start reading at `report`.

use std::fmt::Write;
use std::path::Path;

use audit::{Destruction, Ends, ErasedSubject, Exported, Report, Returned, SignerEpoch};
use model::printable::{self, counted};

/// A verification for people.
pub fn report(report: &Report, is_pinned: bool) -> String {
    let mut out = String::new();
    if let Some(bad) = &report.first_bad {
        let place = if bad.through > bad.seq {
            format!("in records #{} to #{}", bad.seq, bad.through)
        } else {
            format!("at record #{}", bad.seq)
        };
        let word = if report.is_cut { "NOT WHOLE" } else { "BAD" };
        let _ = writeln!(out, "{word} {place}: {}", printable::line(&bad.what));
        let _ = writeln!(
            out,
            "  file       {}, byte {}",
            printable::line(&bad.file),
            bad.offset
        );
        let _ = writeln!(out, "  in order   {}", range(report));
    } else if report.has_open_ends {
        let _ = writeln!(out, "NOT PROVEN WHOLE: {}", range(report));
    } else {
        let _ = writeln!(out, "good: {}", range(report));
    }
    let _ = writeln!(
        out,
        "  signed     {} checkpoints{}",
        report.checkpoints,
        covered(report)
    );
    out.push_str(&unreadable(report));
    if report.torn_bytes > 0 {
        let _ = writeln!(
            out,
            "  unfinished {} bytes at the end, of a write that never finished; nothing that was answered is in them",
            report.torn_bytes
        );
    }
    if !report.public_key.is_empty() {
        let note = if is_pinned {
            ""
        } else {
            "   (compare it with the key you know, or give it with --public-key)"
        };
        let key = printable::line(&report.public_key);
        let _ = writeln!(out, "  key        {key}{note}");
    }
    out.push_str(&signers(report));
    if let Some(given_up) = report.compromised() {
        out.push_str(&caution(report, given_up));
    }
    if !report.returned.is_empty() {
        out.push_str(&returned(&report.returned));
    }
    if report.has_open_ends && report.is_good() {
        out.push_str(&open_ends(report));
    }
    if report.is_cut {
        let signed = match report.covered {
            0 => "nothing signs it".to_owned(),
            covered => format!("it is signed up to #{} only", covered - 1),
        };
        let _ = writeln!(
            out,
            "What is there hangs together, but {signed}. An export that was not read to its end (`| head`) looks like \
             this, and so does a file that somebody cut: export again."
        );
    } else if report.first_bad.is_some() {
        out.push_str("Keep the files as evidence and change nothing in them.\n");
    }
    out
}

/// What nobody can read any more: whole records, and parts of records.
fn unreadable(report: &Report) -> String {
    let mut out = String::new();
    if report.destroyed > 0 {
        let _ = writeln!(
            out,
            "  destroyed  {} records: nobody can read them any more; their chain and signatures are in order",
            report.destroyed
        );
        out.push_str(&destructions(&report.destructions));
    }
    if report.erased > 0 {
        let _ = writeln!(
            out,
            "  erased     {} of persons, in {}: nobody can read what these say of them; all else is in order",
            counted(report.erasures.len(), "key"),
            counted(
                usize::try_from(report.erased).unwrap_or(usize::MAX),
                "record"
            ),
        );
        out.push_str(&erasures(&report.erasures));
    }
    out
}

/// By whom records were destroyed, and why.
fn destructions(all: &[Destruction]) -> String {
    let mut out = String::new();
    for one in all {
        let by = one.by.as_deref().unwrap_or("somebody whose record is gone");
        let record = one.record.map(|seq| format!(" (record #{seq})"));
        let detail = one.detail.as_deref().unwrap_or("nothing says why");
        let _ = writeln!(
            out,
            "             #{} to #{} at {} by {}{}: {}",
            one.first_seq,
            one.last_seq,
            one.at,
            printable::line(by),
            record.unwrap_or_default(),
            printable::line(detail)
        );
    }
    out
}

/// Whose values were erased, and which record says so.
fn erasures(all: &[ErasedSubject]) -> String {
    let mut out = String::new();
    for one in all {
        let _ = writeln!(
            out,
            "             {} at {} (record #{})",
            printable::line(&one.subject),
            one.at,
            one.record
        );
    }
    out
}

/// Who signed when, where that changed.
fn signers(report: &Report) -> String {
    let mut out = String::new();
    if report.signers.len() < 2 {
        return out;
    }
    for one in &report.signers {
        let how = match one.ended {
            None => "signs now",
            Some(Ends::Routine) => "was replaced",
            Some(Ends::Compromised) => "COMPROMISED",
        };
        let key = printable::line(&one.public_key);
        let _ = writeln!(
            out,
            "  signer     epoch {} from #{}, {how}: {key}",
            one.epoch, one.from
        );
    }
    out
}

/// What a verification is worth that rests on a key which somebody else may have.
fn caution(report: &Report, given_up: &SignerEpoch) -> String {
    let next = report.signers.iter().find(|one| one.epoch > given_up.epoch);
    let next = next.map_or_else(String::new, |next| {
        printable::line(&next.public_key).into_owned()
    });
    format!(
        "CAUTION: the key of epoch {} was given up as compromised. Whoever has it can write another ledger that verifies in \
         the same way. Verify with a key behind it, once its owner confirmed that: --public-key '{next}'\n",
        given_up.epoch
    )
}

/// What an export of form 1 does not prove.
fn open_ends(report: &Report) -> String {
    let covered = report.covered.saturating_sub(1);
    format!(
        "CAUTION: the file has form 1, in which nothing signs where an export begins and ends. The checkpoint signs #0 to \
         #{covered}, so the records in the file are the ledger's; whether others were cut off in front of them or behind \
         them, the file cannot say. Have these records exported again.\n"
    )
}

/// Which keys were destroyed and are there again.
fn returned(returned: &Returned) -> String {
    let mut out = format!(
        "CAUTION: {} that were destroyed are there again, as from a backup: whoever has this directory and the key-encryption key can \
         read what they open. The next start of the server destroys them again, on the record; destroy them in the backup too.\n",
        keys(returned)
    );
    for (first, last) in &returned.segments {
        let _ = writeln!(out, "  returned   #{first} to #{last}");
    }
    for subject in &returned.subjects {
        let _ = writeln!(out, "  returned   {}", printable::line(subject));
    }
    out
}

/// Keys that are there again, in a few words: `the keys of 48 records and of 1 person`.
pub fn keys(returned: &Returned) -> String {
    let records = usize::try_from(returned.records()).unwrap_or(usize::MAX);
    let persons = counted(returned.subjects.len(), "person");
    match (records, returned.subjects.is_empty()) {
        (0, _) => format!("the keys of {persons}"),
        (records, true) => format!("the keys of {}", counted(records, "record")),
        (records, false) => format!(
            "the keys of {} and of {persons}",
            counted(records, "record")
        ),
    }
}

fn range(report: &Report) -> String {
    match report.last_seq() {
        Some(last) => format!(
            "{} records, #{} to #{last}",
            report.records, report.first_seq
        ),
        None => "no records".to_owned(),
    }
}

fn covered(report: &Report) -> String {
    let next = report.first_seq.saturating_add(report.records);
    match (report.covered, next.saturating_sub(report.covered)) {
        (0, _) | (_, 0) => String::new(),
        (_, newest) => {
            format!("; the newest {newest} records are chained, and signed with the next one")
        }
    }
}

/// What was exported, and how to verify it.
pub fn exported(exported: &Exported, path: Option<&Path>) -> String {
    let last = exported
        .first_seq
        .saturating_add(exported.records)
        .saturating_sub(1);
    let file = path.map_or_else(|| "FILE".to_owned(), |path| path.display().to_string());
    let file = printable::line(&file);
    format!(
        "exported {} records, #{} to #{last}\nAnybody verifies it without keys: portcullis ledger verify {file} --public-key '{}'",
        exported.records, exported.first_seq, exported.public_key
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use audit::Bad;

    #[test]
    fn a_bad_record_is_named_first() {
        let bad = Report {
            records: 97,
            first_bad: Some(Bad {
                seq: 97,
                through: 97,
                what: "the chain is broken".into(),
                file: "00000.seg".into(),
                offset: 4711,
            }),
            ..Report::default()
        };
        let text = report(&bad, true);
        assert!(text.starts_with("BAD at record #97: the chain is broken\n  file       00000.seg, byte 4711\n  in order   97 records, #0 to #96\n"), "{text}");
    }

    #[test]
    fn records_behind_the_last_checkpoint_are_mentioned() {
        let good = Report {
            records: 10,
            checkpoints: 2,
            covered: 8,
            public_key: "n+1+k".into(),
            ..Report::default()
        };
        let text = report(&good, false);
        assert!(
            text.contains("2 checkpoints; the newest 2 records are chained"),
            "{text}"
        );
        assert!(text.contains("compare it with the key you know"), "{text}");
    }
}
