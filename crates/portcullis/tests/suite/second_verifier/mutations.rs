//! What may become of an exported file: accidents, people without a key who compute hashes again, and people with a key.
//! Start reading at `next`.

use std::fs;
use std::path::{Path, PathBuf};

use crypto::text::{base64, unbase64};
use crypto::{Secret, SigningKey, sha256};
use serde_json::{Value, json};

use super::ledgers::{Exports, ORIGIN, fixture_bytes};
use crate::line::SplitMix64;

type Lines = Vec<String>;

/// A changed file, what was done to it, and the key that is expected of it.
pub fn next(exports: &Exports, dice: &mut SplitMix64) -> (&'static str, Vec<u8>, Option<String>) {
    let export = dice.pick(&exports.all);
    let pin = match dice.below(4) {
        0 => None,
        1 => Some(export.newest_key.clone()),
        2 => Some(other_key(dice).1),
        _ => Some(export.key.clone()),
    };
    let bytes = match dice.below(8) {
        0 => {
            let form = *dice.pick(&["1", "2", "3", "4"]);
            fixture_bytes(form, dice.pick::<&str>(&["whole.jsonl", "part.jsonl"]))
        }
        _ => export.bytes.clone(),
    };
    let (name, bytes) = match dice.below(4) {
        0 => accident(bytes, exports, dice),
        1 => on_lines(bytes, dice, shuffled),
        2 => on_lines(bytes, dice, hashed_again),
        _ => {
            let key = &exports.keys.ledger_signing;
            on_lines(bytes, dice, |lines, dice| signed_again(lines, key, dice))
        }
    };
    (name, bytes, pin)
}

fn other_key(dice: &mut SplitMix64) -> (SigningKey, String) {
    let key = SigningKey::from_seed(&Secret::new(
        [u8::try_from(dice.below(200)).unwrap() + 50; 32],
    ));
    let text = key.verifying_key().note_verifier(ORIGIN);
    (key, text)
}

/// A place in so many.
fn at(dice: &mut SplitMix64, length: usize) -> usize {
    usize::try_from(dice.below(u64::try_from(length).unwrap())).unwrap()
}

fn on_lines(
    bytes: Vec<u8>,
    dice: &mut SplitMix64,
    change: impl FnOnce(&mut Lines, &mut SplitMix64) -> &'static str,
) -> (&'static str, Vec<u8>) {
    let text = String::from_utf8(bytes).unwrap();
    let mut lines: Lines = text.lines().map(str::to_owned).collect();
    let name = change(&mut lines, dice);
    let whole: String = lines.iter().map(|line| format!("{line}\n")).collect();
    (name, whole.into_bytes())
}

/// What disks, networks and editors do.
fn accident(
    mut bytes: Vec<u8>,
    exports: &Exports,
    dice: &mut SplitMix64,
) -> (&'static str, Vec<u8>) {
    let place = at(dice, bytes.len());
    let name = match dice.below(8) {
        0 => {
            bytes[place] ^= 1 << dice.below(8);
            "a bit"
        }
        1 => {
            bytes.remove(place);
            "a byte less"
        }
        2 => {
            bytes.insert(place, *dice.pick(b"\n \"{}0A\\\r\0\xff+/="));
            "a byte more"
        }
        3 => {
            bytes.truncate(place);
            "cut at a byte"
        }
        4 => {
            let other = &dice.pick(&exports.all).bytes;
            bytes.truncate(place);
            bytes.extend_from_slice(&other[at(dice, other.len())..]);
            "the end of another"
        }
        5 => {
            let marks: &[&[u8]] = &[b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\n", b" "];
            bytes.splice(0..0, dice.pick(marks).iter().copied());
            "something in front"
        }
        6 => {
            let ends: &[&[u8]] = &[b"\n", b" ", b"\0", b"{", b"{}\n", b"\r\n"];
            bytes.extend_from_slice(dice.pick::<&[u8]>(ends));
            "something behind"
        }
        _ => {
            let text = String::from_utf8(bytes).unwrap().replace('\n', "\r\n");
            bytes = text.into_bytes();
            "other line ends"
        }
    };
    (name, bytes)
}

/// What somebody does who knows lines.
fn shuffled(lines: &mut Lines, dice: &mut SplitMix64) -> &'static str {
    let (one, other) = (at(dice, lines.len()), at(dice, lines.len()));
    match dice.below(8) {
        0 => {
            lines.remove(one);
            "a line less"
        }
        1 => {
            let line = lines[one].clone();
            lines.insert(other, line);
            "a line twice"
        }
        2 => {
            lines.swap(one, other);
            "two lines swapped"
        }
        3 => {
            lines.truncate(one);
            "cut at a line"
        }
        4..=6 => another_first_line(lines, dice),
        _ => {
            let spaced = lines[one].replacen(':', ": ", 1);
            lines[one] = if dice.is_lucky(50) {
                spaced
            } else {
                lines[one].replace('/', "\\/")
            };
            "written otherwise"
        }
    }
}

