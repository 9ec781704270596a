//! What tests need to drive the real binary over real sockets: directories, servers, upstreams, raw bytes.
//! Exports `Gate`, `Server`, `RecordingUpstream`, `WallClock`, `wire`, `frames`, `bar`. Panics with everything it knows when something is not as it must be.
//! Used by the suite of `portcullis` only; nothing that ships depends on it.
//! Start reading at `Server::start`.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first surprise"
)]

mod bar;
mod clock;
pub mod frames;
mod gate;
mod server;
mod upstream;
pub mod wire;

pub use bar::{Scale, bar};
pub use clock::WallClock;
pub use gate::Gate;
pub use server::{Ended, Key, Server, run, run_and_kill, send_signal};
pub use upstream::{Latch, Play, Received, RecordingUpstream, answer, json_response};

use std::time::{Duration, Instant};

/// How long anything may take on a busy machine before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer; `None` when patience ends first.
pub fn poll<T>(patience: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    loop {
        if let Some(found) = ask() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
