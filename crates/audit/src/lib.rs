//! What happened, provably: the append-only, sealed, chained and signed ledger.
//! Exports `Recorder` (write), `Ledger` (read), `Subscription` (follow), `export` and `verify` (needs no store, and for exports no keys).
//! Used by the gateway (one event per request), control and the command line. Drops no event silently, holds no secret.
//! Start reading at `Recorder::record`; file format and promises are in docs/ledger-format.md.

mod bus;
mod checkpoint;
mod destruction;
pub mod disk;
mod entry;
mod export;
mod fault;
#[cfg(test)]
mod fixture;
mod notes;
mod pending;
mod queue;
mod reader;
mod recent;
mod recorder;
mod recovery;
mod returned;
mod rewrap;
mod segment;
mod settings;
mod signer;
mod subjects;
mod tree;
mod verify;
mod wrapped;
mod writer;

pub use bus::{EventBus, Followed, Label, Subscription};
pub use checkpoint::{Checkpoint, PublicKey, SignedCheckpoint, is_origin};
pub use destruction::{
    COMMAND as DESTROY, Destroyed, Destruction, Older, destroy, destroyable, destructions,
    destructions_within, older_than,
};
pub use entry::Entry;
pub use export::{Exported, export, export_opened};
pub use fault::LedgerFault;
pub use notes::FILE as CHECKPOINTS;
pub use pending::Pending;
pub use queue::Status;
pub use reader::{Filter, Ledger, Records, origin_of};
pub use recorder::Recorder;
pub use recovery::{Recovered, rehearse};
pub use returned::{DestroyedKeys, Returned, returned};
pub use rewrap::rewrap;
pub use settings::{Durability, OnCheckpoint, Opening, RECORD_BYTES_MAX, Settings};
pub use signer::{Ends, Rotated, SignerEpoch};
pub use subjects::{COMMAND as ERASE, ErasedSubject, SUBJECTS_MAX};
pub use tree::{Frontier, GENESIS, Hash, Proof, chain_hash, leaf_hash, node_hash};
pub use verify::{Bad, Report, verify_directory, verify_export, verify_newest};
