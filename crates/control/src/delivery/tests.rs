use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
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

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn records_are_appended_and_another_file_is_written_once_it_stands_there() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("records"), dir.path().join("records.1"));
    let mut sink = Sink::new(Target::File(&path));
    assert!(sink.send(&mut records(0, 2)).unwrap());
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::rename(&path, &old).unwrap();
    let mut more = records(2, 3);
    assert!(sink.send(&mut more).unwrap());
    assert_eq!(more.finish(), 3);
    assert_eq!(lines(&old), [r#"{"seq":0}"#, r#"{"seq":1}"#]);
    assert_eq!(lines(&path), [r#"{"seq":2}"#]);
    sink.sync().unwrap();
}

#[test]
fn behind_a_record_that_stopped_in_the_middle_the_next_one_has_a_line_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records");
    fs::write(&path, "{\"seq\":0}\n{\"se").unwrap();
    assert!(
        Sink::new(Target::File(&path))
            .send(&mut records(1, 2))
            .unwrap()
    );
    assert_eq!(lines(&path), [r#"{"seq":0}"#, r#"{"se"#, r#"{"seq":1}"#]);
}

#[test]
fn where_nothing_can_be_written_the_error_names_the_path_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("absent").join("records");
    let (mut sink, mut unsent) = (Sink::new(Target::File(&path)), records(0, 2));
    let error = sink.send(&mut unsent).unwrap_err();
    assert!(error.to_string().contains("absent/records"), "{error}");
    fs::create_dir(path.parent().unwrap()).unwrap();
    assert!(sink.send(&mut unsent).unwrap());
    assert_eq!(lines(&path).len(), 2);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(sink.send(&mut records(2, 3)).is_err());
}

#[test]
fn a_pipe_that_is_full_holds_nobody_up_and_another_reader_begins_with_a_whole_record() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let (mut sink, mut unsent) = (Sink::new(Target::File(&path)), records(0, 20_000));
    assert!(sink.send(&mut unsent).is_err(), "nobody reads it");
    let open = || {
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(&path)
            .unwrap()
    };
    let first = open();
    assert!(!sink.send(&mut unsent).unwrap(), "it is full");
    drop(first);
    assert!(sink.send(&mut unsent).is_err(), "its reader has gone");
    let (mut second, mut read) = (open(), Vec::new());
    let mut is_done = false;
    while !is_done {
        is_done = sink.send(&mut unsent).unwrap();
        let mut chunk = vec![0; 1 << 20];
        // Less than it holds comes at once; where it holds nothing, more was sent by then.
        if let Ok(count) = second.read(&mut chunk) {
            read.extend_from_slice(&chunk[..count]);
        }
    }
    let text = String::from_utf8(read).unwrap();
    let first = text.lines().next().unwrap();
    assert!(
        first.starts_with("{\"seq\":") && first.ends_with('}'),
        "{first}"
    );
    assert!(text.ends_with("{\"seq\":19999}\n"));
    assert_eq!(unsent.finish(), 20_000);
}

#[test]
fn a_record_that_went_in_part_goes_again_and_none_that_went_whole_does() {
    let mut unsent = records(0, 3);
    unsent.advance(15);
    unsent.rewind();
    assert_eq!(unsent.left(), b"{\"seq\":1}\n{\"seq\":2}\n");
    unsent.advance(10);
    unsent.rewind();
    assert_eq!(unsent.left(), b"{\"seq\":2}\n");
    unsent.advance(10);
    unsent.rewind();
    assert!(unsent.left().is_empty());
}