/// Another form, fewer changes of the signer, or a value of another type.
fn another_first_line(lines: &mut Lines, dice: &mut SplitMix64) -> &'static str {
    match dice.below(3) {
        0 => header(lines, |header| {
            let forms = [
                "1",
                "2",
                "3",
                "4",
                "5",
                "04",
                "",
                "-1",
                "1.0",
                "18446744073709551616",
            ];
            header["format"] = json!(format!("portcullis-ledger/{}", dice.pick(&forms)));
        }),
        1 => header(lines, |header| {
            let signers = header.as_object_mut().unwrap().remove("signers");
            let mut signers = signers
                .and_then(|all| all.as_array().cloned())
                .unwrap_or_default();
            signers.pop();
            if !signers.is_empty() || dice.is_lucky(20) {
                header["signers"] = Value::Array(signers);
            }
        }),
        _ => header(lines, |header| {
            let values = [
                json!(0),
                json!(1),
                json!(-1),
                json!(1.0),
                json!(true),
                json!("0"),
                json!(null),
                json!([]),
            ];
            let names = [
                "first_seq",
                "previous",
                "tree",
                "public_key",
                "origin",
                "signers",
                "more",
            ];
            header[*dice.pick(&names)] = dice.pick(&values).clone();
        }),
    }
}

/// The first line with something else in it, its fields in their order.
fn header(lines: &mut Lines, change: impl FnOnce(&mut Value)) -> &'static str {
    let Ok(mut value) = serde_json::from_str::<Value>(&lines[0]) else {
        return "no first line";
    };
    change(&mut value);
    let order = [
        "format",
        "origin",
        "first_seq",
        "previous",
        "tree",
        "public_key",
        "signers",
        "more",
    ];
    let fields = order.iter().filter_map(|name| {
        let found = value.get(name)?;
        Some(format!("{}:{found}", json!(name)))
    });
    lines[0] = format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
    "the first line"
}

