//! Bars: figures that the product promises to reach, measured inside the suite and collected by `cargo xtask prove`.
//! Exports `bar` and `Scale`.
//! Used by the suite; without `prove` a bar only prints its line.
//! Start reading at `bar`.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;

/// Environment variable that names the file `prove` collects bars from.
const FILE: &str = "PORTCULLIS_BARS";
/// Environment variable that says how much to do: `test` (default), `prove` or `full`.
const SCALE: &str = "PORTCULLIS_SCALE";

/// Reports one figure of a bar: `bar("X4", "calls lost by 49 neighbours", lost, lost == 0)`.
///
/// Only reports. A test that must not pass without the bar asserts it as well; figures that depend on the machine are
/// never asserted.
pub fn bar(name: &str, what: &str, figure: impl Display, holds: bool) {
    let verdict = if holds { "holds" } else { "missed" };
    let line = format!("{name}\t{what}\t{figure}\t{verdict}\n");
    print!("BAR\t{line}");
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let file = OpenOptions::new().create(true).append(true).open(&path);
    // One write, so that tests that run at once do not mix their lines.
    file.and_then(|mut file| file.write_all(line.as_bytes()))
        .unwrap_or_else(|why| panic!("{}: {why}", path.display()));
}

/// How much a test that can be done in several sizes has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// In the suite: seconds.
    Test,
    /// For `cargo xtask prove NAME`: the bar's own counts where they fit into five minutes.
    Prove,
    /// For `cargo xtask prove NAME --full`: the bar's own counts, however long that takes.
    Full,
}

impl Scale {
    /// What was asked for.
    pub fn asked() -> Scale {
        match std::env::var(SCALE).as_deref() {
            Ok("full") => Scale::Full,
            Ok("prove") => Scale::Prove,
            Ok("test") | Err(_) => Scale::Test,
            Ok(other) => panic!("{SCALE}={other}: write test, prove or full"),
        }
    }

    /// The value for the scale that was asked for.
    pub fn pick<T>(test: T, prove: T, full: T) -> T {
        match Scale::asked() {
            Scale::Test => test,
            Scale::Prove => prove,
            Scale::Full => full,
        }
    }
}
