//! Where records of the ledger are delivered to: what an operator writes of each destination, and how a record reads there.
//! Exports `Destinations` (the settings), `check`, and `Destination`, which each kind implements. Pure: `control` delivers.
//! Used by config, which reads the settings, and by `control::delivery`, which opens what `Destination::target` names.
//! Start reading at `Destination`; the list of kinds is in `kinds`.

mod destination;
mod kinds;
mod settings;

pub use destination::{Destination, Record, Target};
pub use kinds::Settings;
pub use kinds::file::FileSettings;
pub use settings::{Destinations, check};
