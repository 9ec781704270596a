use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;

use destinations::Target;

use super::sink::Sink;
use super::unsent::Unsent;

fn records(from: u64, to: u64) -> Unsent {
    let mut unsent = Unsent::default();
    for seq in from..to {
        unsent.add(seq, |out| {
            out.extend_from_slice(format!("{{\"seq\":{seq}}}\n").as_bytes())
        });
    }
    unsent
}

/// One round as a delivery makes it: what is not taken is told where it fails.
fn round(sink: &mut Sink, unsent: &mut Unsent) -> io::Result<bool> {
    sink.open()?;
    sink.send(unsent)
}

fn sink(path: &Path) -> Sink {
    Sink::new(Target::File(path), &[])
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn records_are_appended_and_another_file_is_written_once_it_stands_there() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("records"), dir.path().join("records.1"));
    let mut sink = sink(&path);
    assert!(round(&mut sink, &mut records(0, 2)).unwrap());
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!sink.is_gone().unwrap());
    fs::rename(&path, &old).unwrap();
    assert!(sink.is_gone().unwrap());
    sink.close();
    let mut more = records(2, 3);
    assert!(round(&mut sink, &mut more).unwrap());
    assert_eq!(more.first_not_taken(sink.waiting()), None);
    assert_eq!(lines(&old), [r#"{"seq":0}"#, r#"{"seq":1}"#]);
    assert_eq!(lines(&path), [r#"{"seq":2}"#]);
    sink.sync().unwrap();
}

#[test]
fn behind_a_record_that_stopped_in_the_middle_the_next_one_has_a_line_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records");
    fs::write(&path, "{\"seq\":0}\n{\"se").unwrap();
    assert!(round(&mut sink(&path), &mut records(1, 2)).unwrap());
    assert_eq!(lines(&path), [r#"{"seq":0}"#, r#"{"se"#, r#"{"seq":1}"#]);
}

#[test]
fn where_nothing_can_be_written_the_error_names_the_path_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("absent").join("records");
    let (mut sink, mut unsent) = (sink(&path), records(0, 2));
    let error = round(&mut sink, &mut unsent).unwrap_err();
    assert!(error.to_string().contains("absent/records"), "{error}");
    assert_eq!(unsent.first_not_taken(sink.waiting()), Some(0));
    fs::create_dir(path.parent().unwrap()).unwrap();
    assert!(round(&mut sink, &mut unsent).unwrap());
    assert_eq!(lines(&path).len(), 2);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    sink.close();
    assert!(round(&mut sink, &mut records(2, 3)).is_err());
}

#[test]
fn nothing_is_written_where_the_gateway_keeps_its_own_files_or_where_a_link_leads() {
    let dir = tempfile::tempdir().unwrap();
    let [own, key, link, twin] = ["own", "key", "link", "twin"].map(|name| dir.path().join(name));
    fs::create_dir(&own).unwrap();
    fs::write(&key, "secret").unwrap();
    symlink(&key, &link).unwrap();
    fs::hard_link(&key, &twin).unwrap();
    symlink(dir.path().join("nowhere"), dir.path().join("dangling")).unwrap();
    symlink(&own, dir.path().join("way")).unwrap();
    for (path, why) in [
        ("own/records", "holds files of the gateway itself"),
        ("way/records", "holds files of the gateway itself"),
        ("link", "it is a symbolic link"),
        ("dangling", "it is a symbolic link"),
        ("twin", "the file has 2 names"),
    ] {
        let path = dir.path().join(path);
        let mut sink = Sink::new(Target::File(&path), std::slice::from_ref(&own));
        let error = round(&mut sink, &mut records(0, 1)).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    assert_eq!(fs::read_to_string(&key).unwrap(), "secret");
    assert!(fs::read_dir(&own).unwrap().next().is_none());
    assert!(!dir.path().join("nowhere").exists());
}

fn pipe(path: &Path) {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
}

fn reader(path: &Path) -> File {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags).open(path).unwrap()
}

fn seqs(text: &[u8]) -> Vec<u64> {
    let lines = std::str::from_utf8(text).unwrap().lines();
    let number = |line: &str| {
        let number = line.strip_prefix("{\"seq\":")?.strip_suffix('}')?;
        number.parse().ok()
    };
    lines.filter_map(number).collect()
}

/// Readers come, read as much as they like, and go; each is a new one. Between them they have every record whole.
#[test]
fn readers_of_a_pipe_that_come_and_go_have_every_record_whole_between_them() {
    const RECORDS: u64 = 20_000;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    pipe(&path);
    let mut sink = sink(&path);
    let error = round(&mut sink, &mut records(0, 1)).unwrap_err();
    assert!(error.to_string().contains("pipe"), "nobody reads it");
    let (mut unsent, mut from) = (records(0, RECORDS), 0);
    let mut had = BTreeSet::new();
    for takes in [100, 0, 4096, 70_000, 1, 65_536, 12_345, usize::MAX] {
        let (mut reader, mut read) = (reader(&path), Vec::new());
        let mut left = takes;
        loop {
            let is_sent = round(&mut sink, &mut unsent).unwrap();
            let mut chunk = vec![0; left.min(1 << 16)];
            let count = reader.read(&mut chunk).unwrap_or(0);
            read.extend_from_slice(chunk.get(..count).unwrap());
            left -= count;
            if left == 0 || count == 0 && is_sent {
                break;
            }
        }
        // Every reader begins with a whole record.
        let first = read.split(|byte| *byte == b'\n').next().unwrap();
        assert!(first.starts_with(b"{") || read.is_empty());
        had.extend(seqs(&read));
        drop(reader);
        assert!(sink.is_gone().unwrap(), "its reader has gone");
        from = unsent.first_not_taken(sink.waiting()).unwrap_or(RECORDS);
        sink.close();
        unsent = records(from, RECORDS);
    }
    assert_eq!(from, RECORDS);
    assert_eq!(had, (0..RECORDS).collect());
}

#[test]
fn a_record_is_taken_once_its_last_byte_is() {
    let mut unsent = records(0, 3);
    assert_eq!(unsent.first_not_taken(0), Some(0));
    unsent.advance(15);
    assert_eq!(unsent.first_not_taken(5), Some(1));
    assert_eq!(
        unsent.first_not_taken(6),
        Some(1),
        "what was taken stays so"
    );
    unsent.advance(15);
    assert!(unsent.is_sent());
    assert_eq!(unsent.first_not_taken(1), Some(2));
    // What waits is counted over all that was ever sent.
    unsent.add(3, |out| out.extend_from_slice(b"{\"seq\":3}\n"));
    assert_eq!(unsent.left(), b"{\"seq\":3}\n");
    unsent.advance(10);
    assert_eq!(unsent.first_not_taken(10), Some(3));
    assert_eq!(unsent.first_not_taken(0), None);
}
