//! The personal values of a record, sealed under the keys of the persons they are about.
//! Exports `write`, `open` and `values`.
//! Used by the recorder, the reader and the export.
//! Start reading at `write`; the layout for auditors is docs/ledger-format.md.

use crypto::text::{base64, hex, unbase64, unhex};
use crypto::{SealKey, Secret, sha256};
use model::event::Personal;
use model::{DecisionId, Event, Text, Timestamp, printable};
use serde::Serialize;
use serde_json::{Map, Value};

use super::row::SubjectId;
use super::table::Subject;

/// Begins what the key of one sealed value is made of.
const PURPOSE: &[u8] = b"portcullis/v1/ledger/personal";
/// Lengths of sealed values are multiples of this: the length of a name says less.
const STEP: usize = 64;
/// What is said of a value whose key is missing, or does not open it.
pub(crate) const DAMAGED: &str = "damaged";
/// Most subjects of one value that is read.
const SUBJECTS_MAX: usize = 64;

/// Begins a record that holds sealed values. Text within a record cannot look like it.
pub(crate) const BEGINS: &str = "{\"schema\":3,";

/// What is known of a subject whose values are read.
pub(crate) enum Known {
    /// Its key.
    Key(Secret<[u8; 32]>),
    /// Its key was destroyed.
    Erased,
    /// Nothing, or nothing that can be read.
    Damaged,
}

/// Appends the record, with everything in it that names the person sealed.
pub(crate) fn write(
    event: &Event,
    subject: &Subject,
    latest: Option<Timestamp>,
    out: &mut Vec<u8>,
) {
    let mut plain = Vec::with_capacity(512);
    event.write_of_person(&mut plain);
    event.write_texts(&mut plain);
    // Members are written with the comma in front of them.
    match plain.first_mut() {
        Some(first) => *first = b'{',
        None => plain.push(b'{'),
    }
    plain.push(b'}');
    plain.resize(plain.len().next_multiple_of(STEP), b' ');
    let decision = event.id.map_or(0, DecisionId::bits);
    let key = SealKey::from_secret(&key(event.at, decision, &[&subject.key]));
    let sealed = key.seal(&bound(event.at, decision, &[subject.id]), &plain);
    let personal = Personal {
        subjects: vec![Text::from(hex(&subject.id))],
        sealed: Some(base64(&sealed).into()),
        state: None,
    };
    event.write_sealed(latest, std::slice::from_ref(&personal), out);
}

/// The key of one sealed value: whoever is given it opens no other record.
fn key(at: Timestamp, decision: u128, keys: &[&Secret<[u8; 32]>]) -> Secret<[u8; 32]> {
    let (at, decision) = (at.micros().to_le_bytes(), decision.to_le_bytes());
    let mut parts: Vec<&[u8]> = vec![PURPOSE, &at, &decision];
    parts.extend(keys.iter().map(|key| key.expose().as_slice()));
    Secret::new(sha256(&parts))
}

/// What a value is bound to.
fn bound(at: Timestamp, decision: u128, subjects: &[SubjectId]) -> Vec<u8> {
    let mut aad = at.micros().to_le_bytes().to_vec();
    aad.extend_from_slice(&decision.to_le_bytes());
    aad.extend_from_slice(subjects.as_flattened());
    aad
}

/// One sealed value that could be opened.
#[derive(Serialize)]
pub(crate) struct OpenedValue {
    /// The key of this value alone, in base64: it proves that the value says this.
    key: String,
    /// What it says: members of the record.
    members: Map<String, Value>,
}

/// The record without its sealed values, and these.
type Parts = (
    Map<String, Value>,
    Vec<(Personal, Result<OpenedValue, &'static str>)>,
);

fn parts(json: &str, known: impl Fn(&SubjectId) -> Known) -> Option<Parts> {
    if !json.starts_with(BEGINS) {
        return None;
    }
    let mut record: Map<String, Value> = serde_json::from_str(json).ok()?;
    let sealed = record.remove("personal")?;
    let sealed: Vec<Personal> = serde_json::from_value(sealed).ok()?;
    let at = Timestamp::from_micros(record.get("at")?.as_i64()?);
    let decision = record.get("id").and_then(Value::as_str);
    let decision = decision.and_then(DecisionId::parse);
    let decision = decision.map_or(0, DecisionId::bits);
    let each = sealed.into_iter().map(|one| {
        let value = opened(&one, at, decision, &known);
        (one, value)
    });
    Some((record, each.collect()))
}

/// The sealed values of a record, with the key of each, or why it cannot be read. `None` where there are none.
pub(crate) fn values(
    json: &str,
    known: impl Fn(&SubjectId) -> Known,
) -> Option<Vec<Result<OpenedValue, &'static str>>> {
    let (_, values) = parts(json, known)?;
    Some(values.into_iter().map(|(_, value)| value).collect())
}

/// The record with its sealed values in their places, and with what cannot be read named. `None` where there is nothing sealed.
pub(crate) fn open(json: &str, known: impl Fn(&SubjectId) -> Known) -> Option<String> {
    let (mut record, values) = parts(json, known)?;
    let mut unread = Vec::new();
    for (one, value) in values {
        match value {
            Ok(value) => record.extend(value.members),
            Err(state) => unread.push(Personal {
                sealed: None,
                state: Some(Text::new_static(state)),
                ..one
            }),
        }
    }
    if !unread.is_empty() {
        record.insert("personal".into(), serde_json::to_value(unread).ok()?);
    }
    let text = serde_json::to_string(&record).ok()?;
    Some(printable::json(&text).into_owned())
}

/// One value, or why it cannot be read.
fn opened(
    one: &Personal,
    at: Timestamp,
    decision: u128,
    known: impl Fn(&SubjectId) -> Known,
) -> Result<OpenedValue, &'static str> {
    let ids = one.subjects.iter().take(SUBJECTS_MAX).map(|text| id(text));
    let ids: Vec<SubjectId> = ids.collect::<Option<_>>().ok_or(DAMAGED)?;
    let mut keys = Vec::with_capacity(ids.len());
    let mut is_damaged = ids.is_empty();
    for id in &ids {
        match known(id) {
            Known::Key(key) => keys.push(key),
            // One that is gone is enough.
            Known::Erased => return Err("erased"),
            Known::Damaged => is_damaged = true,
        }
    }
    let sealed = one.sealed.as_deref().and_then(unbase64).ok_or(DAMAGED)?;
    if is_damaged {
        return Err(DAMAGED);
    }
    let key = key(at, decision, &keys.iter().collect::<Vec<_>>());
    let plain = SealKey::from_secret(&key).open(&bound(at, decision, &ids), &sealed);
    let plain = plain.map_err(|_| DAMAGED)?;
    Ok(OpenedValue {
        key: base64(key.expose()),
        members: serde_json::from_slice(&plain).map_err(|_| DAMAGED)?,
    })
}

/// A subject's id from its text.
pub(crate) fn id(text: &str) -> Option<SubjectId> {
    unhex(text)?.try_into().ok()
}
