//! Records are delivered to where the configuration says: each of them, in order, whatever happens in between.
//! Start reading at `every_record_arrives_once_and_in_order_also_over_a_stop`.

use std::fs;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::{Gate, RecordingUpstream, Server, WallClock, poll};

use crate::destroyed::{DAY, destroy, moment};
use crate::line::Line;
use crate::{call, program, serve};

/// A gate that delivers to a file beside its directory.
fn gate(upstream: &RecordingUpstream, name: &str) -> (Gate, PathBuf) {
    let gate = Gate::small(upstream.address());
    let path = gate.home().join(name);
    deliver(&gate, &path);
    (gate, path)
}

fn deliver(gate: &Gate, path: &Path) {
    let (text, path) = (gate.text("portcullis.yaml"), path.display());
    gate.write(
        "portcullis.yaml",
        format!("{text}destinations: {{ siem: {{ file: {{ path: {path} }} }} }}\n"),
    );
}

fn upstream() -> RecordingUpstream {
    RecordingUpstream::always(r#"{"id":"1","title":"t"}"#)
}

fn records(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    // A last line may be on its way.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

/// The records, once so many of this kind are among them.
fn with(path: &Path, kind: &str, count: usize) -> Vec<Value> {
    let found = poll(testkit::PATIENCE, || {
        let all = records(path);
        let of_kind = all.iter().filter(|record| record["kind"] == kind);
        (of_kind.count() >= count).then_some(all)
    });
    found.unwrap_or_else(|| panic!("{count} of {kind}: {:?}", records(path)))
}

fn seqs(records: &[Value]) -> Vec<u64> {
    let seqs = records.iter().map(|record| record["seq"].as_u64().unwrap());
    seqs.collect()
}

fn call_it(server: &Server, times: usize) -> Vec<String> {
    let key = server.key("alpha");
    let responses = (0..times).map(|_| server.send(&call("GET", "/v1/notes/1"), Some(&key)));
    responses
        .map(|response| response.decision().unwrap().to_owned())
        .collect()
}

#[test]
fn every_record_arrives_once_and_in_order_also_over_a_stop() {
    let upstream = upstream();
    let (gate, path) = gate(&upstream, "records.jsonl");
    let server = serve(gate);
    let mut decisions = call_it(&server, 3);
    let first = with(&path, "request", 3);
    assert_eq!(first[0]["kind"], "start");
    let (_, gate) = server.stop();
    let server = serve(gate);
    decisions.extend(call_it(&server, 2));
    let all = with(&path, "request", 5);
    assert_eq!(seqs(&all), (0..all.len() as u64).collect::<Vec<_>>());
    let requests = all.iter().filter(|record| record["kind"] == "request");
    let told: Vec<&str> = requests.map(|r| r["id"].as_str().unwrap()).collect();
    assert_eq!(told, decisions);
    // What is delivered is what the ledger holds.
    let event = server.event(&decisions[4]);
    let delivered = all.iter().find(|r| r["id"] == json!(decisions[4])).unwrap();
    let mut delivered = delivered.as_object().unwrap().clone();
    delivered.remove("seq");
    for (name, value) in &delivered {
        assert_eq!(&event[name], value, "{name}");
    }
    assert!(all.iter().any(|record| record["kind"] == "stop"));
}

#[test]
fn a_killed_server_delivers_what_it_had_recorded_when_it_is_back() {
    let upstream = upstream();
    let (gate, path) = gate(&upstream, "records.jsonl");
    let mut server = serve(gate);
    let mut decisions = Vec::new();
    for _ in 0..3 {
        decisions.extend(call_it(&server, 4));
        server = serve(server.kill());
    }
    let has = |all: &[Value], decision: &String| all.iter().any(|r| r["id"] == json!(decision));
    let all = poll(testkit::PATIENCE, || {
        let all = records(&path);
        decisions
            .iter()
            .all(|decision| has(&all, decision))
            .then_some(all)
    });
    let mut seqs = seqs(&all.expect("every decision is delivered"));
    // Some came twice.
    seqs.sort_unstable();
    seqs.dedup();
    let last = *seqs.last().unwrap();
    assert_eq!(seqs, (0..=last).collect::<Vec<_>>(), "none is missing");
}

#[test]
fn a_destination_that_stands_still_gets_everything_later_and_nobody_waits_for_it() {
    let upstream = upstream();
    let (gate, path) = gate(&upstream, "absent/records.jsonl");
    let server = serve(gate);
    call_it(&server, 3);
    server.wait_for("the destination `siem` cannot be written to");
    let waiting = || {
        let asked = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let response = Line::open(server.address("admin")).unwrap().send(asked);
        let text = response.unwrap().text();
        let mut lines = text.lines();
        let line = lines.find_map(|line| {
            line.strip_prefix(r#"portcullis_destination_waiting{destination="siem"} "#)
        });
        line.map(|count| count.parse::<u64>().unwrap())
    };
    let some = poll(testkit::PATIENCE, || waiting().filter(|count| *count >= 4));
    assert!(some.is_some(), "{:?}", waiting());
    fs::create_dir(path.parent().unwrap()).unwrap();
    let all = with(&path, "request", 3);
    assert_eq!(seqs(&all), (0..all.len() as u64).collect::<Vec<_>>());
    server.wait_for("the destination `siem` takes records again");
    let none = poll(testkit::PATIENCE, || waiting().filter(|count| *count == 0));
    assert!(none.is_some(), "{:?}", waiting());
}

/// A reader that opens the pipe and ends before it has read anything, as a log shipper does that is restarted.
#[test]
fn what_stood_in_a_pipe_when_its_reader_ended_is_delivered_to_the_next_one() {
    let upstream = upstream();
    let gate = Gate::small(upstream.address());
    let path = gate.home().join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    deliver(&gate, &path);
    let server = serve(gate);
    server.wait_for("the destination `siem` cannot be written to");
    let open = || {
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let mut options = fs::OpenOptions::new();
        options.read(true).custom_flags(flags).open(&path).unwrap()
    };
    let first = open();
    let decisions = call_it(&server, 4);
    let stands = || rustix::io::ioctl_fionread(&first).is_ok_and(|bytes| bytes > 0);
    assert!(poll(testkit::PATIENCE, || stands().then_some(())).is_some());
    server.wait_for("the destination `siem` takes records again");
    drop(first);
    // Said again: what stood in the pipe is lost to everybody by now.
    assert!(
        poll(testkit::PATIENCE, || {
            let said = server.stderr();
            let count = said
                .matches("the destination `siem` cannot be written to")
                .count();
            (count >= 2).then_some(())
        })
        .is_some()
    );
    let (mut second, mut read) = (open(), Vec::new());
    let all = poll(testkit::PATIENCE, || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = second.read(&mut chunk) {
            read.extend_from_slice(chunk.get(..count)?);
        }
        let whole = read.rsplit(|byte| *byte == b'\n').skip(1);
        let lines = whole.map(serde_json::from_slice::<Value>);
        let all: Vec<Value> = lines.collect::<Result<_, _>>().expect("whole lines");
        let has = |id: &String| all.iter().any(|record| record["id"] == json!(id));
        decisions.iter().all(has).then_some(all)
    });
    let mut seqs = seqs(&all.expect("every decision is delivered"));
    seqs.sort_unstable();
    assert_eq!(seqs, (0..seqs.len() as u64).collect::<Vec<_>>());
}

/// Appending a record to a key, to the ledger or to the configuration would destroy it.
#[test]
fn a_destination_among_the_files_of_the_gateway_is_refused_at_its_line() {
    let upstream = upstream();
    let gate = Gate::small(upstream.address());
    let text = gate.text("portcullis.yaml");
    let home = gate.home();
    fs::write(home.join("file"), "").unwrap();
    std::os::unix::fs::symlink(home.join("file"), home.join("link")).unwrap();
    let line = text.lines().count() + 1;
    for (path, expected) in [
        (
            gate.dir().join("portcullis.yaml"),
            "in the directory of the configuration",
        ),
        (
            gate.dir().join("apis/new.yaml"),
            "in the directory of the configuration",
        ),
        (home.join("link"), "it is a symbolic link"),
    ] {
        let written = format!(
            "{text}destinations: {{ siem: {{ file: {{ path: {} }} }} }}\n",
            path.display()
        );
        gate.write("portcullis.yaml", written);
        let ended = testkit::run(program(), &gate, &["check", gate.dir().to_str().unwrap()]);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(
            said.contains(expected) && said.contains(&format!("portcullis.yaml:{line}")),
            "{}: {said}",
            path.display()
        );
        assert_ne!(ended.code, Some(0));
    }
}

#[test]
fn a_destination_that_is_behind_loses_what_was_destroyed_and_nothing_else() {
    let upstream = upstream();
    let (gate, path) = gate(&upstream, "absent/records.jsonl");
    let (clock, gate) = WallClock::prepare(gate);
    let server = serve(gate);
    call_it(&server, 3);
    clock.set(2 * DAY);
    let kept = call_it(&server, 3);
    let planned = destroy(&server, &moment(DAY), &[]);
    let planned: Value = serde_json::from_str(&planned.stdout).unwrap();
    let gone = planned["records"].as_u64().unwrap();
    let done = destroy(&server, &moment(DAY), &["--confirm", &gone.to_string()]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let gate = server.stop().1;
    fs::create_dir(path.parent().unwrap()).unwrap();
    let server = serve(gate);
    let all = with(&path, "request", 3);
    assert_eq!(all[0]["seq"], gone, "{all:?}");
    let requests = all.iter().filter(|record| record["kind"] == "request");
    let told: Vec<&str> = requests
        .map(|record| record["id"].as_str().unwrap())
        .collect();
    assert_eq!(told, kept);
    let said = format!(
        "does not get the records 0 to {}: they were destroyed",
        gone - 1
    );
    let is_said = poll(testkit::PATIENCE, || {
        server.stderr().contains(&said).then_some(())
    });
    assert!(is_said.is_some(), "{}", server.stderr());
}

#[test]
fn a_new_destination_begins_with_the_next_start_and_one_that_moves_asks_for_one() {
    let upstream = upstream();
    let server = serve(Gate::small(upstream.address()));
    call_it(&server, 2);
    let (_, gate) = server.stop();
    let path = gate.home().join("records.jsonl");
    deliver(&gate, &path);
    let text = gate.text("portcullis.yaml");
    let server = serve(gate);
    call_it(&server, 1);
    let all = with(&path, "request", 1);
    assert_eq!(all[0]["kind"], "start");
    assert!(all[0]["seq"].as_u64().unwrap() > 2);
    let other = text.replace("siem:", "other:");
    server.gate.write("portcullis.yaml", other);
    let ended = server.cli(&["reload"]);
    let refused = "`destinations` cannot be changed while the server runs";
    assert!(ended.stderr.contains(refused), "{}", ended.stderr);
}

#[test]
fn what_no_destination_could_mean_is_refused_at_its_line() {
    let upstream = upstream();
    for (written, expected) in [
        (
            "siem: { file: { path: records } }",
            "`records` is not the absolute path of a file",
        ),
        ("siem: { }", "the destination `siem` is of 0 kinds"),
        (
            "SIEM: { file: { path: /tmp/x } }",
            "`SIEM` is not a valid name",
        ),
        ("siem: { syslog: { } }", "unknown key `syslog`"),
        (
            "siem: { file: { path: /tmp/x, size: 1 } }",
            "unknown key `size`",
        ),
        (
            "a: { file: { path: /tmp/x } }, b: { file: { path: /tmp/x } }",
            "`b` and `a` write to the same place",
        ),
    ] {
        let gate = Gate::small(upstream.address());
        let text = gate.text("portcullis.yaml");
        gate.write(
            "portcullis.yaml",
            format!("{text}destinations: {{ {written} }}\n"),
        );
        let ended = testkit::run(program(), &gate, &["check", gate.dir().to_str().unwrap()]);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        let line = text.lines().count() + 1;
        assert!(
            said.contains(expected) && said.contains(&format!("portcullis.yaml:{line}")),
            "{written}: {said}"
        );
        assert_ne!(ended.code, Some(0), "{written}");
    }
}
