//! The ledger as people read it: a verification, a record, an export.
//! Exports `report`, `report_json`, `record`, `exported`, `rotated`, `destroyed`.
//! Used by `ledger`.
//! Start reading at `report`.

use std::fmt::Write;
use std::path::Path;

use audit::{Destruction, Ends, Exported, Report, SignerEpoch};
use control::commands::ledger::{RecordsDestroyed, SignerRotated};
use model::{Timestamp, printable};
use serde_json::{Value, json};

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
    } else {
        let _ = writeln!(out, "good: {}", range(report));
    }
    let _ = writeln!(
        out,
        "  signed     {} checkpoints{}",
        report.checkpoints,
        covered(report)
    );
    if report.destroyed > 0 {
        let _ = writeln!(
            out,
            "  destroyed  {} records: nobody can read them any more; their chain and signatures are in order",
            report.destroyed
        );
        out.push_str(&destructions(&report.destructions));
    }
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

/// A verification for tools.
pub fn report_json(report: &Report) -> Value {
    json!({
        "schema_version": 1,
        "is_good": report.is_good(),
        "records": report.records,
        "first_seq": report.first_seq,
        "last_seq": report.last_seq(),
        "head": crypto::text::hex(&report.head),
        "checkpoints": report.checkpoints,
        "covered": report.covered,
        "destroyed": report.destroyed,
        "destructions": report.destructions.iter().map(|one| json!({
            "first_seq": one.first_seq, "last_seq": one.last_seq, "at": one.at.to_string(), "record": one.record,
            "by": one.by, "detail": one.detail,
        })).collect::<Vec<_>>(),
        "torn_bytes": report.torn_bytes,
        "is_cut": report.is_cut,
        "public_key": report.public_key,
        "expected_epoch": report.expected_epoch,
        "signers": report.signers.iter().map(|one| json!({
            "epoch": one.epoch, "public_key": one.public_key, "from": one.from, "ended": one.ended.map(Ends::name),
        })).collect::<Vec<_>>(),
        "compromised_epoch": report.compromised().map(|one| one.epoch),
        "first_bad": report.first_bad.as_ref().map(|bad| json!({
            "seq": bad.seq, "through": bad.through, "what": bad.what, "file": bad.file, "offset": bad.offset,
        })),
    })
}

/// One record in one line.
pub fn record(record: &Value) -> String {
    let seq = record.get("seq").and_then(Value::as_u64).unwrap_or(0);
    let event = record.get("event").unwrap_or(&Value::Null);
    let micros = event.get("at").and_then(Value::as_i64).unwrap_or(0);
    let at = Timestamp::from_micros(micros)
        .to_string()
        .replace('T', " ")
        .trim_end_matches('Z')
        .to_owned();
    let mut parts = vec![format!("#{seq:<6} {at}")];
    let kind = text(event, "kind");
    parts.extend(match kind.as_str() {
        "request" | "intent" => call(event),
        "connection" => vec![
            String::from("REFUSE"),
            connections(event, &text(event, "address")),
            text(event, "listener"),
            text(event, "code"),
            text(event, "id"),
        ],
        _ => vec![
            format!("{:<6}", text(event, "outcome")),
            kind,
            text(event, "integration"),
            text(event, "credential"),
            text(event, "user"),
            uid(event),
            text(event, "detail"),
        ],
    });
    parts.retain(|part| !part.is_empty());
    parts.join("  ").trim_end().to_owned()
}

/// A field's text; nothing in it acts in a terminal.
fn text(event: &Value, name: &str) -> String {
    let value = event.get(name).and_then(Value::as_str);
    value.unwrap_or_default().escape_debug().to_string()
}

