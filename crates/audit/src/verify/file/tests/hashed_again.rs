//! Whoever computes hashes again without a key is caught by the next signature, and what was signed before is still proven.

use super::*;
use crate::fixture::{event, recorder};
use crate::tree::Hash;

/// An export with checkpoints on the way, and the sizes of these.
fn with_checkpoints(dir: &std::path::Path, dice: &mut Dice) -> (String, Vec<u64>) {
    let recorder = recorder(dir, settings());
    let mut sizes = Vec::new();
    for n in 0..60 {
        recorder.record(&event(n)).wait().unwrap();
        if dice.below(6) == 0 {
            sizes.push(recorder.checkpoint().unwrap().checkpoint.size);
        }
    }
    recorder.stop().unwrap();
    let ledger = Ledger::open_read(dir, keys()).unwrap();
    let mut bytes = Vec::new();
    export(&ledger, 0..=u64::MAX, &mut bytes).unwrap();
    (String::from_utf8(bytes).unwrap(), sizes)
}

/// The same with another event in one record, and every hash behind it computed again.
fn edited(export: &str, seq: u64) -> String {
    let mut chain: Hash = Tip::empty().chain;
    let lines = export.lines().map(|line| {
        let Some((at, _, _, json)) = parse_record(line) else {
            return format!("{line}\n");
        };
        let json = if at == seq {
            json.replacen("\"at\":1", "\"at\":2", 1)
        } else {
            json.to_owned()
        };
        let leaf = leaf_hash(json.as_bytes());
        chain = chain_hash(&chain, &leaf);
        let (leaf, chain) = (crypto::text::base64(&leaf), crypto::text::base64(&chain));
        format!("{{\"seq\":{at},\"leaf\":\"{leaf}\",\"chain\":\"{chain}\",\"event\":{json}}}\n")
    });
    lines.collect()
}

#[test]
fn the_records_since_the_last_signature_are_named_where_hashes_were_computed_again() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("export.jsonl");
    let (export, mut sizes) = with_checkpoints(&dir.path().join("ledger"), &mut Dice::new(71));
    assert!(verified(&file, export.as_bytes()).is_good() && sizes.len() > 5);
    sizes.extend([0, 60]);
    for seq in 0..60 {
        let bytes = edited(&export, seq);
        assert_ne!(bytes, export);
        let bad = verified(&file, bytes.as_bytes()).first_bad.unwrap();
        let since = sizes.iter().filter(|size| **size <= seq).max().unwrap();
        let next = sizes.iter().filter(|size| **size > seq).min().unwrap();
        assert_eq!(
            (bad.seq, bad.through + 1),
            (*since, *next),
            "record {seq}: {bad:?}"
        );
    }
}

#[test]
fn a_key_in_the_first_line_has_one_spelling() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("export.jsonl");
    let (export, _) = with_checkpoints(&dir.path().join("ledger"), &mut Dice::new(72));
    for (from, to) in [
        ("\"public_key\":\"", "\"public_key\":\" "),
        ("\"}\n", " \"}\n"),
    ] {
        let spaced = export.replacen(from, to, 1);
        assert_ne!(spaced, export);
        assert_eq!(verified(&file, spaced.as_bytes()).first_bad.unwrap().seq, 0);
    }
}
