//! Writes what the records of an export say of persons as a file of its own, with the key of each value as its proof.
//! Exports `export_opened`.
//! Used by `ledger export --opened`.
//! Start reading at `export_opened`; the form is docs/ledger-format.md.
//!
//! Whoever needs names gets them beside the export and not in it: the export may be kept, and this may be deleted.

use std::io::Write;
use std::ops::RangeInclusive;

use serde::Serialize;

use super::{line, outward};
use crate::fault::LedgerFault;
use crate::reader::Ledger;
use crate::subjects::Subjects;
use crate::subjects::sealed::{DAMAGED, OpenedValue};

/// The sealed values of one record, in their order.
#[derive(Serialize)]
struct OpenedLine {
    seq: u64,
    personal: Vec<OneValue>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum OneValue {
    Opened(OpenedValue),
    Unread { state: &'static str },
}

/// Writes one line for each record of `range` that exists and holds sealed values. Gives their number.
///
/// # Errors
/// For damaged ledgers, and when writing fails.
pub fn export_opened(
    ledger: &Ledger,
    range: RangeInclusive<u64>,
    out: &mut dyn Write,
) -> Result<u64, LedgerFault> {
    let mut count = 0;
    let mut known = Subjects::read(ledger.dir(), ledger.keys())?;
    for entry in ledger.from_seq(*range.start())? {
        let entry = entry?;
        if entry.seq > *range.end() {
            break;
        }
        let values = |known: &Option<Subjects>| known.as_ref()?.values(&entry.json);
        let mut found = values(&known);
        let is_damaged =
            |found: &Vec<Result<_, _>>| found.iter().any(|one| matches!(one, Err(DAMAGED)));
        if found.as_ref().is_some_and(is_damaged) {
            // Beside a running recorder they may have been met since the file was read.
            known = Subjects::read(ledger.dir(), ledger.keys())?;
            found = values(&known);
        }
        let Some(found) = found else { continue };
        let personal = found.into_iter().map(|value| match value {
            Ok(value) => OneValue::Opened(value),
            Err(state) => OneValue::Unread { state },
        });
        line(
            out,
            &OpenedLine {
                seq: entry.seq,
                personal: personal.collect(),
            },
        )?;
        count += 1;
    }
    out.flush().map_err(|error| outward(&error))?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use crypto::text::{unbase64, unhex};
    use model::Event;
    use serde_json::Value;

    use super::*;
    use crate::fixture::{event, keys, recorder, settings};

    /// Each line: its number, and the first value.
    fn lines(ledger: &Ledger, range: RangeInclusive<u64>) -> Vec<(u64, Value)> {
        let mut out = Vec::new();
        let count = export_opened(ledger, range, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines = text.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            (line["seq"].as_u64().unwrap(), line["personal"][0].clone())
        });
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines.len() as u64, count);
        lines
    }

    #[test]
    fn each_value_is_proven_by_a_key_that_opens_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let recorder = recorder(dir.path(), settings());
        for (n, user) in (0..).zip([None, Some("ann"), Some("bob"), Some("ann"), Some("eve")]) {
            let user = user.map(Into::into);
            recorder.record(&Event { user, ..event(n) }).wait().unwrap();
        }
        let ledger = recorder.ledger();
        let bob = ledger.subjects_named("bob", None).unwrap().pop().unwrap();
        recorder.erase(&bob, 4, event(4).at).unwrap();
        let found = lines(ledger, 1..=3);
        let said: Vec<_> = found
            .iter()
            .map(|(seq, one)| (*seq, one["members"]["user"].as_str()))
            .collect();
        assert_eq!(said, [(1, Some("ann")), (2, None), (3, Some("ann"))]);
        assert_eq!(found[1].1["state"], "erased");
        for (seq, one) in [&found[0], &found[2]] {
            let key = |one: &Value| unbase64(one["key"].as_str().unwrap()).unwrap();
            let opened = |key: Vec<u8>| {
                let record: Value =
                    serde_json::from_str(&ledger.get(*seq).unwrap().unwrap().json).unwrap();
                let sealed = &record["personal"][0];
                let subject = unhex(sealed["subjects"][0].as_str().unwrap()).unwrap();
                let at = record["at"].as_i64().unwrap().to_le_bytes();
                let id = event(*seq).id.unwrap().bits().to_le_bytes();
                let key =
                    crypto::SealKey::from_secret(&crypto::Secret::new(key.try_into().unwrap()));
                let sealed = unbase64(sealed["sealed"].as_str().unwrap()).unwrap();
                let plain = key.open(&[&at[..], &id, &subject].concat(), &sealed).ok()?;
                serde_json::from_slice::<Value>(&plain).ok()
            };
            assert_eq!(opened(key(one)).as_ref(), Some(&one["members"]));
            let other = if *seq == 1 { &found[2].1 } else { &found[0].1 };
            assert_eq!(
                opened(key(other)),
                None,
                "of the same person, and of another record"
            );
        }
        // Another process that reads while this one writes learns of persons who are new.
        recorder.checkpoint().unwrap();
        let other = Ledger::open_read(dir.path(), keys()).unwrap();
        assert_eq!(lines(&other, 4..=u64::MAX).len(), 1);
    }
}
