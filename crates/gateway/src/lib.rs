//! The road one request takes, from the first byte to the answer and its ledger entry.
//! Gives `Gateway` (a `net::Service`), `Snapshot`, `Io`. Decides nothing itself: the judges do.
//! Used by the binary, which starts one per core.
//! Start reading at `pipeline::run`.

pub mod answers;
pub mod asking;
pub mod blocks;
mod bounds;
pub mod clock;
pub mod connections;
mod context;
pub mod counters;
pub mod cursor;
pub mod etag;
mod exchange;
pub mod finding;
pub mod idempotency;
mod identity_token;
mod ids;
pub mod inspection;
pub mod io;
pub mod leaks;
pub mod metrics;
pub mod pages;
pub mod pipeline;
pub mod problem;
pub mod reasons;
pub mod record;
pub mod recording;
pub mod replay;
pub mod request_fields;
mod retry_after;
mod service;
pub mod snapshot;
mod stages;
pub mod turns;

pub use clock::Clock;
pub use exchange::{Charged, Exchange, Stop};
pub use io::Io;
pub use service::Gateway;
pub use snapshot::Snapshot;
pub use stages::parameters::{fix_body, sent};
