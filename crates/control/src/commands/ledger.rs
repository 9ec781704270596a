//! The ledger as an operator reads it.
//! Exports the `ledger.*` commands. Verification works on the files and needs no server.
//! Used by `COMMANDS`, and by the command line for a ledger it opened itself.
//! Start reading at `show::ShowLedger`.

mod checkpoint;
mod destroy;
mod erase;
mod export;
mod rotate_signer;
mod show;
pub mod text;

pub use checkpoint::{CheckpointSigned, SignCheckpoint};
pub use destroy::{DestroyRecords, RecordsDestroyed};
pub use erase::{ErasePerson, PersonErased};
pub use export::{ExportNoted, NoteExport};
pub use rotate_signer::{RotateSigner, SignerRotated};
pub use show::{DestroyedRecords, LedgerPage, LedgerRecord, ShowLedger};
