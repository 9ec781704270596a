//! The demo company, Brightline Heating & Service: a careless upstream, its contract, its gate files, its tour.
//! Exports `Fieldworks`, `prepare`, `tour::run`, `Mix`. Time is passed in.
//! Used by the `demo` verb, by testkit and by the benches.
//! Start reading at `fieldworks::Fieldworks`; everything it serves is grown by `data::World`.

pub mod call;
pub mod certificates;
pub mod data;
pub mod fieldworks;
pub mod gate;
pub mod record;
pub mod split_mix;
pub mod tour;
pub mod traffic;

pub use call::{Call, CallResponse, Listener, send_plain};
pub use certificates::{CertificateError, write_certificates};
pub use data::{Kind, World};
pub use fieldworks::{Fieldworks, Seen};
pub use gate::{GATE_FILES, INTEGRATIONS, Ports, prepare, write_gate};
pub use traffic::Mix;