fn number(line: &str) -> Option<u64> {
    line.strip_prefix(r#"{"seq":"#)?
        .split_once(',')?
        .0
        .parse()
        .ok()
}

fn event(line: &str) -> Option<&str> {
    line.split_once(r#","event":"#)?.1.strip_suffix('}')
}

/// The line of a record with every hash computed again. Gives the chain value behind it.
fn record(seq: u64, before: &[u8], event: &str) -> (String, Vec<u8>) {
    let leaf = sha256(&[&[0], event.as_bytes()]);
    let chain = sha256(&[&[2], before, &leaf]);
    let line = format!(
        r#"{{"seq":{seq},"leaf":"{}","chain":"{}","event":{event}}}"#,
        base64(&leaf),
        base64(&chain)
    );
    (line, chain.to_vec())
}

/// Computes the hashes of all lines again, from the first line on, and numbers them.
fn hash_again(lines: &mut Lines) {
    let first: Value = serde_json::from_str(&lines[0]).unwrap_or_default();
    let mut seq = first["first_seq"].as_u64().unwrap_or(0);
    let previous = first["previous"].as_str().and_then(unbase64);
    let mut chain = previous.unwrap_or_else(|| vec![0; 32]);
    for line in lines.iter_mut().skip(1) {
        let Some(event) = event(line).map(str::to_owned) else {
            continue;
        };
        let (written, after) = record(seq, &chain, &event);
        (*line, chain) = (written, after);
        seq += 1;
    }
}

/// What somebody does who knows the form and has no key.
fn hashed_again(lines: &mut Lines, dice: &mut SplitMix64) -> &'static str {
    let records: Vec<usize> = (0..lines.len())
        .filter(|at| number(&lines[*at]).is_some())
        .collect();
    if records.is_empty() {
        return "nothing to change";
    }
    let one = *dice.pick(&records);
    let name = match dice.below(5) {
        0 => {
            lines[one] = lines[one]
                .replacen("allow", "refuse", 1)
                .replacen("root", "toor", 1);
            "another event, hashed again"
        }
        1 => {
            lines.remove(one);
            "a record less, hashed again"
        }
        2 => {
            let line = lines[one].clone();
            lines.insert(one, line);
            "a record twice, hashed again"
        }
        3 => {
            let other = *dice.pick(&records);
            lines.swap(one, other);
            "records swapped, hashed again"
        }
        _ => {
            let kept: Vec<String> = lines.drain(one..).collect();
            let closing = kept.last().cloned().unwrap_or_default();
            lines.push(closing);
            "the end left out, hashed again"
        }
    };
    hash_again(lines);
    name
}

/// What somebody does who has the first key of the ledger, or none that is expected.
fn signed_again(lines: &mut Lines, key: &SigningKey, dice: &mut SplitMix64) -> &'static str {
    let notes: Vec<usize> = (0..lines.len())
        .filter(|at| lines[*at].starts_with(r#"{"checkpoint":"#))
        .collect();
    let Some(one) = (!notes.is_empty()).then(|| *dice.pick(&notes)) else {
        return "nothing to sign";
    };
    let Ok(value) = serde_json::from_str::<Value>(&lines[one]) else {
        return "nothing to sign";
    };
    let note = value["checkpoint"].as_str().unwrap_or_default();
    let Some((body, signatures)) = note.split_once("\n\n") else {
        return "nothing to sign";
    };
    let mut body: Lines = body.lines().map(str::to_owned).collect();
    let mut signatures = signatures.to_owned();
    let (other, other_text) = other_key(dice);
    let name = match dice.below(5) {
        0 => {
            let witness = signature(
                "witness.example/w",
                &other,
                &format!("{}\n", body.join("\n")),
            );
            let strange = [
                "\u{2014} x\n",
                "\u{2014} \n",
                "no signature\n",
                "\n",
                "\u{2014} a b c\n",
            ];
            let line = if dice.is_lucky(60) {
                witness
            } else {
                (*dice.pick(&strange)).to_owned()
            };
            signatures = if dice.is_lucky(50) {
                format!("{line}{signatures}")
            } else {
                format!("{signatures}{line}")
            };
            "another signature"
        }
        1 => {
            // All by one key of one's own, which is expected of nobody.
            header(lines, |header| header["public_key"] = json!(other_text));
            for at in notes {
                sign_line(&mut lines[at], &other);
            }
            return "signed by another key";
        }
        2 => {
            hashed_again(lines, dice);
            let notes = lines
                .iter_mut()
                .filter(|line| line.starts_with(r#"{"checkpoint":"#));
            notes.for_each(|line| sign_line(line, key));
            return "hashed and signed again";
        }
        _ => {
            edit(&mut body, dice);
            let whole = format!("{}\n", body.join("\n"));
            signatures = signature(ORIGIN, key, &whole);
            "another statement, signed"
        }
    };
    let note = format!("{}\n\n{signatures}", body.join("\n"));
    lines[one] = json!({ "checkpoint": note }).to_string();
    name
}

fn signature(name: &str, key: &SigningKey, body: &str) -> String {
    let mut bytes = key.verifying_key().note_key_id(name).to_vec();
    bytes.extend_from_slice(&key.sign(body.as_bytes()));
    format!("\u{2014} {name} {}\n", base64(&bytes))
}

/// The same statement, signed by another key.
fn sign_line(line: &mut String, key: &SigningKey) {
    let value: Value = serde_json::from_str(line).unwrap_or_default();
    let note = value["checkpoint"].as_str().unwrap_or_default();
    let Some((body, _)) = note.split_once("\n\n") else {
        return;
    };
    let body = format!("{body}\n");
    let note = format!("{body}\n{}", signature(ORIGIN, key, &body));
    *line = json!({ "checkpoint": note }).to_string();
}

/// Another statement: numbers, lines less or more, other spellings.
fn edit(body: &mut Lines, dice: &mut SplitMix64) {
    let one = at(dice, body.len());
    match dice.below(7) {
        0 => drop(body.remove(one)),
        1 => {
            let line = body[one].clone();
            body.insert(one, line);
        }
        2 => body.swap(one, 0),
        3 => {
            let lines = [
                "closes 0",
                "signer 0",
                "form 4",
                "form 3",
                "more x",
                "",
                "closes 00",
                "signer 1",
                "after +1",
            ];
            body.insert(at(dice, body.len() + 1), (*dice.pick(&lines)).to_owned());
        }
        4 => {
            let words = [
                ("after ", "after 0"),
                ("form ", "form 0"),
                ("signer ", "signer  "),
                ("chain ", "chain"),
            ];
            let (from, to) = dice.pick(&words);
            body[one] = body[one].replacen(from, to, 1);
        }
        5 => {
            if let Some((name, count)) = body[one].clone().rsplit_once(' ')
                && let Ok(count) = count.parse::<u64>()
            {
                body[one] = format!(
                    "{name} {}",
                    count.wrapping_add(dice.below(3)).wrapping_sub(1)
                );
            }
        }
        // As it was: only the signature is another one, or the same.
        _ => {}
    }
}

/// A copy of a ledger's directory in which something was done to one file. Gives what.
pub fn of_directory(from: &Path, to: &Path, dice: &mut SplitMix64) -> String {
    let mut names: Vec<PathBuf> = fs::read_dir(from)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.retain(|path| path.file_name().is_some_and(|name| name != "lock"));
    names.sort();
    for path in &names {
        fs::copy(path, to.join(path.file_name().unwrap())).unwrap();
    }
    let one = dice.pick(&names);
    let (name, file) = (one.file_name().unwrap(), to.join(one.file_name().unwrap()));
    let mut bytes = fs::read(one).unwrap();
    let place = at(dice, bytes.len().max(1));
    let what = match dice.below(7) {
        0 => {
            fs::remove_file(&file).unwrap();
            return format!("{} removed", name.display());
        }
        1 => {
            bytes.truncate(place);
            "cut"
        }
        2 => {
            let kept = bytes.len().saturating_sub(at(dice, 40));
            bytes.truncate(kept);
            "cut at its end"
        }
        3 => {
            let more = dice.below(90);
            bytes.extend((0..more).map(|_| dice.next().to_le_bytes()[0]));
            "longer"
        }
        4 => {
            bytes = fs::read(dice.pick(&names)).unwrap();
            "replaced by another one"
        }
        _ if !bytes.is_empty() => {
            bytes[place] ^= 1 << dice.below(8);
            "with another bit"
        }
        _ => "as it was",
    };
    fs::write(&file, bytes).unwrap();
    format!("{} {what}", name.display())
}
