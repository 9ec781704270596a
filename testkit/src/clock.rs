//! A wall clock that a test can set: a small library, loaded before the binary under test, shifts what the binary reads.
//! Exports `WallClock`. Nothing in the product knows of it; monotonic time goes on as it is, unless the ledger's thread shall fail.
//! Used by tests of what happens when somebody sets the clock, and when the ledger's thread panics.
//! Start reading at `WallClock::prepare`.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use crate::Gate;

/// The library's source; gcc is needed to build the product anyway.
const SOURCE: &str = include_str!("clock_shim.c");

/// The wall clock of one gate's server and commands.
#[derive(Debug)]
pub struct WallClock {
    shift: File,
}

impl WallClock {
    /// A clock for this gate, right at first. It holds for every process started on the gate from now on.
    pub fn prepare(gate: Gate) -> (WallClock, Gate) {
        let library = build(gate.home());
        let place = gate.home().join("clock-shift");
        fs::write(&place, [0; 16]).expect("a file can be written");
        let shift = File::options()
            .write(true)
            .open(&place)
            .expect("a file can be opened");
        let gate = gate
            .with_env("LD_PRELOAD", &library)
            .with_env("CLOCK_SHIM_FILE", &place.to_string_lossy());
        (WallClock { shift }, gate)
    }

    /// Sets the clock so many seconds before (negative) or after the true time, at once and for running processes too.
    pub fn set(&self, seconds: i64) {
        self.shift
            .write_all_at(&seconds.to_ne_bytes(), 0)
            .expect("a file can be written");
    }

    /// From now on the thread that writes the ledger panics when it looks at the clock after a record: the one fault of
    /// it that can be caused from outside.
    pub fn fail_the_ledger_thread(&self) {
        self.shift
            .write_all_at(&1_i64.to_ne_bytes(), 8)
            .expect("a file can be written");
    }
}

fn build(home: &Path) -> String {
    let (source, library) = (home.join("clock.c"), home.join("clock.so"));
    fs::write(&source, SOURCE).expect("a file can be written");
    let built = Command::new("gcc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .output()
        .expect("gcc is there: the product needs it as well");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    library.to_string_lossy().into_owned()
}