/// A call that was decided, or is about to be forwarded.
fn call(event: &Value) -> Vec<String> {
    let verdict = match text(event, "outcome").as_str() {
        "pending" => "intent",
        "allow" => "allow",
        "refuse" => "REFUSE",
        "fault" => "FAULT",
        _ => "?",
    };
    let dash = |text: String| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text
        }
    };
    let what = if text(event, "operation").is_empty() {
        format!("{} {}", text(event, "method"), text(event, "path"))
    } else {
        text(event, "operation")
    };
    let status = event.get("status").map(Value::to_string);
    vec![
        format!("{verdict:<6}"),
        format!("{:<12}", dash(text(event, "integration"))),
        format!("{:<24}", dash(what.trim().to_owned())),
        status.unwrap_or_default(),
        text(event, "code"),
        text(event, "id"),
    ]
}

/// The user of the operating system who made a change, as the kernel names them.
fn uid(event: &Value) -> String {
    let uid = event.pointer("/actor/uid").and_then(Value::as_u64);
    uid.map(|uid| format!("(uid {uid})")).unwrap_or_default()
}

/// How many connections, and from where.
fn connections(event: &Value, address: &str) -> String {
    let from = match address {
        "" => "many addresses",
        one => one,
    };
    match event.get("count").and_then(Value::as_u64).unwrap_or(1) {
        1 => format!("1 connection from {from}"),
        count => format!("{count} connections from {from}"),
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

/// What was destroyed, or would be and how.
pub fn destroyed(answer: &RecordsDestroyed) -> String {
    let what = format!(
        "{} records, #{} to #{}, in {} segments, all older than {}",
        answer.records, answer.first, answer.last, answer.segments, answer.before
    );
    match answer.record {
        Some(record) => format!(
            "destroyed: {what}. Record #{record} says so.\nBackups have copies of the keys (*.key beside the segments): destroy those too.\n"
        ),
        None => format!(
            "would be destroyed: {what}.\nNothing was. The same command with `--confirm {}` makes them unreadable for everybody and for ever.\n",
            answer.records
        ),
    }
}

/// Who signs now, and what to do with it.
pub fn rotated(rotated: &SignerRotated) -> String {
    let checkpoint = if rotated.checkpoint.is_some() {
        "Its first checkpoint is signed."
    } else {
        "Its first checkpoint could not be written yet; the next one is."
    };
    format!(
        "epoch {} began with record #{}. {checkpoint}\n  before     {}\n  now        {}\nGive the new key to whoever verifies this ledger.\n",
        rotated.epoch,
        rotated.record,
        printable::line(&rotated.previous_key),
        printable::line(&rotated.public_key),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use audit::Bad;

    #[test]
    fn connections_are_counted_in_their_line() {
        let line = |event: Value| record(&json!({ "seq": 7, "event": event }));
        let mut event = json!({
            "at": 0, "kind": "connection", "outcome": "refuse", "code": "tls.handshake", "count": 3,
            "address": "192.0.2.7", "listener": "public", "id": "dec_x",
        });
        assert_eq!(
            line(event.clone()),
            "#7      1970-01-01 00:00:00.000  REFUSE  3 connections from 192.0.2.7  public  tls.handshake  dec_x"
        );
        event["count"] = json!(1);
        event["address"] = Value::Null;
        assert!(line(event).contains("1 connection from many addresses"));
    }

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
        assert_eq!(
            report_json(&bad).pointer("/first_bad/seq"),
            Some(&json!(97))
        );
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

    #[test]
    fn a_request_and_a_change_fit_on_one_line_each() {
        let request = json!({ "seq": 218, "event": { "at": 1_795_435_204_112_000_i64, "kind": "request", "outcome": "refuse", "integration": "crm",
            "operation": "getTechnician", "status": 403, "code": "authz.operation_not_granted", "id": "dec_1" } });
        assert_eq!(
            record(&request),
            "#218    2026-11-23 12:00:04.112  REFUSE  crm           getTechnician             403  authz.operation_not_granted  dec_1"
        );
        let change = json!({ "seq": 3, "event": { "at": 1_795_435_204_112_000_i64, "kind": "key.revoke", "outcome": "done", "integration": "crm", "detail": "x\ny" } });
        assert_eq!(
            record(&change),
            "#3      2026-11-23 12:00:04.112  done    key.revoke  crm  x\\ny"
        );
    }
}
