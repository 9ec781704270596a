//! A verifier in another language, which does what docs/ledger-format.md says and shares no code with ours, says of every file the same.
//! It lies in `tests/second-verifier`. Without `python3` these tests only say that they were skipped.
//! Start reading at `both_verifiers_say_the_same_of_every_export`.

mod ledgers;
mod mutations;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use audit::{PublicKey, verify_directory, verify_export};
use testkit::{Gate, RecordingUpstream, Scale, bar, run};

use crate::line::{SplitMix64, number};
use crate::{call, program, serve};
use ledgers::Exports;

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/second-verifier/verify_ledger.py")
}

/// Python with the second verifier; `None`, with a visible SKIP, where there is none.
fn python() -> Option<Command> {
    let mut command = Command::new("python3");
    let is_there = command
        .arg("--version")
        .output()
        .is_ok_and(|found| found.status.success());
    if !is_there {
        println!("SKIP: there is no python3 (apt-get install python3)");
        return None;
    }
    let mut command = Command::new("python3");
    command.arg("-B").arg(script());
    Some(command)
}

/// A directory of a test's own.
fn scratch() -> Gate {
    Gate::small(std::net::SocketAddr::from(([127, 0, 0, 1], 1)))
}

/// The second verifier, asked for many files one after another.
struct Second {
    child: Child,
    asked: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Second {
    fn start(secrets: &[String]) -> Option<Second> {
        let mut command = python()?;
        let command = command
            .arg("--many")
            .args(secrets)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (asked, told) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let told = BufReader::new(told);
        Some(Second { child, asked, told })
    }

    /// The exit code for a file, and why.
    fn verdict(&mut self, file: &Path, pin: Option<&str>) -> (i32, String) {
        let pin = pin.map(|pin| format!("\t{pin}")).unwrap_or_default();
        writeln!(self.asked, "{}{pin}", file.display()).unwrap();
        let mut line = String::new();
        self.told.read_line(&mut line).unwrap();
        let (code, why) = line.trim_end().split_once(' ').expect("a verdict");
        (code.parse().unwrap(), why.to_owned())
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What `portcullis ledger verify` ends with for a file, and why.
fn ours(file: &Path, pin: Option<&str>) -> (i32, String) {
    let pin = pin.map(|pin| PublicKey::parse(pin).unwrap());
    let report = verify_export(file, pin.as_ref()).unwrap();
    let why = report.first_bad.as_ref().map(|bad| bad.what.clone());
    let code = if report.is_cut {
        1
    } else if !report.is_good() {
        3
    } else {
        let is_caution = report.compromised().is_some() || report.has_open_ends;
        if is_caution { 2 } else { 0 }
    };
    (code, why.unwrap_or_default())
}

/// The same of the program itself.
fn of_program(file: &Path, pin: Option<&str>) -> i32 {
    let mut command = Command::new(program());
    command.args(["ledger", "verify"]).arg(file);
    command.args(pin.iter().flat_map(|pin| ["--public-key", pin]));
    command.output().unwrap().status.code().unwrap()
}

#[test]
fn both_verifiers_say_the_same_of_every_export() {
    let Some(mut second) = Second::start(&[]) else {
        return;
    };
    let seed = number("PORTCULLIS_SEED", 1);
    let mut dice = SplitMix64::new(seed);
    let gate = scratch();
    let place = gate.home();
    let exports = Exports::write(place, &mut dice, 200);
    let file = place.join("file.jsonl");
    let clean = exports.all.len();
    for export in &exports.all {
        fs::write(&file, &export.bytes).unwrap();
        let caution = if export.is_compromised { 2 } else { 0 };
        let keys = [
            None,
            Some(export.key.as_str()),
            Some(export.newest_key.as_str()),
        ];
        for (pin, code) in keys.into_iter().zip([caution, caution, 0]) {
            let (told, again) = (ours(&file, pin), second.verdict(&file, pin));
            assert_eq!((told.0, again.0), (code, code), "{told:?} {again:?}");
        }
    }
    let rounds: usize = Scale::pick(600, 20_000, 20_000);
    let every = rounds / 30;
    let (mut told_good, mut disagreed) = (0_u64, Vec::new());
    for round in 0..rounds {
        let (name, bytes, pin) = mutations::next(&exports, &mut dice);
        fs::write(&file, &bytes).unwrap();
        let (told, again) = (
            ours(&file, pin.as_deref()),
            second.verdict(&file, pin.as_deref()),
        );
        told_good += u64::from(told.0 == 0);
        if told.0 != again.0 {
            disagreed.push(format!("round {round}, {name}: {told:?} and {again:?}"));
            fs::write(place.join(format!("{round}.jsonl")), &bytes).unwrap();
        }
        if round % every == 0 {
            assert_eq!(
                of_program(&file, pin.as_deref()),
                told.0,
                "round {round}, {name}"
            );
        }
    }
    let what = format!("files on which both verifiers agree, seed {seed}");
    let agreed = rounds - disagreed.len() + clean;
    let figure = format!(
        "{agreed} of {}, {told_good} changed ones in order",
        rounds + clean
    );
    bar("Y2", &what, figure, disagreed.is_empty());
    assert!(
        disagreed.is_empty(),
        "{} of {rounds}: {:#?}",
        disagreed.len(),
        &disagreed[..disagreed.len().min(20)]
    );
    assert!(
        told_good > 0,
        "some changes are allowed, such as another signature"
    );
}

/// What `portcullis ledger verify` ends with for a directory, and why.
fn ours_of_directory(dir: &Path, keys: &crypto::Keys) -> (i32, String) {
    let public = PublicKey::new(ledgers::ORIGIN, keys.ledger_signing.verifying_key());
    let report = match verify_directory(dir, keys, &public, None) {
        Ok(report) => report,
        Err(fault) => return (3, fault.to_string()),
    };
    let is_caution = report.compromised().is_some() || !report.returned.is_empty();
    match report.first_bad {
        Some(bad) => (3, format!("{}: {}", bad.file, bad.what)),
        None if is_caution => (2, String::new()),
        None => (0, String::new()),
    }
}

#[test]
fn both_verifiers_say_the_same_of_every_directory() {
    let Some(mut second) = Second::start(&ledgers::secrets()) else {
        return;
    };
    let seed = number("PORTCULLIS_SEED", 1);
    let mut dice = SplitMix64::new(seed);
    let gate = scratch();
    let place = gate.home();
    let keys = ledgers::keys();
    let whole = ledgers::directories(place, &mut dice);
    for (dir, code) in &whole {
        let told = (ours_of_directory(dir, &keys), second.verdict(dir, None));
        assert_eq!((told.0.0, told.1.0), (*code, *code), "{told:?}");
    }
    let rounds: usize = Scale::pick(60, 400, 2_000);
    let mut disagreed = Vec::new();
    for round in 0..rounds {
        let (dir, _) = dice.pick(&whole);
        let copy = place.join(format!("copy {round}"));
        fs::create_dir(&copy).unwrap();
        let name = mutations::of_directory(dir, &copy, &mut dice);
        let (told, again) = (ours_of_directory(&copy, &keys), second.verdict(&copy, None));
        if told.0 != again.0 {
            disagreed.push(format!("round {round}, {name}: {told:?} and {again:?}"));
        }
        fs::remove_dir_all(&copy).unwrap();
    }
    let what = format!("changed directories on which both verifiers agree, seed {seed}");
    let figure = format!("{} of {rounds}", rounds - disagreed.len());
    bar("Y2", &what, figure, disagreed.is_empty());
    assert!(disagreed.is_empty(), "{disagreed:#?}");
}

#[test]
fn the_page_has_every_field_of_a_record() {
    let code = include_str!("../../../model/src/event.rs");
    let (_, fields) = code.split_once("pub struct Event {").unwrap();
    let (fields, _) = fields.split_once("\n}").unwrap();
    let page = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ledger-format.md"),
    )
    .unwrap();
    // What is never written is on no page.
    let written = fields
        .split_inclusive(",\n")
        .filter(|field| !field.contains("#[serde(skip)]"));
    let names = written
        .flat_map(str::lines)
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'));
    let names: Vec<&str> = names.map(|(name, _)| name).collect();
    assert!(names.len() > 40, "{names:?}");
    for name in names {
        assert!(
            page.contains(&format!("`{name}`")),
            "`{name}` is not on the page"
        );
    }
}

#[test]
fn the_exports_of_every_form_are_what_both_verifiers_say() {
    let Some(mut second) = Second::start(&[]) else {
        return;
    };
    for (form, code) in [("1", 2), ("2", 0), ("3", 2), ("4", 0)] {
        for name in ["whole.jsonl", "part.jsonl"] {
            let file = ledgers::fixture(form, name);
            let told = (ours(&file, None).0, second.verdict(&file, None).0);
            assert_eq!(told, (code, code), "form {form}, {name}");
        }
    }
}

#[test]
fn an_export_of_a_running_server_is_in_order_for_the_second_verifier() {
    let Some(mut python) = python() else { return };
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    for person in ["ann lee", "bob", "\u{202e}evil\"\\"] {
        let asked = call("GET", "/v1/notes/1").with("X-Person", person);
        server.send(&asked, Some(&key));
    }
    let rotated = server.cli(&["ledger", "rotate-signer", "--reason", "yearly change"]);
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    let gate = server.stop().1;
    let file = gate.home().join("all.jsonl");
    let exported = run(
        program(),
        &gate,
        &["ledger", "export", "--out", file.to_str().unwrap()],
    );
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let told = python.arg(&file).output().unwrap();
    assert_eq!(told.status.code(), Some(0), "{told:?}");
}
