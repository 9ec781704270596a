use proptest::prelude::*;

use super::*;
use crate::fixture::keys;

#[test]
fn a_header_is_read_back_and_every_changed_byte_is_noticed() {
    let mut tip = Tip::empty();
    (0..5_u8).for_each(|n| tip.push(leaf_hash(&[n])));
    let begun = Header::new(tip.clone(), "gate.example/ledger", [3; 16])
        .begin(&keys(), &crypto::Secret::new([4; 32]));
    let (bytes, file) = (begun.header, begun.key_file);
    let read = |bytes: &[u8]| Header::read(&mut &*bytes, &keys(), || Ok(file.clone()));
    let (header, again, length) = read(&bytes).ok().unwrap();
    assert_eq!(
        (header.start, header.origin.as_str(), length, again.header),
        (
            tip,
            "gate.example/ledger",
            bytes.len() as u64,
            begun.key.header
        )
    );
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 4;
        assert!(read(&changed).is_err(), "{at}");
        assert!(read(&bytes[..at]).is_err(), "{at}");
    }
}

#[test]
fn names_sort_like_numbers() {
    assert_eq!(file_name(42), "00000000000000000042.seg");
    assert!(file_name(9) < file_name(10) && file_name(99) < file_name(u64::MAX));
}

proptest! {
    #[test]
    fn hostile_headers_frames_and_payloads_never_panic(bytes: Vec<u8>) {
        let _ = Header::read(&mut bytes.as_slice(), &keys(), || Ok(bytes.clone()));
        let _ = records(&bytes).count();
        if let Some(head) = bytes.first_chunk::<FRAME_HEAD>() {
            let _ = FrameHead::decode(head);
        }
    }

    #[test]
    fn hostile_files_end_in_damage(tail: Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(file_name(0));
        let begun = Header::new(Tip::empty(), "x", [0; 16]).begin(&keys(), &crypto::Secret::new([4; 32]));
        let mut bytes = begun.header;
        bytes.extend_from_slice(&tail);
        std::fs::write(&path, bytes).unwrap();
        std::fs::write(key::beside(&path), begun.key_file).unwrap();
        let mut scanner = Scanner::open(&path, &keys()).unwrap().ok().unwrap();
        prop_assert_eq!(scanner.next().unwrap().is_err(), !tail.is_empty());
    }
}
