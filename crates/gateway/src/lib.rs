//! The road one request takes, from the first byte to the answer and its ledger entry.
//! Exports `Gateway` (a `net::Service`), `Snapshot`, `SharedState`. Decides nothing itself: the judges do.
//! Used by the binary, which starts one per core.
//! Start reading at `pipeline::run`.

pub mod asking;
pub mod blocks;
mod bounds;
pub mod browsers;
pub mod clock;
pub mod concurrency;
pub mod connections;
mod context;
pub mod counters;
pub mod cursor;
pub mod etag;
pub mod finding;
mod hidden_segments;
pub mod idempotency;
mod identity_token;
mod ids;
pub mod inspection;
pub mod leaks;
pub mod meanings;
pub mod metrics;
mod own_urls;
pub mod pages;
pub mod pipeline;
pub mod problem;
pub mod reasons;
pub mod record;
pub mod recording;
pub mod replay;
pub mod request_fields;
mod request_state;
mod reserved;
mod retry_after;
mod service;
pub mod shared_state;
pub mod snapshot;
mod stages;
pub mod via;
mod wide_text;

pub use clock::Clock;
pub use request_state::{Charged, RequestState, Stop};
pub use service::Gateway;
pub use shared_state::SharedState;
pub use snapshot::Snapshot;
pub use stages::parameters::{fix_body, sent};
