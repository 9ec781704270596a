//! Records, and what was done to the ledger, as people read it.
//! Exports `line`, `gone`, `rotated`, `destroyed`, `erased`.
//! Used by whoever shows an answer of the `ledger.*` commands to a person.
//! Start reading at `line`.

use model::{Timestamp, printable};
use serde_json::Value;

use super::{LedgerPage, LedgerRecord, PersonErased, RecordsDestroyed, SignerRotated};

/// One record in one line.
pub fn line(record: &LedgerRecord) -> String {
    let (seq, event) = (record.seq, &record.event);
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
            text(event, "erases"),
            text(event, "detail"),
        ],
    });
    parts.push(unread(event));
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

/// What cannot be read of persons any more.
fn unread(event: &Value) -> String {
    let personal = event.get("personal").and_then(Value::as_array);
    let mut states = personal.into_iter().flatten().map(|one| text(one, "state"));
    states
        .next()
        .map(|state| format!("({state} person)"))
        .unwrap_or_default()
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

/// Records that a question may have meant and that nobody can read any more, in a line for each destruction; empty where there
/// are none.
pub fn gone(page: &LedgerPage) -> String {
    let mut out = String::new();
    for one in &page.destroyed {
        let by = one
            .by
            .as_deref()
            .map_or_else(String::new, |by| format!(" by {by}"));
        let record = one
            .record
            .map_or_else(String::new, |seq| format!(" (record #{seq})"));
        let why = one
            .detail
            .as_deref()
            .map_or_else(String::new, |why| format!(": {why}"));
        let line = format!(
            "#{} to #{} cannot be searched: destroyed at {}{by}{record}{why}",
            one.first_seq, one.last_seq, one.at
        );
        out.push_str(&printable::line(&line));
        out.push('\n');
    }
    out
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

/// What was destroyed, or would be and how.
pub fn destroyed(answer: &RecordsDestroyed) -> String {
    let what = format!(
        "{} records, #{} to #{}, in {} segments, all older than {}",
        answer.records, answer.first, answer.last, answer.segments, answer.before
    );
    let more = if answer.has_more {
        "More may be as old: ask again once these are destroyed.\n"
    } else {
        ""
    };
    match answer.record {
        Some(record) => format!(
            "destroyed: {what}. Record #{record} says so.\n{more}Backups have copies of the keys (*.key beside the segments): destroy those too.\n"
        ),
        None => format!(
            "would be destroyed: {what}.\n{more}Nothing was. The same command with `--confirm {}` makes them unreadable for everybody and for ever.\n",
            answer.records
        ),
    }
}

/// What was erased, and what is left elsewhere.
pub fn erased(answer: &PersonErased) -> String {
    let mut out = match (&answer.subject, answer.record) {
        (Some(subject), Some(record)) => format!(
            "erased: everything that the ledger says of this person. Record #{record} says so; others name them {subject}.\n\
             Backups have copies of their key (`subjects` in the ledger's directory): destroy those too.\n"
        ),
        (None, Some(record)) => format!(
            "erased: everything that the ledger says of this person. Record #{record} says so. They had no key of their own.\n\
             Backups have copies of the key (`subjects` in the ledger's directory): destroy those too.\n"
        ),
        _ => String::from(
            "nothing to erase: the ledger has nothing that can be read of a person of this name. Nothing was recorded.\n",
        ),
    };
    if let Some(others) = &answer.others {
        out.push_str(&format!(
            "Records named them beside persons without a key of their own ({others}): what these say of such persons is unreadable as well.\n"
        ));
    }
    if let Some(before) = answer.named_before {
        out.push_str(&format!(
            "Records before #{before} are of an older version and name persons as they are: they end with `ledger destroy`.\n"
        ));
    }
    if answer.is_blocked {
        out.push_str("A block of this person is in force and names them until it ends: see `portcullis block list`.\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(seq: u64, event: Value) -> String {
        line(&LedgerRecord {
            seq,
            at: None,
            event,
        })
    }

    #[test]
    fn connections_are_counted_in_their_line() {
        let line = |event: Value| shown(7, event);
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
    fn a_request_and_a_change_fit_on_one_line_each() {
        let request = json!({ "at": 1_795_435_204_112_000_i64, "kind": "request", "outcome": "refuse", "integration": "crm",
            "operation": "getTechnician", "status": 403, "code": "authz.operation_not_granted", "id": "dec_1" });
        assert_eq!(
            shown(218, request),
            "#218    2026-11-23 12:00:04.112  REFUSE  crm           getTechnician             403  authz.operation_not_granted  dec_1"
        );
        let change = json!({ "at": 1_795_435_204_112_000_i64, "kind": "key.revoke", "outcome": "done", "integration": "crm", "detail": "x\ny" });
        assert_eq!(
            shown(3, change),
            "#3      2026-11-23 12:00:04.112  done    key.revoke  crm  x\\ny"
        );
    }
}
