//! The personal values of a record, sealed under the keys of the persons they are about.
//! Exports `write`, `open` and `values`.
//! Used by the recorder, the reader and the export.
//! Start reading at `write`; the layout for auditors is docs/ledger-format.md.

use std::sync::Arc;

use crypto::text::{base64, hex, unbase64, unhex};
use crypto::{SealKey, Secret, sha256};
use model::event::{Personal, Sealed};
use model::{DecisionId, Event, Text, Timestamp, printable};
use serde::Serialize;
use serde_json::{Map, Value};

use super::named::Named;
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

/// Each begins records that hold sealed values. Text within a record cannot look like it.
const BEGINS: [&[u8]; 2] = [b"{\"schema\":3,", b"{\"schema\":4,"];

/// What is known of a subject whose values are read.
pub(crate) enum Known {
    /// Its key.
    Key(Secret<[u8; 32]>),
    /// Its key was destroyed.
    Erased,
    /// Nothing, or nothing that can be read.
    Damaged,
}

/// Appends the record, with everything in it that names a person sealed: who an integration states under the key of that person,
/// the id of each object that is one under the key of that one, and what any of them may stand in under the keys of all.
pub(crate) fn write(event: &Event, named: &Named, latest: Option<Timestamp>, out: &mut Vec<u8>) {
    let (mut personal, all) = (Vec::with_capacity(2 + named.objects.len()), named.all());
    let mut plain = Vec::with_capacity(512);
    if let Some(stated) = &named.stated {
        event.write_of_person(&mut plain);
        if all.len() == 1 {
            event.write_texts(&mut plain);
        }
        personal.push(seal(event, &[stated], None, &mut plain));
    }
    for (place, subject) in &named.objects {
        let object = usize::try_from(*place)
            .ok()
            .and_then(|place| event.objects.get(place));
        if let Some(object) = object {
            Event::write_of_object(object, &mut plain);
            personal.push(seal(event, &[subject], Some(*place), &mut plain));
        }
    }
    if all.len() > 1 || named.stated.is_none() {
        event.write_texts(&mut plain);
        if !plain.is_empty() {
            personal.push(seal(event, &all, None, &mut plain));
        }
    }
    let sealed = Sealed {
        has_stated_person: named.stated.is_some(),
        personal: &personal,
    };
    event.write_sealed(latest, sealed, out);
}

/// Members, sealed under the keys of these subjects. Leaves nothing of them behind.
fn seal(
    event: &Event,
    subjects: &[&Arc<Subject>],
    object: Option<u32>,
    plain: &mut Vec<u8>,
) -> Personal {
    // Members are written with the comma in front of them.
    match plain.first_mut() {
        Some(first) => *first = b'{',
        None => plain.push(b'{'),
    }
    plain.push(b'}');
    plain.resize(plain.len().next_multiple_of(STEP), b' ');
    let decision = event.id.map_or(0, DecisionId::bits);
    let keys: Vec<_> = subjects.iter().map(|subject| &subject.key).collect();
    let ids: Vec<SubjectId> = subjects.iter().map(|subject| subject.id).collect();
    let key = SealKey::from_secret(&key(event.at, decision, &keys));
    let sealed = key.seal(&bound(event.at, decision, &ids), plain);
    plain.clear();
    Personal {
        subjects: ids.iter().map(|id| Text::from(hex(id))).collect(),
        object,
        sealed: Some(base64(&sealed).into()),
        state: None,
    }
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

/// Whether a record may hold sealed values.
pub(crate) fn holds_values(record: &[u8]) -> bool {
    BEGINS.iter().any(|begins| record.starts_with(begins))
}

fn parts(json: &str, known: impl Fn(&SubjectId) -> Known) -> Option<Parts> {
    if !holds_values(json.as_bytes()) {
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
        let value = value.and_then(|value| {
            let place = place_of(&one, &mut record).ok_or(DAMAGED)?;
            place.extend(value.members);
            Ok(())
        });
        if let Err(state) = value {
            unread.push(Personal {
                sealed: None,
                state: Some(Text::new_static(state)),
                ..one
            });
        }
    }
    if !unread.is_empty() {
        record.insert("personal".into(), serde_json::to_value(unread).ok()?);
    }
    let text = serde_json::to_string(&record).ok()?;
    Some(printable::json(&text).into_owned())
}

/// Whose members a value holds: those of the record, or of one of its objects.
fn place_of<'r>(
    one: &Personal,
    record: &'r mut Map<String, Value>,
) -> Option<&'r mut Map<String, Value>> {
    let Some(place) = one.object else {
        return Some(record);
    };
    let place = usize::try_from(place).ok()?;
    record.get_mut("objects")?.get_mut(place)?.as_object_mut()
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
